"""Array values that lie nowhere: their lengths, and what computes one element. Loops over them are emitted here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from srcgrad.core import ir
from srcgrad.core.build import Builder, const, scalar_of
from srcgrad.core.ir import Atom, Const, Stmt, Type, Var
from srcgrad.rules.language import registry
from srcgrad.rules.language.raising import raising

Place = tuple[Atom, ...]  # an index for each axis
At = Callable[[Place], Atom]
LETTERS = "ijklmnop"
LARGEST = 2048  # elements of one array in a thread's own memory
ZERO, ONE = const(0), const(1)
MESSAGE = "the shapes do not fit together"
UNKNOWN_LENGTH = "memory of a length that is not known when the code is made: a kernel cannot make it"
REMEDY = 'pass a tuple of numbers, or map the derivative over arrays on the host: vmap(..., target="cuda")'

# how much an element costs, in operations: what is asked for often is held if it is more than a few
READ, FEW, ARITHMETIC, LOOP = 0, 2, 8, 1000


@dataclass(frozen=True, eq=False, slots=True)
class Elements:
    """An array value: `at` emits what computes the element at a place.   reads: the classes of memory it looks at.
    value: emits the array value, where it lies in memory that an array operation can read.   turned: emits its
    transpose.   home: new memory that holds it and nothing else, which nobody else knows."""

    dtype: str
    dims: tuple[Atom, ...]
    at: At
    cost: int = ARITHMETIC
    reads: frozenset[Var] = frozenset()
    value: Callable[[], Atom] | None = None
    home: Var | None = None
    turned: Callable[[], Atom] | None = None

    @property
    def rank(self) -> int:
        return len(self.dims)

    @property
    def kind(self) -> Type:
        """What an element is."""
        return scalar_of(Type(self.dtype))


Operand = Elements | Var | Const  # of an expansion: an array, or a scalar


class Writer:
    """Emits loops, local arrays and scalar operations."""

    def __init__(self) -> None:
        self.builder = Builder()
        self.natural: set[Atom] = set()  # indices that are not negative
        self.scope: list[str] = []  # names of the loops around
        self.spread: dict[Atom, frozenset[Atom]] = {}  # a length -> those that were broadcast to it

    # ---- scalars

    def op(self, name: str, *args: Atom, called: str = "t", **params: object) -> Atom:
        return self.builder.let(registry.PRIMITIVES[name], *args, name=called, **params)

    def plus(self, a: Atom, b: Atom) -> Atom:
        if b == ZERO:
            return a
        return b if a == ZERO else self.op("add", a, b)

    def minus(self, a: Atom, b: Atom) -> Atom:
        return a if b == ZERO else self.op("subtract", a, b)

    def times(self, a: Atom, b: Atom) -> Atom:
        if ZERO in (a, b):
            return ZERO
        if b == ONE:
            return a
        return b if a == ONE else self.op("multiply", a, b)

    def as_type(self, atom: Atom, kind: Type) -> Atom:
        """A scalar in this type; a literal stays one."""
        if atom.type == kind:
            return atom
        if isinstance(atom, Const) and kind.is_float and not kind.is_complex:
            return Const(float(atom.value.real), kind)
        return self.op("cast", atom, dtype=kind.dtype)

    def zero(self, kind: Type) -> Const:
        return Const({"f": 0.0, "c": 0.0, "b": False}.get(kind.dtype[0], 0), kind)

    def choose(self, cond: Atom, then: Callable[[], Atom], orelse: Callable[[], Atom]) -> Atom:
        """One of two values, of which the other is not computed."""
        with self.builder.block() as first:
            one = then()
        with self.builder.block() as second:
            other = self.as_type(orelse(), one.type)
        target = Var("t", one.type)
        branch = ir.If(cond, tuple(first), tuple(second), (ir.Out(target, one, other),), span=self.builder.span)
        self.builder.put(branch)
        return target

    def require(self, bad: Atom, message: str) -> None:
        """Raise where `bad` is true."""
        raised = raising(self.builder, message)
        if not isinstance(bad, Const):
            self.builder.put(ir.If(bad, (raised,), (), span=self.builder.span))
        elif bad.value:
            self.builder.put(raised)

    def demand(self, a: Atom, b: Atom, *repeated: Atom) -> None:
        """Raise where two lengths differ, unless one of `repeated` is 1."""
        if a != b and ONE not in repeated:
            wrong = self.differ(a, b)
            for n in dict.fromkeys(repeated):
                if not isinstance(n, Const):
                    wrong = self.op("logical_and", wrong, self.op("not_equal", n, ONE))
            self.fail(wrong)

    def differ(self, a: Atom, b: Atom) -> Atom:
        if isinstance(a, Const) and isinstance(b, Const):
            return const(a.value != b.value)
        return self.op("not_equal", a, b)

    def fail(self, wrong: Atom) -> None:
        """Raise where this is true, for the shapes do not fit together."""
        self.require(wrong, MESSAGE)

    # ---- loops

    def index(self) -> Var:
        """A loop's index, named like no other around."""
        var = Var(next((c for c in LETTERS if c not in self.scope), "i"), ir.I8)
        self.natural.add(var)
        return var

    def nest(self, dims: Sequence[Atom], body: Callable[[Place], None]) -> None:
        """A loop for each axis; none where the length is 1."""
        self._nest(tuple(dims), (), body)

    def _nest(self, dims: Place, done: Place, body: Callable[[Place], None]) -> None:
        if len(done) == len(dims):
            return body(done)
        length = dims[len(done)]
        if length == ONE:
            return self._nest(dims, (*done, ZERO), body)
        index = self.index()
        with self.inside(index) as block:
            self._nest(dims, (*done, index), body)
        self.builder.put(ir.For(index, ZERO, length, ONE, (), tuple(block), span=self.builder.span))

    @contextmanager
    def inside(self, index: Var) -> Iterator[list[Stmt]]:
        """What is emitted inside is the body of a loop."""
        self.scope.append(index.name)
        with self.builder.block() as block:
            yield block
        self.scope.pop()

    def fold(
        self,
        dims: Sequence[Atom],
        start: Sequence[Atom],
        step: Callable[[Place, Place], Sequence[Atom]],
        *names: str,
    ) -> Place:
        """What the numbers are that `start` becomes by a step for each place. names: of the numbers, or of all."""
        every = names if len(names) == len(start) else (names or ("total",)) * len(start)
        return self._fold(tuple(dims), (), tuple(start), step, every)

    def _fold(
        self,
        dims: Place,
        done: Place,
        state: Place,
        step: Callable[[Place, Place], Sequence[Atom]],
        names: Sequence[str],
    ) -> Place:
        if len(done) == len(dims):
            return tuple(step(done, state))
        length = dims[len(done)]
        if length == ONE:
            return self._fold(dims, (*done, ZERO), state, step, names)
        index = self.index()
        inners = tuple(Var(name, s.type) for name, s in zip(names, state, strict=True))
        with self.inside(index) as block:
            nexts = self._fold(dims, (*done, index), inners, step, names)
        outs = tuple(Var(name, s.type) for name, s in zip(names, state, strict=True))
        carry = tuple(map(ir.Carry, inners, state, nexts, outs))
        self.builder.put(ir.For(index, ZERO, length, ONE, carry, tuple(block), span=self.builder.span))
        return outs

    # ---- memory

    def local(self, dtype: str, dims: Sequence[Atom], name: str) -> Var:
        """A thread's own array; one that the caller gives, where it is long or its length is not known."""
        return self.builder.alloc(dtype, dims, ir.Init.LOCAL if fits(dims) else ir.Init.EMPTY, name)

    def fill(self, ref: Var, value: Elements | Var | Const) -> None:
        """Store a value, element by element."""
        if isinstance(value, Elements):
            self.nest(value.dims, lambda place: self.builder.store(ref, place, value.at(place)))

    def held(self, value: Elements, name: str = "t") -> Elements:
        """The same value, lying in a local array."""
        ref = self.local(value.dtype, value.dims, name)
        self.fill(ref, value)
        return Elements(value.dtype, value.dims, lambda place: self.builder.load(ref, place), READ)

    def repeated(self, own: Atom, index: Atom) -> Atom:
        """The index along an axis of this length, of an index into what the axis may be broadcast to."""
        return self.op("where", self.op("equal", own, ONE), ZERO, index)

    def cheap(self, value: Elements, repeated: bool = True) -> Elements:
        """The value, such that its elements may be asked for many times."""
        if value.cost <= FEW or not repeated or (value.cost < LOOP and not static(value.dims)):
            return value
        return self.held(value)


