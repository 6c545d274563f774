"""np.linalg as the user calls it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import cast
from srcgrad.rules.language.values import Val, contents, emit_many, value_of
from srcgrad.rules.linalg.determinants import det, slogdet
from srcgrad.rules.linalg.einsum import floats
from srcgrad.rules.linalg.least_squares import lstsq, pinv
from srcgrad.rules.linalg.matmul import dot
from srcgrad.rules.linalg.spectra import eig, eigh, matrix_rank, svd
from srcgrad.rules.linalg.stacks import of_stacks
from srcgrad.rules.linalg.systems import inv
from srcgrad.rules.linalg.triangular import cholesky, qr, turned
from srcgrad.rules.reductions.sums import sum_
from srcgrad.rules.scalar.compare import equal, logical_and, where
from srcgrad.rules.shapes.axes import expect_equal, memory_of, viewed
from srcgrad.rules.shapes.broadcast import unsqueeze
from srcgrad.rules.shapes.shape import dims, length, product, reshape

EighResult: Any = type(np.linalg.eigh(np.eye(1)))
EigResult: Any = type(np.linalg.eig(np.eye(1)))
QRResult: Any = type(np.linalg.qr(np.eye(1)))
SVDResult: Any = type(np.linalg.svd(np.eye(1)))
SlogdetResult: Any = type(np.linalg.slogdet(np.eye(1)))
FULL = "np.linalg.svd is differentiated with full_matrices=False where the matrix is not square"


def real_matrix(builder: Builder, a: Any, name: str) -> Val:
    (value,) = floats(builder, (a,), name)
    if value.type.rank != 2:
        raise UnsupportedError(f"{name} takes a matrix here", hint="loop over the matrices of a stack")
    if value.type.is_complex:
        raise UnsupportedError(f"{name} is differentiated for real matrices")
    return value


# ---- triangles


@registry.adaptor(np.linalg.cholesky)
@of_stacks("mn")
def _cholesky(builder: Builder, a: Any, *, upper: Any = False) -> Val:
    value = real_matrix(builder, a, "np.linalg.cholesky")
    if arguments.flag(upper, "upper"):
        return turned(cholesky(turned(value)))
    return cholesky(value)


@registry.adaptor(np.linalg.qr)
@of_stacks("mn", "nn", single="nn")
def _qr(builder: Builder, a: Any, mode: Any = "reduced") -> Any:
    if mode not in ("reduced", "r"):
        raise UnsupportedError("np.linalg.qr is differentiated with mode 'reduced' or 'r'")
    q, r = emit_many(qr, real_matrix(builder, a, "np.linalg.qr"))
    return r if mode == "r" else QRResult(q, r)


# ---- determinants


@registry.adaptor(np.linalg.det)
@of_stacks("")
def _det(builder: Builder, a: Any) -> Val:
    return det(real_matrix(builder, a, "np.linalg.det"))


@registry.adaptor(np.linalg.slogdet)
@of_stacks("", "")
def _slogdet(builder: Builder, a: Any) -> Any:
    return SlogdetResult(*emit_many(slogdet, real_matrix(builder, a, "np.linalg.slogdet")))


# ---- spectra


def _of_triangle(builder: Builder, a: Any, UPLO: Any, name: str) -> tuple[Val, ...]:
    if UPLO not in ("L", "U", "l", "u"):
        raise UnsupportedError("UPLO is 'L' or 'U'")
    value = real_matrix(builder, a, name)
    return emit_many(eigh, value if UPLO in "Ll" else turned(value))


@registry.adaptor(np.linalg.eigh)
@of_stacks("n", "nn")
def _eigh(builder: Builder, a: Any, UPLO: Any = "L") -> Any:
    return EighResult(*_of_triangle(builder, a, UPLO, "np.linalg.eigh"))


@registry.adaptor(np.linalg.eigvalsh)
@of_stacks("n")
def _eigvalsh(builder: Builder, a: Any, UPLO: Any = "L") -> Val:
    return _of_triangle(builder, a, UPLO, "np.linalg.eigvalsh")[0]


@registry.adaptor(np.linalg.eig)
@of_stacks("n", "nn")
def _eig(builder: Builder, a: Any) -> Any:
    return EigResult(*emit_many(eig, real_matrix(builder, a, "np.linalg.eig")))


@registry.adaptor(np.linalg.eigvals)
@of_stacks("n")
def _eigvals(builder: Builder, a: Any) -> Val:
    return emit_many(eig, real_matrix(builder, a, "np.linalg.eigvals"))[0]


@registry.adaptor(np.linalg.svd)
@of_stacks("mk", "k", "kn", single="k")
def _svd(builder: Builder, a: Any, full_matrices: Any = True, compute_uv: Any = True, hermitian: Any = False) -> Any:
    if arguments.flag(hermitian, "hermitian"):
        raise UnsupportedError("np.linalg.svd is differentiated without hermitian=True; use np.linalg.eigh")
    value = real_matrix(builder, a, "np.linalg.svd")
    vectors = arguments.flag(compute_uv, "compute_uv")
    if vectors and arguments.flag(full_matrices, "full_matrices"):
        expect_equal(builder, length(value, 0), length(value, 1), FULL)
    u, s, vt = emit_many(svd, value)
    return SVDResult(u, s, vt) if vectors else s


def singular_values(builder: Builder, a: Any, name: str) -> Val:
    return emit_many(svd, real_matrix(builder, a, name))[1]


@registry.adaptor(np.linalg.svdvals)
@of_stacks("k")
def _svdvals(builder: Builder, x: Any) -> Val:
    return singular_values(builder, x, "np.linalg.svdvals")


@registry.adaptor(np.linalg.matrix_rank)
@of_stacks("")
def _matrix_rank(builder: Builder, a: Any) -> Val:
    return matrix_rank(real_matrix(builder, a, "np.linalg.matrix_rank"))


# ---- inverses and least squares


def _cutoff(given: Any, name: str) -> float | None:
    return None if given is None else arguments.number(given, name)


@registry.adaptor(np.linalg.pinv)
@of_stacks("nm")
def _pinv(builder: Builder, a: Any, rcond: Any = None, hermitian: Any = False, *, rtol: Any = None) -> Val:
    arguments.flag(hermitian, "hermitian")
    value = real_matrix(builder, a, "np.linalg.pinv")
    return pinv(value, rcond=_cutoff(rcond if rtol is None else rtol, "rcond"))


@registry.adaptor(np.linalg.lstsq)
def _lstsq(builder: Builder, a: Any, b: Any, rcond: Any = None) -> Any:
    """The solution, the sums of the squares of what it leaves, the rank, the singular values."""
    left, right = floats(builder, (a, b), "np.linalg.lstsq")
    if left.type.rank != 2 or right.type.rank not in (1, 2) or left.type.is_complex:
        raise UnsupportedError("np.linalg.lstsq takes a real matrix and a vector or a matrix")
    x = lstsq(left, right, rcond=_cutoff(rcond, "rcond"))
    rank = matrix_rank(left)
    return x, _residuals(left, right, x, rank), rank, emit_many(svd, left)[1]


def _residuals(a: Val, b: Val, x: Val, rank: Val) -> Val:
    """One for each column of b; none where there are as few equations as unknowns or they leave x open."""
    rest = b - dot(a, x)
    columns = rest if rest.type.rank == 2 else unsqueeze(rest, axes=(1,))
    sums = sum_(columns * columns, axes=(0,), keepdims=False)
    rows, unknowns = length(a, 0), length(a, 1)
    given = logical_and(equal(rank, unknowns), rows > unknowns)
    count = where(given, length(sums, 0), rank.lift(0))
    memory = memory_of(a.builder, sums, "np.linalg.lstsq")
    return viewed(memory, (ir.Slice(stop=count.atom),))


# ---- tensors as matrices


@registry.adaptor(np.linalg.tensorinv)
def _tensorinv(builder: Builder, a: Any, ind: Any = 2) -> Val:
    value = contents(arguments.as_array(builder, a))
    first = arguments.integer(ind, "ind")
    if not 0 < first < value.type.rank:
        raise UnsupportedError("np.linalg.tensorinv takes ind between 0 and the number of axes")
    sizes = dims(value)
    matrix = _as_square(value, sizes[:first], sizes[first:], "np.linalg.tensorinv")
    got = registry.FUNCTIONS[np.linalg.inv](builder, matrix)
    return reshape(got, *sizes[first:], *sizes[:first])


def _as_square(value: Val, rows: Sequence[Val], columns: Sequence[Val], name: str) -> Val:
    """The matrix whose rows and columns are each made of several axes."""
    m, n = product(rows, value.builder), product(columns, value.builder)
    expect_equal(value.builder, m, n, f"{name} takes as many elements along the first axes as along the others")
    return reshape(value, m, n)


@registry.adaptor(np.linalg.tensorsolve)
def _tensorsolve(builder: Builder, a: Any, b: Any, axes: Any = None) -> Val:
    left, right = (contents(arguments.as_array(builder, v)) for v in (a, b))
    if axes is not None:
        last = arguments.all_axes(axes, left.type.rank)
        given = [arguments.one_axis(k, left.type.rank) for k in axes]
        order = [k for k in range(left.type.rank) if k not in last] + given
        left = registry.FUNCTIONS[np.transpose](builder, left, tuple(order))
    if not 0 < right.type.rank < left.type.rank:
        raise UnsupportedError("np.linalg.tensorsolve takes an array of more axes than the right-hand side has")
    sizes, first = dims(left), right.type.rank
    matrix = _as_square(contents(left), sizes[:first], sizes[first:], "np.linalg.tensorsolve")
    flat = right if first == 1 else reshape(right, product(dims(right), builder))
    got = registry.FUNCTIONS[np.linalg.solve](builder, matrix, flat)
    return got if left.type.rank == first + 1 else reshape(got, *sizes[first:])


# ---- products of several matrices


@registry.adaptor(np.linalg.matrix_power)
@of_stacks("mn")
def _matrix_power(builder: Builder, a: Any, n: Any) -> Val:
    exponent = arguments.integer(n, "the exponent of np.linalg.matrix_power")
    (base,) = floats(builder, (a,), "np.linalg.matrix_power")
    if base.type.rank != 2:
        raise UnsupportedError("np.linalg.matrix_power takes a matrix here")
    if exponent == 0:
        rows = length(base, 0)
        return cast(registry.FUNCTIONS[np.eye](builder, rows), base.type.dtype)
    if exponent == 1 and isinstance(a, Val) and a.type.dtype == base.type.dtype:
        return a  # NumPy gives the matrix itself
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
    return value_of(np.max if place == 0 else np.min, builder, s)


@registry.adaptor(np.linalg.cond)
@of_stacks("")
def _cond(builder: Builder, x: Any, p: Any = None) -> Val:
    value = real_matrix(builder, x, "np.linalg.cond")
    order = p if p is None or isinstance(p, str) else arguments.number(p, "p")
    if order in (None, 2, -2):
        s = singular_values(builder, value, "np.linalg.cond")
        ends = _end(builder, s, 0), _end(builder, s, -1)
        return ends[1] / ends[0] if order == -2 else ends[0] / ends[1]
    return value_of(np.linalg.norm, builder, value, p) * value_of(np.linalg.norm, builder, inv(value), p)
