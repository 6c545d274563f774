"""Models of statistics: clusters, mixtures, processes, filters."""

import math

import numpy as np

from srcgrad.numeric.vector.exponentials import vector_exp
from tests.benchmarks.workloads.clusters import k_means_loops_by_hand
from tests.benchmarks.workloads.mixtures import soften
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


TABLE.by_hand(k_means, bar=1.5, more=((20_000, 50, 8),))(k_means_loops_by_hand)


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


@TABLE.by_hand(gaussian_mixture, bar=3.0, more=((1_000, 25, 64),))
def gaussian_mixture_by_hand(alphas, means, logs, x):
    """Forward and reverse fused for each point."""
    (n, d), k = x.shape, len(alphas)
    scale, weights = np.empty((k, d)), np.empty(k)
    for c in range(k):
        weights[c] = alphas[c]
        for j in range(d):
            scale[c, j] = vector_exp(logs[c, j])
            weights[c] += logs[c, j]
    alphas_bar, means_bar, logs_bar = np.zeros(k), np.zeros((k, d)), np.zeros((k, d))
    terms = np.empty(k)
    total = 0.0
    for i in range(n):
        for c in range(k):
            square = 0.0
            for j in range(d):
                square += ((x[i, j] - means[c, j]) * scale[c, j]) ** 2
            terms[c] = weights[c] - 0.5 * square
        total += soften(terms)
        for c in range(k):
            share = terms[c]
            alphas_bar[c] += share
            for j in range(d):
                z = (x[i, j] - means[c, j]) * scale[c, j]
                means_bar[c, j] += share * z
                logs_bar[c, j] -= share * (z * z)
    for c in range(k):
        for j in range(d):
            means_bar[c, j] *= scale[c, j]
            logs_bar[c, j] += alphas_bar[c]
    shares = alphas.copy()
    total -= n * soften(shares)
    for c in range(k):
        alphas_bar[c] -= n * shares[c]
    return total, (alphas_bar, means_bar, logs_bar)


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


def times(a, b, c):
    """c = a @ b of small matrices."""
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            s = 0.0
            for k in range(a.shape[1]):
                s += a[i, k] * b[k, j]
            c[i, j] = s


def plus_times(a, b, factor, c):
    """c += factor * a @ b of small matrices."""
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            s = 0.0
            for k in range(a.shape[1]):
                s += a[i, k] * b[k, j]
            c[i, j] += factor * s


def inverted(s, inverse):
    """The inverse by Gauss and Jordan, with pivots; gives the determinant. It overwrites s."""
    m = s.shape[0]
    det = 1.0
    for i in range(m):
        for j in range(m):
            inverse[i, j] = 1.0 if i == j else 0.0
    for k in range(m):
        best = k
        for i in range(k + 1, m):
            if abs(s[i, k]) > abs(s[best, k]):
                best = i
        if best != k:
            det = -det
            for j in range(m):
                s[k, j], s[best, j] = s[best, j], s[k, j]
                inverse[k, j], inverse[best, j] = inverse[best, j], inverse[k, j]
        det *= s[k, k]
        r = 1.0 / s[k, k]
        for j in range(m):
            s[k, j] *= r
            inverse[k, j] *= r
        for i in range(m):
            if i != k:
                f = s[i, k]
                for j in range(m):
                    s[i, j] -= f * s[k, j]
                    inverse[i, j] -= f * inverse[k, j]
    return det


@TABLE.by_hand(kalman, bar=3.0, more=((1_000, 8, 4),))
def kalman_by_hand(a, h, q, r, ys):
    """Small products in loops, into arrays made once; of a step, its state, its covariances and its gain are kept."""
    steps, m = ys.shape
    n = len(a)
    xs, ps = np.zeros((steps + 1, n)), np.empty((steps + 1, n, n))
    xps, pps = np.empty((steps, n)), np.empty((steps, n, n))
    es, ms = np.empty((steps, m)), np.empty((steps, m, n))
    sis, gains = np.empty((steps, m, m)), np.empty((steps, n, m))
    s, an, nm = np.empty((m, m)), np.empty((n, n)), np.empty((n, m))
    ps[0] = np.eye(n)
    cost = 0.0
    for t in range(steps):
        xp, pp, e, hp, si, gain = xps[t], pps[t], es[t], ms[t], sis[t], gains[t]
        times(a, ps[t], an)
        pp[:] = q
        plus_times(an, a.T, 1.0, pp)
        for i in range(n):
            xp[i] = 0.0
            for j in range(n):
                xp[i] += a[i, j] * xs[t, j]
        for i in range(m):
            e[i] = ys[t, i]
            for j in range(n):
                e[i] -= h[i, j] * xp[j]
        times(h, pp, hp)
        s[:] = r
        plus_times(hp, h.T, 1.0, s)
        cost += 0.5 * math.log(inverted(s, si))
        for i in range(m):
            for j in range(m):
                cost += 0.5 * e[i] * si[i, j] * e[j]
        times(pp, h.T, nm)
        times(nm, si, gain)
        ps[t + 1] = pp
        plus_times(gain, hp, -1.0, ps[t + 1])
        for i in range(n):
            xs[t + 1, i] = xp[i]
            for j in range(m):
                xs[t + 1, i] += gain[i, j] * e[j]
    return cost, kalman_back(a, h, xs, ps, xps, pps, es, ms, sis, gains)


