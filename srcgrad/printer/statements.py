"""Laid-out statements as Python statements, with the user's lines as comments."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import dropwhile
from typing import cast

from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Const, Fun, Span, Stmt, Var
from srcgrad.errors import UnsupportedError
from srcgrad.printer import helpers, parallel_iterations, templates
from srcgrad.printer.effects import effect
from srcgrad.printer.evaluation_order import Branch, Leave, Loop, Moves, Node, Plain
from srcgrad.printer.expressions import FULL, Called, Expressions, TemplateOf, negated
from srcgrad.printer.folding import Folds, assigned_names
from srcgrad.printer.joined_lines import allocations_at_once, checks_at_once, shapes_at_once
from srcgrad.printer.rooms import rooms
from srcgrad.printer.templates import call, name
from srcgrad.printer.user_lines import one_line

Body = list[ast.stmt]


def _assigns_and_breaks(body: Sequence[ast.stmt]) -> bool:
    """Whether something is assigned in front of a `break` of the loop whose body this is."""
    inner = [block for s in body if isinstance(s, ast.If) for block in (s.body, s.orelse)]
    breaks = bool(body) and isinstance(body[-1], ast.Break) and any(not is_comment(s) for s in body[:-1])
    return breaks or any(map(_assigns_and_breaks, inner))


def comment(text: str) -> ast.stmt:
    """A line that is no statement: the printer writes a name as it is."""
    return ast.Expr(name(f"# {text}"))


def is_comment(stmt: ast.stmt) -> bool:
    return isinstance(stmt, ast.Expr) and isinstance(stmt.value, ast.Name) and stmt.value.id.startswith("#")


Into = Callable[[ir.Store, Folds], templates.Template | None]


def _no_way(stmt: ir.Store, folds: Folds) -> None:
    return None


def _in_python(body: Sequence[ast.stmt]) -> Body:
    """Statements that compiled code leaves to Python."""
    return [ast.With([ast.withitem(call("objmode"))], [*body])]


class Statements:
    """compiled: for Numba, which leaves to Python what it cannot print.   called: how a call is written.

    template: what a primitive is printed as.   into: the same where its result is stored.
    """

    def __init__(
        self,
        folds: Folds,
        names: Mapping[Var, str],
        helper: Callable[[str, str], str],
        compiled: bool = True,
        called: Called | None = None,
        template: TemplateOf = templates.of_let,
        into: Into = _no_way,
    ) -> None:
        self.folds, self.names, self.helper, self.compiled = folds, names, helper, compiled
        self.express, self.into = Expressions(folds, names, called, template), into
        self.atom = self.express.atom
        self.said: Span | None = None  # whose line the last comment shows
        self.told: set[Span] = set()  # the lines that comments of this sweep have shown
        self.function_name = ""
        self.rooms: Mapping[Stmt, Sequence[Var]] = {}
        self.outlined: list[ast.FunctionDef] = []

    def function(self, fun: Fun, nodes: Sequence[Node]) -> ast.FunctionDef:
        self.function_name, self.rooms = fun.name, rooms(fun, self.folds.memory)
        shown = dropwhile(lambda n: isinstance(n, Plain) and isinstance(n.stmt, ir.Remark) and n.stmt.opens, nodes)
        lines = checks_at_once(line for node in shown for line in self.node(node))
        body = allocations_at_once(shapes_at_once(lines, self.ranks(fun)))
        if fun.facts.kernel is None and (fun.results or not body):
            results = [self.atom(r) for r in fun.results]
            value = results[0] if len(results) == 1 else ast.Tuple(results, ast.Load())
            body.extend(self.with_comment(ast.Return(value), self.span_of(fun.results), repeat=False))
        args = [ast.arg(self.names[p]) for p in fun.params]
        empty: list[ast.expr] = []
        return ast.FunctionDef(fun.name, ast.arguments([], args, None, [], [], None, []), body or [ast.Pass()], empty)

    def ranks(self, fun: Fun) -> dict[str, int]:
        """How many axes each array parameter has."""
        return {self.names[p]: p.type.rank for p in fun.params if p.type.ref}

    def span_of(self, atoms: Sequence[Atom]) -> Span | None:
        """The line that one of the folded atoms comes from."""
        stmts = [self.folds.inside[a] for a in atoms if isinstance(a, Var) and a in self.folds.inside]
        return next((s.span for s in stmts if s.span is not None), None)

    def block(self, nodes: Sequence[Node], span: Span | None) -> Body:
        """The statements of a region below a header of this span; comments that nothing follows are dropped."""
        before, self.said = self.said, span
        out = allocations_at_once(checks_at_once(line for node in nodes for line in self.node(node)))
        self.said = before
        while out and is_comment(out[-1]):
            out.pop()
        return out

    def node(self, node: Node) -> Body:
        match node:
            case Plain(stmt):
                lines = self.plain(stmt)
                if isinstance(stmt, ir.Alloc) and isinstance(stmt.init, ir.Init):
                    return lines  # says itself what it is
                repeat = not isinstance(stmt, (ir.Effect, ir.Draw))
                first = lines[:1] and self.with_comment(lines[0], stmt.span, repeat)
                return [*first, *lines[1:]]
            case Moves():
                return self.moves(node)
            case Leave(cond, when):
                test = self.atom(cond)
                if isinstance(test, ast.Constant):
                    return [ast.Break()] if test.value == when else []
                return [ast.If(test if when else negated(test), [ast.Break()], [])]
            case Branch():
                return self.branch(node)
            case Loop():
                return self.loop(node)

    # ---- comments

    def with_comment(self, stmt: ast.stmt, span: Span | None, repeat: bool = True) -> Body:
        """The statement below the user's line it comes from. repeat=False: not if it is that line."""
        if span is None or _same_line(span, self.said):
            return [stmt]
        self.said = span
        if self.is_told(span):
            return [stmt]
        text = one_line(span.text)
        same = not repeat and _normal(text) == _normal_tree(stmt)
        stray = isinstance(stmt, ast.Return) and not text.startswith("return")
        if not text or same or stray or text.startswith(("for ", "while ", "def ")):
            return [stmt]
        self.told.add(span)
        return [comment(text), stmt]

    def is_told(self, span: Span) -> bool:
        """Whether a comment of this sweep has shown the line: what is left of it stands where it can."""
        return span in self.told

    # ---- statements without regions

    def plain(self, stmt: Stmt) -> Body:
        match stmt:
            case ir.Call(targets=()):
                return [ast.Expr(self.express.value(stmt))]
            case ir.Let() | ir.Call() if len(stmt.targets) != 1:
                return [self.bind(stmt.targets, self.express.value(stmt))]
            case ir.Store():
                return self.store(stmt)
            case ir.Accumulate():
                return self.accumulate(stmt)
            case ir.NewList(refs):
                # Not an empty comprehension: in a function with one Numba takes stores for dead if what they change is
                # only read through a list or a tuple.
                return [self.bind((refs,), self.express.value(stmt)), self.method(refs, "clear")]
            case ir.Append(refs, ref, pos):
                position = [self.bind((pos,), call("len", self.atom(refs)))] if self.folds.uses[pos] else []
                return [*position, self.method(refs, "append", self.atom(ref))]
            case ir.Effect():
                made = effect(stmt, self.atom)
                return _in_python([made]) if self.compiled and isinstance(stmt, ir.Print) and stmt.in_python else [made]
            case ir.Draw(target) if not self.folds.uses[target]:
                return [ast.Expr(self.express.value(stmt))]
            case ir.Remark(text):
                self.said = None
                self.told.clear()
                return [comment(text)]
            case ir.Barrier():
                return [ast.Expr(call("cuda.syncthreads"))]
        return [self.augmented(stmt, self.bind(walk.defined(stmt), self.express.value(stmt)))]

    def method(self, of: Var, name: str, *args: ast.expr) -> ast.stmt:
        return ast.Expr(ast.Call(ast.Attribute(self.atom(of), name, ast.Load()), [*args], []))

    def augmented(self, stmt: Stmt, made: ast.stmt) -> ast.stmt:
        """`k += 1` where the user wrote so, and where an adjoint takes one more part."""
        if not isinstance(made, ast.Assign) or not isinstance(made.value, ast.BinOp) or not isinstance(stmt, ir.Let):
            return made
        target, value = made.targets[0], made.value
        same = isinstance(target, ast.Name) and isinstance(value.left, ast.Name) and target.id == value.left.id
        if not same or not stmt.target.type.is_scalar:
            return made
        text = stmt.span.text if stmt.span is not None else ""
        assert isinstance(target, ast.Name)
        named = target.id.removesuffix("_dot")
        ours = bool(text) and named[:2].strip("_23456789") != "t" and named not in assigned_names(text)
        counts = ours or stmt.target.type == ir.I8 or "_bar" in self.names[stmt.target]
        sums = isinstance(value.op, (ast.Add, ast.Sub)) and counts
        return ast.AugAssign(target, value.op, value.right) if sums or _is_augmented(text) else made

    def bind(self, targets: Sequence[Var], value: ast.expr) -> ast.stmt:
        names: list[ast.expr] = [ast.Name(self.names[t], ast.Store()) for t in targets]
        return ast.Assign([names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())], value)

    def store(self, stmt: ir.Store) -> Body:
        there = self.into(stmt, self.folds)
        if there is not None:
            let = self.folds.inside[cast(Var, stmt.value)]
            assert isinstance(let, ir.Let)
            args = [self.atom(a, copies=False) for a in (*let.args, stmt.ref)]
            return [ast.Expr(templates.fill(there, args, let.params))]
        shared = self.folds.memory.of(stmt.ref)
        load = self.folds.inside.get(stmt.value) if isinstance(stmt.value, Var) else None
        copies = not isinstance(load, ir.Load) or bool(self.folds.memory.of(load.ref) & shared)
        value = self.atom(stmt.value, copies)
        return [*self.room(stmt), ast.Assign([self.express.place(stmt.ref, stmt.index, ast.Store())], value)]

    def accumulate(self, stmt: ir.Accumulate) -> Body:
        if any(not isinstance(i, ir.Slice) and i.type.rank for i in stmt.index):
            return [self.add_at(stmt)]
        if stmt.atomic:
            parts = self.atom(stmt.ref), self.express.index(stmt.index), self.atom(stmt.value)
            return [ast.Expr(call(f"cuda.atomic.{stmt.atomic.value}", *parts))]
        value, op = self.atom(stmt.value), cast(ast.operator, ast.Add())
        place = cast(ast.Subscript, self.express.place(stmt.ref, stmt.index, ast.Store()))
        if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
            value, op = value.operand, ast.Sub()
        return [*self.room(stmt), ast.AugAssign(place, op, value)]

    def add_at(self, stmt: ir.Accumulate) -> ast.stmt:
        """Through a helper: `a[places] += values` adds only once to a repeated place."""
        axes = [k for k, i in enumerate(stmt.index) if not isinstance(i, ir.Slice) and i.type.rank]
        fixed = [k for k, i in enumerate(stmt.index) if not isinstance(i, ir.Slice) and not i.type.rank]
        together = sorted(axes + fixed)
        adjacent = together[-1] - together[0] + 1 == len(together)
        left = [k for k in range(len(stmt.index)) if k not in fixed]
        front = left.index(axes[0]) if adjacent else 0
        scalar = stmt.value.type.rank == 0
        arrays = [i for i in (stmt.index[k] for k in axes) if not isinstance(i, ir.Slice)]
        plain = all(i.type.rank == 1 and i.type.dtype != "b1" for i in arrays)
        if not plain or stmt.value.type.rank not in (0, len(left) - len(axes) + 1):
            raise UnsupportedError("adding to places given by arrays of more than one axis is not supported yet")
        base = tuple(FULL if k in axes else i for k, i in enumerate(stmt.index))
        place = self.express.place(stmt.ref, base, ast.Load(), whole="bare")
        function = self.helper(*helpers.add_at(len(left), [left.index(k) for k in axes], front, scalar))
        return ast.Expr(call(function, place, *map(self.atom, arrays), self.atom(stmt.value)))

    def room(self, stmt: ir.Store | ir.Accumulate) -> Body:
        """Before a store to memory that grows: make room."""
        if not self.folds.memory.grows(stmt.ref):
            return []
        refs = self.rooms.get(stmt)
        if not refs:
            return [self.bigger(stmt, stmt.ref)] if refs is None else []
        grown = [self.bigger(stmt, ref) for ref in refs]
        (axis,) = self.growing(stmt.ref)
        item = stmt.index[axis]
        assert not isinstance(item, ir.Slice)
        length = ast.Subscript(ast.Attribute(self.atom(stmt.ref), "shape", ast.Load()), ast.Constant(axis), ast.Load())
        return [ast.If(ast.Compare(self.atom(item), [ast.GtE()], [length]), grown, [])]

    def growing(self, ref: Var) -> list[int]:
        """The axes along which memory grows."""
        alloc = self.folds.defs.get(ref)
        if not isinstance(alloc, ir.Alloc):
            raise UnsupportedError("memory that grows is stored to through another name")
        return [k for k, n in enumerate(alloc.shape) if n is None]

    def bigger(self, stmt: ir.Store | ir.Accumulate, ref: Var) -> ast.stmt:
        """ref = the same with room for what the statement stores to."""
        alloc, axes = self.folds.defs[ref], self.growing(ref)
        assert isinstance(alloc, ir.Alloc)
        places = [i for i in (stmt.index[k] for k in axes) if not isinstance(i, ir.Slice) and not i.type.rank]
        if len(places) != len(axes):
            raise UnsupportedError("memory grows along an axis that is stored to as a whole")
        function = self.helper(*helpers.grow(len(alloc.shape), axes, alloc.init is ir.Init.ZEROS))
        return self.bind((ref,), call(function, self.atom(ref), *map(self.atom, places)))

    # ---- copies

    def moves(self, node: Moves) -> Body:
        """One after another where no target is still to be read, else at once."""
        left = []
        for target, source in node.pairs:
            if target in node.dead:
                continue
            reads = {self.names[v] for v in self.folds.leaves(source)}
            plain = isinstance(source, Var) and source not in self.folds.inside
            if not (plain and reads == {self.names[target]}):
                left.append((target, source, reads))
        out: Body = []
        while left:
            ready = next((m for m in left if not any(self.names[m[0]] in o[2] for o in left if o is not m)), None)
            if ready is None:
                swap = self.bind([m[0] for m in left], ast.Tuple([self.atom(m[1]) for m in left], ast.Load()))
                return [*out, *self.with_comment(swap, self.span_of([m[1] for m in left]))]
            left.remove(ready)
            out.extend(self.with_comment(self.bind((ready[0],), self.atom(ready[1])), self.span_of([ready[1]])))
        return out

    # ---- regions

    def branch(self, node: Branch) -> Body:
        test = self.atom(node.stmt.cond)
        then, orelse = (self.block(side, node.stmt.span) for side in (node.then, node.orelse))
        after: Body = []
        if node.breaks is not None:
            test = test if node.breaks else negated(test)
            leave, after = (then, orelse) if node.breaks else (orelse, then)
            then, orelse = [*leave, ast.Break()], []
        elif not then:
            test, then, orelse = negated(test), orelse, []
        if not then:
            return []
        if not orelse and isinstance(then[-1], ast.Raise):
            return [ast.If(_larger_first(test), then, []), *after]  # its message names the line
        return [*self.header(ast.If(test, then, orelse), node.stmt.span), *after]

    def loop(self, node: Loop) -> Body:
        before = self.moves(node.before)
        stmt = node.stmt
        if isinstance(stmt, ir.For):
            body = self.block(node.body, stmt.span) or [ast.Pass()]
            index = ast.Name(self.names[stmt.index], ast.Store())
            loop = ast.For(index, self.range(stmt), body, [])
            if parallel_iterations.guarded(stmt):
                functions, lines = parallel_iterations.outlined(loop, self.function_name, set(self.names.values()))
                self.outlined.extend(functions)
                return [*before, *lines, *self.moves(node.after)]
            if stmt.outlined:
                functions, lines = parallel_iterations.chosen(loop, self.function_name, self.taken())
                self.outlined.extend(functions)
                return [*before, *lines, *self.moves(node.after)]
            made: ast.stmt = loop
        else:
            made = self.while_(node)
        return [*before, *self.header(made, stmt.span), *self.moves(node.after)]

    def taken(self) -> set[str]:
        return {*self.names.values(), *(f.name for f in self.outlined)}

    def while_(self, node: Loop) -> ast.stmt:
        first, body = node.test[0], self.block(node.body, node.stmt.span)
        if len(node.test) == 1 and isinstance(first, Leave):
            return self.endless_loop(ast.While(self.atom(first.cond), body or [ast.Pass()], []))
        test = self.block(node.test, node.stmt.span)
        return self.endless_loop(ast.While(ast.Constant(True), [*test, *body], []))

    def endless_loop(self, loop: ast.While) -> ast.While:
        """Numba forgets what a loop that has no test assigns in front of a `break`: there it gets a test."""
        forever = isinstance(loop.test, ast.Constant) and loop.test.value is True
        if self.compiled and forever and _assigns_and_breaks(loop.body):
            loop.test = ast.Compare(ast.Constant(0), [ast.Lt()], [ast.Constant(1)])
        return loop

    def range(self, stmt: ir.For) -> ast.expr:
        start, stop, step = (self.atom(a) for a in (stmt.start, stmt.stop, stmt.step))
        if stmt.parallel:
            return call("prange", *([] if stmt.start == Const(0, ir.I8) else [start]), stop)
        if stmt.step != Const(1, ir.I8):
            return call("range", start, stop, step)
        return call("range", *([] if stmt.start == Const(0, ir.I8) else [start]), stop)

    def header(self, stmt: ast.For | ast.While | ast.If | ast.stmt, span: Span | None) -> Body:
        """A loop or a branch below the user's header, unless that says the same."""
        if _same_line(span, self.said):
            return [stmt]
        text = "" if span is None else one_line(span.text)
        # what comes of the same line after a loop over elements goes on under its comment, unless another stood in it
        self.said = None if text.endswith(":") or any(map(is_comment, _lines(stmt))) else span
        if not text or _same_header(stmt, text) or (span is not None and self.is_told(span)):
            return [stmt]
        if span is not None:
            self.told.add(span)
        return [comment(text), stmt]


