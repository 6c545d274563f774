"""np.einsum, matmul, dot, tensordot, kron and their like, taken apart into products of two."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.layouts import VIEW
from srcgrad.errors import UnsupportedError
from srcgrad.rules.arrays.diagonals import diagonal
from srcgrad.rules.arrays.joins import stacked
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import as_value, cast, settle
from srcgrad.rules.language.values import Val, contents, value_of
from srcgrad.rules.linalg.batches import LETTERS as BATCH
from srcgrad.rules.linalg.batches import matched
from srcgrad.rules.linalg.matmul import contract, dot, multiplied, ordered, outer
from srcgrad.rules.reductions.sums import sum_
from srcgrad.rules.shapes.axes import expect_equal, leading_ones, memory_of, moved, viewed
from srcgrad.rules.shapes.shape import as_copy, length, reshape, reshaped

SMALL = "abcdefghijklmnopqrstuvwxyz"


def operands(builder: Builder, given: Sequence[Any]) -> list[Val]:
    """The operands' contents, in their common dtype."""
    values = settle([contents(arguments.as_array(builder, v)) for v in given])
    dtypes = [v.type.dtype for v in values if v.type.rank or v.type.is_float]
    code = arguments.result_type(dtypes or ["i8"])
    if code == "b1":
        raise UnsupportedError("products of arrays of booleans are not supported; write .astype(np.int64)")
    return [cast(v, code) for v in values]


def floats(builder: Builder, given: Sequence[Any], name: str) -> list[Val]:
    """Operands of at most two axes as floats."""
    values = operands(builder, given)
    if any(v.type.rank > 2 for v in values):
        raise UnsupportedError(f"{name} is differentiated for vectors and matrices, not for more axes")
    return [v if v.type.is_float else cast(v, "f8") for v in values]


# ---- einsum


def _terms(subscripts: Any, ranks: Sequence[int]) -> tuple[list[str], str]:
    """A string of letters for each operand and for the result, `...` replaced by letters of its own."""
    if not isinstance(subscripts, str):
        raise UnsupportedError("np.einsum takes its subscripts as a string", hint='write np.einsum("ij,jk->ik", a, b)')
    text, arrow, result = subscripts.replace(" ", "").partition("->")
    parts = text.split(",")
    if len(parts) != len(ranks):
        raise UnsupportedError(f"np.einsum has {len(ranks)} operands but subscripts for {len(parts)}")
    terms = [_spelled(part, rank) for part, rank in zip(parts, ranks, strict=True)]
    batch = "".join(c for c in reversed(BATCH) if any(c in t for t in terms))
    if arrow:
        out = result.replace("...", batch)
    else:
        all_ = "".join(terms)
        out = batch + "".join(sorted(c for c in set(all_) if all_.count(c) == 1 and c not in batch))
    letters = set("".join(terms))
    if len(set(out)) < len(out) or not set(out) <= letters or "." in out:
        raise UnsupportedError(f"the result of np.einsum({subscripts!r}) names axes that no operand has, or one twice")
    return terms, out


def _spelled(part: str, rank: int) -> str:
    plain = part.replace("...", "")
    if not all(c.isalpha() and c.isascii() for c in plain):
        raise UnsupportedError(f"{part!r} are not subscripts of np.einsum")
    if any(c in BATCH for c in plain):
        raise UnsupportedError("np.einsum is understood with small letters only")
    hidden = rank - len(plain)
    if hidden < 0 or (hidden and "..." not in part):
        raise UnsupportedError(f"np.einsum has the subscripts {part!r} for a {rank}-D operand")
    return part.replace("...", "".join(reversed(BATCH[:hidden])))


def _without_repeats(x: Val, letters: str) -> tuple[Val, str]:
    """The diagonal of axes that have one letter."""
    for c in dict.fromkeys(letters):
        while letters.count(c) > 1:
            first = letters.index(c)
            second = letters.index(c, first + 1)
            expect_equal(x.builder, length(x, first), length(x, second), "lengths that must be equal differ")
            x = diagonal(x, offset=0, axes=(first, second))
            letters = letters[:first] + letters[first + 1 : second] + letters[second + 1 :] + c
    return x, letters


def summed(values: Sequence[Val], terms: Sequence[str], out: str) -> Val:
    """The product of the values, summed over the letters that are not in out."""
    pairs = [_without_repeats(v, t) for v, t in zip(*matched(values, terms), strict=True)]
    x, letters = pairs[0]
    for k, (y, others) in enumerate(pairs[1:], 2):
        keep = out + "".join(t for _, t in pairs[k:])
        x, letters = multiplied(x, y, letters, others, keep)
    alone = tuple(k for k, c in enumerate(letters) if c not in out)
    if alone:
        x, letters = sum_(x, axes=alone, keepdims=False), "".join(c for c in letters if c in out)
    return ordered(x, letters, out)


