"""Kernels: stencils in one to three dimensions, waves, implicit steps, flows."""

import numpy as np

from tests.benchmarks.workloads.table import Table, jnp, lax, repeated

TABLE = Table("kernels")


def _two(rng, n, steps):
    return rng.uniform(size=n), rng.uniform(size=n), steps


@TABLE.workload(_two, (7, 2), (1_000, 50), (4_000, 200), argnums=(0, 1), kind="stencil")
def jacobi_1d(a0, b0, steps):
    a = a0.copy()
    b = b0.copy()
    for _ in range(steps):
        b[1:-1] = 0.33333 * (a[:-2] + a[1:-1] + a[2:])
        a[1:-1] = 0.33333 * (b[:-2] + b[1:-1] + b[2:])
    return np.sum(a * a)


@TABLE.in_jax(jacobi_1d)
def jacobi_1d_in_jax(a0, b0, steps):
    def step(state):
        a, b = state
        b = b.at[1:-1].set(0.33333 * (a[:-2] + a[1:-1] + a[2:]))
        a = a.at[1:-1].set(0.33333 * (b[:-2] + b[1:-1] + b[2:]))
        return a, b

    a, _ = repeated(step, (a0, b0), steps)
    return jnp.sum(a * a)


def _planes(count):
    return lambda rng, n, steps: (*(rng.uniform(size=(n, n)) for _ in range(count)), steps)


@TABLE.workload(_planes(2), (5, 2), (50, 20), (150, 50), argnums=(0, 1), kind="stencil")
def jacobi_2d(a0, b0, steps):
    a = a0.copy()
    b = b0.copy()
    for _ in range(steps):
        b[1:-1, 1:-1] = 0.2 * (a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1])
        a[1:-1, 1:-1] = 0.2 * (b[1:-1, 1:-1] + b[1:-1, :-2] + b[1:-1, 2:] + b[2:, 1:-1] + b[:-2, 1:-1])
    return np.sum(a * a)


def _mean_of_five(a):
    return 0.2 * (a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1])


@TABLE.in_jax(jacobi_2d)
def jacobi_2d_in_jax(a0, b0, steps):
    def step(state):
        a, b = state
        b = b.at[1:-1, 1:-1].set(_mean_of_five(a))
        return a.at[1:-1, 1:-1].set(_mean_of_five(b)), b

    a, _ = repeated(step, (a0, b0), steps)
    return jnp.sum(a * a)


@TABLE.workload(lambda rng, n, steps: (rng.uniform(size=(n, n, n)), steps), (4, 2), (16, 10), (40, 20), kind="stencil")
def heat_3d(a0, steps):
    a = a0.copy()
    b = a0.copy()
    for _ in range(steps):
        b[1:-1, 1:-1, 1:-1] = (
            0.125 * (a[2:, 1:-1, 1:-1] - 2.0 * a[1:-1, 1:-1, 1:-1] + a[:-2, 1:-1, 1:-1])
            + 0.125 * (a[1:-1, 2:, 1:-1] - 2.0 * a[1:-1, 1:-1, 1:-1] + a[1:-1, :-2, 1:-1])
            + 0.125 * (a[1:-1, 1:-1, 2:] - 2.0 * a[1:-1, 1:-1, 1:-1] + a[1:-1, 1:-1, :-2])
            + a[1:-1, 1:-1, 1:-1]
        )
        a[1:-1, 1:-1, 1:-1] = (
            0.125 * (b[2:, 1:-1, 1:-1] - 2.0 * b[1:-1, 1:-1, 1:-1] + b[:-2, 1:-1, 1:-1])
            + 0.125 * (b[1:-1, 2:, 1:-1] - 2.0 * b[1:-1, 1:-1, 1:-1] + b[1:-1, :-2, 1:-1])
            + 0.125 * (b[1:-1, 1:-1, 2:] - 2.0 * b[1:-1, 1:-1, 1:-1] + b[1:-1, 1:-1, :-2])
            + b[1:-1, 1:-1, 1:-1]
        )
    return np.sum(a * a)


