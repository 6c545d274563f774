"""How paths part and meet.

Jumps are structured away here. Flags (`returned`, `broken`, ...) live in the environment as constants; where one side
of an `if` jumps, what follows moves into the other side, so that most flags stay constants; the others guard the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.errors import SrcgradError, UnsupportedError
from srcgrad.syntax import scope
from srcgrad.syntax.liveness import Names, assigned
from srcgrad.syntax.lower_state import REPORTED, Reported, State, Unresolved
from srcgrad.syntax.lower_state import handles as handles
from srcgrad.syntax.scope import FALSE, FLAGS, RAISED, RESULT, RETURNED, TRUE, Env, Known, Poison, Value


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

    def _side(self, run: Callable[[], None], before: Env) -> tuple[Env, list[Stmt], bool]:
        """What a side leaves behind, its statements, and whether it surely never ends."""
        frame = self.frame
        frame.env = env = dict(before)
        with self.b.block() as out:
            try:
                run()
                ends = RAISED not in frame.env
            except Unresolved:
                ends, self.frame = False, frame
        env = frame.env
        frame.env = before
        return env, out, not ends

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
        frame, before, span = self.frame, self.frame.env, self.b.span
        env_a, a, dead_a = self._side(then, before)
        env_b, b, dead_b = self._side(orelse, before)
        if dead_a or dead_b:
            if dead_a and dead_b:
                self.b.put(ir.If(cond, tuple(a), tuple(b), span=span))
                frame.env = {**before, RAISED: TRUE}
                return
            if a if dead_a else b:
                self.b.put(ir.If(cond if dead_a else self.negated(cond), tuple(a if dead_a else b), (), span=span))
            self.b.out.extend(b if dead_a else a)
            frame.env = env_b if dead_a else env_a
            return
        outs: list[ir.Out] = []
        names = dict.fromkeys([*env_a, *env_b])
        frame.env = {}
        for name in names:
            value = self._joined(name, env_a.get(name), env_b.get(name), (a, b), outs, live, flags or {})
            if value is not None:
                frame.env[name] = value
        if a or b or outs:
            self.b.put(ir.If(cond, tuple(a), tuple(b), tuple(outs), span=span))

    def _joined(
        self,
        name: str,
        x: Value | None,
        y: Value | None,
        blocks: tuple[list[Stmt], list[Stmt]],
        outs: list[ir.Out],
        live: Names | None,
        flags: Env,
    ) -> Value | None:
        if name in FLAGS:
            x, y = FALSE if x is None else x, FALSE if y is None else y
            if name in flags and x == FALSE:
                return flags[name]  # set on the other side exactly when it was set before
        if scope.identical(x, y):
            return x
        if live is not None and name not in live and not name.startswith("@"):
            return None
        if name == RESULT:
            x, y = self.filled(x, y, blocks[0]), self.filled(y, x, blocks[1])
        pair = scope.align(x, y, name)
        if isinstance(pair, Poison):
            if name == RESULT:
                self.refuse_result(pair)
            return pair
        both = list(zip(scope.leaves(pair[0]), scope.leaves(pair[1]), strict=True))
        return scope.refill(pair[0], iter([self._out(name, p, q, blocks, outs) for p, q in both]))

    def _out(self, name: str, x: Atom, y: Atom, blocks: tuple[list[Stmt], list[Stmt]], outs: list[ir.Out]) -> Atom:
        if scope.identical(x, y):
            return x
        type = scope.join_atoms(x, y)
        with self.into(blocks[0]):
            x = self.converted(x, type)
        with self.into(blocks[1]):
            y = self.converted(y, type)
        target = Var(name.strip("@"), type)
        if isinstance(x, Var) and self.b.same_shape(x, y):
            self.b.copy_dims(target, x)
        outs.append(ir.Out(target, x, y))
        return target

    def filled(self, value: Value | None, model: Value | None, block: list[Stmt]) -> Value | None:
        """A function's result on a path where it has none yet: anything of the right type, for a flag says so."""
        if value is not None or model is None:
            return value

        def fill(atom: Atom) -> Atom:
            if atom.type.is_scalar:
                return scope.placeholder(atom.type)
            with self.into(block):
                return self.b.alloc(atom.type.dtype, [Const(0, ir.I8)] * atom.type.rank, name="none")

        return scope.map_leaves(model, fill)

    def result(self) -> Value:
        """What the function of this frame returned, at its end."""
        returned, value = self.flag(RETURNED), self.frame.env.get(RESULT)
        if value is None:
            return Known(None)
        if returned != TRUE and not scope.identical(value, Known(None)):
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
