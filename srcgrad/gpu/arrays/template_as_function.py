"""A primitive's template as a Python function that can be read like a user's."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Type
from srcgrad.printer import loop_nests, templates


def as_function(op: ir.Primitive, types: tuple[Type, ...], params: Mapping[str, Any]) -> FunctionType:
    """The function of the primitive's arguments that computes what its template does."""
    text, helpers = templates.expanded(op, types, dict(params))
    names = [f"x{k}" for k in range(len(types))]
    tree = templates.fill(templates.parse(text, "eval"), [templates.name(n) for n in names], params)
    name = f"by_{op.name}"
    body = f"def {name}({', '.join(names)}):\n    return {ast.unparse(ast.fix_missing_locations(tree))}\n"
    source = "\n\n".join([*(h.strip() for h in helpers.values()), body])
    return loop_nests.compiled(name, source, "srcgrad.templates")
