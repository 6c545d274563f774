"""Models of statistics: clusters, mixtures, processes, filters."""

import math

import numpy as np

from tests.benchmarks.workloads.table import Table, jnp, jsp, lax

TABLE = Table("programs")


@TABLE.workload(
    lambda rng, n, k, d: (rng.normal(size=(k, d)), rng.normal(size=(n, d))), (5, 2, 2), (200, 5, 3), (2_000, 10, 4)
)
def k_means(centers, points):
    cost = 0.0
    for i in range(len(points)):
        square = np.sum((centers - points[i]) ** 2, axis=1)
        cost += np.min(square)
    return cost


@TABLE.in_jax(k_means)
def k_means_in_jax(centers, points):
    square = jnp.sum((points[:, None, :] - centers[None, :, :]) ** 2, axis=2)
    return jnp.sum(jnp.min(square, axis=1))


@TABLE.workload(
    lambda rng, n, k, d: (rng.normal(size=(k, d)), rng.normal(size=(k, d)), rng.normal(size=(n, d))),
    (5, 2, 2),
    (200, 5, 3),
    (2_000, 10, 4),
)
def k_means_direction(centers, v, points):
    """The slope along v of the cost of clusters: what a Newton step's Hessian-vector product is made of."""
    square = np.sum((points[:, np.newaxis, :] - centers) ** 2, axis=2)
    slope = 0.0
    for i in range(len(points)):
        k = np.argmin(square[i])
        slope += np.sum((centers[k] - points[i]) ** 2 * v[k])
    return slope


@TABLE.in_jax(k_means_direction)
def k_means_direction_in_jax(centers, v, points):
    square = jnp.sum((points[:, None, :] - centers) ** 2, axis=2)
    nearest = jnp.argmin(square, axis=1)
    return jnp.sum((centers[nearest] - points) ** 2 * v[nearest])


def _mixture(rng, n, k, d):
    return rng.normal(size=k), rng.normal(size=(k, d)), 0.3 * rng.normal(size=(k, d)), rng.normal(size=(n, d))


@TABLE.workload(_mixture, (4, 2, 2), (100, 5, 4), (1_000, 25, 10), argnums=(0, 1, 2))
def gaussian_mixture(alphas, means, logs, x):
    """Of diagonal covariances."""
    scale = np.exp(logs)
    weights = alphas + np.sum(logs, axis=1)
    total = 0.0
    for i in range(len(x)):
        square = np.sum(((x[i] - means) * scale) ** 2, axis=1)
        terms = weights - 0.5 * square
        m = np.max(terms)
        total += m + np.log(np.sum(np.exp(terms - m)))
    top = np.max(alphas)
    return total - len(x) * (top + np.log(np.sum(np.exp(alphas - top))))


@TABLE.in_jax(gaussian_mixture)
def gaussian_mixture_in_jax(alphas, means, logs, x):
    scale = jnp.exp(logs)
    weights = alphas + jnp.sum(logs, axis=1)
    square = jnp.sum(((x[:, None, :] - means) * scale) ** 2, axis=2)
    terms = weights - 0.5 * square
    return jnp.sum(jsp.special.logsumexp(terms, axis=1)) - len(x) * jsp.special.logsumexp(alphas)


@TABLE.workload(
    lambda rng, n, d: (np.zeros(d), 0.1, -1.0, rng.normal(size=(n, d)), rng.normal(size=n)),
    (5, 2),
    (30, 3),
    (200, 4),
    argnums=(0, 1, 2),
    kind="blas",
)
def gaussian_process(log_lengths, log_height, log_noise, x, y):
    """The log-likelihood by Cholesky."""
    z = x / np.exp(log_lengths)
    squares = np.sum(z * z, axis=1)
    distance = squares.reshape(-1, 1) + squares - 2.0 * (z @ z.T)
    k = np.exp(log_height) * np.exp(-0.5 * distance) + np.exp(log_noise) * np.eye(len(x))
    c = np.linalg.cholesky(k)
    w = np.linalg.solve(c, y)
    return 0.5 * np.sum(w * w) + np.sum(np.log(np.diag(c))) + 0.5 * len(x) * math.log(2.0 * math.pi)


