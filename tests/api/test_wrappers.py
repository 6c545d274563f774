"""Functions in wrappers that `functools.wraps` gives the name, the module and the parameters of another."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import srcgrad as sg


def doubled(fun):
    @functools.wraps(fun)
    def wrapper(*args, **kwargs):
        return 2.0 * fun(*args, **kwargs)

    return wrapper


def scaled(factor):
    def decorate(fun):
        @functools.wraps(fun)
        def wrapper(x, *rest):
            return factor * fun(x, *rest)

        return wrapper

    return decorate


@doubled
def square(x):
    return x * x


@doubled
@scaled(3.0)
def product(x, y=2.0):
    return x * x * y


class Model:
    def __init__(self, rate):
        self.rate = rate

    @scaled(2.0)
    def starred(self, y):
        return self.rate * y * y

    @property
    @doubled
    def twice(self):
        return self.rate


def plain(*args, **options):
    return sg.grad(*args, jit=False, cache=False, **options)


def test_wrappers():
    assert plain(square)(3.0) == 12.0
    assert plain(product)(1.0) == 24.0
    assert plain(product)(1.0, 3.0) == 36.0
    assert plain(product, argnums=1)(1.0, 3.0) == 6.0
    assert plain(lambda x: square(x) + product(x, 1.0))(1.0) == 4.0 + 12.0
    assert plain(lambda x: Model(x).twice)(1.0) == 2.0
    assert sg.jvp(square, (3.0,), (1.0,), jit=False) == (18.0, 12.0)
    assert sg.vjp(square, 3.0, jit=False)[1](1.0) == (12.0,)
    assert sg.newton(lambda x: square(x) - 8.0, 1.0, jit=False).x == pytest.approx(2.0)
    assert plain(lambda x: x * Model(3.0).starred(x))(1.0) == 18.0
    assert plain(Model(3.0).starred)(1.0) == 12.0


def test_a_wrapper_with_its_own_parameters():
    @functools.wraps(product)
    def other(z):
        return z * z * z

    assert plain(other)(1.0) == plain(other, argnums="z")(1.0) == 3.0


def test_a_wrapper_under_a_librarys_name_is_not_mistaken_for_the_librarys():
    def linear(factor):
        @functools.wraps(np.linalg.norm)
        def norm(x):
            return factor * x

        return norm

    def quadratic(factor):
        @functools.wraps(np.linalg.norm)
        def norm(x):
            return factor * x * x

        return norm

    assert sg.grad(linear(2.0), jit=False)(3.0) == 2.0
    assert sg.grad(quadratic(2.0), jit=False)(3.0) == 12.0


def test_cached_and_dispatched_functions_are_refused_or_right():
    cached = functools.lru_cache(lambda x: x * x)
    with pytest.raises(sg.SrcgradError, match="__wrapped__"):
        plain(cached)(1.0)
    assert plain(cached.__wrapped__)(1.0) == 2.0
