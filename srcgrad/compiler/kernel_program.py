"""From a kernel to the kernels that compute its derivative: lower, simplify, derive, simplify; and to source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from srcgrad.analysis.threads import Coordinate, asked
from srcgrad.compiler.program import run_pass, tidy
from srcgrad.core import ir, walk
from srcgrad.core.aliases import written
from srcgrad.core.inline import inline
from srcgrad.core.ir import Fun, Program
from srcgrad.errors import SrcgradError
from srcgrad.frontend.lowering.capture import Captured, StaticUse
from srcgrad.frontend.lowering.function import lower_kernel
from srcgrad.frontend.lowering.kernel_shapes import coordinates
from srcgrad.frontend.source.error_places import placed
from srcgrad.frontend.source.structure import Spec
from srcgrad.gpu.arrays.legalise import on_device
from srcgrad.gpu.kernels import reverse_kernel
from srcgrad.gpu.kernels.atomic_extremes import Extremes, extremes
from srcgrad.gpu.kernels.refuse_races import check
from srcgrad.gpu.kernels.workspace import Work
from srcgrad.gpu.kernels.workspace import placed as with_places
from srcgrad.printer.render import render_kernels
from srcgrad.simplify.cuda.atomics import remove_atomics
from srcgrad.simplify.cuda.barriers import remove_barriers
from srcgrad.simplify.loops.counting import count_loops
from srcgrad.simplify.loops.parallel import parallelise
from srcgrad.simplify.loops.register_sums import sum_in_registers
from srcgrad.transform.forward import forward
from srcgrad.transform.program_edits import rename
from srcgrad.transform.refuse import unsupported
from srcgrad.transform.reverse import keep_values


@dataclass(frozen=True)
class Launch:
    """A kernel of the generated module, and the places of the arguments that it writes into and must not change."""

    name: str
    scratch: tuple[int, ...]


@dataclass(frozen=True)
class Made:
    """The kernels of a derivative.

    main: what is launched.   rows: counts how many rows what is kept needs, before.   left, ties: find what
    cuda.atomic.max and min leave of the arguments at the places `extremes`, and count those that are equal to it.
    works: arrays that are passed last.   written: the places of arguments that the primal writes.
    """

    source: str
    main: Launch
    rows: Launch | None
    left: Launch | None
    ties: Launch | None
    extremes: tuple[int, ...]
    works: tuple[Work, ...]
    counted: tuple[ir.Var, ...]
    written: tuple[int, ...]
    captured: tuple[Captured, ...]
    statics: tuple[StaticUse, ...]


@keep_values("none")
def derive(fun: Any, mode: str, specs: Mapping[str, Spec], varying: frozenset[Coordinate] | None) -> Made:
    """The derivative of a kernel, for launches in which these coordinates differ between threads; None: those along the
    axes that it, or a function that it calls, asks for."""
    try:
        lowered = lower_kernel(fun, specs)
        _expect_no_own_rules(lowered.program.main)
        main = count_loops(parallelise(inline(tidy(lowered.program)), False).main)  # `prange` in a thread is `range`
        if varying is None:
            varying = coordinates(fun) | asked(lowered.program.main)
        check(main, varying)
        found = extremes(main)
        base = main if found is None else found.linear
        parts = _tangent(base, len(specs), found) if mode == "tangent" else _adjoint(base, len(specs), varying)
    except SrcgradError as error:
        raise placed(error, fun) from error.__cause__
    left, ties = (None, None) if found is None else (_finished(found.left), _finished(found.ties))
    main_fun = rename(parts.main, f"{main.name}_{mode}")
    funs = [f for f in (left, ties, parts.rows, main_fun) if f is not None]
    params = main.params[: len(specs)]
    return Made(
        source=render_kernels([on_device(f) for f in funs]),
        main=_launch(main_fun, params if mode == "adjoint" else ()),
        rows=None if parts.rows is None else _launch(parts.rows, params),
        left=None if left is None else _launch(left, params),
        ties=None if ties is None else _launch(ties, params),
        extremes=() if found is None else tuple(map(params.index, found.refs)),
        works=parts.works,
        counted=parts.counted,
        written=tuple(params.index(p) for p in main.results),
        captured=lowered.captured,
        statics=lowered.statics,
    )


def _expect_no_own_rules(main: Fun) -> None:
    """Refuse functions with a rule of their own: the rule would have to be run by each thread, with its memory."""
    for stmt in walk.walk(main.body):
        if isinstance(stmt, ir.Custom):
            message = f"`{stmt.primal.name}`, which has a rule of its own, is called in a kernel that is differentiated"
            raise unsupported(stmt.span, message, "call a plain function there, or use vmap of the derivative")


def _launch(fun: Fun, params: Sequence[ir.Var]) -> Launch:
    changed = written(fun)
    return Launch(fun.name, tuple(k for k, p in enumerate(params) if p in changed))


def _finished(fun: Fun) -> Fun:
    """The kernel, as short as it can be."""
    return tidy(Program(remove_barriers(tidy(Program(fun)).main))).main


@dataclass(frozen=True)
class Parts:
    main: Fun
    rows: Fun | None = None
    works: tuple[Work, ...] = ()
    counted: tuple[ir.Var, ...] = ()


def _tangent(base: Fun, own: int, found: Extremes | None) -> Parts:
    active = frozenset(k for k, p in enumerate(base.params[:own]) if p.type.ref and p.type.is_float)
    made: Program = run_pass("tangent", forward, Program(base), active)
    kept = tuple(r for r in made.main.results if found is None or r not in found.refs)
    fun = _ordered(replace(made.main, results=kept), own, len(base.params), len(active))
    return Parts(_finished(fun))


def _adjoint(base: Fun, own: int, varying: frozenset[Coordinate]) -> Parts:
    made: reverse_kernel.AdjointKernel = reverse_kernel.adjoint(base, own)
    fun = tidy(Program(made.fun)).main
    fun = _finished(reverse_kernel.without_unread(fun, made.refilled))
    fun = sum_in_registers(remove_atomics(fun, varying, made.shadows))
    dims = 1 + max((axis for _, axis in varying), default=0)
    fun, works = with_places(fun, list(made.rows), dims)
    fun = _ordered(_finished(fun), own, len(base.params), len(made.bars))
    needed = tuple(dict.fromkeys(n for work in works for n in work.shape if isinstance(n, ir.Var)))
    rows = _finished(reverse_kernel.counting_kernel(base, [made.rows[n] for n in needed])) if needed else None
    return Parts(fun, rows, works, needed)


def _ordered(fun: Fun, own: int, given: int, extras: int) -> Fun:
    """Parameters in the order: the kernel's, those of the derivative, what the host adds, work arrays."""
    first, more, rest = fun.params[:own], fun.params[own:given], fun.params[given:]
    return replace(fun, params=(*first, *rest[:extras], *more, *rest[extras:]))
