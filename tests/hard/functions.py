"""Functions that call functions: helpers that write, closures, defaults, recursion, functions as arguments."""

import math
from math import exp

import numba
import numpy as np

from tests.hard.table import Table, matrix, scalar, vector
from tests.hard.table import const as number

FUNCTIONS = Table("functions, captures, recursion")
case = FUNCTIONS.case
RATE = 0.37
ORDER = 3
TABLE = np.array([0.2, 0.5, -0.3])


def saxpy(a, y, z):
    for i in range(len(y)):
        y[i] = y[i] + a * z[i]


def norm2(y):
    s = 0.0
    for i in range(len(y)):
        s += y[i] * y[i]
    if s > 100.0:
        return 1.0
    return math.sqrt(s)


@case(scalar(), vector(), vector(), jit=True)
def helper_mutates(x, a, b):
    saxpy(x, a, b)
    s = norm2(a)
    saxpy(s, b, a)
    saxpy(s, b, b)
    return norm2(b) * s


@case(scalar(), vector(6))
def helper_given_views(x, a):
    saxpy(x, a[1:4], a[:3])
    saxpy(x, a[::2], a[1::2])
    return a


def scaled_row(m, i, factor=2.0, *, shift=0.1):
    row = m[i]
    row *= factor
    return row + shift


@case(scalar(), matrix(3))
def defaults_and_keywords(x, m):
    p = scaled_row(m, 0)
    q = scaled_row(m, 1, x, shift=x * x)
    r = scaled_row(i=2, m=m, factor=p[0])
    return p * q * r, m


def pick(a, b, first):
    return a if first else b


@case(scalar(), vector(3), vector(3))
def helper_returns_argument(x, a, b):
    c = pick(a, b, True)
    d = pick(a, b, x > 10.0)
    c[0] = x * d[1]
    d[2] = c[0] * a[1]
    return a, b


def polar(x, y):
    return math.hypot(x, y), math.atan2(y, x)


@case(scalar(), scalar(0.3), third=True)
def several_results(x, y):
    r, t = polar(x, y)
    p = polar(r, t)
    return r * t + p[0] * p[1]


@case(scalar(0.9), scalar(0.4))
def default_argument(x, y=0.4, n=3):
    s = x
    for _ in range(n):
        s = s * y + math.sin(s)
    return s


@case(scalar(0.9), jit=True)
def module_constants(x):
    s = exp(x * RATE) * TABLE[1]
    for i in range(ORDER):
        s += TABLE[i] * x**i
    return s


def with_closure():
    weight, offsets = 1.7, np.array([0.1, 0.4])

    def closure(x):
        return weight * math.sin(x + offsets[0]) + offsets[1] * x

    return closure


case(scalar(0.9))(with_closure())


@case(scalar(0.9), third=True)
def nested_functions(x):
    k = 2.0

    def inner(y):
        return k * y * y + x

    def outer(y):
        return inner(y) * inner(x)

    return outer(x * 0.5)


@case(scalar(0.9))
def lambdas(x):
    square = lambda y: y * y  # noqa: E731
    shift = lambda y, d=0.5: square(y) + d * x  # noqa: E731
    return shift(x) * square(shift(x, 1.5))


def apply_n(f, x, n):
    for _ in range(n):
        x = f(x)
    return x


def damped_sine(y):
    return 0.8 * math.sin(y) + 0.1


@case(scalar(0.9), number(3))
def function_as_argument(x, n):
    return apply_n(damped_sine, x, n) * apply_n(lambda y: y * x, x, 2)


@case(number(damped_sine), scalar(0.9))
def called_with_function(f, x):
    return f(f(x)) * x


def pow_recursive(x, n):
    if n == 0:
        return 1.0
    return x * pow_recursive(x, n - 1)


@case(scalar(0.9), number(4), jit=True)
def recursive_power(x, n):
    return pow_recursive(x, n) + math.sin(x)


@case(scalar(0.9), number(5))
def self_recursive(x, n):
    if n < 1:
        return math.sin(x)
    return x * self_recursive(x * 0.7, n - 1) + n


@case(scalar(0.9), number(6))
def fibonacci_like(x, n):
    if n < 2:
        return x + n
    return math.sin(fibonacci_like(x, n - 1)) + 0.5 * x * fibonacci_like(x, n - 2)


def is_even(x, n):
    return x if n == 0 else is_odd(x * 1.1, n - 1)


def is_odd(x, n):
    return x * x if n == 0 else is_even(math.sin(x), n - 1)


@case(scalar(0.9), number(5))
def mutual_recursion(x, n):
    return is_even(x, n)


