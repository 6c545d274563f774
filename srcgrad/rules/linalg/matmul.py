"""Products: of vectors and matrices, and sums over shared axes of arrays of any rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.numeric import products, small_matrices
from srcgrad.rules.language import arguments
from srcgrad.rules.language.declare import At, Rule, bilinear, only_ranks
from srcgrad.rules.language.over_elements import Contraction
from srcgrad.rules.language.runtime_text import Sources, sources
from srcgrad.rules.language.values import Val
from srcgrad.rules.reductions.sums import sum_
from srcgrad.rules.shapes.axes import expect_equal
from srcgrad.rules.shapes.broadcast import Dims, Params, Types
from srcgrad.rules.shapes.shape import dims, reshape, transpose
from srcgrad.rules.shapes.shape import product as many

matrix = np.array([[0.3, -1.2, 2.0], [1.5, 0.7, -0.4]])
square = np.array([[2.0, -0.3, 0.4], [0.5, 1.7, -0.6], [0.1, 0.2, 3.0]])
line, pair = np.array([0.7, -1.1, 0.4]), np.array([1.3, -0.8])
tower = np.stack([matrix, -2.0 * matrix])
large = np.cos(np.arange(16.0 * 17).reshape(1, 16, 17))

# ---- products: op(a) @ op(b), an operand of two axes being transposed if asked for


def _product_infer(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (ir.Type(types[0].dtype, types[0].rank + types[1].rank - 2),)


def _product_dims(dims: Sequence[Dims], params: Params) -> Dims:
    left = dims[0][::-1] if params["ta"] else dims[0]
    right = dims[1][::-1] if params["tb"] else dims[1]
    return (*left[:-1], *(right[1:] if len(right) == 2 else ()))


def _product_demands(dims: Sequence[Dims], params: Params) -> list[Dims]:
    return [(dims[0][0 if params["ta"] else -1], dims[1][-1 if params["tb"] else 0])]


def _product(a: Any, b: Any, ta: bool, tb: bool) -> Any:
    return (a.T if ta else a) @ (b.T if tb else b)


def _product_template(types: Types, params: Params) -> str:
    left = "_0.T" if params["ta"] else "_0"
    right = "_1.T" if params["tb"] else "_1"
    return f"np.dot({left}, {right})" if types[0].rank == types[1].rank == 1 else f"{left} @ {right}"


def _product_kernel(types: Types, params: Params) -> str:
    return _KERNELS.get((types[0].rank, types[1].rank), "matmul")


def _product_into(types: Types, params: Params) -> tuple[str, Sources] | None:
    name = _product_kernel(types, params)
    return (f"{name}_into", _INTO) if name else None


_INTO = sources(products.matrix_by_vector_into, products.vector_by_matrix_into, products.matmul_into)
_KERNELS = {(1, 1): "", (2, 1): "matrix_by_vector", (1, 2): "vector_by_matrix"}


def _product_left(g: Val, a: Val, b: Val, ta: bool, tb: bool) -> Val:
    if a.type.rank == 1:
        return g * b if b.type.rank == 1 else dot(b, g, ta=tb)
    if b.type.rank == 1:
        return outer(b, g) if ta else outer(g, b)
    return dot(b, g, ta=tb, tb=True) if ta else dot(g, b, tb=not tb)


def _product_right(g: Val, a: Val, b: Val, ta: bool, tb: bool) -> Val:
    if b.type.rank == 1:
        return g * a if a.type.rank == 1 else (dot(a, g) if ta else dot(g, a))
    if a.type.rank == 1:
        return outer(g, a) if tb else outer(a, g)
    return dot(g, a, ta=True, tb=ta) if tb else dot(a, g, ta=not ta)


def dot(a: Val, b: Val, ta: bool = False, tb: bool = False) -> Val:
    return product(a, b, ta=ta, tb=tb)


product: Rule = bilinear(
    "matmul", (), left=_product_left, right=_product_right, infer=_product_infer, evaluate=_product,
    template=_product_template, kernel=_product_kernel,
    kernel_texts=sources(products.matrix_by_vector, products.vector_by_matrix),
    into=_product_into,
    dims=_product_dims, demands=_product_demands,
    params=[{"ta": False, "tb": False}],
    samples=[
        (line, line), (matrix, line), (pair, matrix), (matrix, square), At(matrix, pair, ta=True, tb=False),
        At(line, matrix, ta=False, tb=True), At(matrix, matrix, ta=True, tb=False),
        At(matrix, matrix, ta=False, tb=True), At(matrix, square[:, :2].copy(), ta=True, tb=True),
    ],
    without=only_ranks(1, 2),
)  # fmt: skip
# np.outer takes Numba four seconds to compile
outer: Rule = bilinear(
    "outer",
    (),
    left=lambda g, a, b: dot(g, b),
    right=lambda g, a, b: dot(a, g),
    infer=lambda types, params: (ir.Type(types[0].dtype, 2),),
    evaluate=np.outer,
    template=lambda types, params: ("outer(_0, _1)", sources(small_matrices.outer)),
    dims=lambda dims, params: (dims[0][0], dims[1][0]),
    samples=[(pair, line)],
    without=only_ranks(1),
)


# ---- contractions: axes have letters, of which each is in two at least of left, right and out

LETTERS = "ijklmnopqrstuvwxyz"


def _canonical(params: Params) -> tuple[str, str, str]:
    """The letters of left, right and out, renamed in the order in which they come."""
    names: dict[str, str] = {}
    for letter in params["left"] + params["right"]:
        names.setdefault(letter, LETTERS[len(names)])
    left, right, out = ("".join(names[c] for c in params[key]) for key in ("left", "right", "out"))
    return left, right, out


def _contract_infer(types: Types, params: Params) -> tuple[ir.Type, ...]:
    dtype, rank = types[0].dtype, len(params["out"])
    return (ir.Type(dtype, rank) if rank else arguments.scalar_type(dtype),)


def _contract_dims(given: Sequence[Dims], params: Params) -> Dims:
    known = {**dict(zip(params["right"], given[1], strict=True)), **dict(zip(params["left"], given[0], strict=True))}
    return tuple(known[c] for c in params["out"])


def _contract_demands(given: Sequence[Dims], params: Params) -> list[tuple[Any, Any]]:
    left = dict(zip(params["left"], given[0], strict=True))
    return [(left[c], d) for c, d in zip(params["right"], given[1], strict=True) if c in left]


def _contract_template(types: Types, params: Params) -> Any:
    left, right, out = _canonical(params)
    kind = "" if types[0].dtype[0] == "f" else types[0].dtype
    name = "_".join(part for part in ("sum", left, right, "to" if out else "", out, kind) if part)
    return f"{name}(_0, _1)", {name: Contraction(left, right, out, types[0].dtype)}


def _contract(a: Any, b: Any, left: str, right: str, out: str) -> Any:
    rename = str.maketrans("".join(sorted(set(left + right))), "abcdefghijklmnopqrstuvwxyz"[: len(set(left + right))])
    if any(a.shape[left.index(c)] != n for c, n in zip(right, b.shape, strict=True) if c in left):
        raise ValueError("lengths that must be equal differ")
    return np.einsum(f"{left},{right}->{out}".translate(rename), a, b)


def _side(g: Val, other: Val, at: str, others: str, wanted: str) -> Val:
    """The adjoint of the operand with the letters wanted, g having the letters at."""
    if at:
        return contract(g, other, left=at, right=others, out=wanted)
    return g * ordered(other, others, wanted)


contract: Rule = bilinear(
    "contract", (), infer=_contract_infer, evaluate=_contract, template=_contract_template, dims=_contract_dims,
    may_raise=lambda types, params: not {*params["left"]}.isdisjoint(params["right"]), demands=_contract_demands,
    left=lambda g, a, b, left, right, out: _side(g, b, out, right, left),
    right=lambda g, a, b, left, right, out: _side(g, a, out, left, right), samples=[
        At(tower, tower, left="bij", right="bik", out="bjk"), At(tower, tower, left="bij", right="bkj", out="bki"),
        At(large, large[:, :16].copy(), left="bij", right="bkj", out="bik"),
        At(large, large, left="bij", right="bik", out="bjk"), At(matrix, matrix, left="ij", right="ij", out="i"),
        At(matrix, matrix, left="ij", right="ij", out=""), At(matrix, pair, left="ij", right="i", out="ji"),
        At(line, line, left="i", right="i", out="i"), At(tower, matrix, left="bij", right="ij", out="b"),
    ],
)  # fmt: skip


def ordered(value: Val, letters: str, wanted: str) -> Val:
    """value with its axes in another order."""
    if letters == wanted:
        return value
    return transpose(value, axes=tuple(letters.index(c) for c in wanted))


def multiplied(a: Val, b: Val, left: str, right: str, keep: str) -> tuple[Val, str]:
    """The sum of a * b over the letters not in keep, with its letters. By matrices where no letter is in all three."""
    a, left = _summed(a, left, right + keep)
    b, right = _summed(b, right, left + keep)
    if not left or not right:
        return a * b, left + right
    out = "".join(c for c in left + "".join(c for c in right if c not in left) if c in keep)
    shared = [c for c in left if c in right]
    if a.type.dtype[0] in "fc" and shared and not any(c in keep for c in shared) and (out or len(shared) == 1):
        return _by_matrices(a, b, left, right, "".join(shared), out), out
    if len(left) == len(right) == 1 and not shared:
        return outer(a, b), out
    if set(left) == set(right) == set(out):
        return a * ordered(b, right, left), left
    return contract(a, b, left=left, right=right, out=out), out


def _summed(x: Val, letters: str, elsewhere: str) -> tuple[Val, str]:
    alone = tuple(k for k, c in enumerate(letters) if c not in elsewhere)
    if not alone:
        return x, letters
    return sum_(x, axes=alone, keepdims=False), "".join(c for c in letters if c in elsewhere)


def _by_matrices(a: Val, b: Val, left: str, right: str, shared: str, out: str) -> Val:
    free_a, free_b = ("".join(c for c in letters if c not in shared) for letters in (left, right))
    lengths = {**dict(zip(right, dims(b), strict=True)), **dict(zip(left, dims(a), strict=True))}
    theirs = dict(zip(right, dims(b), strict=True))
    for c in shared if len(shared) > 1 else "":
        expect_equal(a.builder, lengths[c], theirs[c], "lengths that must be equal differ")
    first, ta = _as_matrix(a, left, free_a, shared, lengths)
    second, tb = _as_matrix(b, right, free_b, shared, lengths)
    got = dot(first, second, ta=ta, tb=not tb if second.type.rank == 2 else False)
    if len(free_a) <= 1 and len(free_b) <= 1:
        return got
    return reshape(got, *(lengths[c] for c in out))


def _as_matrix(x: Val, letters: str, free: str, shared: str, lengths: dict[str, Val]) -> tuple[Val, bool]:
    """x with its free axes as one and its shared ones as one, and whether the shared one comes first."""
    first = letters == shared + free and bool(free)
    if not first:
        x = ordered(x, letters, free + shared)
    if len(free) <= 1 and len(shared) == 1:
        return x, first
    rows, columns = (many([lengths[c] for c in part], x.builder) for part in (free, shared))
    if not free:
        return reshape(x, columns), False
    return reshape(x, *((columns, rows) if first else (rows, columns))), first
