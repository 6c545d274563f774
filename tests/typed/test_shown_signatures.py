"""What `help` and `inspect.signature` show of transformers and of what they give."""

import inspect
import pydoc
from typing import Any

import pytest

import srcgrad as sg
from srcgrad.compiler.find_or_make import Options
from srcgrad.derivatives.choices import OPTIONS

SWEEPING_BACK = (sg.grad, sg.value_and_grad, sg.reverse, sg.jacrev, sg.jacobian, sg.hessian, sg.hvp, sg.vjp)
OTHERS = (sg.forward, sg.jacfwd, sg.compiled, sg.vmap, sg.jvp)


def wave(x: float, n: int = 3) -> float:
    """A wave."""
    return x * n


@pytest.mark.parametrize("transformer", [*SWEEPING_BACK, *OTHERS], ids=lambda f: f.__name__)
def test_each_option_is_a_keyword_with_its_default(transformer: Any) -> None:
    parameters = inspect.signature(transformer).parameters
    expected = [name for name in OPTIONS if name != "checkpoint" or transformer in SWEEPING_BACK]
    usual = Options()
    assert [name for name in parameters if name in OPTIONS] == expected
    assert all(parameters[name].default == getattr(usual, name) for name in expected)
    assert not any(p.kind is p.VAR_KEYWORD for p in parameters.values())


@pytest.mark.parametrize(
    ("transformer", "shown"),
    [
        (sg.grad, "(x: float, n: int = 3)"),
        (sg.jacobian, "(x: float, n: int = 3)"),
        (sg.compiled, "(x: float, n: int = 3)"),
        (sg.forward, "(x: float, n: int = 3, *, x_dot)"),
        (sg.reverse, "(x: float, n: int = 3, *, value_bar)"),
        (sg.hvp, "(x: float, n: int = 3, *, vector)"),
    ],
)
def test_a_derivative_has_the_parameters_of_its_function(transformer: Any, shown: str) -> None:
    derivative = transformer(wave)
    assert str(inspect.signature(derivative)) == shown
    help_of = pydoc.plain(pydoc.render_doc(derivative))
    assert f"{derivative.__name__}{shown}" in help_of and "A wave." in help_of


def test_public_attributes_are_completed() -> None:
    assert {"explain", "jitted", "primal", "save", "source", "source_for"} <= set(dir(sg.grad(wave)))
