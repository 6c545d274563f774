"""What a loop over directions needs to do in each of them, and what once in front of it.

A statement is *late* if it depends on the direction: on a seed, on what a late statement defines, or on memory that one
writes. All others are *early*. A loop or branch that holds both is split in two: the early one comes first, and keeps
what the late one needs and what is dear to compute again, a row an iteration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir, walk
from srcgrad.core.build import FULL
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.rules.language import registry
from srcgrad.transform.lengths_in_front import lengths_in_front

LIMIT = 4  # operations that are done again rather than kept
DEAR = 10 * LIMIT
WHY = "the same in all directions, and dear to compute again in each"
NEVER_SPLIT = (ir.Effect, ir.Draw, ir.Custom, ir.Barrier, ir.Passing, ir.Return)


class Parts(NamedTuple):
    """The early statements, the late ones, and the results. Together they bind each variable once. linear: the
    variables that depend on the direction, and the seed.   kept: what the early ones fill, and why."""

    early: tuple[Stmt, ...]
    late: tuple[Stmt, ...]
    results: tuple[Atom, ...]
    linear: frozenset[Var] = frozenset()
    kept: tuple[ir.Kept, ...] = ()


def split(fun: Fun, seed: Var) -> Parts:
    """The parts of a function's body: early ones, and those that depend on its parameter `seed`."""
    if any(isinstance(stmt, NEVER_SPLIT) for stmt in walk.walk(fun.body)):
        return Parts((), fun.body, fun.results)
    fun = lengths_in_front(fun)
    late = _Late(Facts(fun), seed)
    while not late.settled():
        pass
    early, rest = _Early(late).block(fun.body), _Rest(late)
    whole = rest.block(fun.body)
    return Parts(early, whole, tuple(map(rest.atom, fun.results)), frozenset(late.vars), tuple(late.told()))


@dataclass
class _Needs:
    """What late statements take from early ones: values that are kept, and statements that are done again."""

    kept: set[Var] = field(default_factory=set)
    again: set[Stmt] = field(default_factory=set)


