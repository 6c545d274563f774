"""The core language: small, typed, structured; its only concrete syntax is Python.

A `Fun` is pure: it never writes into the memory of its parameters, and what it returns by reference is
fresh memory or a parameter. Scalars and array *values* are single-assignment. Memory is reached through
*references* (`Type.ref`) with explicit effects: `Load`, `Store`, `Accumulate`. What goes round a loop or
out of a branch is on its face. Nodes compare by identity: two variables of one name are different.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Union

from srcgrad.core.atoms import Atom as Atom
from srcgrad.core.atoms import Atomic as Atomic
from srcgrad.core.atoms import Const as Const
from srcgrad.core.atoms import Init as Init
from srcgrad.core.atoms import Space as Space
from srcgrad.core.atoms import Span as Span
from srcgrad.core.atoms import Stmt as Stmt
from srcgrad.core.atoms import Var as Var
from srcgrad.core.effect_statements import PYTHONS as PYTHONS
from srcgrad.core.effect_statements import AsPython as AsPython
from srcgrad.core.effect_statements import Assert as Assert
from srcgrad.core.effect_statements import Effect as Effect
from srcgrad.core.effect_statements import Failure as Failure
from srcgrad.core.effect_statements import Formatted as Formatted
from srcgrad.core.effect_statements import Literal as Literal
from srcgrad.core.effect_statements import Part as Part
from srcgrad.core.effect_statements import Print as Print
from srcgrad.core.effect_statements import Raise as Raise
from srcgrad.core.effect_statements import Return as Return
from srcgrad.core.effect_statements import Seed as Seed
from srcgrad.core.effect_statements import Stream as Stream
from srcgrad.core.effect_statements import failing as failing
from srcgrad.core.traits import Traits
from srcgrad.core.types import B1 as B1
from srcgrad.core.types import C8 as C8
from srcgrad.core.types import C16 as C16
from srcgrad.core.types import F4 as F4
from srcgrad.core.types import F8 as F8
from srcgrad.core.types import I8 as I8
from srcgrad.core.types import Type as Type


@dataclass(frozen=True, eq=False)
class Primitive:
    """A pure operation on scalars and array values. `rules.declare` makes them; the core only carries them.

    infer(types, params) -> result types.   evaluate(*values, **params) -> result (a tuple if several).
    template: a Python expression over `_0, _1, ...` and the params' names, or a function (types, params) -> expression
    or (expression, {helper name: helper source}).
    jvp(dots, args, outs, params) and vjp(bars, args, outs, params) work on builder values; `None` stands for zero.
    A primitive with neither carries no derivative (`differentiable` false: comparisons, shapes, floor ...).
    traits: what passes know of it.   info: what tests and pages know of it.
    """

    name: str
    infer: Callable[..., tuple[Type, ...]]
    evaluate: Callable[..., Any]
    template: str | Callable[..., Any]
    jvp: Callable[..., Any] | None = None
    vjp: Callable[..., Any] | None = None
    info: Any = None
    traits: Traits = field(default_factory=Traits)

    @property
    def differentiable(self) -> bool:
        return self.jvp is not None or self.vjp is not None

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Slice:
    """`start:stop:step` in an index, with NumPy's meaning of what is missing or negative."""

    start: Atom | None = None
    stop: Atom | None = None
    step: Atom | None = None


Item = Union[Var, Const, Slice]
Index = tuple[Item, ...]  # one item an axis, always complete; a Var may be an integer or boolean array value


@dataclass(frozen=True, slots=True)
class Transpose:
    axes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reshape:
    """The same memory in another shape; legal on contiguous memory only."""

    shape: tuple[Atom, ...]


@dataclass(frozen=True, eq=False)
class Let(Stmt):
    """targets = op(*args, **params): pure. A reference among the args only where op reads its shape."""

    targets: tuple[Var, ...]
    op: Primitive
    args: tuple[Atom, ...]
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def target(self) -> Var:
        (one,) = self.targets
        return one


@dataclass(frozen=True, eq=False)
class Load(Stmt):
    """target = what ref[index] holds now: a scalar, or an array value (a copy unless `copy` was proved needless)."""

    target: Var
    ref: Var
    index: Index
    copy: bool = True


@dataclass(frozen=True, eq=False)
class Store(Stmt):
    """ref[index] = value (a scalar, broadcast if the index leaves axes, or an array value that broadcasts to it)."""

    ref: Var
    index: Index
    value: Atom


@dataclass(frozen=True, eq=False)
class Accumulate(Stmt):
    """ref[index] += value; repeated places of an array index add up.

    atomic: ADD where other threads may add to the place too; MAX or MIN puts the larger or smaller one there.
    """

    ref: Var
    index: Index
    value: Atom
    atomic: Atomic | None = None


