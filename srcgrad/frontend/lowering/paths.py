"""How paths part and meet.

Jumps are structured away here. Each path has its flags (`returned`, `broken`, ...), most of them constants: where one
side of an `if` jumps, what follows moves into the other side; flags that are not constant guard the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.errors import SrcgradError, UnsupportedError
from srcgrad.frontend.lowering import growing_lists, joining, values
from srcgrad.frontend.lowering.foreseeing import Foreseen, only_computes
from srcgrad.frontend.lowering.retry import Attempt, Held
from srcgrad.frontend.lowering.state import REPORTED, Reported, State, Unresolved
from srcgrad.frontend.lowering.values import (
    CONDITIONS,
    FALSE,
    JUMPS,
    RESULT,
    TRUE,
    VALUE,
    Cell,
    Content,
    Env,
    Flags,
    Known,
    Maybe,
    Poison,
    Struct,
    Value,
)
from srcgrad.frontend.source.liveness import Names, assigned
from srcgrad.rules.language.arguments import NotKnown

Conditions = dict[str, Atom]


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """A side of a branch: what was done in it, the value that it gives (an expression), and whether it never ends."""

    tried: Attempt
    value: Value | None
    dead: bool


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where two sides are joined: their statements, what objects hold on either, and what comes out of the branch."""

    blocks: tuple[list[Stmt], list[Stmt]]
    views: tuple[Held, Held]
    outs: list[ir.Out] = field(default_factory=list)


def held_in(struct: Struct, content: Content) -> Value | None:
    """What an object holds, as a value that can be joined with what it holds on another path."""
    if struct.kind is Cell:
        return content[1][0] if content[1] else None
    return content[2] if isinstance(content[2], Poison) else struct.with_content(content)


def wish_of(struct: Struct) -> str:
    """A name for what an object holds, like those of no variable."""
    return f"@{struct.label or 'item'}@{struct.born}"


