"""The workloads of the tables: their gradients un-jitted, and the tables' own machinery."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import program
from tests.benchmarks import arrays, compile, generated
from tests.benchmarks.processes import reported
from tests.benchmarks.workloads import cases
from tests.benchmarks.workloads.table import Workload


@pytest.mark.parametrize("workload", cases.ALL, ids=lambda w: w.name)
def test_gradients(workload: Workload) -> None:
    """Along a random direction, beside central differences; the arguments stay as they are."""
    args = workload.args("tiny")
    before = copy.deepcopy(args)
    numbers = workload.argnums if isinstance(workload.argnums, tuple) else (workload.argnums,)
    value, gradient = sg.value_and_grad(workload.fun, argnums=numbers, jit=False, cache=False)(*args)
    np.testing.assert_equal(args, before)
    assert np.isclose(value, workload.fun(*copy.deepcopy(args)), rtol=1e-12)
    rng = np.random.default_rng(1)
    way = [rng.normal(size=np.shape(args[k])) for k in numbers]

    def along(h: float) -> float:
        moved = list(copy.deepcopy(args))
        for k, d in zip(numbers, way, strict=True):
            moved[k] = moved[k] + h * d
        return float(workload.fun(*moved))

    coarse, fine = ((along(h) - along(-h)) / (2.0 * h) for h in (2e-4, 1e-4))
    got = sum(float(np.sum(g * d)) for g, d in zip(gradient, way, strict=True))
    assert got == pytest.approx((4.0 * fine - coarse) / 3.0, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("workload", [w for w in cases.ALL if w.hand], ids=lambda w: w.name)
def test_hand_written_adjoints(workload: Workload) -> None:
    """Un-jitted, beside the generated derivative; they leave the arguments as they are."""
    args = workload.args("tiny")
    before = copy.deepcopy(args)
    wanted = sg.value_and_grad(workload.fun, argnums=workload.argnums, jit=False, cache=False)(*args)
    assert workload.hand is not None
    found = arrays.comparison("by hand", workload.hand(*args), wanted)
    assert found["error: by hand"] < 1e-12, found
    np.testing.assert_equal(args, before)


@pytest.mark.parametrize("name", ["rosenbrock_100", "lstm"])
def test_a_workload_is_measured(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Un-jitted, and its figures become a row, a summary and a comparison."""
    arrays.measure(cases.named(name), "tiny", 0.01, jit=False)
    found = reported(capsys.readouterr().out)
    assert set(found["times"]) == {"primal", "gradient", "compiled"}
    assert found["agrees: un-jitted"] and found["cold"] >= found["transformation"] > 0.0
    cells = arrays.row(name, found)
    assert len(cells) == len(arrays.HEAD) and cells[-1] == "un-jitted"
    assert "1 workloads; without all figures: none" in list(arrays.summary({name: found}))
    now = found | {
        "times": {key: 2.0 * t for key, t in found["times"].items()},
        "agrees: JAX": False,
        "error: JAX": 0.5,
    }
    assert any("REGRESSION: gradient, compiled" in line for line in arrays.against({name: now}, {name: found}))
    assert not any("REGRESSION" in line for line in arrays.against({name: found}, {name: found}))
    assert f"!!!! {name} DISAGREES: JAX 0.5" in list(arrays.summary({name: now}))


def test_compilation_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    watchers = list(program.WATCHERS)
    compile.measure(cases.named("log_sum_exp"), jit=False)
    assert watchers == program.WATCHERS
    found = reported(capsys.readouterr().out)
    known = compile.figures(found)
    assert {"lower", "simplify", "value_and_grad", "render", "total", "lines"} <= set(known)
    assert known["total"] == pytest.approx(sum(found["passes"].values()) + found["compilation"])
    assert "REGRESSION" not in "".join(compile.against({"one": found}, {"one": found}))
    slow = found | {"passes": found["passes"] | {"lower": 5.0}}
    assert "REGRESSION: lower" in "".join(compile.against({"one": slow}, {"one": found}))


def test_figures_of_a_text() -> None:
    text = '''
import numpy as np

@njit
def made(n):
    """An array."""
    return np.empty(n)

def main(n):
    a = np.zeros(n)
    for i in range(n):
        # a comment
        b = made(n)
        for j in range(n):
            a[i] += b.copy()[j]
    return a
'''
    assert generated.generated_lines(text) == 2 + 7
    assert generated.allocations_in_loops(text) == 2


def test_lines_of_a_primal_include_its_helpers() -> None:
    rk4 = cases.named("rk4_small").fun
    assert generated.primal_lines(rk4) == 9 + 2


@pytest.mark.parametrize(
    ("got", "agrees"),
    [
        ((1.0, np.array([1.0, 2.0])), True),
        ((1.0, np.array([1.0, 2.0 + 1e-10])), True),
        ((1.0, np.array([1.0, 2.0 + 1e-6])), False),
        ((1.0, np.array([1.0, np.nan])), False),
        ((1.0, np.array([[1.0, 2.0]])), False),
    ],
)
def test_comparison(got: object, agrees: bool) -> None:
    assert arrays.comparison("them", got, (1.0, np.array([1.0, 2.0])))["agrees: them"] is agrees