@TABLE.in_jax(heat_3d)
def heat_3d_in_jax(a0, steps):
    def spread(a):
        inner = a[1:-1, 1:-1, 1:-1]
        around = a[2:, 1:-1, 1:-1] + a[:-2, 1:-1, 1:-1] + a[1:-1, 2:, 1:-1] + a[1:-1, :-2, 1:-1]
        return 0.125 * (around + a[1:-1, 1:-1, 2:] + a[1:-1, 1:-1, :-2] - 6.0 * inner) + inner

    def step(state):
        a, b = state
        b = b.at[1:-1, 1:-1, 1:-1].set(spread(a))
        return a.at[1:-1, 1:-1, 1:-1].set(spread(b)), b

    a, _ = repeated(step, (a0, a0), steps)
    return jnp.sum(a * a)


@TABLE.workload(_planes(1), (5, 2), (30, 5), (80, 10))
def seidel_2d(a0, steps):
    """Gauss-Seidel: a row by a slice, then along the row."""
    a = a0.copy()
    n = len(a)
    for _ in range(steps):
        for i in range(1, n - 1):
            a[i, 1:-1] += a[i - 1, :-2] + a[i - 1, 1:-1] + a[i - 1, 2:] + a[i, 2:]
            a[i, 1:-1] += a[i + 1, :-2] + a[i + 1, 1:-1] + a[i + 1, 2:]
            for j in range(1, n - 1):
                a[i, j] = (a[i, j] + a[i, j - 1]) / 9.0
    return np.sum(a * a)


@TABLE.in_jax(seidel_2d)
def seidel_2d_in_jax(a0, steps):
    def row(a, i):
        up, here, down = a[i - 1], a[i], a[i + 1]
        known = here[1:-1] + up[:-2] + up[1:-1] + up[2:] + here[2:] + down[:-2] + down[1:-1] + down[2:]

        def along(left, x):
            new = (x + left) / 9.0
            return new, new

        _, new = lax.scan(along, here[0], known)
        return a.at[i, 1:-1].set(new), None

    a = repeated(lambda a: lax.scan(row, a, jnp.arange(1, len(a) - 1))[0], a0, steps)
    return jnp.sum(a * a)


@TABLE.workload(
    lambda rng, n, steps: (*(rng.uniform(size=(n, n + 1)) for _ in range(3)), rng.uniform(size=steps)),
    (5, 2),
    (50, 20),
    (120, 50),
    argnums=(0, 1, 2, 3),
    kind="stencil",
)
def fdtd_2d(ex0, ey0, hz0, source):
    ex = ex0.copy()
    ey = ey0.copy()
    hz = hz0.copy()
    for t in range(len(source)):
        ey[0, :] = source[t]
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])
    return np.sum(hz * hz)


@TABLE.in_jax(fdtd_2d)
def fdtd_2d_in_jax(ex0, ey0, hz0, source):
    def step(state, s):
        ex, ey, hz = state
        ey = ey.at[0, :].set(s)
        ey = ey.at[1:, :].add(-0.5 * (hz[1:, :] - hz[:-1, :]))
        ex = ex.at[:, 1:].add(-0.5 * (hz[:, 1:] - hz[:, :-1]))
        hz = hz.at[:-1, :-1].add(-0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1]))
        return (ex, ey, hz), None

    (_, _, hz), _ = lax.scan(step, (ex0, ey0, hz0), source)
    return jnp.sum(hz * hz)


@TABLE.workload(_planes(1), (5, 2), (30, 5), (80, 10))
def adi(u0, steps):
    """Alternating directions: tridiagonal sweeps along one axis, all of the other at once."""
    u = u0.copy()
    n = len(u)
    v = np.zeros((n, n))
    p = np.zeros((n, n))
    q = np.zeros((n, n))
    for _ in range(steps):
        v[0, 1:-1] = 1.0
        p[1:-1, 0] = 0.0
        q[1:-1, 0] = v[0, 1:-1]
        for j in range(1, n - 1):
            p[1:-1, j] = 0.3 / (-0.3 * p[1:-1, j - 1] + 1.6)
            q[1:-1, j] = (0.2 * u[j, :-2] + 0.6 * u[j, 1:-1] + 0.2 * u[j, 2:] + 0.3 * q[1:-1, j - 1]) / (
                -0.3 * p[1:-1, j - 1] + 1.6
            )
        v[-1, 1:-1] = 1.0
        for j in range(n - 2, 0, -1):
            v[j, 1:-1] = p[1:-1, j] * v[j + 1, 1:-1] + q[1:-1, j]
        u[1:-1, 0] = 1.0
        p[1:-1, 0] = 0.0
        q[1:-1, 0] = u[1:-1, 0]
        for j in range(1, n - 1):
            p[1:-1, j] = 0.3 / (-0.3 * p[1:-1, j - 1] + 1.6)
            q[1:-1, j] = (0.2 * v[:-2, j] + 0.6 * v[1:-1, j] + 0.2 * v[2:, j] + 0.3 * q[1:-1, j - 1]) / (
                -0.3 * p[1:-1, j - 1] + 1.6
            )
        u[1:-1, -1] = 1.0
        for j in range(n - 2, 0, -1):
            u[1:-1, j] = p[1:-1, j] * u[1:-1, j + 1] + q[1:-1, j]
    return np.sum(u * u)


