"""Adjoints as one would write them, and want to read them: value and gradient of the functions of `table.py`."""

from __future__ import annotations

import math

import numpy as np


def running_products(x):
    n = len(x)
    y = x.copy()
    for i in range(1, n):
        y[i] = x[i] * y[i - 1] + math.sin(x[i])
    y_bar = np.ones(n)
    for i in range(n - 1, 0, -1):
        y_bar[i - 1] += y_bar[i] * x[i]
        y_bar[i] *= y[i - 1] + math.cos(x[i])
    return np.sum(y), y_bar


def rk4_small(y0, dt, steps):
    y_kept = np.empty((steps + 1, 2))
    y_kept[0] = y0
    for k in range(steps):
        y = y_kept[k]
        k1 = oscillator(y)
        k2 = oscillator(y + 0.5 * dt * k1)
        k3 = oscillator(y + 0.5 * dt * k2)
        k4 = oscillator(y + dt * k3)
        y_kept[k + 1] = y + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    y_bar = 2.0 * y_kept[steps]
    for k in range(steps - 1, -1, -1):
        y1 = y_kept[k]
        y2 = y1 + 0.5 * dt * oscillator(y1)
        y3 = y1 + 0.5 * dt * oscillator(y2)
        y4 = y1 + dt * oscillator(y3)
        k_bar = dt / 6.0 * y_bar
        y4_bar = oscillator_bar(y4, k_bar)
        y3_bar = oscillator_bar(y3, 2.0 * k_bar + dt * y4_bar)
        y2_bar = oscillator_bar(y2, 2.0 * k_bar + 0.5 * dt * y3_bar)
        y1_bar = oscillator_bar(y1, k_bar + 0.5 * dt * y2_bar)
        y_bar = y_bar + y1_bar + y2_bar + y3_bar + y4_bar
    return np.sum(y_kept[steps] ** 2), y_bar


def oscillator(y):
    return np.array([y[1], (1.0 - y[0] * y[0]) * y[1] - y[0]])


def oscillator_bar(y, bar):
    return np.array([-(2.0 * y[0] * y[1] + 1.0) * bar[1], bar[0] + (1.0 - y[0] * y[0]) * bar[1]])


def gaussian_process(log_lengths, log_height, log_noise, x, y):
    n = len(x)
    z = x / np.exp(log_lengths)
    squares = np.sum(z * z, axis=1)
    distance = squares.reshape(-1, 1) + squares - 2.0 * (z @ z.T)
    smooth = np.exp(log_height) * np.exp(-0.5 * distance)
    noise = np.exp(log_noise)
    c = np.linalg.cholesky(smooth + noise * np.eye(n))
    w = np.linalg.solve(c, y)
    value = 0.5 * np.sum(w * w) + np.sum(np.log(np.diag(c))) + 0.5 * n * math.log(2.0 * math.pi)
    # the adjoint of k in closed form: (k^-1 - v v^T) / 2 with v = k^-1 y
    v = np.linalg.solve(c.T, w)
    inverse = np.linalg.inv(c)
    k_bar = 0.5 * (inverse.T @ inverse - np.outer(v, v))
    distance_bar = -0.5 * k_bar * smooth
    z_bar = 4.0 * (np.sum(distance_bar, axis=1).reshape(-1, 1) * z - distance_bar @ z)
    return value, -np.sum(z_bar * z, axis=0), np.sum(k_bar * smooth), noise * np.trace(k_bar)


def lstm(wx, wh, b, xs, ys):
    n, steps = wh.shape[0], len(xs)
    h, c = np.zeros((steps + 1, n)), np.zeros((steps + 1, n))
    i, f, o, g = np.empty((4, steps, n))
    for t in range(steps):
        z = xs[t] @ wx + h[t] @ wh + b
        i[t] = sigmoid(z[:n])
        f[t] = sigmoid(z[n : 2 * n])
        o[t] = sigmoid(z[2 * n : 3 * n])
        g[t] = np.tanh(z[3 * n :])
        c[t + 1] = f[t] * c[t] + i[t] * g[t]
        h[t + 1] = o[t] * np.tanh(c[t + 1])
    apart = h[1:] - ys
    wx_bar, wh_bar, b_bar = np.zeros_like(wx), np.zeros_like(wh), np.zeros_like(b)
    h_bar, c_bar, z_bar = np.zeros(n), np.zeros(n), np.empty(4 * n)
    for t in range(steps - 1, -1, -1):
        h_bar = h_bar + 2.0 * apart[t] / steps
        top = np.tanh(c[t + 1])
        c_bar = c_bar + h_bar * o[t] * (1.0 - top * top)
        z_bar[:n] = c_bar * g[t] * i[t] * (1.0 - i[t])
        z_bar[n : 2 * n] = c_bar * c[t] * f[t] * (1.0 - f[t])
        z_bar[2 * n : 3 * n] = h_bar * top * o[t] * (1.0 - o[t])
        z_bar[3 * n :] = c_bar * i[t] * (1.0 - g[t] * g[t])
        c_bar = c_bar * f[t]
        h_bar = wh @ z_bar
        wx_bar += np.outer(xs[t], z_bar)
        wh_bar += np.outer(h[t], z_bar)
        b_bar += z_bar
    return np.sum(apart**2) / steps, wx_bar, wh_bar, b_bar


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def softmax_regression(w, x, y):
    # the largest number is taken away for safety: it has no derivative
    z = x @ w
    e = np.exp(z - np.max(z))
    sums = np.sum(e, axis=1).reshape(-1, 1)
    log_p = z - np.max(z) - np.log(sums)
    z_bar = (np.sum(y, axis=1).reshape(-1, 1) * e / sums - y) / len(x)
    return -np.sum(y * log_p) / len(x), x.T @ z_bar


