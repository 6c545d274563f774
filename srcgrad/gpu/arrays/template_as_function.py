"""A primitive's template as a Python function that can be read like a user's."""

from __future__ import annotations

import ast
import linecache
import math
from collections.abc import Mapping
from types import FunctionType
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Type
from srcgrad.printer import templates


def as_function(op: ir.Primitive, types: tuple[Type, ...], params: Mapping[str, Any]) -> FunctionType:
    """The function of the primitive's arguments that computes what its template does."""
    got = op.template(types, dict(params)) if callable(op.template) else op.template
    text, helpers = got if isinstance(got, tuple) else (got, {})
    names = [f"x{k}" for k in range(len(types))]
    tree = templates.fill(templates.parse(text, "eval"), [templates.name(n) for n in names], params)
    name = f"by_{op.name}"
    body = f"def {name}({', '.join(names)}):\n    return {ast.unparse(ast.fix_missing_locations(tree))}\n"
    source = "\n\n".join([*(h.strip() for h in helpers.values()), body])
    file = f"<srcgrad {op.name} {hash((source,)):x}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"np": np, "math": math, "__name__": "srcgrad.templates"}
    exec(compile(source, file, "exec"), namespace)
    made = namespace[name]
    assert isinstance(made, FunctionType)
    return made
