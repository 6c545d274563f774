"""What a function tells the world outside of it: records, counters, log entries, the time."""

from __future__ import annotations

import logging
import time
import warnings
from collections import deque

import numpy as np
import pytest

import srcgrad as sg

log = logging.getLogger("tests.records")
HISTORY: list[object] = []
RECENT: deque[float] = deque(maxlen=2)
SEEN: set[int] = set()
COUNTS: dict[str, float] = {"calls": 0, "last": 0.0}
CALLS = 0
LAST = 0.0


def recorded(x):
    for k in range(3):
        x = x - 0.1 * x * x
        HISTORY.append(x)
        HISTORY.append((k, 2 * x, f"{x:.2f}"))
    return x * x


def recorded_arrays(x):
    for _ in range(3):
        x = x * 1.5
        HISTORY.append(x)
    return np.sum(x**2)


def recorded_in_a_branch(x):
    while x < 10:
        if x > 3:
            RECENT.append(x)
            SEEN.add(int(x))
        x = x * 1.7
    return x


def counted(x):
    global CALLS, LAST
    CALLS += 1
    LAST = 3 * x
    COUNTS["calls"] += 1
    COUNTS["last"] = x * x
    return x**3


def helped(x):
    return counted(x) + counted(2 * x)


def state():
    return list(HISTORY), list(RECENT), sorted(SEEN), dict(COUNTS), CALLS, LAST


def reset():
    global CALLS, LAST
    HISTORY.clear()
    RECENT.clear()
    SEEN.clear()
    COUNTS.update(calls=0, last=0.0)
    CALLS, LAST = 0, 0.0


def same(a, b):
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return np.allclose(a, b, rtol=1e-14) if isinstance(a, (float, np.ndarray)) else a == b


POINTS = {recorded_arrays: np.array([0.4, 0.6])}
PROGRAMS = [recorded, recorded_arrays, recorded_in_a_branch, counted, helped]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("fun", PROGRAMS, ids=lambda f: f.__name__)
def test_what_is_recorded_is_what_python_records_once(fun, jit):
    point = POINTS.get(fun, 0.9)
    reset()
    fun(point)
    wanted = state()
    for kind in (sg.grad, sg.value_and_grad, sg.compiled):
        derivative = kind(fun, jit=jit, cache=False)
        for _ in range(2):
            reset()
            derivative(point)
            assert same(list(wanted), list(state())), kind


def test_its_derivatives():
    reset()
    assert np.isclose(sg.grad(counted, jit=False)(2.0), 12.0)
    assert np.isclose(sg.grad(sg.grad(counted), jit=False)(2.0), 12.0)
    assert np.isclose(sg.jvp(counted, (2.0,), (1.0,), jit=False)[1], 12.0)


@pytest.mark.parametrize("jit", [False, True])
def test_log_entries_pass_through(jit, caplog):
    def logged(x):
        log.debug("x is %.2f", x)
        if x > 1:
            log.warning(f"{x:.1f} is large")
        warnings.warn("once", stacklevel=1)
        return x * x

    with caplog.at_level(logging.DEBUG, "tests.records"), pytest.warns(UserWarning, match="once"):
        assert sg.grad(logged, jit=jit)(2.0) == 4.0
    assert [r.getMessage() for r in caplog.records] == ["x is 2.00", "2.0 is large"]


@pytest.mark.parametrize("jit", [False, True])
def test_the_time_is_read_where_it_stands(jit):
    def timed(x):
        start = time.perf_counter()
        total = 0.0
        for k in range(1000):
            total += np.sin(x * k)
        HISTORY.append(time.perf_counter() - start)
        return total + (time.time() - time.time()) * x

    reset()
    sg.grad(timed, jit=jit)(0.3)
    assert len(HISTORY) == 1
    assert 0 < HISTORY[0] < 60


def flows_back(x):
    HISTORY.append(x)
    return HISTORY[-1] * x


def counter_read(x):
    global CALLS
    CALLS += 1
    return x * CALLS


def read_in_a_helper(x):
    COUNTS["calls"] += 1
    return x * reads()


def reads():
    return COUNTS["calls"]


def local_list():
    kept = []

    def closed(x):
        kept.append(x)
        return x

    return closed


def of_a_dict(x):
    HISTORY.append({"x": x})
    return x


@pytest.mark.parametrize(
    ("fun", "hint"),
    [
        (flows_back, "return the value"),
        (counter_read, "return the value"),
        (read_in_a_helper, "return the value"),
        (local_list(), "module"),
        (of_a_dict, "tuples"),
    ],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_what_is_refused_says_what_to_write(fun, hint):
    with pytest.raises(sg.SrcgradError, match=hint):
        sg.grad(fun, jit=False)(1.5)
