"""Factorisations by slices, convolution by windows, optimal transport."""

import numpy as np

from tests.benchmarks.workloads.table import Table, jnp, lax

TABLE = Table("programs")


def _positive(rng, n):
    b = rng.normal(size=(n, n))
    return (b @ b.T + n * np.eye(n),)


@TABLE.workload(_positive, (4,), (24,), (100,))
def cholesky(a):
    c = a.copy()
    n = len(c)
    for k in range(n):
        c[k, k] = np.sqrt(c[k, k])
        c[k + 1 :, k] = c[k + 1 :, k] / c[k, k]
        for j in range(k + 1, n):
            c[j:, j] = c[j:, j] - c[j:, k] * c[j, k]
    total = 0.0
    for k in range(n):
        total += np.sum(c[k:, k])
    return total


@TABLE.in_jax(cholesky)
def cholesky_in_jax(a):
    lower = jnp.tril(a)
    return jnp.sum(jnp.tril(jnp.linalg.cholesky(lower + jnp.tril(a, -1).T)))


@TABLE.workload(_positive, (4,), (24,), (100,))
def lu(a):
    m = a.copy()
    n = len(m)
    for k in range(n - 1):
        m[k + 1 :, k] = m[k + 1 :, k] / m[k, k]
        m[k + 1 :, k + 1 :] = m[k + 1 :, k + 1 :] - m[k + 1 :, k : k + 1] * m[k, k + 1 :]
    return np.sum(m * m)


@TABLE.in_jax(lu)
def lu_in_jax(a):
    n = len(a)

    def step(m, k):
        below = jnp.arange(n) > k
        factors = jnp.where(below, m[:, k] / m[k, k], 0.0)
        m = m - factors[:, None] * jnp.where(below, m[k], 0.0)
        return m.at[:, k].set(jnp.where(below, factors, m[:, k])), None

    m, _ = lax.scan(step, a, jnp.arange(n - 1))
    return jnp.sum(m * m)


@TABLE.workload(lambda rng, n: (0.5 ** np.arange(1.0, n + 1.0) * rng.uniform(0.5, 1.0, n),), (4,), (50,), (400,))
def durbin(r):
    """The solution of a symmetric Toeplitz system."""
    n = len(r)
    y = np.zeros(n)
    y[0] = -r[0]
    beta = 1.0
    alpha = -r[0]
    for k in range(1, n):
        beta = beta * (1.0 - alpha * alpha)
        alpha = -(r[k] + np.dot(r[:k][::-1], y[:k])) / beta
        y[:k] = y[:k] + alpha * y[:k][::-1]
        y[k] = alpha
    return np.sum(y * y)


@TABLE.in_jax(durbin)
def durbin_in_jax(r):
    n = len(r)
    places = jnp.arange(n)

    def step(state, k):
        y, alpha, beta = state
        beta = beta * (1.0 - alpha * alpha)
        turned = jnp.where(places < k, y[(k - 1 - places) % n], 0.0)
        alpha = -(r[k] + jnp.dot(r, turned)) / beta
        y = (y + alpha * turned).at[k].set(alpha)
        return (y, alpha, beta), None

    start = jnp.zeros(n).at[0].set(-r[0])
    (y, _, _), _ = lax.scan(step, (start, -r[0], 1.0), jnp.arange(1, n))
    return jnp.sum(y * y)


@TABLE.workload(lambda rng, m, n: (rng.normal(size=(m, n)),), (4, 3), (40, 16), (150, 60))
def gram_schmidt(a):
    q = a.copy()
    n = q.shape[1]
    r = np.zeros((n, n))
    for k in range(n):
        r[k, k] = np.sqrt(np.sum(q[:, k] ** 2))
        q[:, k] = q[:, k] / r[k, k]
        for j in range(k + 1, n):
            r[k, j] = np.dot(q[:, k], q[:, j])
            q[:, j] = q[:, j] - q[:, k] * r[k, j]
    return np.sum(r * r * r) + q[0, 0]


@TABLE.in_jax(gram_schmidt)
def gram_schmidt_in_jax(a):
    n = a.shape[1]
    columns = jnp.arange(n)

    def step(q, k):
        length = jnp.sqrt(jnp.sum(q[:, k] ** 2))
        one = q[:, k] / length
        later = jnp.where(columns > k, one @ q, 0.0)
        q = (q - one[:, None] * later).at[:, k].set(one)
        return q, later.at[k].set(length)

    q, r = lax.scan(step, a, columns)
    return jnp.sum(r * r * r) + q[0, 0]


@TABLE.workload(
    lambda rng, n, k: (rng.normal(size=(k, k)), rng.normal(size=(n, n))),
    (5, 2),
    (32, 3),
    (128, 5),
    argnums=(0, 1),
    kind="stencil",
)
def conv2d(kernel, image):
    """By windows: a shifted slice for each weight."""
    a, b = kernel.shape
    m = image.shape[0] - a + 1
    n = image.shape[1] - b + 1
    out = np.zeros((m, n))
    for i in range(a):
        for j in range(b):
            out += kernel[i, j] * image[i : i + m, j : j + n]
    return np.sum(np.maximum(out, 0.0) ** 2)


@TABLE.in_jax(conv2d)
def conv2d_in_jax(kernel, image):
    out = lax.conv(image[None, None], kernel[None, None], (1, 1), "VALID")[0, 0]
    return jnp.sum(jnp.maximum(out, 0.0) ** 2)


@TABLE.workload(
    lambda rng, n, steps: (rng.uniform(size=(n, n)), np.full(n, 1.0 / n), np.full(n, 1.0 / n), 0.1, steps),
    (3, 3),
    (30, 20),
    (100, 50),
    kind="blas",
)
def sinkhorn(cost, a, b, eps, steps):
    k = np.exp(-cost / eps)
    u = np.ones(len(a))
    v = np.ones(len(b))
    for _ in range(steps):
        u = a / (k @ v)
        v = b / (k.T @ u)
    return np.sum(u.reshape(-1, 1) * k * v * cost)


@TABLE.in_jax(sinkhorn)
def sinkhorn_in_jax(cost, a, b, eps, steps):
    k = jnp.exp(-cost / eps)

    def step(state, _):
        u, v = state
        u = a / (k @ v)
        return (u, b / (k.T @ u)), None

    (u, v), _ = lax.scan(step, (jnp.ones(len(a)), jnp.ones(len(b))), None, length=steps)
    return jnp.sum(u.reshape(-1, 1) * k * v * cost)
