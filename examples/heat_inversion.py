"""How warm a rod was at first, from how warm it is 80 steps later, through the adjoint of the heat equation."""

import numpy as np

import srcgrad as sg


def later(u: np.ndarray, steps: int, speed: float) -> np.ndarray:
    u = u.copy()
    for _ in range(steps):
        u[1:-1] += speed * (u[2:] - 2 * u[1:-1] + u[:-2])
    return u


def misfit(first: np.ndarray, seen: np.ndarray, steps: int, speed: float, smoothing: float) -> float:
    return np.sum((later(first, steps, speed) - seen) ** 2) + smoothing * np.sum(np.diff(first) ** 2)


def main() -> None:
    place = np.linspace(0, 1, 60)
    true = np.exp(-(((place - 0.35) / 0.1) ** 2)) + 0.5 * np.exp(-(((place - 0.75) / 0.07) ** 2))
    seen = later(true, 80, 0.4) + np.random.default_rng(5).normal(0, 0.001, 60)
    result = sg.minimize(misfit, np.zeros(60), (seen, 80, 0.4, 1e-5), method="lbfgs", tol=1e-7, maxiter=2000)
    blurred, left = np.max(np.abs(seen - true)), np.max(np.abs(result.x - true))
    print(f"error of what is seen {blurred:.3f}, of what is found {left:.3f}")
    print(f"{result.nit} steps, {result.message}")


if __name__ == "__main__":
    main()
