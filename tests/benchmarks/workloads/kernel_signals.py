"""Kernels: filters, networks, complex numbers, distances."""

import math

import numpy as np

from tests.benchmarks.workloads.table import Table, jnp, lax

TABLE = Table("kernels")


@TABLE.workload(lambda rng, n: (rng.uniform(size=(n, n)), 0.25), (5,), (50,), (200,), argnums=(0, 1))
def recursive_blur(image, alpha):
    """Forward and back along both axes, a column or row at a time."""
    k = (1.0 - np.exp(-alpha)) ** 2 / (1.0 + 2.0 * alpha * np.exp(-alpha) - np.exp(2.0 * alpha))
    a1 = k
    a2 = k * np.exp(-alpha) * (alpha - 1.0)
    b1 = 2.0 ** (-alpha)
    b2 = -np.exp(-2.0 * alpha)
    w, h = image.shape
    y1 = np.zeros((w, h))
    y1[:, 0] = a1 * image[:, 0]
    y1[:, 1] = a1 * image[:, 1] + a2 * image[:, 0] + b1 * y1[:, 0]
    for j in range(2, h):
        y1[:, j] = a1 * image[:, j] + a2 * image[:, j - 1] + b1 * y1[:, j - 1] + b2 * y1[:, j - 2]
    y2 = np.zeros((w, h))
    y2[:, -2] = a1 * image[:, -1]
    for j in range(h - 3, -1, -1):
        y2[:, j] = a1 * image[:, j + 1] + a2 * image[:, j + 2] + b1 * y2[:, j + 1] + b2 * y2[:, j + 2]
    out = y1 + y2
    z = np.zeros((w, h))
    z[0, :] = a1 * out[0, :]
    z[1, :] = a1 * out[1, :] + a2 * out[0, :] + b1 * z[0, :]
    for i in range(2, w):
        z[i, :] = a1 * out[i, :] + a2 * out[i - 1, :] + b1 * z[i - 1, :] + b2 * z[i - 2, :]
    return np.sum(z * z)


@TABLE.in_jax(recursive_blur)
def recursive_blur_in_jax(image, alpha):
    k = (1.0 - jnp.exp(-alpha)) ** 2 / (1.0 + 2.0 * alpha * jnp.exp(-alpha) - jnp.exp(2.0 * alpha))
    a1, a2 = k, k * jnp.exp(-alpha) * (alpha - 1.0)
    b1, b2 = 2.0 ** (-alpha), -jnp.exp(-2.0 * alpha)

    def along(known):
        def step(state, x):
            y = x + b1 * state[0] + b2 * state[1]
            return (y, state[0]), y

        zero = jnp.zeros(known.shape[1:])
        return lax.scan(step, (zero, zero), known)[1]

    def fed(x):
        return a1 * x + a2 * jnp.concatenate([jnp.zeros((1, x.shape[1])), x[:-1]])

    x = image.T
    back = jnp.concatenate([jnp.zeros((1, x.shape[1])), x[::-1][:-1]])
    out = (along(fed(x)) + along(fed(back))[::-1]).T
    return jnp.sum(along(fed(out)) ** 2)


@TABLE.workload(
    lambda rng, n, k: (rng.normal(size=n), 0.3 * rng.uniform(size=k) / k, rng.normal(size=k)),
    (8, 2),
    (500, 4),
    (5_000, 8),
    argnums=(0, 1, 2),
)
def recursive_filter(x, a, b):
    """y[n] = b . x[n - k + 1 : n + 1] + a . y[n - k : n]"""
    n, k = len(x), len(a)
    y = np.zeros(n)
    for i in range(k, n):
        y[i] = np.dot(b, x[i - k + 1 : i + 1]) + np.dot(a, y[i - k : i])
    return np.sum(y * y)


@TABLE.in_jax(recursive_filter)
def recursive_filter_in_jax(x, a, b):
    k = len(a)
    fed = jnp.convolve(x, b[::-1], mode="valid")[1:]

    def step(last, f):
        y = f + jnp.dot(a, last)
        return jnp.concatenate([last[1:], y[None]]), y

    _, y = lax.scan(step, jnp.zeros(k), fed)
    return jnp.sum(y * y)


def windows(x, w):
    """Convolution (n, h, w, c) by (k, k, c, d) in the form of a loop over windows."""
    k = w.shape[0]
    h = x.shape[1] - k + 1
    v = x.shape[2] - k + 1
    out = np.zeros((x.shape[0], h, v, w.shape[3]))
    for i in range(h):
        for j in range(v):
            part = x[:, i : i + k, j : j + k, :]
            for d in range(w.shape[3]):
                out[:, i, j, d] = np.sum(np.sum(np.sum(part * w[:, :, :, d], axis=3), axis=2), axis=1)
    return out


