"""Partial differential equations on grids, by slices."""

import numpy as np

from tests.benchmarks.workloads.dynamics import burgers_swept
from tests.benchmarks.workloads.table import Table, jnp, lax

TABLE = Table("programs")


@TABLE.workload(
    lambda rng, n, steps: (rng.uniform(size=(n, n)), 0.1, steps),
    (6, 3),
    (64, 50),
    (128, 100),
    kind="stencil",
)
def heat(u0, alpha, steps):
    u = u0.copy()
    for _ in range(steps):
        un = u.copy()
        un[1:-1, 1:-1] = u[1:-1, 1:-1] + alpha * (
            u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * u[1:-1, 1:-1]
        )
        u = un
    return np.sum(u * u)


def diffused(u, w, alpha):
    """A step within the edges, which stay."""
    for i in range(1, u.shape[0] - 1):
        above, own, below, new = u[i - 1], u[i], u[i + 1], w[i]
        for j in range(1, u.shape[1] - 1):
            new[j] = own[j] + alpha * (below[j] + above[j] + own[j + 1] + own[j - 1] - 4.0 * own[j])


@TABLE.by_hand(heat, bar=0.5, more=((512, 50),))
def heat_by_hand(u0, alpha, steps):
    """The step is linear, and but for the edges its own adjoint: nothing is kept."""
    n, m = u0.shape
    u, w = u0.copy(), u0.copy()
    for _ in range(steps):
        diffused(u, w, alpha)
        u, w = w, u
    value = 0.0
    edge_bar = np.zeros((n, m))
    for i in range(n):
        for j in range(m):
            value += u[i, j] * u[i, j]
            u[i, j] *= 2.0
            if i == 0 or i == n - 1 or j == 0 or j == m - 1:
                edge_bar[i, j], u[i, j], w[i, j] = u[i, j], 0.0, 0.0
    for _ in range(steps):
        for i in range(1, n - 1):
            edge_bar[i, 0] += alpha * u[i, 1]
            edge_bar[i, m - 1] += alpha * u[i, m - 2]
        for j in range(1, m - 1):
            edge_bar[0, j] += alpha * u[1, j]
            edge_bar[n - 1, j] += alpha * u[n - 2, j]
        diffused(u, w, alpha)
        u, w = w, u
    for i in range(n):
        for j in range(m):
            u[i, j] += edge_bar[i, j]
    return value, u


@TABLE.in_jax(heat)
def heat_in_jax(u0, alpha, steps):
    def step(u, _):
        inner = u[1:-1, 1:-1]
        around = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2]
        return u.at[1:-1, 1:-1].set(inner + alpha * (around - 4.0 * inner)), None

    u, _ = lax.scan(step, u0, None, length=steps)
    return jnp.sum(u * u)


@TABLE.workload(
    lambda rng, n, steps: (np.sin(np.linspace(0.0, 6.28, n)) + 0.1 * rng.normal(size=n), 0.1, 1e-3, steps),
    (8, 3),
    (500, 200),
    (1_000, 1_000),
    kind="stencil",
)
def burgers(u0, nu, dt, steps):
    dx = 1.0 / (len(u0) - 1)
    u = u0.copy()
    for _ in range(steps):
        flow = u[1:-1] * (u[2:] - u[:-2]) * (0.5 * 0.01 / dx)
        spread = nu * 1e-4 * (u[2:] - 2.0 * u[1:-1] + u[:-2]) / dx**2
        u[1:-1] = u[1:-1] + dt * (spread - flow)
    return np.sum(u**2) * dx


@TABLE.by_hand(burgers, bar=0.5, more=((4_000, 1_000),))
def burgers_by_hand(u0, nu, dt, steps):
    dx = 1.0 / (len(u0) - 1)
    value, u0_bar = burgers_swept(u0, dt * 0.005 / dx, dt * nu * 1e-4 / dx**2, steps, False)
    return value * dx, dx * u0_bar


@TABLE.in_jax(burgers)
def burgers_in_jax(u0, nu, dt, steps):
    dx = 1.0 / (len(u0) - 1)

    def step(u, _):
        flow = u[1:-1] * (u[2:] - u[:-2]) * (0.5 * 0.01 / dx)
        spread = nu * 1e-4 * (u[2:] - 2.0 * u[1:-1] + u[:-2]) / dx**2
        return u.at[1:-1].add(dt * (spread - flow)), None

    u, _ = lax.scan(step, u0, None, length=steps)
    return jnp.sum(u**2) * dx


