"""Modules under the names that they had in version 0.1, for pickles that were written then."""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

# all of them are loaded with the package
FORMER = {
    "srcgrad.adapted": "srcgrad.derivatives.bound_arguments",
    "srcgrad.custom": "srcgrad.derivatives.custom_rules",
    "srcgrad.derivative": "srcgrad.derivatives.derivative",
    "srcgrad.driver": "srcgrad.compiler.find_or_make",
    "srcgrad.recipe": "srcgrad.compiler.request",
}


class FormerNames(MetaPathFinder, Loader):
    """Gives what a module holds now under the name that it had."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in FORMER else None

    def exec_module(self, module: types.ModuleType) -> None:
        now = vars(sys.modules[FORMER[module.__name__]])
        vars(module).update({name: value for name, value in now.items() if not name.startswith("__")})


def install() -> None:
    """Let Python find modules under their former names."""
    if not any(isinstance(finder, FormerNames) for finder in sys.meta_path):
        sys.meta_path.append(FormerNames())
