"""Text of several lines that a notebook prints as it is."""

from __future__ import annotations

from typing import Any


class Text(str):
    """A string whose lines IPython shows, in place of one line with escapes.

    Examples
    --------
    >>> Text("a = 1") == "a = 1"
    True
    """

    __slots__ = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))
