"""What passes through: print, raise, assert."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from string import Formatter
from typing import cast

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering import values as scope
from srcgrad.frontend.lowering.paths import Lowering, handles
from srcgrad.frontend.lowering.special_methods import own
from srcgrad.frontend.lowering.values import FALSE, RAISED, TRUE, Known, Struct, Value
from srcgrad.frontend.source import classes


def _shows_itself(value: Struct) -> bool:
    """Whether a class of the user's has written how its objects are shown."""
    found = classes.written(value.kind, "__repr__")
    return found is not None and not found.generated and found.value.__module__ not in ("collections", "dataclasses")


class _Holes:
    """What is dynamic in a printed text: `_0, _1, ...`."""

    def __init__(self, low: Lowering) -> None:
        self.low = low
        self.args: list[Atom] = []

    def hole(self, atom: Atom) -> str:
        if isinstance(atom, Const):
            return repr(atom.value)
        if atom not in self.args:
            self.args.append(atom)
        return f"_{self.args.index(atom)}"

    def value(self, node: ast.expr) -> str:
        return self.text(self.low.settle(self.low.ex(node), "a"))

    def text(self, value: Value) -> str:
        match value:
            case Var() | Const():
                return self.hole(value)
            case Struct() if own(self.low, value, "__str__") or _shows_itself(value):
                self.low.refuse(f"a {value.kind.__name__} says itself how it is printed", "print what it holds")
            case Struct() if not issubclass(value.kind, dict):
                items = [self.text(item) for item in value.items]
                return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
            case Known():
                return repr(value.value)
        return repr(scope.describe(value))


# ---- print


def print_(low: Lowering, node: ast.Call) -> None:
    """A print. What Numba's has not (formats, `sep`, `end`) is left to Python's."""
    holes = _Holes(low)
    texts = [_formatted(low, a, holes) if _dynamic(a) else holes.value(_plain(a)) for a in node.args]
    for option in node.keywords:
        if option.arg not in ("sep", "end", "flush") or not isinstance(option.value, ast.Constant):
            low.refuse("this option of print is outside the language", "give sep, end and flush as literals")
        texts.append(f"{option.arg}={option.value.value!r}")
    in_python = bool(node.keywords) or any(map(_dynamic, node.args))
    code = f"print({', '.join(texts)})"
    low.b.put(ir.Effect(code, tuple(holes.args), in_python=in_python, span=low.b.span))


def _formatted(low: Lowering, node: ast.expr, holes: _Holes) -> str:
    """An f-string as a call of str.format over the holes."""
    text, values = _format(low, cast(ast.JoinedStr, node))
    fields = [field for _, field, _, _ in Formatter().parse(text) if field is not None]
    told = [how for _, field, _, how in Formatter().parse(text) if field is not None]
    assert len(fields) == len(values)
    given = [_as_python(low, value, how, holes) for value, how in zip(values, told, strict=True)]
    return f"{text!r}.format({', '.join(given)})"


def _as_python(low: Lowering, node: ast.expr, how: str | None, holes: _Holes) -> str:
    """A value to be formatted; a number whose repr is asked for as Python's own."""
    value = low.settle(low.ex(node), "a")
    text = holes.text(value)
    if how is None or not isinstance(value, Var) or not value.type.is_scalar:
        return text
    kind = {"f8": "float", "i8": "int", "b1": "bool", "c16": "complex"}.get(value.type.dtype, "")
    return f"{kind}({text})" if kind else text


# ---- raise


@handles(ast.Raise)
def _raise(low: Lowering, node: ast.Raise) -> None:
    call = node.exc
    if call is None or node.cause is not None:
        low.refuse("only a new exception can be raised", 'for example: raise ValueError("...")')
    name, args = (call.func, call.args) if isinstance(call, ast.Call) else (call, [])
    if isinstance(call, ast.Call) and call.keywords:
        low.refuse("an exception takes keyword arguments", "give them by place")
    kind = low.ex(name)
    made = kind.value if isinstance(kind, Known) else None
    if not isinstance(made, type) or not issubclass(made, BaseException):
        low.refuse("raise needs an exception", 'for example: raise ValueError("...")')
    _raising(low, made, args)


def _raising(low: Lowering, kind: type[BaseException], nodes: Sequence[ast.expr]) -> None:
    holes = _Holes(low)
    texts: list[str] = []
    format = None
    for place, node in enumerate(nodes):
        if isinstance(node, ast.Starred):
            low.refuse("an exception takes its arguments from a sequence", "give them one by one")
        if _dynamic(node):
            if place or (kind.__init__ is not getattr(kind.__base__, "__init__", None) and not _builtin(kind)):
                low.refuse("an f-string stands here among what an exception takes", "let it be the first argument")
            format, values = _format(low, cast(ast.JoinedStr, node))
            texts += [repr(format), *map(holes.value, values)]
        else:
            texts.append(holes.value(_plain(node)))
    home = None if _builtin(kind) else _home(low, kind)
    code = f"raise {kind.__name__}({', '.join(texts)})"
    low.b.put(ir.Effect(code, tuple(holes.args), format=format, home=home, span=low.b.span))
    low.frame.env[RAISED] = TRUE


def _dynamic(node: ast.expr) -> bool:
    """Whether it is an f-string with something to fill in."""
    return isinstance(node, ast.JoinedStr) and any(isinstance(part, ast.FormattedValue) for part in node.values)


def _plain(node: ast.expr) -> ast.expr:
    """An f-string without anything to fill in is a string."""
    if isinstance(node, ast.JoinedStr) and not _dynamic(node):
        text = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        return ast.copy_location(ast.Constant(text), node)
    return node


def _format(low: Lowering, node: ast.JoinedStr) -> tuple[str, list[ast.expr]]:
    """An f-string as a text for str.format, and what is to be filled in: compiled code formats no numbers."""
    text, values = "", []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            spec = part.format_spec.values if isinstance(part.format_spec, ast.JoinedStr) else []
            if not all(isinstance(s, ast.Constant) for s in spec):
                low.refuse("a format that depends on values is outside the language", "write the format out")
            how = "" if part.conversion < 0 else f"!{chr(part.conversion)}"
            told = "".join(str(s.value) for s in spec if isinstance(s, ast.Constant))
            text += "{" + how + (f":{told}" if told else "") + "}"
            values.append(part.value)
        elif isinstance(part, ast.Constant):
            text += str(part.value).replace("{", "{{").replace("}", "}}")
    return text, values


def _builtin(kind: type[BaseException]) -> bool:
    return kind.__module__ == "builtins"


def _home(low: Lowering, kind: type[BaseException]) -> tuple[str, str]:
    """The module from which generated code can import the exception, and its name there."""
    if getattr(sys.modules.get(kind.__module__), kind.__name__, None) is not kind:
        low.refuse(f"the exception {kind.__qualname__} cannot be imported", "define it at the top of a module")
    return kind.__module__, kind.__name__


# ---- assert


@handles(ast.Assert)
def _assert(low: Lowering, node: ast.Assert) -> None:
    cond = low.truth(low.ex(node.test))
    if cond == TRUE:
        return
    plain = None if node.msg is None else _plain(node.msg)
    if plain is None or isinstance(plain, ast.Constant):
        text = "" if plain is None else f", {plain.value!r}"
        code = f"assert {'False' if cond == FALSE else '_0'}{text}"
        low.b.put(ir.Effect(code, () if cond == FALSE else (cond,), span=low.b.span))
        return
    live = low.live_after(node)
    low.branch(low.negated(cond), lambda: _raising(low, AssertionError, [plain]), lambda: None, live)
