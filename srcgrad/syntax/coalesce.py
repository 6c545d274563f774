"""Which variables are one Python variable: liveness over the structured program, and copies joined where nothing
interferes.

At each definition everything live after it interferes with it, except the source of a copy, which holds the same
value (Chaitin). Variables that do not interfere may share a name: no definition of one ever destroys a value of the
other that is still read.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator

from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Fun, Var
from srcgrad.syntax.folding import Folds
from srcgrad.syntax.layout import Branch, Leave, Loop, Moves, Node, Plain

Live = frozenset[Var]
NOTHING: Live = frozenset()


class Interference:
    """Found by one walk backwards; marks the moves whose target is dead."""

    def __init__(self, fun: Fun, nodes: tuple[Node, ...], folds: Folds) -> None:
        self.folds = folds
        self.edges: dict[Var, set[Var]] = {}
        self.order: list[Var] = []  # definitions, last first
        live = self.block(nodes, self.reads(fun.results))
        for param in fun.params:
            self.define(param, live.union(fun.params))
        self.order.extend(reversed(fun.params))

    def reads(self, atoms: Iterable[Atom]) -> Live:
        return NOTHING.union(*map(self.folds.leaves, atoms))

    def define(self, var: Var, live: Live) -> None:
        mine = self.edges.setdefault(var, set())
        for other in live:
            if other is not var:
                mine.add(other)
                self.edges.setdefault(other, set()).add(var)

    def block(self, nodes: Iterable[Node], live: Live) -> Live:
        """The variables live before, given those live after."""
        for node in reversed(tuple(nodes)):
            live = self.node(node, live)
        return live

    def node(self, node: Node, live: Live) -> Live:
        match node:
            case Plain(stmt):
                return self.plain(stmt, live)
            case Moves():
                return self.moves(node, live)
            case Leave(cond):
                return live | self.folds.leaves(cond)
            case Branch(stmt, then, orelse):
                return self.block(then, live) | self.block(orelse, live) | self.folds.leaves(stmt.cond)
            case Loop():
                return self.loop(node, live)

    def plain(self, stmt: ir.Stmt, live: Live) -> Live:
        targets = walk.defined(stmt)
        self.order.extend(reversed(targets))
        for target in targets:
            self.define(target, live.union(targets))
        live = live.difference(targets) | self.folds.reads(stmt)
        if isinstance(stmt, (ir.Store, ir.Accumulate)) and self.folds.aliases.grows(stmt.ref):
            self.define(stmt.ref, live)  # growing binds the name again, before the store is evaluated
        return live

    def moves(self, node: Moves, live: Live) -> Live:
        node.dead[:] = [target for target, _ in node.pairs if target not in live]
        pairs = [(target, source) for target, source in node.pairs if target in live]
        for target, source in pairs:
            self.define(target, live - {source} if isinstance(source, Var) and source is not target else live)
            self.order.append(target)
        return live.difference([t for t, _ in pairs]) | self.reads(source for _, source in pairs)

    def loop(self, node: Loop, live: Live) -> Live:
        """What the loop reads from outside, and what is read after it, lives all through it."""
        stmt = node.stmt
        after = self.moves(node.after, live)
        inside = NOTHING.union(*map(self._mentioned, (*node.test, *node.body)))
        inner = frozenset(c.inner for c in stmt.carry)
        through = after | (inside - self._defined(stmt))
        head = through | (inner & inside)
        ends = self.block(node.body, head)
        if isinstance(stmt, ir.For):
            self.order.append(stmt.index)
            nested = (s.index for s in walk.walk(stmt.body) if isinstance(s, ir.For) and stmt.index in ends)
            self.define(stmt.index, ends.union(head, nested))  # a name that is read stands for one loop in its body
            ends -= {stmt.index}
        else:
            ends = self.block(node.test, ends | after)
        before = self.moves(node.before, head | ends | self._bounds(stmt))
        return before

    def _bounds(self, stmt: ir.Stmt) -> Live:
        """A range is evaluated after the carried variables are bound."""
        return self.reads((stmt.start, stmt.stop, stmt.step)) if isinstance(stmt, ir.For) else NOTHING

    def _mentioned(self, node: Node) -> Live:
        """Every variable read in the node."""
        match node:
            case Plain(stmt):
                return self.folds.reads(stmt)
            case Moves():
                return self.reads(source for _, source in node.pairs)
            case Leave(cond):
                return self.folds.leaves(cond)
            case Branch(stmt, then, orelse):
                return NOTHING.union(self.folds.leaves(stmt.cond), *map(self._mentioned, (*then, *orelse)))
            case Loop(stmt, before, test, body, after):
                return self._bounds(stmt).union(*map(self._mentioned, (before, *test, *body, after)))

    def _defined(self, stmt: ir.Stmt) -> Live:
        """Every variable that the loop binds inside."""
        out = set(walk.defined_inside(stmt))
        for _, block in walk.blocks(stmt):
            for one in walk.walk(block):
                out.update(walk.defined(one), walk.defined_inside(one))
        return frozenset(out)


class Classes:
    """Variables joined into one; two classes interfere if any of their members do."""

    def __init__(self, fun: Fun, nodes: tuple[Node, ...], folds: Folds) -> None:
        found = Interference(fun, nodes, folds)
        self.order = list(reversed(found.order))
        self.edges = {var: set(others) for var, others in found.edges.items()}
        self.members: dict[Var, list[Var]] = {}
        self._parent: dict[Var, Var] = {}
        self._fixed = set(fun.params)
        self.alone = {s.index for s in walk.walk(fun.body) if isinstance(s, ir.For)}
        copies = [c for c in _copies(nodes, 0) if c[2] not in folds.inside]
        for same_name in (True, False):
            for _, target, source in sorted(copies, key=lambda c: -c[0]):
                if (target.name == source.name) is same_name:
                    self._join(target, source)

    def find(self, var: Var) -> Var:
        while (up := self._parent.get(var, var)) is not var:
            var = up
        return var

    def interfere(self, a: Var, b: Var) -> bool:
        nothing: set[Var] = set()
        return any(
            not self.edges.get(x, nothing).isdisjoint(self.group(self.find(y))) for x, y in ((a, b), (b, a))
        )

    def group(self, var: Var) -> list[Var]:
        return self.members.get(var, [var])

    def _join(self, target: Var, source: Var) -> None:
        a, b = self.find(target), self.find(source)
        if a is b or target.type != source.type or self.interfere(a, b):
            return
        group = [*self.group(a), *self.group(b)]
        params = [v for v in group if v in self._fixed]
        if self.alone.intersection(group) or len(params) > 1:
            return
        if params and any(v.name not in (params[0].name, "t") for v in group):
            return  # `u = x` stays a line of its own: the user gave two names
        self._parent[b] = a
        self.edges[a] = self.edges.get(a, set()) | self.edges.get(b, set())
        self.members[a] = group


def _copies(nodes: Iterable[Node], depth: int) -> Iterator[tuple[int, Var, Var]]:
    """(depth of loops, target, source) of every copy."""
    for node in nodes:
        match node:
            case Moves():
                for target, source in node.pairs:
                    if target not in node.dead and isinstance(source, Var):
                        yield depth, target, source
            case Branch(_, then, orelse):
                yield from _copies((*then, *orelse), depth)
            case Loop(_, before, test, body, after):
                yield from _copies((before, after), depth)
                yield from _copies((*test, *body), depth + 1)
