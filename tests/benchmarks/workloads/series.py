"""Tables that are filled one entry after another: time series, alignments, prices on trees."""

import math

import numpy as np

from srcgrad.numeric.vector.logarithms import vector_log
from tests.benchmarks.workloads.table import Table, jnp, lax

TABLE = Table("models")


@TABLE.workload(lambda rng, n: (np.array([0.05, 0.1, 0.1, 0.8]), rng.normal(size=n)), (5,), (1_000,), (10_000,))
def garch(p, returns):
    """The negative log-likelihood of changing variances, but for a constant."""
    s = p[1] / (1.0 - p[2] - p[3])
    total = 0.0
    for t in range(len(returns)):
        e = returns[t] - p[0]
        total += 0.5 * (math.log(s) + e * e / s)
        s = p[1] + p[2] * e * e + p[3] * s
    return total


@TABLE.by_hand(garch, bar=2.5, more=((100_000,),))
def garch_by_hand(p, returns):
    """The variances one after another, the logarithms and quotients in a loop of their own, which vectorises."""
    n = len(returns)
    s, s_bar = np.empty(n + 1), np.empty(n)
    rest = 1.0 / (1.0 - p[2] - p[3])
    s[0] = p[1] * rest
    for t in range(n):
        e = returns[t] - p[0]
        s[t + 1] = p[1] + p[2] * e * e + p[3] * s[t]
    total, p0 = 0.0, 0.0
    for t in range(n):
        e = returns[t] - p[0]
        r = 1.0 / s[t]
        q = e * r
        total += vector_log(s[t]) + e * q
        s_bar[t] = 0.5 * (r - q * q)
        p0 -= q
    p1, p2, p3, carried = 0.0, 0.0, 0.0, 0.0
    for t in range(n - 1, -1, -1):
        e = returns[t] - p[0]
        p1 += carried
        p2 += carried * e * e
        p3 += carried * s[t]
        p0 -= 2.0 * carried * p[2] * e
        carried = s_bar[t] + carried * p[3]
    both = carried * p[1] * rest * rest
    return 0.5 * total, np.array([p0, p1 + carried * rest, p2 + both, p3 + both])


@TABLE.in_jax(garch)
def garch_in_jax(p, returns):
    e = returns - p[0]

    def step(s, e):
        return p[1] + p[2] * e * e + p[3] * s, s

    _, s = lax.scan(step, p[1] / (1.0 - p[2] - p[3]), e)
    return 0.5 * jnp.sum(jnp.log(s) + e * e / s)


def softest(a, b, c, gamma):
    """The least of three, softened."""
    m = min(a, min(b, c))
    return m - gamma * math.log(math.exp((m - a) / gamma) + math.exp((m - b) / gamma) + math.exp((m - c) / gamma))


