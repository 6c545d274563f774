"""Time steps written in loops: equations of motion, of nerves and of flows."""

import math

import numpy as np

from tests.benchmarks.memory import burgers_swapped, heat_swapped
from tests.benchmarks.workloads.table import Table, jnp, lax, repeated

TABLE = Table("models")


def slope(x, y, p):
    return p[0] * x - p[1] * x * y, p[2] * x * y - p[3] * y


@TABLE.workload(
    lambda rng, steps: (rng.uniform(0.5, 1.0, 4), 1.0, 0.5, 0.01, steps), (4,), (100,), (1_000,), argnums=(0, 1, 2)
)
def rk4_loops(p, x, y, dt, steps):
    """Prey and predators."""
    for _ in range(steps):
        a1, b1 = slope(x, y, p)
        a2, b2 = slope(x + 0.5 * dt * a1, y + 0.5 * dt * b1, p)
        a3, b3 = slope(x + 0.5 * dt * a2, y + 0.5 * dt * b2, p)
        a4, b4 = slope(x + dt * a3, y + dt * b3, p)
        x = x + dt / 6.0 * (a1 + 2.0 * a2 + 2.0 * a3 + a4)
        y = y + dt / 6.0 * (b1 + 2.0 * b2 + 2.0 * b3 + b4)
    return x * x + y * y


def slope_back(x, y, p, a, b):
    """The adjoints of x, y, and of the four rates."""
    xy = x * y
    return a * (p[0] - p[1] * y) + b * p[2] * y, b * (p[2] * x - p[3]) - a * p[1] * x, a * x, a * xy, b * xy, b * y


@TABLE.by_hand(rk4_loops, bar=1.5, more=((10_000,),))
def rk4_loops_by_hand(p, x, y, dt, steps):
    xs, ys = np.empty(steps), np.empty(steps)
    half = 0.5 * dt
    for t in range(steps):
        xs[t], ys[t] = x, y
        a1, b1 = slope(x, y, p)
        a2, b2 = slope(x + half * a1, y + half * b1, p)
        a3, b3 = slope(x + half * a2, y + half * b2, p)
        a4, b4 = slope(x + dt * a3, y + dt * b3, p)
        x = x + dt / 6.0 * (a1 + 2.0 * a2 + 2.0 * a3 + a4)
        y = y + dt / 6.0 * (b1 + 2.0 * b2 + 2.0 * b3 + b4)
    value = x * x + y * y
    u, v = 2.0 * x, 2.0 * y
    p0, p1, p2, p3 = 0.0, 0.0, 0.0, 0.0
    for t in range(steps - 1, -1, -1):
        x, y = xs[t], ys[t]
        a1, b1 = slope(x, y, p)
        x2, y2 = x + half * a1, y + half * b1
        a2, b2 = slope(x2, y2, p)
        x3, y3 = x + half * a2, y + half * b2
        a3, b3 = slope(x3, y3, p)
        x4, y4 = x + dt * a3, y + dt * b3
        third, sixth = dt / 3.0, dt / 6.0
        u4, v4, a, b, c, d = slope_back(x4, y4, p, sixth * u, sixth * v)
        p0, p1, p2, p3 = p0 + a, p1 - b, p2 + c, p3 - d
        u3, v3, a, b, c, d = slope_back(x3, y3, p, third * u + dt * u4, third * v + dt * v4)
        p0, p1, p2, p3 = p0 + a, p1 - b, p2 + c, p3 - d
        u2, v2, a, b, c, d = slope_back(x2, y2, p, third * u + half * u3, third * v + half * v3)
        p0, p1, p2, p3 = p0 + a, p1 - b, p2 + c, p3 - d
        u1, v1, a, b, c, d = slope_back(x, y, p, sixth * u + half * u2, sixth * v + half * v2)
        p0, p1, p2, p3 = p0 + a, p1 - b, p2 + c, p3 - d
        u, v = u + u1 + u2 + u3 + u4, v + v1 + v2 + v3 + v4
    return value, (np.array([p0, p1, p2, p3]), u, v)


