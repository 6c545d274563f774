"""What is stored and then added to in the same block is stored once, with the sum.

    a[i] = 0.0; b[i] = ...; a[i] += t     becomes     b[i] = ...; a[i] = t

The adjoint of `a[i] = f(a[i])` is made so. A place that is stored to, read and stored to again keeps a loop from being
vectorised: it takes twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass

from srcgrad.core import ir
from srcgrad.core.affine import Poly
from srcgrad.core.ir import Accumulate, Const, Fun, Let, Load, Remark, Stmt, Store, Var
from srcgrad.core.rewrite import GONE, Rewriter, Rewritten
from srcgrad.core.walk import walk
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.schedule.dependences import Dependences

Place = tuple[Poly, ...]


def store_once(fun: Fun) -> Fun:
    """The function with such stores; the same object if there are none."""
    stored = {s.ref for s in walk(fun.body) if isinstance(s, Store)}
    added = any(isinstance(s, Accumulate) and s.ref in stored for s in walk(fun.body))
    return _Blocks(fun).fun(fun) if added and fun.facts.kernel is None else fun


@dataclass(eq=False, slots=True)
class _Known:
    """A store whose value still lies at its place.   at: where it stands in the new block.   read: somebody has looked
    at the place since."""

    store: Store
    place: Place
    at: int
    read: bool = False


class _Blocks(Rewriter):
    def __init__(self, fun: Fun) -> None:
        super().__init__()
        self._dependences = Dependences(fun)
        self._known: list[_Known] = []

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        kept, self._known = self._known, []
        made = super().block(stmts)
        self._known = kept
        return made

    def one(self, stmt: Stmt) -> Rewritten:
        match stmt:
            case Let() if all(a.type.is_scalar for a in (*stmt.args, *stmt.targets)):
                return stmt
            case Remark():
                return stmt
            case Load():
                self._read(stmt.ref, stmt.index)
                return stmt
            case Store():
                return self._stored(stmt)
            case Accumulate():
                return self._added(stmt)
        new = self.inside(stmt)
        self._known = []
        return new

    def _stored(self, stmt: Store) -> Stmt:
        """The store; what has stored to its place before, unseen, is gone."""
        place = self._place(stmt.index)
        for known in self._same(stmt.ref, place):
            if not known.read:
                self.out[known.at] = GONE
        self._written(stmt.ref, stmt.index)
        simple = place is not None and stmt.value.type == ir.Type(stmt.ref.type.dtype) and stmt.value.type.is_float
        if place is not None and simple and not self._dependences.may_grow(stmt.ref):
            self._known.append(_Known(stmt, place, len(self.out)))
        return stmt

    def _added(self, stmt: Accumulate) -> Rewritten:
        """A store of the sum, where it is known what is added to."""
        found = self._same(stmt.ref, self._place(stmt.index))
        if not found or stmt.atomic is not None or stmt.value.type != found[-1].store.value.type:
            self._read(stmt.ref, stmt.index)
            self._written(stmt.ref, stmt.index)
            return stmt
        before, total = found[-1].store.value, stmt.value
        if not (isinstance(before, Const) and before.value == 0):
            total = Var(stmt.ref.name, stmt.value.type)
            self.put(Let((total,), add, (before, stmt.value), span=stmt.span))
        return self._stored(Store(stmt.ref, stmt.index, total, span=stmt.span))

    # ---- places

    def _place(self, index: ir.Index) -> Place | None:
        """None: more than one place."""
        if any(isinstance(i, ir.Slice) or i.type != ir.I8 for i in index):
            return None
        return tuple(self._dependences.integers.of(i) for i in index if not isinstance(i, ir.Slice))

    def _same(self, ref: Var, place: Place | None) -> list[_Known]:
        """What is known of this place."""
        if place is None:
            return []
        key = [p.key for p in place]
        return [k for k in self._known if k.store.ref is ref and [p.key for p in k.place] == key]

    def _read(self, ref: Var, index: ir.Index) -> None:
        for known in self._known:
            known.read = known.read or not self._apart(known, ref, index)

    def _written(self, ref: Var, index: ir.Index) -> None:
        self._known = [known for known in self._known if self._apart(known, ref, index)]

    def _apart(self, known: _Known, ref: Var, index: ir.Index) -> bool:
        """Whether what is reached is surely another place than that of the store."""
        classes, integers = self._dependences.classes, self._dependences.integers
        if classes.of(ref) is not classes.of(known.store.ref):
            return True
        place = self._place(index)
        if place is None or ref is not known.store.ref:
            return False
        pairs = zip(place, known.place, strict=True)
        return any((a - b).known and integers.at_least(a, 0) and integers.at_least(b, 0) for a, b in pairs)