def kalman(a, h, q, r, ys):
    n, steps = len(a), len(ys)
    x_kept, p_kept = np.zeros((steps + 1, n)), np.empty((steps + 1, n, n))
    p_kept[0] = np.eye(n)
    cost = 0.0
    for t in range(steps):
        x = a @ x_kept[t]
        p = a @ p_kept[t] @ a.T + q
        e = ys[t] - h @ x
        s = h @ p @ h.T + r
        gain = p @ h.T @ np.linalg.inv(s)
        cost += 0.5 * (np.log(np.linalg.det(s)) + e @ np.linalg.solve(s, e))
        x_kept[t + 1] = x + gain @ e
        p_kept[t + 1] = p - gain @ h @ p
    a_bar, h_bar, q_bar, r_bar = np.zeros_like(a), np.zeros_like(h), np.zeros_like(q), np.zeros_like(r)
    x_bar, p_bar = np.zeros(n), np.zeros((n, n))
    for t in range(steps - 1, -1, -1):
        x = a @ x_kept[t]
        p = a @ p_kept[t] @ a.T + q
        e = ys[t] - h @ x
        inverse = np.linalg.inv(h @ p @ h.T + r)
        gain = p @ h.T @ inverse
        # p = p - gain @ h @ p
        gain_bar = -p_bar @ (h @ p).T
        h_bar -= gain.T @ p_bar @ p.T
        p_bar = p_bar - (gain @ h).T @ p_bar
        # x = x + gain @ e
        gain_bar += np.outer(x_bar, e)
        e_bar = gain.T @ x_bar
        # cost += 0.5 * (np.log(np.linalg.det(s)) + e @ np.linalg.solve(s, e))
        v, w = inverse @ e, inverse.T @ e
        e_bar = e_bar + 0.5 * (v + w)
        s_bar = 0.5 * (inverse.T - np.outer(w, v))
        # gain = p @ h.T @ np.linalg.inv(s)
        s_bar -= gain.T @ gain_bar @ inverse.T
        gain_bar = gain_bar @ inverse.T
        p_bar += gain_bar @ h
        h_bar += gain_bar.T @ p
        # s = h @ p @ h.T + r
        r_bar += s_bar
        h_bar += s_bar @ h @ p.T + s_bar.T @ h @ p
        p_bar += h.T @ s_bar @ h
        # e = ys[t] - h @ x
        h_bar -= np.outer(e_bar, x)
        x_bar = x_bar - h.T @ e_bar
        # p = a @ p @ a.T + q
        q_bar += p_bar
        a_bar += p_bar @ a @ p_kept[t].T + p_bar.T @ a @ p_kept[t]
        p_bar = a.T @ p_bar @ a
        # x = a @ x
        a_bar += np.outer(x_bar, x_kept[t])
        x_bar = a.T @ x_bar
    return cost, a_bar, h_bar, q_bar, r_bar


def heat(u0, alpha, steps):
    n, m = u0.shape
    u, u_next = u0.copy(), u0.copy()
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                around = u[i + 1, j] + u[i - 1, j] + u[i, j + 1] + u[i, j - 1]
                u_next[i, j] = u[i, j] + alpha * (around - 4.0 * u[i, j])
        u, u_next = u_next, u
    value, bar, bar_next = np.sum(u * u), 2.0 * u, np.empty((n, m))
    for _ in range(steps):
        bar_next[:] = bar
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                t = alpha * bar[i, j]
                bar_next[i, j] -= 4.0 * t
                bar_next[i + 1, j] += t
                bar_next[i - 1, j] += t
                bar_next[i, j + 1] += t
                bar_next[i, j - 1] += t
        bar, bar_next = bar_next, bar
    return value, bar


def continued(x, depth):
    # x + 1 / (x + 1 / (x + ...)): a recursion of one call is a loop down and a loop up
    values = np.empty(depth + 1)
    values[0] = math.sin(x)
    for k in range(depth):
        values[k + 1] = x + 1.0 / (1.0 + values[k] * values[k])
    value_bar, x_bar = 1.0, 0.0
    for k in range(depth - 1, -1, -1):
        x_bar += value_bar
        value_bar *= -2.0 * values[k] / (1.0 + values[k] * values[k]) ** 2
    return values[depth], x_bar + value_bar * math.cos(x)


