"""A straight line through 200 noisy points, by gradient descent. Draws it into linear_regression.png."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

import srcgrad as sg

matplotlib.use("Agg")


def loss(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    total = 0.0
    for i in range(len(x)):
        error = theta[0] + theta[1] * x[i] - y[i]
        total += error**2
    return total / len(x)


def main() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 2, 200)
    y = 1 + x + rng.normal(0, 0.25, 200)
    result = sg.gradient_descent(loss, np.zeros(2), (x, y), lr=0.1, maxiter=1000, history=True)
    slope, intercept = np.polyfit(x, y, 1)
    print(f"gradient descent: y = {result.x[0]:.6f} + {result.x[1]:.6f} x, loss {result.fun:.6f}")
    print(f"least squares:    y = {intercept:.6f} + {slope:.6f} x")

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
    left.semilogy(result.history)
    left.set(title="convergence", xlabel="iteration", ylabel="mean squared error")
    right.plot(x, y, ".", np.array([0, 2]), result.x[0] + result.x[1] * np.array([0, 2]))
    right.set(title="y = 1 + x + noise", xlabel="x", ylabel="y")
    figure.savefig("linear_regression.png")


if __name__ == "__main__":
    main()
