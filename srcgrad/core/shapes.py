"""Which arrays are provably of one shape: a token an axis, equal tokens being equal lengths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple, TypeGuard

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.multiples import Axis, Multiple
from srcgrad.core.parts import ONE as ONE
from srcgrad.core.parts import Dim as Dim
from srcgrad.core.parts import Shorter as Shorter
from srcgrad.core.parts import is_part, shorter, trimmed

SUMS = frozenset(("add", "subtract", "multiply"))
FULL = ir.Slice()
MOST = 8  # elements that a slice may cut off a parameter's axis for arrays of all usual lengths to be long enough


class LengthOf(NamedTuple):
    """In what an operation of several results tells of their dims: that of an axis of one of the results."""

    result: int
    axis: int


class Shapes:
    """Learns from statements in their order. What is not known gets a token of its own, `(variable, axis)`."""

    def __init__(self, fun: ir.Fun | None = None) -> None:
        self._dims: dict[Var, tuple[Dim, ...]] = {}
        self._lengths: dict[Atom, Dim] = {}
        self._cut: dict[Atom, tuple[Dim, int]] = {}  # of an integer: the length that it is so much less than
        self._integers: dict[Atom, ir.Let] = {}  # sums, differences and multiples
        self._natural: set[Atom] = set()  # integers that memory has been made of: they are not negative
        self._growing: set[Var] = set()
        self._equal: dict[Dim, Dim] = {}
        # parameters of which the caller has seen that no axis has length 1: what they meet is never repeated for them
        self.long: set[Var] = set(fun.facts.no_unit_axes) if fun is not None else set()
        # how long their axes are at least, if that is more than 2; while asking, this is demanded as it is needed
        least = fun.facts.least if fun is not None else {}
        self.least: dict[Dim, int] = {(p, k): n for p, ns in least.items() for k, n in enumerate(ns)}
        # of pairs of their axes: that the first is as long as a multiple of the second, at least; demanded likewise
        self.longer: list[ir.Longer] = [*fun.facts.longer] if fun is not None else []
        self.asking = False
        # lengths that meet are equal: lowering puts a look in front of the statement where that is not proved
        self.assuming = fun is not None and fun.facts.equal_lengths
        self.assumed = set[frozenset[Dim]]()  # the pairs of which that was needed
        self.single = False  # one of length 1 was among them
        # references carried round loops that have the shape of the first in each iteration
        self.stays: set[Var] = set()
        self.unsure = False  # where they have, one of them may be 1, or is and the generated code does not show it
        self._hidden: set[Var] = set()  # arrays with axes of length 1 that what is called has made
        self.met = False  # lengths that are not surely equal have met in an operation
        # parameters that have the shape of another parameter or of a result: tangents, cotangents
        self._like: dict[Var, Var] = dict(fun.facts.same_shapes) if fun is not None else {}
        if fun is not None:
            self._note_params(fun)

    def _note_params(self, fun: ir.Fun) -> None:
        """The parameters' shapes; the lengths of some are known, as they are of what is made for one shape."""
        for param in fun.params:
            if param in fun.facts.lengths:
                self._dims[param] = tuple(Const(n, ir.I8) for n in fun.facts.lengths[param])
            elif param in fun.facts.unit_axes:
                self.has_unit_axes(param, fun.facts.unit_axes[param])
            elif param not in self._like:
                self.dims(param)

    def has_unit_axes(self, array: Var, axes: Sequence[int]) -> None:
        """These axes of the parameter have length 1."""
        self._dims[array] = tuple(ONE if k in axes else (array, k) for k in range(array.type.rank))

    def dims(self, atom: Atom) -> tuple[Dim, ...]:
        if not isinstance(atom, Var) or atom.type.rank == 0:
            return ()
        if atom in self._growing:
            return tuple(object() for _ in range(atom.type.rank))
        source = self._like.get(atom)
        if source is not None and (source in self._dims or source in self._like):
            return self.dims(source)  # known once the source is bound
        if atom not in self._dims:
            self._dims[atom] = tuple((atom, k) for k in range(atom.type.rank))
        return self._dims[atom]

    def same(self, a: Atom, b: Atom) -> bool:
        """Whether the two are surely of one shape."""
        return tuple(map(self.first, self.dims(a))) == tuple(map(self.first, self.dims(b)))

    def same_length(self, a: Atom, b: Atom) -> bool:
        """Whether two integers are surely the same length."""
        return self.first(self.length(a)) == self.first(self.length(b))

    def equal(self, a: Dim, b: Dim) -> bool:
        """Whether two tokens surely stand for one length."""
        return self.first(a) == self.first(b)

    @contextmanager
    def region(self) -> Iterator[None]:
        """What operations inside demand of lengths holds inside: they may not be reached."""
        kept, natural = dict(self._equal), set(self._natural)
        try:
            yield
        finally:
            self._equal, self._natural = kept, natural

    def first(self, dim: Dim) -> Dim:
        """The token that stands for all those that are known to be equal to this one."""
        while True:
            if isinstance(dim, Shorter):
                dim = shorter(self.first(dim.dim), dim.cut)
            if dim not in self._equal:
                return dim
            dim = self._equal[dim]

    def unite(self, a: Dim, b: Dim) -> None:
        """The two lengths are equal, from here to the end of the region."""
        a, b = self._uncut(a, b)
        a, b = self.first(a), self.first(b)
        if a != b and not (isinstance(a, Const) and isinstance(b, Const)):
            if self._tells(a, b) or (is_part(a) and not is_part(b)):  # a slice as long as the whole: x[:n] @ x
                a, b = b, a
            self._equal[b] = a

    def _uncut(self, a: Dim, b: Dim) -> tuple[Dim, Dim]:
        """What is as equal as the two, of parts of long axes: what is left where the same number is added to both."""
        if isinstance(a, Shorter) and isinstance(b, Shorter) and self._surely_long(a) and self._surely_long(b):
            cut = min(a.cut, b.cut)
            return shorter(a.dim, a.cut - cut), shorter(b.dim, b.cut - cut)
        return a, b

    def _tells(self, a: Dim, b: Dim) -> bool:
        """Whether token a is that of a part of a length that b stands for."""
        while is_part(a):
            a = self.first(a[0])
            if a == b:
                return True
        return False

    def grows(self, ref: Var) -> bool:
        """Whether stores may make this memory longer."""
        return ref in self._growing

    def copy(self, target: Var, source: Atom) -> None:
        """target, bound by other means, has source's shape."""
        self._dims[target] = self.dims(source)

    def forget(self, target: Var) -> None:
        """Nothing is known of target's shape."""
        self._dims.pop(target, None)

    def length(self, atom: Atom) -> Dim:
        """The token of an axis of this many elements."""
        return self._lengths.get(atom, atom)

    def note(self, stmt: Stmt) -> None:
        """Learn from a statement (not from those inside it)."""
        match stmt:
            case ir.Let():
                for target in stmt.targets:
                    self._note_let(stmt, target)
            case ir.Load():
                self._dims[stmt.target] = self.sliced(stmt.ref, stmt.index)
                self._made_of(stmt.target, stmt.ref)
            case ir.Alloc():
                self._note_alloc(stmt)
            case ir.View():
                self._note_view(stmt)
            case ir.Store() | ir.Accumulate():
                self._note_stored(stmt)
            case ir.For() | ir.While():
                for c in stmt.carry:
                    if c.inner in self.stays:
                        self.copy(c.out, c.init)
            case ir.Call() if stmt.given:
                for target, arg in zip(stmt.targets[-stmt.given :], stmt.args[-stmt.given :], strict=True):
                    self.copy(target, arg)
            case ir.Draw() if stmt.target.type.rank == stmt.params["rank"] > 0:
                self._dims[stmt.target] = tuple(map(self.length, stmt.args[-stmt.params["rank"] :]))

    def enter(self, loop: Stmt) -> None:
        """Learn what holds inside a loop."""
        for c in loop.carry if isinstance(loop, (ir.For, ir.While)) else ():
            if c.inner in self.stays:
                self.copy(c.inner, c.init)

    def sliced(self, ref: Var, index: ir.Index) -> tuple[Dim, ...]:
        """The dims of ref[index]."""
        arrays = [i for i in index if not isinstance(i, ir.Slice) and i.type.rank]
        if arrays and not _in_place(index, arrays):
            return tuple(object() for _ in range(_rank(index)))
        out: list[Dim] = []
        for dim, item in zip(self.dims(ref), index, strict=True):
            if isinstance(item, ir.Slice):
                out.append(trimmed(dim, item))
            else:
                out.extend(self.dims(item))
        return tuple(out)

    def _note_alloc(self, stmt: ir.Alloc) -> None:
        if None in stmt.shape:
            self._growing.add(stmt.target)
        elif not isinstance(stmt.init, ir.Init) and stmt.init.type.rank:
            self._dims[stmt.target] = self.dims(stmt.init)
            self._made_of(stmt.target, stmt.init)
        else:
            self._dims[stmt.target] = tuple(self.length(n) for n in stmt.shape if n is not None)
            self._natural.update(n for n in stmt.shape if n is not None)

    def _made_of(self, target: Var, source: Atom) -> None:
        if source in self._hidden:
            self._hidden.add(target)

    def _note_view(self, stmt: ir.View) -> None:
        if not isinstance(stmt.how, ir.Reshape):
            self._made_of(stmt.target, stmt.base)
        match stmt.how:
            case ir.Transpose(axes):
                dims = self.dims(stmt.base)
                self._dims[stmt.target] = tuple(dims[k] for k in axes)
            case ir.Reshape(shape):
                unknown = any(isinstance(n, Const) and n.value.real < 0 for n in shape)
                self._dims[stmt.target] = tuple(object() if unknown else self.length(n) for n in shape)
            case index:
                self._dims[stmt.target] = self.sliced(stmt.base, index)

    def _note_let(self, stmt: ir.Let, target: Var) -> None:
        """A primitive that tells its dims; an elementwise one: equal dims stay, a literal 1 gives way to the other."""
        traits = stmt.op.traits
        if traits.measures and isinstance(stmt.args[0], Var):
            self._lengths[target] = self.dims(stmt.args[0])[stmt.params["axis"]]
        elif target.type == ir.I8:
            self._note_integer(stmt, target)
        elif traits.shaped:
            self._dims[target] = tuple(map(self.length, stmt.args[1:]))
        elif stmt.op.name == "arange" and len(stmt.args) == 1 and isinstance(self.length(stmt.args[0]), tuple):
            self._dims[target] = (self.length(stmt.args[0]),)  # of a length, which is not negative
        elif target.type.rank and traits.dims:
            dims = traits.dims([self.dims(a) for a in stmt.args], stmt.params)
            if len(stmt.targets) > 1:
                dims = dims[stmt.targets.index(target)]
                dims = [(stmt.targets[d.result], d.axis) if isinstance(d, LengthOf) else d for d in dims]
            self._dims[target] = tuple((target, k) if d is None else d for k, d in enumerate(dims))
            self._hidden.add(target)
            for a, b in self._demands(stmt):
                self.met = self.met or (_of_stacks(stmt) and not self.equal(a, b))
                self.unite(a, b)
        elif target.type.rank and traits.elementwise:
            parts = [self.dims(a) for a in stmt.args]
            self._dims[target] = self._broadcast(parts, target)
            if any(a in self._hidden and ONE in self.dims(a) for a in stmt.args):
                self._hidden.add(target)
                self.unsure = self.unsure or any(set(p) - {ONE} for p in parts)

    def _note_integer(self, stmt: ir.Let, target: Var) -> None:
        """max(n, 0) and max(n - 2, 0), where n is a length; and what else it is computed of."""
        if stmt.op.name in SUMS:
            self._integers[target] = stmt
        match stmt.op.name, stmt.args:
            case "subtract", (length, Const() as cut) if self._is_length(length) and cut.value.real >= 0:
                self._cut[target] = self.length(length), int(cut.value.real)
            case "nonnegative", (length,) if self._is_length(length):
                self._lengths[target] = self.length(length)
            case "nonnegative", (left,) if left in self._cut:
                self._lengths[target] = shorter(*self._cut[left])

    def _is_length(self, atom: Atom) -> bool:
        return atom in self._natural or atom in self._lengths

    def _demands(self, stmt: ir.Let) -> Sequence[tuple[Dim, Dim]]:
        """Lengths that the operation demands to be equal."""
        demands = stmt.op.traits.demands
        return demands([self.dims(a) for a in stmt.args], stmt.params) if demands else ()

    def _note_stored(self, stmt: ir.Store | ir.Accumulate) -> None:
        """What is not repeated to fill its place is as long as that (where a check can say so in front of it)."""
        given, place = self.dims(stmt.value), self.sliced(stmt.ref, stmt.index)
        for a, b in zip(reversed(given), reversed(place), strict=False):
            if a == ONE != b and stmt.value in self._hidden:
                self.unsure = True
            if a != ONE and not self.equal(a, b):
                self.met = True
                if self.fills(a, b):
                    self.unite(a, b)
                else:
                    self.unsure = True

    def fills(self, given: Dim, place: Dim) -> bool:
        """Whether what is stored, not of a literal length of 1, is as long as its place."""
        if isinstance(given, Const) and isinstance(place, Const):
            return False
        long = isinstance(place, Var) or (not isinstance(given, Const) and self.is_long(place))
        return (self.is_long(given) and long) or self.assume(given, place)

    def _meet(self, tokens: Sequence[Dim]) -> bool:
        """Whether lengths that meet, none of them a literal 1, are equal."""
        if sum(isinstance(d, Const) for d in set(tokens)) > 1:
            return False
        return all(map(self.is_long, tokens)) or self.assume(*tokens)

    def assume(self, *tokens: Dim) -> bool:
        """Whether lengths that meet may be taken for equal, though it is not proved."""
        if self.assuming:
            self.assumed.update(frozenset((tokens[0], other)) for other in tokens[1:])
            self.single = self.single or any(map(self._is_single, tokens))
        return self.assuming

    def _is_single(self, dim: Dim) -> bool:
        """Whether it is that of x[i : i + 1]."""
        if not isinstance(dim, tuple) or len(dim) != 4 or dim[1] is None or dim[2] is None:
            return False
        first, last = self._from(dim[1]), self._from(dim[2])
        return first[0] is last[0] and last[1] - first[1] == 1

    def _from(self, atom: Atom) -> tuple[Atom | None, int]:
        """An integer as another one and a number."""
        if isinstance(atom, Const):
            return None, int(atom.value.real)
        match self._integers.get(atom):
            case ir.Let(op=op, args=(Var() as one, Const() as by)) if op.name in ("add", "subtract"):
                base, more = self._from(one)
                return base, more + int(by.value.real) * (1 if op.name == "add" else -1)
            case ir.Let(op=op, args=(Const() as by, Var() as one)) if op.name == "add":
                base, more = self._from(one)
                return base, more + int(by.value.real)
        return atom, 0

    def is_long(self, dim: Dim) -> bool:
        """Whether a length is surely not 1."""
        if is_part(dim) and self._is_long_part(dim):
            return True
        if isinstance(dim, Shorter):
            if self.asking and self._is_own(dim.dim) and dim.cut <= MOST:
                self.least[dim.dim] = max(self.least.get(dim.dim, 2), dim.cut + 2)
            return self._surely_long(dim)
        return self._is_own(dim) or (isinstance(dim, Const) and dim != ONE)

    def _is_long_part(self, part: Dim) -> bool:
        """Whether more than one element is left by x[2 * n : 3 * n + 1], all of it, or by x[2 * n :], where n is the
        length of an axis, too."""
        demands: list[ir.Longer] = []
        found = self._sum(part, demands)
        if found is None and isinstance(part, tuple) and len(part) == 4 and part[2] is None and part[3] in (None, ONE):
            whole, start = self._sum(part[0], demands), self._end(part[1], demands)
            if whole is not None and start is not None and start.least >= 0:
                found = Multiple(None, 0, 2) if self._fits(start.plus(2), whole, demands) else None
        if found is None or found.least < 2 or not all(map(self._is_longer, demands)):
            return False
        return bool(demands) or found.unit is not None

    def _sum(self, dim: Dim, demands: list[ir.Longer]) -> Multiple | None:
        """A length as a multiple of that of an axis, if what it demands holds."""
        dim = self.first(dim)
        if isinstance(dim, Const):
            return Multiple(None, 0, int(dim.value.real))
        if self._is_own(dim):
            return Multiple(dim, 1, 0)
        if isinstance(dim, Shorter):
            whole = self._sum(dim.dim, demands)
            return None if whole is None or whole.least < dim.cut else whole.plus(-dim.cut)
        if not is_part(dim) or dim[3] not in (None, ONE):
            return None
        inner, first, last, _ = dim
        whole, start = self._sum(inner, demands), self._end(first or Const(0, ir.I8), demands)
        stop = whole if last is None else self._end(last, demands)
        if whole is None or start is None or stop is None or start.least < 0:
            return None
        length = stop.minus(start)
        if length is None or length.least < 0 or not self._fits(stop, whole, demands):
            return None
        return length

    def _end(self, atom: Atom, demands: list[ir.Longer]) -> Multiple | None:
        """An integer as a multiple of the length of an axis."""
        if isinstance(atom, Const):
            return Multiple(None, 0, int(atom.value.real))
        if self._is_length(atom):
            return self._sum(self.length(atom), demands)
        made = self._integers.get(atom)
        ends = [self._end(a, demands) for a in made.args] if made is not None else [None]
        if made is None or ends[0] is None or ends[-1] is None:
            return None
        one, other = ends[0], ends[-1]
        match made.op.name:
            case "add":
                return one.minus(other.scaled(-1))
            case "subtract":
                return one.minus(other)
        if one.unit is not None:
            one, other = other, one
        return None if one.unit is not None else other.scaled(one.by)

    def _fits(self, stop: Multiple, whole: Multiple, demands: list[ir.Longer]) -> bool:
        """Whether a place lies within an axis; it may demand that of arrays that come in."""
        rest = whole.minus(stop)
        if rest is not None and rest.least >= 0:
            return True
        if stop.unit is None or whole.unit is None or stop.unit == whole.unit or whole[1:] != (1, 0):
            return False
        demands.append(ir.Longer(*whole.unit, stop.times, *stop.unit, stop.by))
        return True

    def _is_longer(self, asked: ir.Longer) -> bool:
        """Whether an axis is surely as long as this multiple of another one."""
        if any(self._implies(told, asked) for told in self.longer):
            return True
        if self.asking:
            self.longer = [*(told for told in self.longer if not self._implies(asked, told)), asked]
        return self.asking

    def _implies(self, told: ir.Longer, asked: ir.Longer) -> bool:
        same = self.equal(told[:2], asked[:2]) and self.equal(told[3:5], asked[3:5])
        return same and told.times >= asked.times and 2 * (told.times - asked.times) >= asked.by - told.by

    def _surely_long(self, part: Shorter) -> bool:
        """Whether an axis of such a parameter is so long that 2 elements are left of it, at least."""
        return self._is_own(part.dim) and self.least.get(part.dim, 2) >= part.cut + 2

    def demanded(self) -> tuple[dict[Var, tuple[int, ...]], tuple[ir.Longer, ...]]:
        """Of the parameters of which that is more than 2 somewhere, how long each axis is at least; and which axes are
        as long as multiples of others."""
        arrays = dict.fromkeys(dim[0] for dim in self.least if isinstance(dim, tuple))
        least = {p: tuple(self.least.get((p, k), 2) for k in range(p.type.rank)) for p in arrays}
        return least, tuple(self.longer)

    def _is_own(self, dim: Dim) -> TypeGuard[Axis]:
        """Whether it is the length of such a parameter."""
        return type(dim) is tuple and len(dim) == 2 and dim[0] in self.long

    def _broadcast(self, parts: Sequence[tuple[Dim, ...]], target: Var) -> tuple[Dim, ...]:
        """Lengths that meet are equal, or some of them 1, else the operation fails."""
        dims: list[Dim] = []
        rank = target.type.rank
        for axis in range(1, rank + 1):
            here = [d[-axis] for d in parts if len(d) >= axis]
            tokens = [d for d in here if d != ONE]
            unknown = (target, rank - axis)
            if len(set(map(self.first, tokens))) > 1:
                self.met = True
                if self._meet(tokens):
                    for other in tokens[1:]:
                        self.unite(tokens[0], other)
                else:
                    self.unsure = True
            agree = len(set(map(self.first, tokens))) == 1
            dims.append(tokens[0] if agree else ONE if not tokens else unknown)
        return tuple(reversed(dims))


def _of_stacks(stmt: ir.Let) -> bool:
    """Whether it is a product of stacks, which may be repeated for one another."""
    params = stmt.params
    return stmt.op.name == "contract" and bool({*params["left"]} & {*params["right"]} & {*params["out"]})


def _in_place(index: ir.Index, arrays: Sequence[Atom]) -> bool:
    """Whether the axes of the one integer array among the indices stand where it stands."""
    others = [i for i in index if not isinstance(i, ir.Slice) and i not in arrays]
    return len(arrays) == 1 and not others and arrays[0].type.dtype != "b1"


def _rank(index: ir.Index) -> int:
    slices = sum(isinstance(item, ir.Slice) for item in index)
    return slices + max((item.type.rank for item in index if not isinstance(item, ir.Slice)), default=0)


def fixed(fun: ir.Fun, lengths: Sequence[tuple[int, ...] | None]) -> ir.Fun:
    """The function for arguments of these shapes alone (None: of any). Passes then fold what follows from them."""
    known = {p: shape for p, shape in zip(fun.params, lengths, strict=False) if shape is not None and p.type.rank}
    return replace(fun, facts=replace(fun.facts, lengths=known))
