"""Models of machine learning."""

import numpy as np

from srcgrad.numeric.vector.exponentials import vector_sigmoid, vector_tanh
from tests.benchmarks.workloads.table import Table, jnp, lax

TABLE = Table("programs")


def _regression(rng, n, d, k):
    return 0.1 * rng.normal(size=(d, k)), rng.normal(size=(n, d)), np.eye(k)[rng.integers(0, k, n)]


@TABLE.workload(_regression, (4, 3, 2), (200, 20, 5), (1_000, 100, 10), same=True)
def softmax_regression(w, x, y):
    z = x @ w
    m = np.max(z)
    e = np.exp(z - m)
    log_p = z - m - np.log(np.sum(e, axis=1)).reshape(-1, 1)
    return -np.sum(y * log_p) / len(x)


def _network(rng, n, d, h):
    return (
        rng.normal(size=(d, h)) / np.sqrt(d),
        np.zeros(h),
        rng.normal(size=h) / np.sqrt(h),
        0.1,
        rng.normal(size=(n, d)),
        rng.normal(size=n),
    )


@TABLE.workload(_network, (4, 3, 2), (100, 10, 16), (500, 32, 64), same=True, argnums=(0, 1, 2, 3), kind="network")
def two_layers(w1, b1, w2, b2, x, y):
    h = np.tanh(x @ w1 + b1)
    return np.mean((h @ w2 + b2 - y) ** 2)


def _recurrent(rng, steps, d, h):
    return (
        rng.normal(size=(d, h)) / np.sqrt(d),
        rng.normal(size=(h, h)) / np.sqrt(h),
        np.zeros(h),
        rng.normal(size=(steps, d)),
        rng.normal(size=(steps, h)),
    )


@TABLE.workload(_recurrent, (3, 2, 3), (50, 8, 16), (100, 16, 32), argnums=(0, 1, 2), kind="network")
def recurrent(wx, wh, b, xs, ys):
    h = np.zeros(len(b))
    hs = []
    for t in range(len(xs)):
        h = np.tanh(xs[t] @ wx + h @ wh + b)
        hs.append(h)
    loss = 0.0
    for t in range(len(xs)):
        loss += np.sum((hs[t] - ys[t]) ** 2)
    return loss / len(xs)


@TABLE.in_jax(recurrent)
def recurrent_in_jax(wx, wh, b, xs, ys):
    def step(h, x):
        h = jnp.tanh(x @ wx + h @ wh + b)
        return h, h

    _, hs = lax.scan(step, jnp.zeros(len(b)), xs)
    return jnp.sum((hs - ys) ** 2) / len(xs)


def _lstm(rng, steps, d, h):
    return (
        rng.normal(size=(d, 4 * h)) / np.sqrt(d),
        rng.normal(size=(h, 4 * h)) / np.sqrt(h),
        np.zeros(4 * h),
        rng.normal(size=(steps, d)),
        rng.normal(size=(steps, h)),
    )


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


@TABLE.workload(_lstm, (3, 2, 3), (30, 8, 16), (100, 16, 32), argnums=(0, 1, 2), kind="network")
def lstm(wx, wh, b, xs, ys):
    n = wh.shape[0]
    h = np.zeros(n)
    c = np.zeros(n)
    hs = []
    for t in range(len(xs)):
        z = xs[t] @ wx + h @ wh + b
        i = sigmoid(z[:n])
        f = sigmoid(z[n : 2 * n])
        o = sigmoid(z[2 * n : 3 * n])
        c = f * c + i * np.tanh(z[3 * n :])
        h = o * np.tanh(c)
        hs.append(h)
    loss = 0.0
    for t in range(len(xs)):
        loss += np.sum((hs[t] - ys[t]) ** 2)
    return loss / len(xs)


def plus_vector_matrix(x, w, z):
    """z += x @ w"""
    for i in range(w.shape[0]):
        s, row = x[i], w[i]
        for j in range(w.shape[1]):
            z[j] += s * row[j]


def cell(z, c, gates, h):
    """The gates in the order of z, and then the old cells and the hyperbolic tangent of the new ones."""
    n = len(c)
    for j in range(3 * n):
        gates[j] = vector_sigmoid(z[j])
    for j in range(n):
        gates[3 * n + j] = vector_tanh(z[3 * n + j])
        gates[4 * n + j] = c[j]
        c[j] = gates[n + j] * c[j] + gates[j] * gates[3 * n + j]
    for j in range(n):
        gates[5 * n + j] = vector_tanh(c[j])
        h[j] = gates[2 * n + j] * gates[5 * n + j]


def cell_back(gates, h_bar, c_bar, z_bar):
    n = len(c_bar)
    for j in range(n):
        i, f, o, g, t = gates[j], gates[n + j], gates[2 * n + j], gates[3 * n + j], gates[5 * n + j]
        e = c_bar[j] + h_bar[j] * o * (1.0 - t * t)
        z_bar[j] = e * g * (i * (1.0 - i))
        z_bar[n + j] = e * gates[4 * n + j] * (f * (1.0 - f))
        z_bar[2 * n + j] = h_bar[j] * t * (o * (1.0 - o))
        z_bar[3 * n + j] = e * i * (1.0 - g * g)
        c_bar[j] = e * f


def matrix_vector(w, z, x):
    for i in range(w.shape[0]):
        row = w[i]
        s = 0.0
        for j in range(w.shape[1]):
            s += row[j] * z[j]
        x[i] = s


@TABLE.by_hand(lstm, bar=2.0, more=((200, 32, 64),))
def lstm_by_hand(wx, wh, b, xs, ys):
    """All inputs' products at once, and the weights' adjoints at the end, by BLAS; the gates are kept."""
    steps, n = len(xs), wh.shape[0]
    zs = np.dot(xs, wx)
    gates, hs = np.empty((steps, 6 * n)), np.zeros((steps + 1, n))
    c = np.zeros(n)
    loss = 0.0
    for t in range(steps):
        z = zs[t]
        for j in range(4 * n):
            z[j] += b[j]
        plus_vector_matrix(hs[t], wh, z)
        cell(z, c, gates[t], hs[t + 1])
        for j in range(n):
            loss += (hs[t + 1, j] - ys[t, j]) ** 2
    b_bar, c_bar, h_bar = np.zeros(4 * n), np.zeros(n), np.zeros(n)
    scale = 2.0 / steps
    for t in range(steps - 1, -1, -1):
        for j in range(n):
            h_bar[j] += scale * (hs[t + 1, j] - ys[t, j])
        z_bar = zs[t]
        cell_back(gates[t], h_bar, c_bar, z_bar)
        for j in range(4 * n):
            b_bar[j] += z_bar[j]
        matrix_vector(wh, z_bar, h_bar)
    return loss / steps, (np.dot(xs.T, zs), np.dot(hs[:steps].T, zs), b_bar)


@TABLE.in_jax(lstm)
def lstm_in_jax(wx, wh, b, xs, ys):
    n = wh.shape[0]

    def gate(x):
        return 1.0 / (1.0 + jnp.exp(-x))

    def step(state, x):
        h, c = state
        z = x @ wx + h @ wh + b
        c = gate(z[n : 2 * n]) * c + gate(z[:n]) * jnp.tanh(z[3 * n :])
        h = gate(z[2 * n : 3 * n]) * jnp.tanh(c)
        return (h, c), h

    _, hs = lax.scan(step, (jnp.zeros(n), jnp.zeros(n)), xs)
    return jnp.sum((hs - ys) ** 2) / len(xs)
