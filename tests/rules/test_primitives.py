"""Every rule tests itself at its samples."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import srcgrad.rules  # noqa: F401
from srcgrad.rules.language.registry import FUNCTIONS, PRIMITIVES
from srcgrad.testing.matrix import check_rule
from srcgrad.testing.primitives import check_primitive
from tests.rules.matrix import OF_REALS


@pytest.mark.parametrize("name", OF_REALS)
def test_rule(name: str) -> None:
    check_rule(PRIMITIVES[name])


OF_SEQUENCES = {"dist", "fsum", "prod", "sumprod"}  # of iterables, not of numbers
WITHOUT = {"comb", "perm", "isclose", "nextafter", "ulp", "fma"}


def test_every_function_of_math_has_a_meaning() -> None:
    functions = {name for name, value in vars(math).items() if callable(value) and not name.startswith("_")}
    missing = {name for name in functions - OF_SEQUENCES - WITHOUT if getattr(math, name) not in FUNCTIONS}
    assert not missing


UFUNCS_OF_REALS = """
    add subtract multiply divide floor_divide remainder fmod divmod power float_power negative
    positive absolute fabs sign sin cos tan arcsin arccos arctan arctan2 hypot sinh cosh tanh
    arcsinh arccosh arctanh exp exp2 expm1 log log2 log10 log1p logaddexp logaddexp2 sqrt square
    cbrt reciprocal degrees radians deg2rad rad2deg maximum minimum fmax fmin floor ceil trunc rint
    copysign heaviside modf isnan isinf isfinite signbit equal not_equal less less_equal greater
    greater_equal logical_and logical_or logical_xor logical_not where clip sinc round fix
    nan_to_num
""".split()


def test_every_elementwise_function_of_numpy_has_a_meaning() -> None:
    assert not [name for name in UFUNCS_OF_REALS if getattr(np, name) not in FUNCTIONS]


def test_a_wrong_rule_is_caught() -> None:
    """The self-test fails where a partial derivative, a value or a precision is wrong."""
    sine = PRIMITIVES["sin"]
    with pytest.raises(AssertionError, match="the tangent of sin"):
        check_primitive(replace(sine, jvp=PRIMITIVES["cos"].jvp))
    with pytest.raises(AssertionError, match="the adjoint beside the tangent of sin"):
        check_primitive(replace(sine, vjp=PRIMITIVES["cos"].vjp))
    with pytest.raises(AssertionError, match="the value of sin"):
        check_primitive(replace(sine, evaluate=np.cos))
    with pytest.raises(AssertionError, match="no samples"):
        check_primitive(replace(sine, info=replace(sine.info, samples=())))