class _Late:
    """Which statements are late. vars: what they define.   memory: the classes of what they write."""

    def __init__(self, facts: Facts, seed: Var) -> None:
        self.facts, self.stmts, self.vars = facts, set[Stmt](), {seed}
        self.memory = {facts.classes.of(seed)} if seed.type.ref else set[Var]()
        self.needs = _Needs()
        self.tapes: dict[Var, Var] = {}
        self._costs: dict[Var, int] = {}

    def settled(self) -> bool:
        """Go over all statements, then over what the late ones need; whether nothing became late."""
        before = self._size()
        while True:
            seen = self._size()
            for stmt in self.facts.fun.body:
                self._visit(stmt)
            if self._size() == seen:
                break
        self.needs, self._costs = _Needs(), {}
        for atoms in self._late_ones(self.facts.fun.body):
            for atom in atoms:
                self._need(atom)
        for result in self.facts.fun.results:
            self._need(result)
        return self._size() == before

    def _size(self) -> tuple[int, int, int]:
        return len(self.stmts), len(self.vars), len(self.memory)

    # ---- what depends on the direction

    def _visit(self, stmt: Stmt) -> None:
        if stmt in self.stmts:
            return
        blocks = walk.blocks(stmt)
        if not blocks:
            if self._depends(stmt):
                self.add(stmt)
            return
        for _, block in blocks:
            for inner in block:
                self._visit(inner)
        head = (stmt.cond,) if isinstance(stmt, ir.If) else (stmt.start, stmt.stop) if isinstance(stmt, ir.For) else ()
        if any(a in self.vars for a in head) or (self.mixed(stmt) and not self._splits(stmt)):
            self.add(stmt)
            return
        for a, b in _ties(stmt):
            if any(x in self.vars for x in b):
                self.vars.update(a)

    def mixed(self, stmt: Stmt) -> bool:
        """Whether a late statement lies inside, or what goes round or comes out is late."""
        if any(s in self.stmts for s in walk.walk((stmt,))):
            return True
        return any(x in self.vars for a, b in _ties(stmt) for x in (*a, *b))

    def _splits(self, stmt: Stmt) -> bool:
        """Whether the loop or branch can be run twice: its iterations are known in front, and have a number."""
        if any(isinstance(x, Var) and not x.type.is_scalar for a, _ in _ties(stmt) for x in a):
            return False
        if isinstance(stmt, ir.If):
            return True
        if not isinstance(stmt, ir.For) or stmt.exit is not None or stmt.parallel:
            return False
        if not all(isinstance(a, Const) or self._on_top(a) for a in (stmt.start, stmt.stop)):
            return False
        first, least = (stmt.start, 0) if stmt.step == Const(1, ir.I8) else (stmt.stop, -1)
        counted = stmt.step in (Const(1, ir.I8), Const(-1, ir.I8))
        return counted and isinstance(first, Const) and first.value >= least  # type: ignore[operator]

    def _depends(self, stmt: Stmt) -> bool:
        touched = (*walk.used(stmt), *walk.defined(stmt))
        if any(a in self.vars for a in touched):
            return True
        if isinstance(stmt, ir.Let):  # of memory it reads the shape only
            return False
        return any(self._class(a) in self.memory for a in touched)

    def add(self, stmt: Stmt) -> None:
        """The statement is late, with all that is in it."""
        for inner in walk.walk((stmt,)):
            self.stmts.add(inner)
            self.vars.update(walk.defined(inner))
            self.vars.update(walk.defined_inside(inner))
            match inner:
                case ir.Store() | ir.Accumulate():
                    self.memory.add(self.facts.classes.of(inner.ref))
                case ir.Load() if self._changes_after(inner):
                    self.memory.add(self.facts.classes.of(inner.ref))
                case ir.Let() | ir.Call():  # lengths of what grows; what is read inside
                    self.memory.update(c for a in inner.args if (c := self._class(a)) in self.facts.stores)
                case ir.RefAt() | ir.Append():
                    self.memory.add(self.facts.classes.of(inner.refs))
            for var in walk.defined(inner):
                if not isinstance(inner, ir.View) and (cls := self._class(var)) is not None:
                    self.memory.add(cls)

    def _class(self, atom: Atom) -> Var | None:
        if isinstance(atom, Var) and (atom.type.ref or atom.type.many):
            return self.facts.classes.of(atom)
        return None

    def _changes_after(self, load: ir.Load) -> bool:
        return self.facts.overwritten_later(load, load.ref, self.facts.top)

    # ---- what the late ones need

    def _late_ones(self, stmts: Iterable[Stmt]) -> Iterator[Iterable[Atom]]:
        """What late statements, and late parts of loops and branches, read."""
        for stmt in stmts:
            if stmt in self.stmts:
                for inner in walk.walk((stmt,)):
                    yield walk.used(inner)
                    yield walk.used_inside(inner)
            elif walk.blocks(stmt) and self.mixed(stmt):
                if isinstance(stmt, ir.If):
                    yield (stmt.cond,)
                yield (x for a, b in _ties(stmt) if any(v in self.vars for v in a) for x in b)
                for _, block in walk.blocks(stmt):
                    yield from self._late_ones(block)

    def _on_top(self, atom: Atom) -> bool:
        return isinstance(atom, Var) and self.facts.bound[atom] is self.facts.top

    def _need(self, atom: Atom) -> None:
        """See that a late statement can read it."""
        if not isinstance(atom, Var) or atom in self.vars or atom in self.needs.kept:
            return
        stmt = self.facts.makes.get(atom)
        if stmt is None or stmt in self.needs.again or (self._on_top(atom) and not atom.type.is_array_value):
            return
        if isinstance(stmt, ir.For) and atom is stmt.index:
            return
        if self._cost(atom) <= LIMIT or isinstance(stmt, ir.View):
            self.needs.again.add(stmt)
            for part in walk.used(stmt):
                self._need(part)
        elif atom.type.is_scalar or (atom.type.is_array_value and self._on_top(atom)):
            self.needs.kept.add(atom)
        else:
            self.add(stmt)

    def _cost(self, atom: Atom) -> int:
        """What computing it again takes, DEAR if that is more than a load from what is kept takes."""
        if not isinstance(atom, Var) or (self._on_top(atom) and not atom.type.is_array_value):
            return 0
        if atom not in self._costs:
            self._costs[atom] = DEAR
            self._costs[atom] = self._cost_of(atom, self.facts.makes.get(atom))
        return self._costs[atom]

    def _cost_of(self, atom: Var, stmt: Stmt | None) -> int:
        parts = 0 if stmt is None else sum(map(self._cost, walk.used(stmt)))
        match stmt:
            case ir.For() if atom is stmt.index:
                return 0
            case ir.View():
                return parts
            case ir.Load() if not self._changes_after(stmt):
                return 1 + parts
            case ir.Let() if len(stmt.targets) == 1 and (stmt.op.traits.effort != "much" or stmt.op.traits.is_length):
                return 1 + parts
        return DEAR

    # ---- where values are kept

    def tape(self, var: Var, out: list[Stmt]) -> Var:
        """The memory in which a scalar is kept, made by statements that go to `out`."""
        if var not in self.tapes:
            lengths = [_rows(loop, out) for loop in self.loops(var)] or [Const(1, ir.I8)]
            memory = Var(f"{var.name}_kept", ir.Type(var.type.dtype, len(lengths), ref=True))
            out.append(ir.Alloc(memory, tuple(lengths), ir.Init.EMPTY))
            self.tapes[var] = memory
        return self.tapes[var]

    def told(self) -> Iterator[ir.Kept]:
        """What is kept, and why."""
        for var, memory in self.tapes.items():
            if var.type.is_scalar:
                span = self.facts.makes[var].span
                yield ir.Kept(memory.name, memory.type, span.line if span else None, WHY)

    def loops(self, var: Var) -> list[ir.For]:
        """The loops in which it is bound, outermost first."""
        found, region = [], self.facts.bound[var]
        while region.parent is not None:
            if isinstance(region.stmt, ir.For):
                found.append(region.stmt)
            region = region.parent
        return found[::-1]

    def places(self, var: Var) -> ir.Index:
        return tuple(loop.index for loop in self.loops(var)) or (Const(0, ir.I8),)


