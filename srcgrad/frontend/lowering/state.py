"""The state of a lowering: what is emitted, what the names of the function being read stand for, where errors are."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, NoReturn, TypeVar

from srcgrad.core import ir
from srcgrad.core.build import LITERALS, Builder, scalar_of
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.rewrite import rewrite
from srcgrad.core.walk import defined, instantiate, rebuild
from srcgrad.errors import NotDifferentiableError, SrcgradError, UnboundError, UnsupportedError
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.capture import Captures
from srcgrad.frontend.lowering.checks import Checks
from srcgrad.frontend.lowering.values import FALSE, RESULT, TRUE, Content, Frame, Known, Maybe, Poison, Struct, Value
from srcgrad.frontend.source.structure import Leaf, Node, Spec
from srcgrad.rules.language import registry
from srcgrad.rules.language.declare import cast
from srcgrad.rules.language.values import Val
from srcgrad.rules.shapes.shape import dim

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Unresolved(Exception):
    """The result of a recursive call is not known yet: this path tells nothing."""


class Reported(SrcgradError):
    """What follows from something that was refused before: not worth a word."""


REPORTED = Poison("refused before")


def handles(*kinds: type[ast.AST]) -> Callable[[Handler], Handler]:
    """Decorator: this function (lowering, node) lowers nodes of these kinds."""

    def put(f: Handler) -> Handler:
        State.handlers.update(dict.fromkeys(kinds, f))
        return f

    return put


class State(Checks):
    """What is emitted, what names stand for, and how the user's values become core values."""

    handlers: ClassVar[dict[type[ast.AST], Callable[..., Any]]] = {}
    hooks: ClassVar[dict[str, Callable[..., Any]]] = {}  # what later modules provide

    def __init__(self, captures: Captures, single: bool = False) -> None:
        self.b = Builder()
        self.captures = captures
        self.b.weak = captures.weak
        self.single = single
        self.frame: Frame = None  # type: ignore[assignment]
        self.node = ast.Pass()
        self.stack: list[Any] = []
        self.recursions: Any = None
        self.callees: dict[str, ir.Fun] = {}  # of programs that were put in place
        self.handed: list[tuple[Any, tuple[Atom, ...]]] = []  # the recursive functions called, with their arguments
        self.refusals: list[SrcgradError] = []
        self.facts: dict[Any, Any] = {}  # what was found of loops, by call path and loop
        self.changed: dict[Struct, Content] = {}  # objects changed in this region, and what they held at its start
        self.steps: dict[Atom, tuple[Atom, int]] = {}  # lengths of lists: so much more than another
        self.at_least: dict[Atom, int] = {}  # lengths of lists that are surely so long
        self.within: dict[Atom, Atom] = {}  # indices of loops that are from 0 to below this
        self.lengths: set[Atom] = set()  # of arrays
        self.boxed: set[Atom] = set()  # what names hold, or held, that nested functions bind too
        self.naming = ""  # the name that what is evaluated gets
        self.threads = False  # whether it is a kernel
        self.born = 0  # when the function's own statements begin

    # ---- going over the tree

    def stmt(self, node: ast.stmt) -> None:
        with self.b.at(self.frame.source.span(node)):
            self._handle(node)

    def ex(self, node: ast.expr) -> Value:
        return self._handle(node)  # type: ignore[no-any-return]

    def _handle(self, node: ast.AST) -> Any:
        outer, self.node = self.node, node
        with self.placing(node):
            if type(node) not in self.handlers:
                message = f"`{type(node).__name__}` is outside the language"
                raise UnsupportedError(message, hint="see docs/supported.md for what can be written instead")
            value = self.handlers[type(node)](self, node)
        self.node = outer
        return value

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
        message = poison.message.replace(f"`{values.spelling(RESULT)}`", "what the function returns")
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
        if isinstance(value, Struct) and value.kind is values.Cell:
            value = value.held[0] if value.held else None
        if value is None:
            raise UnboundError(f"`{name}` is not bound here", hint="assign it first")
        if isinstance(value, Poison):
            if value is REPORTED:
                raise Reported
            self.refuse(value.message, value.hint)
        if isinstance(value, Maybe):
            raising = self.raising("UnboundLocalError", f"`{name}` is not bound here", "assign it on every path")
            self.b.put(ir.If(value.bound, (), (raising,), span=self.b.span))
            value = value.value
            if frame is self.frame:
                frame.env[name] = value
        return value

    def bind(self, name: str, value: Value) -> None:
        """Give a name a value: an array becomes memory."""
        value = self.settle(value, name)
        if isinstance(value, Struct) and not value.label:
            value.label = name
        box = self.frame.env.get(name)
        if isinstance(box, Struct) and box.kind is values.Cell:
            self.boxed.update(values.leaves(values.seen(value)))
            return self.put_content(box, ((), (value,), None))
        self.frame.bound.update(values.leaves(values.seen(value)))
        self.frame.env[name] = value

    @contextmanager
    def named(self, name: str) -> Iterator[None]:
        """What is made inside is for this name."""
        kept, self.naming = self.naming, name
        try:
            yield
        finally:
            self.naming = kept

    def spelled(self, value: Value, name: str, before: int) -> Value:
        """A scalar or memory that a statement (since `before`) has just made for a name takes its spelling."""
        made = self.b.out[-1] if len(self.b.out) > before else None
        if not isinstance(value, Var) or made is None or defined(made) != (value,):
            return value
        if not value.type.is_scalar and not isinstance(made, (ir.Alloc, ir.View)):
            return value
        if value in self.frame.bound or value in self.boxed:
            return value  # a walrus inside named it
        named = Var(name, value.type)
        self.b.out.pop()
        self.b.put(rebuild(made, lambda a: a, lambda v: named if v is value else v, lambda stmts: stmts))
        self.b.renamed(value, named)
        return named

    def spelled_each(self, value: Struct, targets: list[ast.expr], before: int) -> Value:
        """A tuple of numbers that a statement (since `before`) has just made: each takes the spelling of its name."""
        pairs = zip(targets, value.items, strict=False)
        made = self.b.out[before:]
        ours = {v for stmt in made if isinstance(stmt, ir.Let) for v in stmt.targets}
        named = {v: Var(t.id, v.type) for t, v in pairs if isinstance(t, ast.Name) and isinstance(v, Var) and v in ours}
        for old, new in named.items():
            self.b.renamed(old, new)

        def atom(a: Atom) -> Atom:
            return named.get(a, a) if isinstance(a, Var) else a

        del self.b.out[before:]
        for stmt in made:
            self.b.put(rebuild(stmt, atom, lambda v: named.get(v, v), lambda stmts: stmts))
        return values.map_leaves(value, atom)

    def settle(self, value: Value, name: str) -> Value:
        return values.map_leaves(value, lambda atom: self.memory(atom, name))

    # ---- objects

    def change(self, struct: Struct, content: Content) -> None:
        """Let an object hold something else."""
        if struct.locked:
            hint = "make a copy first, or a new one instead" if struct.locked == values.EITHER else ""
            self.refuse(f"a {struct.kind.__name__} is changed in place: {struct.locked}", hint or "make a new one")
        self.put_content(struct, content)

    def put_content(self, struct: Struct, content: Content) -> None:
        self.changed.setdefault(struct, struct.content)
        struct.content = content

    @contextmanager
    def changes(self) -> Iterator[dict[Struct, Content]]:
        """A region: what it changes, with what that held before."""
        outer, self.changed = self.changed, {}
        try:
            yield self.changed
        finally:
            for struct, content in self.changed.items():
                outer.setdefault(struct, content)
            self.changed = outer

    def undo(self, changed: dict[Struct, Content], born: int) -> None:
        """Let the objects that are older than this hold again what they held; younger ones are of the region."""
        for struct, content in changed.items():
            if struct.born < born:
                struct.content = content

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
            case Struct(rows=values.Rows()):
                return Val(self.b, self.hooks["array"](self, value))
            case Struct():
                if not self.hooks["contains_items"](value):
                    self.refuse(f"expected a number or an array, got a {value.kind.__name__}", "give its fields")
                items = [self.outward(item) for item in value.items]
                if issubclass(value.kind, dict):
                    return dict(zip(value.keys, items, strict=True))
                return items if issubclass(value.kind, list) else tuple(items)
            case Known():
                return value.value
        return self.refuse(
            f"expected a number or an array, got {values.describe(value)}", "use a number or an array here"
        )

    def inward(self, value: Any) -> Value:
        """What a rule gave, as a value."""
        if isinstance(value, Val):
            return value.atom
        if type(value) in LITERALS:
            return Const(value, LITERALS[type(value)])
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return values.Struct(type(value), value._fields, tuple(self.inward(v) for v in value))
        if isinstance(value, (tuple, list)):
            items = [self.settle(self.inward(v), "a") for v in value]
            return values.struct(items, type(value) if type(value) is list else tuple)
        return Known(value)

    def apply(self, function: Any, *args: Value, **options: Value) -> Value:
        """What the rules emit for a function (of NumPy, math, operator, builtins)."""
        if function not in registry.FUNCTIONS:
            message = f"there is no rule for `{getattr(function, '__name__', function)}`"
            raise NotDifferentiableError(message, hint="write it out, or give it a rule with custom_jvp or custom_vjp")
        given = [self.outward(a) for a in args]
        named = {k: self.outward(v) for k, v in options.items()}
        self.divides(function, args)
        return self.inward(self.emitted(registry.FUNCTIONS[function], given, named))

    def length(self, array: Var, axis: int = 0) -> Atom:
        """array.shape[axis]"""
        length: Atom = self.b.let(dim, array, axis=axis, name="n")
        self.lengths.add(length)
        return length

    def atom(self, value: Value) -> Atom:
        if not isinstance(value, (Var, Const)):
            self.refuse(f"expected a number or an array, got {values.describe(value)}", "use a number or an array here")
        return value

    def integer(self, value: Value) -> Atom:
        atom = self.atom(value)
        if not atom.type.is_scalar or atom.type.dtype[0] not in "ib":
            self.refuse(f"{values.describe(value)} stands where an integer must be", "use int(...)")
        return self.converted(atom, ir.I8)

    def converted(self, atom: Atom, type: ir.Type) -> Atom:
        """A scalar (or an array value) in another dtype."""
        if atom.type.dtype == type.dtype:
            return atom
        if isinstance(atom, Const):
            kind = {"c": complex, "f": float, "i": int, "b": bool}[type.dtype[0]]
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
            case Struct() | Known():
                return self.hooks["truth"](self, value)  # type: ignore[no-any-return]
            case Var():
                self.refuse("the truth of an array is ambiguous", "use .any() or .all(), or compare elements")
        return TRUE

    def negated(self, cond: Atom) -> Atom:
        if isinstance(cond, Const):
            return FALSE if cond.value else TRUE
        return self.b.let(registry.PRIMITIVES["logical_not"], cond)

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


def renamed(fun: ir.Fun, names: dict[str, str], name: str) -> ir.Fun:
    """The function with other names for those that it calls."""
    if all(old == new for old, new in names.items()):
        return replace(fun, name=name)

    def one(stmt: Stmt) -> Stmt:
        return replace(stmt, callee=names[stmt.callee]) if isinstance(stmt, ir.Call) else stmt

    return replace(rewrite(fun, one), name=name)


def from_spec(spec: Spec, atoms: Iterator[Atom]) -> Value:
    match spec:
        case Leaf():
            return next(atoms)
        case Node():
            return Struct(spec.kind, spec.keys, tuple(from_spec(child, atoms) for child in spec.children))
    return Known(spec.value)