@dataclass(frozen=True, eq=False)
class Alloc(Stmt):
    """target = new memory. `shape` has an atom an axis, or None for one that grows when stored to.

    init: how it starts, or the scalar or array value that it holds at first (an array value gives the shape itself, and
    `shape` is then ()).
    """

    target: Var
    shape: tuple[Atom | None, ...]
    init: Init | Atom = Init.ZEROS
    space: Space | None = None


@dataclass(frozen=True, eq=False)
class View(Stmt):
    """target = another reference to (part of) the memory of base."""

    target: Var
    base: Var
    how: Index | Transpose | Reshape


@dataclass(frozen=True, eq=False)
class NewList(Stmt):
    """target = an empty list of references of like's type."""

    target: Var
    like: Var


@dataclass(frozen=True, eq=False)
class Append(Stmt):
    """pos = len(refs); refs.append(ref)"""

    refs: Var
    ref: Var
    pos: Var


@dataclass(frozen=True, eq=False)
class RefAt(Stmt):
    """target = refs[pos], counted from the start"""

    target: Var
    refs: Var
    pos: Atom


@dataclass(frozen=True, slots=True)
class Carry:
    """What goes round a loop: `inner` is init at first, then the last iteration's next; `out` is what is left."""

    inner: Var
    init: Atom
    next: Atom
    out: Var


@dataclass(frozen=True, slots=True)
class Out:
    """What comes out of a branch."""

    target: Var
    then: Atom
    orelse: Atom


@dataclass(frozen=True, eq=False)
class For(Stmt):
    """for index in range(start, stop, step): body; with `exit`, the loop is left after an iteration that makes it true
    (the carry is assigned first).

    outlined: of a parallel loop, that an iteration is a function of its own, called without threads where there is but
    one."""

    index: Var
    start: Atom
    stop: Atom
    step: Atom
    carry: tuple[Carry, ...]
    body: tuple[Stmt, ...]
    exit: Atom | None = None
    parallel: bool = False
    outlined: bool = False


@dataclass(frozen=True, eq=False)
class While(Stmt):
    """while True: test; if not cond: leave; body; carry; if exit: leave. The test sees the carry's inners."""

    test: tuple[Stmt, ...]
    cond: Atom
    carry: tuple[Carry, ...]
    body: tuple[Stmt, ...]
    exit: Atom | None = None


@dataclass(frozen=True, eq=False)
class If(Stmt):
    cond: Atom
    then: tuple[Stmt, ...]
    orelse: tuple[Stmt, ...]
    outs: tuple[Out, ...] = ()


@dataclass(frozen=True, eq=False)
class Call(Stmt):
    """targets = callee(*args), a function of the same program that is not inlined (recursion). Pure, as every `Fun`.

    loud: it may raise or print, or a function that it calls may.   shares: what it returns may be an argument's memory.
    given: so many of its last results are its last arguments, into which it has written: they are read as its results.
    writes: the same of a call that is about to be printed, which has no such results any more.
    """

    targets: tuple[Var, ...]
    callee: str
    args: tuple[Atom, ...]
    loud: bool = False
    shares: bool = True
    given: int = 0
    writes: int = 0


