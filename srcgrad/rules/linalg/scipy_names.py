"""scipy.linalg as the user calls it."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import small_matrices
from srcgrad.rules.language import arguments, of_scipy, registry
from srcgrad.rules.language.declare import cast, only_ranks, zero
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val, contents, value_of
from srcgrad.rules.linalg.decompositions import real_matrix
from srcgrad.rules.linalg.einsum import floats
from srcgrad.rules.linalg.matmul import dot, square
from srcgrad.rules.linalg.systems import solve
from srcgrad.rules.linalg.triangular import solve_triangular
from srcgrad.rules.shapes.axes import memory_of
from srcgrad.rules.shapes.shape import length

HARMLESS = ("overwrite_a", "overwrite_b", "check_finite")  # options that change nothing about the result


def _plain(options: dict[str, Any], name: str) -> None:
    arguments.no_options({k: v for k, v in options.items() if k not in HARMLESS}, name)


# ---- triangles


@registry.adaptor(of_scipy.linalg.cholesky)
def _scipy_cholesky(builder: Builder, a: Any, lower: Any = False, overwrite_a: Any = False, **options: Any) -> Val:
    _plain(options, "scipy.linalg.cholesky")
    return value_of(np.linalg.cholesky, builder, a, upper=not arguments.flag(lower, "lower"))


@registry.adaptor(of_scipy.linalg.cho_factor)
def _cho_factor(builder: Builder, a: Any, lower: Any = False, **options: Any) -> tuple[Val, bool]:
    below = arguments.flag(lower, "lower")
    return _scipy_cholesky(builder, a, below, **options), below


@registry.adaptor(of_scipy.linalg.cho_solve)
def _cho_solve(builder: Builder, factor: Any, b: Any, overwrite_b: Any = False, check_finite: Any = True) -> Val:
    if not isinstance(factor, (tuple, list)) or len(factor) != 2:
        raise UnsupportedError("scipy.linalg.cho_solve takes what cho_factor gives")
    upper = not arguments.flag(factor[1], "lower")
    c, right = floats(builder, (factor[0], b), "scipy.linalg.cho_solve")
    once = solve_triangular(c, right, upper=upper, transposed=upper, unit=False)
    return solve_triangular(c, once, upper=upper, transposed=not upper, unit=False)


@registry.adaptor(of_scipy.linalg.solve_triangular)
def _solve_triangular(
    builder: Builder, a: Any, b: Any, trans: Any = 0, lower: Any = False, unit_diagonal: Any = False, **options: Any
) -> Val:
    _plain(options, "scipy.linalg.solve_triangular")
    left, right = floats(builder, (a, b), "scipy.linalg.solve_triangular")
    if left.type.rank != 2 or right.type.rank not in (1, 2) or left.type.is_complex:
        raise UnsupportedError("scipy.linalg.solve_triangular takes a real matrix and a vector or a matrix")
    way = trans if isinstance(trans, str) else {0: "N", 1: "T", 2: "C"}.get(arguments.integer(trans, "trans"))
    if way not in ("N", "T", "C"):
        raise UnsupportedError("trans is 0, 1 or 2, or 'N', 'T' or 'C'")
    return solve_triangular(
        left,
        right,
        upper=not arguments.flag(lower, "lower"),
        transposed=way != "N",
        unit=arguments.flag(unit_diagonal, "unit_diagonal"),
    )


# ---- the same as in np.linalg


@registry.adaptor(of_scipy.linalg.solve)
def _scipy_solve(builder: Builder, a: Any, b: Any, **options: Any) -> Val:
    if options.pop("assume_a", None) not in (None, "gen", "general"):
        raise UnsupportedError("scipy.linalg.solve is differentiated for general matrices; leave out assume_a")
    _plain(options, "scipy.linalg.solve")
    return value_of(np.linalg.solve, builder, a, b)


def _same_as(name: str) -> None:
    """A function of one matrix that np.linalg has too, with plain tuples for its results."""
    function, like = getattr(of_scipy.linalg, name), getattr(np.linalg, name)

    def call(builder: Builder, a: Any, **options: Any) -> Any:
        _plain(options, f"scipy.linalg.{name}")
        got = registry.FUNCTIONS[like](builder, a)
        return tuple(got) if isinstance(got, tuple) else got

    registry.adaptor(function)(call)


for _name in ("inv", "det", "eigh", "eigvalsh", "svdvals"):
    _same_as(_name)


@registry.adaptor(of_scipy.linalg.svd)
def _svd(builder: Builder, a: Any, full_matrices: Any = True, compute_uv: Any = True, **options: Any) -> Any:
    _plain(options, "scipy.linalg.svd")
    got = registry.FUNCTIONS[np.linalg.svd](builder, a, full_matrices, compute_uv)
    return tuple(got) if isinstance(got, tuple) else got


@registry.adaptor(of_scipy.linalg.norm)
def _norm(builder: Builder, a: Any, ord: Any = None, axis: Any = None, keepdims: Any = False, **options: Any) -> Val:
    _plain(options, "scipy.linalg.norm")
    return value_of(np.linalg.norm, builder, a, ord, axis, keepdims)


# ---- the exponential of a matrix, by Pade's approximation of order 13 to that of a / 2**s, squared s times
# (Higham, "The scaling and squaring method for the matrix exponential revisited", 2005): its derivatives are those of
# the steps

PADE = [1.0]
for _k in range(13):
    PADE.append(PADE[-1] * (13 - _k) / ((26 - _k) * (_k + 1)))

squarings = zero(
    "squarings",
    (),
    infer=lambda types, params: (ir.I8,),
    evaluate=small_matrices.squarings,
    elementwise=False,
    template=lambda types, params: ("squarings(_0)", sources(small_matrices.squarings)),
    samples=[(square,), (40.0 * square,)],
    without=only_ranks(2),
    held="any number that is large enough will do",
)


def _polynomial(powers: list[Val], first: int) -> Val:
    """The sum of the coefficients from this one on, every second one, by these powers."""
    out = None
    for k, power in enumerate(powers):
        term = power * PADE[first + 2 * k]
        out = term if out is None else out + term
    assert out is not None
    return out


@registry.adaptor(of_scipy.linalg.expm)
def _expm(builder: Builder, A: Any) -> Val:
    a = real_matrix(builder, A, "scipy.linalg.expm")
    times = squarings(a)
    x = a * cast(registry.FUNCTIONS[pow](builder, cast(times, a.type.dtype).lift(0.5), times), a.type.dtype)
    one = cast(contents(registry.FUNCTIONS[np.eye](builder, length(a, 0))), a.type.dtype)
    x2 = dot(x, x)
    x4 = dot(x2, x2)
    x6 = dot(x2, x4)
    odd = dot(x, dot(x6, _polynomial([x2, x4, x6], 9)) + _polynomial([one, x2, x4, x6], 1))
    even = dot(x6, _polynomial([x2, x4, x6], 8)) + _polynomial([one, x2, x4, x6], 0)
    memory = memory_of(builder, solve(even - odd, even + odd, transposed=False, small=False), "scipy.linalg.expm")
    assert isinstance(memory.atom, ir.Var)
    with builder.block() as body:
        held = Val(builder, builder.load(memory.atom))
        builder.store(memory.atom, None, dot(held, held).atom)
    turn = ir.Var("k", ir.I8)
    builder.put(ir.For(turn, const(0), times.atom, const(1), (), tuple(body), span=builder.span))
    return memory
