"""np.linalg and scipy.linalg as the user calls them."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg

from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules import arguments, registry
from srcgrad.rules.declare import cast
from srcgrad.rules.einsum import floats
from srcgrad.rules.leastsquares import lstsq, pinv
from srcgrad.rules.linalg import inv
from srcgrad.rules.matmul import dot
from srcgrad.rules.minors import det, slogdet
from srcgrad.rules.shape import length
from srcgrad.rules.spectra import eig, eigh, matrix_rank, svd
from srcgrad.rules.triangular import cholesky, qr, solve_triangular, turned
from srcgrad.rules.values import Val

EighResult: Any = type(np.linalg.eigh(np.eye(1)))
EigResult: Any = type(np.linalg.eig(np.eye(1)))
QRResult: Any = type(np.linalg.qr(np.eye(1)))
SVDResult: Any = type(np.linalg.svd(np.eye(1)))
SlogdetResult: Any = type(np.linalg.slogdet(np.eye(1)))


def real_matrix(builder: Builder, a: Any, name: str) -> Val:
    (value,) = floats(builder, (a,), name)
    if value.type.rank != 2:
        raise UnsupportedError(f"{name} takes a matrix here", hint="loop over the matrices of a stack")
    if value.type.is_complex:
        raise UnsupportedError(f"{name} is differentiated for real matrices")
    return value


# ---- triangles


@registry.adaptor(np.linalg.cholesky)
def _cholesky(builder: Builder, a: Any, *, upper: Any = False) -> Val:
    value = real_matrix(builder, a, "np.linalg.cholesky")
    if arguments.flag(upper, "upper"):
        return turned(cholesky(turned(value)))
    return cholesky(value)  # type: ignore[no-any-return]


@registry.adaptor(scipy.linalg.cholesky)
def _scipy_cholesky(builder: Builder, a: Any, lower: Any = False, overwrite_a: Any = False, **options: Any) -> Val:
    options.pop("check_finite", None)
    arguments.no_options(options, "scipy.linalg.cholesky")
    return _cholesky(builder, a, upper=not arguments.flag(lower, "lower"))  # type: ignore[no-any-return]


@registry.adaptor(scipy.linalg.cho_factor)
def _cho_factor(builder: Builder, a: Any, lower: Any = False, **options: Any) -> tuple[Val, bool]:
    below = arguments.flag(lower, "lower")
    return _scipy_cholesky(builder, a, below, **options), below


@registry.adaptor(scipy.linalg.cho_solve)
def _cho_solve(builder: Builder, factor: Any, b: Any, overwrite_b: Any = False, check_finite: Any = True) -> Val:
    if not isinstance(factor, (tuple, list)) or len(factor) != 2:
        raise UnsupportedError("scipy.linalg.cho_solve takes what cho_factor gives")
    upper = not arguments.flag(factor[1], "lower")
    c, right = floats(builder, (factor[0], b), "scipy.linalg.cho_solve")
    once = solve_triangular(c, right, upper=upper, transposed=upper, unit=False)
    return solve_triangular(c, once, upper=upper, transposed=not upper, unit=False)  # type: ignore[no-any-return]


@registry.adaptor(scipy.linalg.solve_triangular)
def _solve_triangular(
    builder: Builder, a: Any, b: Any, trans: Any = 0, lower: Any = False, unit_diagonal: Any = False, **options: Any
) -> Val:
    for name in ("overwrite_b", "check_finite"):
        options.pop(name, None)
    arguments.no_options(options, "scipy.linalg.solve_triangular")
    left, right = floats(builder, (a, b), "scipy.linalg.solve_triangular")
    if left.type.rank != 2 or right.type.rank not in (1, 2) or left.type.is_complex:
        raise UnsupportedError("scipy.linalg.solve_triangular takes a real matrix and a vector or a matrix")
    way = trans if isinstance(trans, str) else {0: "N", 1: "T", 2: "C"}.get(arguments.integer(trans, "trans"))
    if way not in ("N", "T", "C"):
        raise UnsupportedError("trans is 0, 1 or 2, or 'N', 'T' or 'C'")
    return solve_triangular(  # type: ignore[no-any-return]
        left, right, upper=not arguments.flag(lower, "lower"), transposed=way != "N",
        unit=arguments.flag(unit_diagonal, "unit_diagonal"),
    )  # fmt: skip


@registry.adaptor(np.linalg.qr)
def _qr(builder: Builder, a: Any, mode: Any = "reduced") -> Any:
    if mode not in ("reduced", "r"):
        raise UnsupportedError("np.linalg.qr is differentiated with mode 'reduced' or 'r'")
    q, r = qr(real_matrix(builder, a, "np.linalg.qr"))
    return r if mode == "r" else QRResult(q, r)


# ---- determinants


@registry.adaptor(np.linalg.det)
def _det(builder: Builder, a: Any) -> Val:
    return det(real_matrix(builder, a, "np.linalg.det"))  # type: ignore[no-any-return]


@registry.adaptor(np.linalg.slogdet)
def _slogdet(builder: Builder, a: Any) -> Any:
    return SlogdetResult(*slogdet(real_matrix(builder, a, "np.linalg.slogdet")))


# ---- spectra


def _of_triangle(builder: Builder, a: Any, UPLO: Any, name: str) -> tuple[Val, Val]:
    if UPLO not in ("L", "U", "l", "u"):
        raise UnsupportedError("UPLO is 'L' or 'U'")
    value = real_matrix(builder, a, name)
    return eigh(value if UPLO in "Ll" else turned(value))  # type: ignore[no-any-return]


@registry.adaptor(np.linalg.eigh)
def _eigh(builder: Builder, a: Any, UPLO: Any = "L") -> Any:
    return EighResult(*_of_triangle(builder, a, UPLO, "np.linalg.eigh"))


@registry.adaptor(np.linalg.eigvalsh)
def _eigvalsh(builder: Builder, a: Any, UPLO: Any = "L") -> Val:
    return _of_triangle(builder, a, UPLO, "np.linalg.eigvalsh")[0]


@registry.adaptor(np.linalg.eig)
def _eig(builder: Builder, a: Any) -> Any:
    return EigResult(*eig(real_matrix(builder, a, "np.linalg.eig")))


@registry.adaptor(np.linalg.eigvals)
def _eigvals(builder: Builder, a: Any) -> Val:
    return eig(real_matrix(builder, a, "np.linalg.eigvals"))[0]  # type: ignore[no-any-return]


@registry.adaptor(np.linalg.svd)
def _svd(builder: Builder, a: Any, full_matrices: Any = True, compute_uv: Any = True, hermitian: Any = False) -> Any:
    if arguments.flag(hermitian, "hermitian"):
        raise UnsupportedError("np.linalg.svd is differentiated without hermitian=True; use np.linalg.eigh")
    u, s, vt = svd(real_matrix(builder, a, "np.linalg.svd"))
    if not arguments.flag(compute_uv, "compute_uv"):
        return s
    if arguments.flag(full_matrices, "full_matrices"):
        raise UnsupportedError("np.linalg.svd is differentiated with full_matrices=False")
    return SVDResult(u, s, vt)


def singular_values(builder: Builder, a: Any, name: str) -> Val:
    return svd(real_matrix(builder, a, name))[1]  # type: ignore[no-any-return]


@registry.adaptor(np.linalg.svdvals)
def _svdvals(builder: Builder, x: Any) -> Val:
    return singular_values(builder, x, "np.linalg.svdvals")


@registry.adaptor(np.linalg.matrix_rank)
def _matrix_rank(builder: Builder, a: Any) -> Val:
    return matrix_rank(real_matrix(builder, a, "np.linalg.matrix_rank"))  # type: ignore[no-any-return]


# ---- inverses and least squares


def _cutoff(given: Any, name: str) -> float | None:
    return None if given is None else arguments.number(given, name)


@registry.adaptor(np.linalg.pinv)
def _pinv(builder: Builder, a: Any, rcond: Any = None, hermitian: Any = False, *, rtol: Any = None) -> Val:
    arguments.flag(hermitian, "hermitian")
    value = real_matrix(builder, a, "np.linalg.pinv")
    return pinv(value, rcond=_cutoff(rcond if rtol is None else rtol, "rcond"))  # type: ignore[no-any-return]


@registry.adaptor(np.linalg.lstsq)
def _lstsq(builder: Builder, a: Any, b: Any, rcond: Any = None) -> Any:
    """The solution, None for the residuals, the rank, the singular values."""
    left, right = floats(builder, (a, b), "np.linalg.lstsq")
    if left.type.rank != 2 or right.type.rank not in (1, 2) or left.type.is_complex:
        raise UnsupportedError("np.linalg.lstsq takes a real matrix and a vector or a matrix")
    x = lstsq(left, right, rcond=_cutoff(rcond, "rcond"))
    return x, None, matrix_rank(left), svd(left)[1]


@registry.adaptor(np.linalg.matrix_power)
def _matrix_power(builder: Builder, a: Any, n: Any) -> Val:
    exponent = arguments.integer(n, "the exponent of np.linalg.matrix_power")
    (base,) = floats(builder, (a,), "np.linalg.matrix_power")
    if base.type.rank != 2:
        raise UnsupportedError("np.linalg.matrix_power takes a matrix here")
    if exponent == 0:
        rows = length(base, 0)
        return cast(registry.FUNCTIONS[np.eye](builder, rows), base.type.dtype)
    base = inv(base) if exponent < 0 else base
    result, left = None, abs(exponent)
    while left:
        if left % 2:
            result = base if result is None else dot(result, base)
        left //= 2
        base = dot(base, base) if left else base
    assert result is not None
    return result


@registry.adaptor(np.linalg.multi_dot)
def _multi_dot(builder: Builder, arrays: Any, **options: Any) -> Val:
    """From the left to the right, or from a vector at the end to the left."""
    arguments.no_options(options, "np.linalg.multi_dot")
    if not isinstance(arrays, (tuple, list)) or len(arrays) < 2:
        raise UnsupportedError("np.linalg.multi_dot takes at least two arrays")
    values = floats(builder, arrays, "np.linalg.multi_dot")
    return _chain(values) if values[-1].type.rank == 2 else _chain_from_right(values)


def _chain(values: Sequence[Val]) -> Val:
    out = values[0]
    for value in values[1:]:
        out = dot(out, value)
    return out


def _chain_from_right(values: Sequence[Val]) -> Val:
    out = values[-1]
    for value in reversed(values[:-1]):
        out = dot(value, out)
    return out


# ---- condition numbers


def _end(builder: Builder, s: Val, place: int) -> Val:
    """The largest or the smallest singular value."""
    return registry.FUNCTIONS[np.max if place == 0 else np.min](builder, s)  # type: ignore[no-any-return]


@registry.adaptor(np.linalg.cond)
def _cond(builder: Builder, x: Any, p: Any = None) -> Val:
    value = real_matrix(builder, x, "np.linalg.cond")
    order = p if p is None or isinstance(p, str) else arguments.number(p, "p")
    if order in (None, 2, -2):
        s = singular_values(builder, value, "np.linalg.cond")
        ends = _end(builder, s, 0), _end(builder, s, -1)
        return ends[1] / ends[0] if order == -2 else ends[0] / ends[1]
    norm = registry.FUNCTIONS[np.linalg.norm]
    return norm(builder, value, p) * norm(builder, inv(value), p)  # type: ignore[no-any-return]


# ---- the same in scipy.linalg


@registry.adaptor(scipy.linalg.solve)
def _scipy_solve(builder: Builder, a: Any, b: Any, **options: Any) -> Val:
    if options.pop("assume_a", None) not in (None, "gen", "general"):
        raise UnsupportedError("scipy.linalg.solve is differentiated for general matrices; leave out assume_a")
    for name in ("overwrite_a", "overwrite_b", "check_finite"):
        options.pop(name, None)
    arguments.no_options(options, "scipy.linalg.solve")
    return registry.FUNCTIONS[np.linalg.solve](builder, a, b)  # type: ignore[no-any-return]


@registry.adaptor(scipy.linalg.inv)
def _scipy_inv(builder: Builder, a: Any, **options: Any) -> Val:
    return registry.FUNCTIONS[np.linalg.inv](builder, a)  # type: ignore[no-any-return]


@registry.adaptor(scipy.linalg.det)
def _scipy_det(builder: Builder, a: Any, **options: Any) -> Val:
    return _det(builder, a)  # type: ignore[no-any-return]