@TABLE.in_jax(adi)
def adi_in_jax(u0, steps):
    n = len(u0)

    def solve(known):
        """Of known (inner, other): the values along the first axis between ones at both ends."""

        def down(state, d):
            p, q = state
            new = 0.3 / (-0.3 * p + 1.6), (d + 0.3 * q) / (-0.3 * p + 1.6)
            return new, new

        _, (p, q) = lax.scan(down, (jnp.zeros(n - 2), jnp.ones(n - 2)), known)

        def up(x, pq):
            x = pq[0] * x + pq[1]
            return x, x

        _, x = lax.scan(up, jnp.ones(n - 2), (p, q), reverse=True)
        return x

    def step(state):
        u, v = state
        v = v.at[0, 1:-1].set(1.0).at[-1, 1:-1].set(1.0)
        v = v.at[1:-1, 1:-1].set(solve(0.2 * u[1:-1, :-2] + 0.6 * u[1:-1, 1:-1] + 0.2 * u[1:-1, 2:]))
        u = u.at[1:-1, 0].set(1.0).at[1:-1, -1].set(1.0)
        known = 0.2 * v[:-2, 1:-1] + 0.6 * v[1:-1, 1:-1] + 0.2 * v[2:, 1:-1]
        return u.at[1:-1, 1:-1].set(solve(known.T).T), v

    u, _ = repeated(step, (u0, jnp.zeros((n, n))), steps)
    return jnp.sum(u * u)


@TABLE.workload(
    lambda rng, n, k: (rng.uniform(size=(n + 4, n + 4, k)), rng.uniform(size=(n, n, k))),
    (3, 2),
    (24, 8),
    (64, 32),
    argnums=(0, 1),
    kind="stencil",
)
def horizontal_diffusion(field, coefficient):
    """Of an atmosphere's layers, with limited fluxes."""
    n = coefficient.shape[0]
    lap = 4.0 * field[1 : n + 3, 1 : n + 3, :] - (
        field[2 : n + 4, 1 : n + 3, :]
        + field[0 : n + 2, 1 : n + 3, :]
        + field[1 : n + 3, 2 : n + 4, :]
        + field[1 : n + 3, 0 : n + 2, :]
    )
    res = lap[1:, 1 : n + 1, :] - lap[:-1, 1 : n + 1, :]
    flx = np.where(res * (field[2 : n + 3, 2 : n + 2, :] - field[1 : n + 2, 2 : n + 2, :]) > 0.0, 0.0, res)
    res2 = lap[1 : n + 1, 1:, :] - lap[1 : n + 1, :-1, :]
    fly = np.where(res2 * (field[2 : n + 2, 2 : n + 3, :] - field[2 : n + 2, 1 : n + 2, :]) > 0.0, 0.0, res2)
    out = field[2 : n + 2, 2 : n + 2, :] - coefficient * (flx[1:] - flx[:-1] + fly[:, 1:] - fly[:, :-1])
    return np.sum(out * out)


TABLE.in_jax(horizontal_diffusion)(horizontal_diffusion)


