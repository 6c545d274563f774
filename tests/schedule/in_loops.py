"""Code that is not compiled in the loops of compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import srcgrad as sg
from srcgrad.compiler import find_or_make


def value_and_grad_in_loops(fun: Callable[..., Any], argnums: Any = 0) -> Any:
    """A derivative as loops over elements; nothing that is made before or after is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(find_or_make.UNJITTED, "loops", True)
        return sg.value_and_grad(fun, argnums=argnums, jit=False)


def source_in_loops(fun: Callable[..., Any], args: tuple[Any, ...], argnums: Any = 0) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(find_or_make.UNJITTED, "loops", True)
        source: str = sg.value_and_grad(fun, argnums=argnums, jit=False).source_for(*args)
    return source
