"""Additions to elements: what is added to a zero is stored, and what is stored after an addition to what was there is
added in place.

    a[i] = 0.0                        b[i] = b[i] - y
    a[i] += x          a[i] = x                              b[i] -= y
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from srcgrad.core import ir
from srcgrad.core.aliases import aliases_of
from srcgrad.core.ir import Accumulate, Atom, Const, Fun, Let, Load, Stmt, Store, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.core.walk import used, used_inside, walk
from srcgrad.rules.scalar.arithmetic import add, negative, subtract


def store_first_additions(fun: Fun) -> Fun:
    """The function with what is added to a zero, stored just before, stored; the same object if there is none."""
    return _Stored(fun).fun(fun) if any(isinstance(s, Accumulate) for s in walk(fun.body)) else fun


def add_in_place(fun: Fun) -> Fun:
    """The function with what is added to an element, and stored there, added in place."""
    return _InPlace(fun).fun(fun)


class _Elements(Rewriter):
    def __init__(self, fun: Fun) -> None:
        super().__init__()
        self._classes = aliases_of(fun)
        loads = (s for s in walk(fun.body) if isinstance(s, Load) and s.target.type.rank)
        self._read_whole = {self._classes.of(s.ref) for s in loads}  # values of them may be the memory itself

    def untouched(self, ref: Var, since: int, read: bool) -> bool:
        """Whether no statement of the block from there on has to do with the memory. read: it may read elements."""
        family = self._classes.of(ref)
        return family not in self._read_whole and not any(
            isinstance(a, Var) and a.type.ref and self._classes.of(a) is family
            for stmt in walk(self.out[since:])
            if not (read and isinstance(stmt, Load))
            for a in (*used(stmt), *used_inside(stmt))
        )

    def last(self, kind: type[Stmt], ref: Var, index: ir.Index) -> int | None:
        """Where in the block at hand the element is stored, or loaded, if it is neither written nor, if it is stored,
        read since."""
        for k in range(len(self.out) - 1, -1, -1):
            stmt = self.out[k]
            if type(stmt) is kind and isinstance(stmt, (Load, Store)) and stmt.ref is ref and stmt.index == index:
                return k if self.untouched(ref, k + 1, kind is Load) else None
        return None


class _Stored(_Elements):
    def one(self, stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, Accumulate) or stmt.atomic is not None or not _by_element(stmt):
            return self.inside(stmt)
        at = self.last(Store, stmt.ref, stmt.index)
        zero = self.out[at] if at is not None else None
        if at is None or not isinstance(zero, Store) or zero.value != Const(0.0, stmt.value.type):
            return stmt
        del self.out[at]
        return Store(stmt.ref, stmt.index, stmt.value, span=stmt.span)


class _InPlace(_Elements):
    def __init__(self, fun: Fun) -> None:
        super().__init__(fun)
        self._uses = Counter(a for s in walk(fun.body) for a in (*used(s), *used_inside(s)))
        self._lets = {s.target: s for s in walk(fun.body) if isinstance(s, Let) and len(s.targets) == 1}

    def one(self, stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, Store) or not _by_element(stmt):
            return self.inside(stmt)
        return tuple(self._added(stmt)) or stmt

    def _added(self, stmt: Store) -> Iterator[Stmt]:
        """The addition in the store's place, if it is one."""
        let = self._lets.get(stmt.value) if isinstance(stmt.value, Var) else None
        at = self.last(Load, stmt.ref, stmt.index)
        if let is None or let.op not in (add, subtract) or at is None or self._uses[let.target] > 1:
            return
        old, rest = let.args if self._is(let.args[0], at) else let.args[:: -1 if let.op is add else 1]
        if not self._is(old, at) or rest is old or rest.type != stmt.value.type:
            return
        if let.op is subtract:
            minus = Var("t", rest.type)
            yield Let((minus,), negative, (rest,), span=stmt.span)
            rest = minus
        yield Accumulate(stmt.ref, stmt.index, rest, span=stmt.span)

    def _is(self, atom: Atom, at: int) -> bool:
        load = self.out[at]
        return isinstance(load, Load) and atom is load.target and self._uses[atom] == 1


def _by_element(stmt: Store | Accumulate) -> bool:
    places: Sequence[ir.Item] = stmt.index
    return stmt.value.type.is_float and all(not isinstance(i, ir.Slice) and i.type == ir.I8 for i in places)