def _rows(loop: ir.For, out: list[Stmt]) -> Atom:
    """How many rows the places of a loop take."""
    if loop.step == Const(1, ir.I8):
        length = loop.stop
    elif isinstance(loop.start, Const):
        length = Const(int(loop.start.value) + 1, ir.I8)  # type: ignore[arg-type]
    else:
        length = Var("rows", ir.I8)
        out.append(ir.Let((length,), registry.PRIMITIVES["add"], (loop.start, Const(1, ir.I8))))
    if isinstance(length, Const):
        return Const(max(int(length.value), 0), ir.I8)  # type: ignore[arg-type]
    rows = Var("rows", ir.I8)
    out.append(ir.Let((rows,), registry.PRIMITIVES["nonnegative"], (length,)))
    return rows


def _ties(stmt: Stmt) -> list[tuple[tuple[Var, ...], tuple[Atom, ...]]]:
    """What a loop carries and what comes out of a branch: what is bound, and what it is made of."""
    if isinstance(stmt, ir.If):
        return [((o.target,), (o.then, o.orelse)) for o in stmt.outs]
    if isinstance(stmt, (ir.For, ir.While)):
        return [((c.inner, c.out), (c.init, c.next)) for c in stmt.carry]
    return []


class _Early:
    """The statements that come once."""

    def __init__(self, late: _Late) -> None:
        self.late, self.made = late, list[Stmt]()  # made: the memory for what is kept, in front of the statement on top

    def block(self, stmts: Iterable[Stmt], top: bool = True) -> tuple[Stmt, ...]:
        out: list[Stmt] = []
        for stmt in stmts:
            new = self.one(stmt)
            if top:
                out += self.made
                self.made = []
            out += new
        return tuple(out)

    def one(self, stmt: Stmt) -> list[Stmt]:
        if stmt in self.late.stmts:
            return []
        new = self.split(stmt) if walk.blocks(stmt) and self.late.mixed(stmt) else stmt
        stores = [s for v in walk.defined(stmt) for s in self.keep(v)]
        return [new, *stores]

    def keep(self, var: Var) -> list[Stmt]:
        if var not in self.late.needs.kept:
            return []
        if var.type.is_array_value:
            self.late.tapes[var] = memory = Var(var.name, var.type.memory())
            return [ir.Alloc(memory, (), var)]
        return [ir.Store(self.late.tape(var, self.made), self.late.places(var), var)]

    def split(self, stmt: Stmt) -> Stmt:
        late = self.late.vars
        if isinstance(stmt, ir.If):
            outs = tuple(o for o in stmt.outs if o.target not in late)
            return replace(stmt, then=self.block(stmt.then, False), orelse=self.block(stmt.orelse, False), outs=outs)
        assert isinstance(stmt, ir.For)
        carry = tuple(c for c in stmt.carry if c.inner not in late)
        kept = [s for c in carry for s in self.keep(c.inner)]
        return replace(stmt, body=(*kept, *self.block(stmt.body, False)), carry=carry)