def static(dims: Sequence[Atom]) -> bool:
    return all(isinstance(n, Const) for n in dims)


def fits(dims: Sequence[Atom]) -> bool:
    """Whether a thread has room for an array of these lengths."""
    size = size_of(dims)
    return size is not None and size <= LARGEST


def size_of(dims: Sequence[object]) -> int | None:
    """How many elements there are, if that is known."""
    count = 1
    for n in dims:
        if not isinstance(n, Const):
            return None
        count *= int(n.value.real)
    return count


def row_major(writer: Writer, place: Place, dims: Sequence[Atom]) -> Atom:
    """The number of an element, counted in C order."""
    flat: Atom = ZERO
    for index, length in zip(place, dims, strict=True):
        flat = writer.plus(writer.times(flat, length), index)
    return flat


def unravelled(writer: Writer, flat: Atom, dims: Sequence[Atom]) -> Place:
    """The place of the element of this number."""
    place: list[Atom] = []
    for k, (length, _) in enumerate(pairwise([*dims, ONE])):
        rest: Atom = ONE
        for n in dims[k + 1 :]:
            rest = writer.times(rest, n)
        index = flat if rest == ONE else writer.op("floor_divide", flat, rest)
        place.append(ZERO if length == ONE else index if k == 0 else writer.op("remainder", index, length))
    return tuple(place)
