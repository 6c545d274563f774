"""The two sweeps of one way through a function, with what the one keeps for the other on tapes.

There is a tape, an array, for each dtype, and one position for all of them. What a call keeps begins at its mark: its
scalars in places of their own, then its arrays and what the calls that it makes keep, in the order of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.free import free_of
from srcgrad.core.ir import Atom, Fun, Stmt, Var
from srcgrad.core.walk import defined, substitute
from srcgrad.rules.scalar.arithmetic import add, multiply
from srcgrad.rules.shapes.shape import dim
from srcgrad.transform.sweeps.crossing import Crossing, crossing_arrays
from srcgrad.transform.sweeps.joint import Joint, NotPairedError
from srcgrad.transform.sweeps.places import on_tapes
from srcgrad.transform.sweeps.positions import Positions

Tape = Callable[[str], Var]


def behind(call: ir.Call, pos: Atom) -> tuple[Sequence[Stmt], Atom]:
    """The call with the position before it as its last argument, and the one behind it as its last result."""
    end = Var("pos", ir.I8)
    return [replace(call, targets=(*call.targets[:-1], end), args=(*call.args, pos))], end


class Cut:
    """One way, cut in two. tapes: those that it keeps something on.   start: the position behind its scalars."""

    def __init__(self, joint: Joint, keeps: Callable[[Stmt], bool], above: int) -> None:
        """above: how many places the forks above it take."""
        self.joint, self._keeps, self._above = joint, keeps, above
        self._allocs, self._copied = crossing_arrays(joint)
        self.mark, self.start = Var("mark", ir.I8), Var("start", ir.I8)
        self.tapes: dict[str, Var] = {}
        self._became: dict[Var, Atom] = {}  # what marks and copied arrays are in the sweep back
        self._forth, self._values, self._end = self._with_positions(self._tape)
        if not set(joint.seeds).isdisjoint(free_of(self._forth, self._values)):
            raise NotPairedError  # the sweep forth runs before there are cotangents
        given = {*joint.params, *joint.shadows, self.start, *self.tapes.values()}
        self._crossing = Crossing(self._forth, given)
        self._back = substitute(joint.back, self._became)
        self._bars = tuple(self._became.get(b, b) if isinstance(b, Var) else b for b in joint.bars)
        for var in free_of(self._back, self._bars):
            if var not in joint.seeds:
                self._crossing.need(var)
        for var in self._crossing.slots:
            self._tape(var.type.dtype)

    def _tape(self, dtype: str) -> Var:
        if dtype not in self.tapes:
            self.tapes[dtype] = Var("tape", ir.Type(dtype, 1, ref=True))
        return self.tapes[dtype]

    @property
    def _fixed(self) -> int:
        return self._above + max((k + 1 for k in self._crossing.slots.values()), default=0)

    # ---- what each sweep is made of

    def forward(self) -> Fun:
        """(arguments, the tapes that it keeps something on, mark) -> (values, the position behind what it keeps)."""
        builder = Builder()
        self._begin(builder)
        for stmt in self._without_shadows(self._forth):
            builder.put(stmt)
            for var in defined(stmt):
                if var in self._crossing.slots:
                    builder.store(self._tape(var.type.dtype), (self._place(builder, var),), var)
        params = (*self.joint.params, *self.tapes.values(), self.mark)
        made = Fun("forward", params, tuple(builder.out), (*self._values, self._end))
        return on_tapes(made, self.tapes.values())

    def backward(self) -> Fun:
        """(mark, arguments, those tapes, cotangents, shadows) -> adjoints of scalars."""
        builder = Builder()
        self._begin(builder)
        for var in self._crossing.slots:
            at = self._place(builder, var)
            builder.put(ir.Load(var, self._tape(var.type.dtype), (at,)))
        builder.out.extend(self._crossing.again)
        params = (self.mark, *self.joint.params, *self.tapes.values(), *self.joint.seeds, *self.joint.shadows)
        made = Fun("backward", params, (*builder.out, *self._back), self._bars)
        return on_tapes(made, self.tapes.values())

    def count(self) -> Fun:
        """(arguments, mark) -> (values, the position behind what would be kept): nothing is."""
        builder = Builder()
        self._begin(builder)
        forth, values, end = self._with_positions(None)
        params = (*self.joint.params, self.mark)
        return Fun("count", params, (*builder.out, *self._without_shadows(forth)), (*values, end))

    def _without_shadows(self, forth: Sequence[Stmt]) -> Iterator[Stmt]:
        """The sweep forth without views of shadows, which are made beside those of the arrays."""
        shadows = set(self.joint.shadows)
        for stmt in forth:
            if isinstance(stmt, ir.View) and stmt.base in shadows:
                shadows.add(stmt.target)
            else:
                yield stmt

    def _begin(self, builder: Builder) -> None:
        builder.put(ir.Let((self.start,), add, (self.mark, const(self._fixed))))

    def _place(self, builder: Builder, var: Var) -> Atom:
        place = self._above + self._crossing.slots[var]
        at: Atom = builder.let(add, self.mark, const(place), name="at") if place else self.mark
        return at

    # ---- positions

    def _with_positions(self, tape: Tape | None) -> tuple[list[Stmt], tuple[Atom, ...], Atom]:
        """The sweep forth, its values, and the position behind it. tape: None where nothing is kept."""
        positions = Positions(self._keeps, behind)
        builder = Builder()
        pos: Atom = self.start
        for stmt in self.joint.forth:
            if isinstance(stmt, ir.Alloc) and stmt in self._allocs:
                moved = positions.inside(stmt)
                assert isinstance(moved, ir.Alloc)
                pos = _laid_down(builder, moved, pos, tape)
            else:
                new, pos = positions.one(stmt, pos)
                for one in new:
                    builder.put(one)
        for ref in self._copied:
            pos = self._copy(builder, ref, pos, tape)
        if tape is not None:
            self._became.update(positions.env)
        return builder.out, tuple(map(positions.atom, self.joint.values)), pos

    def _copy(self, builder: Builder, ref: Var, pos: Atom, tape: Tape | None) -> Atom:
        dims = [builder.let(dim, ref, axis=axis, name="n") for axis in range(ref.type.rank)]
        if tape is None:
            return builder.let(add, pos, _size(builder, dims), name="pos")
        row = Var(ref.name, ref.type.memory())
        pos = _laid_down(builder, ir.Alloc(row, tuple(dims), ir.Init.EMPTY), pos, tape)
        builder.store(row, None, builder.load(ref) if ref.type.ref else ref)
        self._became[ref] = row if ref.type.ref else builder.load(row)
        return pos


def _size(builder: Builder, dims: Iterable[Atom]) -> Atom:
    size: Atom = const(1)
    for n in dims:
        size = n if size == const(1) else builder.let(multiply, size, n, name="size")
    return size


def _laid_down(builder: Builder, alloc: ir.Alloc, pos: Atom, tape: Tape | None) -> Atom:
    """Put memory on a tape; the position behind it."""
    init = alloc.init
    if isinstance(init, Var) and init.type.rank:
        shape: list[Atom] = [builder.let(dim, init, axis=axis, name="n") for axis in range(init.type.rank)]
    else:
        shape = [n for n in alloc.shape if n is not None]
    end = builder.let(add, pos, _size(builder, shape), name="pos")
    if tape is None:
        builder.put(alloc)
        return end
    one = len(shape) == 1
    row = alloc.target if one else Var(alloc.target.name, ir.Type(alloc.target.type.dtype, 1, ref=True))
    builder.put(ir.View(row, tape(row.type.dtype), (ir.Slice(pos, end),)))
    if not one:
        builder.put(ir.View(alloc.target, row, ir.Reshape(tuple(shape))))
    if init is not ir.Init.EMPTY:
        builder.store(alloc.target, None, _first(init, alloc.target.type.dtype))
    return end


def _first(init: ir.Init | Atom, dtype: str) -> Atom:
    if isinstance(init, ir.Init):
        return const({"b": False, "i": 0}.get(dtype[0], 0.0), ir.Type(dtype))
    return init
