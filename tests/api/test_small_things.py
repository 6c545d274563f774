"""Small things that a user meets early: names, integers, options, messages."""

from pathlib import Path

import numpy as np
import pytest
from numba import njit

import srcgrad as sg
from srcgrad.backend import cache

W = np.arange(3.0)


def energy(p):
    return np.sum(p["w"] ** 3) * p["n"]


# ---- directions with integers


@pytest.mark.parametrize("count", [2, 0, True, np.int64(5), None], ids=str)
def test_what_stands_at_an_integer_in_a_direction_has_no_part(count):
    got = sg.hvp(energy, jit=False)({"w": W, "n": 2}, {"w": W, "n": count})
    np.testing.assert_allclose(got["w"], 12 * W**2)
    assert got["n"] is None
    value, tangent = sg.forward(energy, jit=False)({"w": W, "n": 2}, {"w": W, "n": count})
    assert (value, tangent) == (18.0, 54.0)


def test_integers_at_any_depth_of_a_direction():
    def fun(p, q):
        return p["a"][0] ** 2 * p["a"][1] * q[1] ** 2 + np.sum(p["k"])

    p, q = {"a": (3.0, 2), "k": np.arange(3)}, (1, 2.0)
    got = sg.hvp(fun, (0, 1), jit=False)(p, q, ({"a": (1.0, 7), "k": np.arange(3)}, (1, 0.0)))
    assert got[0]["a"] == (16.0, None) and got[1] == (None, 48.0)
    assert sg.hvp(lambda x: x**3, jit=False)(2, 1) == 12.0  # an integer that is differentiated by


def test_a_float_at_an_integer_is_told():
    with pytest.raises(sg.ArgumentError, match="the direction"):
        sg.hvp(energy, jit=False)({"w": W, "n": 2}, {"w": W, "n": 1.0})


# ---- integers to negative powers


def scaled(x, n):
    return x * 2**-n


def by_itself(x, n):
    return x * n**n


def halved(x, n):
    y = 0.0
    for k in range(n):
        y += x * 2 ** (2 - k)
    return y


def by_arrays(x, n):
    return x * np.sum(np.array([1, 2]) ** np.array([1, n]))


def by_call(x, n):
    return x * pow(3, n)


@pytest.mark.parametrize(
    "fun, n", [(scaled, 1), (by_itself, -1), (halved, 4), (by_arrays, -1), (by_call, -2)], ids=lambda v: str(v)[:16]
)
def test_an_integer_to_a_negative_power_is_told_at_the_line(fun, n):
    with pytest.raises(sg.SrcgradError) as caught:
        sg.grad(fun, jit=False)(1.5, n)
    assert isinstance(caught.value, ValueError)
    problem = caught.value.problems[0]
    assert problem.file == __file__ and "**" in problem.source or "pow" in problem.source


def test_an_integer_to_another_power_stays():
    assert sg.grad(scaled, jit=False)(1.5, -2) == 4.0
    assert sg.grad(halved, jit=False)(1.5, 3) == 7.0
    assert sg.grad(by_arrays, jit=False)(1.5, 3) == 9.0
    assert "int_power" not in sg.grad(scaled).source_for(1.5, 2)
    with pytest.raises(ValueError, match="test_small_things.py"):
        sg.grad(scaled)(1.5, 2)


# ---- names without a value


def no_global(x):
    return x * nowhere


def one_branch(x):
    if x > 0:
        y = x * x
    return y


def no_turn(x):
    for _ in range(int(x)):
        v = x
    return v


def too_early(x):
    y = z * x
    z = 2.0
    return y * z


def inner_name(x):
    def g(q):
        return q * elsewhere

    return g(x)


@pytest.mark.parametrize("fun", [no_global, one_branch, no_turn, too_early, inner_name])
def test_a_name_without_a_value_is_python_s_error_with_the_line(fun):
    with pytest.raises(NameError) as theirs:
        fun(-1.0)
    with pytest.raises(NameError) as ours:
        sg.grad(fun, jit=False)(-1.0)
    assert isinstance(ours.value, sg.SrcgradError)
    assert ours.value.problems[0].file == __file__
    line = theirs.traceback[-1].lineno + 1
    assert ours.value.problems[0].line == line