def kalman_back(a, h, xs, ps, xps, pps, es, ms, sis, gains):
    steps, m = es.shape
    n = len(a)
    a_bar, h_bar, q_bar, r_bar = np.zeros((n, n)), np.zeros((m, n)), np.zeros((n, n)), np.zeros((m, m))
    x_bar, p_bar, e_bar = np.zeros(n), np.zeros((n, n)), np.empty(m)
    gain_bar, hp_bar, n_bar, nm = np.empty((n, m)), np.empty((m, n)), np.empty((n, m)), np.empty((n, m))
    si_bar, s_bar, mm, mm2 = np.empty((m, m)), np.empty((m, m)), np.empty((m, m)), np.empty((m, m))
    ap, pa = np.empty((n, n)), np.empty((n, n))
    xp_bar = np.empty(n)
    for t in range(steps - 1, -1, -1):
        xp, pp, e, hp, si, gain = xps[t], pps[t], es[t], ms[t], sis[t], gains[t]
        # p = pp - gain hp, x = xp + gain e
        for i in range(n):
            for j in range(m):
                gain_bar[i, j] = x_bar[i] * e[j]
        plus_times(p_bar, hp.T, -1.0, gain_bar)
        hp_bar[:] = 0.0
        plus_times(gain.T, p_bar, -1.0, hp_bar)
        for j in range(m):
            e_bar[j] = 0.0
            for i in range(n):
                e_bar[j] += gain[i, j] * x_bar[i]
            for i in range(m):
                e_bar[j] += 0.5 * (si[i, j] + si[j, i]) * e[i]
        # gain = (pp h') si
        times(pp, h.T, nm)
        times(gain_bar, si.T, n_bar)
        times(nm.T, gain_bar, si_bar)
        for i in range(m):
            for j in range(m):
                si_bar[i, j] += 0.5 * e[i] * e[j]
        times(si.T, si_bar, mm)
        times(mm, si.T, mm2)
        for i in range(m):
            for j in range(m):
                s_bar[i, j] = 0.5 * si[j, i] - mm2[i, j]
                r_bar[i, j] += s_bar[i, j]
        # s = hp h' + r, hp = h pp
        plus_times(s_bar, h, 1.0, hp_bar)
        plus_times(s_bar.T, hp, 1.0, h_bar)
        plus_times(n_bar.T, pp, 1.0, h_bar)
        plus_times(hp_bar, pp.T, 1.0, h_bar)
        plus_times(n_bar, h, 1.0, p_bar)
        plus_times(h.T, hp_bar, 1.0, p_bar)
        for i in range(n):
            xp_bar[i] = x_bar[i]
            for j in range(m):
                h_bar[j, i] -= e_bar[j] * xp[i]
                xp_bar[i] -= h[j, i] * e_bar[j]
        # pp = a p a' + q, xp = a x
        for i in range(n):
            for j in range(n):
                q_bar[i, j] += p_bar[i, j]
        times(a, ps[t], ap)
        plus_times(p_bar.T, ap, 1.0, a_bar)
        times(p_bar, a, pa)
        plus_times(pa, ps[t].T, 1.0, a_bar)
        times(a.T, pa, p_bar)
        for i in range(n):
            x_bar[i] = 0.0
        for i in range(n):
            for j in range(n):
                a_bar[i, j] += xp_bar[i] * xs[t, j]
                x_bar[j] += a[i, j] * xp_bar[i]
    return a_bar, h_bar, q_bar, r_bar


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