class Lowering(State):
    """One function of the core being made; the functions it calls are read into it."""

    # ---- blocks and jumps

    def flag(self, name: str) -> Atom:
        return self.frame.flags.get(name)

    def set_flags(self, **changed: Any) -> None:
        self.frame.flags = self.frame.flags.but(**changed)

    def block(self, stmts: Sequence[ast.stmt]) -> None:
        for n, node in enumerate(stmts):
            if self.frame.flags.raised:
                return
            pending = [name for name in JUMPS if self.flag(name) != FALSE]
            if any(isinstance(self.flag(name), Const) for name in pending):
                return
            if pending:
                return self._guarded(pending, stmts[n:])
            one = self._tested if self.calls.tests(self.b.out) else self._one
            if one(node, stmts[n + 1 :]):
                return

    def _one(self, node: ast.stmt, rest: Sequence[ast.stmt]) -> bool:
        """A statement; whether it has taken the rest of its block with it."""
        if isinstance(node, ast.If) and jumps(node.body + node.orelse):
            self._if_jump(node, rest)
            return True
        if isinstance(node, ast.Match) and jumps([node]):
            with self.b.at(self.frame.source.span(node)), self.placing(node):
                self.constructs.match(node, rest)
            return True
        self._collecting(node)
        return False

    def _tested(self, node: ast.stmt, rest: Sequence[ast.stmt], passed: int = 0) -> bool:
        """The same inside of a `try`: in front of what may raise it is tested whether it will. passed: so many of these
        tests stand already."""
        frame, reading, names = self.frame, self.frame.node, self.frame.locals
        with self.attempt() as tried:
            sites = self.calls.begun(tried.out, passed)
            found: Foreseen | None = None
            try:
                taken = self._one(node, rest)
                self.expect_foreseen(tried.out, node)
            except Foreseen as site:
                found = site
            finally:
                self.calls.sites = sites
        frame.node, frame.locals = reading, names
        if found is None:
            self.keep(tried)
            frame.env, frame.flags = tried.env, tried.flags
            return taken
        if tried.held or not only_computes(tried.out):
            with self.placing(node):
                self.refuse("a statement inside `try` does something before what may raise", "make two of it")
        self.b.out.extend(tried.out)
        live = self.live_after(rest[-1] if rest else node)

        def goes_on() -> None:
            with self.calls.having_tested(found.what):
                if not self._tested(node, rest, found.seen):
                    self.block(rest)

        with self.b.at(frame.source.span(node)), self.placing(node):
            self.branch(found.wrong, lambda: self.leave_try(found.which), goes_on, live)
        return True

    def leave_try(self, which: Atom) -> None:
        """Something is raised that a `try` catches."""
        self.set_flags(returned=TRUE, caught=TRUE, which=which)

    def _collecting(self, node: ast.stmt) -> None:
        """A statement; if it is refused, that is noted, and what follows is looked at too."""
        try:
            self.stmt(node)
        except SrcgradError as error:
            if not isinstance(error, Reported):
                self.retry.refusals.append(error)
            self.frame.env.update(dict.fromkeys(assigned([node]), REPORTED))
            if isinstance(node, (ast.Return, ast.Raise)):
                self.set_flags(raised=True)

    def raise_refusals(self) -> None:
        """All that was refused, as one error."""
        problems = list(dict.fromkeys(p for error in self.retry.refusals for p in error.problems))
        if problems:
            kinds = {UnsupportedError if isinstance(e, NotKnown) else type(e) for e in self.retry.refusals}
            raise (kinds.pop() if len(kinds) == 1 else UnsupportedError)(problems[0].message, problems=problems)

    def live_after(self, node: ast.stmt) -> Names:
        live = self.frame.live
        return live.after[id(node)] | live.always | self.frame.kept

    def _guarded(self, pending: list[str], stmts: Sequence[ast.stmt]) -> None:
        """The statements, unless one of these flags is set."""
        set_ = self.flag(pending[0])
        for name in pending[1:]:
            set_ = self.either(set_, self.flag(name))
        flags: Conditions = {name: self.flag(name) for name in pending} if len(pending) == 1 else {}

        def go() -> None:
            self.set_flags(**dict.fromkeys([*pending, "caught"], FALSE))
            self.block(stmts)

        def skip() -> None:
            self.set_flags(**dict.fromkeys(flags, TRUE))

        with self.b.at(None), self.placing(stmts[0]):
            self.branch(self.negated(set_), go, skip, self.live_after(stmts[-1]), flags)

    def _if_jump(self, node: ast.If, rest: Sequence[ast.stmt]) -> None:
        """What follows moves into the side that does not jump."""
        if not (leaves(node.body) or leaves(node.orelse)):
            self.stmt(node)
            return self.block(rest)
        live = self.live_after(rest[-1] if rest else node)
        span = self.frame.source.span(node)
        with self.b.at(span), self.placing(node):
            cond = self.truth(self.ex(node.test))
            self.branch(cond, lambda: self.block([*node.body, *rest]), lambda: self.block([*node.orelse, *rest]), live)

    # ---- branches

    @contextmanager
    def into(self, out: list[Stmt]) -> Iterator[None]:
        kept, self.b.out = self.b.out, out
        try:
            yield
        finally:
            self.b.out = kept

    def _side(self, run: Callable[[], Value | None]) -> Side:
        value = None
        with self.attempt() as tried:
            try:
                value = run()
                ends = not self.frame.flags.raised
            except Unresolved:
                ends = False
        return Side(tried, value, not ends)

    def branch(
        self,
        cond: Atom,
        then: Callable[[], Value | None],
        orelse: Callable[[], Value | None],
        live: Names | None,
        flags: Conditions | None = None,
    ) -> Value | None:
        """Lower both sides and join what they bind (of `live`, or all), and what they give. A side that only raises
        becomes a guard. A list that has another length on the two sides is one of unknown length from before the
        branch, and the sides are lowered again."""
        if isinstance(cond, Const):
            return (then if cond.value else orelse)()
        first, second = self._knowing(cond, True, then), self._knowing(cond, False, orelse)
        a, b = self.retry.until_stable(lambda: (self._side(first), self._side(second)), self._outgrown)
        if a.dead or b.dead:
            return self._one_side(cond, a, b)
        return self._meet(cond, a, b, live, flags or {})

    def _knowing(self, cond: Atom, holds: bool, run: Callable[[], Value | None]) -> Callable[[], Value | None]:
        """A side on which it is known of some names whether they have a value."""
        known = dict(self.implied(cond, holds))
        perhaps = {name: v for name, v in self.frame.env.items() if isinstance(v, Maybe) and v.bound in known}
        told = {n: v.value if known[v.bound] else Known(None) for n, v in perhaps.items() if v.missing == values.NONE}
        if not told:
            return run

        def go() -> Value | None:
            self.frame.env.update(told)
            value = run()
            env = self.frame.env
            env.update({name: perhaps[name] for name, was in told.items() if env.get(name) is was})
            return value

        return go

    def _meet(self, cond: Atom, a: Side, b: Side, live: Names | None, flags: Conditions) -> Value | None:
        """Join what two sides leave behind; what they give."""
        frame, span, x, y = self.frame, self.b.span, a.tried, b.tried
        meeting = Meeting((x.out, y.out), (x.held, y.held))
        env: Env = {}
        for name in dict.fromkeys([*x.env, *y.env]):
            p, q = x.env.get(name), y.env.get(name)
            if live is None or name in live or values.identical(p, q):
                joined = self._joined(name, p, q, meeting)
                if joined is not None:
                    env[name] = joined
        met = self._flags_met(x.flags, y.flags, flags, meeting)
        value = self._joined(VALUE, a.value, b.value, meeting)
        for struct in dict.fromkeys([*x.held, *y.held]):
            p, q = (held_in(struct, side.held.get(struct, struct.content)) for side in (x, y))
            self.hold(struct, self._joined(wish_of(struct), p, q, meeting))
        frame.env, frame.flags = env, met
        if x.out or y.out or meeting.outs:
            self.b.put(ir.If(cond, tuple(x.out), tuple(y.out), tuple(meeting.outs), span=span))
        return value

    def _flags_met(self, x: Flags, y: Flags, flags: Conditions, meeting: Meeting) -> Flags:
        """flags: those set on the second side exactly when they were set before."""
        result = self._joined(RESULT, x.result, y.result, meeting)
        met = Flags(result=result)
        for name in CONDITIONS:
            known = name in flags and x.get(name) == FALSE
            joined = flags[name] if known else self._joined(CONDITIONS[name], x.get(name), y.get(name), meeting)
            met = met.but(**{name: joined})
        return met.but(which=self._joined("which", x.which, y.which, meeting))

    def _one_side(self, cond: Atom, a: Side, b: Side) -> Value | None:
        """A side that surely raises becomes a guard; the other is what follows."""
        frame, span = self.frame, self.b.span
        if a.dead and b.dead:
            self.b.put(ir.If(cond, tuple(a.tried.out), tuple(b.tried.out), span=span))
            self.set_flags(raised=True)
            return None
        dead, alive = (a, b) if a.dead else (b, a)
        if dead.tried.out:
            guard = cond if a.dead else self.negated(cond)
            self.b.put(ir.If(guard, tuple(dead.tried.out), (), span=span))
        self.b.out.extend(alive.tried.out)
        frame.env, frame.flags = alive.tried.env, alive.tried.flags
        for struct, content in alive.tried.held.items():
            self.put_content(struct, content)
        return alive.value

    def _outgrown(self, sides: tuple[Side, Side]) -> bool:
        """Whether a list has other lengths on the two sides; it becomes one of unknown length, here."""
        a, b = sides
        for struct in dict.fromkeys([*a.tried.held, *b.tried.held]):
            if struct.kind is list and not a.dead and not b.dead:
                ends = [side.tried.held.get(struct, struct.content) for side in sides]
                wanted = growing_lists.outgrown(self, struct.content, ends, False)
                if wanted is not None:
                    growing_lists.become(self, struct, wanted)
                    return True
        return False

    def hold(self, struct: Struct, value: Value | None) -> None:
        """Let an object hold what was joined."""
        if isinstance(value, Poison) or value is None:
            poison = value or Poison("it has no value on one path", "assign it before")
            content: Content = ((), (poison,), None) if struct.kind is Cell else ((), (), poison)
        elif struct.kind is Cell:
            content = (), (value,), None
        else:
            assert isinstance(value, Struct)
            content = value.content
        self.put_content(struct, content)

    def _joined(self, name: str, x: Value | None, y: Value | None, meeting: Meeting) -> Value | None:
        """One value from those of two sides."""
        if values.identical(x, y):
            return x
        if name == RESULT:
            first, second = meeting.views
            x, y = self.filled(x, y, meeting.blocks[0], second), self.filled(y, x, meeting.blocks[1], first)
        pair = joining.align(x, y, name, *meeting.views)
        if isinstance(pair, Poison):
            if name == RESULT:
                self.refuse_result(pair)
            return pair
        each = zip(values.spellings(pair[0], name), *map(values.leaves, pair), strict=True)
        return values.refill(pair[0], iter([self._out(spelled, p, q, meeting) for spelled, p, q in each]))

    def _out(self, name: str, x: Atom, y: Atom, meeting: Meeting) -> Atom:
        if values.identical(x, y):
            return x
        type = joining.join_atoms(x, y)
        with self.into(meeting.blocks[0]):
            x = self.converted(self.made(x, y, self.frame.env, name), type)
        with self.into(meeting.blocks[1]):
            y = self.converted(self.made(y, x, self.frame.env, name), type)
        target = Var(name, type)
        if isinstance(x, Var) and self.b.same_shape(x, y):
            self.b.copy_dims(target, x)
        meeting.outs.append(ir.Out(target, x, y))
        if x in self.b.of_arrays or y in self.b.of_arrays:
            self.b.of_arrays.add(target)
        return target

    def made(self, atom: Atom, model: Atom, env: Env, name: str) -> Atom:
        """An array where a placeholder stands: of the model's shape, if an array that has a name here tells it."""
        if not values.is_placeholder(atom):
            return atom
        type = atom.type
        shape = self.shape_of(model, env) or [Const(0, ir.I8)] * type.rank
        return self.b.alloc(type.dtype, shape, ir.Init.EMPTY, name)

    def shape_of(self, model: Atom, env: Env) -> list[Atom] | None:
        """The lengths of an array, if arrays of these names tell them."""
        found = [self._measured(dim, env) for dim in self.b.dims(model)]
        known = [n for n in found if n is not None]
        return known if len(known) == len(found) else None

    def _measured(self, dim: Any, env: Env) -> Atom | None:
        """The length of the same token as an array that has a name."""
        if isinstance(dim, Const):
            return dim
        for value in env.values():
            for leaf in values.leaves(values.seen(value)):
                for axis, other in enumerate(self.b.dims(leaf)):
                    if isinstance(leaf, Var) and leaf.type.ref and self.b.shapes.equal(dim, other):
                        return self.length(leaf, axis)
        return None

    def filled(
        self,
        value: Value | None,
        model: Value | None,
        block: list[Stmt],
        view: Held = {},  # noqa: B006
    ) -> Value | None:
        """A function's result on a path where it has none yet: anything of the right type, for a flag says so."""
        if value is not None or model is None:
            return value
        model = values.copied(model, view)

        def fill(atom: Atom) -> Atom:
            if atom.type.is_scalar:
                return values.placeholder(atom.type)
            with self.into(block):
                return self.b.alloc(atom.type.dtype, [Const(0, ir.I8)] * atom.type.rank, name="none")

        return values.map_leaves(model, fill)

    def result(self) -> Value:
        """What the function of this frame returned, at its end."""
        flags = self.frame.flags
        value = flags.result
        if value is None:
            return Known(None)
        if flags.returned != TRUE and not values.identical(value, Known(None)):
            self.refuse(f"`{self.frame.name}` returns a value on some paths only", "end it with a return statement")
        return value