@TABLE.workload(
    lambda rng, n, k: (*(rng.uniform(size=(n, n, k)) for _ in range(3)), 0.1),
    (3, 4),
    (16, 10),
    (48, 40),
    argnums=(0, 1, 2),
)
def vertical_advection(w, u, s, dt):
    """An implicit step: a tridiagonal system in each column, all columns at once."""
    k = u.shape[2]
    c = np.zeros(u.shape)
    d = np.zeros(u.shape)
    g = 0.25 * (w[:, :, 1] + w[:, :, 0])
    c[:, :, 0] = g / (1.0 / dt - g)
    d[:, :, 0] = (u[:, :, 0] / dt + s[:, :, 0] - g * (u[:, :, 1] - u[:, :, 0])) / (1.0 / dt - g)
    for j in range(1, k - 1):
        low = -0.25 * (w[:, :, j] + w[:, :, j - 1])
        high = 0.25 * (w[:, :, j + 1] + w[:, :, j])
        middle = 1.0 / dt - low - high
        right = u[:, :, j] / dt + s[:, :, j]
        right = right - low * (u[:, :, j - 1] - u[:, :, j]) - high * (u[:, :, j + 1] - u[:, :, j])
        divisor = 1.0 / (middle - c[:, :, j - 1] * low)
        c[:, :, j] = high * divisor
        d[:, :, j] = (right - d[:, :, j - 1] * low) * divisor
    last = -0.25 * (w[:, :, k - 1] + w[:, :, k - 2])
    x = (u[:, :, k - 1] / dt - d[:, :, k - 2] * last) / (1.0 / dt - last - c[:, :, k - 2] * last)
    total = np.sum(x * x)
    for j in range(k - 2, -1, -1):
        x = d[:, :, j] - c[:, :, j] * x
        total += np.sum(x * x)
    return total


@TABLE.in_jax(vertical_advection)
def vertical_advection_in_jax(w, u, s, dt):
    g = 0.25 * (w[:, :, 1] + w[:, :, 0])
    c0 = g / (1.0 / dt - g)
    d0 = (u[:, :, 0] / dt + s[:, :, 0] - g * (u[:, :, 1] - u[:, :, 0])) / (1.0 / dt - g)
    w, u, s = (jnp.moveaxis(x, 2, 0) for x in (w, u, s))
    low = -0.25 * (w[1:-1] + w[:-2])
    high = 0.25 * (w[2:] + w[1:-1])
    right = u[1:-1] / dt + s[1:-1] - low * (u[:-2] - u[1:-1]) - high * (u[2:] - u[1:-1])

    def down(state, x):
        c, d = state
        low, high, right = x
        divisor = 1.0 / (1.0 / dt - low - high - c * low)
        new = high * divisor, (right - d * low) * divisor
        return new, new

    (c1, d1), (cs, ds) = lax.scan(down, (c0, d0), (low, high, right))
    last = -0.25 * (w[-1] + w[-2])
    x1 = (u[-1] / dt - d1 * last) / (1.0 / dt - last - c1 * last)

    def up(x, cd):
        x = cd[1] - cd[0] * x
        return x, jnp.sum(x * x)

    x, parts = lax.scan(up, x1, (cs, ds), reverse=True)
    _, part = up(x, (c0, d0))
    return jnp.sum(x1 * x1) + jnp.sum(parts) + part


@TABLE.workload(
    lambda rng, n, steps, sweeps: (1.0, 0.1, 1.0, n, steps, sweeps),
    (6, 2, 2),
    (24, 10, 10),
    (41, 20, 20),
    argnums=(0, 1, 2),
    kind="stencil",
)
def channel_flow(force, nu, rho, n, steps, sweeps):
    """Flow along x, which is periodic, between two walls."""
    dx = 2.0 / (n - 1)
    dt = 0.01
    u = np.zeros((n, n))
    v = np.zeros((n, n))
    p = np.ones((n, n))
    b = np.zeros((n, n))
    for _ in range(steps):
        ux = (np.roll(u, -1, axis=1) - np.roll(u, 1, axis=1))[1:-1, :] / (2.0 * dx)
        vx = (np.roll(v, -1, axis=1) - np.roll(v, 1, axis=1))[1:-1, :] / (2.0 * dx)
        uy = (u[2:, :] - u[:-2, :]) / (2.0 * dx)
        vy = (v[2:, :] - v[:-2, :]) / (2.0 * dx)
        b[1:-1, :] = rho * ((ux + vy) / dt - ux**2 - 2.0 * uy * vx - vy**2)
        for _ in range(sweeps):
            pn = p.copy()
            across = (np.roll(pn, -1, axis=1) + np.roll(pn, 1, axis=1))[1:-1, :]
            p[1:-1, :] = 0.25 * (across + pn[2:, :] + pn[:-2, :] - dx**2 * b[1:-1, :])
            p[-1, :] = p[-2, :]
            p[0, :] = p[1, :]
        un = u.copy()
        vn = v.copy()
        ul = np.roll(un, 1, axis=1)[1:-1, :]
        ur = np.roll(un, -1, axis=1)[1:-1, :]
        vl = np.roll(vn, 1, axis=1)[1:-1, :]
        vr = np.roll(vn, -1, axis=1)[1:-1, :]
        ui = un[1:-1, :]
        vi = vn[1:-1, :]
        slope = (np.roll(p, -1, axis=1) - np.roll(p, 1, axis=1))[1:-1, :]
        u[1:-1, :] = (
            ui
            - dt / dx * (ui * (ui - ul) + vi * (ui - un[:-2, :]))
            - dt / (2.0 * rho * dx) * slope
            + nu * dt / dx**2 * (ur + ul + un[2:, :] + un[:-2, :] - 4.0 * ui)
            + force * dt
        )
        v[1:-1, :] = (
            vi
            - dt / dx * (ui * (vi - vl) + vi * (vi - vn[:-2, :]))
            - dt / (2.0 * rho * dx) * (p[2:, :] - p[:-2, :])
            + nu * dt / dx**2 * (vr + vl + vn[2:, :] + vn[:-2, :] - 4.0 * vi)
        )
        u[0, :] = 0.0
        u[-1, :] = 0.0
        v[0, :] = 0.0
        v[-1, :] = 0.0
    return np.sum(u * u) + np.sum(v * v)


