"""Functions that a decorator has put around others: what runs is differentiated, whatever `functools.wraps` copied."""

import functools

import numpy as np
import pytest
from numba import njit

import srcgrad as sg
from srcgrad.compiler.fingerprint import fingerprint


def twice(fun):
    @functools.wraps(fun)
    def wrapper(*args, **named):
        return 2.0 * fun(*args, **named)

    return wrapper


def at_five(fun):
    @functools.wraps(fun)
    def wrapper(x):
        return 2.0 * fun(x, 5.0)

    return wrapper


def method_at_five(method):
    @functools.wraps(method)
    def wrapper(self, x):
        return 2.0 * method(self, x, 5.0)

    return wrapper


@twice
def doubled(x, y=3.0):
    return x * x * y


@at_five
def fixed(x, y):
    return x * x * y


@njit
def inner(x, y):
    return x * x * y


@functools.wraps(inner)
def around_jitted(x):
    return 2.0 * inner(x, 1.0)


@functools.wraps(inner)
def around_jitted_alike(x, y):
    return 2.0 * inner(x, y)


slope = sg.grad(lambda x, y: x**3 * y, jit=False)


@functools.wraps(slope)
def around_derivative(x):
    return 2.0 * slope(x, 1.0)


@sg.custom_jvp
def ruled(x, y):
    return x * x * y


ruled.defjvp(lambda primals, tangents: (ruled(*primals), 100.0 * tangents[0]))


@functools.wraps(ruled)
def around_rule(x):
    return 2.0 * ruled(x, 1.0)


class Model:
    """An object that can be called and looks like a jitted function."""

    def __init__(self):
        functools.update_wrapper(self, inner)
        self.k = 2.0

    def __call__(self, x):
        return self.k * inner(x, 1.0)

    @method_at_five
    def energy(self, x, y):
        return self.k * x * x * y


MODEL = Model()
CASES = {
    "star parameters": (doubled, 36.0),
    "fewer parameters": (fixed, 60.0),
    "a jitted function": (around_jitted, 12.0),
    "a derivative": (around_derivative, 36.0),
    "a function with a rule": (around_rule, 200.0),
    "an object": (MODEL, 12.0),
    "a method": (MODEL.energy, 120.0),
    "twice": (twice(twice(fixed)), 240.0),
    "a decorated derivative": (twice(sg.grad(fixed, jit=False)), 40.0),
}


@pytest.mark.parametrize("case", CASES)
def test_what_runs_is_differentiated(case):
    fun, want = CASES[case]
    assert sg.grad(fun, jit=False)(3.0) == want
    assert sg.grad(lambda x: fun(x), jit=False)(3.0) == want
    assert sg.jvp(fun, (3.0,), (1.0,), jit=False)[1] == want


def test_a_wrapper_with_the_parameters_of_the_jitted_function_inside():
    assert sg.grad(around_jitted_alike, (0, 1), jit=False)(3.0, 2.0) == (24.0, 18.0)
    assert sg.vmap(around_jitted, jit=False)(np.arange(3.0)).tolist() == [0.0, 2.0, 8.0]


def test_keywords_go_through_a_wrapper():
    assert sg.grad(doubled, jit=False)(3.0, y=2.0) == 24.0
    assert sg.grad(doubled, (0, 1), jit=False)(3.0, 2.0) == (24.0, 18.0)


@pytest.mark.parametrize("make", [twice, functools.lru_cache, lambda fun: functools.partial(twice(fun), 2.0)])
def test_a_name_that_the_wrapper_has_not_is_refused(make):
    with pytest.raises(sg.ArgumentError):
        sg.grad(make(inner.py_func), argnums="y", jit=False)


def test_wrappers_of_one_library_function_are_told_apart():
    wrappers = [functools.wraps(np.sin)(lambda x, n=n: n * np.sin(x)) for n in (2.0, 3.0)]
    one = functools.wraps(np.sin)(lambda x: 2.0 * np.sin(x))
    other = functools.wraps(np.sin)(lambda x: 3.0 * np.cos(x))
    assert fingerprint(one).hexdigest() != fingerprint(other).hexdigest()
    assert [sg.grad(w, jit=False)(0.0) for w in (*wrappers, one, other)] == [2.0, 3.0, 2.0, 0.0]
