"""Likelihoods and prices: Gaussian process, Kalman filter, hidden Markov model, Black-Scholes."""

import math

import numpy as np


def gaussian_process(log_params, x, y):
    """The negative log marginal likelihood of a Gaussian process with a squared-exponential kernel."""
    n = x.shape[0]
    scale, length, noise = np.exp(log_params[0]), np.exp(log_params[1]), np.exp(log_params[2])
    d = (x[:, None] - x[None, :]) / length
    k = scale**2 * np.exp(-0.5 * d**2) + noise**2 * np.eye(n)
    chol = np.linalg.cholesky(k)
    alpha = np.linalg.solve(chol.T, np.linalg.solve(chol, y))
    return 0.5 * y @ alpha + np.sum(np.log(np.diag(chol))) + 0.5 * n * math.log(2 * math.pi)


def kalman_filter(a, q, r, ys):
    """The negative log-likelihood of a linear Gaussian state space model that is seen in its first coordinate."""
    n = a.shape[0]
    m = np.zeros(n)
    p = np.eye(n)
    total = 0.0
    for t in range(ys.shape[0]):
        m = a @ m
        p = a @ p @ a.T + q * np.eye(n)
        s = p[0, 0] + r
        v = ys[t] - m[0]
        gain = p[:, 0] / s
        m = m + gain * v
        p = p - np.outer(gain, p[0])
        total += 0.5 * (math.log(2 * math.pi * s) + v * v / s)
    return total


def hidden_markov(log_start, log_move, log_emit, seen):
    """The log-likelihood of observations by the forward algorithm in log space."""
    n = log_start.shape[0]
    alpha = log_start + log_emit[:, seen[0]]
    for t in range(1, seen.shape[0]):
        new = np.empty(n)
        for j in range(n):
            terms = alpha + log_move[:, j]
            m = np.max(terms)
            new[j] = m + math.log(np.sum(np.exp(terms - m))) + log_emit[j, seen[t]]
        alpha = new
    m = np.max(alpha)
    return m + math.log(np.sum(np.exp(alpha - m)))


def black_scholes(spot, strike, rate, volatility, years):
    """The price of a European call."""
    spread = volatility * math.sqrt(years)
    d1 = (math.log(spot / strike) + (rate + 0.5 * volatility**2) * years) / spread
    d2 = d1 - spread

    def normal(d):
        return 0.5 * math.erfc(-d / math.sqrt(2.0))

    return spot * normal(d1) - strike * math.exp(-rate * years) * normal(d2)
