"""Packages of others that are used where they are installed: `optional.pygments` is the package, or None."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any


def __getattr__(name: str) -> Any:
    """The package of this name, loaded when it is first asked for."""
    if name.startswith("__"):
        raise AttributeError(name)
    return importlib.import_module(name) if importlib.util.find_spec(name) is not None else None
