"""Costs of clusters, sums of exponentials and regressions, in loops."""

import math

import numpy as np

from srcgrad.numeric.vector.exponentials import vector_exp
from srcgrad.numeric.vector.logarithms import vector_log1p
from tests.benchmarks.workloads.table import Table, jnp, jsp

TABLE = Table("models")


@TABLE.workload(
    lambda rng, n, k, d: (rng.normal(size=(k, d)), rng.normal(size=(n, d))), (5, 2, 2), (200, 5, 3), (2_000, 10, 4)
)
def k_means_loops(centers, points):
    cost = 0.0
    for i in range(points.shape[0]):
        nearest = np.inf
        for k in range(centers.shape[0]):
            square = 0.0
            for j in range(points.shape[1]):
                square += (points[i, j] - centers[k, j]) ** 2
            if square < nearest:
                nearest = square
        cost += nearest
    return cost


@TABLE.by_hand(k_means_loops, bar=1.3, more=((20_000, 50, 8),))
def k_means_loops_by_hand(centers, points):
    centers_bar = np.zeros(centers.shape)
    cost = 0.0
    for i in range(points.shape[0]):
        point = points[i]
        nearest, best = np.inf, 0
        for k in range(centers.shape[0]):
            square = 0.0
            for j in range(len(point)):
                square += (point[j] - centers[k, j]) ** 2
            if square < nearest:
                nearest, best = square, k
        cost += nearest
        for j in range(len(point)):
            centers_bar[best, j] += 2.0 * (centers[best, j] - point[j])
    return cost, centers_bar


@TABLE.in_jax(k_means_loops)
def k_means_loops_in_jax(centers, points):
    square = jnp.sum((points[:, None, :] - centers[None, :, :]) ** 2, axis=2)
    return jnp.sum(jnp.min(square, axis=1))


@TABLE.workload(lambda rng, n: (rng.normal(size=n),), (6,), (1_000,), (10_000,))
def log_sum_exp_loops(x):
    m = x[0]
    for i in range(1, len(x)):
        if x[i] > m:
            m = x[i]
    s = 0.0
    for i in range(len(x)):
        s += math.exp(x[i] - m)
    return m + math.log(s)


@TABLE.by_hand(log_sum_exp_loops, bar=1.0, more=((1_000_000,),))
def log_sum_exp_by_hand(x):
    m = x[0]
    for i in range(1, len(x)):
        m = max(m, x[i])
    x_bar = np.empty(len(x))
    s = 0.0
    for i in range(len(x)):
        e = vector_exp(x[i] - m)
        x_bar[i] = e
        s += e
    r = 1.0 / s
    for i in range(len(x)):
        x_bar[i] *= r
    return m + math.log(s), x_bar


@TABLE.in_jax(log_sum_exp_loops)
def log_sum_exp_in_jax(x):
    return jsp.special.logsumexp(x)


def _labels(rng, n, d):
    return 0.1 * rng.normal(size=d), rng.normal(size=(n, d)), np.sign(rng.normal(size=n))


@TABLE.workload(_labels, (5, 3), (1_000, 10), (10_000, 100))
def logistic_loops(w, x, y):
    total = 0.0
    for i in range(x.shape[0]):
        z = 0.0
        for j in range(x.shape[1]):
            z += x[i, j] * w[j]
        total += math.log1p(math.exp(-y[i] * z))
    return total / x.shape[0]


@TABLE.workload(_labels, (5, 3), (1_000, 10), (10_000, 100), same=True, kind="blas")
def logistic_numpy(w, x, y):
    return np.mean(np.log1p(np.exp(-y * (x @ w))))


@TABLE.in_jax(logistic_loops)
def logistic_loops_in_jax(w, x, y):
    return jnp.mean(jnp.log1p(jnp.exp(-y * (x @ w))))


@TABLE.by_hand(logistic_loops, bar=1.3, more=((10_000, 500),))
def logistic_by_hand(w, x, y):
    """By strips of rows, which stay in the cache."""
    n, d = x.shape
    z = np.empty(256)
    w_bar = np.zeros(d)
    total = 0.0
    for start in range(0, n, 256):
        rows = x[start : start + 256]
        labels = y[start : start + 256]
        times_vector(rows, w, z)
        for i in range(len(rows)):
            e = vector_exp(-labels[i] * z[i])
            total += vector_log1p(e)
            z[i] = -labels[i] * e / ((1.0 + e) * n)
        add_rows(rows, z, w_bar)
    return total / n, w_bar


TABLE.by_hand(logistic_numpy, bar=1.3, more=((10_000, 500),))(logistic_by_hand)


def times_vector(rows, w, z):
    for i in range(rows.shape[0]):
        s = 0.0
        for j in range(rows.shape[1]):
            s += rows[i, j] * w[j]
        z[i] = s


def add_rows(rows, z, w_bar):
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            w_bar[j] += z[i] * rows[i, j]


@TABLE.workload(
    lambda rng, n, d: (rng.normal(size=d + 1), rng.uniform(-1.0, 1.0, n), rng.normal(size=n)),
    (5, 3),
    (1_000, 5),
    (10_000, 8),
)
def polynomial_fit(c, x, y):
    """The sum of squares of a polynomial's errors, by Horner's rule."""
    total = 0.0
    for i in range(len(x)):
        p = 0.0
        for k in range(len(c) - 1, -1, -1):
            p = p * x[i] + c[k]
        total += (p - y[i]) ** 2
    return total


@TABLE.by_hand(polynomial_fit, bar=2.0, more=((100_000, 12),))
def polynomial_fit_by_hand(c, x, y):
    """By strips of points: the loops over them vectorise."""
    c_bar = np.zeros(len(c))
    p = np.empty(256)
    total = 0.0
    for start in range(0, len(x), 256):
        xs = x[start : start + 256]
        ys = y[start : start + 256]
        for i in range(len(xs)):
            p[i] = c[len(c) - 1]
        for k in range(len(c) - 2, -1, -1):
            for i in range(len(xs)):
                p[i] = p[i] * xs[i] + c[k]
        for i in range(len(xs)):
            e = p[i] - ys[i]
            total += e * e
            p[i] = 2.0 * e
        for k in range(len(c)):
            s = 0.0
            for i in range(len(xs)):
                s += p[i]
                p[i] *= xs[i]
            c_bar[k] += s
    return total, c_bar


@TABLE.in_jax(polynomial_fit)
def polynomial_fit_in_jax(c, x, y):
    return jnp.sum((jnp.polyval(c[::-1], x) - y) ** 2)


def rosenbrock_loops(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return total


TABLE.add(rosenbrock_loops, lambda rng, n: (rng.normal(size=n),), (6,), (100,), (10_000,))


@TABLE.by_hand(rosenbrock_loops, bar=2.0, more=((1_000_000,),))
def rosenbrock_by_hand(x):
    n = len(x)
    x_bar = np.empty(n)
    total = 0.0
    for i in range(n - 1):
        total += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    x_bar[0] = -400.0 * x[0] * (x[1] - x[0] * x[0]) - 2.0 * (1.0 - x[0])
    for i in range(1, n - 1):
        x_bar[i] = 200.0 * (x[i] - x[i - 1] ** 2) - 400.0 * x[i] * (x[i + 1] - x[i] * x[i]) - 2.0 * (1.0 - x[i])
    x_bar[n - 1] = 200.0 * (x[n - 1] - x[n - 2] ** 2)
    return total, x_bar


@TABLE.in_jax(rosenbrock_loops)
def rosenbrock_loops_in_jax(x):
    return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
