"""The rates of a predator and its prey, fitted to noisy counts of both through Runge and Kutta's method."""

import numpy as np

import srcgrad as sg


def lotka_volterra(state: np.ndarray, rates: np.ndarray) -> np.ndarray:
    prey, predator = state
    birth, eaten, fed, death = rates
    return np.array([birth * prey - eaten * prey * predator, fed * prey * predator - death * predator])


def solve(rates: np.ndarray, start: np.ndarray, step: float, steps: int) -> np.ndarray:
    states = np.empty((steps + 1, 2))
    states[0] = start
    y = start
    for i in range(steps):
        k1 = lotka_volterra(y, rates)
        k2 = lotka_volterra(y + 0.5 * step * k1, rates)
        k3 = lotka_volterra(y + 0.5 * step * k2, rates)
        k4 = lotka_volterra(y + step * k3, rates)
        y = y + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        states[i + 1] = y
    return states


def misfit(log_rates: np.ndarray, start: np.ndarray, counts: np.ndarray, step: float) -> float:
    states = solve(np.exp(log_rates), start, step, len(counts) - 1)
    return np.mean((np.log(states) - np.log(counts)) ** 2)


def main() -> None:
    true, start, step = np.array([1.1, 0.4, 0.1, 0.4]), np.array([10.0, 5.0]), 0.1
    noise = np.random.default_rng(0).normal(0, 0.05, (201, 2))
    counts = solve(true, start, step, 200) * np.exp(noise)
    guess = np.log([1.0, 0.5, 0.12, 0.35])
    result = sg.minimize(misfit, guess, (start, counts, step), method="bfgs", tol=1e-8)
    print("rates", np.array2string(np.exp(result.x), precision=3), "true", true)
    print(f"misfit {result.fun:.5f} after {result.nit} steps")


if __name__ == "__main__":
    main()