def _larger_first(test: ast.expr) -> ast.expr:
    """`n <= 8` for `8 >= n`, in what a check asks."""
    match test:
        case ast.BoolOp(op, values):
            return ast.BoolOp(op, [_larger_first(v) for v in values])
        case ast.Compare(ast.Constant() as left, [op], [right]) if type(op) in MIRRORED and not isinstance(
            right, ast.Constant
        ):
            return ast.Compare(right, [MIRRORED[type(op)]()], [left])
    return test


MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.GtE: ast.LtE, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.Lt: ast.Gt}


def _lines(stmt: ast.stmt) -> Iterator[ast.stmt]:
    """The statements inside a statement."""
    return (n for n in ast.walk(stmt) if isinstance(n, ast.stmt))


def _is_augmented(text: str) -> bool:
    return re.match(r"\s*\w+\s*(\+|-|\*|/|//|%|\*\*|@)=", text) is not None


def _same_line(a: Span | None, b: Span | None) -> bool:
    return a is not None and b is not None and (a.file, a.line, a.text) == (b.file, b.line, b.text)


@lru_cache(maxsize=4096)
def _normal(text: str) -> str | None:
    try:
        return ast.unparse(ast.parse(text))
    except SyntaxError:
        return None


def _normal_tree(stmt: ast.stmt) -> str:
    return ast.unparse(ast.fix_missing_locations(ast.Module([stmt], [])))


def _same_header(stmt: ast.stmt, text: str) -> bool:
    """Whether the printed header says what the user's does (a reversed loop over the same range does)."""
    text = text.removeprefix("el") if text.startswith("elif") else text
    try:
        (theirs,) = ast.parse(text + " pass" if text.endswith(":") else text).body
    except (SyntaxError, ValueError):
        return False
    if isinstance(stmt, ast.For) and isinstance(theirs, ast.For):
        ranged = isinstance(theirs.iter, ast.Call) and ast.unparse(theirs.iter.func) in (
            "range",
            "prange",
            "numba.prange",
        )
        return ranged and ast.unparse(theirs.target) in ("_", ast.unparse(stmt.target))
    if isinstance(stmt, (ast.If, ast.While)) and type(stmt) is type(theirs):
        assert isinstance(theirs, (ast.If, ast.While))
        return ast.unparse(stmt.test) == ast.unparse(theirs.test)
    return False
