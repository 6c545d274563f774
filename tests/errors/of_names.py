"""Names and attributes that are misspelt, missing, or not bound where they are read."""

import math

import numpy as np

import srcgrad as sg
from tests.errors.table import Mistakes

mistake = Mistakes()


@mistake
def a_misspelt_function_of_numpy():
    def f(x):
        return np.sinn(x)

    sg.grad(f)(1.0)


@mistake
def a_misspelt_function_of_math():
    def f(x):
        return math.squrt(x)

    sg.grad(f)(1.0)


@mistake
def a_misspelt_submodule():
    def f(x):
        return np.linag.norm(x)

    sg.grad(f)(np.ones(3))


@mistake
def a_misspelt_method():
    def f(x):
        return x.summ()

    sg.grad(f)(np.ones(3))


@mistake
def a_misspelt_attribute():
    def f(x):
        return x[0] * x.shap[0]

    sg.grad(f)(np.ones(3))


@mistake
def a_method_of_a_number():
    def f(x):
        return x.sqrt()

    sg.grad(f)(2.0)


@mistake
def a_method_that_is_not_called():
    def f(x):
        return x.sum * 2.0

    sg.grad(f)(np.ones(3))


@mistake
def a_method_of_torch():
    def f(x):
        return x.pow(2).sum()

    sg.grad(f)(np.ones(3))


@mistake
def a_misspelt_name():
    def f(x, weight):
        y = x * wieght
        return y * y

    sg.grad(f)(1.0, 2.0)


@mistake
def a_name_that_is_nowhere():
    def f(x):
        return x * completely_unknown

    sg.grad(f)(1.0)


@mistake
def a_name_read_before_it_is_bound():
    def f(x):
        y = x + total
        total = y * 2.0
        return total

    sg.grad(f)(1.0)


@mistake
def an_array_bound_in_one_branch():
    def f(x, a):
        if x > 0.0:
            w = a * x
        return np.sum(w)

    sg.grad(f, jit=False)(-1.0, np.ones(3))


@mistake
def an_array_bound_in_a_loop():
    def f(x, a, n):
        for i in range(n):
            w = a * x
        return np.sum(w)

    sg.grad(f, jit=False)(1.0, np.ones(3), 0)


@mistake
def a_list_bound_in_one_branch():
    def f(x, n):
        if x > 0.0:
            w = [x * k for k in range(n)]
        return w[0]

    sg.grad(f)(1.0, 4)


@mistake
def a_number_that_is_none():
    def f(x, n):
        best = None
        for i in range(n):
            if best is None or x * i < best:
                best = x * i
        return best + 1.0

    sg.grad(f, jit=False)(1.0, 0)


@mistake
def a_name_of_a_comprehension():
    def f(xs):
        ys = [x * x for x in xs]
        return ys[0] * x

    sg.grad(f)((1.0, 2.0))


@mistake
def a_cell_without_a_value():
    def f(x):
        return x * later

    sg.grad(f)(1.0)
    later = 2.0


@mistake
def a_misspelt_field():
    from typing import NamedTuple

    class Point(NamedTuple):
        left: float
        right: float

    def f(p):
        return p.left * p.rigth

    sg.grad(f)(Point(1.0, 2.0))


@mistake
def a_misspelt_keyword_of_a_helper():
    def scaled(x, factor=2.0):
        return x * factor

    def f(x):
        return scaled(x, facter=3.0)

    sg.grad(f)(1.0)


@mistake
def arguments_that_do_not_fit_a_helper():
    def scaled(x, factor):
        return x * factor

    def f(x):
        return scaled(x)

    sg.grad(f)(1.0)


@mistake
def too_many_arguments_for_a_helper():
    def scaled(x, factor):
        return x * factor

    def f(x):
        return scaled(x, 1.0, 2.0)

    sg.grad(f)(1.0)


@mistake
def several_mistakes_at_once():
    def f(x, a):
        y = np.sinn(a)
        z = undefined_name * x
        for i in range(3):
            a[i, 0] = x
        return x * np.cosh(a, where=a > 0.0)[0]

    sg.grad(f)(1.0, np.ones(3))