@TABLE.workload(
    lambda rng, n, steps: (rng.uniform(size=(n, n)), rng.uniform(size=(n, n)), rng.uniform(size=(n, n)), steps),
    (6, 2),
    (48, 50),
    (128, 100),
    kind="stencil",
)
def advection_diffusion(c0, u, v, steps):
    c = c0.copy()
    for _ in range(steps):
        inner = c[1:-1, 1:-1]
        dx = inner - c[:-2, 1:-1]
        dy = inner - c[1:-1, :-2]
        spread = c[2:, 1:-1] + c[:-2, 1:-1] + c[1:-1, 2:] + c[1:-1, :-2] - 4.0 * inner
        c[1:-1, 1:-1] = inner - 0.2 * (u[1:-1, 1:-1] * dx + v[1:-1, 1:-1] * dy) + 0.1 * spread
    return np.sum(c * c)


@TABLE.in_jax(advection_diffusion)
def advection_diffusion_in_jax(c0, u, v, steps):
    def step(c, _):
        inner = c[1:-1, 1:-1]
        dx = inner - c[:-2, 1:-1]
        dy = inner - c[1:-1, :-2]
        spread = c[2:, 1:-1] + c[:-2, 1:-1] + c[1:-1, 2:] + c[1:-1, :-2] - 4.0 * inner
        return c.at[1:-1, 1:-1].set(inner - 0.2 * (u[1:-1, 1:-1] * dx + v[1:-1, 1:-1] * dy) + 0.1 * spread), None

    c, _ = lax.scan(step, c0, None, length=steps)
    return jnp.sum(c * c)


C = np.array([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1], [1, 1], [-1, 1], [-1, -1], [1, -1]])
W = np.array([4 / 9, 1 / 9, 1 / 9, 1 / 9, 1 / 9, 1 / 36, 1 / 36, 1 / 36, 1 / 36])


def _fluid(rng, n, steps):
    return W[:, None, None] * (1.0 + 0.05 * rng.normal(size=(9, n, n))), 0.8, steps


@TABLE.workload(_fluid, (3, 2), (32, 10), (64, 20), kind="stencil")
def lattice_boltzmann(f0, tau, steps):
    """Nine directions on a periodic grid."""
    f = f0.copy()
    for _ in range(steps):
        rho = np.zeros(f[0].shape)
        ux = np.zeros(f[0].shape)
        uy = np.zeros(f[0].shape)
        for k in range(9):
            rho += f[k]
            ux += C[k, 0] * f[k]
            uy += C[k, 1] * f[k]
        ux = ux / rho
        uy = uy / rho
        square = 1.5 * (ux * ux + uy * uy)
        new = np.zeros(f.shape)
        for k in range(9):
            cu = 3.0 * (C[k, 0] * ux + C[k, 1] * uy)
            equilibrium = W[k] * rho * (1.0 + cu + 0.5 * cu * cu - square)
            g = f[k] - (f[k] - equilibrium) / tau
            new[k] = np.roll(np.roll(g, C[k, 0], axis=0), C[k, 1], axis=1)
        f = new
    return np.sum(f[1] * f[1]) + np.sum(f[5] * f[5])


@TABLE.in_jax(lattice_boltzmann)
def lattice_boltzmann_in_jax(f0, tau, steps):
    cx, cy, w = C[:, 0, None, None] * 1.0, C[:, 1, None, None] * 1.0, W[:, None, None]

    def step(f, _):
        rho = jnp.sum(f, axis=0)
        ux = jnp.sum(cx * f, axis=0) / rho
        uy = jnp.sum(cy * f, axis=0) / rho
        cu = 3.0 * (cx * ux + cy * uy)
        equilibrium = w * rho * (1.0 + cu + 0.5 * cu * cu - 1.5 * (ux * ux + uy * uy))
        g = f - (f - equilibrium) / tau
        moved = [jnp.roll(g[k], (int(C[k, 0]), int(C[k, 1])), axis=(0, 1)) for k in range(9)]
        return jnp.stack(moved), None

    f, _ = lax.scan(step, f0, None, length=steps)
    return jnp.sum(f[1] * f[1]) + jnp.sum(f[5] * f[5])


