"""What a notebook shows: a derivative beside its function, text as text, refusals without our frames."""

from __future__ import annotations

import textwrap

import nbformat
import pytest
from nbclient import NotebookClient

CELLS = [
    """
    import math
    import srcgrad as sg

    def wave(x):
        return math.sin(x) * x

    d = sg.grad(wave, jit=False)
    d(2.0)
    """,
    "d",
    "d.source",
    "%srcgrad wave(2.0)",
    "%srcgrad --kind hessian --argnums x wave(1.5)",
    "%srcgrad --mode sideways wave",
    """
    def opens(x):
        with open("log"):
            return x

    def outer(x):
        return sg.grad(opens)(x)

    outer(1.0)
    """,
    "1 / 0",
]


@pytest.fixture(scope="module")
def outputs():
    """The outputs of each cell."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(textwrap.dedent(c).strip()) for c in CELLS])
    NotebookClient(book, timeout=300, kernel_name="python3", allow_errors=True).execute()
    return [cell.outputs for cell in book.cells]


def test_a_derivative_is_shown_beside_its_function(outputs):
    data = outputs[1][0].data
    assert "srcgrad-panes" in data["text/html"] and "wave" in data["text/html"]
    assert data["text/plain"].startswith("<srcgrad grad of")


def test_source_is_printed_as_it_is(outputs):
    lines = outputs[2][0].data["text/plain"].splitlines()
    assert lines[0] == "import math" and "def wave_grad(x):" in lines


def test_the_magic_shows_what_it_is_given(outputs):
    assert "wave_grad" in outputs[3][0].data["text/html"]
    assert "wave_hessian" in outputs[4][0].data["text/plain"]
    assert "invalid choice: 'sideways'" in "".join(o.text for o in outputs[5])


def test_refusals_end_at_the_users_line(outputs):
    shown = "\n".join(outputs[6][0].traceback)
    assert "is understood of" in shown and "outer" in shown
    assert "derivatives/derivative.py" not in shown and "find_or_make" not in shown


def test_other_errors_are_as_ever(outputs):
    assert outputs[7][0].ename == "ZeroDivisionError"
