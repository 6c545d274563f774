"""Every hard case through the public functions: right in every mode at first and second order, or refused.

What is compiled too, and how: the cases marked so at each run, all of them if SRCGRAD_COMPILE_ALL is set; some of those
of arrays run as the loops that compiled code has.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import find_or_make
from tests import oracle
from tests.hard.cases import REFUSED, RIGHT
from tests.hard.compare import Comparison
from tests.hard.public import Public
from tests.hard.table import Case

Record = Callable[[str, object], None]
COMPILED = [c for c in RIGHT if c.jit or os.environ.get("SRCGRAD_COMPILE_ALL")]
OF_ARRAYS = [c for c in RIGHT if any(isinstance(leaf, np.ndarray) for leaf in oracle.leaves(c.args()))]
LOOPS = OF_ARRAYS if os.environ.get("SRCGRAD_COMPILE_ALL") else OF_ARRAYS[::4]


@pytest.mark.parametrize("case", RIGHT, ids=lambda c: c.name)
def test_right(case: Case, record_property: Record) -> None:
    assert Comparison(case, Public(case)).run() == []
    record_property("hard case", "right")


@pytest.mark.parametrize("case", LOOPS, ids=lambda c: c.name)
def test_right_as_loops(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the form that is compiled, in CPython."""
    monkeypatch.setitem(find_or_make.UNJITTED, "loops", True)
    assert Comparison(case, Public(case)).run("value", "first") == []


@pytest.mark.parametrize("case", COMPILED, ids=lambda c: c.name)
def test_compiled(case: Case) -> None:
    assert Comparison(case, Public(case, jit=True)).run("value", "first", "hessian") == []


@pytest.mark.parametrize("case", REFUSED, ids=lambda c: c.name)
def test_refused(case: Case, record_property: Record) -> None:
    args = case.args()
    places = [k for k, arg in enumerate(args) if oracle.float_leaves(arg)]
    dots = [args[k] for k in places]
    assert case.refused is not None
    for transform, more in ((sg.forward, dots), (sg.reverse, [1.0])):
        with pytest.raises(case.refused) as caught:
            transform(case.fun, argnums=places, jit=False)(*args, *more)
        assert case.fun.__code__.co_filename in str(caught.value)
        assert "^" in str(caught.value)
    record_property("hard case", "refused")


def integer_result(x):
    return int(x)


def bool_result(x):
    return x > 1.0


@pytest.mark.parametrize("fun", [integer_result, bool_result], ids=lambda f: f.__name__)
def test_results_without_derivative_are_refused(fun: Callable[[float], object], record_property: Record) -> None:
    for transform in (sg.grad, sg.value_and_grad, sg.jacfwd, sg.jacrev, sg.hessian):
        with pytest.raises(sg.NotDifferentiableError):
            transform(fun, jit=False)(2.5)
    record_property("hard case", "refused")
