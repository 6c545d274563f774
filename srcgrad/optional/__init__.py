"""Packages that are used where they are installed, or only now and then: loaded when they are asked for."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any


def package(name: str) -> Any:
    """The package of this name, loaded when it is first asked for; None where it is not installed."""
    return __getattr__(f"package {name}")


def __getattr__(asked: str) -> Any:
    """What `package` gives: no name can be asked for like this."""
    word, _, name = asked.partition(" ")
    if word != "package" or not name:
        raise AttributeError(f"module {__name__!r} has no attribute {asked!r}")
    there = importlib.util.find_spec(name.partition(".")[0]) is not None
    return importlib.import_module(name) if there else None