@registry.adaptor(np.einsum)
def _einsum(builder: Builder, subscripts: Any, *arrays: Any, **options: Any) -> Val:
    options.pop("optimize", None)
    arguments.no_options(options, "np.einsum")
    values = operands(builder, arrays)
    terms, out = _terms(subscripts, [v.type.rank for v in values])
    if not values:
        raise UnsupportedError("np.einsum needs an operand")
    result = summed(values, terms, out)
    viewed = len(values) == 1 and set(terms[0]) == set(out) and isinstance(arrays[0], Val)
    return as_copy(result, arrays[0], VIEW) if viewed else result


# ---- matmul, dot, inner


def _batched(rank: int) -> str:
    return "".join(reversed(BATCH[:rank]))


def _vectors(values: Sequence[Val], name: str) -> None:
    if any(v.type.rank == 0 for v in values):
        raise UnsupportedError(f"{name} takes arrays, not scalars; use *")


@registry.adaptor(np.matmul, operator.matmul)
def _matmul(builder: Builder, a: Any, b: Any, **options: Any) -> Val:
    arguments.no_options(options, "np.matmul")
    left, right = operands(builder, (a, b))
    _vectors((left, right), "@")
    if max(left.type.rank, right.type.rank) <= 2 and left.type.is_float:
        return dot(left, right)
    first = _batched(left.type.rank - 2) + "ij" if left.type.rank > 1 else "j"
    second = _batched(right.type.rank - 2) + "jk" if right.type.rank > 1 else "j"
    batch = _batched(max(left.type.rank, right.type.rank, 2) - 2)
    out = batch + ("i" if left.type.rank > 1 else "") + ("k" if right.type.rank > 1 else "")
    return summed((left, right), (first, second), out)


def _scaled(builder: Builder, a: Any, b: Any) -> Val:
    """np.dot with a number, which is an array to it: no literal is weak."""
    both = [contents(arguments.as_array(builder, v)) for v in (a, b)]
    dtype = arguments.result_type([v.type.dtype for v in both])
    wide = [cast(v, dtype) if v.type.rank else v for v in both]
    return value_of(np.multiply, builder, *wide)


@registry.adaptor(np.dot, methods=("dot",))
def _np_dot(builder: Builder, a: Any, b: Any, **options: Any) -> Val:
    arguments.no_options(options, "np.dot")
    if any(arguments.as_array(builder, v).type.rank == 0 for v in (a, b)):
        return _scaled(builder, a, b)
    left, right = operands(builder, (a, b))
    if max(left.type.rank, right.type.rank) <= 2 and left.type.is_float:
        return dot(left, right)
    mine = SMALL[: left.type.rank]
    other = SMALL[left.type.rank : left.type.rank + right.type.rank]
    place = max(right.type.rank - 2, 0)
    theirs = other[:place] + mine[-1] + other[place + 1 :]
    return summed((left, right), (mine, theirs), mine[:-1] + other[:place] + other[place + 1 :])


@registry.adaptor(np.vdot)
def _vdot(builder: Builder, a: Any, b: Any) -> Val:
    left, right = operands(builder, (a, b))
    _vectors((left, right), "np.vdot")
    left = registry.FUNCTIONS[np.conj](builder, left) if left.type.is_complex else left
    return summed((_flat(left), _flat(right)), ("i", "i"), "")


def _flat(value: Val) -> Val:
    return value if value.type.rank == 1 else contents(reshaped(value, -1))


@registry.adaptor(np.inner)
def _inner(builder: Builder, a: Any, b: Any) -> Val:
    left, right = operands(builder, (a, b))
    if left.type.rank == 0 or right.type.rank == 0:
        return left * right
    mine = SMALL[: left.type.rank - 1] + "z"
    theirs = SMALL[left.type.rank : left.type.rank + right.type.rank - 1] + "z"
    return summed((left, right), (mine, theirs), mine[:-1] + theirs[:-1])


@registry.adaptor(np.vecdot, np.linalg.vecdot)
def _vecdot(builder: Builder, a: Any, b: Any, axis: Any = -1) -> Val:
    left, right = operands(builder, (a, b))
    _vectors((left, right), "np.vecdot")
    left = registry.FUNCTIONS[np.conj](builder, left) if left.type.is_complex else left
    places = [arguments.one_axis(axis, v.type.rank) for v in (left, right)]
    values = [contents(moved(builder, v, [k], [v.type.rank - 1])) for v, k in zip((left, right), places, strict=True)]
    terms = [_batched(v.type.rank - 1) + "z" for v in values]
    return summed(values, terms, max((t[:-1] for t in terms), key=len))


