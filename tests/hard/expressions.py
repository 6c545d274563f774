"""Whole-array expressions: broadcasting of every pair of ranks, reductions, products, selection."""

import math

import numpy as np

from tests.hard.table import Table, matrix, positive, scalar, tensor, vector
from tests.hard.table import const as number

EXPRESSIONS = Table("array expressions")
case = EXPRESSIONS.case


@case(scalar(), vector(4), third=True)
def scalar_with_vector(x, a):
    return (x - a) * a / (1.0 + x * x) + x**2


@case(vector(4), matrix(3, 4))
def vector_with_matrix(a, m):
    return (m * a - a) / (1.5 + m * m)


@case(matrix(3, 4), tensor(2, 3, 4))
def matrix_with_tensor(m, t):
    return np.exp(m * 0.3) * t - t / (2.0 + m * m)


@case(scalar(), vector(4), tensor(2, 3, 4))
def every_rank(x, a, t):
    return x * t + a * t - x * a


@case(matrix(3, 1), matrix(1, 4))
def outer_by_axes_of_one(p, q):
    return p * q + p / (2.0 + q * q)


@case(tensor(2, 1, 4), matrix(3, 1), vector(1))
def axes_of_one(t, m, v):
    return t * m + v * t - m / (2.0 + v * v)


@case(matrix(1, 1), vector(3))
def one_by_one(m, v):
    return m * v + m


@case(vector(3), vector(4))
def newaxis_outer(a, b):
    return a[:, None] * b[None, :] + a[:, np.newaxis]


@case(vector(3), vector(4))
def outer_by_reshape(a, b):
    column = a.reshape(3, 1)
    return column * b + a.reshape((3, 1))


@case(matrix(3, 4), third=True)
def sums(m):
    return np.sum(m * m), m.sum(axis=0) * m[0], np.sum(m, axis=1), np.sum(np.sin(m), axis=-1, keepdims=True) * m


@case(tensor(2, 3, 4))
def sums_over_two_axes(t):
    return np.sum(t * t, axis=(0, 2)), t.sum(axis=(1,), keepdims=True) * t


@case(matrix(3, 4))
def means(m):
    d = m - m.mean()
    e = m - np.mean(m, axis=0)
    f = m - m.mean(axis=1, keepdims=True)
    return np.mean(d * d), np.mean(e * e, axis=1), f * f


@case(matrix(3, 4))
def extremes(m):
    return m.max() * m.min(), np.max(m, axis=0) * m[1], np.min(m, axis=1), np.amax(m * m)


@case(vector(4), vector(4), third=True)
def dot_vectors(a, b):
    return np.dot(a, b) * (a @ a), a.dot(b) ** 2


@case(matrix(3, 4), vector(4), vector(3))
def dot_mixed(m, a, b):
    return m @ a * b, b @ m, np.dot(m, a), np.dot(b, m @ a)


@case(matrix(3, 4), matrix(4, 2))
def dot_matrices(p, q):
    r = p @ q
    return np.dot(r.T, p) @ q, r


@case(matrix(4), vector(4), number(4))
def power_iteration(m, v, n):
    for _ in range(n):
        v = m @ v + v
        v = v / np.sqrt(np.dot(v, v))
    return v @ (m @ v)


@case(vector(6), scalar(0.4))
def where_two_arrays(a, x):
    return np.where(a > x, a * a, np.sin(a) * x)


@case(vector(6), scalar(0.4))
def where_scalars_and_arrays(a, x):
    b = np.where(a > 0.3, a, 0.0)
    c = np.where(a < x, x, a * a)
    return b * c + np.where(x > 0.0, x, 1.0)


@case(matrix(3, 4), vector(4))
def where_broadcast(m, v):
    return np.where(m > v, v, m * v)


@case(number(np.array([-1.0, 0.5, 2.0])), scalar(0.0), matrix(2, 3), vector(3))
def where_guards_broadcast(a, x, m, v):
    return np.where(a > 0.0, np.sqrt(a) * m + v, x) + np.where(a > 9.0, np.sqrt(x) * m, v)


@case(vector(6), vector(6))
def maximum_minimum(a, b):
    return np.maximum(a, b) * np.minimum(a, 0.3), np.maximum(np.minimum(a * b, 0.4), -0.2)


@case(positive(5), third=True)
def elementwise_functions(a):
    b = np.exp(-a) * np.log(a) + np.sqrt(a) * np.tanh(a)
    c = np.sin(a) * np.cos(b) + np.arctan(b) - np.expm1(-a) + np.log1p(a)
    return b * c + np.abs(c) + np.square(b) + np.reciprocal(a)


@case(positive(5), positive(5))
def elementwise_pairs(a, b):
    return np.power(a, b) + np.hypot(a, b) * np.arctan2(a, b) + a**b + 2.0**a + a**1.5


@case(scalar(0.4), third=True)
def math_functions(x):
    y = math.asin(x) + math.acos(x * x) + math.atan(x) + math.sinh(x) * math.cosh(x)
    z = math.asinh(y) + math.atanh(x) + math.acosh(1.0 + x) + math.log2(2.0 + x) + math.log10(1.0 + x)
    w = math.hypot(x, y) + math.atan2(x, z) + math.pow(y, x) + math.erf(x) * math.erfc(y)
    return w * math.tan(x) + math.exp(-z) + math.fabs(y) + math.degrees(x) * 0.01 + math.radians(z)


