"""Loops with derivatives in them: five Newton steps on x = cos x, and 1,000 descent steps on the Rosenbrock function.

    python tests/benchmarks/newton.py

Each line is the median of interleaved runs: compiled loops in CPU time; beside PyTorch's and JAX's, if they are
installed, in elapsed time.
"""

from __future__ import annotations

import importlib.util
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

import srcgrad as sg
from tests.benchmarks.timing import interleaved, table

STEPS, RATE = 1000, 0.01
START = np.array([-1.0, 1.0])
OPTIONS = {"nogil": True, "error_model": "numpy"}


def f(x):
    return x - math.cos(x)


f_compiled = numba.njit(**OPTIONS)(f)
f_grad = sg.grad(f)
f_value_and_grad = sg.value_and_grad(f)


@numba.njit(**OPTIONS)
def hand_slope(x):
    return 1.0 + math.sin(x)


@numba.njit(**OPTIONS)
def newton_by_hand(x):
    for _ in range(5):
        x = x - f_compiled(x) / hand_slope(x)
    return x


@numba.njit(**OPTIONS)
def newton_generated(x):
    for _ in range(5):
        x = x - f_compiled(x) / f_grad(x)
    return x


@numba.njit(**OPTIONS)
def newton_value_and_grad(x):
    for _ in range(5):
        y, slope = f_value_and_grad(x)
        x = x - y / slope
    return x


def many(solve: Callable[[float], float]) -> Callable[[], float]:
    """1,000 solves in compiled code: the loop without the call from Python."""

    @numba.njit(**OPTIONS)
    def loop(starts):
        s = 0.0
        for i in range(len(starts)):
            s += solve(starts[i])
        return s

    starts = np.linspace(0.5, 1.5, 1000)
    return lambda: loop(starts)


def rosenbrock(x):
    return (1.0 - x[0]) ** 2 + 5.0 * (x[1] - x[0] ** 2) ** 2


rosenbrock_grad = sg.grad(rosenbrock)


@numba.njit(**OPTIONS)
def hand_gradient(x):
    inner = x[1] - x[0] ** 2
    return np.array([-2.0 * (1.0 - x[0]) - 20.0 * x[0] * inner, 10.0 * inner])


@numba.njit(**OPTIONS)
def descent_by_hand(x0):
    x = x0.copy()
    for _ in range(STEPS):
        inner = x[1] - x[0] ** 2
        first, second = -2.0 * (1.0 - x[0]) - 20.0 * x[0] * inner, 10.0 * inner
        x[0] -= RATE * first
        x[1] -= RATE * second
    return x


def descent(gradient: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    @numba.njit(**OPTIONS)
    def loop(x0):
        x = x0.copy()
        for _ in range(STEPS):
            g = gradient(x)
            for i in range(len(x)):
                x[i] -= RATE * g[i]
        return x

    return loop


def torch_newton() -> Callable[[], object]:
    import torch

    def run() -> object:
        x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
        for _ in range(5):
            y = x - torch.cos(x)
            (slope,) = torch.autograd.grad(y, x)
            x = (x - y / slope).detach().requires_grad_()
        return x.item()

    return run


def torch_descent() -> Callable[[], object]:
    import torch

    def run() -> object:
        x = torch.tensor(START, requires_grad=True)
        for _ in range(STEPS):
            y = (1.0 - x[0]) ** 2 + 5.0 * (x[1] - x[0] ** 2) ** 2
            (g,) = torch.autograd.grad(y, x)
            with torch.no_grad():
                x -= RATE * g
        return x.detach().numpy()

    return run


def jax_newton() -> dict[str, Callable[[], object]]:
    import jax

    jax.config.update("jax_enable_x64", True)

    def g(x):
        return x - jax.numpy.cos(x)

    def step(x):
        y, slope = jax.value_and_grad(g)(x)
        return x - y / slope

    whole = jax.jit(lambda x: jax.lax.fori_loop(0, 5, lambda _, y: step(y), x))
    once = jax.jit(step)

    def stepwise() -> object:
        x = 1.0
        for _ in range(5):
            x = once(x)
        return x.block_until_ready()

    return {"JAX, whole loop jitted": lambda: whole(1.0).block_until_ready(), "JAX, jitted steps": stepwise}


def jax_descent() -> dict[str, Callable[[], object]]:
    import jax

    jax.config.update("jax_enable_x64", True)
    step = jax.grad(lambda x: (1.0 - x[0]) ** 2 + 5.0 * (x[1] - x[0] ** 2) ** 2)
    whole = jax.jit(lambda x: jax.lax.fori_loop(0, STEPS, lambda _, y: y - RATE * step(y), x))
    return {"JAX, whole loop jitted": lambda: whole(START).block_until_ready()}


def installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def compare(title: str, calls: dict[str, Callable[[], object]], peers: dict[str, Callable[[], object]]) -> None:
    baseline = next(iter(calls))
    print(table(f"{title}: CPU time", interleaved(calls), baseline))
    if peers:
        everything = interleaved({**calls, **peers}, rounds=51, clock=time.perf_counter)
        print(table(f"{title}: elapsed time", everything, baseline))


def newton_from_python() -> None:
    calls: dict[str, Callable[[], object]] = {
        "hand-written derivative, compiled loop": lambda: newton_by_hand(1.0),
        "grad(f) in the same loop": lambda: newton_generated(1.0),
        "value_and_grad(f) in the same loop": lambda: newton_value_and_grad(1.0),
        "srcgrad.newton": lambda: sg.newton(f, 1.0, tol=0.0, maxiter=5),
    }
    peers = {"PyTorch": torch_newton()} if installed("torch") else {}
    peers |= jax_newton() if installed("jax") else {}
    for name, call in (calls | peers).items():
        result = call()
        assert abs(float(getattr(result, "x", result)) - 0.7390851332151607) < 1e-12, name
    compare("Newton on x = cos x, 5 steps, called from Python", calls, peers)


def newton_inside_a_loop() -> None:
    calls = {
        "hand-written derivative": many(newton_by_hand),
        "grad(f)": many(newton_generated),
        "value_and_grad(f)": many(newton_value_and_grad),
    }
    compare("1,000 such solves inside compiled code", calls, {})


def descent_from_python() -> None:
    by_function, generated = descent(hand_gradient), descent(rosenbrock_grad)
    calls: dict[str, Callable[[], object]] = {
        "hand-written gradient, written into the loop": lambda: descent_by_hand(START),
        "hand-written gradient, a function": lambda: by_function(START),
        "grad(f) in the same loop": lambda: generated(START),
        "srcgrad.gradient_descent": lambda: sg.gradient_descent(rosenbrock, START, lr=RATE, maxiter=STEPS),
    }
    peers = {"PyTorch": torch_descent()} if installed("torch") else {}
    peers |= jax_descent() if installed("jax") else {}
    end = descent_by_hand(START)
    for name, call in (calls | peers).items():
        result = call()
        assert np.allclose(np.asarray(getattr(result, "x", result)), end, rtol=1e-9), name
    compare("Rosenbrock, 1,000 descent steps, called from Python", calls, peers)


if __name__ == "__main__":
    newton_from_python()
    newton_inside_a_loop()
    descent_from_python()
