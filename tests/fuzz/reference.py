"""What a program should give: nested dual numbers on its own text (`tests.oracle`), with what else NumPy can do, and
with the distance to the nearest kink."""

from __future__ import annotations

import copy
import math
import operator
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests import duals, oracle
from tests.duals import F, array, plain, prim
from tests.fuzz import inside
from tests.fuzz.programs import Fuzzed

KINK, KINK_SINGLE = 1e-6, 2e-3
LARGEST = 1e5


class Dropped(Exception):
    """The program says nothing about srcgrad; the reason."""


@dataclass
class Expected:
    """Derivatives along directions: of every leaf of the arguments' floats (d, v), with weights of the results (w)."""

    x: list[Any]
    plain: list[Any]
    table: dict[oracle.Path, list[Any]]
    d: list[Any]
    v: list[Any]

    def floats(self, *path: int) -> list[Any]:
        leaves = self.table[frozenset(path)]
        return [np.asarray(y, float) for y, known in zip(leaves, self.plain, strict=True) if oracle.is_float(known)]


# ---- NumPy on arrays of duals


def std(x: Any, axis: Any = None) -> Any:
    return F["sqrt"](var(x, axis))


def var(x: Any, axis: Any = None) -> Any:
    x = array(np.asarray(x))
    centred = x - np.mean(x, axis=axis, keepdims=True)
    return np.mean(centred * centred, axis=axis)


def norm(x: Any, axis: Any = None) -> Any:
    squares = np.sum(array(np.asarray(x)) ** 2, axis=axis)
    for s in np.ravel(np.asarray(squares, dtype=object)):
        duals.near(s)
    return F["sqrt"](squares)


def solve(a: Any, b: Any) -> Any:
    """Gauss and Jordan, with pivots of the largest value."""
    a, b = plain(a).astype(object), plain(b).astype(object)
    n = len(a)
    for k in range(n):
        p = k + max(range(n - k), key=lambda i: abs(float(prim(a[k + i, k]))))
        a[[k, p]], b[[k, p]] = a[[p, k]], b[[p, k]]
        a[k], b[k] = a[k] / a[k, k], b[k] / a[k, k]
        for i in range(n):
            if i != k:
                a[i], b[i] = a[i] - a[i, k] * a[k], b[i] - a[i, k] * b[k]
    return array(b)


def contiguous(x: Any) -> Any:
    return array(np.ascontiguousarray(plain(x)))


class Ufunc:
    """np.add and its like, with `out` and `at`."""

    def __init__(self, operation: Callable[[Any, Any], Any]) -> None:
        self.operation = operation

    def __call__(self, p: Any, q: Any, out: Any = None) -> Any:
        return into(out, self.operation(p, q))

    def at(self, a: Any, places: Any, values: Any) -> None:
        for k, place in enumerate(plain(places)):
            a[place] = self.operation(a[place], values[k] if isinstance(values, np.ndarray) else values)


LINALG = oracle.Namespace(np.linalg, {"norm": norm, "solve": solve})
MORE = {
    "linalg": LINALG,
    "std": std,
    "var": var,
    "ascontiguousarray": contiguous,
    "multiply": Ufunc(operator.mul),
    "add": Ufunc(operator.add),
    "subtract": Ufunc(operator.sub),
}
NP = oracle.Namespace(np, F | oracle.CREATION | MORE)


def into(out: Any, value: Any) -> Any:
    if out is None:
        return value
    out[...] = value
    return out


# ---- one program


@contextmanager
def watched() -> Iterator[list[float]]:
    """The least distance to a kink, in a list of one."""
    least = [math.inf]

    def watch(distance: float) -> None:
        least[0] = min(least[0], distance)

    duals.WATCH.append(watch)
    try:
        yield least
    finally:
        duals.WATCH.remove(watch)


@contextmanager
def limited(seconds: float, error: type[BaseException] = TimeoutError) -> Iterator[None]:
    """What shrinking makes of a program may run without end. Counted is the process's own time."""

    def stop(*_: Any) -> None:
        raise error

    old = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, old)


def run_plain(p: Fuzzed) -> list[Any]:
    """The leaves of what the program gives; Dropped if it is no valid program."""
    with np.errstate(all="ignore", over="raise"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with limited(5.0):
                return list(oracle.leaves(copy.deepcopy(p.fun()(*p.fresh_args()))))
        except FloatingPointError as error:  # 0 times infinity, in reverse mode
            raise Dropped("wild values on the way") from error
        except Exception as error:  # it is no valid program, or one that raises
            raise Dropped(f"invalid: {type(error).__name__}") from error


def directions(leaves: Sequence[Any], rng: np.random.Generator) -> list[Any]:
    """A random direction for each float leaf."""
    floats = [p for p in leaves if oracle.is_float(p)]
    return [rng.standard_normal(np.shape(p)) if isinstance(p, np.ndarray) else rng.standard_normal() for p in floats]


def expected(p: Fuzzed) -> Expected:
    """The value and both derivatives; Dropped near a kink, where values are wild, or where NumPy itself is not sure."""
    values = run_plain(p)
    if not any(oracle.is_float(y) for y in values):
        raise Dropped("no float result")
    x = list(oracle.leaves(p.args))
    rng = np.random.default_rng(5)
    d, v = directions(x, rng), directions(x, rng)
    with watched() as least, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            others = {np: NP, np.ascontiguousarray: contiguous, **inside.REFERENCE}
            table = oracle.evaluate(p.fun(), p.fresh_args(), [d, v], others)
        except Exception as error:
            raise Dropped(f"the reference cannot run it: {type(error).__name__}: {error}") from error
    if least[0] < (KINK_SINGLE if p.single else KINK):
        raise Dropped("near a kink")
    result = Expected(x, values, table, d, v)
    check_tame(result, 1e-3 if p.single else 1e-9)
    return result


def check_tame(e: Expected, tolerance: float) -> None:
    for path in e.table:
        for y in e.floats(*path):
            if not np.all(np.isfinite(y)) or np.any(np.abs(y) > LARGEST):
                raise Dropped("wild values")
    for y, known in zip(e.floats(), [y for y in e.plain if oracle.is_float(y)], strict=True):
        if y.shape != np.shape(known) or not np.allclose(y, np.asarray(known, float), rtol=tolerance, atol=tolerance):
            raise Dropped("NumPy on floats and on objects differ")
