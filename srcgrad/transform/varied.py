"""Activity: what may carry a tangent, variable by variable and class of memory by class of memory."""
from __future__ import annotations

from collections.abc import Iterable

from srcgrad.analysis.effects import Classes
from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Fun, Stmt, Var


class Varied:
    """What depends on the seeds (parameters) in a way that derivatives see.

    Grows from the seeds until a walk adds nothing: a carried value that starts constant is varied if its next is.
    """

    def __init__(self, fun: Fun, seeds: Iterable[Var]) -> None:
        self.classes = Classes(fun.body)
        self.vars: set[Var] = set()
        self.memory: set[Var] = set()
        for seed in seeds:
            self.mark(seed)
        size = -1
        while size != len(self.vars) + len(self.memory):
            size = len(self.vars) + len(self.memory)
            for stmt in walk.walk(fun.body):
                self.visit(stmt)

    def has(self, atom: Atom) -> bool:
        if not isinstance(atom, Var):
            return False
        if atom.type.ref or atom.type.many:
            return atom.type.dtype[0] == "f" and self.classes.of(atom) in self.memory
        return atom in self.vars

    def mark(self, var: Var) -> None:
        if var.type.dtype[0] != "f":
            return
        if var.type.ref or var.type.many:
            self.memory.add(self.classes.of(var))
        else:
            self.vars.add(var)

    def flow(self, sources: Iterable[Atom], targets: Iterable[Var]) -> None:
        if any(map(self.has, sources)):
            for target in targets:
                self.mark(target)

    def visit(self, stmt: Stmt) -> None:
        match stmt:
            case ir.Let():
                if stmt.op.differentiable:
                    self.flow((a for a in stmt.args if not a.type.ref), stmt.targets)
            case ir.Call() | ir.Custom():
                self.flow(stmt.args, stmt.targets)
            case ir.Load():
                self.flow((stmt.ref,), (stmt.target,))
            case ir.Store() | ir.Accumulate():
                self.flow((stmt.value,), (stmt.ref,))
            case ir.Alloc():
                if not isinstance(stmt.init, str):
                    self.flow((stmt.init,), (stmt.target,))
            case ir.For() | ir.While():
                for c in stmt.carry:
                    self.flow((c.init, c.next), (c.inner, c.out))
            case ir.If():
                for out in stmt.outs:
                    self.flow((out.then, out.orelse), (out.target,))
