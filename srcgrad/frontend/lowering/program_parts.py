"""What lowering gives: a program with what is needed to call it."""

from __future__ import annotations

from dataclasses import dataclass

from srcgrad.core import ir
from srcgrad.core.rewrite import rewrite
from srcgrad.core.walk import changed, walk
from srcgrad.frontend.lowering.capture import Captured, StaticUse
from srcgrad.frontend.source.structure import Spec


@dataclass(frozen=True, eq=False)
class Lowered:
    """A core program with what is needed to call it.

    program.main takes the leaves of the arguments in order, then what is captured; `result` tells how its results are
    put together. `params`: the names of the Python parameters, one for each spec.
    """

    program: ir.Program
    params: tuple[str, ...]
    result: Spec
    captured: tuple[Captured, ...] = ()
    statics: tuple[StaticUse, ...] = ()


def mark_effectful_calls(program: ir.Program) -> ir.Program:
    """The program with the calls marked that may raise or print, or draw random numbers."""
    loud: set[str] = set()

    def speaks(stmt: ir.Stmt) -> bool:
        if isinstance(stmt, ir.Call):
            return stmt.loud or stmt.callee in loud
        return isinstance(stmt, (ir.Effect, ir.Draw))

    while more := {n for n, f in program.callees.items() if n not in loud and any(map(speaks, walk(f.body)))}:
        loud |= more
    if not loud:
        return program

    def marked(stmt: ir.Stmt) -> ir.Stmt:
        return changed(stmt, loud=True) if isinstance(stmt, ir.Call) and stmt.callee in loud else stmt

    callees = {name: rewrite(fun, marked) for name, fun in program.callees.items()}
    return ir.Program(rewrite(program.main, marked), callees)
