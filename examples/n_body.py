"""Forces as the gradient of an energy, inside a leapfrog loop, and how the end depends on the start."""

import numpy as np

import srcgrad as sg


def potential(q: np.ndarray, masses: np.ndarray) -> float:
    total = 0.0
    for i in range(len(masses)):
        for j in range(i):
            total -= masses[i] * masses[j] / np.sqrt(np.sum((q[i] - q[j]) ** 2))
    return total


def kinetic(v: np.ndarray, masses: np.ndarray) -> float:
    return 0.5 * np.sum(masses[:, None] * v**2)


def leapfrog(q: np.ndarray, v: np.ndarray, masses: np.ndarray, dt: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    for _ in range(steps):
        v = v - 0.5 * dt * sg.grad(potential)(q, masses) / masses[:, None]
        q = q + dt * v
        v = v - 0.5 * dt * sg.grad(potential)(q, masses) / masses[:, None]
    return q, v


def missed(v: np.ndarray, q: np.ndarray, masses: np.ndarray, target: np.ndarray, dt: float, steps: int) -> float:
    end, _ = leapfrog(q, v, masses, dt, steps)
    return np.sum((end[2] - target) ** 2)


def main() -> None:
    masses = np.array([1.0, 1e-3, 1e-6])
    q = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.5]])
    v = np.array([[0.0, 0.0], [0.0, 1.0], [-0.8, 0.0]])
    end, speed = sg.compiled(leapfrog)(q, v, masses, 0.01, 1000)
    before, after = potential(q, masses) + kinetic(v, masses), potential(end, masses) + kinetic(speed, masses)
    print(f"energy {before:.9f} before, {after:.9f} after")
    aimed = sg.grad(missed)
    target = np.array([0.5, -1.0])
    for _ in range(300):
        v[2] -= 0.02 * aimed(v, q, masses, target, 0.01, 200)[2]
    print(f"misses by {np.sqrt(missed(v, q, masses, target, 0.01, 200)):.2e} with the velocity {v[2].round(4)}")


if __name__ == "__main__":
    main()
