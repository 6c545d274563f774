"""Gaussian mixtures with full covariances: the logarithm of the likelihood, a prior on the covariances included."""

import math

import numpy as np

from srcgrad.numeric.vector.exponentials import vector_exp
from tests.benchmarks.workloads.table import Table, jnp, jsp

TABLE = Table("models")


def _mixture(rng, n, k, d):
    factors = 0.3 * rng.normal(size=(k, d + d * (d - 1) // 2))
    return rng.normal(size=k), rng.normal(size=(k, d)), factors, rng.normal(size=(n, d)), 1.0, 2.0


SIZES = ((4, 2, 3), (1_000, 25, 2), (1_000, 25, 10))
LARGE = ((1_000, 25, 32), (1_000, 25, 64))


def log_sum(terms):
    m = terms[0]
    for i in range(1, len(terms)):
        if terms[i] > m:
            m = terms[i]
    s = 0.0
    for i in range(len(terms)):
        s += math.exp(terms[i] - m)
    return m + math.log(s)


@TABLE.workload(_mixture, *SIZES, argnums=(0, 1, 2))
def mixture_loops(alphas, means, factors, x, gamma, m):
    """A row of `factors` holds the logarithms of the diagonal, then the columns below it, one after another."""
    n, d = x.shape
    k = len(alphas)
    diagonal = np.zeros((k, d))
    sums = np.zeros(k)
    prior = 0.0
    for c in range(k):
        square = 0.0
        for j in range(d):
            diagonal[c, j] = math.exp(factors[c, j])
            sums[c] += factors[c, j]
            square += diagonal[c, j] * diagonal[c, j]
        for j in range(d, factors.shape[1]):
            square += factors[c, j] * factors[c, j]
        prior += 0.5 * gamma * gamma * square - m * sums[c]
    apart = np.zeros(d)
    q = np.zeros(d)
    terms = np.zeros(k)
    total = 0.0
    for p in range(n):
        for c in range(k):
            for j in range(d):
                apart[j] = x[p, j] - means[c, j]
                q[j] = diagonal[c, j] * apart[j]
            at = d
            for i in range(d):
                for j in range(i + 1, d):
                    q[j] += factors[c, at] * apart[i]
                    at += 1
            square = 0.0
            for j in range(d):
                square += q[j] * q[j]
            terms[c] = alphas[c] + sums[c] - 0.5 * square
        total += log_sum(terms)
    return total - n * log_sum(alphas) + prior


@TABLE.by_hand(mixture_loops, bar=2.0, more=LARGE)
def mixture_loops_by_hand(alphas, means, factors, x, gamma, m):
    """Forward and reverse fused for each point."""
    n, d = x.shape
    k = len(alphas)
    diagonal = np.empty((k, d))
    sums = np.zeros(k)
    for c in range(k):
        for j in range(d):
            diagonal[c, j] = math.exp(factors[c, j])
            sums[c] += factors[c, j]
    alphas_bar = np.zeros(k)
    means_bar = np.zeros((k, d))
    factors_bar = np.zeros(factors.shape)
    qs, aparts = np.empty((k, d)), np.empty((k, d))
    apart_bar = np.empty(d)
    terms = np.empty(k)
    total = 0.0
    for p in range(n):
        pass_point(p, alphas, sums, means, diagonal, factors, x, qs, aparts, terms)
        total += soften(terms)
        for c in range(k):
            alphas_bar[c] += terms[c]
        back_point(terms, diagonal, factors, qs, aparts, apart_bar, means_bar, factors_bar)
    prior = 0.0
    for c in range(k):
        square = 0.0
        for j in range(d):
            square += diagonal[c, j] ** 2
            factors_bar[c, j] = (
                (factors_bar[c, j] + gamma * gamma * diagonal[c, j]) * diagonal[c, j] + alphas_bar[c] - m
            )
        for j in range(d, factors.shape[1]):
            square += factors[c, j] ** 2
            factors_bar[c, j] += gamma * gamma * factors[c, j]
        prior += 0.5 * gamma * gamma * square - m * sums[c]
    shares = alphas.copy()
    total += prior - n * soften(shares)
    for c in range(k):
        alphas_bar[c] -= n * shares[c]
    return total, (alphas_bar, means_bar, factors_bar)


def pass_point(p, alphas, sums, means, diagonal, factors, x, qs, aparts, terms):
    """The terms of one point, and the squares' roots that they are made of."""
    k, d = means.shape
    for c in range(k):
        for j in range(d):
            a = x[p, j] - means[c, j]
            aparts[c, j] = a
            qs[c, j] = diagonal[c, j] * a
        at = d
        for i in range(d - 1):
            a = aparts[c, i]
            off = at - i - 1
            for j in range(i + 1, d):
                qs[c, np.uintp(j)] += factors[c, np.uintp(off + j)] * a
            at += d - 1 - i
        s = 0.0
        for j in range(d):
            s += qs[c, j] * qs[c, j]
        terms[c] = alphas[c] + sums[c] - 0.5 * s


def back_point(terms, diagonal, factors, qs, aparts, apart_bar, means_bar, factors_bar):
    k, d = means_bar.shape
    for c in range(k):
        w = -terms[c]
        for j in range(d):
            qs[c, j] *= w
            factors_bar[c, j] += qs[c, j] * aparts[c, j]
            apart_bar[j] = qs[c, j] * diagonal[c, j]
        at = d
        for i in range(d - 1):
            a = aparts[c, i]
            off = at - i - 1
            s = 0.0
            for j in range(i + 1, d):
                b = qs[c, np.uintp(j)]
                factors_bar[c, np.uintp(off + j)] += b * a
                s += b * factors[c, np.uintp(off + j)]
            apart_bar[i] += s
            at += d - 1 - i
        for j in range(d):
            means_bar[c, j] -= apart_bar[j]


def soften(terms):
    """The logarithm of the sum of exponentials; the terms become its derivatives."""
    m = terms[0]
    for i in range(1, len(terms)):
        m = max(m, terms[i])
    s = 0.0
    for i in range(len(terms)):
        terms[i] = vector_exp(terms[i] - m)
        s += terms[i]
    r = 1.0 / s
    for i in range(len(terms)):
        terms[i] *= r
    return m + math.log(s)


@TABLE.in_jax(mixture_loops)
def mixture_in_jax(alphas, means, factors, x, gamma, m):
    d = x.shape[1]
    columns, rows = np.triu_indices(d, 1)
    diagonal = jnp.exp(factors[:, :d])
    sums = jnp.sum(factors[:, :d], axis=1)
    lower = jnp.zeros((len(alphas), d, d)).at[:, rows, columns].set(factors[:, d:])
    whole = lower + diagonal[:, :, None] * jnp.eye(d)
    apart = x[:, None, :] - means
    q = jnp.einsum("cij,pcj->pci", whole, apart)
    terms = alphas + sums - 0.5 * jnp.sum(q * q, axis=2)
    squares = jnp.sum(diagonal**2) + jnp.sum(factors[:, d:] ** 2)
    prior = 0.5 * gamma * gamma * squares - m * jnp.sum(sums)
    likelihood = jnp.sum(jsp.special.logsumexp(terms, axis=1))
    return likelihood - len(x) * jsp.special.logsumexp(alphas) + prior


@TABLE.workload(_mixture, *SIZES, argnums=(0, 1, 2), kind="blas")
def mixture_numpy(alphas, means, factors, x, gamma, m):
    n, d = x.shape
    k = len(alphas)
    diagonal = np.exp(factors[:, :d])
    sums = np.sum(factors[:, :d], axis=1)
    terms = np.zeros((n, k))
    for c in range(k):
        lower = np.zeros((d, d))
        at = d
        for i in range(d):
            lower[i, i] = diagonal[c, i]
            lower[i + 1 :, i] = factors[c, at : at + d - 1 - i]
            at += d - 1 - i
        q = (x - means[c]) @ lower.T
        terms[:, c] = alphas[c] + sums[c] - 0.5 * np.sum(q * q, axis=1)
    total = 0.0
    for p in range(n):
        top = np.max(terms[p])
        total += top + np.log(np.sum(np.exp(terms[p] - top)))
    top = np.max(alphas)
    shares = top + np.log(np.sum(np.exp(alphas - top)))
    squares = np.sum(diagonal * diagonal) + np.sum(factors[:, d:] * factors[:, d:])
    return total - n * shares + 0.5 * gamma * gamma * squares - m * np.sum(sums)


TABLE.in_jax(mixture_numpy)(mixture_in_jax)


@TABLE.by_hand(mixture_numpy, bar=3.0, more=LARGE)
def mixture_numpy_by_hand(alphas, means, factors, x, gamma, m):
    """Products by BLAS, one component after another; elementwise work in loops."""
    n, d = x.shape
    k = len(alphas)
    factors_bar = np.empty(factors.shape)
    means_bar = np.empty((k, d))
    lower = np.zeros((d, d))
    apart = np.empty((n, d))
    qs = np.empty((k, n, d))
    terms = np.empty((n, k))
    prior = 0.0
    for c in range(k):
        constant = fill(factors[c], lower)
        less(x, means[c], apart)
        np.dot(apart, lower.T, qs[c])
        halve_squares(qs[c], alphas[c] + constant, terms, c)
        square = 0.0
        for j in range(d):
            square += lower[j, j] ** 2
        for j in range(d, factors.shape[1]):
            square += factors[c, j] ** 2
        prior += 0.5 * gamma * gamma * square - m * constant
    total = 0.0
    for p in range(n):
        total += soften(terms[p])
    alphas_bar = np.sum(terms, axis=0)
    apart_bar = np.empty((n, d))
    lower_bar = np.empty((d, d))
    for c in range(k):
        fill(factors[c], lower)
        less(x, means[c], apart)
        q = qs[c]
        for p in range(n):
            weight = -terms[p, c]
            for j in range(d):
                q[p, j] *= weight
        np.dot(q.T, apart, lower_bar)
        np.dot(q, lower, apart_bar)
        means_bar[c] = 0.0
        for p in range(n):
            for j in range(d):
                means_bar[c, j] -= apart_bar[p, j]
        at = d
        for i in range(d):
            diagonal = lower[i, i]
            factors_bar[c, i] = (lower_bar[i, i] + gamma * gamma * diagonal) * diagonal + alphas_bar[c] - m
            for j in range(i + 1, d):
                factors_bar[c, at] = lower_bar[j, i] + gamma * gamma * factors[c, at]
                at += 1
    shares = alphas.copy()
    total += prior - n * soften(shares)
    for c in range(k):
        alphas_bar[c] -= n * shares[c]
    return total, (alphas_bar, means_bar, factors_bar)


def fill(factors, lower):
    """The triangle of a row; the sum of the logarithms of its diagonal."""
    d = len(lower)
    s = 0.0
    at = d
    for i in range(d):
        s += factors[i]
        lower[i, i] = math.exp(factors[i])
        for j in range(i + 1, d):
            lower[j, i] = factors[at]
            at += 1
    return s


def less(x, mean, apart):
    for p in range(x.shape[0]):
        for j in range(x.shape[1]):
            apart[p, j] = x[p, j] - mean[j]


def halve_squares(q, constant, terms, c):
    for p in range(q.shape[0]):
        s = 0.0
        for j in range(q.shape[1]):
            s += q[p, j] * q[p, j]
        terms[p, c] = constant - 0.5 * s
