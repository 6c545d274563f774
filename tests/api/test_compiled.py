"""`compiled`: the function itself by the same pipeline, in all the ways that a derivative can be made and used."""

import functools
import importlib.util
import math
import pickle
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from numba import njit

import srcgrad as sg
from tests.api.helpers import plain

X = np.array([1.0, 2.0, 3.0])
RATE = 3.0
TABLE = np.array([1.0, 10.0])


class Pair(NamedTuple):
    a: float
    b: np.ndarray


@dataclass
class State:
    a: float
    b: np.ndarray


class Model:
    def __init__(self, w):
        self.w = w

    def apply(self, x):
        return self.w * x

    @sg.compiled(jit=False)
    def predict(self, x):
        return self.w * x


def cubic(x):
    return np.sum(x**3)


def overwrite(x):
    x[0] = 5.0 * x[1]
    return x


def stretched(x, n=2, *, by=1.0):
    return by * x[:n].sum()


@sg.compiled(jit=False)
def decorated(x):
    return x + 1


def factorial(n):
    return 1 if n <= 1 else n * factorial(n - 1)


def told(x):
    print("told", x)
    if x > 3.0:
        raise ValueError(f"{x} is too large")
    return x


def same(got, expected):
    """Equal, of the same classes and dtypes down to the leaves; where NumPy has numbers like Python's, Python's."""
    if isinstance(expected, (np.float64, np.int64, np.bool_)):
        expected = expected.item()
    assert type(got) is type(expected)
    if isinstance(got, np.ndarray):
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected)
    elif isinstance(got, dict):
        assert list(got) == list(expected)
        same(list(got.values()), list(expected.values()))
    elif isinstance(got, (tuple, list)):
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            same(one, other)
    elif hasattr(got, "__dataclass_fields__"):
        same(vars(got), vars(expected))
    else:
        assert got == expected


