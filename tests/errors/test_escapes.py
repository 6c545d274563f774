"""Nothing but errors of srcgrad, and the user's own, comes out."""

import math
import operator
import pickle
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

import srcgrad as sg
from srcgrad.backend import cpu
from srcgrad.core.types import F8
from srcgrad.errors import CallError

A = np.ones(3)


def no_arguments(x):
    for _ in enumerate():
        pass
    return reversed()


def one_class_too_few(x):
    return isinstance(x)


def nothing(x):
    return None


def text(x):
    return "s"


def keyword_without_place(x):
    return math.sqrt(x, 2)


def index_of_text(x):
    return x["a"]


def array_called(x):
    return x(1.0)


def derivative_made_inside(x):
    return sg.grad(text)(x)


def solver_with_an_unknown_option(x):
    return sg.newton(none_stored, x, tolerance=1.0).x


def strings_multiplied(x):
    return "a" * "b"


def none_stored(x):
    x[0] = None
    return x[0]


ODD = [
    (sg.grad, no_arguments, A),
    (sg.grad, one_class_too_few, 1.0),
    (sg.jacobian, nothing, 1.0),
    (sg.jacrev, text, 1.0),
    (sg.jacfwd, nothing, A),
    (sg.grad, keyword_without_place, 1.0),
    (sg.grad, index_of_text, A),
    (sg.grad, array_called, A),
    (sg.grad, none_stored, A),
    (sg.hessian, text, 1.0),
    (sg.reverse, nothing, 1.0),
    (sg.grad, derivative_made_inside, 1.0),
    (sg.grad, solver_with_an_unknown_option, 1.0),
    (sg.grad, strings_multiplied, 1.0),
]


@pytest.mark.parametrize(("transformer", "fun", "arg"), ODD, ids=lambda v: getattr(v, "__name__", ""))
def test_odd_programs_are_refused_in_words(transformer, fun, arg) -> None:
    with pytest.raises(sg.SrcgradError) as caught:
        transformer(fun, jit=False)(arg, *([1.0] if transformer is sg.reverse else []))
    assert "internal" not in str(caught.value)
    assert all(p.file == __file__ and p.hint for p in caught.value.problems)


def test_a_cotangent_of_another_shape_is_refused() -> None:
    with pytest.raises(sg.SrcgradError, match="the cotangent has not the shape") as caught:
        sg.reverse(lambda x: x * x, jit=False)(A, np.ones(4))
    assert caught.value.problems[0].file == __file__


def test_a_wrong_call_is_a_type_error_too() -> None:
    with pytest.raises(TypeError) as caught:
        sg.grad(text)()  # type: ignore[call-overload]
    assert isinstance(caught.value, CallError) and isinstance(pickle.loads(pickle.dumps(caught.value)), CallError)


def test_what_a_user_raises_passes() -> None:
    def f(x):
        if x < 0.0:
            raise KeyError("mine")
        return x

    with pytest.raises(KeyError, match="mine"):
        sg.grad(f, jit=False)(-1.0)


def test_inside_compiled_code_the_message_is_the_same() -> None:
    slope = sg.grad(lambda x: np.sinn(x))  # type: ignore[attr-defined]

    @numba.njit
    def outer(x):
        return slope(x) + 1.0

    with pytest.raises(sg.UnsupportedError) as caught:
        outer(1.0)
    (problem,) = caught.value.problems
    assert problem.file == __file__ and problem.hint == "did you mean `sin`?" and "numba" not in str(caught.value)


def test_what_numba_refuses_is_told_with_the_users_line(tmp_path: Path) -> None:
    path = tmp_path / "generated.py"
    path.write_text(
        "from numba import njit\n\n\n@njit\ndef f(x):\n    # y = x * 2.0\n    y = x * 2.0\n"
        "    # z = name + y\n    z = 'a' + y\n    return z\n"
    )
    with pytest.raises(sg.SrcgradError) as caught:
        cpu.load(path, "f", [F8], True)(1.0)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.source) == (str(path), 9, "    z = 'a' + y")
    assert "`z = name + y`" in problem.message and "\n" not in problem.message
    assert isinstance(caught.value.__cause__, numba.core.errors.TypingError)


@pytest.mark.parametrize("fun", [np.sin, operator.neg])
def test_what_has_no_text_is_shown_where_it_was_given(fun: Any) -> None:
    with pytest.raises(sg.SrcgradError) as told:
        sg.grad(fun)  # this line
    problem = told.value.problems[0]
    assert (problem.file, problem.source.strip()) == (__file__, "sg.grad(fun)  # this line")
