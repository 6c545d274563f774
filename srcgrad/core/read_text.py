"""Reading the text of a core program: what `core.write_text` writes, as a program again.

Spans are not read back: a program that is read has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from srcgrad.core import ir
from srcgrad.core.build import const
from srcgrad.core.ir import Atom, Fun, Program, Stmt, Type, Var

TOKEN = re.compile(
    r"""(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<complex>\([^()\s,'"]*j\)|-?[\d.]+(?:e[+-]?\d+)?j)
      | (?P<number>-?(?:\d+\.?\d*(?:e[+-]?\d+)?|inf\b|nan\b))
      | (?P<name>@?[^\W\d]\w*(?:\.\d+)?)
      | (?P<sign>\+=|[-()\[\]{},:=~&])
      | \s+""",
    re.VERBOSE,
)
WORD_VALUES = {"True": True, "False": False, "None": None}


class TextError(ValueError):
    """A text that is no core program: the message has the line."""


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


class _Tokens:
    """The words of one line, taken from the left."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.items: list[tuple[str, str]] = []
        end = 0
        for found in TOKEN.finditer(text):
            if found.start() != end:
                break
            end = found.end()
            if found.lastgroup:
                self.items.append((found.lastgroup, found[0]))
        if end != len(text):
            raise TextError(f"cannot read {text[end:]!r} in the line {text!r}")
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        return self.items[self.at + ahead][1] if self.at + ahead < len(self.items) else ""

    def take(self) -> tuple[str, str]:
        if self.at == len(self.items):
            raise TextError(f"the line ends too soon: {self.text!r}")
        self.at += 1
        return self.items[self.at - 1]

    def word(self) -> str:
        return self.take()[1]

    def skip(self, text: str) -> bool:
        """Take the next word if it is this one."""
        if self.peek() == text:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.skip(text):
            raise TextError(f"{text!r} is missing before {self.peek()!r} in the line {self.text!r}")

    def many(self, one: Callable[[], Any], end: str = "") -> list[Any]:
        """Items between commas, up to `end` or the end of the line."""
        out = []
        while self.at < len(self.items) and self.peek() != end:
            out.append(one())
            if not self.skip(","):
                break
        if end:
            self.expect(end)
        return out

    # ---- Python's literals

    def literal(self) -> Any:
        kind, text = self.take()
        if kind == "string":
            return _unquoted(text)
        if kind in ("number", "complex"):
            return number(text)
        if text in WORD_VALUES:
            return WORD_VALUES[text]
        if text == "(":
            return tuple(self.many(self.literal, ")"))
        if text == "[":
            return self.many(self.literal, "]")
        if text == "{":
            return dict(self.many(self._pair, "}"))
        raise TextError(f"{text!r} is not a literal, in the line {self.text!r}")

    def _pair(self) -> tuple[Any, Any]:
        key = self.literal()
        self.expect(":")
        return key, self.literal()

    def type(self) -> Type:
        many, ref = self.skip("list"), self.skip("&")
        dtype, rank = self.word(), 0
        if self.skip("["):
            rank = int(self.word())
            self.expect("]")
        return Type(dtype, rank, ref, many)


def number(text: str) -> float | int | complex:
    if text.endswith(("j", "j)")):
        return complex(text.strip("()"))
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _unquoted(text: str) -> str:
    return text[1:-1].encode("latin-1", "backslashreplace").decode("unicode_escape")


class _Reader:
    def __init__(self, lines: Sequence[Line], primitives: Mapping[str, ir.Primitive]) -> None:
        self.lines, self.primitives = lines, primitives
        self.at = 0
        self.vars: dict[str, Var] = {}  # those in scope
        self.everywhere: dict[str, Var] = {}  # those of the function
        self.statements: dict[str, Callable[[_Tokens], Stmt]] = {
            "store": self._store,
            "atomic": self._atomic,
            "barrier": lambda t: ir.Barrier(),
            "effect": self._effect,
            "check": self._check,
        }
        self.values: dict[str, Callable[[_Tokens, tuple[Var, ...]], Stmt]] = {
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
        depth, tokens = self.lines[self.at].depth, _Tokens(self.line().removesuffix(":"))
        while tokens.word() != "fun":
            pass
        name = tokens.word()
        tokens.expect("(")
        params = tuple(tokens.many(lambda: self.bound(tokens), ")"))
        self.at += 1
        told = list(self._fact_lines())
        body = self.block(depth + 1)
        end = _Tokens(self.line())
        end.expect("return")
        results = tuple(end.many(lambda: self.atom(end)))
        self.at += 1
        facts = ir.FunFacts(**{fact: self._fact(fact, _Tokens(text)) for fact, text in told})
        self.vars, self.everywhere = outer, everywhere
        return Fun(name, params, body, results, facts)

    def _fact_lines(self) -> Iterator[tuple[str, str]]:
        """What is told below a function's head: the name of a fact, and the text of it."""
        while found := FACT.match(self.line()):
            yield found[1], found[2]
            self.at += 1

    def _fact(self, name: str, tokens: _Tokens) -> Any:
        """Read at the function's end: a fact may name what is bound in its body."""

        def var() -> Var:
            return self.everywhere[tokens.word()]

        def like() -> tuple[Var, Var]:
            first = var()
            tokens.expect("like")
            return first, var()

        match name:
            case "changed":
                return tokens.literal()
            case "kernel":
                tokens.expect("counted")
                return ir.KernelFacts(tuple(tokens.many(var)))
            case "no_unit_axes":
                return frozenset(tokens.many(var))
            case "same_shapes":
                return tuple(tokens.many(like))
            case "lengths":
                return dict(tokens.many(lambda: (var(), tokens.literal())))
        items = tuple(tokens.many(tokens.literal))
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
        tokens = _Tokens(self.line())
        if not tokens.skip(word):
            return ()
        self.at += 1
        return tuple(tokens.many(lambda: self.atom(tokens)))

    # ---- atoms

    def bound(self, tokens: _Tokens) -> Var:
        name = tokens.word()
        tokens.expect(":")
        var = Var(name.partition(".")[0], tokens.type())
        self.vars[name] = self.everywhere[name] = var
        return var

    def atom(self, tokens: _Tokens) -> Atom:
        kind, text = tokens.take()
        if kind == "name" and text not in WORD_VALUES:
            if text not in self.vars:
                raise TextError(f"{text!r} is not bound before the line {tokens.text!r}")
            return self.vars[text]
        value = WORD_VALUES[text] if kind == "name" else number(text)
        assert value is not None
        return const(value, Type(tokens.word())) if tokens.skip("~") else const(value)

    def var(self, tokens: _Tokens) -> Var:
        found = self.atom(tokens)
        assert isinstance(found, Var)
        return found

    def index(self, tokens: _Tokens) -> ir.Index:
        tokens.expect("[")
        return tuple(tokens.many(lambda: self.item(tokens), "]"))

    def item(self, tokens: _Tokens) -> ir.Item:
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

    def arguments(self, tokens: _Tokens) -> tuple[Atom, ...]:
        tokens.expect("(")
        return tuple(tokens.many(lambda: self.atom(tokens), ")"))

    # ---- statements

    def plain(self) -> Stmt:
        tokens = _Tokens(self.line())
        self.at += 1
        if tokens.peek() in self.statements and tokens.peek(1) not in (":", "["):
            return self.statements[tokens.word()](tokens)
        targets = self._targets(tokens)
        if not targets and tokens.peek(1) == "[":
            return self._accumulate(tokens, "")
        word = tokens.word()
        if word in self.values and tokens.peek() != "(":
            return self.values[word](tokens, targets)
        return ir.Let(targets, self.primitives[word], self.arguments(tokens), self._params(tokens))

    def _targets(self, tokens: _Tokens) -> tuple[Var, ...]:
        """What stands before an equals sign."""
        if tokens.peek(1) != ":":
            return ()
        found = tuple(tokens.many(lambda: self.bound(tokens), "="))
        return found

    def _params(self, tokens: _Tokens) -> dict[str, Any]:
        def one() -> tuple[str, Any]:
            name = tokens.word()
            tokens.expect("=")
            return name, tokens.literal()

        return dict(tokens.many(one, "}")) if tokens.skip("{") else {}

    def _store(self, tokens: _Tokens) -> Stmt:
        ref, index = self.var(tokens), self.index(tokens)
        tokens.expect("=")
        return ir.Store(ref, index, self.atom(tokens))

    def _atomic(self, tokens: _Tokens) -> Stmt:
        how = tokens.word()
        return self._accumulate(tokens, how)

    def _accumulate(self, tokens: _Tokens, atomic: str) -> Stmt:
        ref, index = self.var(tokens), self.index(tokens)
        tokens.expect("+=")
        return ir.Accumulate(ref, index, self.atom(tokens), atomic)

    def _effect(self, tokens: _Tokens) -> Stmt:
        in_python, args = tokens.skip("python"), self.arguments(tokens)
        code, format, home = (tokens.literal() for _ in range(3))
        return ir.Effect(code, args, self._failure(tokens), format, home, in_python)

    def _failure(self, tokens: _Tokens) -> ir.Failure | None:
        if not tokens.skip("else"):
            return None
        error = tokens.word()
        text, message, hint = (tokens.literal() for _ in range(3))
        return ir.Failure(error, text, message, hint, None)

    def _check(self, tokens: _Tokens) -> Stmt:
        demand: Any = tokens.word()
        left = self._measure(tokens)
        tokens.expect(",")
        right, failure = self._measure(tokens), self._failure(tokens)
        assert failure is not None
        return ir.Check(demand, left, right, failure)

    def _measure(self, tokens: _Tokens) -> ir.Measure:
        if tokens.skip("length"):
            return ir.Length(self.var(tokens), int(tokens.word()))
        return self.atom(tokens)

    # ---- right-hand sides

    def _draw(self, tokens: _Tokens, targets: tuple[Var, ...]) -> Stmt:
        op = self.primitives[tokens.word()]
        return ir.Draw(targets[0], op, self.arguments(tokens), self._params(tokens))

    def _load(self, tokens: _Tokens, targets: tuple[Var, ...]) -> Stmt:
        ref, index = self.var(tokens), self.index(tokens)
        return ir.Load(targets[0], ref, index, copy=not tokens.skip("in"))

    def _alloc(self, tokens: _Tokens, targets: tuple[Var, ...]) -> Stmt:
        start = tokens.word()
        init = self.atom(tokens) if start == "holds" else start
        tokens.expect("(")
        shape = tokens.many(lambda: None if tokens.skip("grows") else self.atom(tokens), ")")
        return ir.Alloc(targets[0], tuple(shape), init, tokens.word() if tokens.peek() else "")

    def _view(self, tokens: _Tokens, targets: tuple[Var, ...]) -> Stmt:
        base = self.var(tokens)
        if tokens.skip("transpose"):
            return ir.View(targets[0], base, ir.Transpose(tokens.literal()))
        if tokens.skip("reshape"):
            return ir.View(targets[0], base, ir.Reshape(self.arguments(tokens)))
        return ir.View(targets[0], base, self.index(tokens))

    def _list(self, tokens: _Tokens, targets: tuple[Var, ...]) -> Stmt:
        tokens.expect("like")
        return ir.NewList(targets[0], self.var(tokens))

    def _append(self, tokens: _Tokens, targets: tuple[Var, ...]) -> Stmt:
        refs = self.var(tokens)
        tokens.expect(",")
        return ir.Append(refs, self.var(tokens), targets[0])

    def _ref_at(self, tokens: _Tokens, targets: tuple[Var, ...]) -> Stmt:
        refs = self.var(tokens)
        tokens.expect(",")
        return ir.RefAt(targets[0], refs, self.atom(tokens))

    def _call(self, tokens: _Tokens, targets: tuple[Var, ...]) -> Stmt:
        callee, args = tokens.word(), self.arguments(tokens)
        return ir.Call(targets, callee, args, tokens.skip("loud"), tokens.skip("shares"))

    # ---- statements with blocks

    def compound(self, depth: int) -> Stmt:
        tokens = _Tokens(self.line().removesuffix(":"))
        self.at += 1
        outer = dict(self.vars)
        targets = self._targets(tokens)
        bound = {name: var for name, var in self.vars.items() if var in targets}
        self.vars = outer
        word = tokens.word()
        parallel = word == "parallel" and bool(tokens.word())
        if word in ("for", "parallel"):
            stmt: Stmt = self._for(tokens, targets, parallel, depth)
        elif word == "loop":
            stmt = self._while(tokens, targets, depth)
        elif word == "if":
            stmt = self._if(tokens, targets, depth)
        else:
            stmt = self._custom(tokens, targets, depth)
        self.vars |= bound
        return stmt

    def _carries(self, tokens: _Tokens) -> list[tuple[Var, Atom]]:
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

    def _for(self, tokens: _Tokens, targets: tuple[Var, ...], parallel: bool, depth: int) -> Stmt:
        index = self.bound(tokens)
        tokens.expect("in")
        tokens.expect("range")
        start, stop, step = self.arguments(tokens)
        heads = self._carries(tokens)
        body = self.block(depth + 1)
        carry, end = self._leave(heads, targets, depth + 1)
        return ir.For(index, start, stop, step, carry, body, end, parallel)

    def _while(self, tokens: _Tokens, targets: tuple[Var, ...], depth: int) -> Stmt:
        heads = self._carries(tokens)
        test = self.block(depth + 1)
        head = _Tokens(self.line().removesuffix(":"))
        head.expect("while")
        cond = self.atom(head)
        self.at += 1
        body = self.block(depth + 1)
        carry, end = self._leave(heads, targets, depth + 1)
        return ir.While(test, cond, carry, body, end)

    def _if(self, tokens: _Tokens, targets: tuple[Var, ...], depth: int) -> Stmt:
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

    def _custom(self, tokens: _Tokens, targets: tuple[Var, ...], depth: int) -> Stmt:
        args = self.arguments(tokens)
        funs: dict[str, Fun] = {}
        while self.at < len(self.lines) and self.lines[self.at].depth == depth + 1:
            role = self.line().partition(" ")[0]
            funs[role] = self.fun()
        return ir.Custom(targets, args, funs["primal"], funs.get("jvp"), funs.get("fwd"), funs.get("bwd"))


FACT = re.compile(rf"# ({'|'.join(ir.FunFacts.__dataclass_fields__)}): (.*)")
