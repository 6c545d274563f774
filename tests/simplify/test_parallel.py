"""Loops over `prange`: which stay parallel in derivatives, and that the order of their turns does not matter.

Generated modules are run as plain Python with a `prange` that goes over its turns in another order.
"""

from __future__ import annotations

import ast
import math
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numba
import numpy as np
import pytest
from numba import prange

from srcgrad import forward, grad, hvp, jacfwd, value_and_grad, vmap
from srcgrad.backend import shim
from srcgrad.compiler import program as pipeline
from srcgrad.compiler import to_source

rng = np.random.default_rng(5)
X, Y, A = rng.normal(size=40), rng.normal(size=41), rng.normal(size=(12, 5))
PLACES = rng.integers(0, 40, 300)


class Turns:
    """The turn of a parallel loop that is being made, and which turns have read or written each place of memory."""

    now: int | None = None
    read: ClassVar[dict[tuple[int, int], set[int]]] = {}
    written: ClassVar[dict[tuple[int, int], set[int]]] = {}

    @classmethod
    def note(cls, array: Watched, index: Any, writes: bool) -> None:
        if cls.now is None or array.places is None:
            return
        log = cls.written if writes else cls.read
        for place in np.atleast_1d(array.places[index]).flat:
            log.setdefault((array.home, int(place)), set()).add(cls.now)

    @classmethod
    def made(cls, *bounds: int) -> Iterator[int]:
        """`prange`, in another order; no two turns may meet."""
        turns = list(range(*bounds))
        random.Random(len(turns)).shuffle(turns)
        cls.read, cls.written = {}, {}
        for cls.now in turns:
            yield cls.now
        cls.now = None
        for place, writers in cls.written.items():
            assert len(writers | cls.read.get(place, set())) == 1, f"turns {writers} meet"


class Watched(np.ndarray):
    """Memory of generated code that tells `Turns` of the elements that are read and written."""

    places: np.ndarray | None = None
    home: int = 0

    def __getitem__(self, index: Any) -> Any:
        out = super().__getitem__(index)
        if isinstance(out, Watched) and self.places is not None:
            out.places, out.home = self.places[index], self.home
        else:
            Turns.note(self, index, False)
        return out

    def __setitem__(self, index: Any, value: Any) -> None:
        Turns.note(self, index, True)
        super().__setitem__(index, value)


