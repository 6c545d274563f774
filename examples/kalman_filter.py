"""How noisy a moving object's path and its measurements are, by the likelihood that a Kalman filter gives."""

import math

import numpy as np

import srcgrad as sg


def minus_log_likelihood(log_noise: np.ndarray, measured: np.ndarray, dt: float) -> float:
    q, r = math.exp(log_noise[0]), math.exp(log_noise[1])
    F = np.array([[1.0, dt], [0.0, 1.0]])
    H = np.array([[1.0, 0.0]])
    Q = q * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    m, P = np.zeros(2), 10.0 * np.eye(2)
    total = 0.0
    for z in measured:
        m = F @ m
        P = F @ P @ F.T + Q
        S = (H @ P @ H.T)[0, 0] + r
        K = (P @ H.T)[:, 0] / S
        surprise = z - m[0]
        m = m + K * surprise
        P = P - np.outer(K, K) * S
        total += 0.5 * (math.log(2 * math.pi * S) + surprise**2 / S)
    return total


def path(q: float, r: float, dt: float, steps: int, rng: np.random.Generator) -> np.ndarray:
    velocity = np.cumsum(rng.normal(0, math.sqrt(q * dt), steps))
    return np.cumsum(velocity * dt) + rng.normal(0, math.sqrt(r), steps)


def main() -> None:
    dt, q, r = 0.1, 0.5, 0.04
    measured = path(q, r, dt, 2000, np.random.default_rng(1))
    result = sg.minimize(minus_log_likelihood, np.zeros(2), (measured, dt), method="bfgs", tol=1e-5)
    spread = np.sqrt(np.diag(np.linalg.inv(sg.hessian(minus_log_likelihood)(result.x, measured, dt))))
    for name, log_value, error, true in zip("qr", result.x, spread, (q, r), strict=True):
        print(f"{name} = {math.exp(log_value):.4f} (true {true}), log {log_value:.3f} +- {error:.3f}")


if __name__ == "__main__":
    main()
