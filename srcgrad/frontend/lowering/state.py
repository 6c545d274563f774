"""The state of a lowering: what is emitted, what the names of the function being read stand for, where errors are."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from srcgrad.core import ir
from srcgrad.core.build import LITERALS, Builder, scalar_of
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.walk import defined, instantiate, rebuild
from srcgrad.errors import NotDifferentiableError, SrcgradError, UnboundError, UnsupportedError
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.capture import Captures
from srcgrad.frontend.lowering.constructs import Constructs
from srcgrad.frontend.lowering.foreseeing import Foreseeing, Sites, Trying
from srcgrad.frontend.lowering.object_words import class_name, expect_no_generator, instead_of
from srcgrad.frontend.lowering.renamed_calls import renamed
from srcgrad.frontend.lowering.retry import Attempt, KeyedSites, Retry
from srcgrad.frontend.lowering.values import (
    FALSE,
    LATER,
    RESULT,
    TRUE,
    Absent,
    Content,
    Frame,
    Known,
    Maybe,
    Poison,
    Struct,
    Value,
)
from srcgrad.frontend.source.structure import Leaf, Node, Spec, of_arrays
from srcgrad.rules.language import registry
from srcgrad.rules.language.arguments import NotKnown
from srcgrad.rules.language.declare import cast
from srcgrad.rules.language.values import Val
from srcgrad.rules.shapes.shape import dim

N = TypeVar("N", bound=ast.AST)
R = TypeVar("R")


class Unresolved(Exception):
    """The result of a recursive call, or what the turn before has bound, is not known yet: this path tells nothing."""


class Reported(SrcgradError):
    """What follows from something that was refused before: not worth a word."""


def _place(error: SrcgradError, node: ast.AST, source: Any) -> None:
    """Raise the error with this node's place, if it has none yet."""
    if not error.placed and not isinstance(error, Reported):
        problems = [source.problem(node, p.message, p.hint) for p in error.problems]
        raise type(error)(error.problems[0].message, problems=problems) from None


REPORTED = Poison("refused before")
NUMPYS = "give its NumPy array: .to_numpy(), or np.asarray(...)"


@dataclass(slots=True)
class ListFacts:
    """What is known of integers that are lengths and places of lists, and of conditions.

    steps: a length is so much more than another.   at_least: a length is surely so much.   within: the index of a loop
    goes from 0 to below this.   of_arrays: the lengths of arrays.   made_of: a condition is made of these.
    """

    steps: dict[Atom, tuple[Atom, int]] = field(default_factory=dict)
    at_least: dict[Atom, int] = field(default_factory=dict)
    within: dict[Atom, Atom] = field(default_factory=dict)
    of_arrays: set[Atom] = field(default_factory=set)
    made_of: dict[Atom, tuple[str, tuple[Atom, ...]]] = field(default_factory=dict)


@dataclass(slots=True)
class Calls:
    """The functions that are being read, and those that the program calls.

    recursions: its recursive functions (see `recursion.py`).   helpers: its large ones (see `called_helpers.py`).
    given: those called, with their arguments.   callees: of programs that were put in place.   tries: the `try`
    statements around what is being read.   sites: what may raise in the statement that is being read inside of one.
    tested: what has a test in front already.   tried: whether there has been such a statement.
    """

    recursions: Any = None
    helpers: Any = None
    stack: list[Any] = field(default_factory=list)
    given: list[tuple[Any, tuple[Atom, ...]]] = field(default_factory=list)
    callees: dict[str, ir.Fun] = field(default_factory=dict)
    tries: list[Trying] = field(default_factory=list)
    sites: Sites | None = None
    tested: frozenset[Any] = frozenset()
    tried: bool = False

    def tests(self, out: list[Stmt]) -> bool:
        """Whether a statement that goes here is inside of a `try` and has its own tests: not if it belongs to a
        function that is read for a part of another statement."""
        return bool(self.tries) and (self.sites is None or self.sites.out is not out)

    @contextmanager
    def having_tested(self, what: Any) -> Iterator[None]:
        """Where the test of this stands in front."""
        around, self.tested = self.tested, self.tested | {what}
        try:
            yield
        finally:
            self.tested = around

    def begun(self, out: list[Stmt], passed: int) -> Sites | None:
        """Begin a statement inside of a `try`; the sites of the one around it."""
        around, self.sites = self.sites, Sites(out, passed)
        return around