@TABLE.in_jax(gaussian_process)
def gaussian_process_in_jax(log_lengths, log_height, log_noise, x, y):
    z = x / jnp.exp(log_lengths)
    squares = jnp.sum(z * z, axis=1)
    distance = squares.reshape(-1, 1) + squares - 2.0 * (z @ z.T)
    k = jnp.exp(log_height) * jnp.exp(-0.5 * distance) + jnp.exp(log_noise) * jnp.eye(len(x))
    c = jnp.linalg.cholesky(k)
    w = jsp.linalg.solve_triangular(c, y, lower=True)
    return 0.5 * jnp.sum(w * w) + jnp.sum(jnp.log(jnp.diag(c))) + 0.5 * len(x) * math.log(2.0 * math.pi)


def _kalman(rng, steps, n, m):
    a = 0.9 * np.eye(n) + 0.05 * rng.normal(size=(n, n))
    return a, rng.normal(size=(m, n)), 0.1 * np.eye(n), 0.5 * np.eye(m), rng.normal(size=(steps, m))


@TABLE.workload(_kalman, (3, 2, 1), (30, 4, 2), (100, 4, 2), argnums=(0, 1, 2, 3))
def kalman(a, h, q, r, ys):
    """The negative log-likelihood of a linear model of states, but for a constant."""
    x = np.zeros(len(a))
    p = np.eye(len(a))
    cost = 0.0
    for t in range(len(ys)):
        x = a @ x
        p = a @ p @ a.T + q
        e = ys[t] - h @ x
        s = h @ p @ h.T + r
        gain = p @ h.T @ np.linalg.inv(s)
        cost += 0.5 * (np.log(np.linalg.det(s)) + e @ np.linalg.solve(s, e))
        x = x + gain @ e
        p = p - gain @ h @ p
    return cost


@TABLE.in_jax(kalman)
def kalman_in_jax(a, h, q, r, ys):
    def step(state, y):
        x, p = state
        x = a @ x
        p = a @ p @ a.T + q
        e = y - h @ x
        s = h @ p @ h.T + r
        gain = p @ h.T @ jnp.linalg.inv(s)
        cost = 0.5 * (jnp.log(jnp.linalg.det(s)) + e @ jnp.linalg.solve(s, e))
        return (x + gain @ e, p - gain @ h @ p), cost

    _, costs = lax.scan(step, (jnp.zeros(len(a)), jnp.eye(len(a))), ys)
    return jnp.sum(costs)


@TABLE.workload(
    lambda rng, steps, n, k: (rng.normal(size=(n, n)), rng.normal(size=(n, k)), rng.integers(0, k, steps)),
    (4, 2, 3),
    (100, 5, 4),
    (1_000, 16, 8),
    argnums=(0, 1),
)
def hidden_markov(transition, emission, seen):
    """The log-likelihood, by the forward recursion with scaling."""
    a = np.exp(transition)
    a = a / np.sum(a, axis=1).reshape(-1, 1)
    b = np.exp(emission)
    b = b / np.sum(b, axis=1).reshape(-1, 1)
    p = b[:, seen[0]] / len(a)
    total = 0.0
    for t in range(1, len(seen)):
        p = (p @ a) * b[:, seen[t]]
        s = np.sum(p)
        p = p / s
        total += np.log(s)
    return total


@TABLE.in_jax(hidden_markov)
def hidden_markov_in_jax(transition, emission, seen):
    a = jnp.exp(transition)
    a = a / jnp.sum(a, axis=1).reshape(-1, 1)
    b = jnp.exp(emission)
    b = b / jnp.sum(b, axis=1).reshape(-1, 1)

    def step(p, k):
        p = (p @ a) * b[:, k]
        s = jnp.sum(p)
        return p / s, jnp.log(s)

    _, logs = lax.scan(step, b[:, seen[0]] / len(a), seen[1:])
    return jnp.sum(logs)
