"""Packages of others that are used where they are installed."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any


def package(name: str) -> Any:
    """The package of this name, loaded when it is first asked for; None where it is not installed."""
    return __getattr__(name)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    there = importlib.util.find_spec(name.partition(".")[0]) is not None
    return importlib.import_module(name) if there else None
