"""The suite's table: what it measures, and the page and plot that it writes."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import arrays, cases_of_suite, report_page, suite
from tests.benchmarks.matrices_by_hand import CASES
from tests.benchmarks.processes import Found
from tests.benchmarks.table_of_suite import Case

FOUND: Found = {
    "cold": 1.0,
    "lines": 40,
    "primal_lines": 8,
    "sizes": [
        {"size": "10", "times": {"srcgrad": 2e-6, "primal": 1e-6, "hand": 2e-6}, "agrees: by hand": True, "peak": 0},
        {"size": "100", "times": {"srcgrad": 6e-5, "primal": 1e-5, "hand": 3e-5}, "agrees: by hand": False}
        | {"error: by hand": 0.5, "jax_refused": "TypeError: no while\nmore", "kept": "8 bytes"},
    ],
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hand_written_matrices(case: Case) -> None:
    """Un-jitted, beside the generated ones."""
    args = case.args(case.tiny)
    found = arrays.comparison("by hand", case.hand(*args), case.derivative(False)(*args))
    assert found["error: by hand"] < 1e-10, found


def test_the_page() -> None:
    case = cases_of_suite.named("garch")
    text = report_page.page([case], {"garch": FOUND})
    assert "| garch | 10, 100 | 1 · 10 | 2.00 · **6.00** | 2.5 | 1.00 · **2.00** | - |" in text
    assert "DISAGREES with by hand at 100 (0.5)" in text
    assert "- garch: JAX: TypeError: no while\n" in text
    assert "- bars over the primal: 0 of 1 reached" in text


@pytest.mark.parametrize("matplotlib", [True, False])
def test_the_plot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, matplotlib: bool) -> None:
    """One point a candidate, by the largest size, by matplotlib and by hand."""
    if matplotlib:
        pytest.importorskip("matplotlib")
    else:
        monkeypatch.setattr(report_page, "installed", lambda module: False)
    case = cases_of_suite.named("garch")
    assert report_page.points([case], {"garch": FOUND}) == [("garch", {"primal": 6.0, "hand": 2.0})]
    report_page.write(tmp_path / "page.md", "# Title\n\n| workload | x |\n", [case], {"garch": FOUND})
    assert ElementTree.parse(tmp_path / "page.svg").getroot().tag.endswith("svg")
    assert "![ratios by workload](page.svg)\n\n| workload" in (tmp_path / "page.md").read_text()


def test_the_memory_of_a_call() -> None:
    """The pages of an array that a call touches and forgets, where the system tells."""
    found = suite.memory(lambda: float(np.ones(4_000_000).sum()))
    assert not found or 30e6 < found["peak"] < 60e6


def test_names() -> None:
    names = [case.name for case in cases_of_suite.chosen(["mixture", "garch"])]
    assert names == ["mixture_loops", "mixture_numpy", "garch"]
    with pytest.raises(SystemExit, match="no workload of that name"):
        cases_of_suite.chosen(["nothing"])
