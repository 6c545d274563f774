"""Memory: what is written where, and names that stand for different arrays."""

import numpy as np

import srcgrad as sg
from tests.errors.table import Mistakes

mistake = Mistakes()
TABLE = np.ones(3)


@mistake
def a_float_into_an_integer_array():
    def f(x):
        counts = np.array([1, 2, 3])
        counts[0] = x
        return counts[0] * x

    sg.grad(f)(1.5)


@mistake
def a_float_added_to_an_integer_array():
    def f(x, counts):
        counts += x
        return counts[0] * x

    sg.grad(f)(1.5, np.arange(3))


@mistake
def two_ranks_of_one_name():
    def f(a, m, x):
        if x > 0.0:
            b = a
        else:
            b = m
        return np.sum(b) * x

    sg.grad(f, argnums="x")(np.ones(3), np.ones((2, 2)), 1.0)


@mistake
def two_dtypes_of_one_name():
    def f(x, n):
        if n > 1:
            w = np.array([1, 2, 3])
        else:
            w = np.zeros(3)
        return w[0] * x

    sg.grad(f)(1.0, 2)


@mistake
def an_array_and_a_number_of_one_name():
    def f(x, flag):
        y = x if flag > 0 else 0.0
        return np.sum(y)

    sg.grad(f)(np.ones(3), 1)


@mistake
def a_rank_that_changes_in_a_loop():
    def f(x, n):
        y = x
        for i in range(n):
            y = np.array([y, y])
        return np.sum(y)

    sg.grad(f)(np.ones(3), 2)


@mistake
def an_array_in_an_element():
    def f(x):
        w = np.zeros(3)
        w[0] = x
        return w[0]

    sg.grad(f)(np.ones(3))


@mistake
def a_write_to_an_array_of_the_module():
    def f(x):
        TABLE[0] = x
        return np.sum(TABLE)

    sg.grad(f)(1.0)


@mistake
def a_float_index():
    def f(x, t):
        return x[t / 2]

    sg.grad(f)(np.ones(3), 2.0)


@mistake
def a_bool_index():
    def f(x):
        return x[x[0] > 0.0]

    sg.grad(f)(np.ones(3))


@mistake
def an_array_of_floats_as_index():
    def f(x, places):
        return np.sum(x[places])

    sg.grad(f)(np.ones(3), np.ones(2))


@mistake
def a_text_as_index():
    def f(x):
        return x["a"]

    sg.grad(f)(np.ones(3))


@mistake
def too_many_indices():
    def f(x):
        x[0, 0] = 1.0
        return x[0]

    sg.grad(f)(np.ones(3))


@mistake
def an_element_of_a_number():
    def f(x):
        x[0] = 1.0
        return x

    sg.grad(f)(2.0)


@mistake
def an_attribute_of_an_array_written():
    def f(x):
        x.shape = (2, 2)
        return x[0, 0]

    sg.grad(f)(np.ones(4))


@mistake
def recursion_that_writes():
    def shifted(a, n):
        if n > 0:
            a[n] = a[n - 1] * 2.0
            shifted(a, n - 1)
        return a

    def f(a):
        return np.sum(shifted(a, 3))

    sg.grad(f)(np.ones(4))


@mistake
def a_reshape_that_may_be_a_view():
    def f(m):
        flat = m.T.reshape(-1)
        flat[0] = 2.0
        return np.sum(m)

    sg.grad(f)(np.ones((2, 3)))


@mistake
def two_array_indices_with_a_slice_between():
    def f(x, i):
        return np.sum(x[i, :, i])

    sg.grad(f)(np.ones((2, 2, 2)), np.array([0, 1]))


@mistake
def a_new_axis_written():
    def f(x):
        w = np.zeros(3)
        w[:, None] = x
        return w[0]

    sg.grad(f)(1.0)


@mistake
def an_expression_written():
    def f(x):
        (x * 2.0)[0] = 3.0
        return x[0]

    sg.grad(f)(np.ones(3))