@TABLE.in_jax(rk4_loops)
def rk4_loops_in_jax(p, x, y, dt, steps):
    def rate(s):
        return jnp.array([p[0] * s[0] - p[1] * s[0] * s[1], p[2] * s[0] * s[1] - p[3] * s[1]])

    def step(s):
        k1 = rate(s)
        k2 = rate(s + 0.5 * dt * k1)
        k3 = rate(s + 0.5 * dt * k2)
        k4 = rate(s + dt * k3)
        return s + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)

    s = repeated(step, jnp.array([x, y]), steps)
    return jnp.sum(s * s)


@TABLE.workload(lambda rng, steps: (0.4, 3.7, steps), (5,), (1_000,), (1_000_000,), argnums=(0, 1))
def logistic_map(x, r, steps):
    for _ in range(steps):
        x = r * x * (1.0 - x)
    return x


@TABLE.by_hand(logistic_map, bar=1.7, more=((100_000,),))
def logistic_map_by_hand(x, r, steps):
    xs = np.empty(steps)
    for t in range(steps):
        xs[t] = x
        x = r * x * (1.0 - x)
    x_bar, r_bar = 1.0, 0.0
    for t in range(steps - 1, -1, -1):
        r_bar += x_bar * (xs[t] * (1.0 - xs[t]))
        x_bar = x_bar * (r * (1.0 - 2.0 * xs[t]))
    return x, (x_bar, r_bar)


@TABLE.in_jax(logistic_map)
def logistic_map_in_jax(x, r, steps):
    return repeated(lambda x: r * x * (1.0 - x), x, steps)


@TABLE.workload(lambda rng, rate: (0.1, 1.0 / rate), (2,), (100,), (1_000,))
def particle(w, dt):
    """Where a particle between two charges reaches the ground: Euler steps until it is there."""
    x, y, u, v = 0.0, 8.0, 0.75, 0.0
    while y > 0.0:
        a, b = x - 10.0, y - 10.0 + w
        near = (a * a + b * b) ** -1.5
        far = (a * a + y * y) ** -1.5
        u += dt * a * (near + far)
        v += dt * (b * near + y * far)
        x += dt * u
        y += dt * v
    return (x - y * u / v) ** 2


@TABLE.by_hand(particle, bar=2.5, more=((10_000,),))
def particle_by_hand(w, dt):
    """What is kept has twice the room each time that it is full."""
    x, y, u, v = 0.0, 8.0, 0.75, 0.0
    xs, ys = np.empty(1_024), np.empty(1_024)
    steps = 0
    while y > 0.0:
        if steps == len(xs):
            xs, ys = doubled(xs), doubled(ys)
        xs[steps], ys[steps] = x, y
        a, b = x - 10.0, y - 10.0 + w
        p, q = a * a + b * b, a * a + y * y
        near, far = 1.0 / (p * math.sqrt(p)), 1.0 / (q * math.sqrt(q))
        u += dt * a * (near + far)
        v += dt * (b * near + y * far)
        x += dt * u
        y += dt * v
        steps += 1
    end = x - y * u / v
    e = 2.0 * end
    x_bar, y_bar, u_bar, v_bar, w_bar = e, -e * u / v, -e * y / v, e * y * u / (v * v), 0.0
    for t in range(steps - 1, -1, -1):
        u_bar += dt * x_bar
        v_bar += dt * y_bar
        x, y = xs[t], ys[t]
        a, b = x - 10.0, y - 10.0 + w
        p, q = a * a + b * b, a * a + y * y
        near, far = 1.0 / (p * math.sqrt(p)), 1.0 / (q * math.sqrt(q))
        f, g = dt * u_bar, dt * v_bar
        near_bar = -3.0 * (f * a + g * b) * near / p
        far_bar = -3.0 * (f * a + g * y) * far / q
        b_bar = g * near + near_bar * b
        x_bar += f * (near + far) + (near_bar + far_bar) * a
        y_bar += b_bar + g * far + far_bar * y
        w_bar += b_bar
    return end * end, w_bar


def doubled(a):
    b = np.empty(2 * len(a))
    b[: len(a)] = a
    return b


@TABLE.workload(lambda rng, outer, inner: (np.array([1.0, -0.8]), 0.05, outer, inner), (3, 2), (50, 20), (200, 100))
def saddle_point(start, rate, outer, inner):
    """The least of greatest values: an ascent in v within each step of a descent in u."""
    x, y = start[0], start[1]
    v, w = 0.5, 0.5
    for _ in range(outer):
        for _ in range(inner):
            v += rate * (0.5 * x - 2.0 * v)
            w += rate * (y * math.cos(y * w) - 2.0 * w)
        x -= rate * (x + 0.5 * v)
        y -= rate * (y + w * math.cos(y * w))
    return 0.5 * (x * x + y * y) + 0.5 * x * v + math.sin(y * w) - v * v - w * w