@dataclass(frozen=True, eq=False)
class Custom(Stmt):
    """targets = primal(*args), with the user's own rule: jvp(*args, *dots) -> (*values, *dots), or
    fwd(*args) -> (*values, *residuals) and bwd(*residuals, *bars) -> one bar a float arg. fixed: the places of
    arguments by which the rule has no derivative."""

    targets: tuple[Var, ...]
    args: tuple[Atom, ...]
    primal: Fun
    jvp: Fun | None = None
    fwd: Fun | None = None
    bwd: Fun | None = None
    fixed: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Draw(Stmt):
    """target = op(*args, **params): random numbers, from a stream that every draw moves on. A draw happens once, where
    it stands: none is left out, made again, or moved past another. The last params['rank'] args are the lengths."""

    target: Var
    op: Primitive
    args: tuple[Atom, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Passing(Stmt, ABC):
    """A statement that one stage alone knows, and that no later pass sees: it says itself what it reads."""

    @abstractmethod
    def atoms(self) -> tuple[Atom, ...]:
        """What it reads."""

    @abstractmethod
    def mapped(self, f: Callable[[Atom], Atom]) -> Stmt:
        """The statement with what it reads mapped."""


@dataclass(frozen=True, eq=False)
class Remark(Stmt):
    """A comment line of the generated source; dropped if nothing follows it.

    opens: it opens a part of the function (`# reverse`): dropped if nothing stands before it, too.
    """

    text: str
    opens: bool = False


@dataclass(frozen=True, eq=False)
class Barrier(Stmt):
    """The threads of a block wait for one another here: what they have written before is seen by all after."""


class Verdict(NamedTuple):
    """How a loop is run, and why. line: of the user's source, 0 if it comes from elsewhere."""

    name: str
    line: int
    how: str

    def __str__(self) -> str:
        place = f" (line {self.line})" if self.line else ""
        return f"the loop over `{self.name}`{place}: {self.how}"


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """What is known of a kernel. counted: the arrays in which it is counted who won an atomic maximum or minimum."""

    counted: tuple[Var, ...] = ()


class Longer(NamedTuple):
    """An axis of an array is at least as long as so many times an axis of another array and `by` elements more."""

    array: Var
    axis: int
    times: int
    other: Var
    other_axis: int
    by: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What a reverse sweep keeps: the array's or list's name and type in the generated code, the user's line, and why.

    shadow: it is memory of the adjoint itself, which each run finds again.
    """

    name: str
    type: Type
    line: int | None
    reason: str
    shadow: bool = False

    def __str__(self) -> str:
        return f"{self.name}{f' (line {self.line})' if self.line else ''}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """How much a reverse sweep keeps of a long loop, which is run again from snapshots of its state.

    snapshots: how many there are at most; 0: as many as there is room for in `bytes`.   strict: whether a loop that
    cannot be run again is refused.   tidy: makes a function small.
    """

    snapshots: int
    bytes: int
    strict: bool
    tidy: Callable[[Fun], Fun]


@dataclass(frozen=True, slots=True)
class FunFacts:
    """What is known of a whole function beside its text.

    overwritten, ordered: the names of the parameters that the user's function writes into, so that they are copied at
    its head, and of those among them that must come in C order.   captured: the names of what it takes from around it.
    shares: (result, parameter), by position, that are the same memory in the user's function.   together: (result,
    result) likewise.   changed: it changes objects that it is given.   no_unit_axes: array parameters of which the
    caller has seen that no axis has length 1, but for those in unit_axes, which have.   least: of such parameters, how
    long each axis is at least, where the caller has seen that some are longer than 2, and longer, which are as long as
    multiples of others: so that parts of them are not of length 1, either.   equal_lengths: what meets in a statement
    is equally long, but for literal lengths of 1; where that is not proved, the statement is reached only if it is so,
    and may_be_left: the caller then calls another function in its place.   same_shapes:
    parameters (tangents, cotangents) with the variable whose shape each has.   lengths: of the axes of parameters, if
    they are known.   plan: what the reverse sweep keeps, and why.   checks: how many checks were proved, moved in front
    of loops, and placed where they stand.   parallel: of each loop, why it is parallel or not.   checkpoint: how its
    loops are run again when it is differentiated in reverse mode, if they are.   in_place: it writes into arrays that
    it is given, which are its last results.   results: memory that the function makes, whose shape is that of each
    value stored to the whole of it.
    """

    overwritten: tuple[str, ...] = ()
    ordered: tuple[str, ...] = ()
    captured: tuple[str, ...] = ()
    shares: tuple[tuple[int, int], ...] = ()
    together: tuple[tuple[int, int], ...] = ()
    changed: bool = False
    no_unit_axes: frozenset[Var] = frozenset()
    unit_axes: Mapping[Var, tuple[int, ...]] = field(default_factory=dict)
    least: Mapping[Var, tuple[int, ...]] = field(default_factory=dict)
    longer: tuple[Longer, ...] = ()
    equal_lengths: bool = False
    may_be_left: bool = False
    same_shapes: tuple[tuple[Var, Var], ...] = ()
    lengths: Mapping[Var, tuple[int, ...]] = field(default_factory=dict)
    plan: tuple[Kept, ...] = ()
    checks: tuple[int, int, int] = (0, 0, 0)
    parallel: tuple[Verdict, ...] = ()
    kernel: KernelFacts | None = None
    checkpoint: Checkpoints | None = None
    in_place: bool = False
    results: frozenset[Var] = frozenset()


@dataclass(frozen=True, eq=False)
class Fun:
    """params -> results."""

    name: str
    params: tuple[Var, ...]
    body: tuple[Stmt, ...]
    results: tuple[Atom, ...]
    facts: FunFacts = field(default_factory=FunFacts)


@dataclass(frozen=True, eq=False)
class Program:
    """A function with those that it calls by name (recursion only)."""

    main: Fun
    callees: Mapping[str, Fun] = field(default_factory=dict)