def jumps(stmts: Sequence[ast.stmt], loop: bool = False) -> bool:
    """Whether something in the statements leaves them: a return, or a break or continue of a loop around."""
    for node in stmts:
        match node:
            case ast.Return():
                return True
            case ast.Break() | ast.Continue():
                if not loop:
                    return True
            case ast.If():
                if jumps(node.body, loop) or jumps(node.orelse, loop):
                    return True
            case ast.Match(cases=cases):
                if any(jumps(case.body, loop) for case in cases):
                    return True
            case ast.Try(handlers=handlers):
                if any(jumps(block, loop) for block in (node.body, node.orelse, *(h.body for h in handlers))):
                    return True
            case ast.With():
                if jumps(node.body, loop):
                    return True
            case ast.For() | ast.While():
                if jumps(node.body, True) or jumps(node.orelse, loop):
                    return True
    return False


def leaves(stmts: Sequence[ast.stmt]) -> bool:
    """Whether the statements surely end in a jump."""
    if not stmts:
        return False
    last = stmts[-1]
    if isinstance(last, ast.If):
        return leaves(last.body) and leaves(last.orelse)
    if isinstance(last, ast.While):
        return endless(last)
    if isinstance(last, ast.With):
        return leaves(last.body)
    if isinstance(last, ast.Try):
        return (leaves(last.body) or leaves(last.orelse)) and all(leaves(h.body) for h in last.handlers)
    if isinstance(last, ast.Match):
        return irrefutable(last.cases[-1]) and all(leaves(case.body) for case in last.cases)
    return isinstance(last, (ast.Break, ast.Continue, ast.Return))


