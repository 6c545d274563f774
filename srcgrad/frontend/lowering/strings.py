"""Texts. What is known is a string; what numbers are filled into is a template with them, only to be printed, raised,
logged or kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from string import Formatter
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Const, Var
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Closure, Known, Method, Struct, Text, Value

CONVERSIONS: dict[int, Callable[[Any], Any]] = {-1: lambda v: v, ord("s"): str, ord("r"): repr, ord("a"): ascii}
PERCENT = re.compile(r"%(?:%|([+0]?\d*(?:\.\d+)?)([dieEfFgGsr]))")


def is_text(value: Value) -> bool:
    """Whether this is a text, of whatever kind."""
    return (isinstance(value, Struct) and value.kind is Text) or (
        isinstance(value, Known) and isinstance(value.value, str)
    )


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def made(template: str, held: Sequence[Value]) -> Value:
    """template.format(*held)"""
    if not held:
        return Known(template.format())
    return Struct(Text, (template,), tuple(held), value=True, locked="it is a text")


def _parts(value: Value) -> tuple[str, tuple[Value, ...]]:
    if isinstance(value, Struct):
        return value.keys[0], value.held
    assert isinstance(value, Known)
    return _escaped(value.value), ()


def joined(*texts: Value) -> Value:
    """The texts one after another."""
    pairs = [_parts(text) for text in texts]
    return made("".join(t for t, _ in pairs), [v for _, held in pairs for v in held])


def plain(value: Value) -> Any:
    """What a string can be made of while the function is read; `values` itself of anything else."""
    if isinstance(value, Const) and value.type in (ir.I8, ir.B1):
        return int(value.value.real) if value.type == ir.I8 else bool(value.value)
    if isinstance(value, Known) and isinstance(value.value, (str, type(None))):
        return value.value
    return values


def filled(low: Lowering, value: Value, conversion: int = -1, spec: str = "") -> Value:
    """format(value, spec)"""
    known = plain(value)
    if known is not values:
        return Known(format(CONVERSIONS[conversion](known), spec))
    if isinstance(value, Struct) and value.kind is Text:
        if spec or conversion == ord("r"):
            low.refuse("a text that numbers are filled into is formatted again", "format the numbers")
        return value
    if isinstance(value, (Closure, Method)) or (isinstance(value, Known) and not isinstance(value.value, type)):
        low.refuse(f"a text is made of {values.describe(value)}", "name it as a string")
    if isinstance(value, Known):
        return Known(format(CONVERSIONS[conversion](value.value), spec))
    how = "" if conversion < 0 else f"!{chr(conversion)}"
    return made("{" + how + (f":{spec}" if spec else "") + "}", [low.settle(value, "a")])


def formatted(low: Lowering, node: ast.JoinedStr) -> Value:
    """An f-string."""
    texts: list[Value] = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            spec: Value = Known("") if part.format_spec is None else formatted(low, part.format_spec)  # type: ignore[arg-type]
            if not isinstance(spec, Known):
                low.refuse("a format that depends on values is outside the language", "write the format out")
            texts.append(filled(low, low.ex(part.value), part.conversion, spec.value))
        elif isinstance(part, ast.Constant):
            texts.append(Known(str(part.value)))
    return joined(*texts)


def percent(low: Lowering, template: str, value: Value) -> Value:
    """template % value"""
    given = list(value.held) if isinstance(value, Struct) and value.kind is tuple else [value]
    texts: list[Value] = []
    end = 0
    for found in PERCENT.finditer(template):
        if "%" in template[end : found.start()]:
            break
        texts.append(Known(template[end : found.start()]))
        end = found.end()
        if found[0] == "%%":
            texts.append(Known("%"))
            continue
        if not given:
            low.refuse("a text is given fewer values than it has places", "give one for each")
        item, kind = given.pop(0), found[2]
        if kind in "di" and (not isinstance(item, (Var, Const)) or item.type.dtype[0] not in "iu"):
            low.refuse(f"%{kind} is filled by {values.describe(item)}", "use %g, or an f-string")
        spec = "" if kind in "sr" else found[1] + kind.replace("i", "d")
        texts.append(filled(low, item, {"s": ord("s"), "r": ord("r")}.get(kind, -1), spec))
    rest = template[end:]
    if given or "%" in rest:
        low.refuse("this text with % is outside the language", "use an f-string")
    return joined(*texts, Known(rest))


def method(low: Lowering, target: Any, args: Sequence[Value], named: Mapping[str, Value]) -> Value | None:
    """A method of a string that is known."""
    text = getattr(target, "__self__", None)
    if not isinstance(text, str):
        return None
    if target.__name__ == "format":
        return _format(low, text, list(args), named)
    if target.__name__ == "join" and len(args) == 1:
        parts = list(args[0].items) if isinstance(args[0], Struct) else []
        if parts and all(map(is_text, parts)):
            return joined(*[t for k, part in enumerate(parts) for t in ([Known(text)] * bool(k) + [part])])
    known = [plain(a) for a in args]
    if named or any(v is values for v in known):
        low.refuse(f"`{target.__name__}` of a text is given what is not known", "use it on literals")
    result = target(*known)
    if isinstance(result, (list, tuple)):
        return values.struct([Known(part) for part in result], type(result))
    return low.inward(result) if isinstance(result, (bool, int)) else Known(result) if isinstance(result, str) else None


def number(low: Lowering, target: Any, args: Sequence[Value], named: Mapping[str, Value]) -> Value | None:
    """target, which is int or float, of a text that is known."""
    if named or not args or not isinstance(args[0], Known):
        return None
    text, *base = map(plain, args)
    if not isinstance(text, str) or any(not isinstance(b, int) for b in base):
        return None
    try:
        return low.inward(target(text, *base))
    except ValueError as error:
        return low.refuse(str(error), "give the text of a number")


def _format(low: Lowering, template: str, args: list[Value], named: Mapping[str, Value]) -> Value:
    texts: list[Value] = []
    count = 0
    for text, field, spec, how in Formatter().parse(template):
        texts.append(Known(text))
        if field is None:
            continue
        name = field or str(count)
        count += not field
        value = named.get(name, args[int(name)] if name.isdigit() and int(name) < len(args) else None)
        if value is None or "{" in (spec or ""):
            low.refuse("this text with `format` is outside the language", "use an f-string")
        texts.append(filled(low, value, ord(how) if how else -1, spec or ""))
    return joined(*texts)


def expect_known(low: Lowering, text: Value) -> None:
    """Refuse a text that must be known; where integers alone are filled in, a loop that is written out knows it."""
    if isinstance(text, Struct) and text.kind is Text:
        if any(leaf.type != ir.I8 for leaf in values.leaves(text)):
            low.refuse("a string is made of a float or an array, and must be known here", "compare and look up numbers")
        low.expect_known("a string is made of a value that is not known here", "loop over a range that is known")