def windows_in_jax(x, w):
    return lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))


@TABLE.workload(
    lambda rng, n, h, k, c, d: (rng.normal(size=(n, h, h, c)), rng.normal(size=(k, k, c, d)), rng.normal(size=d)),
    (1, 4, 2, 2, 2),
    (2, 12, 3, 2, 3),
    (4, 24, 3, 3, 8),
    argnums=(0, 1, 2),
    kind="network",
)
def convolution_layer(x, w, b):
    return np.sum(np.maximum(windows(x, w) + b, 0.0) ** 2)


@TABLE.in_jax(convolution_layer)
def convolution_layer_in_jax(x, w, b):
    return jnp.sum(jnp.maximum(windows_in_jax(x, w) + b, 0.0) ** 2)


def pooled(x):
    """The largest of each two by two."""
    a = np.maximum(x[:, 0::2, 0::2, :], x[:, 1::2, 0::2, :])
    return np.maximum(a, np.maximum(x[:, 0::2, 1::2, :], x[:, 1::2, 1::2, :]))


@TABLE.workload(
    lambda rng, n, h, c: (rng.normal(size=(n, h, h, c)),), (1, 4, 2), (2, 16, 4), (8, 64, 8), same=True, kind="stencil"
)
def max_pooling(x):
    return np.sum(pooled(x) ** 2)