def gaussian_mixture(alphas, means, logs, x):
    scale = np.exp(logs)
    weights = alphas + np.sum(logs, axis=1)
    total, weights_bar = 0.0, np.zeros_like(alphas)
    means_bar, scale_bar = np.zeros_like(means), np.zeros_like(logs)
    for i in range(len(x)):
        z = (x[i] - means) * scale
        terms = weights - 0.5 * np.sum(z**2, axis=1)
        m = np.max(terms)
        e = np.exp(terms - m)
        total += m + np.log(np.sum(e))
        share = e / np.sum(e)
        weights_bar += share
        z_bar = -share.reshape(-1, 1) * z
        means_bar -= z_bar * scale
        scale_bar += z_bar * (x[i] - means)
    top = np.max(alphas)
    e = np.exp(alphas - top)
    total -= len(x) * (top + np.log(np.sum(e)))
    alphas_bar = weights_bar - len(x) * e / np.sum(e)
    return total, alphas_bar, means_bar, weights_bar.reshape(-1, 1) + scale_bar * scale


def k_means(centers, points):
    cost, centers_bar = 0.0, np.zeros_like(centers)
    for i in range(len(points)):
        square = np.sum((centers - points[i]) ** 2, axis=1)
        nearest = np.argmin(square)
        cost += square[nearest]
        centers_bar[nearest] += 2.0 * (centers[nearest] - points[i])
    return cost, centers_bar


def n_body(pos0, v0, mass, dt, steps):
    n = len(pos0)
    pos, v = pos0.copy(), v0.copy()
    kept = np.empty((steps, n, 3))
    for k in range(steps):
        kept[k] = pos
        for i in range(n):
            for j in range(n):
                apart = pos[j] - pos[i]
                v[i] += dt * mass[j] / (np.sum(apart * apart) + 0.05) ** 1.5 * apart
        pos = pos + dt * v
    pos_bar, v_bar = 2.0 * pos, np.zeros((n, 3))
    for k in range(steps - 1, -1, -1):
        v_bar += dt * pos_bar
        for i in range(n):
            for j in range(n):
                apart = kept[k, j] - kept[k, i]
                square = np.sum(apart * apart) + 0.05
                weight = dt * mass[j] / square**1.5
                apart_bar = weight * (v_bar[i] - 3.0 * np.sum(v_bar[i] * apart) / square * apart)
                pos_bar[j] += apart_bar
                pos_bar[i] -= apart_bar
    return np.sum(pos * pos), pos_bar, v_bar


def option_tree(spot, strike, rate, sigma, years, steps):
    dt = years / steps
    up = math.exp(sigma * math.sqrt(dt))
    growth, discount = math.exp(rate * dt), math.exp(-rate * dt)
    p = (growth - 1.0 / up) / (up - 1.0 / up)
    prices = np.array([spot * up ** (2 * k - steps) for k in range(steps + 1)])
    values = np.empty((steps + 1, steps + 1))
    values[steps] = np.maximum(strike - prices, 0.0)
    for k in range(steps - 1, -1, -1):
        for i in range(k + 1):
            held = discount * (p * values[k + 1, i + 1] + (1.0 - p) * values[k + 1, i])
            values[k, i] = max(held, strike - spot * up ** (2 * i - k))
    bars = np.zeros(steps + 1)
    bars[0] = 1.0
    spot_bar, up_bar, discount_bar, p_bar = 0.0, 0.0, 0.0, 0.0
    for k in range(steps):
        for i in range(k, -1, -1):
            bar, bars[i] = bars[i], 0.0
            above, below = values[k + 1, i + 1], values[k + 1, i]
            mean = p * above + (1.0 - p) * below
            if discount * mean >= strike - spot * up ** (2 * i - k):
                discount_bar += bar * mean
                p_bar += bar * discount * (above - below)
                bars[i + 1] += bar * discount * p
                bars[i] += bar * discount * (1.0 - p)
            else:
                spot_bar -= bar * up ** (2 * i - k)
                up_bar -= bar * spot * (2 * i - k) * up ** (2 * i - k - 1)
    for i in range(steps + 1):
        if prices[i] < strike:
            spot_bar -= bars[i] * up ** (2 * i - steps)
            up_bar -= bars[i] * spot * (2 * i - steps) * up ** (2 * i - steps - 1)
    width = up - 1.0 / up
    up_bar += p_bar * (1.0 / up**2 - p * (1.0 + 1.0 / up**2)) / width
    growth_bar = p_bar / width
    return values[0, 0], spot_bar, dt * (growth_bar * growth - discount_bar * discount), up_bar * up * math.sqrt(dt)
