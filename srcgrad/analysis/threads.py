"""The threads of a kernel: what differs between them, and which places of memory belong to one of them alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from srcgrad.analysis.effects import Facts, Region
from srcgrad.core import ir
from srcgrad.core.affine import Monomial, Poly
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.core.walk import walk
from srcgrad.rules.cuda_names import coordinate, grid, gridsize
from srcgrad.rules.scalar.arithmetic import floor_divide, remainder
from srcgrad.rules.scalar.compare import OPPOSITE, equal, greater, less, logical_and, logical_not, logical_or
from srcgrad.rules.shapes.shape import dim

# A coordinate that tells threads apart: ('threadIdx', axis) or ('blockIdx', axis).
Coordinate = tuple[str, int]
ALL: frozenset[Coordinate] = frozenset((of, axis) for of in ("threadIdx", "blockIdx") for axis in range(3))
FLAT = "flat"
FULL = ir.Slice()


def asked(fun: Fun) -> frozenset[Coordinate]:
    """The coordinates along the axes that the kernel asks for."""
    lets = [s for s in walk(fun.body) if isinstance(s, ir.Let)]
    axes = {axis for s in lets if s.op in (grid, gridsize) for axis in range(len(s.targets))}
    axes |= {s.params["axis"] for s in lets if s.op is coordinate}
    return frozenset((of, axis) for of in ("threadIdx", "blockIdx") for axis in axes)


@dataclass(frozen=True)
class Sign:
    """How a place tells its thread: by the numbers at `axes` of the index (none: by a test that one thread passes)."""

    axes: tuple[int, ...]
    form: object
    covers: frozenset[Coordinate]


class Threads:
    """Answers about one kernel, for launches in which these coordinates vary."""

    def __init__(self, fun: Fun, facts: Facts, varying: frozenset[Coordinate] = ALL) -> None:
        self.fun, self.facts, self.varying = fun, facts, varying
        self.written = {facts.classes.of(r) for r in facts.stores}
        self._depends: dict[Var, frozenset[Coordinate] | None] = {}
        self._polys: dict[Var, Poly] = {}
        self._spread()

    # ---- dependence

    def depends(self, atom: Atom) -> frozenset[Coordinate] | None:
        """The coordinates that the number may differ with; None: with any thread, in no known way."""
        return self._depends.get(atom, frozenset()) if isinstance(atom, Var) else frozenset()

    def _spread(self) -> None:
        """Find what everything depends on: from nothing, until no more is added."""
        changed = True
        while changed:
            changed = False
            for var in self.facts.makes:
                if not var.type.ref and not var.type.many and (found := self._find(var)) != self.depends(var):
                    self._depends[var], changed = found, True

    def _find(self, var: Var) -> frozenset[Coordinate] | None:
        made = self.facts.makes.get(var)
        match made:
            case ir.Let():
                return self._of_let(made)
            case ir.Load():
                if self.facts.classes.of(made.ref) in self.written or made.ref not in self.fun.params:
                    return None
                return self._union(a for a in made.index if not isinstance(a, ir.Slice))
            case ir.For() if made.index is var:
                return self._union((made.start, made.stop, made.step))
            case ir.For() | ir.While():
                carry = next(c for c in made.carry if var in (c.inner, c.out))
                bounds = (made.start, made.stop, made.step) if isinstance(made, ir.For) else (made.cond,)
                ends = () if made.exit is None else (made.exit,)
                turns = (*bounds, *ends) if var is carry.out else ()
                return self._union((carry.init, carry.next, *turns))
            case ir.If():
                out = next(o for o in made.outs if o.target is var)
                return self._union((made.cond, out.then, out.orelse))
        return None

    def _of_let(self, made: ir.Let) -> frozenset[Coordinate] | None:
        if made.op is coordinate:
            of, axis = made.params["of"], made.params["axis"]
            return frozenset({(of, axis)}) & self.varying
        if made.op is grid:
            place = made.targets
            axes = range(len(place))
            return frozenset((of, axis) for of in ("threadIdx", "blockIdx") for axis in axes) & self.varying
        if made.op is dim:
            return self._of_length(made.args[0])
        return None if any(a.type.ref for a in made.args) else self._union(made.args)

    def _of_length(self, ref: Atom) -> frozenset[Coordinate] | None:
        """What the lengths of an array depend on: where a part of it begins and ends."""
        ends: list[Atom] = []
        while isinstance(ref, Var) and ref in self.facts.base:
            view = self.facts.base[ref]
            if not isinstance(view.how, tuple):
                return None
            slices = (item for item in view.how if isinstance(item, ir.Slice))
            ends += [end for s in slices for end in (s.start, s.stop, s.step) if end is not None]
            ref = view.base
        if not isinstance(ref, Var):
            return None
        known = ref in self.fun.params or isinstance(self.facts.makes.get(ref), ir.Alloc)
        return self._union(tuple(ends)) if known else None

    def _union(self, atoms: Iterator[Atom] | tuple[Atom, ...]) -> frozenset[Coordinate] | None:
        out: frozenset[Coordinate] = frozenset()
        for atom in atoms:
            found = self.depends(atom)
            if found is None:
                return None
            out |= found
        return out

    def uniform(self, atom: Atom) -> bool:
        """Whether all threads of a block have the same number."""
        found = self.depends(atom)
        return found is not None and not any(of == "threadIdx" for of, _ in found)

    def guards(self, stmt: Stmt) -> Iterator[tuple[Atom, bool]]:
        """The conditions under which stmt is run, with the value that each must have."""
        region: Region | None = self.facts.where[stmt]
        while region is not None and region.stmt is not None:
            if isinstance(region.stmt, ir.If):
                yield region.stmt.cond, region.which == "then"
            region = region.parent

    # ---- ownership

    def poly(self, atom: Atom) -> Poly:
        """An integer as a polynomial over coordinates, sizes, iterations of loops (all of them never negative: tuples),
        and what else it is made of (variables)."""
        if isinstance(atom, Const):
            return Poly.constant(int(atom.value.real))
        if atom not in self._polys:
            self._polys[atom] = self._expanded(atom)
        return self._polys[atom]

    def _expanded(self, var: Var) -> Poly:
        made = self.facts.makes.get(var)
        if isinstance(made, ir.For) and made.index is var and _down_to_zero(made):
            return Poly.of(("down", made))
        if isinstance(made, ir.For) and made.index is var:
            return self.poly(made.start) + Poly.of(("turn", made)) * self.poly(made.step)
        if not isinstance(made, ir.Let) or var.type != ir.I8:
            return Poly.of(var)
        match made.op.name:
            case "coordinate":
                return Poly.of((made.params["of"], made.params["axis"]))
            case "grid":
                return self._place(made.targets.index(var))
            case "gridsize":
                axis = made.targets.index(var)
                return Poly.of(("blockDim", axis)) * Poly.of(("gridDim", axis))
            case "dim":
                return Poly.of(self._length(made))
            case "add":
                return self.poly(made.args[0]) + self.poly(made.args[1])
            case "subtract":
                return self.poly(made.args[0]) - self.poly(made.args[1])
            case "multiply":
                return self.poly(made.args[0]) * self.poly(made.args[1])
            case "negative":
                return -self.poly(made.args[0])
        return Poly.of(var)

    def _length(self, made: ir.Let) -> object:
        """The symbol of a length: that of an argument's axis where it is one, which all threads agree on. (A part of an
        array may be longer for one thread than for another.)"""
        ref, axis = made.args[0], made.params["axis"]
        while isinstance(ref, Var) and ref in self.facts.base:
            view = self.facts.base[ref]
            if not isinstance(view.how, tuple) or not all(map(_is_plain, view.how)):
                return made.target
            axis, ref = [k for k, item in enumerate(view.how) if item == FULL][axis], view.base
        return ("dim", ref, axis) if ref in self.fun.params else made.target

    def agreed(self, poly: Poly) -> bool:
        """Whether it is one number: for all threads, and in all iterations of loops."""
        return all(self._agreed(s) if isinstance(s, Var) else _is_size(s) for s in poly.symbols())

    def _agreed(self, var: Var) -> bool:
        made = self.facts.makes.get(var)
        if isinstance(made, ir.Let) and made.args and not any(a.type.ref for a in made.args):
            return all(isinstance(a, Const) or (isinstance(a, Var) and self._agreed(a)) for a in made.args)
        region: Region | None = self.facts.bound[var]
        while region is not None and not isinstance(region.stmt, (ir.For, ir.While)):
            region = region.parent
        return region is None and self.depends(var) == frozenset()

    @staticmethod
    def _place(axis: int) -> Poly:
        here = Poly.of(("threadIdx", axis))
        return here + Poly.of(("blockIdx", axis)) * Poly.of(("blockDim", axis))

    def _sign(self, poly: Poly, *axes: int) -> Sign | None:
        """What a number in an index tells of the thread: t, b or t + b * size along one axis of the grid, plus what all
        threads agree on, plus multiples of how many there are. Not where it may count from the end."""

        def goes_on(monomial: Monomial, factor: int, size: set[Coordinate]) -> bool:
            return size <= set(monomial) and factor > 0 and all(isinstance(s, tuple) for s in monomial)

        for k in range(3):
            here, block = ("threadIdx", k), ("blockIdx", k)
            sizes = ("blockDim", k), ("gridDim", k)
            for covers, form, size in (
                ({here, block}, self._place(k), set(sizes)),
                ({here}, Poly.of(here), {sizes[0]}),
                ({block}, Poly.of(block), {sizes[1]}),
            ):
                if not all(poly.terms.get(m) == 1 for m in form.terms):
                    continue
                rest = Poly({m: c for m, c in (poly - form).terms.items() if not goes_on(m, c, size)})
                if all(c > 0 for c in rest.terms.values()) and all(map(_is_size, rest.symbols())):
                    return Sign(axes, (form.key, rest.key), frozenset(covers) & self.varying)
        return None

    def items(self, stmt: ir.Load | ir.Store | ir.Accumulate) -> ir.Index:
        """The place in the memory itself, of what is reached through rows and columns of it; nothing where it is
        reached through other views."""
        items, ref = stmt.index, stmt.ref
        while ref in self.facts.base:
            view = self.facts.base[ref]
            if not isinstance(view.how, tuple) or not all(map(_is_plain, view.how)):
                return ()
            inner = iter(items)
            items, ref = tuple(next(inner) if isinstance(i, ir.Slice) else i for i in view.how), view.base
        return items

    def signs(self, stmt: ir.Load | ir.Store | ir.Accumulate) -> frozenset[Sign]:
        """All that tells the thread that reaches this place."""
        found: set[Sign | None] = set()
        tests = list(self.tests(stmt))
        below = [pair for test in tests for pair in self._below(*test)]
        items = [(k, i) for k, i in enumerate(self.items(stmt)) if not isinstance(i, ir.Slice) and i.type == ir.I8]
        for axis, item in items:
            poly = self.poly(item)
            found.update((self._sign(poly, axis), self._flat(poly, axis, below)))
            found.update(self._taken_apart((axis, item), other) for other in items)
        found.update(sign for test in tests for sign in self._pins(*test))
        return frozenset(sign for sign in found if sign is not None and sign.covers)

    def _flat(self, poly: Poly, axis: int, below: list[tuple[Poly, Poly]]) -> Sign | None:
        """x + y * width where x < width, of one width for all: both are told. Each comparison serves once."""
        for k, (first, width) in enumerate(below):
            here = self._sign(first)
            if here is None or len(width.terms) != 1 or not self.agreed(width):
                continue
            rest = _quotient(poly - first, *next(iter(width.terms.items())))
            if rest is None:
                continue
            for there in (self._sign(rest), self._flat(rest, axis, below[:k] + below[k + 1 :])):
                if there is not None:
                    return Sign((axis,), (poly.key, FLAT), here.covers | there.covers)
        return None

    def _taken_apart(self, one: tuple[int, Atom], other: tuple[int, Atom]) -> Sign | None:
        """[x // n, x % n], of one n for all: x is told."""
        row, column = (self.facts.makes.get(a) if isinstance(a, Var) else None for _, a in (one, other))
        if not isinstance(row, ir.Let) or not isinstance(column, ir.Let):
            return None
        if (row.op, column.op) != (floor_divide, remainder):
            return None
        (x, n), (y, m) = (tuple(self.poly(a).key for a in made.args) for made in (row, column))
        whole = self._sign(self.poly(row.args[0])) if self.agreed(self.poly(row.args[1])) else None
        return None if (x, n) != (y, m) or whole is None else Sign((one[0], other[0]), (x, n), whole.covers)

    # ---- what is known where a statement is run

    def tests(self, stmt: Stmt) -> Iterator[tuple[ir.Primitive, Atom, Atom]]:
        """The comparisons of integers that hold."""
        for cond, value in self.guards(stmt):
            yield from self._tests(cond, value)

    def _tests(self, cond: Atom, value: bool) -> Iterator[tuple[ir.Primitive, Atom, Atom]]:
        made = self.facts.makes.get(cond) if isinstance(cond, Var) else None
        match made:
            case ir.Let(op=op, args=(a, b)) if op in OPPOSITE and a.type == ir.I8 and b.type == ir.I8:
                yield op if value else OPPOSITE[op], a, b
            case ir.Let(op=op, args=(a,)) if op is logical_not:
                yield from self._tests(a, not value)
            case ir.Let(op=op, args=(a, b)) if op is (logical_and if value else logical_or):
                yield from (*self._tests(a, value), *self._tests(b, value))
            case ir.If():
                out = next(o for o in made.outs if o.target is cond)
                last, other = (out.then, out.orelse) if value else (out.orelse, out.then)
                if isinstance(other, Const) and bool(other.value) is not value:
                    yield from (*self._tests(made.cond, value), *self._tests(last, value))

    def _below(self, test: ir.Primitive, a: Atom, b: Atom) -> Iterator[tuple[Poly, Poly]]:
        """What is less than what."""
        if test is less:
            yield self.poly(a), self.poly(b)
        elif test is greater:
            yield self.poly(b), self.poly(a)

    def _pins(self, test: ir.Primitive, a: Atom, b: Atom) -> Iterator[Sign]:
        """`if cuda.threadIdx.x == 0`: one thread only passes (along this axis)."""
        for here, there in ((a, b), (b, a)) if test is equal else ():
            sign = self._sign(self.poly(here))
            if sign is not None and isinstance(there, Const):
                yield Sign((), (sign.form, there.value), sign.covers)

    def own(self, accesses: list[ir.Load | ir.Store | ir.Accumulate], scope: str) -> frozenset[Sign] | None:
        """How every place that these reach tells the one thread that reaches it; None if it may not. scope: 'grid', or
        'block' of memory that each block has for itself."""
        if not accesses:
            return frozenset()
        common = frozenset.intersection(*map(self.signs, accesses))
        covered = frozenset().union(*(s.covers for s in common))
        wanted = {c for c in self.varying if scope == "grid" or c[0] == "threadIdx"}
        return common if wanted <= covered else None

    def told_apart(self, stmt: ir.Store | ir.Accumulate) -> bool:
        """Whether a store's place or the tests before it differ with every coordinate that varies: else threads
        surely write one place."""
        found: set[Coordinate] = set()
        atoms = [i for i in stmt.index if not isinstance(i, ir.Slice)] + [cond for cond, _ in self.guards(stmt)]
        for atom in atoms:
            depends = self.depends(atom)
            if depends is None:
                return True
            found |= depends
        return self.varying <= found


def _is_plain(item: ir.Item) -> bool:
    """Whether it is one place, or the whole of an axis."""
    return item == FULL if isinstance(item, ir.Slice) else item.type.is_scalar


def _is_size(symbol: object) -> bool:
    """Whether it is a number that all threads agree on, and not negative."""
    return isinstance(symbol, tuple) and symbol[0] in ("blockDim", "gridDim", "dim")


def _quotient(poly: Poly, monomial: tuple[object, ...], factor: int) -> Poly | None:
    """poly / (factor * monomial), if that divides every term."""
    out: dict[tuple[object, ...], int] = {}
    for terms, c in poly.terms.items():
        left = list(terms)
        for symbol in monomial:
            if symbol not in left:
                return None
            left.remove(symbol)
        if factor == 0 or c % factor:
            return None
        out[tuple(left)] = c // factor
    return Poly(out)


def _down_to_zero(loop: ir.For) -> bool:
    return all(isinstance(a, Const) and a.value.real == -1 for a in (loop.stop, loop.step))