@TABLE.workload(
    lambda rng, n: (np.cumsum(rng.normal(size=n)), np.cumsum(rng.normal(size=n)), 0.5),
    (4,),
    (30,),
    (200,),
    argnums=(0, 1),
)
def soft_dtw(x, y, gamma):
    """The softened cost of aligning two series."""
    n, m = len(x), len(y)
    r = np.full((n + 1, m + 1), 1e10)
    r[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            d = (x[i - 1] - y[j - 1]) ** 2
            r[i, j] = d + softest(r[i - 1, j - 1], r[i - 1, j], r[i, j - 1], gamma)
    return r[n, m]


@TABLE.by_hand(soft_dtw, bar=2.5, more=((1_000,),))
def soft_dtw_by_hand(x, y, gamma):
    """The share of each of the three is kept, so that the way back takes no exponentials."""
    n, m = len(x), len(y)
    shares = np.empty((n, m, 3))
    row = np.full(m + 1, 1e10)
    row[0] = 0.0
    scale = 1.0 / gamma
    for i in range(n):
        corner, row[0] = row[0], 1e10
        for j in range(m):
            a, b, c = corner, row[j + 1], row[j]
            least = min(a, min(b, c))
            p = math.exp((least - a) * scale)
            q = math.exp((least - b) * scale)
            s = math.exp((least - c) * scale)
            r = 1.0 / (p + q + s)
            shares[i, j, 0], shares[i, j, 1], shares[i, j, 2] = p * r, q * r, s * r
            corner = row[j + 1]
            row[j + 1] = (x[i] - y[j]) ** 2 + least + gamma * math.log(r)
    x_bar, y_bar = np.zeros(n), np.zeros(m)
    row_bar, above_bar = np.zeros(m + 1), np.zeros(m + 1)
    row_bar[m] = 1.0
    for i in range(n - 1, -1, -1):
        above_bar[:] = 0.0
        total = 0.0
        for j in range(m - 1, -1, -1):
            e = row_bar[j + 1]
            above_bar[j] += e * shares[i, j, 0]
            above_bar[j + 1] += e * shares[i, j, 1]
            row_bar[j] += e * shares[i, j, 2]
            d = 2.0 * e * (x[i] - y[j])
            total += d
            y_bar[j] -= d
        x_bar[i] = total
        row_bar, above_bar = above_bar, row_bar
    return row[m], (x_bar, y_bar)


@TABLE.in_jax(soft_dtw)
def soft_dtw_in_jax(x, y, gamma):
    def line(above, xi):
        def entry(left, given):
            a, b, yj = given
            best = jnp.min(jnp.stack([a, b, left]))
            soft = best - gamma * jnp.log(jnp.sum(jnp.exp((best - jnp.stack([a, b, left])) / gamma)))
            new = (xi - yj) ** 2 + soft
            return new, new

        _, row = lax.scan(entry, 1e10, (above[:-1], above[1:], y))
        return jnp.concatenate([jnp.array([1e10]), row]), None

    row, _ = lax.scan(line, jnp.concatenate([jnp.zeros(1), jnp.full(len(y), 1e10)]), x)
    return row[-1]


@TABLE.workload(lambda rng, steps: (36.0, 0.2, 0.06, 40.0, 1.0, steps), (4,), (50,), (200,), argnums=(0, 1, 2))
def american_option(spot, sigma, rate, strike, years, steps):
    """The price of an American put on a binomial tree; its sensitivities are the derivatives."""
    dt = years / steps
    up = math.exp(sigma * math.sqrt(dt))
    discount = math.exp(-rate * dt)
    p = (math.exp(rate * dt) - 1.0 / up) / (up - 1.0 / up)
    prices = np.zeros(2 * steps + 1)
    for k in range(2 * steps + 1):
        prices[k] = spot * up ** (k - steps)
    v = np.zeros(steps + 1)
    for i in range(steps + 1):
        v[i] = max(strike - prices[2 * i], 0.0)
    for t in range(steps - 1, -1, -1):
        for i in range(t + 1):
            held = discount * (p * v[i + 1] + (1.0 - p) * v[i])
            v[i] = max(held, strike - prices[steps - t + 2 * i])
    return v[0]


@TABLE.by_hand(american_option, bar=2.5, more=((1_000,),))
def american_option_by_hand(spot, sigma, rate, strike, years, steps):
    """The values of all times are kept: they say where it was exercised."""
    dt = years / steps
    up = math.exp(sigma * math.sqrt(dt))
    down = 1.0 / up
    discount = math.exp(-rate * dt)
    grown = 1.0 / discount
    p = (grown - down) / (up - down)
    even, odd = np.empty(steps + 1), np.empty(steps)
    for i in range(steps + 1):
        even[i] = strike - spot * up ** (2 * i - steps)
    for i in range(steps):
        odd[i] = strike - spot * up ** (2 * i + 1 - steps)
    rows = np.empty((steps + 1, steps + 1))
    for i in range(steps + 1):
        rows[steps, i] = max(even[i], 0.0)
    higher, lower = discount * p, discount * (1.0 - p)
    for t in range(steps - 1, -1, -1):
        gone = steps - t
        exercised = even[gone // 2 :] if gone % 2 == 0 else odd[gone // 2 :]
        earlier(rows[t + 1], rows[t], exercised, higher, lower, t + 1)
    v_bar, below = np.zeros(steps + 2), np.zeros(steps + 2)
    even_bar, odd_bar = np.zeros(steps + 1), np.zeros(steps)
    v_bar[0] = 1.0
    higher_bar, lower_bar = 0.0, 0.0
    for t in range(steps):
        gone = steps - t
        gain, gain_bar = (even, even_bar) if gone % 2 == 0 else (odd, odd_bar)
        gain, gain_bar = gain[gone // 2 :], gain_bar[gone // 2 :]
        a, b = earlier_back(rows[t + 1], rows[t], gain, gain_bar, v_bar, higher, lower, below, t + 1)
        higher_bar += a
        lower_bar += b
        v_bar, below = below, v_bar
    for i in range(steps + 1):
        if even[i] > 0.0:
            even_bar[i] += v_bar[i]
    spot_bar, up_bar = 0.0, 0.0
    for i in range(steps + 1):
        e = even_bar[i] * (even[i] - strike)
        spot_bar += e
        up_bar += e * (2 * i - steps)
    for i in range(steps):
        e = odd_bar[i] * (odd[i] - strike)
        spot_bar += e
        up_bar += e * (2 * i + 1 - steps)
    p_bar = discount * (higher_bar - lower_bar)
    discount_bar = p * higher_bar + (1.0 - p) * lower_bar
    width = up - down
    up_bar = up_bar * down + p_bar * (down * down - p * (1.0 + down * down)) / width
    grown_bar = p_bar / width - discount_bar * discount * discount
    return rows[0, 0], (spot_bar / spot, up_bar * up * math.sqrt(dt), grown_bar * grown * dt)


def earlier(later, row, exercised, higher, lower, n):
    for i in range(n):
        row[i] = max(higher * later[i + 1] + lower * later[i], exercised[i])


def earlier_back(later, row, gain, gain_bar, v_bar, higher, lower, below, n):
    """The adjoint of the later row, `below`, as a gather; of the two weights, what is returned."""
    higher_bar, lower_bar = 0.0, 0.0
    for i in range(n):
        e = 0.0 if row[i] <= gain[i] else v_bar[i]
        gain_bar[i] += v_bar[i] - e
        v_bar[i] = e
        higher_bar += e * later[i + 1]
        lower_bar += e * later[i]
    below[0] = lower * v_bar[0]
    for i in range(1, n):
        below[i] = lower * v_bar[i] + higher * v_bar[i - 1]
    below[n] = higher * v_bar[n - 1]
    return higher_bar, lower_bar


@TABLE.in_jax(american_option)
def american_option_in_jax(spot, sigma, rate, strike, years, steps):
    dt = years / steps
    up = jnp.exp(sigma * jnp.sqrt(dt))
    discount = jnp.exp(-rate * dt)
    p = (jnp.exp(rate * dt) - 1.0 / up) / (up - 1.0 / up)
    prices = spot * up ** jnp.arange(-steps, steps + 1.0)
    places = jnp.arange(steps)

    def step(v, t):
        held = discount * (p * v[1:] + (1.0 - p) * v[:-1])
        new = jnp.maximum(held, strike - prices[steps - t + 2 * places])
        return jnp.where(jnp.arange(steps + 1) <= t, jnp.append(new, 0.0), 0.0), None

    v, _ = lax.scan(step, jnp.maximum(strike - prices[::2], 0.0), jnp.arange(steps - 1, -1, -1))
    return v[0]