def test_a_name_without_a_value_in_compiled_code():
    made = sg.grad(one_branch)
    assert made(2.0) == 4.0
    with pytest.raises(UnboundLocalError, match="`y` is not bound here"):
        made(-2.0)

    @njit
    def calls(x):
        return made(x)

    with pytest.raises(UnboundLocalError):
        calls(-2.0)


# ---- a function that calls itself and returns its array


def grown(a, n):
    if n == 0:
        return a
    return grown(a * 1.1, n - 1)


def reshaped(a, n):
    if n == 0:
        return a.reshape(-1)
    return reshaped(a * 2.0, n - 1)


def chosen(a, n):
    return a if n == 0 else chosen(a * 2.0, n - 1)


def part(a, n):
    if n > 0:
        return part(a * a, n - 1)
    return a[1:]


def transposed(a, n):
    if n == 0:
        return a.T
    b = transposed(a + 1.0, n - 1)
    return b


def copied(a, n):
    if n == 0:
        return a.copy()
    return copied(a * 1.1, n - 1)


@pytest.mark.parametrize("fun", [grown, chosen, part, transposed])
def test_a_recursive_function_that_returns_its_array_is_refused_with_the_reason(fun):
    with pytest.raises(sg.UnsupportedError) as caught:
        sg.grad(lambda a: np.sum(fun(a, 2)), jit=False)(np.ones((2, 2)))
    told = str(caught.value)
    assert f"`{fun.__name__}` calls itself, and on some path returns an array that it was given" in told
    assert "return a.copy()" in told


def test_one_that_returns_a_copy_is_differentiated():
    np.testing.assert_allclose(sg.grad(lambda a: np.sum(copied(a, 2)), jit=False)(W), 1.21)
    weights = np.arange(4.0)
    got = sg.grad(lambda a: np.sum(reshaped(a, 2) * weights), jit=False)(np.ones((2, 2)))
    np.testing.assert_allclose(got, 4.0 * weights.reshape(2, 2))


# ---- options


@pytest.mark.parametrize("option", ["argnum", "wrt", "Argnums", "arg_nums", "argnames", "argnms", "variables"])
@pytest.mark.parametrize("make", [sg.grad, sg.hvp, sg.jacobian, sg.hessian, sg.forward, sg.jacrev])
def test_what_is_meant_by_argnums_is_told(make, option):
    with pytest.raises(sg.ArgumentError, match="did you mean `argnums`"):
        make(one_branch, **{option: 0})


@pytest.mark.parametrize(
    "option, meant",
    [("hasaux", "has_aux"), ("aux", "has_aux"), ("device", "target"), ("nopython", "jit"), ("modes", "mode")],
)
def test_other_names_of_options(option, meant):
    with pytest.raises(sg.ArgumentError, match=f"did you mean `{meant}`"):
        sg.grad(one_branch, **{option: True})


def test_options_of_other_transformers():
    with pytest.raises(sg.ArgumentError, match="the options are argnums, has_aux, mode, target"):
        sg.grad(one_branch, holomorphic=True)
    with pytest.raises(sg.ArgumentError, match="did you mean `in_axes`"):
        sg.vmap(one_branch, axes=0)
    with pytest.raises(sg.ArgumentError, match="the options are target"):
        sg.jvp(one_branch, (1.0,), (1.0,), argnums=0)


# ---- the module and its folder


def test_dir_shows_what_is_public():
    names = dir(sg)
    assert {"cuda", "testing", "optimize", "grad", "newton", "__version__"} <= set(names)
    assert not {"Any", "importlib", "TYPE_CHECKING", "annotations", "pipeline", "lazy"} & set(names)
    assert all(hasattr(sg, name) for name in names)
    assert callable(sg.testing.check_grads)


@pytest.mark.parametrize("inside", ["", "/x", "/x/y"])
def test_a_home_folder_in_the_cache_s_name(inside, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SRCGRAD_CACHE_DIR", f"~{inside}")
    monkeypatch.chdir(tmp_path)
    assert cache.folder() == Path(f"{tmp_path}{inside}")
    assert not (tmp_path / "~").exists()
