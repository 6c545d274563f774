"""Numba's compiler for generated functions: its passes, of which two take their time where there is nothing to do."""

# mypy: disallow-subclassing-any=False, disallow-untyped-decorators=False
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from numba.core import ir, ir_utils, postproc, untyped_passes
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import register_pass

from srcgrad.backend.single_assignment import single_assignment

INLINED = ("make_function", "build_list")  # what functions have that are inlined, and lists that become arrays


@register_pass(mutates_CFG=True, analysis_only=False)
class InlineClosures(untyped_passes.InlineClosureLikes):
    """Numba's pass, where there are functions inside the function, or lists of which arrays are made."""

    _name = "inline_closures"

    def run_pass(self, state: Any) -> bool:
        if not state.flags.auto_parallel.enabled and not _has(state.func_ir, INLINED):
            return False
        return bool(super().run_pass(state))


@register_pass(mutates_CFG=False, analysis_only=False)
class SingleAssignment(untyped_passes.ReconstructSSA):
    """Numba's pass with another algorithm."""

    _name = "single_assignment"

    def run_pass(self, state: Any) -> bool:
        single_assignment(state.func_ir)
        self._patch_locals(state)
        state.func_ir._definitions = ir_utils.build_definitions(state.func_ir.blocks)
        postproc.PostProcessor(state.func_ir).run(emit_dels=False)
        return True


OURS = {untyped_passes.InlineClosureLikes: InlineClosures, untyped_passes.ReconstructSSA: SingleAssignment}


class GeneratedCodeCompiler(Compiler):
    """Numba's compiler with these passes."""

    def define_pipelines(self) -> list[Any]:
        managers: list[Any] = super().define_pipelines()
        for manager in managers:
            manager.passes = [(OURS.get(each, each), text) for each, text in manager.passes]
            manager.finalize()
        return managers


def compile_so(values: Iterable[Any]) -> None:
    """Let the functions among these be compiled by that compiler."""
    for value in values:
        inner = getattr(value, "_compiler", None)
        if inner is not None and getattr(inner, "pipeline_class", None) is Compiler:
            inner.pipeline_class = GeneratedCodeCompiler


def _has(func_ir: Any, ops: Iterable[str]) -> bool:
    values = (getattr(stmt, "value", None) for block in func_ir.blocks.values() for stmt in block.body)
    return any(isinstance(value, ir.Expr) and value.op in ops for value in values)
