"""Kinds of values: float32, integers, bools, empty and odd arrays, functions with no active path."""

import math

import numpy as np

from tests.hard.table import Table, scalar, vector
from tests.hard.table import const as number

KINDS = Table("kinds of values")
case = KINDS.case
SINGLE = 2e-4
F4 = np.array([0.4, 0.7, -0.3, 1.1], dtype=np.float32)


def read_only():
    a = np.array([0.4, 0.7, -0.3, 1.1])
    a.flags.writeable = False
    return a


@case(number(F4), number(np.float32(0.6)), tolerance=SINGLE, jit=True)
def single_precision(a, x):
    s = x * 2.0
    for i in range(len(a)):
        a[i] = a[i] * x + 0.5
        s = s + math.sin(a[i]) * 3
    return s


@case(number(F4), tolerance=SINGLE)
def single_expressions(a):
    return np.exp(a * 0.5) / (1.0 + a**2) + np.mean(a), np.sum(np.tanh(a))


@case(number(F4.reshape(2, 2)), number(F4[:2]), tolerance=SINGLE)
def single_products(m, v):
    return m @ v * 0.5, np.where(m > 0.5, m, 0.0), np.max(m, axis=0)


@case(number(F4), vector(4), tolerance=SINGLE)
def mixed_precision(a, b):
    c = a * b
    return np.sum(c) * a[0] + b[1]


@case(number(F4), number(3), tolerance=SINGLE)
def single_scratch(a, n):
    w = np.zeros_like(a)
    for _ in range(n):
        w[1:] = a[:-1] * 0.5 + w[:-1]
        a, w = w, a
    return a * w


@case(scalar(0.7), number(3), number(True))
def int_and_bool_arguments(x, n, flag):
    s = x * n
    if flag:
        s = s * x
    return s / n + n // 2


@case(scalar(0.7), number(np.array([2, 0, 1])), vector(3))
def int_array_argument(x, index, a):
    s = 0.0
    for i in range(3):
        s += a[index[i]] * x * index[i]
    return s


@case(number(np.array([True, False, True])), vector(3))
def bool_array_argument(mask, a):
    s = 0.0
    for i in range(3):
        if mask[i]:
            s += a[i] * a[i]
    return s


@case(scalar(0.7), number(np.array([2, 0, 1])))
def int_array_in_arithmetic(x, k):
    return k * x + k**2 * x * x


@case(scalar(0.7), number(4))
def int_array_written(x, n):
    k = np.zeros(n, dtype=np.int64)
    for i in range(n):
        k[i] = i * i
    s = x
    for i in range(n):
        s = s + k[i] * x
        k[i] = 0
    return s


@case(number(np.zeros(0)), scalar())
def empty_vector(a, x):
    s = x
    for i in range(len(a)):
        s = s * a[i]
    return s + np.sum(a) + np.dot(a, a)


@case(number(np.zeros((0, 3))), vector(3))
def empty_matrix(m, v):
    return np.sum(m * v) + v[0], m @ v


@case(number(np.zeros((3, 0))), number(np.zeros(0)))
def empty_product(m, v):
    return m @ v + 1.0


@case(vector(4), scalar())
def empty_slice(a, x):
    a[2:2] = x
    b = a[3:1]
    return np.sum(b) + a[0] * x, a[4:]


@case(lambda rng: (np.arange(12.0) / 10)[::2], scalar())
def strided_argument(a, x):
    a[1] = a[0] * x
    return a * a


@case(lambda rng: np.asfortranarray(np.arange(12.0).reshape(3, 4) / 7), scalar())
def fortran_argument(m, x):
    m[1] = m[0] * x
    return m * m, m[:, 1]


@case(lambda rng: (np.arange(12.0) / 7).reshape(3, 4).T, scalar())
def transposed_argument(m, x):
    for i in range(1, 4):
        m[i] = m[i] * m[i - 1] + x
    return m


@case(lambda rng: read_only(), scalar(), jit=True)
def read_only_argument(a, x):
    a[0] = a[1] * x
    return a


@case(lambda rng: read_only(), scalar())
def read_only_read(a, x):
    return np.sum(a * a) * x


@case(scalar(), vector(3))
def no_active_path(x, a):
    return 3.0, len(a) * 2.0


@case(scalar(2.3), vector(3))
def path_cut_by_floor(x, a):
    return math.floor(x) * 2.0 + float(len(a))


@case(scalar(), vector(3))
def unused_argument(x, a):
    return x * x


@case(scalar(), vector(3))
def overwritten_by_constant(x, a):
    a[0] = a[1] * x
    for i in range(3):
        a[i] = 1.0
    x = 2.0
    return x * a[0]


@case(scalar(0.74))
def float_of_int(x):
    n = int(x * 10.0)
    return float(n) * x + float(x) * float(3)


@case(scalar(1.5), vector(3))
def integer_result_beside(x, a):
    k = 0
    for i in range(3):
        if a[i] > 0.0:
            k += 1
    return x * a[0], k


@case(scalar(1.5))
def returns_constant(x):
    return 2.5


@case(number(np.ones((2, 2, 2, 2)) * 0.3), scalar())
def fourth_rank(t, x):
    t[1, 0] *= x
    s = 0.0
    for i in range(2):
        s += np.sum(t[i, 1 - i] ** 2)
    return s, t[:, 1, 1]


@case(scalar(0.5), scalar(0.25))
def bitwise_and_integers(x, y):
    k = (5 & 3) | 8
    m = k << 1
    return x * m + y * (k % 4) - x * (k // 2) ** 2
