"""The source before the first call, and modules that are saved."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

import srcgrad as sg
from tests.api.test_lengths_of_one import leapfrog, numerical, of, table

X = np.array([0.3, 0.8, -0.4])


def by_place(x):
    return np.sum(x[0] * x)


def by_product(x):
    return x @ x


def by_length(x):
    s = 0.0
    for i in range(len(x)):
        s += x[i] ** 2
    return s


def by_key(p):
    return p["a"] * 2.0


def by_axis(x, w):
    return np.sum(x[:, 0] * w)


def by_shape(x):
    return np.sum(x) / x.shape[0]


@pytest.mark.parametrize("fun", [by_place, by_product, by_length, by_key, by_axis, by_shape])
@pytest.mark.parametrize("make", [sg.grad, sg.value_and_grad])
def test_before_the_first_call_unknown_types_are_told(fun, make, tmp_path):
    made = make(fun, jit=False)
    for ask in (lambda: made.source, lambda: made.save(tmp_path / "m.py")):
        with pytest.raises(sg.ArgumentError) as caught:
            ask()
        told = str(caught.value)
        assert "not known before the first call" in told
        assert "call it first" in told and "annotate" in told and "source_for(" in told
        assert "int(" not in told and "arrays, not scalars" not in told
    assert not (tmp_path / "m.py").exists()


def test_each_of_the_three_ways_out_works(tmp_path):
    def annotated(x: np.ndarray):
        return x @ x

    made = sg.grad(annotated, jit=False)
    assert "def annotated_grad" in made.source
    made = sg.grad(by_product, jit=False)
    assert "def by_product_grad" in made.source_for(X)
    made = sg.grad(by_product, jit=False)
    made(X)
    assert "def by_product_grad" in made.source
    made.save(tmp_path / "m.py")
    np.testing.assert_allclose(loaded(tmp_path / "m.py").by_product_grad(X), 2 * X)


def test_a_function_of_floats_needs_no_call():
    assert "3.0 * x" in sg.grad(lambda x: x**3, jit=False).source
    with pytest.raises(sg.UnsupportedError, match="outside the language"):
        print(sg.grad(asynchronous, jit=False).source)


def asynchronous(x: float):
    async def later():
        return x

    return x


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_several_signatures(tmp_path):
    made = sg.grad(by_product, jit=False)
    made(X)
    made(X.astype(np.float32))
    with pytest.raises(sg.ArgumentError, match="2 different types"):
        made.save(tmp_path / "m.py")
    made.save(tmp_path / "m.py", X.astype(np.float32))
    assert "float32" in (tmp_path / "m.py").read_text().split("\n")[0]
    made.save(tmp_path / "m.py", X)
    assert "float64" in (tmp_path / "m.py").read_text().split("\n")[0]


def test_a_saved_module_serves_arrays_with_axes_of_length_1(tmp_path):
    made = sg.grad(leapfrog, (0, 1), jit=False)
    made.save(tmp_path / "steps.py", *of(4, 4), 0.1, 3)
    fun = loaded(tmp_path / "steps.py").leapfrog_grad
    for lengths in [(4, 4), (1, 4), (4, 1), (1, 1)]:
        args = [*of(*lengths), 0.1, 3]
        for k, bar in enumerate(fun(*args)):
            np.testing.assert_allclose(bar, numerical(leapfrog, args, k), rtol=1e-6, atol=1e-8)


def inner_sum(a, n):
    if n == 0:
        return np.sum(a)
    return inner_sum(np.sin(a), n - 1) + np.sum(a)


def with_recursion(x, v):
    return inner_sum(x * v, 2) * inner_sum(v, 1)


def stacks(a, b):
    return np.sum(np.sin(a @ b))


CASES = {
    "tables": (table, (0, 1, 2), [(3, 4), (3, 4), (3, 4)], [(3, 1), (1, 4), (3, 4)]),
    "recursion": (with_recursion, (0, 1), [(4,), (4,)], [(1,), (4,)]),
    "stacks": (stacks, (0, 1), [(2, 2, 3), (2, 3, 2)], [(2, 2, 3), (1, 3, 2)]),
    "one axis": (lambda x: np.sum(np.outer(x, x)), (0,), [(3,)], [(1,)]),
    "two of one": (lambda x, y: np.sum(x * y) * np.sum(x), (0, 1), [(3, 1), (3, 1)], [(3, 3), (3, 1)]),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("first", [0, 1])
def test_both_kinds_of_shapes_whichever_the_module_was_saved_for(case, first, tmp_path):
    fun, argnums, *shapes = CASES[case]
    made = sg.grad(fun, argnums, jit=False)
    made.save(tmp_path / "m.py", *(np.ones(s) for s in shapes[first]))
    module = loaded(tmp_path / "m.py")
    got_of = getattr(module, made.__name__)
    for group in shapes:
        args = [np.random.default_rng(3).normal(size=s) for s in group]
        got = got_of(*args)
        for k, bar in enumerate(got if isinstance(got, tuple) else (got,)):
            np.testing.assert_allclose(bar, numerical(fun, args, k), rtol=1e-6, atol=1e-7)


def test_the_compiled_module_needs_what_its_head_says(tmp_path):
    made = sg.grad(leapfrog, (0, 1))
    made.save(tmp_path / "steps.py", *of(4, 4), 0.1, 3)
    text = (tmp_path / "steps.py").read_text()
    assert "It needs NumPy and Numba." in text and "SciPy" not in text
    code = (
        "import sys, numpy as np\n"
        "sys.modules['srcgrad'] = sys.modules['scipy'] = None\n"
        "import steps\n"
        "for n, m in ((4, 4), (1, 4)):\n"
        "    a, b = steps.leapfrog_grad(np.full(n, 0.3), np.full(m, 0.2), 0.1, 3)\n"
        "    assert a.shape == (n,) and b.shape == (m,)\n"
        "print('fine')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert run.stdout == "fine\n", run.stderr


PRODUCTS = [
    (lambda a, x: x @ a @ x, (np.eye(3), X), True),
    (lambda x: np.dot(x, x), (X,), False),
    (lambda a, x: np.sum(np.linalg.inv(a) * x), (np.eye(3), X), True),
    (lambda x: np.sum(x * x), (X,), False),
    (lambda x: x * x, (2.0,), False),
]


@pytest.mark.parametrize("fun, args, scipy", PRODUCTS)
def test_scipy_is_named_where_numba_needs_it(fun, args, scipy, tmp_path):
    made = sg.value_and_grad(fun)
    made.save(tmp_path / "m.py", *args)
    assert ("SciPy" in (tmp_path / "m.py").read_text().split('"""')[1]) == scipy