@TABLE.in_jax(channel_flow)
def channel_flow_in_jax(force, nu, rho, n, steps, sweeps):
    dx = 2.0 / (n - 1)
    dt = 0.01

    def left(a):
        return jnp.roll(a, 1, axis=1)[1:-1]

    def right(a):
        return jnp.roll(a, -1, axis=1)[1:-1]

    def sweep(p, b):
        p = p.at[1:-1].set(0.25 * (left(p) + right(p) + p[2:] + p[:-2] - dx**2 * b))
        return p.at[-1].set(p[-2]).at[0].set(p[1])

    def step(state):
        u, v, p = state
        ux, vx = (right(u) - left(u)) / (2.0 * dx), (right(v) - left(v)) / (2.0 * dx)
        uy, vy = (u[2:] - u[:-2]) / (2.0 * dx), (v[2:] - v[:-2]) / (2.0 * dx)
        b = rho * ((ux + vy) / dt - ux**2 - 2.0 * uy * vx - vy**2)
        p = repeated(lambda p: sweep(p, b), p, sweeps)
        ui, vi = u[1:-1], v[1:-1]

        def moved(w):
            wi = w[1:-1]
            carried = ui * (wi - left(w)) + vi * (wi - w[:-2])
            return wi - dt / dx * carried + nu * dt / dx**2 * (right(w) + left(w) + w[2:] + w[:-2] - 4.0 * wi)

        un = moved(u) - dt / (2.0 * rho * dx) * (right(p) - left(p)) + force * dt
        vn = moved(v) - dt / (2.0 * rho * dx) * (p[2:] - p[:-2])
        wall = ((1, 1), (0, 0))
        return jnp.pad(un, wall), jnp.pad(vn, wall), p

    u, v, _ = repeated(step, (jnp.zeros((n, n)), jnp.zeros((n, n)), jnp.ones((n, n))), steps)
    return jnp.sum(u * u) + jnp.sum(v * v)


@TABLE.workload(
    lambda rng, n, steps: (rng.uniform(size=(n, n, n)), 0.1, steps), (4, 2), (16, 10), (32, 20), kind="stencil"
)
def wave_3d(u0, speed, steps):
    """Two states that take turns."""
    u = u0.copy()
    before = u0.copy()
    for _ in range(steps):
        new = np.zeros(u.shape)
        i = u[1:-1, 1:-1, 1:-1]
        around = u[2:, 1:-1, 1:-1] + u[:-2, 1:-1, 1:-1] + u[1:-1, 2:, 1:-1] + u[1:-1, :-2, 1:-1]
        around = around + u[1:-1, 1:-1, 2:] + u[1:-1, 1:-1, :-2]
        new[1:-1, 1:-1, 1:-1] = 2.0 * i - before[1:-1, 1:-1, 1:-1] + speed * (around - 6.0 * i)
        before = u
        u = new
    return np.sum(u * u)