def _lenet(rng, n, h, c1, c2, d):
    left = ((h - 2) // 2 - 2) // 2
    return (
        0.3 * rng.normal(size=(3, 3, 1, c1)),
        0.3 * rng.normal(size=(3, 3, c1, c2)),
        0.1 * rng.normal(size=(left * left * c2, d)),
        0.1 * rng.normal(size=(d, 10)),
        rng.uniform(0.1, 0.3, c1),
        rng.uniform(0.1, 0.3, c2),
        rng.uniform(0.1, 0.3, d),
        rng.uniform(0.1, 0.3, 10),
        rng.normal(size=(n, h, h, 1)),
    )


@TABLE.workload(
    _lenet, (1, 10, 2, 2, 3), (2, 14, 3, 4, 12), (4, 26, 4, 8, 32), argnums=(0, 1, 2, 3, 4, 5, 6, 7), kind="network"
)
def lenet(w1, w2, w3, w4, b1, b2, b3, b4, x):
    h = pooled(np.maximum(windows(x, w1) + b1, 0.0))
    h = pooled(np.maximum(windows(h, w2) + b2, 0.0))
    flat = h.reshape(len(x), -1)
    h3 = np.maximum(flat @ w3 + b3, 0.0)
    return np.sum((h3 @ w4 + b4) ** 2)


@TABLE.in_jax(lenet)
def lenet_in_jax(w1, w2, w3, w4, b1, b2, b3, b4, x):
    def pool(x):
        a = jnp.maximum(x[:, 0::2, 0::2, :], x[:, 1::2, 0::2, :])
        return jnp.maximum(a, jnp.maximum(x[:, 0::2, 1::2, :], x[:, 1::2, 1::2, :]))

    h = pool(jnp.maximum(windows_in_jax(x, w1) + b1, 0.0))
    h = pool(jnp.maximum(windows_in_jax(h, w2) + b2, 0.0))
    h3 = jnp.maximum(h.reshape(len(x), -1) @ w3 + b3, 0.0)
    return jnp.sum((h3 @ w4 + b4) ** 2)


def normalised(x):
    """Over the batch, for each channel."""
    mean = np.sum(np.sum(np.sum(x, axis=0), axis=0), axis=0) / (x.shape[0] * x.shape[1] * x.shape[2])
    d = x - mean
    spread = np.sum(np.sum(np.sum(d * d, axis=0), axis=0), axis=0) / (x.shape[0] * x.shape[1] * x.shape[2])
    return d / np.sqrt(spread + 1e-5)


@TABLE.workload(
    lambda rng, n, h, c, d: (
        rng.normal(size=(n, h, h, c)),
        rng.normal(size=(1, 1, c, d)),
        rng.normal(size=(3, 3, d, d)),
        rng.normal(size=(1, 1, d, c)),
    ),
    (2, 4, 2, 2),
    (2, 8, 4, 2),
    (4, 16, 8, 4),
    argnums=(0, 1, 2, 3),
    kind="network",
)
def residual_block(x, w1, w2, w3):
    h = np.maximum(normalised(windows(x, w1)), 0.0)
    padded = np.zeros((h.shape[0], h.shape[1] + 2, h.shape[2] + 2, h.shape[3]))
    padded[:, 1:-1, 1:-1, :] = h
    h = np.maximum(normalised(windows(padded, w2)), 0.0)
    out = normalised(windows(h, w3))
    return np.sum(np.maximum(out + x, 0.0) ** 2)


@TABLE.in_jax(residual_block)
def residual_block_in_jax(x, w1, w2, w3):
    def normal(x):
        d = x - jnp.mean(x, axis=(0, 1, 2))
        return d / jnp.sqrt(jnp.mean(d * d, axis=(0, 1, 2)) + 1e-5)

    h = jnp.maximum(normal(windows_in_jax(x, w1)), 0.0)
    h = jnp.pad(h, ((0, 0), (1, 1), (1, 1), (0, 0)))
    h = jnp.maximum(normal(windows_in_jax(h, w2)), 0.0)
    return jnp.sum(jnp.maximum(normal(windows_in_jax(h, w3)) + x, 0.0) ** 2)


@TABLE.workload(
    lambda rng, a, b, c, d: (rng.normal(size=(a, b, c, d)), rng.normal(size=(a, b, c, d))),
    (2, 2, 2, 3),
    (4, 4, 16, 16),
    (8, 8, 32, 32),
    same=True,
    kind="elementwise",
)
def softmax_four_axes(x, weights):
    e = np.exp(x - np.max(x))
    total = np.sum(e, axis=3)
    return np.sum(weights * (e / total[:, :, :, np.newaxis]))


@TABLE.workload(
    lambda rng, n, a, b, c: (
        rng.normal(size=(a, b)) / a**0.5,
        rng.normal(size=(b, c)) / b**0.5,
        np.zeros(b),
        np.zeros(c),
        rng.normal(size=(n, a)),
    ),
    (2, 3, 4, 2),
    (8, 20, 30, 10),
    (32, 100, 200, 50),
    argnums=(0, 1, 2, 3),
    kind="network",
)
def perceptron(w1, w2, b1, b2, x):
    h = np.maximum(x @ w1 + b1, 0.0)
    z = h @ w2 + b2
    total = 0.0
    for i in range(len(z)):
        e = np.exp(z[i] - np.max(z[i]))
        total += np.sum((e / np.sum(e)) ** 2)
    return total


@TABLE.in_jax(perceptron)
def perceptron_in_jax(w1, w2, b1, b2, x):
    h = jnp.maximum(x @ w1 + b1, 0.0)
    z = h @ w2 + b2
    e = jnp.exp(z - jnp.max(z, axis=1, keepdims=True))
    return jnp.sum((e / jnp.sum(e, axis=1, keepdims=True)) ** 2)


@TABLE.workload(lambda rng, n, m: (rng.normal(size=(m,)), 2.0, n), (6, 3), (100, 4), (2_000, 8), argnums=(0,))
def contour_integral(coefficients, radius, n):
    """Of 1 / p(z) around a circle, by the trapezoidal rule."""
    angle = np.linspace(0.0, 2.0 * math.pi * (n - 1) / n, n)
    z = radius * (np.cos(angle) + 1j * np.sin(angle))
    p = np.zeros(n) + 0j
    for k in range(len(coefficients)):
        p = p * z + coefficients[k]
    value = np.sum(z / (p + 10.0 * z**2)) * 1j * (2.0 * math.pi / n)
    return value.real**2 + value.imag**2


@TABLE.in_jax(contour_integral)
def contour_integral_in_jax(coefficients, radius, n):
    angle = jnp.linspace(0.0, 2.0 * math.pi * (n - 1) / n, n)
    z = radius * (jnp.cos(angle) + 1j * jnp.sin(angle))
    p = jnp.zeros(n) + 0j
    for k in range(len(coefficients)):
        p = p * z + coefficients[k]
    value = jnp.sum(z / (p + 10.0 * z**2)) * 1j * (2.0 * math.pi / n)
    return value.real**2 + value.imag**2


@TABLE.workload(
    lambda rng, n, m: (rng.normal(size=(n, n)), rng.normal(size=n), rng.uniform(size=m)),
    (3, 3),
    (8, 10),
    (24, 20),
    argnums=(0, 1),
    kind="blas",
)
def resolvent(a, b, angles):
    """Solutions of shifted systems around a circle, summed."""
    n = len(b)
    total = 0.0
    for k in range(len(angles)):
        z = 3.0 * n**0.5 * (np.cos(angles[k]) + 1j * np.sin(angles[k]))
        x = np.linalg.solve(z * np.eye(n) - a, b + 0j)
        s = np.sum(x)
        total += s.real**2 + s.imag**2
    return total


@TABLE.in_jax(resolvent)
def resolvent_in_jax(a, b, angles):
    n = len(b)
    z = 3.0 * n**0.5 * (jnp.cos(angles) + 1j * jnp.sin(angles))
    x = jnp.linalg.solve(z[:, None, None] * jnp.eye(n) - a, jnp.broadcast_to((b + 0j)[None, :, None], (len(z), n, 1)))
    s = jnp.sum(x, axis=(1, 2))
    return jnp.sum(s.real**2 + s.imag**2)


@TABLE.workload(
    lambda rng, n: (*(rng.uniform(0.0, 20.0, size=(n, n)) for _ in range(3)),),
    (4,),
    (50,),
    (300,),
    same=True,
    argnums=(0, 1, 2),
    kind="elementwise",
)
def clipped_sum(a, b, c):
    return np.sum((np.clip(a, 2.0, 10.0) * 3.0 + b * 9.0 + c) ** 2)


@TABLE.workload(
    lambda rng, n, d: (rng.normal(size=(n, d)), rng.normal(size=(n, d)), 2.0),
    (4, 2),
    (40, 3),
    (150, 3),
    same=True,
    argnums=(0, 1),
)
def clipped_distances(x, y, top):
    apart = x[:, np.newaxis, :] - y
    return np.sum(np.minimum(np.sqrt(np.sum(apart * apart, axis=2) + 1e-9), top))


@TABLE.workload(
    lambda rng, n: tuple(rng.uniform(0.1, 1.5, size=n) for _ in range(4)),
    (4,),
    (1_000,),
    (20_000,),
    same=True,
    argnums=(0, 1, 2, 3),
    kind="elementwise",
)
def arc_distance(theta1, phi1, theta2, phi2):
    a = np.sin((theta2 - theta1) / 2.0) ** 2 + np.cos(theta1) * np.cos(theta2) * np.sin((phi2 - phi1) / 2.0) ** 2
    return np.sum(2.0 * np.arctan2(np.sqrt(a), np.sqrt(1.0 - a)))


@TABLE.workload(lambda rng, n: (rng.normal(size=(n, n)),), (4,), (50,), (300,))
def trace_and_shift(a):
    trace = 0.0
    for i in range(len(a)):
        trace += np.tanh(a[i, i])
    return np.sum((a + trace) ** 2)


@TABLE.in_jax(trace_and_shift)
def trace_and_shift_in_jax(a):
    return jnp.sum((a + jnp.sum(jnp.tanh(jnp.diag(a)))) ** 2)


@TABLE.workload(lambda rng, n, bins: (rng.uniform(size=n), rng.uniform(size=n), bins), (6, 2), (500, 10), (5_000, 20))
def azimuthal_mean(values, radius, bins):
    """The mean of what lies in each ring, by masks."""
    total = 0.0
    for k in range(bins):
        inside = (radius >= k / bins) & (radius < (k + 1) / bins)
        count = np.sum(inside)
        if count > 0:
            total += (np.sum(np.where(inside, values, 0.0)) / count) ** 2
    return total


@TABLE.in_jax(azimuthal_mean)
def azimuthal_mean_in_jax(values, radius, bins):
    k = jnp.arange(bins)[:, None]
    inside = (radius >= k / bins) & (radius < (k + 1) / bins)
    count = jnp.sum(inside, axis=1)
    mean = jnp.sum(jnp.where(inside, values, 0.0), axis=1) / jnp.maximum(count, 1)
    return jnp.sum(mean**2)


@TABLE.workload(lambda rng, m: (rng.normal(size=2**m), rng.normal(size=2**m), m), (3,), (7,), (12,), argnums=(0, 1))
def fourier_by_halves(real, imag, m):
    """Stockham's transform, by strided slices of complex numbers."""
    n = 2**m
    x = real + 1j * imag
    for t in range(m):
        half = 2**t
        width = n // (2 * half)
        angle = -math.pi * np.arange(half) / half
        turn = np.cos(angle) + 1j * np.sin(angle)
        even = x.reshape(half, 2 * width)[:, :width]
        odd = x.reshape(half, 2 * width)[:, width:] * turn.reshape(-1, 1)
        y = np.zeros((2 * half, width)) + 0j
        y[:half] = even + odd
        y[half:] = even - odd
        x = y.copy().reshape(n)
    return np.sum(x.real**3) + np.sum(x.imag**3)


@TABLE.in_jax(fourier_by_halves)
def fourier_by_halves_in_jax(real, imag, m):
    n = 2**m
    x = real + 1j * imag
    for t in range(m):
        half = 2**t
        width = n // (2 * half)
        angle = -math.pi * jnp.arange(half) / half
        turn = jnp.cos(angle) + 1j * jnp.sin(angle)
        parts = x.reshape(half, 2 * width)
        even, odd = parts[:, :width], parts[:, width:] * turn.reshape(-1, 1)
        x = jnp.concatenate([even + odd, even - odd]).reshape(n)
    return jnp.sum(x.real**3) + jnp.sum(x.imag**3)
