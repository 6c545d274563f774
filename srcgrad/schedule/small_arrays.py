"""Which arrays can live in scalars: those of few elements that are reached at literal places alone.

Memory that goes round a loop, or out of a branch, by reference becomes scalars that go round by value. That is the same
where each reference is *moved* (nothing asks for the memory by its old names afterwards), or where the memory is
*settled* (nothing writes into it afterwards, by any name). A class of references that may share memory
(`core.aliases`) lives in scalars as a whole, or stays memory as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of
from srcgrad.core.build import scalar_of
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Type, Var
from srcgrad.schedule.known_lengths import known_lengths

MOST = 16  # elements of an array that lives in scalars
DTYPES = frozenset({"f8", "f4", "c16", "c8", "i8", "b1"})
Path = tuple[tuple[Stmt, str], ...]
END = 1 << 60


class Event(NamedTuple):
    """Something that happens to memory: when, and inside of what loops and branches."""

    number: int
    path: Path


class Edge(NamedTuple):
    """`to` becomes another name of what `origin` is the first name of."""

    origin: Var
    to: Var
    event: Event


@dataclass(frozen=True, eq=False)
class Ref:
    """A reference to a small array: its root (an allocation, a parameter, or what comes out of a branch or goes round a
    loop), and which of the root's elements, counted in C order, each of its elements is."""

    root: Var
    places: np.ndarray[Any, Any]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(map(int, self.places.shape))


@dataclass(eq=False)
class Small:
    """What is found. refs: of the references of arrays that can live in scalars.   written: the elements of memory from
    outside of it that a loop writes.   asked: of each class, the variables by which it is indexed."""

    fun: Fun
    loose: Mapping[Var, object] = field(default_factory=dict)  # integers that will be literals
    refs: dict[Var, Ref] = field(default_factory=dict)
    written: dict[Stmt, dict[tuple[Var, int], None]] = field(default_factory=dict)
    asked: dict[Var, set[Var]] = field(default_factory=dict)


def small_arrays(fun: Fun, loose: Mapping[Var, object] | None = None) -> Small:
    """The arrays of the function that can live in scalars, if the integers of `loose` are literals."""
    return _Finder(fun, loose or {}).find()


def literal_places(shape: tuple[int, ...], index: ir.Index) -> np.ndarray[Any, Any] | None:
    """The elements of an array of this shape at a literal index, counted in C order; None if it is out of range."""
    items = tuple(map(_item, index))
    try:
        return np.asarray(np.arange(int(np.prod(shape))).reshape(shape)[items])
    except IndexError:
        return None


def _item(item: ir.Item) -> int | slice:
    if isinstance(item, ir.Slice):
        return slice(*(_number(part) for part in (item.start, item.stop, item.step)))
    return int(item.value.real) if isinstance(item, Const) else 0  # what is not known yet stands in its range


def _number(part: Atom | None) -> int | None:
    return int(part.value.real) if isinstance(part, Const) else None


def fits(value: Type, dtype: str) -> bool:
    """Whether a value of this type may be stored to memory of the dtype as a scalar is converted."""
    kind = scalar_of(Type(dtype))
    if value == kind:
        return True
    return kind in (ir.F8, ir.F4) and value in (ir.F8, ir.F4, ir.I8)