@case(scalar(1.4))
def gamma_functions(x):
    return math.gamma(x) * math.lgamma(x + 1.0)


@case(vector(6))
def softmax(a):
    e = np.exp(a - np.max(a))
    return e / np.sum(e)


@case(matrix(3, 4))
def log_sum_exp(m):
    top = np.max(m, axis=1, keepdims=True)
    return np.log(np.sum(np.exp(m - top), axis=1))


@case(matrix(6, 3), vector(3), vector(6))
def logistic_loss(p, w, y):
    z = p @ w
    return np.mean(np.log1p(np.exp(-z)) + (1.0 - y) * z) + 0.1 * np.sum(w * w)


@case(matrix(5, 3), matrix(3, 4), matrix(4, 1), jit=True)
def two_layers(x, w1, w2):
    h = np.tanh(x @ w1)
    return np.sum((h @ w2) ** 2)


@case(vector(4), vector(3))
def pairwise_distances(a, b):
    d = a.reshape(4, 1) - b
    return np.sum(np.sqrt(d * d + 0.1), axis=0)


@case(vector(5))
def comparison_as_factor(a):
    return a * (a > 0.3) + (a <= 0.1) * a * a


@case(scalar(0.6), number(5))
def ranges(x, n):
    t = np.arange(n) * x
    u = np.arange(1.0, 2.0, 0.25) * x
    v = np.linspace(0.0, 1.0, 4) ** 2 * x
    return np.sum(t * t), u * v


@case(scalar(0.6), scalar(1.7))
def linspace_of_active_ends(x, y):
    t = np.linspace(x, y, 5)
    return t * t


@case(scalar(0.6), vector(3))
def like_functions(x, a):
    return np.zeros_like(a) + x, np.ones_like(a) * x, np.ones(3) * a, np.full(3, x * x) + a


@case(matrix(3, 4))
def shapes_as_numbers(m):
    n, k = m.shape
    s = np.sum(m) / (n * k)
    return s * m.size + len(m) * m[0, 0] + m.ndim * s


@case(matrix(3, 4))
def transposes(m):
    return (m.T @ m) * 2.0, np.transpose(m) + 1.0, np.sum(m.T * m.T, axis=0)


@case(vector(4), vector(4))
def ufuncs_by_name(a, b):
    c = np.add(a, b) * np.subtract(a, b)
    return np.divide(c, 2.0 + np.multiply(b, b)) + np.negative(a)


@case(vector(5), scalar(0.3))
def reduced_in_loop(a, x):
    s = x
    for i in range(4):
        s = s + np.sum(a[i:] * s) * 0.2
        a = a * (1.0 - 0.1 * s)
    return s, a


@case(matrix(4), number(5))
def whole_matrix_recurrence(m, n):
    p = m.copy()
    for _ in range(n):
        p = p @ m * 0.4 + p
    return p


@case(vector(4), vector(4), number(20), scalar(0.1))
def descent_of_quadratic(x, c, n, rate):
    for _ in range(n):
        g = 2.0 * (x - c) + np.sin(x)
        x = x - rate * g
    return np.sum(x * x)


@case(vector(4), matrix(4), number(4))
def slices_as_long_as_the_whole(x, m, n):
    forwards, backwards = x[:n] @ x, m[:n, 1][::-1] @ m[0]
    return forwards * x[0] + backwards * x[n - 1] * np.sum(m[:n] @ x[:n]) * m[3, n - 1]


@case(vector(4), number(1), jit=True)
def list_of_unlike_views(x, n):
    m = np.outer(x, x)
    rows = [m[0], m[:, n], m[2, ::-1], x.copy()]
    s = 0.0
    for r in rows:
        r[0] = r[1] * 2.0
        s = s + np.sum(r * x)
    return s + np.sum(m) * x[3]


@case(matrix(3, 4), number(np.array([0, 3, 3])))
def reduced_after_gather(m, k):
    """The cotangent of a mean is the same along the axis that the places select."""
    tiled = np.tile(m, 2)
    return np.mean(m[:, k], axis=1) * np.mean(m[k - 1], axis=0)[:3], np.sum(np.mean(tiled, axis=-1) ** 2)


@case(matrix(3, 4))
def differences_of_a_matrix(m):
    d = np.ediff1d(m)
    return d * d[0], np.polyval(m[0], d)


@case(vector(4), vector(4), jit=True)
def names_that_numba_makes_itself(a, w):
    """Numba calls the second value of `t` `t.2`, and writes that as `t_2`."""
    t = np.sin(a)
    t_2 = t * w
    for _ in range(3):
        t = t * t_2 + 0.1 * a
    return t * t_2


@case(vector(4), vector(4))
def names_with_several_numbers(t, w):
    t_1_2 = np.sin(w)
    t_2 = t * w
    t = np.sin(t)
    for _ in range(2):
        t = t * t_2 * t_1_2 + 0.1 * w
    return t * t_2 * t_1_2