class Memory:
    """NumPy, whose new arrays are watched."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        if name not in ("zeros", "empty", "full", "zeros_like", "empty_like"):
            return found

        def make(*args: Any, **kwargs: Any) -> Any:
            array = found(*args, **kwargs).view(Watched)
            array.places, array.home = np.arange(array.size).reshape(array.shape), id(array)
            KEPT.append(array)
            return array

        return make


KEPT: list[Watched] = []  # so that no two have one id


def run_shuffled(source: str, args: tuple[Any, ...]) -> Any:
    """The function of a generated module, its parallel loops in another order, and looked at for turns that meet."""
    namespace: dict[str, Any] = {}
    exec(compile(source, "generated", "exec"), namespace)
    namespace |= {"prange": Turns.made, "math": shim.math_shim(), "np": Memory()}
    name = re.findall(r"^def (\w+)\(", source, re.MULTILINE)[0]
    KEPT.clear()
    return shim.interpreted(namespace[name])(*args)


def test_turns_that_meet_are_seen() -> None:
    source = "import numpy as np\ndef f(n):\n    y = np.zeros(n)\n    for i in prange(n):\n        y[i // 2] += 1.0\n"
    with pytest.raises(AssertionError, match="meet"):
        run_shuffled(source, (4,))
    run_shuffled(source.replace("i // 2", "i"), (4,))


def loops_in(source: str) -> int:
    """How many parallel loops there are."""
    return len(re.findall(r"^ *for \w+ in prange\(", source, re.MULTILINE))


def map_reduce(x: np.ndarray, w: float) -> float:
    total = 0.0
    for i in prange(len(x)):
        total += math.sin(x[i]) * w
    return total


def sum_in_steps(x: np.ndarray, w: float) -> float:
    total, count = 0.0, 0
    for i in prange(1, len(x) - 1):
        total += x[i - 1] * w
        if x[i] > 0.0:
            total -= x[i] ** 2
            count += 1
        for k in range(3):
            total += math.exp(x[i + 1]) * k
    return total / (1 + count)


def elements(x: np.ndarray, w: float) -> float:
    y = np.zeros(len(x))
    for i in prange(len(x)):
        y[i] = math.exp(x[i]) * w
        y[i] = y[i] * y[i]
    return float(y.sum())


def stencil(x: np.ndarray, w: float) -> float:
    y = np.zeros(len(x))
    for i in prange(1, len(x) - 1):
        y[i] = w * x[i - 1] * x[i + 1] - x[i] ** 2
    return float((y * y).sum())


def time_steps(x: np.ndarray, w: float) -> float:
    u = x.copy()
    for _ in range(4):
        new = u.copy()
        for i in prange(1, len(x) - 1):
            new[i] = u[i] + w * (u[i - 1] - 2.0 * u[i] + u[i + 1]) * u[i]
        u = new
    return float((u * u).sum())


def wide_stencil(x: np.ndarray, w: float) -> float:
    y = np.zeros(len(x))
    for i in prange(3, len(x) - 2):
        y[i] = w * x[i - 3] * x[i + 2] + x[i] * x[i - 1]
    return float((y * y).sum())


def every_second(x: np.ndarray, w: float) -> float:
    y = np.zeros(len(x) // 2 - 2)
    for i in prange(len(y)):
        y[i] = w * x[2 * i] * x[2 * i + 1] + x[2 * i + 4] ** 2
    return float((y**3).sum())


def heat(a: np.ndarray, w: float) -> float:
    u = a.copy()
    new = a.copy()
    for _ in range(3):
        for i in prange(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                new[i, j] = u[i, j] + w * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] * u[i, j + 1] - 4.0 * u[i, j])
        u, new = new, u
    return float((u * u).sum())


def even_and_odd(x: np.ndarray, w: float) -> float:
    y = np.zeros(2 * len(x))
    for i in prange(len(x)):
        y[2 * i] = x[i] * w
        y[2 * i + 1] = math.cos(x[i])
    return float((y**3).sum())


def rows(a: np.ndarray, w: float) -> float:
    out = np.zeros(a.shape[0])
    for i in prange(a.shape[0]):
        row = a[i]
        scratch = np.zeros(3)
        for j in range(a.shape[1]):
            scratch[j % 3] += row[j] * math.sin(row[j] * w)
        out[i] = scratch[0] * scratch[1] + scratch[2]
    return float(out.sum())


def column_sums(a: np.ndarray, w: float) -> float:
    out = np.zeros(a.shape[0])
    for i in prange(a.shape[0]):
        for j in range(a.shape[1]):
            out[i] += a[i, j] * a[0, j] * w
    return float((out**2).sum())


def forces(p: np.ndarray, w: float) -> float:
    n = len(p)
    f = np.zeros((n, 3))
    for i in prange(n):
        for j in range(n):
            d = w
            for k in range(3):
                d += (p[j, k] - p[i, k]) ** 2
            for k in range(3):
                f[i, k] += (p[j, k] - p[i, k]) / (d * math.sqrt(d))
    return float((f**2).sum())


def gather(x: np.ndarray, places: np.ndarray) -> float:
    y = np.zeros(len(places))
    for i in prange(len(places)):
        y[i] = x[places[i]] ** 2 * i
    return float(y.sum())


def index_as_number(x: np.ndarray, w: float) -> float:
    total = 0.0
    for i in prange(len(x)):
        best = -i if x[i] > 0.0 else i * i
        total += best * x[i] ** 2 * w
    return total


def newton_each(x: np.ndarray, w: float) -> float:
    out = np.zeros(len(x))
    for i in prange(len(x)):
        t = 1.0
        while abs(t * t - x[i] ** 2 - w) > 1e-12:
            t = 0.5 * (t + (x[i] ** 2 + w) / t)
        out[i] = t
    return float(out.sum())


def nested(a: np.ndarray, w: float) -> float:
    total = 0.0
    for i in prange(a.shape[0]):
        part = 0.0
        for j in prange(a.shape[1]):
            part += a[i, j] ** 2 * w
        total += math.sqrt(part)
    return total


# (function, arguments, parallel loops of its value and gradient)
PARALLEL = [
    (map_reduce, (X, 1.3), 2),
    (sum_in_steps, (X, 1.3), 2),
    (elements, (X, 1.3), 2),
    (stencil, (X, 1.3), 2),
    (time_steps, (X, 0.1), 2),
    (wide_stencil, (X, 1.3), 2),
    (every_second, (X, 1.3), 2),
    (heat, (A, 0.1), 2),
    (even_and_odd, (X, 1.3), 2),
    (rows, (A, 1.3), 2),
    (column_sums, (A, 1.3), 2),
    (forces, (A[:, :3].copy(), 0.5), 2),
    (gather, (X, PLACES), 2),
    (index_as_number, (X, 1.3), 2),
    (newton_each, (X, 1.3), 2),
    (nested, (A, 1.3), 2),
]


@pytest.mark.parametrize(("fun", "args", "loops"), PARALLEL, ids=lambda v: getattr(v, "__name__", ""))
def test_turns_of_parallel_loops_commute(fun: Callable[..., Any], args: tuple[Any, ...], loops: int) -> None:
    argnums = (0, 1) if isinstance(args[1], float) else (0,)
    plain = value_and_grad(fun, argnums, jit=False, parallel=False)
    value, bars = plain(*args)
    assert "prange" not in plain.source
    made = value_and_grad(fun, argnums, jit=False, parallel=True)
    source = made.source_for(*args)
    print(source)
    assert loops_in(source) == loops
    # Numba calls the second value of `x` beside a parallel loop `x_2`, and does not compile where that is taken
    names = {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)}
    assert [n for n in names if re.sub(r"_\d+$", "", n) in names - {n}] == []
    got = run_shuffled(source, args)
    np.testing.assert_allclose(got[0], value, rtol=1e-12)
    for mine, bar in zip(got[1:], bars, strict=True):
        np.testing.assert_allclose(mine, bar, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("fun", "args"), [p[:2] for p in PARALLEL], ids=lambda v: getattr(v, "__name__", ""))
def test_tangents_and_second_derivatives(fun: Callable[..., Any], args: tuple[Any, ...]) -> None:
    dot = rng.normal(size=args[0].shape)
    for transform, extra in ((forward, dot), (hvp, dot)):
        want = transform(fun, jit=False, parallel=False)(*args, extra)
        made = transform(fun, jit=False, parallel=True)
        source = made.source_for(*args, extra)
        got = run_shuffled(source, (*args, extra))
        np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-10)
        assert loops_in(source)


# ---- what runs one iteration after another


def prefix_sums(x: np.ndarray, w: float) -> float:
    y, total = np.zeros(len(x)), 0.0
    for i in prange(len(x)):
        total += x[i] * w
        y[i] = total * total
    return float(y.sum())


def product(x: np.ndarray, w: float) -> float:
    total = 1.0
    for i in prange(len(x)):
        total *= 1.0 + 0.1 * x[i] * w
    return total


def neighbour(x: np.ndarray, w: float) -> float:
    y = x.copy()
    for i in prange(1, len(x)):
        y[i] = y[i - 1] * w + x[i]
    return float(y.sum())


def one_scratch(x: np.ndarray, w: float) -> float:
    scratch = np.zeros(3)
    total = 0.0
    for i in prange(len(x)):
        for k in range(3):
            scratch[k] = x[i] * w + k
        for k in range(3):
            total += scratch[k] ** 2
    return total


def scattered(x: np.ndarray, places: np.ndarray) -> float:
    y = np.zeros(len(x))
    for i in prange(len(places)):
        y[places[i]] = x[i % len(x)]
    return float((y**2).sum())


def with_break(x: np.ndarray, w: float) -> float:
    total = 0.0
    for i in prange(len(x)):
        if total > w:
            break
        total += x[i] ** 2
    return total


def by_twos(x: np.ndarray, w: float) -> float:
    total = 0.0
    for i in prange(0, len(x), 2):
        total += x[i] ** 2 * w
    return total


def prints(x: np.ndarray, w: float) -> float:
    total = 0.0
    for i in prange(len(x)):
        total += x[i] * w
        if total > 1e9:
            print(total)
    return total


def wraps(x: np.ndarray, w: float) -> float:
    y = np.zeros(len(x))
    for i in prange(len(x)):
        y[i - 1] = x[i] * w
        y[i] += w
    return float((y**2).sum())


def raises_late(x: np.ndarray, w: float) -> float:
    total = 0.0
    for i in prange(len(x)):
        t = math.exp(x[i] * w)
        if t > 1e9:
            raise ValueError("too large")
        total += t
    return total


def solves(a: np.ndarray, w: float) -> float:
    total = 0.0
    for i in prange(len(a)):
        m = np.eye(20) + a[i, 0] * w
        total += np.linalg.inv(m)[0, 0]
    return total


def last_one(x: np.ndarray, w: float) -> float:
    t = 0.0
    for i in prange(len(x)):
        t = x[i] * w
    return t


def totals_change_places(x: np.ndarray, w: float) -> float:
    s, t = 0.0, 0.0
    for i in prange(len(x)):
        s, t = t + x[i] * w, s + x[i] ** 2
    return s - 2.0 * t


def one_total_or_the_other(x: np.ndarray, w: float) -> float:
    s, t = w, 2.0
    for i in prange(len(x)):
        if x[i] > 0.0:
            s, t = t + x[i], s
        else:
            s += x[i]
    return s * x[0] + 3.0 * t


def beside_a_list(x: np.ndarray, w: float) -> float:
    rows = []
    k = 0
    while k < len(x) and x[k] < 9.0:  # how many there will be, only the run tells
        row = np.zeros(2)
        rows.append(row)
        row[:] = x[k] * w
        k += 1
    total = 0.0
    for i in prange(len(x)):
        total += x[i] * w
    return total + rows[k - 1][0] ** 2


SERIAL = [
    (prefix_sums, (X, 1.3), "`total` is carried between iterations"),
    (product, (X, 1.3), "`total` is carried between iterations"),
    (neighbour, (X, 0.9), "iterations may meet in `y`"),
    (one_scratch, (X, 1.3), "iterations may meet in `scratch`"),
    (scattered, (X, PLACES), "iterations may meet in `y`"),
    (with_break, (X, 30.0), "it may be left before its end"),
    (by_twos, (X, 1.3), "its step is not 1"),
    (prints, (X, 1.3), "it prints"),
    (wraps, (X, 1.3), "iterations may meet in `y`"),
    (raises_late, (X, 1.3), "an iteration may raise an error, and numbers are summed"),
    (solves, (A, 0.01), "an iteration may raise an error, and numbers are summed"),
    (totals_change_places, (X, 1.3), "`s` is carried between iterations but is not a sum"),
    (one_total_or_the_other, (X, 1.3), "`s` is carried between iterations but is not a sum"),
    (last_one, (X, 1.3), "`t` is carried between iterations"),
    (beside_a_list, (X, 1.3), "the function has lists of arrays"),
]


@pytest.mark.parametrize(("fun", "args", "why"), SERIAL, ids=lambda v: getattr(v, "__name__", ""))
def test_what_is_no_parallel_loop_runs_in_order(fun: Callable[..., Any], args: tuple[Any, ...], why: str) -> None:
    plain = value_and_grad(fun, jit=False, parallel=False)
    made = value_and_grad(fun, jit=False, parallel=True)
    value, bar = made(*args)
    want = plain(*args)
    np.testing.assert_allclose(value, fun(*args), rtol=1e-12)
    np.testing.assert_array_equal(value, want[0])
    np.testing.assert_allclose(bar, want[1], rtol=1e-12)
    got = run_shuffled(made.source, args)
    np.testing.assert_allclose(got[1], bar, rtol=1e-9, atol=1e-12)
    program = pipeline.derive(fun, made._recipe, made.last_call()[0].specs).program
    said = to_source.scheduled(program, True).main.facts.parallel
    assert any(why in str(verdict) for verdict in said), said


def test_checks_go_in_front_of_a_parallel_loop() -> None:
    made = value_and_grad(gather, jit=False, parallel=True)
    source = made.source_for(X, PLACES)
    assert source.index("raise IndexError") < source.index("in prange(")
    with pytest.raises(IndexError, match="out of range"):
        made(X, np.array([0, 41]))


def roots_until(x: float, most: float) -> float:
    total = 0.0
    for k in range(30):
        total += math.sin(x * k) ** 2
        if total > most:
            raise ValueError(f"too much: {total}")
    return total


def test_turns_that_may_raise_become_a_function() -> None:
    made = vmap(grad(roots_until), in_axes=(0, None), jit=False)
    source = made.source_for(X, 100.0)
    assert loops_in(source) == 1 and "def roots_until_grad_vmap_turn_fails(" in source
    want = [grad(roots_until, jit=False)(x, 100.0) for x in X]
    np.testing.assert_allclose(run_shuffled(source, (X, 100.0)), want, rtol=1e-12)
    few = np.array([0.01, 0.02, 1.0, 0.03, 2.0])
    with pytest.raises(ValueError, match=r"too much: 4\.\d+") as first:
        made(few, 4.0)
    with pytest.raises(ValueError, match=re.escape(str(first.value))):
        roots_until(1.0, 4.0)


def test_maps_are_parallel_by_themselves() -> None:
    made = vmap(grad(rows), in_axes=(0, None), jit=False)
    many = rng.normal(size=(7, *A.shape))
    want = np.stack([grad(rows, jit=False)(a, 1.3) for a in many])
    np.testing.assert_allclose(made(many, 1.3), want, rtol=1e-12)
    assert loops_in(made.source) == 1
    np.testing.assert_allclose(run_shuffled(made.source, (many, 1.3)), want, rtol=1e-12)
    assert not loops_in(vmap(rows, in_axes=(0, None), jit=False, parallel=False).source_for(many, 1.3))


def test_a_parallel_dispatcher_has_parallel_derivatives() -> None:
    fun = numba.njit(parallel=True)(map_reduce)
    assert loops_in(grad(fun, jit=False).source_for(X, 1.3))
    assert loops_in(hvp(fun, jit=False).source_for(X, 1.3, X))
    assert loops_in(grad(grad(fun, 1), 1, jit=False).source_for(X, 1.3)) == 0  # nothing is left to do
    assert loops_in(jacfwd(grad(fun), jit=False).source_for(X, 1.3))
    assert not loops_in(grad(map_reduce, jit=False).source_for(X, 1.3))
    assert not loops_in(grad(fun, jit=False, parallel=False).source_for(X, 1.3))


def test_explain_tells_of_each_loop() -> None:
    text = value_and_grad(prefix_sums, jit=False, parallel=True).explain(X, 1.3)
    assert "the loop over `i` (line" in text
    assert "one iteration after another: `total` is carried between iterations" in text


# ---- arrays that are repeated: beside parallel loops Numba takes what meets for equally long, whatever a thread sees


def of_pieces(x, y, counts):
    out = np.empty(len(counts))
    for i in prange(len(counts)):
        out[i] = np.sum(x[: counts[i]] * y)
    return np.sum(out * out)


def softmax(x, w):
    e = np.exp(x - x.max())
    return np.sum(e / e.sum(axis=1, keepdims=True) * w)


def products_and_sum(x, y):
    return np.sum(x * y) + np.sum(y)


def test_pieces_that_may_have_one_element_meet_in_order() -> None:
    x, y, counts = rng.normal(size=4), rng.normal(size=3), np.array([3, 1, 3, 1])
    made = grad(of_pieces, (0, 1), parallel=True, jit=False)
    for bar, k in zip(made(x, y, counts), (0, 1), strict=True):
        step = 1e-6 * np.eye(len((x, y)[k]))
        moved = [[(x + s * d, y) if k == 0 else (x, y + s * d) for s in (1, -1)] for d in step]
        ends = [[of_pieces(first, second, counts) for first, second in pair] for pair in moved]
        np.testing.assert_allclose(bar, [(up - down) / 2e-6 for up, down in ends], rtol=1e-6)
    assert loops_in(made.source) == 0


def test_sums_that_keep_their_axis_are_mapped_in_order() -> None:
    many, w = rng.normal(size=(3, 2, 4)), rng.normal(size=(2, 4))
    made = vmap(grad(softmax), in_axes=(0, None), jit=False)
    np.testing.assert_allclose(made(many, w), [grad(softmax, jit=False)(x, w) for x in many], rtol=1e-12)
    assert loops_in(made.source) == 0


def test_maps_over_two_arrays_are_parallel_where_nothing_is_repeated() -> None:
    many, y, one = rng.normal(size=(5, 3)), rng.normal(size=3), np.array([1.5])
    made = vmap(grad(products_and_sum), in_axes=(0, None), jit=False)
    np.testing.assert_allclose(made(many, y), np.tile(y, (5, 1)))
    assert loops_in(made.source) == 1
    np.testing.assert_allclose(made(many, one), np.full((5, 3), 1.5))
    assert loops_in(made.source) == 0
