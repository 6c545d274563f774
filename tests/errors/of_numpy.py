"""NumPy's functions: without a rule, with an option that is not differentiated, with shapes that cannot be right."""

import math

import numba
import numpy as np
import scipy.special

import srcgrad as sg
from tests.errors.table import Mistakes

mistake = Mistakes()


@mistake
def a_function_without_a_rule():
    def f(x):
        return np.spacing(x)[0]

    sg.grad(f)(np.ones(3))


@mistake
def a_function_of_scipy():
    def f(x):
        return scipy.special.struve(1.0, x)

    sg.grad(f)(2.0)


@mistake
def an_option_of_an_elementwise_function():
    def f(x, y):
        y = np.exp(x, where=x > 0.5)
        return y[0]

    sg.grad(f)(np.ones(3), np.ones(3))


@mistake
def an_option_that_numpy_does_not_have():
    def f(x):
        return np.sum(x, dim=0)

    sg.grad(f)(np.ones(3))


@mistake
def too_many_arguments_for_numpy():
    def f(x):
        return np.sin(x, x, x)

    sg.grad(f)(2.0)


@mistake
def an_axis_that_is_not_there():
    def f(x):
        return np.sum(np.sum(x, axis=2))

    sg.grad(f)(np.ones((2, 3)))


@mistake
def an_axis_that_is_not_known():
    def f(x, axis):
        return np.sum(np.max(x, axis=axis))

    sg.grad(f)(np.ones((2, 3)), 1)


@mistake
def a_function_of_math_and_an_array():
    def f(x):
        return np.sum(math.sin(x))

    sg.grad(f)(np.ones(3))


@mistake
def a_product_of_numbers_by_at():
    def f(x, y):
        return x @ y

    sg.grad(f)(1.0, 2.0)


@mistake
def a_solve_of_a_vector():
    def f(b):
        return np.sum(np.linalg.solve(b, b))

    sg.grad(f)(np.ones(3))


@mistake
def an_inverse_of_a_vector():
    def f(b):
        return np.sum(np.linalg.inv(b))

    sg.grad(f)(np.ones(3))


@mistake
def a_shape_of_floats():
    def f(x, n):
        return np.sum(np.zeros(n) + x)

    sg.grad(f)(1.0, 3.0)


@mistake
def a_dtype_that_is_none():
    def f(x):
        return np.sum(np.zeros(3, dtype="float46")) * x

    sg.grad(f)(1.0)


@mistake
def a_complex_buffer():
    def f(x):
        w = np.zeros(3, dtype=complex)
        return w[0] * x

    sg.grad(f)(1.0)


@mistake
def an_array_cut_down_to_an_integer():
    def f(x):
        return int(x) * 2.0

    sg.grad(f)(np.ones(3))


@mistake
def a_float_of_an_array():
    def f(x):
        return float(x)

    sg.grad(f)(np.ones(3))


@mistake
def a_random_generator():
    rng = np.random.default_rng(0)

    def f(x):
        return x * rng.normal()

    sg.grad(f)(1.0)


@mistake
def a_jitted_helper_without_source():
    space = {"numba": numba}
    exec("@numba.njit\ndef helper(x):\n    return x * x\n", space)
    helper = space["helper"]

    def f(x):
        return helper(x)

    sg.grad(f)(1.0)


@mistake
def a_vectorized_helper():
    helper = np.vectorize(lambda x, n: x**n, excluded=[1])

    def f(x):
        return np.sum(helper(x, 2))

    sg.grad(f)(np.ones(3))


@mistake
def a_long_typed_list_of_numba():
    def f(xs):
        return xs[0] * 2.0

    sg.grad(f)(numba.typed.List([1.0] * 300))


@mistake
def a_reshape_to_two_unknown_lengths():
    def f(x):
        return x.reshape(-1, -1)[0, 0]

    sg.grad(f)(np.ones(4))


@mistake
def rows_of_different_lengths():
    def f(x):
        return np.sum(np.array([[x, x], [x]]))

    sg.grad(f)(1.0)


@mistake
def an_error_of_a_helper():
    def helper(x):
        y = x * 2.0
        return np.nextafter(y, 0.0)[0]

    def middle(x):
        return helper(x) * 3.0

    def f(x):
        return middle(x) + 1.0

    sg.grad(f)(np.ones(3))


@mistake
def an_error_of_a_lambda():
    square = lambda v: v.square()  # noqa: E731

    def f(x):
        return square(x)

    sg.grad(f)(1.0)


@mistake
def copied_into_fewer_axes():
    def f(m):
        row = m[0] * 2.0
        np.copyto(row, m[:1])
        return np.sum(row)

    sg.grad(f)(np.ones((2, 3)))
