"""Mistakes that users make: each is a small function that makes one, and the message that comes of it is in golden/."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srcgrad.errors import SrcgradError

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Mistake:
    """A function without parameters that makes a mistake."""

    make: Callable[[], Any]

    @property
    def name(self) -> str:
        return self.make.__name__

    def message(self, error: SrcgradError) -> str:
        """What the user sees: the code, and below it the error, lines being counted from the code's first."""
        text, first = _code(self.make)
        return f"{text}\n{'-' * 60}\n{_without_machine(error, self.make.__code__.co_filename, first)}\n"

    def error(self) -> SrcgradError:
        try:
            got = self.make()
        except SrcgradError as error:
            return error
        raise AssertionError(f"{self.name} gave {got!r}")


def _code(fun: Callable[..., Any]) -> tuple[str, int]:
    lines, first = inspect.getsourcelines(fun)
    skip = next(k for k, line in enumerate(lines) if line.startswith("def ")) + 1
    return inspect.cleandoc("\n" + "".join(lines[skip:])), first + skip


def _without_machine(error: SrcgradError, file: str, first: int) -> str:
    """The message with the lines of the mistake's own file counted from its first, and without the machine's paths."""
    name = Path(file).name

    def place(found: re.Match[str]) -> str:
        line = int(found[1]) - first + 1
        return f"{name}, line {line if line > 0 else 'ABOVE'}"

    text = re.sub(rf"{re.escape(file)}, line (\d+)", place, str(error))
    text = text.replace(str(FOLDER.parents[1]) + "/", "")
    text = re.sub(r"/\S*/(srcgrad_\w+|tests?-\w+)/\S+", "PATH", text)
    text = re.sub(r"0x[0-9a-f]{6,}", "0x...", text)
    return f"{type(error).__name__}: {text}"


class Mistakes(list[Mistake]):
    """The mistakes of one module."""

    def __call__(self, make: Callable[[], Any]) -> Callable[[], Any]:
        self.append(Mistake(make))
        return make