def endless(loop: ast.While) -> bool:
    """Whether what returns is the only way out of a loop, and there is one."""
    forever = isinstance(loop.test, ast.Constant) and bool(loop.test.value)
    return forever and jumps(loop.body, True) and not breaks(loop.body)


def breaks(stmts: Sequence[ast.stmt]) -> bool:
    """Whether something in the body of a loop breaks it."""
    for node in stmts:
        match node:
            case ast.Break():
                return True
            case ast.If():
                if breaks(node.body) or breaks(node.orelse):
                    return True
            case ast.Match(cases=cases):
                if any(breaks(case.body) for case in cases):
                    return True
            case ast.Try(handlers=handlers):
                if any(breaks(block) for block in (node.body, node.orelse, *(h.body for h in handlers))):
                    return True
            case ast.With():
                if breaks(node.body):
                    return True
            case ast.For() | ast.While():
                if breaks(node.orelse):
                    return True
    return False


def irrefutable(case: ast.match_case) -> bool:
    """Whether a case takes whatever comes."""

    def fits_all(pattern: ast.pattern) -> bool:
        match pattern:
            case ast.MatchAs(pattern=inner):
                return inner is None or fits_all(inner)
            case ast.MatchOr(patterns=patterns):
                return fits_all(patterns[-1])
        return False

    return case.guard is None and fits_all(case.pattern)