@TABLE.by_hand(saddle_point, bar=2.5, more=((1_000, 200),))
def saddle_point_by_hand(start, rate, outer, inner):
    """Of the steps within, what carries the cosine is kept, and its angle's sine."""
    x, y = start[0], start[1]
    v, w = 0.5, 0.5
    ws, cosines = np.empty((outer, inner + 1)), np.empty((outer, inner + 1))
    ys = np.empty(outer)
    for s in range(outer):
        ys[s] = y
        for t in range(inner):
            ws[s, t] = w
            cosines[s, t] = math.cos(y * w)
            v += rate * (0.5 * x - 2.0 * v)
            w += rate * (y * cosines[s, t] - 2.0 * w)
        ws[s, inner] = w
        cosines[s, inner] = math.cos(y * w)
        x -= rate * (x + 0.5 * v)
        y -= rate * (y + w * cosines[s, inner])
    value = 0.5 * (x * x + y * y) + 0.5 * x * v + math.sin(y * w) - v * v - w * w
    c = math.cos(y * w)
    x_bar, y_bar = x + 0.5 * v, y + w * c
    v_bar, w_bar = 0.5 * x - 2.0 * v, y * c - 2.0 * w
    for s in range(outer - 1, -1, -1):
        y = ys[s]
        w, c = ws[s, inner], cosines[s, inner]
        sine = math.sin(y * w)
        e = rate * y_bar
        y_bar -= e * (1.0 - w * w * sine)
        w_bar -= e * (c - w * y * sine)
        v_bar -= 0.5 * rate * x_bar
        x_bar -= rate * x_bar
        for t in range(inner - 1, -1, -1):
            w, c = ws[s, t], cosines[s, t]
            sine = math.sin(y * w)
            e = rate * w_bar
            y_bar += e * (c - y * w * sine)
            w_bar -= e * (2.0 + y * y * sine)
            x_bar += 0.5 * rate * v_bar
            v_bar -= 2.0 * rate * v_bar
    return value, np.array([x_bar, y_bar])


@TABLE.in_jax(saddle_point)
def saddle_point_in_jax(start, rate, outer, inner):
    def step(state):
        x, y, v, w = state

        def up(vw):
            v, w = vw
            return v + rate * (0.5 * x - 2.0 * v), w + rate * (y * jnp.cos(y * w) - 2.0 * w)

        v, w = repeated(up, (v, w), inner)
        return x - rate * (x + 0.5 * v), y - rate * (y + w * jnp.cos(y * w)), v, w

    x, y, v, w = repeated(step, (start[0], start[1], 0.5, 0.5), outer)
    return 0.5 * (x * x + y * y) + 0.5 * x * v + jnp.sin(y * w) - v * v - w * w


TABLE.add(
    burgers_swapped,
    lambda rng, n, steps: (1e-4, rng.random(n), steps),
    (8, 3),
    (500, 200),
    (1_000, 1_000),
    name="burgers_loops",
    argnums=1,
    kind="stencil",
)
EVERY = 32


def burgers_step(u, w, flow, spread):
    for i in range(1, len(u) - 1):
        w[i] = u[i] - flow * u[i] * (u[i + 1] - u[i - 1]) + spread * (u[i + 1] - 2.0 * u[i] + u[i - 1])


def burgers_step_back(u, w_bar, u_bar, flow, spread):
    """The adjoint as a gather: w_bar is 0 at both ends."""
    n = len(u)
    for i in range(1, n - 1):
        own = w_bar[i] * (1.0 - 2.0 * spread - flow * (u[i + 1] - u[i - 1]))
        u_bar[i] = own + w_bar[i - 1] * (spread - flow * u[i - 1]) + w_bar[i + 1] * (spread + flow * u[i + 1])
    u_bar[0] = w_bar[1] * (spread + flow * u[1])
    u_bar[n - 1] = w_bar[n - 2] * (spread - flow * u[n - 2])


