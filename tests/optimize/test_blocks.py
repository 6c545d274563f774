"""Solvers called from Python look in there: for Ctrl-C, for a callback, at the same results as in one go."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import srcgrad as sg
from srcgrad import gradient_descent, minimize, newton
from srcgrad.optimize import MESSAGES, blocks, running

STOPPED = MESSAGES[5]


def rosenbrock(x):
    return (1.0 - x[0]) ** 2 + 5.0 * (x[1] - x[0] ** 2) ** 2


def bowl(x, a):
    return np.sum((x - a) ** 2)


def root(x, a):
    return x * x - a


# ---- Ctrl-C: a real SIGINT to a process of its own

PROGRAM = """
import sys, time
import numpy as np
import srcgrad as sg

def slow(x, n):
    s = 0.0
    for i in range(n):
        s += np.sin(x[0] + 1e-3 * i)
    return 1e-9 * s + 1e-12 * (x[0] - 1e3) ** 2

def slow_root(x, n):
    s = 0.0
    for i in range(n):
        s += np.sin(x * x + i)
    return x * x + 1.0 + 1e-12 * s

def slow_number(x, n):
    return slow_root(x, n)

def solve(maxiter):
    {solve}

solve(1)
solve(3)
print("ready", flush=True)
try:
    solve(10**9)
except KeyboardInterrupt:
    print("stopped", flush=True)
