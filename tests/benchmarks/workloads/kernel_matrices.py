"""Kernels: products and factorisations of matrices, by rows, columns and slices."""

import numpy as np

from tests.benchmarks.workloads.table import Table, jnp, jsp, lax

TABLE = Table("kernels")


def _matrices(count, vectors=0):
    def make(rng, n):
        return (*(rng.normal(size=(n, n)) for _ in range(count)), *(rng.normal(size=n) for _ in range(vectors)))

    return make


@TABLE.workload(_matrices(2), (4,), (30,), (100,), argnums=(0, 1))
def triangular_product(a, b0):
    """b = a.T @ b of a unit lower triangle, row by row."""
    b = b0.copy()
    n = len(b)
    for i in range(n):
        for j in range(n):
            b[i, j] += np.dot(a[i + 1 :, i], b[i + 1 :, j])
        b[i] = 1.5 * b[i]
    return np.sum(b * b)


@TABLE.in_jax(triangular_product)
def triangular_product_in_jax(a, b0):
    b = 1.5 * (b0 + jnp.tril(a, -1).T @ b0)
    return jnp.sum(b * b)


@TABLE.workload(_matrices(2), (4,), (30,), (100,), argnums=(0, 1))
def rank_k_update(a, c0):
    """The lower triangle of c = 1.2 c + 1.5 a a.T."""
    c = c0.copy()
    for i in range(len(a)):
        c[i, : i + 1] *= 1.2
        for k in range(a.shape[1]):
            c[i, : i + 1] += 1.5 * a[i, k] * a[: i + 1, k]
    return np.sum(c * c)


@TABLE.in_jax(rank_k_update)
def rank_k_update_in_jax(a, c):
    new = jnp.where(jnp.tri(len(a)) > 0.0, 1.2 * c + 1.5 * (a @ a.T), c)
    return jnp.sum(new * new)


@TABLE.workload(_matrices(3), (4,), (30,), (100,), argnums=(0, 1, 2))
def rank_2k_update(a, b, c0):
    c = c0.copy()
    for i in range(len(a)):
        c[i, : i + 1] *= 1.2
        for k in range(a.shape[1]):
            c[i, : i + 1] += a[: i + 1, k] * 1.5 * b[i, k] + b[: i + 1, k] * 1.5 * a[i, k]
    return np.sum(c * c)


@TABLE.in_jax(rank_2k_update)
def rank_2k_update_in_jax(a, b, c):
    new = jnp.where(jnp.tri(len(a)) > 0.0, 1.2 * c + 1.5 * (a @ b.T + b @ a.T), c)
    return jnp.sum(new * new)


@TABLE.workload(_matrices(3), (4,), (30,), (80,), argnums=(0, 1, 2))
def symmetric_product(a, b, c0):
    """c = 1.2 c + 1.5 a b of a symmetric a, of which the lower triangle is read."""
    c = 1.2 * c0
    n = len(a)
    half = np.zeros(n)
    for i in range(n):
        for j in range(n):
            c[:i, j] += 1.5 * b[i, j] * a[i, :i]
            half[j] = np.dot(b[:i, j], a[i, :i])
        c[i] += 1.5 * b[i] * a[i, i] + 1.5 * half
    return np.sum(c * c)


@TABLE.in_jax(symmetric_product)
def symmetric_product_in_jax(a, b, c):
    whole = jnp.tril(a) + jnp.tril(a, -1).T
    return jnp.sum((1.2 * c + 1.5 * (whole @ b)) ** 2)


def _positive(rng, n):
    b = rng.normal(size=(n, n))
    return (b @ b.T + n * np.eye(n),)


@TABLE.workload(_positive, (4,), (24,), (80,))
def cholesky_rows(a):
    c = a.copy()
    n = len(c)
    c[0, 0] = np.sqrt(c[0, 0])
    for i in range(1, n):
        for j in range(i):
            c[i, j] -= np.dot(c[i, :j], c[j, :j])
            c[i, j] /= c[j, j]
        c[i, i] -= np.dot(c[i, :i], c[i, :i])
        c[i, i] = np.sqrt(c[i, i])
    total = 0.0
    for i in range(n):
        total += np.sum(c[i, : i + 1])
    return total


