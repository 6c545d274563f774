"""The words of one line of a core program's text, and Python's literals among them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from srcgrad.core.types import Type

TOKEN = re.compile(
    r"""(?P<string>b?'(?:[^'\\]|\\.)*'|b?"(?:[^"\\]|\\.)*")
      | (?P<complex>\([-+.\deinfa]*(?:\d|inf|nan)j\)|-?[\d.]+(?:e[+-]?\d+)?j)
      | (?P<number>-?(?:\d+\.?\d*(?:e[+-]?\d+)?|inf\b|nan\b))
      | (?P<name>@?[^\W\d]\w*(?:\.\d+)?)
      | (?P<sign>\+=|[-()\[\]{},:=~&])
      | \s+""",
    re.VERBOSE,
)
WORD_VALUES = {"True": True, "False": False, "None": None}


_NO_VALUE = object()


class TextError(ValueError):
    """A text that is no core program: the message has the line."""


class Tokens:
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
            return self._braces()
        if text == "set":
            self.expect("(")
            return set(self.many(self.literal, ")"))
        raise TextError(f"{text!r} is not a literal, in the line {self.text!r}")

    def _braces(self) -> dict[Any, Any] | set[Any]:
        """A dictionary or a set."""
        pairs = self.many(lambda: (self.literal(), self.literal() if self.skip(":") else _NO_VALUE), "}")
        return {key for key, _ in pairs} if pairs and pairs[0][1] is _NO_VALUE else dict(pairs)

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


def _unquoted(text: str) -> str | bytes:
    if text[0] == "b":
        return text[2:-1].encode("latin-1").decode("unicode_escape").encode("latin-1")
    return text[1:-1].encode("latin-1", "backslashreplace").decode("unicode_escape")
