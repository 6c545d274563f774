"""A function of a program that is put into another, where other functions may have its names."""

from __future__ import annotations

from dataclasses import replace

from srcgrad.core import ir
from srcgrad.core.ir import Stmt
from srcgrad.core.rewrite import rewrite


def renamed(fun: ir.Fun, names: dict[str, str], name: str) -> ir.Fun:
    """The function with other names for those that it calls."""
    if all(old == new for old, new in names.items()):
        return replace(fun, name=name)

    def one(stmt: Stmt) -> Stmt:
        return replace(stmt, callee=names[stmt.callee]) if isinstance(stmt, ir.Call) else stmt

    return replace(rewrite(fun, one), name=name)
