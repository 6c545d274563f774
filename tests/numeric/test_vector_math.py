"""Elementary functions in loops over arrays: beside mpmath and NumPy, as they stand and compiled as derivatives are."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.numeric.vector import circular, error_function, exponentials, logarithms, powers, single
from srcgrad.printer.render import render
from srcgrad.rules.language.registry import PRIMITIVES
from srcgrad.rules.scalar.vector_forms import FORMS, reach, vector_form
from tests.benchmarks.vector_math import OPTIONS, compiled, errors, loops_of, ranges, worst

EVERY = tuple(FORMS.values())
MODULES = (circular, error_function, exponentials, logarithms, powers, single)
BOUNDS = {"f8": 2.0, "f4": 0.6}
EDGES = [0.0, 1.0, 0.5, 2.0, 3.0, 2.5, 1e-3, 6.0, 25.0, 88.8, 709.8, 710.4, 745.2, 750.0, 1e30, np.inf, np.nan]
DOUBLE = [5e-324, 1e-310, 1e308, 2.0**53 - 1, 2.0**53 + 2, 2.0**60, 1 - 2.0**-53, 1 + 2.0**-52]
SINGLE = [1e-45, 1e-40, 3e38, 2.0**24 - 1, 2.0**24 + 2, 2.0**30, 1 - 2.0**-24, 1 + 2.0**-23]


def numeric(form: ir.Primitive, dtype: str) -> Callable[..., Any]:
    """The function itself, in Python."""
    double = next(getattr(m, form.name) for m in MODULES if hasattr(m, form.name))
    function = double if dtype == "f8" else getattr(single, f"{form.name}_single", double)
    return np.vectorize(lambda *args: function(*map(np.float64, args)), otypes=[dtype])


def edges(name: str, dtype: str) -> tuple[np.ndarray, ...]:
    found = np.array([*EDGES, *(DOUBLE if dtype == "f8" else SINGLE)], dtype)
    found = np.concatenate([found, -found])
    if name == "power":
        return tuple(axis.ravel() for axis in np.meshgrid(found, found))
    beyond = reach(FORMS[name], ir.Type(dtype))
    return (found[~(np.abs(found) > beyond) | np.isinf(found)],)


def expected(name: str, args: tuple[np.ndarray, ...]) -> np.ndarray:
    return PRIMITIVES[name].evaluate(*args)


def check_edges(name: str, got: np.ndarray, args: tuple[np.ndarray, ...]) -> None:
    """Zeros with their signs, infinities and NaN are those of NumPy's functions; the rest is near."""
    right = expected(name, args)
    assert got.dtype == right.dtype
    plain = np.isfinite(right) & (right != 0.0)
    np.testing.assert_array_equal(got[~plain], right[~plain], err_msg=name)
    zeros = right == 0.0
    np.testing.assert_array_equal(np.signbit(got[zeros]), np.signbit(right[zeros]), err_msg=name)
    assert np.all(np.abs(got[plain] - right[plain]) <= 3 * np.spacing(np.abs(right[plain]))), name


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_errors_of_compiled_loops(dtype: str) -> None:
    with np.errstate(all="ignore"):
        for name, where, error, at in worst(dtype, 300):
            assert error <= BOUNDS[dtype], f"{name}, {where}: {error:.2f} ulp at {at}"


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("name", FORMS)
def test_errors_in_python(name: str, dtype: str) -> None:
    """Without fused products, that is."""
    function = numeric(FORMS[name], dtype)
    with np.errstate(all="ignore"):
        for where, points in ranges(name, dtype == "f4").items():
            some = tuple(p[:60].astype(dtype) for p in points)
            error = errors(name, function(*some), some)
            assert error.max() <= BOUNDS[dtype], f"{where}: {error.max():.2f} ulp"


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_special_values(dtype: str) -> None:
    args = {name: edges(name, dtype) for name in FORMS}
    with np.errstate(all="ignore"):
        for (name, own), got in zip(args.items(), compiled(EVERY, dtype)(*sum(args.values(), ())), strict=True):
            check_edges(name, got, own)
            check_edges(name, numeric(FORMS[name], dtype)(*own), own)


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_special_values_of_the_plain_form(dtype: str) -> None:
    """What a form computes in the interpreter of the core is what the scalar function computes."""
    for name, form in FORMS.items():
        with np.errstate(all="ignore"):
            args = edges(name, dtype)
            np.testing.assert_array_equal(form.evaluate(*args), PRIMITIVES[name].evaluate(*args))


@pytest.mark.parametrize(("dtype", "bound"), [("f8", 2.0**20), ("f4", 2.0**26)])
def test_angles_that_are_too_large_have_no_value(dtype: str, bound: float) -> None:
    """Rather than a wrong one: they are kept away."""
    at = np.array([bound, -bound], dtype)
    for name in ("sin", "cos"):
        function = numeric(FORMS[name], dtype)
        np.testing.assert_allclose(function(at), expected(name, (at,)), rtol=1e-15 if dtype == "f8" else 1e-7)
        with np.errstate(invalid="ignore"):
            assert np.isnan(function(np.nextafter(at, 2 * at))).all()
            assert np.isnan(function(np.array([1e30, -1e30, np.inf, np.nan], dtype))).all()


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_the_loops_are_vector_code(dtype: str) -> None:
    loops = compiled(EVERY, dtype)
    if not loops.signatures:  # type: ignore[attr-defined]
        loops(*(np.ones(9, dtype) for _ in range(len(EVERY) + 1)))
    (code,) = loops.inspect_llvm().values()  # type: ignore[attr-defined]
    assert len(re.findall(r"^vector\.body[.\w]*:", code, re.MULTILINE)) >= len(EVERY)


def test_text_of_a_module() -> None:
    """What is inlined may fuse products, and does nothing else of what the flags of derivatives allow."""
    text = render(ir.Program(loops_of((FORMS["exp"],))), jit_options=OPTIONS)
    assert "@njit(error_model='numpy', fastmath={'contract'}, forceinline=True)\ndef vector_exp(x: float)" in text
    assert f"@njit({OPTIONS})\ndef loops(" in text
    strict = render(ir.Program(loops_of((FORMS["exp"],))), jit_options="error_model='numpy'")
    assert "fastmath" not in strict and "@njit(error_model='numpy', forceinline=True)\ndef vector_exp" in strict
    assert text.count("def power_of_two(") == 1


def test_which_form_a_function_has() -> None:
    power, x = PRIMITIVES["power"], ir.Var("x", ir.F8)
    assert vector_form(PRIMITIVES["exp"], ir.F8) is FORMS["exp"]
    assert vector_form(PRIMITIVES["exp"], ir.F4) is FORMS["exp"]
    assert vector_form(PRIMITIVES["exp"], ir.C16) is None
    assert vector_form(PRIMITIVES["sqrt"], ir.F8) is None
    assert vector_form(power, ir.F8, (x, ir.Var("y", ir.F8))) is FORMS["power"]
    assert vector_form(power, ir.F8, (x, ir.Const(2.5, ir.F8))) is FORMS["power"]
    for plain in (ir.Const(2.0, ir.F8), ir.Const(3, ir.I8), ir.Var("n", ir.I8)):
        assert vector_form(power, ir.F8, (x, plain)) is None
    assert reach(FORMS["exp"], ir.F8) == np.inf
    assert reach(FORMS["cos"], ir.F8) == 2.0**20