@TABLE.workload(
    lambda rng, n, steps, sweeps: (1.0, 0.1, n, steps, sweeps), (6, 2, 2), (24, 10, 10), (41, 20, 20), kind="stencil"
)
def cavity_flow(lid, nu, n, steps, sweeps):
    """A lid-driven cavity, pressure by Jacobi sweeps."""
    dx = 2.0 / (n - 1)
    dt = 0.001
    u = np.zeros((n, n))
    v = np.zeros((n, n))
    p = np.zeros((n, n))
    b = np.zeros((n, n))
    for _ in range(steps):
        ux = (u[1:-1, 2:] - u[1:-1, :-2]) / (2.0 * dx)
        vy = (v[2:, 1:-1] - v[:-2, 1:-1]) / (2.0 * dx)
        uy = (u[2:, 1:-1] - u[:-2, 1:-1]) / (2.0 * dx)
        vx = (v[1:-1, 2:] - v[1:-1, :-2]) / (2.0 * dx)
        b[1:-1, 1:-1] = (ux + vy) / dt - ux**2 - 2.0 * uy * vx - vy**2
        for _ in range(sweeps):
            pn = p.copy()
            around = pn[1:-1, 2:] + pn[1:-1, :-2] + pn[2:, 1:-1] + pn[:-2, 1:-1]
            p[1:-1, 1:-1] = 0.25 * (around - dx**2 * b[1:-1, 1:-1])
            p[:, -1] = p[:, -2]
            p[0, :] = p[1, :]
            p[:, 0] = p[:, 1]
            p[-1, :] = 0.0
        un = u.copy()
        vn = v.copy()
        ui = un[1:-1, 1:-1]
        vi = vn[1:-1, 1:-1]
        u[1:-1, 1:-1] = (
            ui
            - dt / dx * (ui * (ui - un[1:-1, :-2]) + vi * (ui - un[:-2, 1:-1]))
            - dt / (2.0 * dx) * (p[1:-1, 2:] - p[1:-1, :-2])
            + nu * dt / dx**2 * (un[1:-1, 2:] + un[1:-1, :-2] + un[2:, 1:-1] + un[:-2, 1:-1] - 4.0 * ui)
        )
        v[1:-1, 1:-1] = (
            vi
            - dt / dx * (ui * (vi - vn[1:-1, :-2]) + vi * (vi - vn[:-2, 1:-1]))
            - dt / (2.0 * dx) * (p[2:, 1:-1] - p[:-2, 1:-1])
            + nu * dt / dx**2 * (vn[1:-1, 2:] + vn[1:-1, :-2] + vn[2:, 1:-1] + vn[:-2, 1:-1] - 4.0 * vi)
        )
        u[-1, :] = lid
    return np.sum(u * u) + np.sum(v * v)


@TABLE.in_jax(cavity_flow)
def cavity_flow_in_jax(lid, nu, n, steps, sweeps):
    dx = 2.0 / (n - 1)
    dt = 0.001

    def sweep(p, b):
        around = p[1:-1, 2:] + p[1:-1, :-2] + p[2:, 1:-1] + p[:-2, 1:-1]
        p = p.at[1:-1, 1:-1].set(0.25 * (around - dx**2 * b))
        p = p.at[:, -1].set(p[:, -2])
        p = p.at[0, :].set(p[1, :])
        p = p.at[:, 0].set(p[:, 1])
        return p.at[-1, :].set(0.0)

    def step(state, _):
        u, v, p = state
        ux = (u[1:-1, 2:] - u[1:-1, :-2]) / (2.0 * dx)
        vy = (v[2:, 1:-1] - v[:-2, 1:-1]) / (2.0 * dx)
        uy = (u[2:, 1:-1] - u[:-2, 1:-1]) / (2.0 * dx)
        vx = (v[1:-1, 2:] - v[1:-1, :-2]) / (2.0 * dx)
        b = (ux + vy) / dt - ux**2 - 2.0 * uy * vx - vy**2
        p, _ = lax.scan(lambda p, _: (sweep(p, b), None), p, None, length=sweeps)
        ui, vi = u[1:-1, 1:-1], v[1:-1, 1:-1]

        def moved(w):
            wi = w[1:-1, 1:-1]
            carried = ui * (wi - w[1:-1, :-2]) + vi * (wi - w[:-2, 1:-1])
            spread = w[1:-1, 2:] + w[1:-1, :-2] + w[2:, 1:-1] + w[:-2, 1:-1] - 4.0 * wi
            return wi - dt / dx * carried + nu * dt / dx**2 * spread

        un = u.at[1:-1, 1:-1].set(moved(u) - dt / (2.0 * dx) * (p[1:-1, 2:] - p[1:-1, :-2]))
        vn = v.at[1:-1, 1:-1].set(moved(v) - dt / (2.0 * dx) * (p[2:, 1:-1] - p[:-2, 1:-1]))
        return (un.at[-1, :].set(lid), vn, p), None

    (u, v, _), _ = lax.scan(step, (jnp.zeros((n, n)),) * 3, None, length=steps)
    return jnp.sum(u * u) + jnp.sum(v * v)
