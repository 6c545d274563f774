"""The scales of a Gaussian process by its marginal likelihood, and what it says between the points."""

import numpy as np

import srcgrad as sg


def covariance(a: np.ndarray, b: np.ndarray, height: float, length: float) -> np.ndarray:
    return height**2 * np.exp(-0.5 * ((a[:, None] - b[None, :]) / length) ** 2)


def minus_log_likelihood(log_scales: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    height, length, noise = np.exp(log_scales)
    K = covariance(x, x, height, length) + noise**2 * np.eye(len(x))
    L = np.linalg.cholesky(K)
    half = np.linalg.solve(L, y)
    return 0.5 * half @ half + np.sum(np.log(np.diag(L))) + 0.5 * len(x) * np.log(2 * np.pi)


def main() -> None:
    rng = np.random.default_rng(2)
    x = np.sort(rng.uniform(0, 6, 60))
    y = np.sin(2 * x) + rng.normal(0, 0.1, 60)
    result = sg.minimize(minus_log_likelihood, np.zeros(3), (x, y), method="bfgs", tol=1e-6)
    height, length, noise = np.exp(result.x)
    print(f"height {height:.3f}, length {length:.3f}, noise {noise:.3f} (true 0.1)")
    between = np.linspace(0.5, 5.5, 6)
    K = covariance(x, x, height, length) + noise**2 * np.eye(len(x))
    mean = covariance(between, x, height, length) @ np.linalg.solve(K, y)
    print("largest error between the points", f"{np.max(np.abs(mean - np.sin(2 * between))):.3f}")


if __name__ == "__main__":
    main()
