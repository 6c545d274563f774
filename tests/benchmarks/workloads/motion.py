"""Bodies and chains that move: time steps over small and large states."""

import numpy as np

from tests.benchmarks.workloads.table import Table, jnp, lax

TABLE = Table("programs")


def oscillator(y):
    return np.array([y[1], (1.0 - y[0] * y[0]) * y[1] - y[0]])


@TABLE.workload(lambda rng, steps: (np.array([1.0, 0.5]), 0.01, steps), (4,), (100,), (1_000,))
def rk4_small(y0, dt, steps):
    y = y0.copy()
    for _ in range(steps):
        k1 = oscillator(y)
        k2 = oscillator(y + 0.5 * dt * k1)
        k3 = oscillator(y + 0.5 * dt * k2)
        k4 = oscillator(y + dt * k3)
        y = y + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return np.sum(y * y)


def oscillator_back(y, v, a, b):
    """The adjoint of y and v from those of the two slopes."""
    return -(2.0 * y * v + 1.0) * b, a + (1.0 - y * y) * b


@TABLE.by_hand(rk4_small, bar=1.5, more=((10_000,),))
def rk4_small_by_hand(y0, dt, steps):
    """The state in two numbers, kept a step; the slopes are computed again."""
    ys, vs = np.empty(steps), np.empty(steps)
    y, v = y0[0], y0[1]
    half, sixth, third = 0.5 * dt, dt / 6.0, dt / 3.0
    for t in range(steps):
        ys[t], vs[t] = y, v
        b1 = (1.0 - y * y) * v - y
        y2, v2 = y + half * v, v + half * b1
        b2 = (1.0 - y2 * y2) * v2 - y2
        y3, v3 = y + half * v2, v + half * b2
        b3 = (1.0 - y3 * y3) * v3 - y3
        y4, v4 = y + dt * v3, v + dt * b3
        b4 = (1.0 - y4 * y4) * v4 - y4
        y += sixth * (v + 2.0 * v2 + 2.0 * v3 + v4)
        v += sixth * (b1 + 2.0 * b2 + 2.0 * b3 + b4)
    value = y * y + v * v
    p, q = 2.0 * y, 2.0 * v
    for t in range(steps - 1, -1, -1):
        y, v = ys[t], vs[t]
        b1 = (1.0 - y * y) * v - y
        y2, v2 = y + half * v, v + half * b1
        b2 = (1.0 - y2 * y2) * v2 - y2
        y3, v3 = y + half * v2, v + half * b2
        b3 = (1.0 - y3 * y3) * v3 - y3
        y4, v4 = y + dt * v3, v + dt * b3
        p4, q4 = oscillator_back(y4, v4, sixth * p, sixth * q)
        p3, q3 = oscillator_back(y3, v3, third * p + dt * p4, third * q + dt * q4)
        p2, q2 = oscillator_back(y2, v2, third * p + half * p3, third * q + half * q3)
        p1, q1 = oscillator_back(y, v, sixth * p + half * p2, sixth * q + half * q2)
        p, q = p + p1 + p2 + p3 + p4, q + q1 + q2 + q3 + q4
    return value, np.array([p, q])


def oscillator_in_jax(y):
    return jnp.array([y[1], (1.0 - y[0] * y[0]) * y[1] - y[0]])


def chain(y):
    d = np.zeros(len(y))
    d[1:-1] = y[2:] - 2.0 * y[1:-1] + y[:-2] - 0.1 * y[1:-1] ** 3
    return d


@TABLE.workload(lambda rng, n, steps: (rng.normal(size=n), 0.05, steps), (6, 2), (1_000, 10), (10_000, 10))
def rk4_large(y0, dt, steps):
    y = y0.copy()
    for _ in range(steps):
        k1 = chain(y)
        k2 = chain(y + 0.5 * dt * k1)
        k3 = chain(y + 0.5 * dt * k2)
        k4 = chain(y + dt * k3)
        y = y + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return np.sum(y * y)


def chain_in_jax(y):
    return jnp.zeros(len(y)).at[1:-1].set(y[2:] - 2.0 * y[1:-1] + y[:-2] - 0.1 * y[1:-1] ** 3)


def _rk4_in_jax(slope):
    def solve(y0, dt, steps):
        def step(y, _):
            k1 = slope(y)
            k2 = slope(y + 0.5 * dt * k1)
            k3 = slope(y + 0.5 * dt * k2)
            k4 = slope(y + dt * k3)
            return y + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4), None

        y, _ = lax.scan(step, y0, None, length=steps)
        return jnp.sum(y * y)

    return solve


TABLE.in_jax(rk4_small)(_rk4_in_jax(oscillator_in_jax))
TABLE.in_jax(rk4_large)(_rk4_in_jax(chain_in_jax))


def leapfrog(q0, p0, dt, steps):
    q = q0.copy()
    p = p0.copy()
    for _ in range(steps):
        p = p - 0.5 * dt * (q + 0.1 * q**3)
        q = q + dt * p
        p = p - 0.5 * dt * (q + 0.1 * q**3)
    return np.sum(q * q) + 0.5 * np.sum(p * p)


def leapfrog_in_jax(q0, p0, dt, steps):
    def step(state, _):
        q, p = state
        p = p - 0.5 * dt * (q + 0.1 * q**3)
        q = q + dt * p
        p = p - 0.5 * dt * (q + 0.1 * q**3)
        return (q, p), None

    (q, p), _ = lax.scan(step, (q0, p0), None, length=steps)
    return jnp.sum(q * q) + 0.5 * jnp.sum(p * p)


