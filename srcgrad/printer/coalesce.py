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
from srcgrad.printer.evaluation_order import Branch, Leave, Loop, Moves, Node, Plain
from srcgrad.printer.folding import Folds

Live = int  # a set of variables, a bit each: of a long function most sets are large
NOTHING: Live = 0


class Interference:
    """Found by one walk backwards; marks the moves whose target is dead.

    edges: what is alive after a definition of the variable (only here, not also with those that are alive).
    """

    def __init__(self, fun: Fun, nodes: tuple[Node, ...], folds: Folds) -> None:
        self.folds = folds
        self.bits: dict[Var, Live] = {}
        self.edges: dict[Var, Live] = {}
        self.order: list[Var] = []  # definitions, last first
        live = self.block(nodes, self.reads(fun.results))
        for param in fun.params:
            self.define(param, live | self.set_of(fun.params))
        self.order.extend(reversed(fun.params))

    def bit(self, var: Var) -> Live:
        found = self.bits.get(var)
        if found is None:
            found = self.bits[var] = 1 << len(self.bits)
        return found

    def set_of(self, variables: Iterable[Var]) -> Live:
        out = NOTHING
        for var in variables:
            out |= self.bit(var)
        return out

    def reads(self, atoms: Iterable[Atom]) -> Live:
        return self.set_of(v for atom in atoms for v in self.folds.leaves(atom))

    def define(self, var: Var, live: Live) -> None:
        self.edges[var] = (self.edges.get(var, NOTHING) | live) & ~self.bit(var)

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
                return live | self.reads((cond,))
            case Branch(stmt, then, orelse):
                return self.block(then, live) | self.block(orelse, live) | self.reads((stmt.cond,))
            case Loop():
                return self.loop(node, live)

    def plain(self, stmt: ir.Stmt, live: Live) -> Live:
        targets = walk.defined(stmt)
        self.order.extend(reversed(targets))
        own = self.set_of(targets)
        for target in targets:
            self.define(target, live | own)
        live = live & ~own | self.set_of(self.folds.reads(stmt))
        if isinstance(stmt, (ir.Store, ir.Accumulate)) and self.folds.memory.grows(stmt.ref):
            self.define(stmt.ref, live)  # growing binds the name again, before the store is evaluated
        return live

    def moves(self, node: Moves, live: Live) -> Live:
        node.dead[:] = [target for target, _ in node.pairs if not live & self.bit(target)]
        pairs = [(target, source) for target, source in node.pairs if live & self.bit(target)]
        for target, source in pairs:
            copied = isinstance(source, Var) and source is not target
            self.define(target, live & ~self.bit(source) if copied and isinstance(source, Var) else live)
            self.order.append(target)
        return live & ~self.set_of(t for t, _ in pairs) | self.reads(source for _, source in pairs)

    def loop(self, node: Loop, live: Live) -> Live:
        """What the loop reads from outside, and what is read after it, lives all through it."""
        stmt = node.stmt
        after = self.moves(node.after, live)
        inside = NOTHING
        for one in (*node.test, *node.body):
            inside |= self._mentioned(one)
        inner = self.set_of(c.inner for c in stmt.carry)
        through = after | (inside & ~self._defined(stmt))
        head = through | (inner & inside)
        ends = self.block(node.body, head)
        if isinstance(stmt, ir.For):
            self.order.append(stmt.index)
            read = ends & self.bit(stmt.index)
            nested = (s.index for s in walk.walk(stmt.body) if isinstance(s, ir.For) and read)
            # a name that is read stands for one loop in its body
            self.define(stmt.index, ends | head | self.set_of(nested))
            ends &= ~self.bit(stmt.index)
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
                return self.set_of(self.folds.reads(stmt))
            case Moves():
                return self.reads(source for _, source in node.pairs)
            case Leave(cond):
                return self.reads((cond,))
            case Branch(stmt, then, orelse):
                return self._all_mentioned((*then, *orelse), self.reads((stmt.cond,)))
            case Loop(stmt, before, test, body, after):
                return self._all_mentioned((before, *test, *body, after), self._bounds(stmt))

    def _all_mentioned(self, nodes: Iterable[Node], out: Live) -> Live:
        for node in nodes:
            out |= self._mentioned(node)
        return out

    def _defined(self, stmt: ir.Stmt) -> Live:
        """Every variable that the loop binds inside."""
        out = set(walk.defined_inside(stmt))
        for _, block in walk.blocks(stmt):
            for one in walk.walk(block):
                out.update(walk.defined(one), walk.defined_inside(one))
        return self.set_of(out)


class Classes:
    """Variables joined into one; two classes interfere if any of their members do.

    sets, edges: of each root, the members, and what is alive where one of them is defined.
    """

    def __init__(self, fun: Fun, nodes: tuple[Node, ...], folds: Folds) -> None:
        found = Interference(fun, nodes, folds)
        self.order = list(reversed(found.order))
        self.sets, self.edges = found.bits, found.edges
        self.members: dict[Var, list[Var]] = {}
        self._parent: dict[Var, Var] = {}
        self.alone = {s.index for s in walk.walk(fun.body) if isinstance(s, ir.For)}
        self._params, self._alone = frozenset(fun.params), found.set_of(self.alone)
        self._fixed = found.set_of(fun.params)
        copies = [c for c in _copies(nodes, 0) if c[2] not in folds.inside]
        for same_name in (True, False):
            for _, target, source in sorted(copies, key=lambda c: -c[0]):
                if (target.name == source.name) is same_name:
                    self._join(target, source)

    def find(self, var: Var) -> Var:
        while (up := self._parent.get(var, var)) is not var:
            self._parent[var] = var = self._parent.get(up, up)
        return var

    def interfere(self, a: Var, b: Var) -> bool:
        get = self.edges.get
        return bool(get(a, NOTHING) & self.set_of(b) or get(b, NOTHING) & self.set_of(a))

    def set_of(self, root: Var) -> Live:
        return self.sets.get(root, NOTHING)

    def group(self, var: Var) -> list[Var]:
        return self.members.get(var, [var])

    def _join(self, target: Var, source: Var) -> None:
        a, b = self.find(target), self.find(source)
        if a is b or target.type != source.type or self.interfere(a, b):
            return
        joined = self.set_of(a) | self.set_of(b)
        if joined & self._alone or not self._may_name(joined, a, b):
            return
        self._parent[b] = a
        self.sets[a] = joined
        self.edges[a] = self.edges.get(a, NOTHING) | self.edges.get(b, NOTHING)
        self.members[a] = [*self.group(a), *self.group(b)]

    def _may_name(self, joined: Live, a: Var, b: Var) -> bool:
        """Whether both can have one name: no two parameters, and beside one of them only what is called like it."""
        if not joined & self._fixed:
            return True
        group = [*self.group(a), *self.group(b)]
        param, *more = [v for v in group if v in self._params]
        # `u = x` stays a line of its own: the user gave two names
        return not more and all(v.name in (param.name, "t") for v in group)


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
