"""Arrays with an axis of length 1 are repeated; for others, code is made that repeats nothing."""

import numpy as np
import pytest
from numba import njit

import srcgrad as sg
from srcgrad.errors import REPEATED, ShapeError

RNG = np.random.default_rng(3)
WEIGHTS = np.linspace(0.5, 1.5, 4)


def leapfrog(x, v, h, n):
    for _ in range(n):
        v = v - h * np.sin(x)
        x = x + h * v
    return np.sum(x**2)


def weighted(x, v, h, n):
    for _ in range(n):
        v = v - h * np.sin(x) * WEIGHTS
        x = x + h * v
    return np.sum(x**2)


def table(a, b, c):
    out = np.zeros((3, 4))
    out[:] = a * b
    out += c
    out[1] = c[0] * a[0]
    return np.sum(np.exp(0.1 * out) * (a - b))


def of(*lengths):
    return [RNG.normal(size=n) for n in lengths]


def numerical(fun, args, k, step=1e-6):
    bar = np.zeros_like(args[k])
    for place in np.ndindex(bar.shape):
        up, down = args[k].copy(), args[k].copy()
        up[place] += step
        down[place] -= step
        bar[place] = fun(*args[:k], up, *args[k + 1 :]) - fun(*args[:k], down, *args[k + 1 :])
    return bar / (2 * step)


def compare(derivative, fun, *args):
    for k, bar in enumerate(derivative(*args)):
        np.testing.assert_allclose(bar, numerical(fun, args, k), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("fun", [leapfrog, weighted])
@pytest.mark.parametrize("lengths", [(4, 4), (1, 4), (4, 1), (1, 1)], ids=str)
def test_loops_over_two_arrays(fun, lengths):
    compare(sg.grad(fun, (0, 1), jit=False), fun, *of(*lengths), 0.1, 3)


@pytest.mark.parametrize("shapes", [((3, 4),) * 3, ((3, 1), (1, 4), (3, 4)), ((1, 4), (3, 4), (1, 1))], ids=str)
def test_tables(shapes):
    args = [RNG.normal(size=shape) for shape in shapes]
    compare(sg.grad(table, (0, 1, 2), jit=False), table, *args)


@pytest.mark.parametrize("shapes", [((3, 4),) * 3, ((3, 1), (1, 4), (3, 4)), ((1, 4), (3, 4), (1, 1))], ids=str)
def test_second_order(shapes):
    args, along = ([RNG.normal(size=shape) for shape in shapes] for _ in range(2))
    slopes = [sg.grad(table, (0, 1, 2), jit=False)(*(a + s * d for a, d in zip(args, along))) for s in (1e-5, -1e-5)]
    for got, up, down in zip(sg.hvp(table, (0, 1, 2), jit=False)(*args, tuple(along)), *slopes):
        np.testing.assert_allclose(got, (up - down) / 2e-5, rtol=1e-6, atol=1e-8)


def test_a_time_step_keeps_one_row_an_array_and_repeats_nothing():
    source = sg.grad(leapfrog, (0, 1)).source_for(*of(4, 4), 0.1, 3)
    assert "append" not in source and "unbroadcast" not in source
    assert source.count("_kept = ") == 1
    assert "unbroadcast" in sg.grad(leapfrog, (0, 1), jit=False).source_for(*of(1, 4), 0.1, 3)


def test_one_derivative_takes_either_by_turns():
    made = sg.grad(leapfrog, (0, 1))
    for lengths in [(4, 4), (1, 4), (4, 4), (4, 1), (5, 5), (1, 1)]:
        compare(made, leapfrog, *of(*lengths), 0.1, 3)
        compare(made, leapfrog, *of(*lengths), 0.1, 3)


def test_a_captured_array_may_come_to_have_one_element(monkeypatch):
    made = sg.grad(weighted, (0, 1), jit=False)
    compare(made, weighted, *of(4, 4), 0.1, 3)
    monkeypatch.setitem(globals(), "WEIGHTS", np.array([0.7]))
    compare(made, weighted, *of(4, 4), 0.1, 3)
    compare(made, weighted, *of(5, 5), 0.1, 3)


@pytest.mark.parametrize("kind", ["jvp", "hvp", "jacobian", "forward", "vjp"])
@pytest.mark.parametrize("length", [4, 1])
def test_every_transformer(kind, length):
    x, v = of(4, length)

    def field(v):
        return x * np.exp(0.1 * v) + v

    def energy(v):
        return np.sum(field(v) ** 2)

    def slope(fun, step=1e-5):
        return (fun(v + step) - fun(v - step)) / (2 * step)

    ones = np.ones(length)
    if kind == "jvp":
        got, want = sg.jvp(field, (v,), (ones,), jit=False)[1], slope(field)
    elif kind == "forward":
        got, want = sg.forward(field, jit=False)(v, ones)[1], slope(field)
    elif kind == "jacobian":
        got, want = sg.jacobian(field, jit=False)(v).sum(axis=1), slope(field)
    elif kind == "vjp":
        got, want = sg.vjp(field, v, jit=False)[1](np.ones(4))[0].sum(), slope(field).sum()
    else:
        got, want = sg.hvp(energy, jit=False)(v, ones), slope(sg.grad(energy, jit=False))
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_lengths_that_do_not_fit_are_told_where_they_meet():
    made = sg.grad(leapfrog, (0, 1), jit=False)
    with pytest.raises(ShapeError, match="v - h"):
        made(*of(3, 4), 0.1, 1)
    x_bar, v_bar = made(*of(3, 4), 0.1, 0)
    assert x_bar.shape == (3,) and not v_bar.any()


def test_what_a_branch_demands_does_not_hold_elsewhere():
    def f(x, v, n):
        u = x * 1.0
        s = 0.0
        for i in range(n):
            if i > 5:
                s += np.sum(x + v)
            s += u[2] * np.sum(u)
            u = v * 2.0
        return s

    compare(sg.grad(f, (0, 1), jit=False), f, *of(4, 3), 3)


def test_a_length_that_a_branch_alone_demands_is_not_that_of_another_array():
    def f(a, b, c, z):
        u = a * z
        if z > 99.0:
            z += np.sum(a - 0.5 * b) + b[3]
        v = c + u
        return z * np.sum(v * v)

    a, b, c = of(4, 3, 4)
    made = sg.grad(f, (0, 1, 2), jit=False)
    compare(lambda *args: made(*args, 0.7), lambda *args: f(*args, 0.7), a, b, c)
    with pytest.raises(ShapeError, match="c [+] u"):
        made(a, b, *of(3), 0.7)


def test_a_module_that_repeats_nothing_says_so():
    made = sg.grad(leapfrog, (0, 1))
    space = {}
    exec(made.source_for(*of(4, 4), 0.1, 3).replace("cache=True", "cache=False"), space)
    with pytest.raises(ValueError, match=REPEATED):
        space["leapfrog_grad"].py_func(*of(1, 4), 0.1, 3)


def test_inside_compiled_code_arrays_are_repeated():
    made = sg.grad(leapfrog, (0, 1))

    @njit
    def both(x, v):
        return made(x, v, 0.1, 2)

    compare(lambda x, v: both(x, v), lambda x, v: leapfrog(x, v, 0.1, 2), *of(1, 3))


def test_explain_speaks_of_the_code_that_runs():
    said = sg.grad(leapfrog, (0, 1)).explain(*of(4, 4), 0.1, 3)
    assert "x_kept: float64, 2-D" in said and "bars" not in said
