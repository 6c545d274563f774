"""Python text in colours, where it is shown on a terminal and Pygments is installed."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from srcgrad import optional


def coloured(text: str, stream: TextIO | None = None) -> str:
    """The text with a terminal's colours; as it is where the stream is no terminal, where `NO_COLOR` is set, or where
    Pygments is not installed."""
    stream = sys.stdout if stream is None else stream
    if os.environ.get("NO_COLOR") or not stream.isatty() or optional.package("pygments") is None:
        return text
    lexer = optional.package("pygments.lexers").get_lexer_by_name("python", stripnl=False, ensurenl=False)
    formatter = optional.package("pygments.formatters").get_formatter_by_name("terminal")
    shown: str = optional.package("pygments").highlight(text, lexer, formatter)
    return shown