@TABLE.in_jax(wave_3d)
def wave_3d_in_jax(u0, speed, steps):
    def step(state):
        u, before = state
        i = u[1:-1, 1:-1, 1:-1]
        around = u[2:, 1:-1, 1:-1] + u[:-2, 1:-1, 1:-1] + u[1:-1, 2:, 1:-1] + u[1:-1, :-2, 1:-1]
        around = around + u[1:-1, 1:-1, 2:] + u[1:-1, 1:-1, :-2]
        return jnp.pad(2.0 * i - before[1:-1, 1:-1, 1:-1] + speed * (around - 6.0 * i), 1), u

    u, _ = repeated(step, (u0, u0), steps)
    return jnp.sum(u * u)


@TABLE.workload(_planes(2), (6, 2), (48, 10), (128, 20), argnums=(0, 1), kind="stencil")
def red_black(u0, right, steps):
    """Gauss-Seidel in two colours, by strided slices."""
    u = u0.copy()
    for _ in range(steps):
        for start in range(2):
            a = 1 + start
            b = 2 - start
            odd = u[0:-2:2, a:-1:2] + u[2::2, a:-1:2] + u[1:-1:2, a - 1 : -2 : 2] + u[1:-1:2, a + 1 :: 2]
            u[1:-1:2, a:-1:2] = 0.25 * (odd - right[1:-1:2, a:-1:2])
            even = u[1:-2:2, b:-1:2] + u[3::2, b:-1:2] + u[2:-1:2, b - 1 : -2 : 2] + u[2:-1:2, b + 1 :: 2]
            u[2:-1:2, b:-1:2] = 0.25 * (even - right[2:-1:2, b:-1:2])
    return np.sum(u * u)


@TABLE.in_jax(red_black)
def red_black_in_jax(u0, right, steps):
    def step(u):
        for a, b in ((1, 2), (2, 1)):
            odd = u[0:-2:2, a:-1:2] + u[2::2, a:-1:2] + u[1:-1:2, a - 1 : -2 : 2] + u[1:-1:2, a + 1 :: 2]
            u = u.at[1:-1:2, a:-1:2].set(0.25 * (odd - right[1:-1:2, a:-1:2]))
            even = u[1:-2:2, b:-1:2] + u[3::2, b:-1:2] + u[2:-1:2, b - 1 : -2 : 2] + u[2:-1:2, b + 1 :: 2]
            u = u.at[2:-1:2, b:-1:2].set(0.25 * (even - right[2:-1:2, b:-1:2]))
        return u

    u = repeated(step, u0, steps)
    return jnp.sum(u * u)


@TABLE.workload(lambda rng, n: (rng.uniform(size=(n, n)), 1e-3), (5,), (64,), (256,), same=True, kind="stencil")
def total_variation(u, eps):
    dx = u[1:, :-1] - u[:-1, :-1]
    dy = u[:-1, 1:] - u[:-1, :-1]
    return np.sum(np.sqrt(dx * dx + dy * dy + eps))


@TABLE.workload(_planes(3), (4, 2), (40, 10), (100, 20), argnums=(0, 1, 2), kind="stencil")
def shallow_water(h0, u0, v0, steps):
    """Periodic, by np.roll."""
    h = 1.0 + 0.1 * h0
    u = 0.1 * u0
    v = 0.1 * v0
    for _ in range(steps):
        hx = np.roll(h, -1, axis=0) - np.roll(h, 1, axis=0)
        hy = np.roll(h, -1, axis=1) - np.roll(h, 1, axis=1)
        u = u - 0.05 * hx
        v = v - 0.05 * hy
        fx = h * u
        fy = h * v
        h = h - 0.05 * (
            np.roll(fx, -1, axis=0) - np.roll(fx, 1, axis=0) + np.roll(fy, -1, axis=1) - np.roll(fy, 1, axis=1)
        )
    return np.sum(h * h) + np.sum(u * u) + np.sum(v * v)


@TABLE.in_jax(shallow_water)
def shallow_water_in_jax(h0, u0, v0, steps):
    def slope(a, axis):
        return jnp.roll(a, -1, axis=axis) - jnp.roll(a, 1, axis=axis)

    def step(state):
        h, u, v = state
        u = u - 0.05 * slope(h, 0)
        v = v - 0.05 * slope(h, 1)
        return h - 0.05 * (slope(h * u, 0) + slope(h * v, 1)), u, v

    h, u, v = repeated(step, (1.0 + 0.1 * h0, 0.1 * u0, 0.1 * v0), steps)
    return jnp.sum(h * h) + jnp.sum(u * u) + jnp.sum(v * v)