def tree_sum(a, lo, hi):
    if hi - lo == 1:
        return a[lo] * a[lo]
    mid = (lo + hi) // 2
    return tree_sum(a, lo, mid) * 0.9 + tree_sum(a, mid, hi)


@case(vector(6))
def recursion_over_array(a):
    return tree_sum(a, 0, len(a))


@numba.njit
def jitted_helper(y, k):
    s = 0.0
    for i in range(k):
        s += math.sin(y * i)
    return s


@case(scalar(0.9), jit=True)
def calls_jitted(x):
    return jitted_helper(x, 3) * x


def fill_with(a, f):
    for i in range(len(a)):
        a[i] = f(a[i], i)


@case(scalar(0.9), vector(4))
def mutator_with_callback(x, a):
    fill_with(a, lambda v, i: v * x + i)
    return a


def may_return_early(a, x):
    for i in range(len(a)):
        if a[i] > x:
            a[i] = x
            return i
    return -1


@case(scalar(0.3), vector(5))
def helper_returns_index(x, a):
    k = may_return_early(a, x)
    k2 = may_return_early(a, x * 0.5)
    return a[k] * a[k2] + a[0] * x


def no_result(a, x):
    a[0] += x
    if x > 0.0:
        return
    a[1] = x


@case(scalar(0.3), vector(5))
def helper_without_result(x, a):
    no_result(a, x)
    no_result(a, a[2] * a[2])
    return a


def newton_inner(c):
    y = c
    for _ in range(20):
        step = (y * y - c) / (2.0 * y)
        y = y - step
        if abs(step) < 1e-12:
            break
    return y


@case(scalar(1.7))
def inlined_newton(c):
    return newton_inner(c) * newton_inner(2.0 * c)


def make_scaler(k):
    def scale(v):
        return v * k

    return scale


@case(scalar(1.7))
def function_factory(x):
    double = make_scaler(2.0)
    by_x = make_scaler(x)
    return double(x) * by_x(x)


def quicksort(a, lo, hi):
    if lo >= hi:
        return
    pivot, i = a[hi], lo
    for j in range(lo, hi):
        if a[j] < pivot:
            a[i], a[j] = a[j], a[i]
            i += 1
    a[i], a[hi] = a[hi], a[i]
    quicksort(a, lo, i - 1)
    quicksort(a, i + 1, hi)


@case(scalar(), vector(6), jit=True)
def recursive_sort_in_place(x, a):
    b = a * a
    quicksort(b, 0, 5)
    quicksort(a, 1, 4)
    return b[0] * b[3] * x + a[1] * a[2] * b[1]


def prefix_sums(a):
    n = len(a)
    if n == 1:
        return
    prefix_sums(a[: n // 2])
    prefix_sums(a[n // 2 :])
    a[n // 2 :] += a[n // 2 - 1] * a[0]


@case(scalar(), vector(6))
def recursion_that_writes_through_views(x, a):
    prefix_sums(a)
    return a[5] * x + a[2] * a[3]


def flooded(m, seen, i, j, v):
    if i < 0 or i >= 3 or j < 0 or j >= 3 or seen[i, j]:
        return
    seen[i, j] = True
    m[i, j] = v * m[i, j] + v * v
    flooded(m, seen, i + 1, j, m[i, j])
    flooded(m, seen, i, j + 1, m[i, j])


@case(scalar(), matrix(3))
def recursive_flood(x, m):
    seen = np.zeros((3, 3), dtype=np.bool_)
    flooded(m, seen, 0, 0, x)
    return m[2, 2] * m[1, 0] * m[0, 2]


def remembered(n, table, x):
    if table[n] != 0.0:
        return table[n]
    r = x if n < 2 else remembered(n - 1, table, x) * remembered(n - 2, table, x) + x
    table[n] = r
    return r


@case(scalar())
def recursion_with_a_memory(x):
    table = np.zeros(8)
    return remembered(6, table, x) * table[3]


def grown(x, n):
    if n == 0:
        return x * 2.0
    y = grown(x, n - 1)
    y[0] += n * x[1] * y[2]
    return y


@case(scalar(), vector(4))
def recursion_that_returns_arrays(x, a):
    return np.sum(grown(a, 3) * a) * x


def evens(a, n):
    if n > 0:
        a[n] *= a[0]
        odds(a, n - 1)


def odds(a, n):
    if n > 0:
        a[n] += a[n - 1] * a[0]
        evens(a, n - 1)


@case(scalar(), vector(5))
def mutual_recursion_that_writes(x, a):
    for k in range(2):
        evens(a, 4)
        a[0] *= x
    return a[3] * a[4] + a[1]