class _Finder:
    def __init__(self, fun: Fun, loose: Mapping[Var, object]) -> None:
        self.fun, self.classes, self.loose = fun, aliases_of(fun), loose
        self.known = known_lengths(fun)
        self.found = Small(fun, loose)
        self.refs = self.found.refs
        self.bad: set[Var] = set()  # classes that stay memory
        self.made: set[Var] = set()  # classes with memory of the function's own
        self.born: dict[Var, Path] = {}
        self.uses: dict[Var, list[Event]] = {}
        self.writes: dict[Var, list[Event]] = {}
        self.edges: list[Edge] = []
        self.further: dict[Var, list[Var]] = {}
        self.ready: set[Var] = set()  # parameters of which the check of their lengths is passed
        self.loop_reads: set[Var] = set()  # roots that a loop asks for again and again
        self.number = 0
        self.path: Path = ()

    # ---- the way through the function

    def find(self) -> Small:
        self.mark_candidates()
        for param in self.fun.params:
            if param.type.ref:
                self.param(param)
        self.start_known(None)
        for stmt in self.fun.body if self.made - self.bad or self.refs else ():
            self.stmt(stmt)
            self.start_known(stmt)
        self.number = END
        self.results()
        for edge in self.edges:
            self.further.setdefault(edge.origin, []).append(edge.to)
        for edge in self.edges:
            if self.of(edge.to) not in self.bad and not self.by_value(edge):
                self.reject(edge.to)
        worth = (self.made | {self.of(root) for root in self.loop_reads}) - self.bad
        for ref in [ref for ref in self.refs if self.of(ref) not in worth]:
            del self.refs[ref]
        for loop, places in self.found.written.items():
            self.found.written[loop] = {key: None for key in places if key[0] in self.refs}
        self.found.asked = {cls: asked for cls, asked in self.found.asked.items() if cls in worth}
        return self.found

    def mark_candidates(self) -> None:
        """The classes with small memory of the function's own; those with memory of another kind stay memory."""
        for stmt in walk.walk(self.fun.body):
            if isinstance(stmt, ir.Alloc):
                self.made.add(self.of(stmt.target))
                if shape_of(stmt) is None:
                    self.reject(stmt.target)

    def param(self, param: Var) -> None:
        known = self.known.get(param)
        size = int(np.prod(known.shape)) if known is not None else MOST + 1
        if known is None or size > MOST or param.type.dtype not in DTYPES:
            return self.reject(param)
        self.bind(param, Ref(param, np.arange(size).reshape(known.shape)))

    def start_known(self, after: Stmt | None) -> None:
        self.ready.update(param for param, known in self.known.items() if known.after is after)

    def block(self, stmts: tuple[Stmt, ...], stmt: Stmt, which: str) -> None:
        outer, self.path = self.path, (*self.path, (stmt, which))
        for inner in stmts:
            self.stmt(inner)
        self.path = outer

    def stmt(self, stmt: Stmt) -> None:
        self.number += 1
        match stmt:
            case ir.Alloc():
                self.alloc(stmt)
            case ir.Load() | ir.Store() | ir.Accumulate():
                self.access(stmt)
            case ir.View():
                self.view(stmt)
            case ir.For() | ir.While():
                self.loop(stmt)
            case ir.If():
                self.branch(stmt)
            case ir.Let() if stmt.op.traits.measures:
                pass
            case _:
                self.rest(stmt)

    def rest(self, stmt: Stmt) -> None:
        """A statement that knows memory alone."""
        for atom in (*walk.used(stmt), *walk.defined(stmt)):
            if atom.type.ref or atom.type.many:
                self.reject(atom)

    # ---- what memory is

    def of(self, ref: Atom) -> Var:
        assert isinstance(ref, Var)
        return self.classes.of(ref)

    def reject(self, ref: Atom) -> None:
        self.bad.add(self.of(ref))

    def bind(self, var: Var, ref: Ref) -> None:
        self.refs[var] = ref
        if ref.root is var:
            self.born[var] = self.path

    def known_ref(self, ref: Atom, path: Path | None = None) -> Ref | None:
        """What it refers to, if that may live in scalars; the use is noted."""
        found = self.refs.get(ref) if isinstance(ref, Var) else None
        if found is None or self.of(ref) in self.bad:
            self.reject(ref)
            return None
        if self.born.get(found.root) is None or (found.root in self.known and found.root not in self.ready):
            self.reject(ref)
            return None
        self.uses.setdefault(found.root, []).append(self.now(path))
        return found

    def now(self, path: Path | None = None) -> Event:
        return Event(self.number, self.path if path is None else path)

    def alloc(self, stmt: ir.Alloc) -> None:
        shape = shape_of(stmt)
        if shape is None:
            return self.reject(stmt.target)
        self.bind(stmt.target, Ref(stmt.target, np.arange(int(np.prod(shape))).reshape(shape)))

    # ---- what reaches it

    def access(self, stmt: ir.Load | ir.Store | ir.Accumulate) -> None:
        if self.of(stmt.ref) in self.bad:
            return
        ref = self.known_ref(stmt.ref)
        if ref is None or not self.literal(stmt.ref, stmt.index, slices=False):
            return self.reject(stmt.ref)
        there = literal_places(ref.shape, stmt.index)
        if there is None:
            return self.reject(stmt.ref)
        place = int(ref.places.ravel()[there])
        if isinstance(stmt, ir.Load):
            if any(isinstance(s, (ir.For, ir.While)) for s, _ in self.path):
                self.loop_reads.add(ref.root)
            return
        converted = fits(stmt.value.type, stmt.ref.type.dtype)
        if isinstance(stmt, ir.Accumulate):
            converted = stmt.atomic is None and stmt.value.type == scalar_of(stmt.ref.type) != ir.B1
        if not converted:
            return self.reject(stmt.ref)
        self.writes.setdefault(ref.root, []).append(self.now())
        self.note_written(ref, stmt.ref, place)

    def literal(self, ref: Var, index: ir.Index, slices: bool) -> bool:
        asked = self.found.asked.setdefault(self.of(ref), set())
        for item in index:
            if isinstance(item, ir.Slice):
                if not slices or not all(isinstance(part, (Const, type(None))) for part in _parts(item)):
                    return False
            elif isinstance(item, Var):
                if item.type.rank or item not in self.loose:
                    return False
                asked.add(item)
        return True

    def note_written(self, ref: Ref, name: Var, place: int) -> None:
        """The element is carried by the loops between it and its memory."""
        for stmt, which in self.path[len(self.born[ref.root]) :]:
            if which == "test" or (isinstance(stmt, ir.For) and stmt.parallel):
                self.reject(name)
            if isinstance(stmt, (ir.For, ir.While)):
                self.found.written.setdefault(stmt, {})[ref.root, place] = None

    def view(self, stmt: ir.View) -> None:
        if self.of(stmt.base) in self.bad:
            return
        base = self.known_ref(stmt.base)
        places = None if base is None else self.viewed(base, stmt)
        if base is None or places is None:
            return self.reject(stmt.base)
        self.bind(stmt.target, Ref(base.root, places))

    def viewed(self, base: Ref, stmt: ir.View) -> np.ndarray[Any, Any] | None:
        match stmt.how:
            case ir.Transpose(axes):
                return base.places.transpose(axes)
            case ir.Reshape(shape):
                lengths = [_number(n) for n in shape]
                size = int(np.prod([n or 0 for n in lengths]))
                return base.places.reshape([n or 0 for n in lengths]) if size == base.places.size else None
        if not self.literal(stmt.base, stmt.how, slices=True):
            return None
        there = literal_places(base.shape, stmt.how)
        return None if there is None else base.places.ravel()[there]

    # ---- references that are chosen at run time

    def joined(self, origin: Atom, to: Var, path: Path | None = None) -> Ref | None:
        """The reference goes on under another name."""
        ref = self.known_ref(origin, path)
        if ref is not None:
            self.edges.append(Edge(ref.root, to, self.now(path)))
        return ref

    def fresh(self, var: Var, shape: tuple[int, ...]) -> None:
        self.bind(var, Ref(var, np.arange(int(np.prod(shape))).reshape(shape)))

    def loop(self, loop: ir.For | ir.While) -> None:
        carried = []
        for c in loop.carry:
            if c.inner.type.many:
                self.reject(c.inner)
            elif c.inner.type.ref and self.of(c.inner) not in self.bad:
                first = self.joined(c.init, c.inner)
                if first is not None:
                    carried.append((c, first.shape))
        outer, self.path = self.path, (*self.path, (loop, "body"))
        for c, shape in carried:
            self.fresh(c.inner, shape)
        self.path = outer
        for which, block in walk.blocks(loop):
            self.block(block, loop, which)
        self.number += 1
        inside = (*self.path, (loop, "body"))
        for c, shape in carried:
            last = self.joined(c.next, c.inner, inside)
            if last is None or last.shape != shape:
                self.reject(c.inner)
        self.number += 1
        for c, shape in carried:
            self.edges.append(Edge(c.inner, c.out, self.now(inside)))
            self.fresh(c.out, shape)

    def branch(self, stmt: ir.If) -> None:
        outs = [out for out in stmt.outs if out.target.type.ref or out.target.type.many]
        sides: list[list[Ref | None]] = []
        for which, block in walk.blocks(stmt):
            self.block(block, stmt, which)
            self.number += 1
            inside = (*self.path, (stmt, which))
            ends = [out.then if which == "then" else out.orelse for out in outs]
            sides.append([self.joined(a, out.target, inside) for a, out in zip(ends, outs, strict=True)])
        self.number += 1
        for out, then, orelse in zip(outs, *sides, strict=True):
            if then is None or orelse is None or then.shape != orelse.shape:
                self.reject(out.target)
            else:
                self.fresh(out.target, then.shape)

    def results(self) -> None:
        """What is given back is built at the end, each array by itself: so each must be one."""
        given = [r for r in dict.fromkeys(self.fun.results) if isinstance(r, Var) and (r.type.ref or r.type.many)]
        classes = [self.of(r) for r in given]
        for result in given:
            ref = self.refs.get(result)
            if ref is not None and result not in self.fun.params:
                whole = ref.places.size and np.array_equal(ref.places.ravel(), np.arange(ref.places.size))
                alone = classes.count(self.of(result)) == 1 and ref.root is result
                if not whole or not alone:
                    self.reject(result)
            elif result not in self.fun.params:
                self.reject(result)
            self.known_ref(result)

    # ---- by value, or by reference

    def by_value(self, edge: Edge) -> bool:
        return self.moved(edge) or self.settled(edge)

    def moved(self, edge: Edge) -> bool:
        """Whether nothing asks for the memory by its old names afterwards."""
        uses = self.uses.get(edge.origin, ())
        same = sum(use == edge.event for use in uses)
        return same <= 1 and not any(self.after(use, edge) for use in uses)

    def settled(self, edge: Edge) -> bool:
        """Whether nothing writes into the memory afterwards, by any name."""
        if any(self.after(write, edge) for write in self.writes.get(edge.origin, ())):
            return False
        return not any(self.writes.get(name) for name in self.downstream(edge.origin))

    def downstream(self, origin: Var) -> Iterator[Var]:
        """All further names of the memory."""
        seen: set[Var] = set()
        todo = list(self.further.get(origin, ()))
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                yield name
                todo += self.further.get(name, ())

    def after(self, use: Event, edge: Edge) -> bool:
        """Whether the use may come after the memory got its further name, in one life of the memory."""
        shared = 0
        for (one, _), (other, _) in zip(use.path, edge.event.path, strict=False):
            if one is not other:
                break
            shared += 1
        born = len(self.born[edge.origin])
        if any(isinstance(stmt, (ir.For, ir.While)) for stmt, _ in use.path[born:shared]):
            return True
        for (stmt, side), (_, opposite) in zip(use.path[:shared], edge.event.path, strict=False):
            if isinstance(stmt, ir.If) and side != opposite:
                return False
        return use.number > edge.event.number


def shape_of(stmt: ir.Alloc) -> tuple[int, ...] | None:
    """The lengths of memory that is small, of a kind that scalars hold."""
    lengths = [_number(n) for n in stmt.shape]
    shape = tuple(n for n in lengths if n is not None and n >= 0)
    if len(shape) != stmt.target.type.rank or int(np.prod(shape)) > MOST or stmt.space is not None:
        return None
    if stmt.target.type.dtype not in DTYPES or stmt.init is ir.Init.LOCAL:
        return None
    plain = isinstance(stmt.init, ir.Init) or (
        stmt.init.type.rank == 0 and fits(stmt.init.type, stmt.target.type.dtype)
    )
    return shape if plain else None


def _parts(item: ir.Slice) -> tuple[Atom | None, ...]:
    return item.start, item.stop, item.step
