"""Gradients of well-known functions as they are compiled, compared with what lies in golden/ (`--update-golden` writes
it anew), and run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.benchmarks.workloads import cases
from tests.schedule.in_loops import source_in_loops, value_and_grad_in_loops

GOLDEN = Path(__file__).parent / "golden"
NAMES = (
    "heat",
    "rk4_small",
    "rosenbrock_100",
    "log_sum_exp",
    "softmax_regression",
    "two_layers",
    "n_body",
    "k_means",
    "leapfrog_small",
    "cholesky",
    "kalman",
    "lstm",
)


def shown(source: str, name: str) -> str:
    """The function itself, without the library's kernels and forms that stand behind it."""
    text = source[source.index(f"def {name}_value_and_grad(") :]
    return text.split("\n\n\n")[0].rstrip() + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_source(name: str, request: pytest.FixtureRequest) -> None:
    work = cases.named(name)
    made = shown(source_in_loops(work.fun, work.args("tiny"), work.argnums), work.fun.__name__)
    path = GOLDEN / f"{name}.txt"
    if request.config.getoption("--update-golden"):
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made


@pytest.mark.parametrize("name", NAMES)
def test_loops_compute_what_arrays_do(name: str) -> None:
    work = cases.named(name)
    args = work.args("tiny")
    value, bars = sg.value_and_grad(work.fun, argnums=work.argnums, jit=False)(*args)
    again, others = value_and_grad_in_loops(work.fun, work.argnums)(*args)
    assert again == pytest.approx(value, rel=1e-12)
    for bar, other in zip(leaves(bars), leaves(others), strict=True):
        np.testing.assert_allclose(other, bar, rtol=1e-10, atol=1e-12)


def leaves(tree: Any) -> list[Any]:
    return [leaf for item in tree for leaf in leaves(item)] if isinstance(tree, (tuple, list)) else [tree]
