"""The option `checkpoint`, as a user gives it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.backend.machine import memory
from srcgrad.compiler.request import Limit
from srcgrad.derivatives.checkpoint_option import limit_of


def wave(x, c, n):
    u = x.copy()
    for t in range(n):
        for i in range(1, len(u)):
            u[i] = u[i] + 0.1 * math.sin(u[i - 1]) * c
    return np.sum(u * u)


def growth(x, end):
    while x < end:
        x = x + 0.1 * math.sin(x) + 0.2
    return x * x


def states(x, n):
    u = x.copy()
    for t in range(n):
        u[0] = math.sin(u[0]) * u[1] + 0.5
        u[1] = u[1] * u[0]
    return u


X = np.linspace(0.1, 1.0, 6)


@pytest.mark.parametrize("checkpoint", ["auto", 1, 5, np.int64(5), 10_000, 1_000_000, 1e8, "100MB", "1.5 GiB", "1 b"])
def test_what_may_be_given(checkpoint: Any) -> None:
    value, bar = sg.value_and_grad(wave, jit=False, checkpoint=checkpoint)(X, 0.7, 30)
    wanted, other = sg.value_and_grad(wave, jit=False)(X, 0.7, 30)
    assert value == pytest.approx(wanted, rel=1e-14)
    np.testing.assert_allclose(bar, other, rtol=1e-12)


def test_what_numbers_stand_for() -> None:
    assert limit_of(None) is None
    assert limit_of(12) == Limit(12, 0) and limit_of(10_000) == Limit(10_000, 0)
    assert limit_of(1_000_000) == Limit(0, 1_000_000) and limit_of(2.5e6) == Limit(0, 2_500_000)
    assert limit_of("50000B") == Limit(0, 50_000) and limit_of("2 kB") == Limit(0, 2000)
    assert limit_of("1 KiB") == Limit(0, 1024) and limit_of("0.5GB") == Limit(0, 500_000_000)
    assert limit_of("auto") == Limit(0, memory() // 2, strict=False)


WRONG = [True, 0, -3, 1.5, 50_000, math.nan, math.inf, "12", "many", "0MB", "-1MB", "auto ", [1], 3 + 0j, {"bytes": 3}]


@pytest.mark.parametrize("checkpoint", WRONG, ids=repr)
def test_what_may_not_be_given(checkpoint: Any) -> None:
    with pytest.raises(sg.ArgumentError, match="checkpoint"):
        sg.grad(wave, checkpoint=checkpoint)


def test_where_there_is_no_sweep_back() -> None:
    for make in (sg.jacfwd, sg.forward, sg.compiled, sg.vmap):
        with pytest.raises(sg.ArgumentError, match="checkpoint is of reverse mode"):
            make(wave, checkpoint=3)  # type: ignore[call-overload]
    with pytest.raises(sg.ArgumentError, match="checkpoint is of reverse mode"):
        sg.grad(wave, mode="forward", checkpoint=3)
    with pytest.raises(sg.ArgumentError, match="checkpoint is of reverse mode"):
        sg.jvp(growth, (0.3, 4.0), (1.0, None), checkpoint=3)  # type: ignore[call-arg]
    with pytest.raises(sg.ArgumentError, match="cuda"):
        sg.grad(wave, target="cuda", checkpoint=3)
    with pytest.raises(sg.ArgumentError, match="did you mean `checkpoint`"):
        sg.grad(wave, checkpoints=3)  # type: ignore[call-overload]


@pytest.mark.parametrize("checkpoint", [3, "1MB", "auto"])
def test_every_transformer_that_sweeps_back(checkpoint: Any) -> None:
    options = {"jit": False, "checkpoint": checkpoint}
    x, end = 0.3, 4.0
    _, bar = sg.reverse(growth, **options)(x, end, 1.0)
    slope = sg.grad(growth, jit=False)(x, end)
    assert bar == pytest.approx(slope, rel=1e-13)
    assert sg.vjp(growth, x, end, **options)[1](1.0)[0] == pytest.approx(slope, rel=1e-13)
    curvature = sg.hessian(growth, jit=False)(x, end)
    assert sg.hessian(growth, **options)(x, end) == pytest.approx(curvature, rel=1e-12)
    assert sg.hvp(growth, **options)(x, end, 2.0) == pytest.approx(2.0 * curvature, rel=1e-12)
    assert sg.grad(sg.grad(growth, **options), **options)(x, end) == pytest.approx(curvature, rel=1e-12)
    wanted = sg.jacfwd(states, jit=False)(X, 9)
    np.testing.assert_allclose(sg.jacrev(states, **options)(X, 9), wanted, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(sg.jacobian(states, **options)(X, 9), wanted, rtol=1e-12, atol=1e-14)


def test_a_derivative_of_a_derivative_asks_for_itself() -> None:
    inner = sg.grad(growth, jit=False, checkpoint=3)
    assert "taken" in inner.source_for(0.3, 4.0)
    assert "taken" not in sg.grad(growth, jit=False).source_for(0.3, 4.0)

    def twice(x, end):
        return inner(x, end) * growth(x, end)

    plain = sg.grad(growth, jit=False)
    wanted = sg.grad(lambda x, end: plain(x, end) * growth(x, end), jit=False)(0.3, 4.0)
    assert sg.grad(twice, jit=False)(0.3, 4.0) == pytest.approx(wanted, rel=1e-12)


def draws(x, n):
    for t in range(n):
        x = math.sin(x) + np.random.random()
    return x


def test_a_loop_that_cannot_be_run_again() -> None:
    with pytest.raises(sg.UnsupportedError, match="draws random numbers") as error:
        sg.grad(draws, jit=False, checkpoint=4)(0.3, 5)
    assert "for t in range(n):" in str(error.value) and "in front of the loop" in str(error.value)
    sg.grad(draws, jit=False, checkpoint="auto")(0.3, 5)  # as without


def test_what_it_costs_is_explained() -> None:
    said = sg.grad(wave, jit=False, checkpoint=4).explain(X, 0.7, 30)
    assert "u_snapshots: float64, 2-D, 192 bytes: snapshots, from which the loop is run again" in said
    (line,) = (line for line in said.splitlines() if "at line" in line)
    assert line.endswith("4 snapshots for 30 iterations; 42 are run again, 1.4 times the loop")
    said = sg.grad(wave, jit=False, checkpoint="1MB").explain(X, 0.7, 30)
    assert "6 snapshots for 30 iterations, 5 iterations reversed at once; 30 are run again, 1 times the loop" in said
    assert "at most 4 snapshots" in sg.grad(growth, jit=False, checkpoint=4).explain(0.3, 4.0)
    assert "checkpoints:" not in sg.grad(wave, jit=False).explain(X, 0.7, 30)


class Counting:
    """The module math, which counts the sines."""

    cos = staticmethod(math.cos)

    def __init__(self) -> None:
        self.sines = 0

    def sin(self, x: float) -> float:
        self.sines += 1
        return math.sin(x)


def logistic_sine(x, n):
    for t in range(n):
        x = math.sin(x) * 1.3
    return x


AGAIN = [(1, 435), (2, 103), (3, 59), (4, 42), (7, 23), (29, 1), (30, 0), ("1MB", 30)]


@pytest.mark.parametrize(("checkpoint", "again"), AGAIN)
def test_as_much_is_run_again_as_is_explained(checkpoint: Any, again: int) -> None:
    made = sg.value_and_grad(logistic_sine, jit=False, checkpoint=checkpoint)
    counting = Counting()
    namespace: dict[str, Any] = {"math": counting}
    exec(made.source_for(0.3, 30).replace("import math\n", ""), namespace)
    namespace["logistic_sine_value_and_grad"](0.3, 30)
    assert counting.sines == 30 + again
    assert f"; {again} are run again" in made.explain(0.3, 30)


def test_compiled_code_does_the_same() -> None:
    for checkpoint in (4, "1MB"):
        value, bar = sg.value_and_grad(wave, checkpoint=checkpoint)(X, 0.7, 30)
        wanted, other = sg.value_and_grad(wave, jit=False)(X, 0.7, 30)
        assert value == pytest.approx(wanted, rel=1e-13)
        np.testing.assert_allclose(bar, other, rtol=1e-12)
    assert sg.grad(growth, checkpoint=4)(0.3, 9.0) == pytest.approx(sg.grad(growth, jit=False)(0.3, 9.0), rel=1e-12)


def logistic(x, r, n):
    for t in range(n):
        x = r * x * (1.0 - x)
    return x


def test_the_page_shows_what_is_generated(request: pytest.FixtureRequest) -> None:
    path = Path(__file__).parents[2] / "docs" / "checkpoints.md"
    page = path.read_text(encoding="utf-8")
    source = sg.grad(logistic, jit=False, checkpoint=4).source_for(0.3, 3.4, 30)
    made = source[source.index("def logistic_grad") :].split("\n\n\n")[0].strip()
    shown = page[page.index("def logistic_grad") :].split("\n```")[0]
    if request.config.getoption("--update-golden"):
        path.write_text(page.replace(shown, made), encoding="utf-8")
    else:
        assert made == shown
    assert "4 snapshots for 30 iterations; 42 are run again, 1.4 times the loop" in page
