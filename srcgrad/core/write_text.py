"""A core program as text, one statement a line, that `core.read_text` reads back.

A variable is written with its type where it is bound. Those of one preferred name are told apart by a number after a
dot: `s`, `s.2`. References have `&` before their type, lists of references `list`. What a loop carries stands in its
head with what it is at first, the next values at the end of its body, and what is left of them before the equals sign:

    s.2: f8 = for i: i8 in range(0, n, 1) with s: f8 = 0.0:
        t: f8 = load x[i]
        u: f8 = add(s, t)
        next u

What is known of a whole function stands below its head, a fact a line: `# overwritten: 'x'`, `# same_shapes: d like x`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Fun, Program, Stmt, Var

WORDS = frozenset({"True", "False", "None", "nan", "inf", "call", "custom", "draw", "load", "alloc", "view", "list"})
WORDS |= {"append", "at", "for", "while", "if", "in", "with", "range", "next", "exit", "give", "parallel", "j"}
WORDS |= {"outlined", "literal", "python", "format", "filling", "of", "else"}
DEFAULTS = {bool: "b1", int: "i8", float: "f8", complex: "c16"}
INDENT = "    "


def write(program: Program | Fun) -> str:
    """The text of a program: its main function, then those that it calls by name."""
    funs = [program] if isinstance(program, Fun) else [program.main, *program.callees.values()]
    return "\n\n".join("\n".join(_Writer().fun(fun)) for fun in funs) + "\n"


class _Writer:
    def __init__(self) -> None:
        self.names: dict[Var, str] = {}
        self.taken: dict[str, int] = {}

    # ---- atoms

    def atom(self, atom: Atom) -> str:
        if isinstance(atom, Var):
            return self.names[atom]
        plain = repr(atom.value)
        return plain if DEFAULTS[type(atom.value)] == atom.type.dtype else f"{plain}~{atom.type.dtype}"

    def atoms(self, atoms: Iterable[Atom]) -> str:
        return ", ".join(map(self.atom, atoms))

    def bind(self, var: Var) -> str:
        number = self.taken[var.name] = self.taken.get(var.name, 0) + 1
        self.names[var] = var.name if number == 1 and var.name not in WORDS else f"{var.name}.{number}"
        return f"{self.names[var]}: {var.type}"

    def binds(self, targets: Iterable[Var]) -> str:
        """The left-hand side of a statement, with its equals sign; nothing if it binds nothing."""
        text = ", ".join(map(self.bind, targets))
        return f"{text} = " if text else ""

    def index(self, index: ir.Index) -> str:
        return f"[{', '.join(map(self.item, index))}]"

    def item(self, item: ir.Item) -> str:
        if not isinstance(item, ir.Slice):
            return self.atom(item)
        start, stop, step = ("" if part is None else self.atom(part) for part in (item.start, item.stop, item.step))
        return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"

    # ---- functions

    def fun(self, fun: Fun, role: str = "", depth: int = 0) -> Iterator[str]:
        pad = INDENT * depth
        params = ", ".join(map(self.bind, fun.params))
        yield f"{pad}{role}fun {fun.name}({params}):"
        body = [*self.block(fun.body, depth + 1)]
        yield from (f"{pad}{INDENT}# {fact}" for fact in self.facts(fun.facts))
        yield from body
        yield f"{pad}{INDENT}return {self.atoms(fun.results)}".rstrip()

    def facts(self, facts: ir.FunFacts) -> Iterator[str]:
        """A line for each fact that says something; what it says of variables that are gone is left out."""
        for field in fields(facts):
            fact = getattr(facts, field.name)
            match fact:
                case ir.KernelFacts(counted):
                    items = [f"counted {', '.join(self.known(counted))}".rstrip()]
                case frozenset():
                    items = sorted(self.known(fact))
                case Mapping():
                    items = [f"{self.names[var]} {lengths}" for var, lengths in fact.items() if var in self.names]
                case tuple() if field.name == "same_shapes":
                    items = [" like ".join(self.known(pair)) for pair in fact if len(list(self.known(pair))) == 2]
                case tuple() if field.name == "longer":
                    items = [
                        f"{self.names[n.array]} {n.axis} {n.times} {self.names[n.other]} {n.other_axis} {n.by}"
                        for n in fact
                        if n.array in self.names and n.other in self.names
                    ]
                case tuple() if field.name == "plan":
                    items = [repr((k.name, str(k.type), k.line, k.reason, k.shadow)) for k in fact]
                case tuple() if field.name == "parallel":
                    items = [repr(tuple(verdict)) for verdict in fact]
                case tuple():
                    items = list(map(repr, fact)) if any(fact) else []
                case _:
                    items = [repr(fact)] if fact else []
            if items:
                yield f"{field.name}: {', '.join(items)}"

    def known(self, vars: Iterable[Var]) -> Iterator[str]:
        return (self.names[var] for var in vars if var in self.names)

    def block(self, stmts: Iterable[Stmt], depth: int) -> Iterator[str]:
        for stmt in stmts:
            yield from self.compound(stmt, depth) if _has_blocks(stmt) else [INDENT * depth + self.plain(stmt)]

    # ---- statements without blocks

    def plain(self, stmt: Stmt) -> str:
        match stmt:
            case ir.Store(ref, index, value):
                return f"store {self.atom(ref)}{self.index(index)} = {self.atom(value)}"
            case ir.Accumulate(ref, index, value, atomic):
                how = f"atomic {atomic.value} " if atomic else ""
                return f"{how}{self.atom(ref)}{self.index(index)} += {self.atom(value)}"
            case ir.Remark(text, opens):
                return f"{'##' if opens else '#'} {text}"
            case ir.Barrier():
                return "barrier"
            case ir.Effect():
                return self.effect(stmt).rstrip()
        made = self.value(stmt)
        return f"{self.binds(_targets(stmt))}{made}"

    def value(self, stmt: Stmt) -> str:
        """The right-hand side of a statement that binds."""
        match stmt:
            case ir.Let(_, op, args, params):
                return f"{op.name}({self.atoms(args)}){_params(params)}"
            case ir.Draw(_, op, args, params):
                return f"draw {op.name}({self.atoms(args)}){_params(params)}"
            case ir.Load(_, ref, index, copy):
                return f"load {self.atom(ref)}{self.index(index)}{'' if copy else ' in place'}"
            case ir.Alloc(_, shape, init, space):
                lengths = ", ".join("grows" if n is None else self.atom(n) for n in shape)
                start = init.value if isinstance(init, ir.Init) else f"holds {self.atom(init)}"
                return f"alloc {start} ({lengths}){' ' + space.value if space else ''}"
            case ir.View(_, base, how):
                return f"view {self.atom(base)}{self.how(how)}"
            case ir.NewList(_, like):
                return f"list like {self.atom(like)}"
            case ir.Append(refs, ref, _):
                return f"append {self.atom(refs)}, {self.atom(ref)}"
            case ir.RefAt(_, refs, pos):
                return f"at {self.atom(refs)}, {self.atom(pos)}"
            case ir.Call(_, callee, args, loud, shares, given, _):
                marks = f"{' loud' if loud else ''}{' shares' if shares else ''}{f' given {given}' if given else ''}"
                return f"call {callee}({self.atoms(args)}){marks}"
        raise TypeError(type(stmt).__name__)

    def how(self, how: ir.Index | ir.Transpose | ir.Reshape) -> str:
        match how:
            case ir.Transpose(axes):
                return f" transpose {axes}"
            case ir.Reshape(shape):
                return f" reshape ({self.atoms(shape)})"
        return self.index(how)

    # ---- what passes through

    def effect(self, stmt: ir.Effect) -> str:
        match stmt:
            case ir.Raise():
                return self.raising(stmt)
            case ir.Assert(cond, message):
                return f"assert {self.atom(cond)}{'' if message is None else f', {self.part(message)}'}"
            case ir.Print(parts, options):
                return f"print {self.parts(parts)}".rstrip() + _params(dict(options))
            case ir.Seed(stream, value):
                return f"seed {stream.name.lower()} {self.atom(value)}"
            case ir.Return(values):
                return f"leave {self.atoms(values)}"
        raise TypeError(type(stmt).__name__)

    def raising(self, stmt: ir.Raise) -> str:
        home = "" if stmt.builtin else f" of {stmt.module!r}"
        format = "" if stmt.format is None else f" filling {stmt.format!r}"
        failure = stmt.failure
        told = "" if failure is None else f" else {failure.error} {failure.message!r} {failure.hint!r}"
        return f"raise {stmt.name}{home}{format} {self.parts(stmt.parts)}".rstrip() + told

    def parts(self, parts: Iterable[ir.Part]) -> str:
        return ", ".join(map(self.part, parts))

    def part(self, part: ir.Part) -> str:
        match part:
            case str():
                return repr(part)
            case Var() | ir.Const():
                return self.atom(part)
            case ir.Literal(value):
                return f"literal {value!r}"
            case ir.AsPython(number):
                return f"python {self.atom(number)}"
            case ir.Formatted(text, parts):
                return f"format {text!r} ({self.parts(parts)})"
        return f"({self.parts(part)}{',' if len(part) == 1 else ''})"

    # ---- statements with blocks

    def compound(self, stmt: Stmt, depth: int) -> Iterator[str]:
        match stmt:
            case ir.For():
                yield from self.loop(stmt, depth)
            case ir.While():
                yield from self.while_loop(stmt, depth)
            case ir.If():
                yield from self.branch(stmt, depth)
            case ir.Custom():
                head = f"custom({self.atoms(stmt.args)})"
                yield f"{INDENT * depth}{self.binds(stmt.targets)}{head}:"
                for role in ("primal", "jvp", "fwd", "bwd"):
                    fun = getattr(stmt, role)
                    if fun is not None:
                        yield from _Writer().fun(fun, f"{role} ", depth + 1)

    def carries(self, carry: Iterable[ir.Carry]) -> str:
        inits = [self.atom(c.init) for c in carry]
        parts = (f"{self.bind(c.inner)} = {init}" for c, init in zip(carry, inits, strict=True))
        text = ", ".join(parts)
        return f" with {text}" if text else ""

    def loop(self, stmt: ir.For, depth: int) -> Iterator[str]:
        bounds = self.atoms((stmt.start, stmt.stop, stmt.step))
        inits = [self.atom(c.init) for c in stmt.carry]
        index = self.bind(stmt.index)
        carried = [f"{self.bind(c.inner)} = {init}" for c, init in zip(stmt.carry, inits, strict=True)]
        with_ = f" with {', '.join(carried)}" if carried else ""
        inner = [*self.block(stmt.body, depth + 1), *self.ends(stmt, depth + 1)]
        order = "outlined parallel " if stmt.outlined else "parallel " if stmt.parallel else ""
        yield f"{INDENT * depth}{self.binds(c.out for c in stmt.carry)}{order}for {index} in range({bounds}){with_}:"
        yield from inner

    def while_loop(self, stmt: ir.While, depth: int) -> Iterator[str]:
        with_ = self.carries(stmt.carry)
        test = list(self.block(stmt.test, depth + 1))
        cond = self.atom(stmt.cond)
        inner = [*self.block(stmt.body, depth + 1), *self.ends(stmt, depth + 1)]
        yield f"{INDENT * depth}{self.binds(c.out for c in stmt.carry)}loop{with_}:"
        yield from test
        yield f"{INDENT * depth}while {cond}:"
        yield from inner

    def ends(self, stmt: ir.For | ir.While, depth: int) -> Iterator[str]:
        if stmt.carry:
            yield f"{INDENT * depth}next {self.atoms(c.next for c in stmt.carry)}"
        if stmt.exit is not None:
            yield f"{INDENT * depth}exit {self.atom(stmt.exit)}"

    def branch(self, stmt: ir.If, depth: int) -> Iterator[str]:
        cond = self.atom(stmt.cond)
        then = [*self.block(stmt.then, depth + 1), *self.gives((o.then for o in stmt.outs), depth + 1)]
        orelse = [*self.block(stmt.orelse, depth + 1), *self.gives((o.orelse for o in stmt.outs), depth + 1)]
        yield f"{INDENT * depth}{self.binds(o.target for o in stmt.outs)}if {cond}:"
        yield from then
        if orelse:
            yield f"{INDENT * depth}else:"
            yield from orelse

    def gives(self, atoms: Iterable[Atom], depth: int) -> Iterator[str]:
        text = self.atoms(atoms)
        if text:
            yield f"{INDENT * depth}give {text}"


def _params(params: Any) -> str:
    return f" {{{', '.join(f'{k}={v!r}' for k, v in params.items())}}}" if params else ""


def _has_blocks(stmt: Stmt) -> bool:
    return isinstance(stmt, (ir.For, ir.While, ir.If, ir.Custom))


def _targets(stmt: Any) -> tuple[Var, ...]:
    if isinstance(stmt, ir.Append):
        return (stmt.pos,)
    return stmt.targets if hasattr(stmt, "targets") else (stmt.target,)