@registry.adaptor(np.outer, np.linalg.outer)
def _outer(builder: Builder, a: Any, b: Any, **options: Any) -> Val:
    arguments.no_options(options, "np.outer")
    left, right = operands(builder, (a, b))
    if left.type.rank == 0 or right.type.rank == 0:
        raise UnsupportedError("np.outer takes arrays, not scalars")
    return outer(_flat(left), _flat(right))


@registry.adaptor(np.tensordot, np.linalg.tensordot)
def _tensordot(builder: Builder, a: Any, b: Any, axes: Any = 2) -> Val:
    left, right = operands(builder, (a, b))
    first, second = _paired(axes, left.type.rank, right.type.rank)
    mine = list(SMALL[: left.type.rank])
    theirs = list(SMALL[left.type.rank : left.type.rank + right.type.rank])
    for p, q in zip(first, second, strict=True):
        theirs[q] = mine[p]
    out = [c for k, c in enumerate(mine) if k not in first] + [c for k, c in enumerate(theirs) if k not in second]
    return summed((left, right), ("".join(mine), "".join(theirs)), "".join(out))


def _paired(axes: Any, rank_a: int, rank_b: int) -> tuple[list[int], list[int]]:
    """Which axes of the two are summed over together."""
    if isinstance(axes, (tuple, list)):
        if len(axes) != 2:
            raise UnsupportedError("the axes of np.tensordot are a number or a pair")
        given = [g if isinstance(g, (tuple, list)) else (g,) for g in axes]
        first = [arguments.one_axis(k, rank_a) for k in given[0]]
        second = [arguments.one_axis(k, rank_b) for k in given[1]]
        if len(first) != len(second) or len(set(first)) < len(first) or len(set(second)) < len(second):
            raise UnsupportedError("np.tensordot takes as many axes of one operand as of the other, each once")
        return first, second
    count = arguments.integer(axes, "axes")
    if not 0 <= count <= min(rank_a, rank_b):
        raise UnsupportedError(f"np.tensordot cannot sum over {count} axes of a {rank_a}-D and a {rank_b}-D array")
    return list(range(rank_a - count, rank_a)), list(range(count))


@registry.adaptor(np.kron)
def _kron(builder: Builder, a: Any, b: Any) -> Val:
    left, right = operands(builder, (a, b))
    if left.type.rank == 0 or right.type.rank == 0:
        return left * right
    rank = max(left.type.rank, right.type.rank)
    left, right = (contents(leading_ones(v, rank)) for v in (left, right))
    mine, theirs = SMALL[:rank], SMALL[rank : 2 * rank]
    if rank == 1:
        both = outer(left, right)
    else:
        out = "".join(x + y for x, y in zip(mine, theirs, strict=True))
        both = contract(left, right, left=mine, right=theirs, out=out)
    return reshape(both, *(length(left, k) * length(right, k) for k in range(rank)))


@registry.adaptor(np.cross, np.linalg.cross)
def _cross(
    builder: Builder, a: Any, b: Any, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None
) -> Val:
    sides, values = [], operands(builder, (a, b))
    dtype = values[0].type.dtype
    for value, where in zip(values, (axisa, axisb), strict=True):
        rank = value.type.rank
        if rank == 0:
            raise UnsupportedError("np.cross takes arrays, not scalars")
        place = arguments.one_axis(where if axis is None else axis, rank)
        memory = memory_of(builder, moved(builder, value, [place], [rank - 1]), "np.cross")
        message = "np.cross is supported for vectors of three components"
        expect_equal(builder, length(memory, rank - 1), as_value(builder, 3), message)
        sides.append([_component(memory, k) for k in range(3)])
    (a0, a1, a2), (b0, b1, b2) = sides
    made = stacked(builder, [a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], -1, "np.cross", dtype)
    target = axisc if axis is None else axis
    return moved(builder, made, [made.type.rank - 1], [arguments.one_axis(target, made.type.rank)])


def _component(memory: Val, k: int) -> Val:
    """memory[..., k]"""
    index: ir.Index = (*(ir.Slice(),) * (memory.type.rank - 1), ir.Const(k, ir.I8))
    if memory.type.rank > 1:
        return contents(viewed(memory, index))
    assert isinstance(memory.atom, ir.Var)
    return Val(memory.builder, memory.builder.load(memory.atom, index))