class _Rest:
    """The statements that come in each direction; `env` has what takes the place of early variables here."""

    def __init__(self, late: _Late) -> None:
        self.late, self.env = late, dict[Var, Atom]()

    def atom(self, a: Atom) -> Atom:
        return self.env.get(a, a) if isinstance(a, Var) else a

    def fresh(self, var: Var) -> Var:
        new = Var(var.name, var.type)
        self.env[var] = new
        return new

    def block(self, stmts: Iterable[Stmt]) -> tuple[Stmt, ...]:
        return tuple(new for stmt in stmts for new in self.one(stmt))

    def one(self, stmt: Stmt) -> list[Stmt]:
        if stmt in self.late.stmts:
            return list(walk.substitute((stmt,), self.env))
        if stmt in self.late.needs.again:
            return [walk.rebuild(stmt, self.atom, self.fresh, lambda block: block)]
        new = [self.split(stmt)] if walk.blocks(stmt) and self.late.mixed(stmt) else []
        return [*new, *(s for v in walk.defined(stmt) for s in self.again(v))]

    def again(self, var: Var) -> list[Stmt]:
        if var not in self.late.needs.kept:
            return []
        memory = self.late.tapes[var]
        index = (FULL,) * var.type.rank if var.type.rank else walk.map_index(self.late.places(var), self.atom)
        return [ir.Load(self.fresh(var), memory, index)]

    def split(self, stmt: Stmt) -> Stmt:
        late = self.late.vars
        if isinstance(stmt, ir.If):
            cond, then, orelse = self.atom(stmt.cond), self.block(stmt.then), self.block(stmt.orelse)
            outs = tuple(
                ir.Out(o.target, self.atom(o.then), self.atom(o.orelse)) for o in stmt.outs if o.target in late
            )
            return replace(stmt, cond=cond, then=then, orelse=orelse, outs=outs)
        assert isinstance(stmt, ir.For)
        inits = {c: self.atom(c.init) for c in stmt.carry}
        index = self.fresh(stmt.index)
        kept = [s for c in stmt.carry for s in self.again(c.inner)]
        body = (*kept, *self.block(stmt.body))
        carry = tuple(ir.Carry(c.inner, inits[c], self.atom(c.next), c.out) for c in stmt.carry if c.inner in late)
        return replace(stmt, index=index, body=body, carry=carry)
