"""Forces as gradients of energies inside time steps, beside forces written by hand: the steps, and their gradients.

python tests/benchmarks/forces.py
"""

# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import srcgrad as sg
from srcgrad import grad
from tests.benchmarks.timing import interleaved


def chain_energy(x, k):
    """Springs with a cubic part between neighbours; both ends are held."""
    total = 0.5 * x[0] ** 2 + 0.5 * x[-1] ** 2
    for i in range(len(x) - 1):
        d = x[i + 1] - x[i]
        total += 0.5 * d * d + k * d**3 / 3.0
    return total


def chain_force(x, k):
    force = np.zeros(len(x))
    force[0] = -x[0]
    force[-1] -= x[-1]
    for i in range(len(x) - 1):
        d = x[i + 1] - x[i]
        s = d + k * d * d
        force[i] += s
        force[i + 1] -= s
    return force


def lattice_energy(x, k):
    d = x[1:] - x[:-1]
    return 0.5 * np.sum(d * d) + k * np.sum(d**4) / 4.0 + 0.5 * np.sum(x * x)


def lattice_force(x, k):
    d = x[1:] - x[:-1]
    s = d + k * d**3
    force = -x
    force[:-1] += s
    force[1:] -= s
    return force


def cluster_energy(x, k):
    total = 0.0
    for i in range(len(x)):
        for j in range(i):
            r2 = 0.1
            for c in range(3):
                r2 += (x[i, c] - x[j, c]) ** 2
            total += k / np.sqrt(r2)
    return total


def cluster_force(x, k):
    force = np.zeros_like(x)
    for i in range(len(x)):
        for j in range(i):
            r2 = 0.1
            for c in range(3):
                r2 += (x[i, c] - x[j, c]) ** 2
            s = k / (r2 * np.sqrt(r2))
            for c in range(3):
                d = s * (x[i, c] - x[j, c])
                force[i, c] += d
                force[j, c] -= d
    return force


def chain_of_energy(x, v, k):
    def force(x):
        return -grad(chain_energy)(x, k)

    for _ in range(100):
        v = v + 0.005 * force(x)
        x = x + 0.01 * v
        v = v + 0.005 * force(x)
    return np.sum(x * x)


def chain_by_hand(x, v, k):
    for _ in range(100):
        v = v + 0.005 * chain_force(x, k)
        x = x + 0.01 * v
        v = v + 0.005 * chain_force(x, k)
    return np.sum(x * x)


def lattice_of_energy(x, v, k):
    force = lambda x: -grad(lattice_energy)(x, k)  # noqa: E731
    for _ in range(100):
        v = v + 0.005 * force(x)
        x = x + 0.01 * v
        v = v + 0.005 * force(x)
    return np.sum(x * x)


def lattice_by_hand(x, v, k):
    for _ in range(100):
        v = v + 0.005 * lattice_force(x, k)
        x = x + 0.01 * v
        v = v + 0.005 * lattice_force(x, k)
    return np.sum(x * x)


def cluster_of_energy(x, v, k):
    for _ in range(20):
        v = v - 0.01 * grad(lambda y: cluster_energy(y, k))(x)
        x = x + 0.01 * v
    return np.sum(x * x)


def cluster_by_hand(x, v, k):
    for _ in range(20):
        v = v + 0.01 * cluster_force(x, k)
        x = x + 0.01 * v
    return np.sum(x * x)


LINE, POINTS = np.sin(np.arange(200.0)), np.sin(np.arange(96.0)).reshape(32, 3)
CASES: dict[str, tuple[Callable[..., Any], Callable[..., Any], np.ndarray]] = {
    "chain, loops": (chain_of_energy, chain_by_hand, LINE),
    "lattice, arrays": (lattice_of_energy, lattice_by_hand, LINE),
    "cluster of 32 bodies": (cluster_of_energy, cluster_by_hand, POINTS),
}


def main() -> None:
    print(f"{'':24}{'steps':>12}{'by hand':>12}{'ratio':>8}{'gradient':>12}{'by hand':>12}{'ratio':>8}")
    for name, (energy, hand, x) in CASES.items():
        args = x, 0.1 * x, 0.3
        row = name.ljust(24)
        for make in (sg.compiled, sg.grad):
            found, wanted = make(energy), make(hand)
            np.testing.assert_allclose(found(*args), wanted(*args), rtol=1e-9, atol=1e-12)
            calls = {"ours": functools.partial(found, *args), "hand": functools.partial(wanted, *args)}
            times = interleaved(calls, rounds=31)
            ours, theirs = times["ours"], times["hand"]
            row += f"{1e6 * ours:9.0f} us{1e6 * theirs:9.0f} us{ours / theirs:8.2f}"
        print(row, flush=True)


if __name__ == "__main__":
    main()