for _name, _quick, _full in (("small", (3, 100), (3, 1_000)), ("large", (1_000, 20), (10_000, 20))):
    TABLE.add(
        leapfrog,
        lambda rng, n, steps: (rng.normal(size=n), rng.normal(size=n), 0.05, steps),
        (3, 3),
        _quick,
        _full,
        name=f"leapfrog_{_name}",
        argnums=(0, 1),
        peer=leapfrog_in_jax,
    )


@TABLE.workload(
    lambda rng, n, steps: (rng.normal(size=(n, 3)), rng.normal(size=(n, 3)), rng.uniform(0.5, 1.0, n), 0.01, steps),
    (3, 2),
    (20, 5),
    (60, 10),
    argnums=(0, 1),
)
def n_body(pos0, v0, mass, dt, steps):
    pos = pos0.copy()
    v = v0.copy()
    for _ in range(steps):
        apart = pos[np.newaxis, :, :] - pos[:, np.newaxis, :]
        square = np.sum(apart * apart, axis=2) + 0.05
        weight = mass / square**1.5
        v = v + dt * np.sum(weight[:, :, np.newaxis] * apart, axis=1)
        pos = pos + dt * v
    return np.sum(pos * pos)


@TABLE.in_jax(n_body)
def n_body_in_jax(pos0, v0, mass, dt, steps):
    def step(state, _):
        pos, v = state
        apart = pos[None, :, :] - pos[:, None, :]
        square = jnp.sum(apart * apart, axis=2) + 0.05
        weight = mass / square**1.5
        v = v + dt * jnp.sum(weight[:, :, None] * apart, axis=1)
        return (pos + dt * v, v), None

    (pos, _), _ = lax.scan(step, (pos0, v0), None, length=steps)
    return jnp.sum(pos * pos)


def _lattice(rng, n):
    places = np.stack(np.meshgrid(*(np.arange(n),) * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return (1.2 * places + 0.05 * rng.normal(size=places.shape), 2.5)


@TABLE.workload(_lattice, (2,), (4,), (6,))
def lennard_jones(pos, cut):
    energy = 0.0
    n = pos.shape[0]
    for i in range(n):
        for j in range(i + 1, n):
            square = 0.0
            for k in range(3):
                d = pos[i, k] - pos[j, k]
                square += d * d
            if square < cut * cut:
                s = 1.0 / square**3
                energy += 4.0 * (s * s - s)
    return energy


@TABLE.in_jax(lennard_jones)
def lennard_jones_in_jax(pos, cut):
    n = pos.shape[0]
    i, j = np.triu_indices(n, 1)
    square = jnp.sum((pos[i] - pos[j]) ** 2, axis=1)
    s = 1.0 / square**3
    return jnp.sum(jnp.where(square < cut * cut, 4.0 * (s * s - s), 0.0))


def spring(force, pos, i, j, rest):
    d = pos[j] - pos[i]
    length = np.sqrt(np.sum(d * d))
    f = 50.0 * (length - rest) / length * d
    force[i] += f
    force[j] -= f


@TABLE.workload(
    lambda rng, n, steps: (_sheet(rng, n), *_springs(n), 0.01, steps),
    (2, 2),
    (6, 10),
    (12, 50),
)
def cloth(pos0, ends, rest, dt, steps):
    """Springs between neighbours, taken one by one; the first row is held."""
    pos = pos0.copy()
    v = np.zeros(pos.shape)
    for _ in range(steps):
        force = np.zeros(pos.shape)
        force[:, 2] = -9.81
        for s in range(len(ends)):
            spring(force, pos, ends[s, 0], ends[s, 1], rest[s])
        v = 0.99 * (v + dt * force)
        v[0] = 0.0
        pos = pos + dt * v
    return np.sum(pos * pos)


def _sheet(rng, n):
    return np.stack([np.arange(n * n) // n, np.arange(n * n) % n, 0.01 * rng.normal(size=n * n)], axis=1) * 1.0


def _springs(n):
    """Pairs of neighbours, and the lengths of their springs."""
    k = np.arange(n * n).reshape(n, n)
    pairs = [(k[:-1], k[1:], 1.0), (k[:, :-1], k[:, 1:], 1.0), (k[:-1, :-1], k[1:, 1:], 2**0.5)]
    ends = np.concatenate([np.stack([a.ravel(), b.ravel()], axis=1) for a, b, _ in pairs])
    return ends, np.concatenate([np.full(a.size, length) for a, _, length in pairs])


@TABLE.in_jax(cloth)
def cloth_in_jax(pos0, ends, rest, dt, steps):
    a, b = ends[:, 0], ends[:, 1]

    def step(state, _):
        pos, v = state
        d = pos[b] - pos[a]
        length = jnp.sqrt(jnp.sum(d * d, axis=1))
        f = (50.0 * (length - rest) / length)[:, None] * d
        force = jnp.zeros(pos.shape).at[:, 2].set(-9.81).at[a].add(f).at[b].add(-f)
        v = (0.99 * (v + dt * force)).at[0].set(0.0)
        return (pos + dt * v, v), None

    (pos, _), _ = lax.scan(step, (pos0, jnp.zeros(pos0.shape)), None, length=steps)
    return jnp.sum(pos * pos)