@dataclass(slots=True)
class Naming:
    """Preferred names. now: of what is evaluated.   boxed: what names hold, or held, that nested functions bind too."""

    now: str = ""
    boxed: set[Atom] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is one for all functions of a program. constructs: makes those of a lowering.   single: whether literals
    give way to single precision.   threads: whether a kernel is read."""

    constructs: Callable[[Any], Constructs]
    single: bool = False
    threads: bool = False
    keyed: KeyedSites = field(default_factory=KeyedSites)


class State(Foreseeing):
    """What is emitted, what names stand for, and how the user's values become core values."""

    def __init__(self, captures: Captures, setting: Setting) -> None:
        self.b = Builder()
        self.b.weak = captures.weak
        self.captures = captures
        self.constructs = setting.constructs(self)
        self.setting = setting
        self.frame: Frame = None  # type: ignore[assignment]
        self.calls = Calls()
        self.lists = ListFacts()
        self.naming = Naming()
        self.retry = Retry()

    # ---- going over the tree

    def stmt(self, node: ast.stmt) -> None:
        with self.b.at(self.frame.source.span(node)):
            self._reading(node, self.constructs.statement)

    def ex(self, node: ast.expr) -> Value:
        return self._reading(node, self.constructs.expression)

    def _reading(self, node: N, construct: Callable[[N], R]) -> R:
        """Checks and errors of what the construct does belong to this node."""
        frame = self.frame
        outer, frame.node = frame.node, node
        try:
            found = construct(node)
        except SrcgradError as error:
            _place(error, node, frame.source)
            raise
        frame.node = outer
        return found

    @contextmanager
    def placing(self, node: ast.AST) -> Iterator[None]:
        """An error that has no place yet gets this node's."""
        source = self.frame.source
        try:
            yield
        except SrcgradError as error:
            _place(error, node, source)
            raise

    def refuse(self, message: str, hint: str = "") -> NoReturn:
        raise UnsupportedError(message, hint=hint)

    def expect_known(self, message: str, hint: str) -> NoReturn:
        """Refuse what depends on a number that is not known; a loop over known numbers is written out for it."""
        raise NotKnown(message, hint=hint)

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
            if value is LATER:
                raise Unresolved
            if value.pair is not None and all(isinstance(v, (Known, values.Closure)) for v in value.pair):
                raise NotKnown(value.message, hint=value.hint)
            self.refuse(value.message, value.hint)
        if isinstance(value, Absent):
            self.refuse(f"`{name}` is {value.missing.state} here", value.missing.hint)
        if isinstance(value, Maybe):
            missing = value.missing
            bound = value.bound
            unbound = missing != values.NONE
            if not unbound or not self.may_raise(UnboundLocalError, lambda: self.negated(bound), bound):
                raising = self.raising("UnboundLocalError", f"`{name}` is {missing.state} here", missing.hint)
                self.b.put(ir.If(bound, (), (raising,), span=self.b.span))
            value = value.value
            if frame is self.frame:
                frame.env[name] = value
        return value

    def perhaps(self, node: ast.expr) -> Maybe | None:
        """What a name stands for that may be None here."""
        found = self.frame.env.get(node.id) if isinstance(node, ast.Name) else None
        return found if isinstance(found, Maybe) and found.missing == values.NONE else None

    def bind(self, name: str, value: Value) -> None:
        """Give a name a value: an array becomes memory."""
        value = self.settle(value, name)
        if isinstance(value, Struct) and not value.label:
            value.label = name
        box = self.frame.env.get(name)
        if isinstance(box, Struct) and box.kind is values.Cell:
            self.naming.boxed.update(values.leaves(values.seen(value)))
            return self.put_content(box, ((), (value,), None))
        self.frame.bound.update(values.leaves(values.seen(value)))
        self.frame.env[name] = value

    @contextmanager
    def named(self, name: str) -> Iterator[None]:
        """What is made inside is for this name."""
        kept, self.naming.now = self.naming.now, name
        try:
            yield
        finally:
            self.naming.now = kept

    def spelled(self, value: Value, name: str, before: int) -> Value:
        """A scalar or memory that a statement (since `before`) has just made for a name takes its spelling."""
        made = self.b.out[-1] if len(self.b.out) > before else None
        if not isinstance(value, Var) or made is None or defined(made) != (value,):
            return value
        if not value.type.is_scalar and not isinstance(made, (ir.Alloc, ir.View)):
            return value
        if value in self.frame.bound or value in self.naming.boxed:
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
        expect_no_generator(value)
        return values.map_leaves(value, lambda atom: self.memory(atom, name))

    # ---- objects

    def change(self, struct: Struct, content: Content) -> None:
        """Let an object hold something else."""
        if struct.locked:
            self.refuse(f"a {struct.kind.__name__} is changed in place: {struct.locked}", instead_of(struct))
        self.put_content(struct, content)

    def put_content(self, struct: Struct, content: Content) -> None:
        self.retry.changed.setdefault(struct, struct.content)
        struct.content = content

    @contextmanager
    def changes(self) -> Iterator[dict[Struct, Content]]:
        """A region: what it changes, with what that held before."""
        outer, self.retry.changed = self.retry.changed, {}
        try:
            yield self.retry.changed
        finally:
            for struct, content in self.retry.changed.items():
                outer.setdefault(struct, content)
            self.retry.changed = outer

    # ---- attempts

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """A region that leaves nothing behind: what it emitted, bound and changed stands in the attempt, to be kept or
        to be joined. (What was refused in it is forgotten by `Retry.until_stable`, where it is run again.)"""
        frame, env, flags, born = self.frame, self.frame.env, self.frame.flags, values.now()
        frame.env = dict(env)
        with self.b.block() as out, self.changes() as changed:
            tried = Attempt(out, frame.env, flags)
            try:
                yield tried
            finally:
                tried.env, tried.flags, tried.touched = frame.env, frame.flags, bool(changed)
                tried.held = {struct: struct.content for struct in changed if struct.born < born}
                for struct in tried.held:
                    struct.content = changed[struct]
                self.frame, frame.env, frame.flags = frame, env, flags

    def keep(self, tried: Attempt) -> None:
        """Let what was emitted and changed in an attempt count."""
        for stmt in tried.out:
            self.b.put(stmt)
        for struct, content in tried.held.items():
            self.put_content(struct, content)

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
                return Val(self.b, self.constructs.array(value))
            case Struct():
                if not self.constructs.is_sequence(value):
                    self.refuse(f"expected a number or an array, got {class_name(value)}", "give its fields")
                items = [self.outward(item) for item in value.items]
                if issubclass(value.kind, dict):
                    return dict(zip(value.keys, items, strict=True))
                return items if issubclass(value.kind, list) else tuple(items)
            case Known() if of_arrays(value.value):
                self.refuse(f"expected a number or an array, got {values.describe(value)}", NUMPYS)
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
        self.lists.of_arrays.add(length)
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
                return self.constructs.truth(value)
            case Var():
                self.refuse("the truth of an array is ambiguous", "use .any() or .all(), or compare elements")
        return TRUE

    def negated(self, cond: Atom) -> Atom:
        if isinstance(cond, Const):
            return FALSE if cond.value else TRUE
        return self.connected("logical_not", cond)

    def either(self, a: Atom, b: Atom) -> Atom:
        for x, y in ((a, b), (b, a)):
            if isinstance(x, Const):
                return x if x.value else y
        return a if a is b else self.connected("logical_or", a, b)

    def connected(self, name: str, *conds: Atom) -> Atom:
        """A condition made of others."""
        made: Atom = self.b.let(registry.PRIMITIVES[name], *conds)
        self.lists.made_of[made] = name, conds
        return made

    def implied(self, cond: Atom, holds: bool) -> Iterator[tuple[Atom, bool]]:
        """The conditions that are known where this one holds, or where it does not."""
        yield cond, holds
        name, parts = self.lists.made_of.get(cond, ("", ()))
        if name == "logical_not" or (name == "logical_and" and holds) or (name == "logical_or" and not holds):
            for part in parts:
                yield from self.implied(part, holds != (name == "logical_not"))

    def place(self, lowered: Any, args: Sequence[Atom]) -> Value:
        """Put another function's program in place; its recursive functions become this program's."""
        program = lowered.program
        self.not_foreseen(program)
        names = {name: self._unused(name) for name in program.callees}
        for name, fun in program.callees.items():
            self.calls.callees[names[name]] = renamed(fun, names, names[name])
        main = renamed(program.main, names, program.main.name)
        given = [self.converted(a, p.type) if p.type.is_scalar else a for a, p in zip(args, main.params, strict=False)]
        captured = [self.captures.adopt(c) for c in lowered.captured]
        self.captures.statics.update({use.origin.key: use for use in lowered.statics})
        body, results = instantiate(main, [*given, *captured])
        self.b.out.extend(body)
        return from_spec(lowered.result, iter(results))

    def _unused(self, name: str) -> str:
        return next(n for n in (f"{name}{k or ''}" for k in range(10**6)) if n not in self.calls.callees)


def from_spec(spec: Spec, atoms: Iterator[Atom]) -> Value:
    match spec:
        case Leaf():
            return next(atoms)
        case Node():
            return Struct(spec.kind, spec.keys, tuple(from_spec(child, atoms) for child in spec.children))
    return Known(spec.value)