@TABLE.by_hand(burgers_swapped, bar=3.0, more=((4_000, 1_000),))
def burgers_by_hand(dt, u0, steps):
    return burgers_swept(u0, dt, 0.1, steps, True)


def burgers_swept(u0, flow, spread, steps, swapped):
    """The sum of squares and its gradient: a checkpoint every 32 steps; what lies between stays in the cache. swapped:
    the ends are 0 after an odd step."""
    n = len(u0)
    kept = np.empty((steps // EVERY + 1, n))
    rows = np.zeros((EVERY + 1, n))
    for r in range(EVERY + 1):
        if r % 2 == 0 or not swapped:
            rows[r, 0], rows[r, n - 1] = u0[0], u0[n - 1]
    rows[0] = u0
    for t in range(steps):
        r = t % EVERY
        if r == 0:
            if t > 0:
                rows[0] = rows[EVERY]
            kept[t // EVERY] = rows[0]
        burgers_step(rows[r], rows[r + 1], flow, spread)
    last = rows[(steps - 1) % EVERY + 1] if steps > 0 else rows[0]
    value = 0.0
    for i in range(n):
        value += last[i] * last[i]
    u0_bar = np.zeros(n)
    w_bar = 2.0 * last
    if steps % 2 == 0 or not swapped:
        u0_bar[0], u0_bar[n - 1] = w_bar[0], w_bar[n - 1]
    u_bar = np.empty(n)
    for t in range(steps - 1, -1, -1):
        r = t % EVERY
        if r == EVERY - 1 and t != steps - 1:
            rows[0] = kept[t // EVERY]
            for k in range(r):
                burgers_step(rows[k], rows[k + 1], flow, spread)
        w_bar[0], w_bar[n - 1] = 0.0, 0.0
        burgers_step_back(rows[r], w_bar, u_bar, flow, spread)
        if t % 2 == 0 or not swapped:
            u0_bar[0] += u_bar[0]
            u0_bar[n - 1] += u_bar[n - 1]
        w_bar, u_bar = u_bar, w_bar
    u0_bar[1 : n - 1] = w_bar[1 : n - 1]
    return value, u0_bar


@TABLE.in_jax(burgers_swapped)
def burgers_swapped_in_jax(dt, u0, steps):
    def step(both):
        u, w = both
        inner = u[1:-1]
        moved = inner - dt * inner * (u[2:] - u[:-2]) + 0.1 * (u[2:] - 2.0 * inner + u[:-2])
        return w.at[1:-1].set(moved), u

    u, _ = repeated(step, (u0, jnp.zeros(len(u0))), steps)
    return jnp.sum(u * u)


TABLE.add(
    heat_swapped,
    lambda rng, n, steps: (0.1, rng.random((n, n)), steps),
    (6, 3),
    (64, 50),
    (128, 100),
    name="heat_loops",
    argnums=1,
    kind="stencil",
)


def heat_step(u, w, dt):
    for i in range(1, u.shape[0] - 1):
        above, own, below, new = u[i - 1], u[i], u[i + 1], w[i]
        for j in range(1, u.shape[1] - 1):
            lap = below[j] + above[j] + own[j + 1] + own[j - 1] - 4.0 * own[j]
            new[j] = own[j] + dt * lap * own[j]


def heat_step_back(u, w_bar, p, u_bar, dt):
    """p: w_bar * u within, 0 at the edges, which gather, too."""
    n, m = u.shape
    for i in range(1, n - 1):
        for j in range(1, m - 1):
            p[i, j] = dt * w_bar[i, j] * u[i, j]
    for i in range(1, n - 1):
        above, own, below, q0, q, q1, out, given = (
            u[i - 1],
            u[i],
            u[i + 1],
            p[i - 1],
            p[i],
            p[i + 1],
            u_bar[i],
            w_bar[i],
        )
        for j in range(1, m - 1):
            lap = below[j] + above[j] + own[j + 1] + own[j - 1] - 4.0 * own[j]
            around = q1[j] + q0[j] + q[j + 1] + q[j - 1] - 4.0 * q[j]
            out[j] = given[j] * (1.0 + dt * lap) + around
    for i in range(1, n - 1):
        u_bar[i, 0] += p[i, 1]
        u_bar[i, m - 1] += p[i, m - 2]
    for j in range(1, m - 1):
        u_bar[0, j] += p[1, j]
        u_bar[n - 1, j] += p[n - 2, j]


@TABLE.by_hand(heat_swapped, bar=3.0, more=((512, 50),))
def heat_by_hand(dt, u0, steps):
    n, m = u0.shape
    rows = np.empty((steps + 1, n, m))
    for t in range(steps + 1):
        rows[t, 0], rows[t, n - 1] = u0[0], u0[n - 1]
        rows[t, :, 0], rows[t, :, m - 1] = u0[:, 0], u0[:, m - 1]
    rows[0] = u0
    for t in range(steps):
        heat_step(rows[t], rows[t + 1], dt)
    last = rows[steps]
    u_bar = np.empty((n, m))
    value = 0.0
    for i in range(n):
        for j in range(m):
            value += last[i, j] * last[i, j]
            u_bar[i, j] = 2.0 * last[i, j]
    p = np.zeros((n, m))
    for t in range(steps - 1, -1, -1):
        heat_step_back(rows[t], u_bar, p, u_bar, dt)
    return value, u_bar


@TABLE.in_jax(heat_swapped)
def heat_swapped_in_jax(dt, u0, steps):
    def step(u):
        inner = u[1:-1, 1:-1]
        lap = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * inner
        return u.at[1:-1, 1:-1].set(inner + dt * lap * inner)

    u = repeated(step, u0, steps)
    return jnp.sum(u * u)


def _liquid(rng, n, steps):
    places = np.stack(np.meshgrid(*(np.arange(4.0),) * 3, indexing="ij"), axis=-1).reshape(-1, 3)[:n]
    return 1.2 * places + 0.05 * rng.normal(size=(n, 3)), 0.1 * rng.normal(size=(n, 3)), 0.002, steps


@TABLE.workload(_liquid, (4, 3), (20, 10), (40, 20), argnums=(0, 1))
def lennard_jones_dynamics(pos0, v0, dt, steps):
    pos = pos0.copy()
    v = v0.copy()
    force = np.zeros(pos.shape)
    n = len(pos)
    for _ in range(steps):
        force[:] = 0.0
        for i in range(n):
            for j in range(i):
                x = pos[i, 0] - pos[j, 0]
                y = pos[i, 1] - pos[j, 1]
                z = pos[i, 2] - pos[j, 2]
                s = 1.0 / (x * x + y * y + z * z)
                f = (48.0 * s**6 - 24.0 * s**3) * s
                force[i, 0] += f * x
                force[i, 1] += f * y
                force[i, 2] += f * z
                force[j, 0] -= f * x
                force[j, 1] -= f * y
                force[j, 2] -= f * z
        v += dt * force
        pos += dt * v
    return np.sum(pos * pos) + np.sum(v * v)


def pair_forces(pos, force):
    """The other particle in the inner loop, from 0: its own force is a sum of three numbers."""
    force[:] = 0.0
    for i in range(len(pos)):
        px, py, pz = pos[i, 0], pos[i, 1], pos[i, 2]
        fx, fy, fz = 0.0, 0.0, 0.0
        for j in range(i):
            x, y, z = px - pos[j, 0], py - pos[j, 1], pz - pos[j, 2]
            s = 1.0 / (x * x + y * y + z * z)
            cube = s * s * s
            f = (48.0 * cube - 24.0) * cube * s
            fx += f * x
            fy += f * y
            fz += f * z
            force[j, 0] -= f * x
            force[j, 1] -= f * y
            force[j, 2] -= f * z
        force[i, 0] += fx
        force[i, 1] += fy
        force[i, 2] += fz


def pair_forces_back(pos, force_bar, pos_bar):
    for i in range(len(pos)):
        px, py, pz = pos[i, 0], pos[i, 1], pos[i, 2]
        ex, ey, ez = force_bar[i, 0], force_bar[i, 1], force_bar[i, 2]
        sx, sy, sz = 0.0, 0.0, 0.0
        for j in range(i):
            x, y, z = px - pos[j, 0], py - pos[j, 1], pz - pos[j, 2]
            a, b, c = ex - force_bar[j, 0], ey - force_bar[j, 1], ez - force_bar[j, 2]
            s = 1.0 / (x * x + y * y + z * z)
            cube = s * s * s
            f = (48.0 * cube - 24.0) * cube * s
            g = (192.0 - 672.0 * cube) * cube * s * s * (a * x + b * y + c * z)
            x, y, z = f * a + g * x, f * b + g * y, f * c + g * z
            sx += x
            sy += y
            sz += z
            pos_bar[j, 0] -= x
            pos_bar[j, 1] -= y
            pos_bar[j, 2] -= z
        pos_bar[i, 0] += sx
        pos_bar[i, 1] += sy
        pos_bar[i, 2] += sz


@TABLE.by_hand(lennard_jones_dynamics, bar=4.0, more=((64, 200),))
def lennard_jones_by_hand(pos0, v0, dt, steps):
    """The places are kept, a row of them a step."""
    pos = pos0.copy()
    v = v0.copy()
    kept = np.empty((steps, *pos.shape))
    force = np.empty(pos.shape)
    for t in range(steps):
        kept[t] = pos
        pair_forces(pos, force)
        for i in range(len(pos)):
            for k in range(3):
                v[i, k] += dt * force[i, k]
                pos[i, k] += dt * v[i, k]
    value = np.sum(pos * pos) + np.sum(v * v)
    pos_bar, v_bar = 2.0 * pos, 2.0 * v
    for t in range(steps - 1, -1, -1):
        for i in range(len(pos)):
            for k in range(3):
                v_bar[i, k] += dt * pos_bar[i, k]
                force[i, k] = dt * v_bar[i, k]
        pair_forces_back(kept[t], force, pos_bar)
    return value, (pos_bar, v_bar)


@TABLE.in_jax(lennard_jones_dynamics)
def lennard_jones_dynamics_in_jax(pos0, v0, dt, steps):
    i, j = np.tril_indices(len(pos0), -1)

    def step(state):
        pos, v = state
        apart = pos[i] - pos[j]
        s = 1.0 / jnp.sum(apart * apart, axis=1)
        f = ((48.0 * s**6 - 24.0 * s**3) * s)[:, None] * apart
        v = v + dt * jnp.zeros(pos.shape).at[i].add(f).at[j].add(-f)
        return pos + dt * v, v

    pos, v = repeated(step, (pos0, v0), steps)
    return jnp.sum(pos * pos) + jnp.sum(v * v)


def _nerve(rng, steps):
    return np.array([120.0, 36.0, 0.3]), 10.0, 0.01, steps


@TABLE.workload(_nerve, (5,), (200,), (2_000,), argnums=(0, 1))
def hodgkin_huxley(g, current, dt, steps):
    """The mean square of a nerve's voltage, by Euler steps; the conductances of sodium, potassium and the leak."""
    v, m, h, n = -65.0, 0.05, 0.6, 0.32
    total = 0.0
    for _ in range(steps):
        am = 0.1 * (v + 40.0) / (1.0 - math.exp(-(v + 40.0) / 10.0))
        bm = 4.0 * math.exp(-(v + 65.0) / 18.0)
        ah = 0.07 * math.exp(-(v + 65.0) / 20.0)
        bh = 1.0 / (1.0 + math.exp(-(v + 35.0) / 10.0))
        an = 0.01 * (v + 55.0) / (1.0 - math.exp(-(v + 55.0) / 10.0))
        bn = 0.125 * math.exp(-(v + 65.0) / 80.0)
        sodium = g[0] * m**3 * h * (v - 50.0)
        potassium = g[1] * n**4 * (v + 77.0)
        leak = g[2] * (v + 54.387)
        v += dt * (current - sodium - potassium - leak)
        m += dt * (am * (1.0 - m) - bm * m)
        h += dt * (ah * (1.0 - h) - bh * h)
        n += dt * (an * (1.0 - n) - bn * n)
        total += v * v
    return total / steps


def gates(v, r):
    """The six rates, and the two quotients' denominators."""
    r[6] = 1.0 / (1.0 - math.exp(-(v + 40.0) / 10.0))
    r[7] = 1.0 / (1.0 - math.exp(-(v + 55.0) / 10.0))
    r[0] = 0.1 * (v + 40.0) * r[6]
    r[1] = 4.0 * math.exp(-(v + 65.0) / 18.0)
    r[2] = 0.07 * math.exp(-(v + 65.0) / 20.0)
    r[3] = 1.0 / (1.0 + math.exp(-(v + 35.0) / 10.0))
    r[4] = 0.01 * (v + 55.0) * r[7]
    r[5] = 0.125 * math.exp(-(v + 65.0) / 80.0)


@TABLE.by_hand(hodgkin_huxley, bar=2.5, more=((20_000,),))
def hodgkin_huxley_by_hand(g, current, dt, steps):
    """The state and its rates are kept: no exponential is computed twice."""
    v, m, h, n = -65.0, 0.05, 0.6, 0.32
    kept, rates = np.empty((steps, 4)), np.empty((steps, 8))
    total = 0.0
    for t in range(steps):
        k, r = kept[t], rates[t]
        k[0], k[1], k[2], k[3] = v, m, h, n
        gates(v, r)
        sodium = g[0] * (m * m * m * h) * (v - 50.0)
        potassium = g[1] * (n * n) * (n * n) * (v + 77.0)
        v += dt * (current - sodium - potassium - g[2] * (v + 54.387))
        m += dt * (r[0] * (1.0 - m) - r[1] * m)
        h += dt * (r[2] * (1.0 - h) - r[3] * h)
        n += dt * (r[4] * (1.0 - n) - r[5] * n)
        total += v * v
    v_bar, m_bar, h_bar, n_bar = 0.0, 0.0, 0.0, 0.0
    g0, g1, g2, i_bar = 0.0, 0.0, 0.0, 0.0
    scale = 2.0 / steps
    for t in range(steps - 1, -1, -1):
        v_bar += scale * v
        k, r = kept[t], rates[t]
        v, m, h, n = k[0], k[1], k[2], k[3]
        e, a, b, c = dt * v_bar, dt * m_bar, dt * h_bar, dt * n_bar
        m2, n2 = m * m, n * n
        i_bar += e
        g0 -= e * (m2 * m * h * (v - 50.0))
        g1 -= e * (n2 * n2 * (v + 77.0))
        g2 -= e * (v + 54.387)
        v_bar -= e * (g[0] * m2 * m * h + g[1] * n2 * n2 + g[2])
        # the derivatives of the rates, of themselves
        v_bar += a * (1.0 - m) * (0.1 * r[6] - r[0] * (0.1 * (r[6] - 1.0))) + a * m * r[1] / 18.0
        v_bar -= b * (1.0 - h) * r[2] / 20.0 + b * h * r[3] * (1.0 - r[3]) / 10.0
        v_bar += c * (1.0 - n) * (0.01 * r[7] - r[4] * (0.1 * (r[7] - 1.0))) + c * n * r[5] / 80.0
        m_bar -= a * (r[0] + r[1]) + e * g[0] * 3.0 * m2 * h * (v - 50.0)
        h_bar -= b * (r[2] + r[3]) + e * g[0] * m2 * m * (v - 50.0)
        n_bar -= c * (r[4] + r[5]) + e * g[1] * 4.0 * n2 * n * (v + 77.0)
    return total / steps, (np.array([g0, g1, g2]), i_bar)


@TABLE.in_jax(hodgkin_huxley)
def hodgkin_huxley_in_jax(g, current, dt, steps):
    def step(state, _):
        v, m, h, n = state
        am = 0.1 * (v + 40.0) / (1.0 - jnp.exp(-(v + 40.0) / 10.0))
        bm = 4.0 * jnp.exp(-(v + 65.0) / 18.0)
        ah = 0.07 * jnp.exp(-(v + 65.0) / 20.0)
        bh = 1.0 / (1.0 + jnp.exp(-(v + 35.0) / 10.0))
        an = 0.01 * (v + 55.0) / (1.0 - jnp.exp(-(v + 55.0) / 10.0))
        bn = 0.125 * jnp.exp(-(v + 65.0) / 80.0)
        ions = g[0] * m**3 * h * (v - 50.0) + g[1] * n**4 * (v + 77.0) + g[2] * (v + 54.387)
        v = v + dt * (current - ions)
        m = m + dt * (am * (1.0 - m) - bm * m)
        h = h + dt * (ah * (1.0 - h) - bh * h)
        n = n + dt * (an * (1.0 - n) - bn * n)
        return (v, m, h, n), v * v

    _, squares = lax.scan(step, (-65.0, 0.05, 0.6, 0.32), None, length=steps)
    return jnp.sum(squares) / steps
