"""From a kernel to the kernels that compute its derivative: lower, simplify, derive, simplify; and to source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from srcgrad.analysis.threads import Coordinate
from srcgrad.core import ir
from srcgrad.core.inline import inline
from srcgrad.core.ir import Fun, Program
from srcgrad.errors import SrcgradError
from srcgrad.pipeline import run_pass, tidy
from srcgrad.simplify.atomics import atomics
from srcgrad.simplify.barriers import barriers
from srcgrad.simplify.sums import sums
from srcgrad.syntax.capture import Captured, StaticUse
from srcgrad.syntax.lower import lower_kernel
from srcgrad.syntax.places import placed
from srcgrad.syntax.render import render_kernels
from srcgrad.syntax.structure import Spec
from srcgrad.transform import kernels
from srcgrad.transform.forward import forward
from srcgrad.transform.programs import rename
from srcgrad.transform.races import check
from srcgrad.transform.workspace import Work
from srcgrad.transform.workspace import placed as with_places


@dataclass(frozen=True)
class Made:
    """The kernels of a derivative: `name` is launched, after `rows` (if there is one) has counted turns.

    works: arrays that are passed last.   scratch: places of arguments to pass copies of, for they are written.
    """

    source: str
    name: str
    rows: str | None
    works: tuple[Work, ...]
    counted: tuple[ir.Var, ...]
    scratch: tuple[int, ...]
    written: tuple[int, ...]
    captured: tuple[Captured, ...]
    statics: tuple[StaticUse, ...]


def derive(fun: Any, mode: str, specs: Mapping[str, Spec], varying: frozenset[Coordinate]) -> Made:
    """The derivative of a kernel, for launches in which these coordinates differ between threads."""
    try:
        lowered = lower_kernel(fun, specs)
        program = inline(tidy(lowered.program))
        check(program.main, varying)
        if mode == "tangent":
            parts: Parts = [_tangent(program, len(lowered.captured))], (), (), ()
        else:
            parts = _adjoint(program, varying, len(lowered.captured))
    except SrcgradError as error:
        raise placed(error, fun) from error.__cause__
    funs, works, counted, scratch = parts
    source = render_kernels(funs)
    rows = funs[0].name if len(funs) > 1 else None
    main = program.main
    written = tuple(main.params.index(p) for p in main.results)
    return Made(
        source, funs[-1].name, rows, works, counted, scratch, written, lowered.captured, lowered.statics
    )  # fmt: skip


Parts = tuple[list[Fun], tuple[Work, ...], tuple[ir.Var, ...], tuple[int, ...]]


def _tangent(program: Program, captured: int) -> Fun:
    main = program.main
    active = [
        k for k, p in enumerate(main.params) if p.type.ref and p.type.is_float and k < len(main.params) - captured
    ]
    made: Program = run_pass("tangent", forward, program, frozenset(active))
    fun = _ordered(made.main, len(main.params), captured, len(active))
    return rename(tidy(Program(fun)).main, f"{main.name}_tangent")


def _adjoint(program: Program, varying: frozenset[Coordinate], captured: int) -> Parts:
    main = program.main
    made: kernels.Adjoint = kernels.adjoint(main)
    fun = tidy(Program(made.fun)).main
    fun = tidy(Program(barriers(kernels.without_unread(fun, made.refilled)))).main
    fun = sums(atomics(fun, varying, made.shadows))
    dims = 1 + max((axis for _, axis in varying), default=0)
    fun, works = with_places(fun, list(made.rows), dims)
    fun = _ordered(tidy(Program(barriers(fun))).main, len(main.params), captured, len(made.bars))
    fun = rename(fun, f"{main.name}_adjoint")
    needed = tuple(dict.fromkeys(n for work in works for n in work.shape if isinstance(n, ir.Var)))
    scratch = tuple(main.params.index(p) for p in made.scratch)
    if not needed:
        return [fun], works, (), scratch
    counting = tidy(Program(kernels.turns(main, [made.rows[n] for n in needed]))).main
    return [tidy(Program(barriers(counting))).main, fun], works, needed, scratch


def _ordered(fun: Fun, own: int, captured: int, extras: int) -> Fun:
    """Parameters in the order: the kernel's, those of the derivative, what is captured, work arrays."""
    first, more = fun.params[: own - captured], fun.params[own - captured : own]
    rest = fun.params[own:]
    return replace(fun, params=(*first, *rest[:extras], *more, *rest[extras:]))
