"""The state of a lowering: what is emitted, the names of the function being read, and how paths part and meet.

Jumps are structured away here. Flags (`returned`, `broken`, ...) live in the environment as constants; where one side
of an `if` jumps, what follows moves into the other side, so that most flags stay constants; the others guard the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, NoReturn, TypeVar

from srcgrad.core import ir
from srcgrad.core.build import Builder, scalar_of
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.walk import defined, instantiate, rebuild
from srcgrad.errors import NotDifferentiableError, SrcgradError, UnsupportedError
from srcgrad.rules import registry
from srcgrad.rules.declare import cast
from srcgrad.rules.values import Val
from srcgrad.syntax import scope
from srcgrad.syntax.capture import Captures
from srcgrad.syntax.liveness import Names, assigned
from srcgrad.syntax.scope import (
    FALSE,
    FLAGS,
    RAISED,
    RESULT,
    RETURNED,
    TRUE,
    Env,
    Frame,
    Known,
    Maybe,
    Poison,
    Struct,
    Value,
)
from srcgrad.syntax.structure import Leaf, Node, Spec

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Unresolved(Exception):
    """The result of a recursive call is not known yet: this path tells nothing."""


class Reported(SrcgradError):
    """What follows from something that was refused before: not worth a word."""


REPORTED = Poison("refused before")


def handles(*kinds: type[ast.AST]) -> Callable[[Handler], Handler]:
    """Decorator: this function (lowering, node) lowers nodes of these kinds."""

    def put(f: Handler) -> Handler:
        Lowering.handlers.update(dict.fromkeys(kinds, f))
        return f

    return put


class Lowering:
    """One function of the core being made; the functions it calls are read into it."""

    handlers: ClassVar[dict[type[ast.AST], Callable[..., Any]]] = {}

    def __init__(self, captures: Captures, single: bool = False) -> None:
        self.b = Builder()
        self.captures = captures
        self.single = single
        self.frame: Frame = None  # type: ignore[assignment]
        self.stack: list[Any] = []
        self.recursions: Any = None
        self.callees: dict[str, ir.Fun] = {}  # of programs that were put in place
        self.refusals: list[SrcgradError] = []
        self.facts: dict[Any, Any] = {}  # what was found of loops, by call path and loop

    # ---- going over the tree

    def stmt(self, node: ast.stmt) -> None:
        with self.b.at(self.frame.source.span(node)):
            self._handle(node)

    def ex(self, node: ast.expr) -> Value:
        return self._handle(node)  # type: ignore[no-any-return]

    def _handle(self, node: ast.AST) -> Any:
        with self.placing(node):
            if type(node) not in self.handlers:
                raise UnsupportedError(f"`{type(node).__name__}` is outside the language")
            return self.handlers[type(node)](self, node)

    @contextmanager
    def placing(self, node: ast.AST) -> Iterator[None]:
        """An error that has no place yet gets this node's."""
        source = self.frame.source
        try:
            yield
        except SrcgradError as error:
            if error.placed or isinstance(error, Reported):
                raise
            problems = [source.problem(node, p.message, p.hint) for p in error.problems]
            raise type(error)(error.problems[0].message, problems=problems) from None

    def refuse(self, message: str, hint: str = "") -> NoReturn:
        raise UnsupportedError(message, hint=hint)

    def refuse_result(self, poison: Poison) -> NoReturn:
        message = poison.message.replace(f"`{RESULT}`", "what the function returns")
        self.refuse(message, "return one structure and type on all paths")

    # ---- names

    def lookup(self, name: str) -> Value:
        frame: Frame | None = self.frame
        while frame is not None:
            if name in frame.locals or name in frame.env:
                return self._bound(frame, name)
            last, frame = frame, frame.outer
        return self.captures.name(last.source.fun, name)

    def _bound(self, frame: Frame, name: str) -> Value:
        value = frame.env.get(name)
        if value is None:
            self.refuse(f"`{name}` is not bound here", "assign it first")
        if isinstance(value, Poison):
            if value is REPORTED:
                raise Reported
            self.refuse(value.message, value.hint)
        if isinstance(value, Maybe):
            raising = ir.Effect(f'raise UnboundLocalError("{name}")', span=self.b.span)
            self.b.put(ir.If(value.bound, (), (raising,), span=self.b.span))
            value = value.value
            if frame is self.frame:
                frame.env[name] = value
        return value

    def bind(self, name: str, value: Value) -> None:
        """Give a name a value: an array becomes memory."""
        self.frame.env[name] = self.settle(value, name)

    def spelled(self, value: Value, name: str, before: int) -> Value:
        """A scalar or memory that a statement (since `before`) has just made for a name takes its spelling."""
        made = self.b.out[-1] if len(self.b.out) > before else None
        if not isinstance(value, Var) or made is None or defined(made) != (value,):
            return value
        if not value.type.is_scalar and not isinstance(made, (ir.Alloc, ir.View)):
            return value
        if any(leaf is value for bound in self.frame.env.values() for leaf in scope.leaves(bound)):
            return value  # a walrus inside named it
        named = Var(name, value.type)
        self.b.out.pop()
        self.b.put(rebuild(made, lambda a: a, lambda v: named if v is value else v, lambda stmts: stmts))
        return named

    def settle(self, value: Value, name: str) -> Value:
        return scope.map_leaves(value, lambda atom: self.memory(atom, name))

    # ---- values

    def memory(self, atom: Atom, name: str = "a") -> Atom:
        """An array value as fresh memory; anything else as it is."""
        if not atom.type.is_array_value:
            return atom
        return self.b.alloc(atom.type.dtype, (), init=atom, name=name)

    def outward(self, value: Value) -> Any:
        """A value as the rules take it: builder values for what is dynamic, Python objects for the rest."""
        match value:
            case Var() | Const():
                return Val(self.b, value)
            case Struct():
                items = [self.outward(item) for item in value.items]
                if issubclass(value.kind, dict):
                    return dict(zip(value.keys, items, strict=True))
                return items if issubclass(value.kind, list) else tuple(items)
            case Known():
                return value.value
        return self.refuse(f"{scope.describe(value)} stands where a number or an array must be")

    def inward(self, value: Any) -> Value:
        """What a rule gave, as a value."""
        if isinstance(value, Val):
            return value.atom
        if isinstance(value, (bool, int, float)):
            return Const(value, {bool: ir.B1, int: ir.I8, float: ir.F8}[type(value)])
        if isinstance(value, (tuple, list)):
            return scope.struct([self.inward(v) for v in value], type(value) if type(value) is list else tuple)
        return Known(value)

    def apply(self, function: Any, *args: Value, **options: Value) -> Value:
        """What the rules emit for a function (of NumPy, math, operator, builtins)."""
        if function not in registry.FUNCTIONS:
            raise NotDifferentiableError(f"there is no rule for `{getattr(function, '__name__', function)}`")
        given = [self.outward(a) for a in args]
        named = {k: self.outward(v) for k, v in options.items()}
        return self.inward(registry.FUNCTIONS[function](self.b, *given, **named))

    def atom(self, value: Value) -> Atom:
        if not isinstance(value, (Var, Const)):
            self.refuse(f"{scope.describe(value)} stands where a number or an array must be")
        return value

    def integer(self, value: Value) -> Atom:
        atom = self.atom(value)
        if not atom.type.is_scalar or atom.type.dtype[0] not in "ib":
            self.refuse(f"{scope.describe(value)} stands where an integer must be", "use int(...)")
        return self.converted(atom, ir.I8)

    def converted(self, atom: Atom, type: ir.Type) -> Atom:
        """A scalar (or an array value) in another dtype."""
        if atom.type.dtype == type.dtype:
            return atom
        if isinstance(atom, Const):
            kind = {"f": float, "i": int, "b": bool}[type.dtype[0]]
            return Const(kind(atom.value), scalar_of(type))
        return cast(Val(self.b, atom), type.dtype).atom

    def truth(self, value: Value) -> Atom:
        """A value as a condition."""
        match value:
            case Const():
                return TRUE if value.value else FALSE
            case Var() if value.type == ir.B1:
                return value
            case Var() if value.type.is_scalar:
                return self.converted(value, ir.B1)
            case Struct():
                return TRUE if value.items else FALSE
            case Known():
                return TRUE if value.value else FALSE
            case Var():
                self.refuse("the truth of an array is ambiguous", "use .any() or .all(), or compare elements")
        return TRUE

    def negated(self, cond: Atom) -> Atom:
        if isinstance(cond, Const):
            return FALSE if cond.value else TRUE
        return self.b.let(registry.PRIMITIVES["logical_not"], cond)  # type: ignore[no-any-return]

    def either(self, a: Atom, b: Atom) -> Atom:
        for x, y in ((a, b), (b, a)):
            if isinstance(x, Const):
                return x if x.value else y
        return a if a is b else self.b.let(registry.PRIMITIVES["logical_or"], a, b)

    def place(self, lowered: Any, args: Sequence[Atom]) -> Value:
        """Put another function's program in place; its recursive functions become this program's."""
        program = lowered.program
        names = {name: self._unused(name) for name in program.callees}
        self.callees.update({names[name]: renamed(fun, names, names[name]) for name, fun in program.callees.items()})
        main = renamed(program.main, names, program.main.name)
        given = [self.converted(a, p.type) if p.type.is_scalar else a for a, p in zip(args, main.params, strict=False)]
        captured = [self.captures.adopt(c) for c in lowered.captured]
        self.captures.statics.update({use.origin.key: use for use in lowered.statics})
        body, results = instantiate(main, [*given, *captured])
        self.b.out.extend(body)
        return from_spec(lowered.result, iter(results))

    def _unused(self, name: str) -> str:
        return next(n for n in (f"{name}{k or ''}" for k in range(10**6)) if n not in self.callees)

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


def renamed(fun: ir.Fun, names: dict[str, str], name: str) -> ir.Fun:
    """The function with other names for those that it calls."""
    if all(old == new for old, new in names.items()):
        return replace(fun, name=name)

    def block(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        changed = (replace(s, callee=names[s.callee]) if isinstance(s, ir.Call) else s for s in stmts)
        return tuple(rebuild(s, lambda a: a, lambda v: v, block) for s in changed)

    return replace(fun, name=name, body=block(fun.body))


def from_spec(spec: Spec, atoms: Iterator[Atom]) -> Value:
    match spec:
        case Leaf():
            return next(atoms)
        case Node():
            return Struct(spec.kind, spec.keys, tuple(from_spec(child, atoms) for child in spec.children))
    return Known(spec.value)


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
