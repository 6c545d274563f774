"""What is no loop over elements is computed, in loops, into memory that is made in front of them.

    for t in range(n):                     y = np.empty(m)
        y = a @ x                          for t in range(n):
        ...                                    y[:] = a @ x             # printed as matrix_by_vector_into(a, x, y)

Only if the lengths are known in front of the loop, and if no iteration's memory is seen by another. What has no name of
its own lies where another such result of the same shape has lain that nobody reads any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from srcgrad.analysis.effects import Region, facts_of
from srcgrad.analysis.kept_shapes import shapes_of
from srcgrad.core import ir, walk
from srcgrad.core.aliases import makes_fresh
from srcgrad.core.build import whole
from srcgrad.core.ir import Alloc, Atom, Const, For, Fun, Let, Load, Stmt, Store, Type, Var, View, While
from srcgrad.core.rewrite import Rewritten, ShapeRewriter
from srcgrad.core.shapes import Dim
from srcgrad.printer.kernels import template_into
from srcgrad.printer.names import ANONYMOUS
from srcgrad.rules.language.integers import nonnegative, trips
from srcgrad.rules.shapes.shape import dim


def results_in_place(fun: Fun) -> Fun:
    """The function with such results in memory; the same object if there is none."""
    loops = [s for s in walk.walk(fun.body) if isinstance(s, (For, While))]
    if not any(isinstance(s, Let) and _computes_into(s) for s in walk.walk(loops)):
        return fun
    pass_ = _InPlace(fun)
    made = pass_.fun(fun)
    return made if made is fun else replace(made, facts=replace(fun.facts, results=frozenset(pass_.made)))


def _computes_into(let: Let) -> bool:
    return len(let.targets) == 1 and let.target.type.is_array_value and template_into(let) is not None


@dataclass(slots=True)
class _Room:
    """Memory without a name of its own, and the place in a region after which nobody looks at it."""

    ref: Var
    shape: tuple[Atom, ...]
    region: Region
    last: int


class _InPlace(ShapeRewriter):
    """front: what is to be made in front of the innermost loop at hand, if its iterations run one after another.
    outside: how many of the lengths and of the references that are known there are known in front of it, too.
    homes: of the results at hand, the memory that they lie in.   made: all such memory.   rooms: of the loop at hand.
    asked: lengths that are asked for in front of it.
    """

    def __init__(self, fun: Fun) -> None:
        super().__init__(shapes_of(fun))
        self.facts = facts_of(fun)
        self.users: dict[Atom, list[Stmt]] = {}
        for stmt in walk.walk(fun.body):
            for atom in (*walk.used(stmt), *walk.used_inside(stmt)):
                self.users.setdefault(atom, []).append(stmt)
        self.front: list[Stmt] | None = None
        self.body: Region | None = None
        self.lengths: list[Var] = []
        self.refs = [p for p in fun.params if p.type.ref]
        self.outside = 0, 0
        self.homes: dict[Var, Var] = {}
        self.gone: set[Stmt] = set()
        self.made: set[Var] = set()
        self.rooms: list[_Room] = []
        self.asked: list[Var] = []

    # ---- what is known where

    def region(self, stmts: tuple[Stmt, ...]) -> None:
        known = len(self.lengths), len(self.refs)
        super().region(stmts)
        del self.lengths[known[0] :], self.refs[known[1] :]

    def put(self, stmt: Stmt) -> None:
        super().put(stmt)
        if isinstance(stmt, Let) and stmt.op in (dim, nonnegative, trips):
            self.lengths.append(stmt.target)
        elif isinstance(stmt, (Alloc, View)):
            self.refs.append(stmt.target)

    # ---- statements

    def one(self, stmt: Stmt) -> Rewritten:
        if isinstance(stmt, (For, While)):
            return self.loop(stmt)
        if stmt in self.gone:
            return ()
        if isinstance(stmt, Let) and self.front is not None and _computes_into(stmt):
            return self.computed(stmt, self.front)
        return self.reading(stmt)

    def loop(self, loop: For | While) -> Sequence[Stmt]:
        outer = self.front, self.body, self.outside, self.rooms, self.asked
        own = isinstance(loop, For) and loop.parallel  # each iteration needs its own
        front: list[Stmt] = []
        self.front, self.body = None if own else front, self.facts.region[loop, "body"]
        self.outside, self.rooms, self.asked = (len(self.lengths), len(self.refs)), [], []
        made = self.inside(loop)
        self.front, self.body, self.outside, self.rooms, self.asked = outer
        return [*front, made]

    def reading(self, stmt: Stmt) -> Sequence[Stmt]:
        """The statement, with reads of memory in the place of results."""
        loads: list[Stmt] = []

        def atom(a: Atom) -> Atom:
            home = self.homes.get(a) if isinstance(a, Var) else None
            if home is None:
                return self.atom(a)
            value = Var(home.name, home.type.value())
            loads.append(Load(value, home, whole(home), copy=False, span=stmt.span))
            return value

        if not any(a in self.homes for a in walk.used(stmt)):
            return [self.inside(stmt)]
        made = walk.rebuild(stmt, atom, lambda v: v, self.block)
        return [*loads, made]

    def computed(self, let: Let, front: list[Stmt]) -> Sequence[Stmt]:
        *loads, stmt = self.reading(let)
        assert isinstance(stmt, Let)
        dims, before = [self.shapes.dims(a) for a in let.args], len(front)
        tell, work = stmt.op.traits.dims, stmt.op.traits.scratch
        shape = self.shape(tell(dims, stmt.params), front) if tell else None
        scratch = self.shape(work(dims), front) if work else ()
        home = None if shape is None or scratch is None else self.home(let)
        if home is None or shape is None or scratch is None:
            self.asked = [n for n in self.asked if all(n not in walk.defined(s) for s in front[before:])]
            del front[before:]
            return [*loads, stmt]
        if scratch:
            room = Var("work", Type(let.target.type.dtype, len(scratch), ref=True))
            given = self.memory(room, scratch, front, let, self.facts.order[let])
            stmt = replace(stmt, args=(*stmt.args, given))
        last = self.last(home if home in self.facts.bound else let.target, self.facts.where[let])
        ref = self.memory(home, shape, front, let, last)
        self.made.add(ref)
        if ref is not home:
            self.homes.update(dict.fromkeys([v for v, h in self.homes.items() if h is home], ref))
            self.env[home] = ref
        return [*loads, stmt, Store(ref, whole(ref), stmt.target, span=let.span)]

    def memory(self, ref: Var, shape: tuple[Atom, ...], front: list[Stmt], let: Let, last: int | None) -> Var:
        """Memory for what a statement makes and others look at till this place: some that is free, or new one."""
        region, now = self.facts.where[let], self.facts.order[let]
        shared = last is not None and ref.name in (ANONYMOUS, "work")
        for room in self.rooms if shared else ():
            same = room.region is region and room.shape == shape and room.ref.type == ref.type
            if same and room.last < now and room.ref.name == ref.name:
                room.last = last or now
                return room.ref
        if shared:
            self.rooms.append(_Room(ref, shape, region, last or now))
        alloc = Alloc(ref, shape, ir.Init.EMPTY)
        front.append(alloc)
        self.shapes.note(alloc)
        return ref

    def last(self, var: Var, region: Region) -> int | None:
        """The place in the region of the last statement that reads the variable, a view of it, or a value that may
        lie in its memory; None if that is not known."""
        places = [self.facts.order[self.facts.makes[var]]] if self.facts.bound[var] is region else [0]
        for stmt in self.users.get(var, ()):
            place = self.place(stmt, region)
            apart = not isinstance(stmt, (Let, Load, View, Store, ir.Accumulate)) or place is None
            if apart or place is None:
                return None
            same = isinstance(stmt, View) or (isinstance(stmt, Let) and not makes_fresh(stmt))
            for seen in walk.defined(stmt) if same or isinstance(stmt, Load) else ():
                if seen.type.rank:
                    found = self.last(seen, region)
                    if found is None:
                        return None
                    places.append(found)
            places.append(place)
        return max(places)

    def place(self, stmt: Stmt, region: Region) -> int | None:
        """The place in the region of a statement that stands in it, or in one of its statements."""
        here: Region | None = self.facts.where[stmt]
        while here is not None and here is not region:
            if here.stmt is None:
                return None
            stmt, here = here.stmt, here.parent
        return None if here is None else self.facts.order[stmt]

    def home(self, let: Let) -> Var | None:
        """The memory for a result: what it would be copied to, or new memory for one that is read as it is."""
        value, users = let.target, self.users.get(let.target, [])
        fills = [s for s in users if isinstance(s, Alloc)]
        if not users or any(walk.blocks(s) for s in users) or (fills and len(users) > 1):
            return None
        if not fills:
            self.homes[value] = Var(value.name, Type(value.type.dtype, value.type.rank, ref=True))
            return self.homes[value]
        (fill,) = fills
        facts, ref = self.facts, fill.target
        dies = self.body is not None and facts.classes.simple(ref) and facts.level_of(ref).within(self.body)
        if not dies or ref.type.dtype != value.type.dtype or facts.where[fill] is not facts.where[let]:
            return None
        self.gone.add(fill)
        return ref

    def shape(self, dims: Sequence[Dim], front: list[Stmt]) -> tuple[Atom, ...] | None:
        found = [self.length(d, front) for d in dims]
        return None if None in found else tuple(n for n in found if n is not None)

    def length(self, token: Dim, front: list[Stmt]) -> Atom | None:
        """A length as it is known in front of the loop."""
        shapes, token = self.shapes, self.shapes.first(token)
        if isinstance(token, Const):
            return token
        lengths, refs = self.outside
        for n in (*self.lengths[:lengths], *self.asked):
            if shapes.equal(shapes.length(n), token):
                return n
        for ref in self.refs[:refs]:
            for axis, own in enumerate(shapes.dims(ref)):
                if shapes.equal(own, token):
                    n = Var("n", ir.I8)
                    front.append(Let((n,), dim, (ref,), {"axis": axis}))
                    shapes.note(front[-1])
                    self.asked.append(n)
                    return n
        return None
