"""What is generated for kernels, compared with what lies in golden/ (`--update-golden` writes it anew)."""

from __future__ import annotations

from pathlib import Path

import pytest

import srcgrad.cuda
from tests.cuda.kernels import CASES, PATTERNS, Case

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("case", [*CASES, *PATTERNS], ids=lambda case: case.name)
def test_golden(case: Case, request: pytest.FixtureRequest) -> None:
    path, text = GOLDEN / f"{case.name}.py", srcgrad.cuda.adjoint(case.kernel).source_for(*case.args())
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def test_before_the_first_launch() -> None:
    """Arguments are guessed from how the kernel uses them; float64 is what the golden files are in."""
    for case in (c for c in CASES if c.name in ("saxpy", "stencil_2d", "nbody", "atomic_sum", "search", "grid_stride")):
        assert srcgrad.cuda.adjoint(case.kernel).source == (GOLDEN / f"{case.name}.py").read_text()
