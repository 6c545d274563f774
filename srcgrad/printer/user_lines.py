"""The user's statements, as comments show them."""

from __future__ import annotations

import io
import tokenize
from functools import lru_cache


@lru_cache(maxsize=4096)
def one_line(text: str) -> str:
    """The user's statement (of a compound one, the header) on one line, without comments."""
    lines = [line.strip() for line in _uncommented(text).strip().splitlines()]
    return lines[0] if lines and lines[0].endswith(":") else " ".join(line for line in lines if line)


def _uncommented(text: str) -> str:
    lines = text.splitlines()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    except (tokenize.TokenError, IndentationError):
        pass  # a header alone ends too early; its comments were seen
    return "\n".join(line.rstrip() for line in lines)