# what is computed, of what arguments; Python's own call is the reference
CASES = {
    "float": (lambda x: math.sin(x), 2.0),
    "integer": (lambda n: n * 2 + 1, 3),
    "integer division": (lambda a, b: (a // b, a % b), -7, 2),
    "boolean": (lambda n: not n, True),
    "comparison of floats": (lambda x: x > 2.0, 3.0),
    "float32": (lambda x: x * 2, np.float32(2.0)),
    "complex": (lambda z: z * 1j, 1.0 + 2.0j),
    "float32 array": (lambda x: x * 2, X.astype(np.float32)),
    "integer array": (lambda n: n * n, np.arange(3)),
    "int32 array": (lambda n: n + n, np.arange(3, dtype=np.int32)),
    "boolean array": (lambda m: ~m, np.array([True, False])),
    "comparison of arrays": (lambda x: x > 2.0, X),
    "length and shape": (lambda x: (len(x), x.shape), X),
    "string": (lambda x, how: "odd" if how == "a" else x, 2.0, "b"),
    "a string returned": (lambda x: ("name", x), 2.0),
    "none": (lambda x: (x, None), 2.0),
    "nothing": (lambda x: None, 2.0),
    "no parameters": (lambda: (3, 2.0),),
    "an array of no parameters": (lambda: np.ones(3),),
    "named tuple": (lambda p: Pair(p.a * 2, p.b + 1), Pair(1.0, X)),
    "dataclass": (lambda p: State(p.a * 2, p.b + 1), State(1.0, X)),
    "dict": (lambda p: {"w": p["w"] * 2, "n": 3}, {"w": X}),
    "list": (lambda p: [q * 2 for q in p], [X, 2.0, 3]),
    "star": (lambda *xs: xs[0] * xs[2], 1.0, 2, 3),
    "recursion": (factorial, 5),
    "default": (stretched, X),
    "captured": (lambda x: RATE * x + TABLE[1], 2.0),
    "strided": (lambda a: a[0], np.arange(12.0).reshape(3, 4)[:, ::2]),
    "reversed": (lambda a: a, X[::-1]),
    "an axis of length 1": (lambda a, b: a + b, X, np.ones(1)),
    "zero lengths": (lambda a: (a * 2, a.size), np.ones((0, 3))),
}


@pytest.mark.parametrize("case", CASES)
def test_it_gives_what_the_function_gives(case):
    fun, *args = CASES[case]
    same(plain(sg.compiled, fun)(*args), fun(*args))


def test_the_compiled_code_gives_the_same():
    def several(x, n):
        return x * n, n > 2, n + 1, x[0], np.argmax(x)

    same(sg.compiled(several)(X, 3), several(X, 3))
    np.testing.assert_array_equal(sg.compiled(overwrite)(X), [10.0, 2.0, 3.0])
    np.testing.assert_array_equal(X, [1.0, 2.0, 3.0])


def test_keywords_defaults_and_annotations():
    made = plain(sg.compiled, stretched)
    assert made(X) == 3.0
    assert made(X, 3, by=2.0) == made(x=X, n=3, by=2.0) == 12.0
    with pytest.raises(sg.ArgumentError, match="no parameter `m`"):
        made(X, m=3)

    def annotated(x: np.ndarray, n: int):
        return x[n]

    assert "x[n]" in plain(sg.compiled, annotated).source


def test_methods_closures_and_partials():
    model = Model(2.0)
    bound = plain(sg.compiled, model.apply)
    assert model.predict(3.0) == bound(3.0) == 6.0
    model.w = 5.0
    assert model.predict(3.0) == bound(3.0) == 15.0

    def closed(w):
        return sg.compiled(lambda x: w * x, jit=False)

    assert [closed(w)(2.0) for w in (1.0, 2.0)] == [2.0, 4.0]
    assert sg.compiled(functools.partial(lambda a, b: a - b, 2.0), jit=False)(3.0) == -1.0


def test_captured_values_are_read_at_each_call(monkeypatch):
    made = plain(sg.compiled, lambda x: RATE * x + TABLE[0])
    assert made(2.0) == 7.0
    monkeypatch.setitem(globals(), "RATE", 10.0)
    monkeypatch.setitem(globals(), "TABLE", np.array([5.0, 0.0, 0.0]))
    assert made(2.0) == 25.0


def added(p):
    p.append(2.0)
    return p


def renamed(p):
    p["a"] = 3.0
    return p


def emptied(p):
    p["a"][:] = 0.0
    return p


def sorted_(x):
    x.sort()
    return x


@pytest.mark.parametrize(
    ("fun", "arg"),
    [(overwrite, X), (sorted_, X[::-1]), (added, [1.0]), (renamed, {"a": 1.0}), (emptied, {"a": X})],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_a_call_leaves_its_arguments_as_they_are(fun, arg):
    was, theirs = pickle.loads(pickle.dumps(arg)), pickle.loads(pickle.dumps(arg))
    got = plain(sg.compiled, fun)(arg)
    same(got, fun(theirs))
    same(arg, was)


def identity(x):
    return x


def tail(x):
    return x[1:]


def twice(x):
    return x, x


def table():
    return TABLE


def test_results_share_no_memory_with_arguments():
    for fun in (identity, tail, twice):
        got = plain(sg.compiled, fun)(X)
        assert not any(np.shares_memory(r, X) for r in (got if isinstance(got, tuple) else (got,)))
    assert not np.shares_memory(plain(sg.compiled, table)(), TABLE)
    assert not np.shares_memory(sg.compiled(identity)(X), X)


def test_a_value_inside_a_differentiated_function_is_its_own_too():
    inner = plain(sg.compiled, identity)

    def outer(x):
        y = inner(x)
        y[0] = 10.0
        return np.sum(y * x)

    assert outer(X) == plain(sg.compiled, outer)(X) == 23.0
    np.testing.assert_array_equal(plain(sg.grad, outer)(X), [10.0, 4.0, 6.0])


def zeroed(x):
    x[:] = 0.0


def shifted(n, p):
    p["w"][n] = 1.0


def counted(n, p):
    p["n"] = n


@pytest.mark.parametrize(
    ("fun", "args", "said"),
    [
        (zeroed, (X,), "writes into `x`"),
        (shifted, (0, {"w": X}), "writes into `p`"),
        (counted, (1, {"n": 0}), "changes an argument in place"),
    ],
)
def test_a_function_that_only_writes_into_its_arguments_is_refused(fun, args, said):
    with pytest.raises(sg.ArgumentError, match=f"{said} and returns nothing") as caught:
        plain(sg.compiled, fun)(*args)
    assert f"def {fun.__name__}(" in str(caught.value)


def test_prints_and_raises_happen_once_in_order(capsys):
    made = plain(sg.compiled, told)
    assert made(2.0) == 2.0
    assert capsys.readouterr().out == "told 2.0\n"
    with pytest.raises(ValueError, match=r"^4.0 is too large$"):
        made(4.0)
    assert capsys.readouterr().out == "told 4.0\n"


def outside(x):
    return x[5]


def unlike(x):
    return x + np.ones(2)


def divided(n):
    return 1 // n


def unsupported(x):
    with open("f"):
        return x


@pytest.mark.parametrize(
    ("fun", "arg", "kind", "line"),
    [
        (outside, X, sg.OutOfRangeError, "return x[5]"),
        (unlike, X, sg.ShapeError, "return x + np.ones(2)"),
        (divided, 0, sg.DivisionError, "return 1 // n"),
        (unsupported, X, sg.UnsupportedError, 'with open("f"):'),
    ],
)
def test_errors_show_the_users_line(fun, arg, kind, line):
    with pytest.raises(kind) as caught:
        plain(sg.compiled, fun)(arg)
    assert line in str(caught.value) and "^" in str(caught.value) and "test_compiled.py" in str(caught.value)


def test_misuse_is_refused():
    with pytest.raises(sg.ArgumentError, match="no option `argnums`"):
        sg.compiled(cubic, argnums=0)
    with pytest.raises(sg.ArgumentError, match="not a function"):
        sg.compiled(3.0)
    with pytest.raises(sg.ArgumentError, match="target="):
        sg.compiled(cubic, target="tpu")

    def two(a, b):
        a[0] = 1.0
        return a + b

    with pytest.raises(sg.ArgumentError, match="shares memory"):
        plain(sg.compiled, two)(X, X)


def test_its_source_runs_alone(tmp_path):
    made = plain(sg.compiled, cubic)
    source = made.source_for(X)
    assert "np.sum(x ** 3)" in source and "srcgrad" not in source
    made.save(tmp_path / "saved_cubic.py", X)
    spec = importlib.util.spec_from_file_location("saved_cubic", tmp_path / "saved_cubic.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.cubic(X) == module.cubic(np.ones((36, 1))[:, 0]) == 36.0
    assert (made.__name__, made.primal, repr(made)) == ("cubic_value", cubic, "<srcgrad value of cubic>")


def test_explain_speaks_of_no_derivative():
    said = plain(sg.compiled, overwrite).explain(X)
    assert "x: float64, 1-D: copied, since the function writes into it" in said
    assert "a call" in said
    assert not any(word in said for word in ("active", "derivative", "reverse sweep"))
    assert "RATE: read from around the function at each call" in plain(sg.compiled, lambda n: RATE * n).explain(3)
    slope = plain(sg.compiled, plain(sg.grad, product)).explain(X, 3)
    assert "kept for the reverse sweep" in slope


def product(x, n):
    s = 1.0
    for i in range(n):
        s = s * math.sin(x[i])
    return s


def test_it_pickles():
    assert pickle.loads(pickle.dumps(plain(sg.compiled, cubic)))(X) == 36.0
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    assert decorated(1) == 2 and type(decorated(1)) is int


def test_transformers_and_solvers_take_one():
    made = plain(sg.compiled, cubic)
    np.testing.assert_allclose(plain(sg.grad, made)(X), 3 * X**2)
    np.testing.assert_allclose(plain(sg.hessian, made)(X), np.diag(6 * X))
    np.testing.assert_allclose(plain(sg.compiled, sg.grad(cubic))(X), 3 * X**2)
    assert plain(sg.compiled, made)(X) == 36.0
    assert sg.jvp(made, (X,), (X,), jit=False) == (36.0, 108.0)
    np.testing.assert_array_equal(plain(sg.vmap, made)(np.array([X, X])), [36.0, 36.0])
    np.testing.assert_array_equal(plain(sg.vmap, sg.compiled(lambda n: n * 2))(np.arange(3)), [0, 2, 4])
    assert sg.newton(sg.compiled(lambda x: math.cos(x) - x), 1.0).x == pytest.approx(0.7390851332151607)


def test_compiled_callers_use_it():
    made, value, said = sg.compiled(overwrite), sg.compiled(lambda p, n: (p[0] + n, n)), sg.compiled(told)

    @njit
    def caller(x):
        y = made(x)
        y[1] = 7.0
        total, n = value((x[0], 1.0), 3)
        return y, total, n, said(x[2])

    same(caller(X), (np.array([10.0, 7.0, 3.0]), 4.0, 3, 3.0))
    np.testing.assert_array_equal(X, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="too large"):
        caller(4.0 * X)
