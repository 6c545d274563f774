"""What passes through: print, raise, assert."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from string import Formatter
from typing import Any, cast

from srcgrad.core import ir
from srcgrad.core.ir import Const, Var
from srcgrad.frontend.lowering import values as scope
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.special_methods import own
from srcgrad.frontend.lowering.values import TRUE, Known, Struct, Value
from srcgrad.frontend.source import classes, wording


def _shows_itself(value: Struct) -> bool:
    """Whether a class of the user's has written how its objects are shown."""
    found = classes.written(value.kind, "__repr__")
    return found is not None and not found.generated and found.value.__module__ not in ("collections", "dataclasses")


def _part(low: Lowering, node: ast.expr) -> ir.Part:
    """An expression in what is printed or raised."""
    return shown(low, low.settle(low.ex(node), "a"))


def shown(low: Lowering, value: Value) -> ir.Part:
    match value:
        case Var() | Const():
            return value
        case Struct(kind=kind) if kind is scope.Text:
            return _of_text(low, value)
        case Struct() if own(low, value, "__str__") or _shows_itself(value):
            low.refuse(f"a {value.kind.__name__} says itself how it is printed", "print what it holds")
        case Struct() if not issubclass(value.kind, dict):
            return tuple(shown(low, item) for item in value.items)
        case Known():
            return _literal(low, value.value)
    return scope.describe(value)


def _of_text(low: Lowering, text: Struct) -> ir.Formatted:
    """A text that values are filled into."""
    told = [how for _, field, _, how in Formatter().parse(text.keys[0]) if field is not None]
    parts = [_as_python(shown(low, v), how) for v, how in zip(text.held, told, strict=True)]
    return ir.Formatted(text.keys[0], tuple(parts))


def _literal(low: Lowering, value: object) -> ir.Part:
    if isinstance(value, str):
        return value
    try:
        ast.literal_eval(repr(value))
    except (ValueError, SyntaxError):
        low.refuse(f"{wording.of_object(value)} is printed or raised", "write what is to be read as a text")
    return ir.Literal(value)


# ---- print


def print_(low: Lowering, node: ast.Call) -> None:
    """A print. What Numba's has not (formats, `sep`, `end`) is left to Python's."""
    parts = tuple(_formatted(low, a) if _dynamic(a) else _part(low, _plain(a)) for a in node.args)
    options: list[tuple[str, Any]] = []
    for option in node.keywords:
        if option.arg not in ("sep", "end", "flush") or not isinstance(option.value, ast.Constant):
            low.refuse("this option of print is outside the language", "give sep, end and flush as literals")
        options.append((option.arg, option.value.value))
    low.b.put(ir.Print(parts, tuple(options), span=low.b.span))


def _formatted(low: Lowering, node: ast.expr) -> ir.Formatted:
    """An f-string as a call of str.format."""
    text, values = _format(low, cast(ast.JoinedStr, node))
    told = [how for _, field, _, how in Formatter().parse(text) if field is not None]
    parts = [_as_python(_part(low, value), how) for value, how in zip(values, told, strict=True)]
    return ir.Formatted(text, tuple(parts))


def _as_python(part: ir.Part, how: str | None) -> ir.Part:
    """A value to be formatted; a number whose repr is asked for as Python's own."""
    own_ = how is not None and isinstance(part, Var) and part.type.is_scalar and part.type.dtype in ir.PYTHONS
    return ir.AsPython(part) if own_ and isinstance(part, Var) else part


# ---- raise


def raise_(low: Lowering, node: ast.Raise) -> None:
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
    which = low.handler_of(kind)
    if which is not None:
        return low.leave_try(which)
    parts: list[ir.Part] = []
    format = None
    for place, node in enumerate(nodes):
        if isinstance(node, ast.Starred):
            low.refuse("an exception takes its arguments from a sequence", "give them one by one")
        if _dynamic(node):
            if place or (kind.__init__ is not getattr(kind.__base__, "__init__", None) and not _builtin(kind)):
                low.refuse("an f-string stands here among what an exception takes", "let it be the first argument")
            format, values = _format(low, cast(ast.JoinedStr, node))
            parts += [_part(low, value) for value in values]
        else:
            part = _part(low, _plain(node))
            if isinstance(part, ir.Formatted) and not place:
                format = part.text
                parts += part.parts
                continue
            if isinstance(part, ir.Formatted):
                low.refuse("a text stands here among what an exception takes", "let it be the first argument")
            parts.append(part)
    if not _builtin(kind):
        _expect_importable(low, kind)
    low.b.put(ir.Raise(kind.__module__, kind.__name__, tuple(parts), format, span=low.b.span))
    low.set_flags(raised=True)


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


def _expect_importable(low: Lowering, kind: type[BaseException]) -> None:
    """Generated code imports the exception from its module, by its name there."""
    if getattr(sys.modules.get(kind.__module__), kind.__name__, None) is not kind:
        low.refuse(f"the exception {kind.__qualname__} cannot be imported", "define it at the top of a module")


# ---- assert


def assert_(low: Lowering, node: ast.Assert) -> None:
    cond = low.truth(low.ex(node.test))
    if cond == TRUE:
        return
    which = low.handler_of(AssertionError)
    if which is not None:
        return low.site(which, lambda: low.negated(cond))
    plain = None if node.msg is None else _plain(node.msg)
    if plain is None or isinstance(plain, ast.Constant):
        message = None if plain is None else _literal(low, plain.value)
        low.b.put(ir.Assert(cond, message, span=low.b.span))
        return
    live = low.live_after(node)
    low.branch(low.negated(cond), lambda: _raising(low, AssertionError, [plain]), lambda: None, live)