@TABLE.in_jax(cholesky_rows)
def cholesky_rows_in_jax(a):
    lower = jnp.tril(a)
    return jnp.sum(jnp.tril(jnp.linalg.cholesky(lower + jnp.tril(a, -1).T)))


@TABLE.workload(_positive, (4,), (40,), (150,), same=True, kind="blas")
def cholesky_lapack(a):
    return np.sum(np.linalg.cholesky(a + a.T) ** 3)


@TABLE.workload(_positive, (4,), (24,), (80,))
def lu_rows(a):
    m = a.copy()
    n = len(m)
    for i in range(n):
        for j in range(i):
            m[i, j] -= np.dot(m[i, :j], m[:j, j])
            m[i, j] /= m[j, j]
        for j in range(i, n):
            m[i, j] -= np.dot(m[i, :i], m[:i, j])
    return np.sum(m * m)


def eliminated_in_jax(a):
    n = len(a)

    def step(m, k):
        below = jnp.arange(n) > k
        factors = jnp.where(below, m[:, k] / m[k, k], 0.0)
        m = m - factors[:, None] * jnp.where(below, m[k], 0.0)
        return m.at[:, k].set(jnp.where(below, factors, m[:, k])), None

    return lax.scan(step, a, jnp.arange(n - 1))[0]


@TABLE.in_jax(lu_rows)
def lu_rows_in_jax(a):
    return jnp.sum(eliminated_in_jax(a) ** 2)


@TABLE.workload(lambda rng, n: (*_positive(rng, n), rng.normal(size=n)), (4,), (24,), (80,), argnums=(0, 1))
def lu_solve(a, b):
    m = a.copy()
    n = len(m)
    x = np.zeros(n)
    y = np.zeros(n)
    for i in range(n):
        for j in range(i):
            m[i, j] = (m[i, j] - np.dot(m[i, :j], m[:j, j])) / m[j, j]
        for j in range(i, n):
            m[i, j] -= np.dot(m[i, :i], m[:i, j])
    for i in range(n):
        y[i] = b[i] - np.dot(m[i, :i], y[:i])
    for i in range(n - 1, -1, -1):
        x[i] = (y[i] - np.dot(m[i, i + 1 :], x[i + 1 :])) / m[i, i]
    return np.sum(x * x)


@TABLE.in_jax(lu_solve)
def lu_solve_in_jax(a, b):
    return jnp.sum(jnp.linalg.solve(a, b) ** 2)


@TABLE.workload(lambda rng, n: (*_positive(rng, n), rng.normal(size=n)), (4,), (50,), (300,), argnums=(0, 1))
def triangular_solve(a, b):
    n = len(b)
    x = np.zeros(n)
    for i in range(n):
        x[i] = (b[i] - np.dot(a[i, :i], x[:i])) / a[i, i]
    return np.sum(x * x)


@TABLE.in_jax(triangular_solve)
def triangular_solve_in_jax(a, b):
    return jnp.sum(jsp.linalg.solve_triangular(a, b, lower=True) ** 2)


@TABLE.workload(lambda rng, n: (0.5 ** np.arange(1.0, n + 1.0) * rng.uniform(0.5, 1.0, n),), (4,), (50,), (300,))
def durbin_flipped(r):
    n = len(r)
    y = np.zeros(n)
    alpha = -r[0]
    beta = 1.0
    y[0] = -r[0]
    for k in range(1, n):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.dot(np.flip(r[:k]), y[:k])) / beta
        y[:k] += alpha * np.flip(y[:k])
        y[k] = alpha
    return np.sum(y * y)


@TABLE.in_jax(durbin_flipped)
def durbin_flipped_in_jax(r):
    n = len(r)
    places = jnp.arange(n)

    def step(state, k):
        y, alpha, beta = state
        beta = beta * (1.0 - alpha * alpha)
        turned = jnp.where(places < k, y[(k - 1 - places) % n], 0.0)
        alpha = -(r[k] + jnp.dot(r, turned)) / beta
        return ((y + alpha * turned).at[k].set(alpha), alpha, beta), None

    (y, _, _), _ = lax.scan(step, (jnp.zeros(n).at[0].set(-r[0]), -r[0], 1.0), jnp.arange(1, n))
    return jnp.sum(y * y)


