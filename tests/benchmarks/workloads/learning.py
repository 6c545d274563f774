"""Models of machine learning."""

import numpy as np

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
