"""Slices of several arrays meet: what is left of long axes is not repeated, and lengths that differ are refused."""

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import find_or_make
from srcgrad.errors import ShapeError

RNG = np.random.default_rng(3)
WEIGHTS = np.array([0.5, -1.0, 2.0, 0.3, 1.5])


def jacobi(a0, b0):
    a = a0.copy()
    b = b0.copy()
    for _ in range(2):
        b[1:-1] = 0.3 * (a[:-2] + a[1:-1] + a[2:] ** 2)
        a[1:-1] = 0.3 * (b[:-2] + b[1:-1] + b[2:])
    return np.sum(a * a)


def staggered(p, v):
    """v is longer than p by one."""
    v = v.copy()
    v[1:-1] -= 0.5 * (p[1:] - p[:-1])
    return np.sum(p * (v[1:] - v[:-1]) ** 2)


def product(x, y):
    return np.sum(x[1:-1] * y[2:] + np.sin(x[:-2]))


def outer_rows(x, y):
    return np.sum(x[1:, None] * x[None, 1:] * y[:-1])


def added(x, y):
    y = y.copy()
    y[2:] += x[:-2]
    return np.sum(y**3)


def captured(x, y):
    return np.sum(WEIGHTS[1:] * x[:-1]) + np.sum(y)


def chosen(x, y):
    return np.sum(np.where(x[1:] > y[:-1], x[1:] * y[1:], y[:-1] ** 2))


LENGTHS = [(5, 5), (4, 4), (3, 3), (2, 2), (6, 5), (5, 6), (3, 5), (5, 3), (2, 5), (5, 2), (2, 3), (3, 2)]
FUNCTIONS = [jacobi, staggered, product, outer_rows, added, captured, chosen]


def numerical(fun, args, step=1e-6):
    out = []
    for k, x in enumerate(args):
        bar = np.zeros_like(x)
        for place in np.ndindex(x.shape):
            up, down = x.copy(), x.copy()
            up[place] += step
            down[place] -= step
            bar[place] = (fun(*args[:k], up, *args[k + 1 :]) - fun(*args[:k], down, *args[k + 1 :])) / (2 * step)
        out.append(bar)
    return out


def compare(made, fun, lengths):
    args = [RNG.normal(size=n) for n in lengths]
    try:
        wanted = fun(*args)
    except ValueError:
        with pytest.raises(ValueError):
            made(*args)
        return
    value, bars = made(*args)
    np.testing.assert_allclose(value, wanted, rtol=1e-13)
    for got, expected in zip(bars, numerical(fun, args), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("fun", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("loops", [False, True], ids=["arrays", "loops"])
def test_all_lengths(fun, loops, monkeypatch):
    """Those that fit, those that are repeated, and those that NumPy refuses, by turns."""
    monkeypatch.setitem(find_or_make.UNJITTED, "loops", loops)
    made = sg.value_and_grad(fun, (0, 1), jit=False)
    for lengths in LENGTHS:
        compare(made, fun, lengths)


def test_compiled():
    made = sg.value_and_grad(jacobi, (0, 1))
    for lengths in LENGTHS:
        compare(made, jacobi, lengths)


def test_a_mapped_function():
    x, y = RNG.normal(size=(4, 5)), RNG.normal(size=(5, 4))
    made = sg.vmap(product, in_axes=(0, 1), jit=False)
    np.testing.assert_allclose(made(x, y), [product(a, b) for a, b in zip(x, y.T, strict=True)])
    np.testing.assert_allclose(made(x[:, :3], y[:3]), [product(a, b) for a, b in zip(x[:, :3], y.T[:, :3])])
    np.testing.assert_allclose(made(x[:, :4], y[:3]), [product(a, b) for a, b in zip(x[:, :4], y.T[:, :3])])
    with pytest.raises(ValueError):
        made(x, y[:4])


def test_the_line_is_told():
    with pytest.raises(ShapeError, match=r"b\[1:-1\] = .* do not fit together"):
        sg.grad(jacobi, (0, 1), jit=False)(np.ones(7), np.ones(3))


def test_nothing_is_repeated():
    long = sg.grad(jacobi, (0, 1)).source_for(np.ones(7), np.ones(7))
    assert "== 1" not in long and "negative dimensions" not in long and "a0.shape[0]" in long
    short = sg.grad(jacobi, (0, 1)).source_for(np.ones(3), np.ones(3))
    assert "== 1" in short


def test_a_saved_module_takes_short_arrays_too(tmp_path):
    made = sg.grad(jacobi, (0, 1), jit=False)
    made.save(tmp_path / "saved.py", np.ones(7), np.ones(7))
    space: dict[str, object] = {}
    exec((tmp_path / "saved.py").read_text(), space)
    for n in (7, 3):
        args = RNG.normal(size=n), RNG.normal(size=n)
        for got, wanted in zip(space["jacobi_grad"](*args), made(*args), strict=True):
            np.testing.assert_array_equal(got, wanted)


def swept(x, n):
    p = np.zeros((n, n))
    p[0] = x
    for _ in range(3):
        pn = p.copy()
        p[1:-1, 1:-1] = 0.25 * (pn[1:-1, 2:] + pn[1:-1, :-2] + pn[2:, 1:-1] + pn[:-2, 1:-1])
        p[:, 0] = p[:, 1]
        p[-1, :] = pn[0, :] * p[0, 0]
    return np.sum(p * p)


@pytest.mark.parametrize("n", [4, 3, 2])
@pytest.mark.parametrize("loops", [False, True], ids=["arrays", "loops"])
def test_memory_of_a_length_that_is_given(n, loops, monkeypatch):
    """It was made, so that the length is not negative, and what is made anew is as long."""
    monkeypatch.setitem(find_or_make.UNJITTED, "loops", loops)
    made = sg.value_and_grad(swept, jit=False)
    x = RNG.normal(size=n)
    value, bar = made(x, n)
    assert value == pytest.approx(swept(x, n), rel=1e-13)
    np.testing.assert_allclose(bar, numerical(lambda x: swept(x, n), [x])[0], rtol=1e-6, atol=1e-8)
    source = made.source_for(np.ones(4), 4)
    assert "== 1" not in source and "negative dimensions" not in source
    with pytest.raises(ValueError, match="negative"):
        made(x, -1)
