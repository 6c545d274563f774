"""Gradient descent of the mean squared distance to a target, at two rates. Draws it into gradient_descent.png."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

import srcgrad as sg

matplotlib.use("Agg")


def distance(x: np.ndarray, target: np.ndarray) -> float:
    return np.mean((x - target) ** 2)


def main() -> None:
    target = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    figure, axes = plt.subplots()
    for lr in (0.01, 0.1):
        result = sg.gradient_descent(distance, np.zeros(5), (target,), lr=lr, maxiter=1000, history=True)
        x = np.array2string(result.x, precision=6)
        print(f"lr {lr}: after {result.nit} steps x = {x}, distance {result.fun:.6g}")
        axes.semilogy(np.maximum(result.history, 1e-34), label=f"lr {lr}")
    axes.set(title="Gradient descent", xlabel="iteration", ylabel="mean squared distance")
    axes.legend()
    figure.savefig("gradient_descent.png")


if __name__ == "__main__":
    main()