@TABLE.workload(lambda rng, m, n: (rng.normal(size=(m, n)),), (4, 3), (40, 16), (150, 60))
def gram_schmidt_projected(a):
    """A column from all before it at once."""
    q = a.copy()
    n = q.shape[1]
    for k in range(n):
        inner = q[:, :k].T @ q[:, k]
        q[:, k] -= q[:, :k] @ inner
        q[:, k] /= np.sqrt(np.sum(q[:, k] ** 2))
    return np.sum(q * q * q)


@TABLE.in_jax(gram_schmidt_projected)
def gram_schmidt_projected_in_jax(a):
    columns = jnp.arange(a.shape[1])

    def step(q, k):
        inner = jnp.where(columns < k, q.T @ q[:, k], 0.0)
        one = q[:, k] - q @ inner
        return q.at[:, k].set(one / jnp.sqrt(jnp.sum(one**2))), None

    q, _ = lax.scan(step, a, columns)
    return jnp.sum(q * q * q)


def _data(rng, n, m):
    return (rng.normal(size=(n, m)),)


@TABLE.workload(_data, (5, 3), (60, 20), (200, 80))
def covariance(data):
    m = data.shape[1]
    x = data - np.sum(data, axis=0) / len(data)
    cov = np.zeros((m, m))
    for i in range(m):
        cov[i, i:] = x[:, i] @ x[:, i:] / (len(data) - 1.0)
        cov[i:, i] = cov[i, i:]
    return np.sum(cov**3)


@TABLE.in_jax(covariance)
def covariance_in_jax(data):
    x = data - jnp.mean(data, axis=0)
    return jnp.sum((x.T @ x / (len(data) - 1.0)) ** 3)


@TABLE.workload(_data, (5, 3), (60, 20), (200, 80))
def correlation(data):
    m = data.shape[1]
    mean = np.sum(data, axis=0) / len(data)
    spread = np.sqrt(np.sum((data - mean) ** 2, axis=0) / len(data))
    x = (data - mean) / (np.sqrt(len(data)) * np.where(spread <= 0.1, 1.0, spread))
    corr = np.eye(m)
    for i in range(m - 1):
        corr[i, i + 1 :] = x[:, i] @ x[:, i + 1 :]
        corr[i + 1 :, i] = corr[i, i + 1 :]
    return np.sum(corr**3)


@TABLE.in_jax(correlation)
def correlation_in_jax(data):
    m = data.shape[1]
    mean = jnp.mean(data, axis=0)
    spread = jnp.sqrt(jnp.mean((data - mean) ** 2, axis=0))
    x = (data - mean) / (jnp.sqrt(len(data)) * jnp.where(spread <= 0.1, 1.0, spread))
    corr = jnp.where(jnp.eye(m) > 0.0, 1.0, x.T @ x)
    return jnp.sum(corr**3)


# ---- products: nearly all the time is in BLAS, or in one pass over a matrix


@TABLE.workload(_matrices(1, 1), (4,), (50,), (400,), same=True, argnums=(0, 1), kind="blas")
def normal_product(a, x):
    return np.sum((a.T @ (a @ x)) ** 2)


@TABLE.workload(_matrices(1, 2), (4,), (50,), (400,), same=True, argnums=(0, 1, 2), kind="blas")
def both_sides(a, p, r):
    return np.sum((r @ a) ** 2) + np.sum((a @ p) ** 2)


@TABLE.workload(_matrices(3), (4,), (30,), (150,), same=True, argnums=(0, 1, 2), kind="blas")
def general_product(a, b, c):
    return np.sum((1.5 * a @ b + 1.2 * c) ** 2)


