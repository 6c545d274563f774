"""Reading the text of a core program: what `core.write_text` writes, as a program again.

Spans are not read back: a program that is read has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from srcgrad.core import ir
from srcgrad.core.build import const
from srcgrad.core.ir import Atom, Const, Fun, Program, Stmt, Type, Var
from srcgrad.core.text_tokens import WORD_VALUES, Tokens, number
from srcgrad.core.text_tokens import TextError as TextError


@dataclass(frozen=True, slots=True)
class Line:
    depth: int
    text: str


def read(text: str, primitives: Mapping[str, ir.Primitive]) -> Program:
    """The program of a text; `primitives` by their names."""
    lines = [Line((len(s) - len(s.lstrip())) // 4, s.strip()) for s in text.splitlines() if s.strip()]
    reader = _Reader(lines, primitives)
    funs = []
    while reader.at < len(lines):
        funs.append(reader.fun())
    return Program(funs[0], {fun.name: fun for fun in funs[1:]})


class _Reader:
    def __init__(self, lines: Sequence[Line], primitives: Mapping[str, ir.Primitive]) -> None:
        self.lines, self.primitives = lines, primitives
        self.at = 0
        self.vars: dict[str, Var] = {}  # those in scope
        self.everywhere: dict[str, Var] = {}  # those of the function
        self.statements: dict[str, Callable[[Tokens], Stmt]] = {
            "store": self._store,
            "atomic": self._atomic,
            "barrier": lambda t: ir.Barrier(),
            "raise": self._raise,
            "assert": self._assert,
            "print": self._print,
            "seed": self._seed,
            "leave": lambda t: ir.Return(tuple(t.many(lambda: self.const(t)))),
        }
        self.values: dict[str, Callable[[Tokens, tuple[Var, ...]], Stmt]] = {
            "draw": self._draw,
            "load": self._load,
            "alloc": self._alloc,
            "view": self._view,
            "list": self._list,
            "append": self._append,
            "at": self._ref_at,
            "call": self._call,
        }

    def line(self) -> str:
        return self.lines[self.at].text

    # ---- functions and blocks

    def fun(self) -> Fun:
        outer, everywhere = self.vars, self.everywhere
        self.vars, self.everywhere = {}, {}
        depth, tokens = self.lines[self.at].depth, Tokens(self.line().removesuffix(":"))
        while tokens.word() != "fun":
            pass
        name = tokens.word()
        tokens.expect("(")
        params = tuple(tokens.many(lambda: self.bound(tokens), ")"))
        self.at += 1
        told = list(self._fact_lines())
        body = self.block(depth + 1)
        end = Tokens(self.line())
        end.expect("return")
        results = tuple(end.many(lambda: self.atom(end)))
        self.at += 1
        facts = ir.FunFacts(**{fact: self._fact(fact, Tokens(text)) for fact, text in told})
        self.vars, self.everywhere = outer, everywhere
        return Fun(name, params, body, results, facts)

    def _fact_lines(self) -> Iterator[tuple[str, str]]:
        """What is told below a function's head: the name of a fact, and the text of it."""
        while found := FACT.match(self.line()):
            yield found[1], found[2]
            self.at += 1

    def _fact(self, name: str, tokens: Tokens) -> Any:
        """Read at the function's end: a fact may name what is bound in its body."""

        def var() -> Var:
            return self.everywhere[tokens.word()]

        def like() -> tuple[Var, Var]:
            first = var()
            tokens.expect("like")
            return first, var()

        def number() -> int:
            return int(tokens.literal())

        match name:
            case "changed" | "in_place" | "equal_lengths" | "may_be_left":
                return tokens.literal()
            case "kernel":
                tokens.expect("counted")
                return ir.KernelFacts(tuple(tokens.many(var)))
            case "no_unit_axes" | "results":
                return frozenset(tokens.many(var))
            case "same_shapes":
                return tuple(tokens.many(like))
            case "longer":
                return tuple(tokens.many(lambda: ir.Longer(var(), number(), number(), var(), number(), number())))
            case "lengths" | "least" | "unit_axes":
                return dict(tokens.many(lambda: (var(), tokens.literal())))
        items = tuple(tokens.many(tokens.literal))
        if name == "plan":
            return tuple(ir.Kept(kept, Tokens(type).type(), *more) for kept, type, *more in items)
        return tuple(ir.Verdict(*item) for item in items) if name == "parallel" else items

    def block(self, depth: int) -> tuple[Stmt, ...]:
        """The statements of this depth, up to what ends their block."""
        return tuple(self._statements(depth))

    def _statements(self, depth: int) -> Iterator[Stmt]:
        while self.at < len(self.lines) and self.lines[self.at].depth == depth:
            text = self.line()
            if text.startswith(("return", "next ", "exit ", "give ")):
                return
            if text.startswith("#"):
                self.at += 1
                yield ir.Remark(text.lstrip("#").strip(), text.startswith("##"))
                continue
            yield self.compound(depth) if text.endswith(":") else self.plain()

    def ends(self, word: str, depth: int) -> tuple[Atom, ...]:
        """The atoms of a line `word ...`, if it comes next."""
        if self.at == len(self.lines) or self.lines[self.at].depth != depth:
            return ()
        tokens = Tokens(self.line())
        if not tokens.skip(word):
            return ()
        self.at += 1
        return tuple(tokens.many(lambda: self.atom(tokens)))

    # ---- atoms

    def bound(self, tokens: Tokens) -> Var:
        name = tokens.word()
        tokens.expect(":")
        var = Var(name.partition(".")[0], tokens.type())
        self.vars[name] = self.everywhere[name] = var
        return var

    def atom(self, tokens: Tokens) -> Atom:
        kind, text = tokens.take()
        if kind == "name" and text not in WORD_VALUES:
            if text not in self.vars:
                raise TextError(f"{text!r} is not bound before the line {tokens.text!r}")
            return self.vars[text]
        value = WORD_VALUES[text] if kind == "name" else number(text)
        assert value is not None
        return const(value, Type(tokens.word())) if tokens.skip("~") else const(value)

    def const(self, tokens: Tokens) -> Const:
        found = self.atom(tokens)
        assert isinstance(found, Const)
        return found

    def var(self, tokens: Tokens) -> Var:
        found = self.atom(tokens)
        assert isinstance(found, Var)
        return found

    def index(self, tokens: Tokens) -> ir.Index:
        tokens.expect("[")
        return tuple(tokens.many(lambda: self.item(tokens), "]"))

    def item(self, tokens: Tokens) -> ir.Item:
        parts: list[Atom | None] = [None]
        while tokens.peek() not in (",", "]"):
            if tokens.skip(":"):
                parts.append(None)
            else:
                parts[-1] = self.atom(tokens)
        if len(parts) == 1:
            assert parts[0] is not None
            return parts[0]
        return ir.Slice(*parts)

    def arguments(self, tokens: Tokens) -> tuple[Atom, ...]:
        tokens.expect("(")
        return tuple(tokens.many(lambda: self.atom(tokens), ")"))

    # ---- statements

    def plain(self) -> Stmt:
        tokens = Tokens(self.line())
        self.at += 1
        if tokens.peek() in self.statements and tokens.peek(1) not in (":", "["):
            return self.statements[tokens.word()](tokens)
        targets = self._targets(tokens)
        if not targets and tokens.peek(1) == "[":
            return self._accumulate(tokens, None)
        word = tokens.word()
        if word in self.values and tokens.peek() != "(":
            return self.values[word](tokens, targets)
        return ir.Let(targets, self.primitives[word], self.arguments(tokens), self._params(tokens))

    def _targets(self, tokens: Tokens) -> tuple[Var, ...]:
        """What stands before an equals sign."""
        if tokens.peek(1) != ":":
            return ()
        found = tuple(tokens.many(lambda: self.bound(tokens), "="))
        return found

    def _params(self, tokens: Tokens) -> dict[str, Any]:
        def one() -> tuple[str, Any]:
            name = tokens.word()
            tokens.expect("=")
            return name, tokens.literal()

        return dict(tokens.many(one, "}")) if tokens.skip("{") else {}

    def _store(self, tokens: Tokens) -> Stmt:
        ref, index = self.var(tokens), self.index(tokens)
        tokens.expect("=")
        return ir.Store(ref, index, self.atom(tokens))

    def _atomic(self, tokens: Tokens) -> Stmt:
        how = tokens.word()
        return self._accumulate(tokens, ir.Atomic(how))

    def _accumulate(self, tokens: Tokens, atomic: ir.Atomic | None) -> Stmt:
        ref, index = self.var(tokens), self.index(tokens)
        tokens.expect("+=")
        return ir.Accumulate(ref, index, self.atom(tokens), atomic)

    # ---- what passes through

    def _raise(self, tokens: Tokens) -> Stmt:
        name = tokens.word()
        module = tokens.literal() if tokens.skip("of") else "builtins"
        format = tokens.literal() if tokens.skip("filling") else None
        parts = tuple(tokens.many(lambda: self._part(tokens))) if tokens.peek() not in ("", "else") else ()
        if not tokens.skip("else"):
            return ir.Raise(module, name, parts, format)
        error, (text,) = tokens.word(), parts
        assert isinstance(text, str)
        return ir.failing(ir.Failure(error, text, tokens.literal(), tokens.literal(), None))

    def _assert(self, tokens: Tokens) -> Stmt:
        cond = self.atom(tokens)
        return ir.Assert(cond, self._part(tokens) if tokens.skip(",") else None)

    def _print(self, tokens: Tokens) -> Stmt:
        parts = tuple(tokens.many(lambda: self._part(tokens))) if tokens.peek() not in ("", "{") else ()
        return ir.Print(parts, tuple(self._params(tokens).items()))

    def _seed(self, tokens: Tokens) -> Stmt:
        stream = ir.Stream[tokens.word().upper()]
        return ir.Seed(stream, self.atom(tokens))

    def _part(self, tokens: Tokens) -> ir.Part:
        """One of what is printed or raised."""
        if tokens.peek()[:1] in ("'", '"'):
            text: str = tokens.literal()
            return text
        if tokens.skip("literal"):
            return ir.Literal(tokens.literal())
        if tokens.skip("python"):
            return ir.AsPython(self.atom(tokens))
        if tokens.skip("format"):
            text = tokens.literal()
            tokens.expect("(")
            return ir.Formatted(text, tuple(tokens.many(lambda: self._part(tokens), ")")))
        if tokens.skip("("):
            return tuple(tokens.many(lambda: self._part(tokens), ")"))
        return self.atom(tokens)

    # ---- right-hand sides

    def _draw(self, tokens: Tokens, targets: tuple[Var, ...]) -> Stmt:
        op = self.primitives[tokens.word()]
        return ir.Draw(targets[0], op, self.arguments(tokens), self._params(tokens))

    def _load(self, tokens: Tokens, targets: tuple[Var, ...]) -> Stmt:
        ref, index = self.var(tokens), self.index(tokens)
        return ir.Load(targets[0], ref, index, copy=not tokens.skip("in"))

    def _alloc(self, tokens: Tokens, targets: tuple[Var, ...]) -> Stmt:
        start = tokens.word()
        init = self.atom(tokens) if start == "holds" else ir.Init(start)
        tokens.expect("(")
        shape = tokens.many(lambda: None if tokens.skip("grows") else self.atom(tokens), ")")
        return ir.Alloc(targets[0], tuple(shape), init, ir.Space(tokens.word()) if tokens.peek() else None)

    def _view(self, tokens: Tokens, targets: tuple[Var, ...]) -> Stmt:
        base = self.var(tokens)
        if tokens.skip("transpose"):
            return ir.View(targets[0], base, ir.Transpose(tokens.literal()))
        if tokens.skip("reshape"):
            return ir.View(targets[0], base, ir.Reshape(self.arguments(tokens)))
        return ir.View(targets[0], base, self.index(tokens))

    def _list(self, tokens: Tokens, targets: tuple[Var, ...]) -> Stmt:
        tokens.expect("like")
        return ir.NewList(targets[0], self.var(tokens))

    def _append(self, tokens: Tokens, targets: tuple[Var, ...]) -> Stmt:
        refs = self.var(tokens)
        tokens.expect(",")
        return ir.Append(refs, self.var(tokens), targets[0])

    def _ref_at(self, tokens: Tokens, targets: tuple[Var, ...]) -> Stmt:
        refs = self.var(tokens)
        tokens.expect(",")
        return ir.RefAt(targets[0], refs, self.atom(tokens))

    def _call(self, tokens: Tokens, targets: tuple[Var, ...]) -> Stmt:
        callee, args = tokens.word(), self.arguments(tokens)
        loud, shares = tokens.skip("loud"), tokens.skip("shares")
        given = self.atom(tokens) if tokens.skip("given") else None
        count = int(given.value.real) if isinstance(given, Const) else 0
        return ir.Call(targets, callee, args, loud, shares, count)

    # ---- statements with blocks

    def compound(self, depth: int) -> Stmt:
        tokens = Tokens(self.line().removesuffix(":"))
        self.at += 1
        outer = dict(self.vars)
        targets = self._targets(tokens)
        bound = {name: var for name, var in self.vars.items() if var in targets}
        self.vars = outer
        word = tokens.word()
        outlined = word == "outlined"
        word = tokens.word() if outlined else word
        parallel = word == "parallel" and bool(tokens.word())
        if word in ("for", "parallel"):
            stmt: Stmt = replace(self._for(tokens, targets, parallel, depth), outlined=outlined)
        elif word == "loop":
            stmt = self._while(tokens, targets, depth)
        elif word == "if":
            stmt = self._if(tokens, targets, depth)
        else:
            stmt = self._custom(tokens, targets, depth)
        self.vars |= bound
        return stmt

    def _carries(self, tokens: Tokens) -> list[tuple[Var, Atom]]:
        def one() -> tuple[Var, Atom]:
            before = dict(self.vars)
            inner = self.bound(tokens)
            tokens.expect("=")
            now, self.vars = self.vars, before  # what it is at first is seen from outside
            init = self.atom(tokens)
            self.vars = now
            return inner, init

        return tokens.many(one) if tokens.skip("with") else []

    def _leave(
        self, heads: Sequence[tuple[Var, Atom]], targets: Sequence[Var], depth: int
    ) -> tuple[tuple[ir.Carry, ...], Atom | None]:
        nexts = self.ends("next", depth)
        carry = [ir.Carry(*head, next, out) for head, next, out in zip(heads, nexts, targets, strict=True)]
        found = self.ends("exit", depth)
        return tuple(carry), found[0] if found else None

    def _for(self, tokens: Tokens, targets: tuple[Var, ...], parallel: bool, depth: int) -> ir.For:
        index = self.bound(tokens)
        tokens.expect("in")
        tokens.expect("range")
        start, stop, step = self.arguments(tokens)
        heads = self._carries(tokens)
        body = self.block(depth + 1)
        carry, end = self._leave(heads, targets, depth + 1)
        return ir.For(index, start, stop, step, carry, body, end, parallel)

    def _while(self, tokens: Tokens, targets: tuple[Var, ...], depth: int) -> Stmt:
        heads = self._carries(tokens)
        test = self.block(depth + 1)
        head = Tokens(self.line().removesuffix(":"))
        head.expect("while")
        cond = self.atom(head)
        self.at += 1
        body = self.block(depth + 1)
        carry, end = self._leave(heads, targets, depth + 1)
        return ir.While(test, cond, carry, body, end)

    def _if(self, tokens: Tokens, targets: tuple[Var, ...], depth: int) -> Stmt:
        cond = self.atom(tokens)
        then = self.block(depth + 1)
        thens = self.ends("give", depth + 1)
        orelse: tuple[Stmt, ...] = ()
        orelses: tuple[Atom, ...] = ()
        if self.at < len(self.lines) and self.lines[self.at] == Line(depth, "else:"):
            self.at += 1
            orelse = self.block(depth + 1)
            orelses = self.ends("give", depth + 1)
        outs = tuple(ir.Out(*out) for out in zip(targets, thens, orelses, strict=True))
        return ir.If(cond, then, orelse, outs)

    def _custom(self, tokens: Tokens, targets: tuple[Var, ...], depth: int) -> Stmt:
        args = self.arguments(tokens)
        funs: dict[str, Fun] = {}
        while self.at < len(self.lines) and self.lines[self.at].depth == depth + 1:
            role = self.line().partition(" ")[0]
            funs[role] = self.fun()
        return ir.Custom(targets, args, funs["primal"], funs.get("jvp"), funs.get("fwd"), funs.get("bwd"))


FACT = re.compile(rf"# ({'|'.join(ir.FunFacts.__dataclass_fields__)}): (.*)")
