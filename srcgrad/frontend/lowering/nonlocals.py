"""Names of a function that a function inside it writes: each is a box that both hold."""

from __future__ import annotations

import ast
import functools

from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Frame, Struct, Value
from srcgrad.frontend.source.liveness import outside_scopes

FunctionNode = ast.FunctionDef | ast.Lambda


@functools.lru_cache(maxsize=512)
def free_of(node: FunctionNode) -> frozenset[str]:
    """The names that a function declares `nonlocal`."""
    body = [] if isinstance(node, ast.Lambda) else node.body
    return frozenset(name for n in outside_scopes(body) if isinstance(n, ast.Nonlocal) for name in n.names)


def outer_cell(low: Lowering, outer: Frame | None, name: str) -> Struct:
    """The box of a variable of a function around this one."""
    while outer is not None:
        found = outer.env.get(name)
        if isinstance(found, Struct) and found.kind is values.Cell:
            return found
        outer = outer.outer
    return low.refuse(f"the nonlocal name `{name}` is not found", "return the value instead")


@functools.lru_cache(maxsize=512)
def shared_of(node: FunctionNode) -> frozenset[str]:
    """The names of a function that one inside it writes with `nonlocal`."""
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    return frozenset(name for part in body for n in ast.walk(part) if isinstance(n, ast.Nonlocal) for name in n.names)


def cell(value: Value | None, name: str) -> Struct:
    """The box of a variable that a nested function writes."""
    box = Struct(values.Cell, (), () if value is None else (value,))
    box.label = name
    return box