solve(2)
print("again", flush=True)
"""

LONG = {
    "newton": "sg.newton(slow_root, 1.3, (20_000,), tol=0.0, maxiter=maxiter)",
    "descent": "sg.gradient_descent(slow, np.ones(2), (20_000,), lr=1e-9, maxiter=maxiter)",
    "momentum": "sg.gradient_descent(slow, np.ones(2), (20_000,), lr=1e-9, momentum=0.5, maxiter=maxiter)",
    "adam": "sg.minimize(slow, np.ones(2), (20_000,), method='adam', lr=1e-9, tol=0.0, maxiter=maxiter)",
    "batch": "sg.gradient_descent(slow_number, np.ones(min(maxiter, 10**6)), (2_000,), lr=1e-9, maxiter=9, batch=True)",
}


@pytest.mark.parametrize("name", LONG)
def test_interrupt(name, tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.replace("{solve}", LONG[name]))
    child = subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "ready\n"
        time.sleep(1.0)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "stopped\n"
        assert time.monotonic() - sent < 2.0  # a second, and another one for a machine with much to do
        assert child.stdout.readline() == "again\n"
        assert child.wait(timeout=60) == 0
    finally:
        child.kill()
        child.stdout.close()


# ---- blocks change nothing


@pytest.fixture
def small(monkeypatch):
    """Blocks of at most three turns, whatever these take."""

    class Small(blocks.Pace):
        def took(self, turns, seconds):
            self.block = 1 + self.block % 3

    monkeypatch.setattr(running, "Pace", Small)


CASES = [
    (newton, root, 3.0, (2.0,), {}),
    (newton, root, np.array([3.0, 1.0]), (np.array([2.0, 5.0]),), {}),
    (newton, lambda x, a: x * x + a, 3.0, (2.0,), {"maxiter": 10}),
    (gradient_descent, bowl, 3.0, (2.0,), {"lr": 0.1, "maxiter": 20}),
    (gradient_descent, bowl, np.zeros((2, 2)), (2.0,), {"lr": 0.1, "maxiter": 20, "momentum": 0.5, "tol": 1e-2}),
    (gradient_descent, lambda x, a: np.sum(a * x**4), np.full(2, 5.0), (2.0,), {"lr": 1.0, "tol": 1e-3}),
    (minimize, bowl, np.zeros(2), (1.0,), {"method": "adam", "lr": 0.1, "maxiter": 25}),
    *(
        (minimize, lambda x, a: rosenbrock(x * a), np.array([-1.2, 1.0]), (1.1,), {"method": m})
        for m in ("newton", "bfgs", "lbfgs")
    ),
    (minimize, lambda x, a: rosenbrock(x * a), np.array([-1.2, 1.0]), (1.1,), {"method": "bfgs", "maxiter": 7}),
]


@pytest.mark.parametrize(("solve", "fun", "x0", "args", "options"), CASES)
def test_as_in_one_go(solve, fun, x0, args, options, small):
    """In blocks, with and without history, and in one go (from compiled code's loop, run as it is)."""
    got = solve(fun, x0, args, jit=False, history=True, **options)
    batch = solve(fun, np.stack([x0, x0]), args, batch=True, jit=False, **options)
    for name in ("x", "fun", "nit", "success", "message", "nfev"):
        np.testing.assert_array_equal(getattr(got, name), getattr(batch, name)[0], err_msg=name)
    plain = solve(fun, x0, args, jit=False, **options)
    np.testing.assert_array_equal(plain.x, got.x)
    assert got.history.shape == (got.nit + 1,)
    if solve is not newton:
        assert got.history[-1] == got.fun or np.isnan(got.fun)
        again = [solve(fun, x0, args, jit=False, **{**options, "maxiter": n}).fun for n in range(min(got.nit, 4))]
        np.testing.assert_array_equal(got.history[: len(again)], again)


def test_a_batch_in_groups(small):
    starts = np.linspace(1.0, 3.0, 11)
    got = newton(root, starts, (2.0,), batch=True, jit=False)
    each = [newton(root, s, (2.0,), jit=False) for s in starts]
    assert got.x.tolist() == [r.x for r in each] and got.message.tolist() == [r.message for r in each]


def test_short_solves_are_one_call(monkeypatch):
    """Once the time that a turn takes is known."""
    for _ in range(3):
        newton(root, 1.5, (2.0,))
    calls = []
    monkeypatch.setattr(blocks.time, "perf_counter", lambda: calls.append(1) or 0.0)
    assert newton(root, 1.5, (2.0,)).success and not calls


def test_data_of_another_size_begin_with_a_short_block():
    turns = {}
    pace = blocks.Pace(turns, blocks.amount((np.zeros(10), 3)))
    pace.took(10, 1e-6)
    assert pace.block == 16
    assert blocks.Pace(turns, blocks.amount((np.zeros(10), 3))).block > 1000
    for more in ((np.zeros(1000), 3), (np.zeros(10), 5000), (np.zeros(10), 3, [np.zeros(100)]), ({"a": np.zeros(99)},)):
        assert blocks.Pace(turns, blocks.amount(more)).block == 1


@pytest.mark.parametrize(("seconds", "block"), [(10.0, 1), (0.25, 4), (0.1, 10), (1e-6, 64)])
def test_a_block_takes_a_quarter_of_a_second(seconds, block):
    pace = blocks.Pace({}, 0)
    pace.block = 4
    pace.took(4, seconds)
    assert pace.block == block


# ---- the callback


@pytest.mark.parametrize(("solve", "fun", "x0", "args", "options"), CASES)
def test_callback_every(solve, fun, x0, args, options):
    seen = []

    def look(x, value, nit):
        seen.append((nit, np.array(x), value))
        if isinstance(x, np.ndarray):
            x[...] = np.nan  # a copy

    got = solve(fun, x0, args, jit=False, callback=look, callback_every=2, **options)
    plain = solve(fun, x0, args, jit=False, **options)
    np.testing.assert_array_equal(got.x, plain.x)
    assert got[2:] == plain[2:]
    steps = [nit for nit, _, _ in seen]
    assert steps == list(range(2, got.nit + 1, 2))
    for nit, x, value in seen[:3]:
        then = solve(fun, x0, args, jit=False, **{**options, "maxiter": nit})
        np.testing.assert_array_equal(x, then.x)
        np.testing.assert_array_equal(value, then.fun)


def test_callback_once_a_second(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(blocks.time, "monotonic", lambda: now[0])
    seen = []

    def tick(x, value, nit):
        seen.append(now[0])

    watch = blocks.Watch(tick, None, 0.0)
    for k in range(50):
        now[0] = 0.1 * k
        watch.goes_on(1.0, 2.0, k)
    assert len(seen) == 4 and min(np.diff(seen)) >= 1.0


@pytest.mark.parametrize(("solve", "fun", "x0", "args", "options"), CASES)
def test_callback_that_stops(solve, fun, x0, args, options):
    def stop(x, value, nit):
        raise StopIteration

    got = solve(fun, x0, args, jit=False, callback=stop, callback_every=2, **options)
    assert (got.nit, got.success, got.message) == (2, False, STOPPED)


def test_callback_that_fails():
    def fail(x, value, nit):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        newton(root, 3.0, (2.0,), jit=False, callback=fail, callback_every=1)


def test_refused():
    with pytest.raises(sg.ArgumentError, match="callback=3 is not a function"):
        newton(root, 3.0, (2.0,), jit=False, callback=3)
    with pytest.raises(sg.ArgumentError, match="without a callback"):
        newton(root, 3.0, (2.0,), jit=False, callback_every=3)
    with pytest.raises(sg.ArgumentError, match="callback_every=0 is not an integer from 1"):
        newton(root, 3.0, (2.0,), jit=False, callback=print, callback_every=0)
    with pytest.raises(sg.UnsupportedError, match="a batch has no callback"):
        newton(root, np.ones(3), (2.0,), jit=False, callback=print, batch=True)
    with pytest.raises(sg.UnsupportedError, match="a solver has no callback"):
        sg.grad(lambda a: sg.newton(root, 3.0, (a,), callback_every=2).x, jit=False)(2.0)
