"""What a notebook gets: the line magic `%srcgrad f(x)`, and refusals without the way that they take through here."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from typing import Any

from srcgrad.errors import SrcgradError

PACKAGE = str(Path(__file__).parents[1])


def register() -> None:
    """In IPython: from now on there is the magic, and refusals end at the user's line."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None:
        return
    shell.register_magic_function(_magic, "line", "srcgrad")
    if not shell.custom_exceptions:
        shell.set_custom_exc((SrcgradError,), _refusal)


def _magic(line: str) -> Any:
    """Show a function's derivative beside it: `%srcgrad f`, `%srcgrad f(x, 2.0)`, `%srcgrad --kind hessian f(x)`.

    With arguments, the code is that for their types, and what is kept is told in bytes. `%srcgrad --help` lists more.
    """
    return __getattr__("magic").shown(line, sys.modules["IPython"].get_ipython().user_ns)


def __getattr__(name: str) -> Any:
    """The magic's own module, loaded when it is first used."""
    if name == "magic":
        return importlib.import_module("srcgrad.terminal.magic")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _refusal(
    shell: Any, kind: type[BaseException], error: BaseException, tb: Any, tb_offset: int | None = None
) -> None:
    """Show the traceback, of the user's frames alone."""
    shell.showtraceback((kind, error, own(tb)), tb_offset=tb_offset)


def own(tb: types.TracebackType | None) -> types.TracebackType | None:
    """A traceback without the frames of this package."""
    if tb is None:
        return None
    rest = own(tb.tb_next)
    if tb.tb_frame.f_code.co_filename.startswith(PACKAGE):
        return rest
    return types.TracebackType(rest, tb.tb_frame, tb.tb_lasti, tb.tb_lineno)
