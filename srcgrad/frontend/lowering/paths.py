"""How paths part and meet.

Jumps are structured away here. Flags (`returned`, `broken`, ...) live in the environment as constants; where one side
of an `if` jumps, what follows moves into the other side, so that most flags stay constants; the others guard the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.errors import SrcgradError, UnsupportedError
from srcgrad.frontend.lowering import growing_lists, values
from srcgrad.frontend.lowering.state import REPORTED, Reported, State, Unresolved
from srcgrad.frontend.lowering.state import handles as handles
from srcgrad.frontend.lowering.values import (
    FALSE,
    FLAGS,
    RAISED,
    RESULT,
    RETURNED,
    TRUE,
    Cell,
    Content,
    Env,
    Known,
    Poison,
    Struct,
    Value,
)
from srcgrad.frontend.source.liveness import Names, assigned

Held = dict[Struct, Content]  # what objects hold on one path
NOTHING: tuple[Held, Held] = ({}, {})


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """What a side of a branch leaves behind: names, statements, whether it never ends, what older objects hold."""

    env: Env
    out: list[Stmt]
    dead: bool
    held: Held


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
        return self.frame.env.get(name, FALSE)  # type: ignore[return-value]

    def block(self, stmts: Sequence[ast.stmt]) -> None:
        for n, node in enumerate(stmts):
            if RAISED in self.frame.env:
                return
            pending = [name for name in FLAGS if self.flag(name) != FALSE]
            if any(isinstance(self.flag(name), Const) for name in pending):
                return
            if pending:
                return self._guarded(pending, stmts[n:])
            if isinstance(node, ast.If) and jumps(node.body + node.orelse):
                return self._if_jump(node, stmts[n + 1 :])
            self._collecting(node)

    def _collecting(self, node: ast.stmt) -> None:
        """A statement; if it is refused, that is noted, and what follows is looked at too."""
        try:
            self.stmt(node)
        except SrcgradError as error:
            if not isinstance(error, Reported):
                self.refusals.append(error)
            env = self.frame.env
            env.update(dict.fromkeys(assigned([node]), REPORTED))
            if isinstance(node, (ast.Return, ast.Raise)):
                env[RAISED] = TRUE

    def raise_refusals(self) -> None:
        """All that was refused, as one error."""
        problems = list(dict.fromkeys(p for error in self.refusals for p in error.problems))
        if problems:
            kinds = {type(error) for error in self.refusals}
            raise (kinds.pop() if len(kinds) == 1 else UnsupportedError)(problems[0].message, problems=problems)

    def live_after(self, node: ast.stmt) -> Names:
        live = self.frame.live
        return live.after[id(node)] | live.always | self.frame.kept

    def _guarded(self, pending: list[str], stmts: Sequence[ast.stmt]) -> None:
        """The statements, unless one of these flags is set."""
        set_ = self.flag(pending[0])
        for name in pending[1:]:
            set_ = self.either(set_, self.flag(name))
        flags: Env = {name: self.flag(name) for name in pending} if len(pending) == 1 else {}

        def go() -> None:
            self.frame.env.update(dict.fromkeys(pending, FALSE))
            self.block(stmts)

        def skip() -> None:
            if len(pending) == 1:
                self.frame.env[pending[0]] = TRUE

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

    def _side(self, run: Callable[[], None], before: Env) -> Side:
        """What a side leaves behind. What it changed of older objects is undone."""
        frame, born = self.frame, values.now()
        frame.env = env = dict(before)
        with self.b.block() as out, self.changes() as changed:
            try:
                run()
                ends = RAISED not in frame.env
            except Unresolved:
                ends, self.frame = False, frame
            held = {struct: struct.content for struct in changed if struct.born < born}
            self.undo(changed, born)
        env = frame.env
        frame.env = before
        return Side(env, out, not ends, held)

    def branch(
        self,
        cond: Atom,
        then: Callable[[], None],
        orelse: Callable[[], None],
        live: Names | None,
        flags: Env | None = None,
    ) -> None:
        """Lower both sides and join what they bind (of `live`, or all). A side that only raises becomes a guard."""
        if isinstance(cond, Const):
            return (then if cond.value else orelse)()
        frame, before, span, refused = self.frame, self.frame.env, self.b.span, len(self.refusals)
        a, b = self._side(then, before), self._side(orelse, before)
        if a.dead or b.dead:
            return self._one_side(cond, a, b, before)
        if self._outgrown(a, b):
            del self.refusals[refused:]
            return self.branch(cond, then, orelse, live, flags)
        outs: list[ir.Out] = []
        blocks, views = (a.out, b.out), (a.held, b.held)
        frame.env = {}
        for name in dict.fromkeys([*a.env, *b.env]):
            value = self._joined(name, a.env.get(name), b.env.get(name), blocks, outs, live, flags or {}, views)
            if value is not None:
                frame.env[name] = value
        for struct in dict.fromkeys([*a.held, *b.held]):
            x, y = (held_in(struct, side.held.get(struct, struct.content)) for side in (a, b))
            self.hold(struct, self._joined(wish_of(struct), x, y, blocks, outs, None, {}, views))
        if a.out or b.out or outs:
            self.b.put(ir.If(cond, tuple(a.out), tuple(b.out), tuple(outs), span=span))

    def _one_side(self, cond: Atom, a: Side, b: Side, before: Env) -> None:
        """A side that surely raises becomes a guard; the other is what follows."""
        frame, span = self.frame, self.b.span
        if a.dead and b.dead:
            self.b.put(ir.If(cond, tuple(a.out), tuple(b.out), span=span))
            frame.env = {**before, RAISED: TRUE}
            return
        dead, alive = (a, b) if a.dead else (b, a)
        if dead.out:
            self.b.put(ir.If(cond if a.dead else self.negated(cond), tuple(dead.out), (), span=span))
        self.b.out.extend(alive.out)
        frame.env = alive.env
        for struct, content in alive.held.items():
            self.put_content(struct, content)

    def _outgrown(self, a: Side, b: Side) -> bool:
        """Whether a list has other lengths on the two sides; it is one of unknown length from before the branch."""
        for struct in dict.fromkeys([*a.held, *b.held]):
            if struct.kind is list:
                ends = [side.held.get(struct, struct.content) for side in (a, b)]
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

    def _joined(
        self,
        name: str,
        x: Value | None,
        y: Value | None,
        blocks: tuple[list[Stmt], list[Stmt]],
        outs: list[ir.Out],
        live: Names | None,
        flags: Env,
        views: tuple[Held, Held] = NOTHING,
    ) -> Value | None:
        if name in FLAGS:
            x, y = FALSE if x is None else x, FALSE if y is None else y
            if name in flags and x == FALSE:
                return flags[name]  # set on the other side exactly when it was set before
        if values.identical(x, y):
            return x
        if live is not None and name not in live and not name.startswith("@"):
            return None
        if name == RESULT:
            x, y = self.filled(x, y, blocks[0], views[1]), self.filled(y, x, blocks[1], views[0])
        pair = values.align(x, y, name, *views)
        if isinstance(pair, Poison):
            if name == RESULT:
                self.refuse_result(pair)
            return pair
        both = list(zip(values.leaves(pair[0]), values.leaves(pair[1]), strict=True))
        return values.refill(pair[0], iter([self._out(name, p, q, blocks, outs) for p, q in both]))

    def _out(self, name: str, x: Atom, y: Atom, blocks: tuple[list[Stmt], list[Stmt]], outs: list[ir.Out]) -> Atom:
        if values.identical(x, y):
            return x
        type = values.join_atoms(x, y)
        with self.into(blocks[0]):
            x = self.converted(x, type)
        with self.into(blocks[1]):
            y = self.converted(y, type)
        target = Var(values.spelling(name), type)
        if isinstance(x, Var) and self.b.same_shape(x, y):
            self.b.copy_dims(target, x)
        outs.append(ir.Out(target, x, y))
        return target

    def filled(
        self, value: Value | None, model: Value | None, block: list[Stmt], view: Held = NOTHING[0]
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
        returned, value = self.flag(RETURNED), self.frame.env.get(RESULT)
        if value is None:
            return Known(None)
        if returned != TRUE and not values.identical(value, Known(None)):
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
    return isinstance(last, (ast.Break, ast.Continue, ast.Return))
