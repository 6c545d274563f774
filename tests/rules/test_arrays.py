"""Broadcasting, reductions, products and views: beside NumPy, over every rank and axis, to second order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from srcgrad.core.build import Builder
from srcgrad.core.run import run
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language.registry import FUNCTIONS, METHODS
from srcgrad.rules.language.values import Val
from srcgrad.transform.forward import forward
from srcgrad.transform.reverse import reverse
from tests.rules.array_programs import check, program

rng = np.random.default_rng(7)
normal = rng.standard_normal


def call(function: Any, **options: Any) -> Callable[..., Val]:
    def make(builder: Builder, *args: Any) -> Val:
        return FUNCTIONS[function](builder, *args, **options)

    return make


def method(name: str, *rest: Any) -> Callable[..., Val]:
    def make(builder: Builder, *args: Any) -> Val:
        return METHODS[name](builder, *args, *rest)

    return make


# ---- broadcasting

SHAPES = [(), (3,), (1,), (2, 3), (1, 3), (2, 1), (4, 2, 3), (4, 1, 3), (1, 2, 1)]
EMPTY = [(0,), (0, 3), (2, 0)]


def fit(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(1 in (m, n) or m == n for m, n in zip(a[::-1], b[::-1], strict=False))


@pytest.mark.parametrize("left, right", [p for p in product(SHAPES, SHAPES) if fit(*p)], ids=str)
def test_broadcasting(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    args = [normal(s) if s else float(normal()) for s in (left, right)]
    check(call(np.multiply), args, np.multiply)


@pytest.mark.parametrize("shape", EMPTY, ids=str)
@pytest.mark.parametrize("other", [(), (1,), (1, 1)], ids=str)
def test_broadcasting_of_empty_arrays(shape: tuple[int, ...], other: tuple[int, ...]) -> None:
    args = [normal(shape), normal(other) if other else 0.7]
    check(call(np.multiply), args, np.multiply)


# ---- reductions

AXES: dict[int, list[Any]] = {
    1: [None, 0, -1],
    2: [None, 0, 1, -1, (0, 1), (-1,)],
    3: [None, 0, 1, 2, (0, 2), (-1, 0), (1, 2)],
}
REDUCTIONS = [(r, axis, keep) for r in AXES for axis in AXES[r] for keep in (False, True)]


@pytest.mark.parametrize("function", [np.sum, np.mean, np.max, np.min, np.var, np.std], ids=lambda f: f.__name__)
@pytest.mark.parametrize("rank, axis, keepdims", REDUCTIONS, ids=str)
def test_reduction(function: Any, rank: int, axis: Any, keepdims: bool) -> None:
    def make(builder: Builder, x: Val) -> Val:
        square = FUNCTIONS[np.multiply](builder, x, x)
        return FUNCTIONS[function](builder, square, axis=axis, keepdims=keepdims)

    check(make, [normal((2, 4, 3)[:rank])], lambda x: function(x * x, axis=axis, keepdims=keepdims))


@pytest.mark.parametrize("function", [np.sum, np.mean, np.max, np.prod], ids=lambda f: f.__name__)
def test_reduction_of_strided_memory(function: Any) -> None:
    check(call(function), [normal((4, 6))[:, ::2].T], function)


@pytest.mark.parametrize("function, sign", [(np.max, 1.0), (np.min, -1.0)])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_ties_share_equally(function: Any, sign: float, axis: int | None) -> None:
    x = sign * np.array([[1.0, 3.0, 3.0], [3.0, 0.5, 3.0]])
    made = program(call(function, axis=axis), [x])
    (y,) = run(made, x)
    ties = x == (y if axis is None else np.expand_dims(y, axis))
    want = ties / ties.sum(axis=axis, keepdims=True)
    _, got = run(reverse(made, frozenset({0})), x, np.ones_like(y) if np.ndim(y) else 1.0)
    np.testing.assert_array_equal(got, want)
    _, dot = run(forward(made, frozenset({0})), x, x)
    np.testing.assert_allclose(dot, y)


def test_nan_is_the_largest() -> None:
    x = np.array([1.0, np.nan, 3.0])
    _, got = run(reverse(program(call(np.max), [x]), frozenset({0})), x, 1.0)
    np.testing.assert_array_equal(got, [0.0, 1.0, 0.0])


def test_empty_reductions() -> None:
    x = np.zeros((0, 3))
    assert run(program(call(np.sum), [x]), x) == (0.0,)
    np.testing.assert_array_equal(run(program(call(np.sum, axis=0), [x]), x)[0], np.zeros(3))
    assert np.isnan(run(program(call(np.mean), [x]), x)[0])
    for axis in (None, 0):
        with pytest.raises(ValueError, match="zero-size"):
            run(program(call(np.max, axis=axis), [x]), x)
    _, bar = run(reverse(program(call(np.sum), [x]), frozenset({0})), x, 1.0)
    assert bar.shape == (0, 3)


NORMS = [((3,), None), ((2, 3), None), ((2, 3), 0), ((2, 3), -1), ((2, 3), (0, 1))]


@pytest.mark.parametrize("shape, axis", NORMS, ids=str)
def test_norm(shape: tuple[int, ...], axis: Any) -> None:
    check(call(np.linalg.norm, axis=axis), [normal(shape)], lambda x: np.linalg.norm(x, axis=axis))


@pytest.mark.parametrize("function", [np.linalg.norm, np.std], ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_derivative_is_zero_where_norm_and_std_are(function: Any, axis: int | None) -> None:
    x = np.zeros((2, 3))
    made = program(call(function, axis=axis), [x])
    (y,) = run(made, x)
    _, bar = run(reverse(made, frozenset({0})), x, np.ones_like(y) if np.ndim(y) else 1.0)
    np.testing.assert_array_equal(bar, x)
    _, dot = run(forward(made, frozenset({0})), x, normal((2, 3)))
    np.testing.assert_array_equal(dot, y)


@pytest.mark.parametrize("ddof", [0, 1])
def test_degrees_of_freedom(ddof: int) -> None:
    for function in (np.var, np.std):
        check(call(function, ddof=ddof), [normal(4)], lambda x, f=function: f(x, ddof=ddof))


@pytest.mark.parametrize("function", [np.any, np.all, np.argmax, np.argmin, np.count_nonzero], ids=lambda f: f.__name__)
def test_questions(function: Any) -> None:
    for x in (normal((2, 3)), np.array([0.0, 1.0]), np.zeros(2), np.array([True, False])):
        assert run(program(call(function), [x]), x) == (function(x),)


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_product_with_zeros(zeros: int) -> None:
    x = np.array([0.7, -1.3, 2.0, 0.4])
    x[:zeros] = 0.0
    check(call(np.prod), [x], np.prod)


@pytest.mark.parametrize("shape, axis", [((4,), None), ((4,), 0), ((3, 4), 0), ((3, 4), 1), ((3, 4), -1)])
def test_running_sum(shape: tuple[int, ...], axis: int | None) -> None:
    check(call(np.cumsum, axis=axis), [normal(shape)], lambda x: np.cumsum(x, axis=axis))


@pytest.mark.parametrize("dtype", ["i8", "i4", "b1", "u1"])
def test_sums_of_integers(dtype: str) -> None:
    x = np.array([[1, 0, 1], [1, 1, 1]], dtype)
    (total,) = run(program(call(np.sum), [x]), x)
    assert total == 5 and isinstance(total, int)
    np.testing.assert_array_equal(run(program(call(np.sum, axis=0), [x]), x)[0], x.sum(axis=0))
    assert run(program(call(np.mean), [x]), x) == (np.mean(x),)


# ---- products

SQUARE = normal((3, 3)) + 3 * np.eye(3)
PRODUCTS = [
    (np.dot, normal(3), normal(3)),
    (np.dot, normal((2, 3)), normal(3)),
    (np.dot, normal((2, 3)), normal((3, 4))),
    (np.matmul, normal(2), normal((2, 3))),
    (np.vdot, normal((2, 3)), normal((2, 3))),
    (np.outer, normal(3), normal(2)),
    (np.outer, normal((2, 2)), normal(3)),
    (np.inner, normal((2, 3)), normal((4, 3))),
    (np.inner, normal(3), normal(3)),
    (np.inner, normal((2, 3)), normal(3)),
    (np.inner, normal(3), normal((2, 3))),
    (np.dot, normal((0, 3)), normal(3)),
    (np.linalg.solve, SQUARE, normal(3)),
    (np.linalg.solve, SQUARE, normal((3, 2))),
    (np.dot, normal((3, 2)).T, normal((6, 2))[::2]),
]


@pytest.mark.parametrize("function, a, b", PRODUCTS, ids=lambda v: str(getattr(v, "__name__", np.shape(v))))
def test_product(function: Any, a: Any, b: Any) -> None:
    check(call(function), [a, b], function)


@pytest.mark.parametrize("function", [np.dot, np.linalg.solve], ids=lambda f: f.__name__)
def test_product_with_itself(function: Any) -> None:
    check(lambda builder, a: FUNCTIONS[function](builder, a, a), [SQUARE], lambda a: function(a, a))


@pytest.mark.parametrize("function", [np.linalg.inv, np.trace, np.diag, np.diagonal], ids=lambda f: f.__name__)
def test_of_a_matrix(function: Any) -> None:
    check(call(function), [SQUARE], function)


def test_matrix_with_a_diagonal() -> None:
    check(call(np.diag), [normal(3)], np.diag)


# ---- memory and shapes


OF_MEMORY = [np.copy, np.ravel, np.transpose, np.zeros_like, np.ones_like, np.ascontiguousarray]


@pytest.mark.parametrize("function", OF_MEMORY, ids=lambda f: f.__name__)
def test_of_memory(function: Any) -> None:
    check(call(function), [normal((2, 3))], function)


@pytest.mark.parametrize("name", ["copy", "ravel", "flatten", "transpose", "sum", "mean", "max", "min", "prod"])
def test_method(name: str) -> None:
    check(method(name), [normal((2, 3))], lambda x: getattr(x, name)())


def test_methods_with_arguments() -> None:
    check(method("reshape", 3, -1), [normal((2, 3))], lambda x: x.reshape(3, -1))
    check(method("reshape", (-1,)), [normal((2, 3, 2))], lambda x: x.reshape(-1))
    check(method("dot"), [normal((2, 3)), normal(3)], lambda x, y: x.dot(y))
    check(method("astype", np.float64), [normal(3)], lambda x: x.astype(np.float64))
    x = normal(3)
    (single,) = run(program(method("astype", "f4"), [x]), x)
    assert single.dtype == np.float32


def test_array_of_elements() -> None:
    def nested(builder: Builder, x: Val) -> Val:
        return FUNCTIONS[np.array](builder, [[x, 2.0], (3.0, x * x)])

    check(nested, [1.5], lambda x: np.array([[x, 2.0], (3.0, x * x)]))
    rows = [normal(3), normal(3)]
    check(lambda builder, x, y: FUNCTIONS[np.array](builder, [x, y]), rows, lambda x, y: np.array([x, y]))
    made = program(lambda builder, x, y: FUNCTIONS[np.array](builder, [x, y]), rows)
    with pytest.raises(ValueError, match="different lengths"):
        run(made, normal(3), normal(1))


def test_evenly_spaced() -> None:
    check(call(np.linspace, num=5), [1.5, 2.5], lambda a, b: np.linspace(a, b, 5))
    check(call(np.linspace), [1.5, 2.5, 4], np.linspace)
    check(call(np.linspace), [1.5, 2.5, 1], np.linspace)
    check(call(np.linspace, num=5, endpoint=False), [1.5, 2.5], lambda a, b: np.linspace(a, b, 5, endpoint=False))
    check(call(np.arange), [1.52, 2.5, 0.3], np.arange)
    check(call(np.arange), [5], np.arange)
    check(call(np.arange), [2, 12, 3], np.arange)
    check(lambda builder, x: FUNCTIONS[np.full](builder, (2, 3), x), [0.7], lambda x: np.full((2, 3), x))


@pytest.mark.parametrize("dtype", [float, "f4", np.float32, np.dtype("f8"), int, np.int32, bool])
def test_dtypes(dtype: Any) -> None:
    for function in (np.zeros, np.ones):
        made = program(lambda builder, n, f=function: FUNCTIONS[f](builder, (n, 2), dtype=dtype), [3])
        (got,) = run(made, 3)
        np.testing.assert_array_equal(got, function((3, 2), dtype))
        assert got.dtype == np.dtype(dtype)
    (eye,) = run(program(lambda builder, n: FUNCTIONS[np.eye](builder, n, dtype=dtype), [3]), 3)
    np.testing.assert_array_equal(eye, np.eye(3, dtype=dtype))


@pytest.mark.parametrize("function", [np.sum, np.mean, np.max, np.prod, np.cumsum, np.linalg.norm, np.std])
def test_single_precision(function: Any) -> None:
    x = normal(4).astype("f4")
    made = program(call(function), [x])
    (y,) = run(made, x)
    y_bar = np.ones_like(y) if np.ndim(y) else np.float32(1)
    _, bar = run(reverse(made, frozenset({0})), x, y_bar)
    assert np.asarray(y).dtype == bar.dtype == np.float32


# ---- what is refused

REFUSED = [
    lambda b, x: FUNCTIONS[np.sum](b, x, axis=2),
    lambda b, x: FUNCTIONS[np.sum](b, x, axis=(0, 0)),
    lambda b, x: FUNCTIONS[np.quantile](b, x, x),
    lambda b, x: FUNCTIONS[np.max](b, x, where=x),
    lambda b, x: FUNCTIONS[np.average](b, x, weights=[1.0, 2.0]),
    lambda b, x: FUNCTIONS[np.argmax](b, x, axis=(0, 1)),
    lambda b, x: FUNCTIONS[np.diff](b, x, -1),
    lambda b, x: FUNCTIONS[np.quantile](b, x, 0.5, method="lower"),
    lambda b, x: FUNCTIONS[np.diff](b, x, prepend=x),
    lambda b, x: FUNCTIONS[np.zeros](b, (2,), dtype="f2"),
    lambda b, x: FUNCTIONS[np.zeros](b, (2,), dtype="?x"),
    lambda b, x: FUNCTIONS[np.zeros](b, (2.5,)),
    lambda b, x: METHODS["reshape"](b, x, -1, -1),
    lambda b, x: FUNCTIONS[np.sum](b, x, out=x),
    lambda b, x: FUNCTIONS[np.array](b, [[1.0, 2.0], [3.0]]),
    lambda b, x: FUNCTIONS[np.matmul](b, x, 2.0),
    lambda b, x: FUNCTIONS[np.squeeze](b, x),
]


@pytest.mark.parametrize("make", REFUSED)
def test_refused(make: Callable[..., Val]) -> None:
    with pytest.raises(UnsupportedError):
        program(make, [normal((2, 3))])
