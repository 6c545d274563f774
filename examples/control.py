"""The pushes that swing a pendulum up on its cart, by L-BFGS through 100 steps of its motion."""

import math

import numpy as np

import srcgrad as sg


def swung(pushes: np.ndarray, dt: float) -> tuple[float, float, float, float]:
    place, speed, angle, turning = 0.0, 0.0, math.pi, 0.0
    for push in pushes:
        s, c = math.sin(angle), math.cos(angle)
        mass = 1.0 + 0.1 * s * s
        acceleration = (push + 0.1 * s * (0.5 * turning**2 - 9.81 * c)) / mass
        turning += dt * (9.81 * s - acceleration * c) / 0.5
        angle += dt * turning
        speed += dt * acceleration
        place += dt * speed
    return place, speed, angle, turning


def cost(pushes: np.ndarray, dt: float) -> float:
    place, speed, angle, turning = swung(pushes, dt)
    return 10 * (place**2 + speed**2 + (1 - math.cos(angle)) ** 2 + turning**2) + 1e-4 * np.sum(pushes**2)


def main() -> None:
    start = np.sin(np.linspace(0, 4 * math.pi, 100))
    result = sg.minimize(cost, start, (0.02,), method="lbfgs", tol=1e-6, maxiter=1000)
    place, speed, angle, turning = swung(result.x, 0.02)
    print(f"place {place:.4f}, speed {speed:.4f}, cosine of the angle {math.cos(angle):.5f}, turning {turning:.4f}")
    print(f"cost {result.fun:.5f}, largest push {np.max(np.abs(result.x)):.2f}")


if __name__ == "__main__":
    main()