@TABLE.workload(_matrices(1, 7), (4,), (50,), (400,), same=True, argnums=(0, 1, 2, 3, 4, 5, 6, 7), kind="blas")
def rank_two_and_products(a, u1, v1, u2, v2, y, z, w0):
    m = a + np.outer(u1, v1) + np.outer(u2, v2)
    x = 1.2 * (y @ m) + z
    w = w0 + 1.5 * (m @ x)
    return np.sum(w * w)


@TABLE.workload(_matrices(2, 1), (4,), (50,), (400,), same=True, argnums=(0, 1, 2), kind="blas")
def summed_products(a, b, x):
    return np.sum((1.5 * (a @ x) + 1.2 * (b @ x)) ** 2)


@TABLE.workload(_matrices(1, 4), (4,), (50,), (400,), same=True, argnums=(0, 1, 2, 3, 4), kind="blas")
def transposed_pair(a, x1, x2, y1, y2):
    return np.sum((x1 + a @ y1) ** 2) + np.sum((x2 + y2 @ a) ** 2)


@TABLE.workload(_matrices(4), (4,), (30,), (120,), same=True, argnums=(0, 1, 2, 3), kind="blas")
def two_products(a, b, c, d):
    return np.sum((1.5 * a @ b @ c + 1.2 * d) ** 2)


@TABLE.workload(_matrices(4), (4,), (30,), (120,), same=True, argnums=(0, 1, 2, 3), kind="blas")
def three_products(a, b, c, d):
    return np.sum(((a @ b) @ (c @ d)) ** 2)


@TABLE.workload(
    lambda rng, r, q, p: (rng.normal(size=(r, q, p)), rng.normal(size=(p, p))),
    (2, 3, 3),
    (10, 8, 12),
    (40, 30, 30),
    argnums=(0, 1),
    kind="blas",
)
def batched_product(a0, c4):
    a = a0.copy()
    for r in range(a.shape[0]):
        a[r] = a[r] @ c4
    return np.sum(a * a)


@TABLE.in_jax(batched_product)
def batched_product_in_jax(a, c4):
    return jnp.sum((a @ c4) ** 2)


@TABLE.workload(lambda rng, n: (rng.uniform(1.0, 10.0, size=(n, n)),), (4,), (30,), (80,))
def shortest_paths(lengths):
    d = lengths.copy()
    for k in range(len(d)):
        d = np.minimum(d, d[:, k].reshape(-1, 1) + d[k])
    return np.sum(d)


@TABLE.in_jax(shortest_paths)
def shortest_paths_in_jax(lengths):
    def step(d, k):
        return jnp.minimum(d, d[:, k].reshape(-1, 1) + d[k]), None

    d, _ = lax.scan(step, lengths, jnp.arange(len(lengths)))
    return jnp.sum(d)


def _sparse(rng, n, per):
    columns = np.concatenate([np.sort(rng.choice(n, per, replace=False)) for _ in range(n)])
    return rng.normal(size=n * per), rng.normal(size=n), columns, np.arange(0, n * per + 1, per)


@TABLE.workload(_sparse, (5, 2), (200, 8), (5_000, 20), argnums=(0, 1))
def sparse_product(values, x, columns, starts):
    n = len(starts) - 1
    y = np.zeros(n)
    for i in range(n):
        places = columns[starts[i] : starts[i + 1]]
        y[i] = values[starts[i] : starts[i + 1]] @ x[places]
    return np.sum(y * y)


@TABLE.in_jax(sparse_product)
def sparse_product_in_jax(values, x, columns, starts):
    n = len(starts) - 1
    row = jnp.searchsorted(starts, jnp.arange(len(values)), side="right") - 1
    y = jnp.zeros(n).at[row].add(values * x[columns])
    return jnp.sum(y * y)


@TABLE.workload(_sparse, (5, 2), (200, 8), (5_000, 20), argnums=(0, 1))
def sparse_gathered(values, x, columns, starts):
    """All products at once, sums of them by a loop."""
    products = values * x[columns]
    total = 0.0
    for i in range(len(starts) - 1):
        total += np.sum(products[starts[i] : starts[i + 1]]) ** 2
    return total


TABLE.in_jax(sparse_gathered)(sparse_product_in_jax)
