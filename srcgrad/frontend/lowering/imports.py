"""Imports inside a function: of modules that are there, as names for them."""

from __future__ import annotations

import ast
import sys
from typing import Any

from srcgrad.frontend.lowering.capture import Origin
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Known


def import_(low: Lowering, node: ast.Import) -> None:
    for alias in node.names:
        module = _module(low, alias.name)
        if alias.asname is None and "." in alias.name:
            low.refuse("a package is imported inside a function by its inner name", f"import {alias.name} as a name")
        low.bind(alias.asname or alias.name, Known(module, Origin(sys.modules, alias.name)))


def import_from(low: Lowering, node: ast.ImportFrom) -> None:
    if node.level or node.module is None:
        low.refuse("a relative import stands inside the function", "import at the top of the file")
    module = Known(_module(low, node.module), Origin(sys.modules, node.module))
    for alias in node.names:
        inner = f"{node.module}.{alias.name}"
        if not hasattr(module.value, alias.name) and inner in sys.modules:
            low.bind(alias.asname or alias.name, Known(sys.modules[inner], Origin(sys.modules, inner)))
        else:
            low.bind(alias.asname or alias.name, low.captures.attribute(module, alias.name))


def _module(low: Lowering, name: str) -> Any:
    if name not in sys.modules:
        low.refuse(f"`{name}` has not been imported yet", "import it at the top of the file")
    return sys.modules[name]
