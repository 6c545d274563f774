"""Gradient descent on a Rosenbrock function. Draws the convergence into rosenbrock.png."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

import srcgrad as sg

matplotlib.use("Agg")


def rosenbrock(x: np.ndarray) -> float:
    return (1 - x[0]) ** 2 + 5 * (x[1] - x[0] ** 2) ** 2


def main() -> None:
    x = np.array([-1.0, 1.0])
    look = sg.value_and_grad(rosenbrock)
    history = []
    for step in range(100, 1001, 100):
        result = sg.gradient_descent(rosenbrock, x, lr=0.01, maxiter=99, history=True)
        value, gradient = look(result.x)
        x = result.x - 0.01 * gradient  # the hundredth step, to see what it goes by
        history.append(result.history)
        print(f"{step:5d}: {value:.7g}  [{gradient[0]:.7f}, {gradient[1]:.7f}]")
    print(f"end: ({x[0]:.4f}, {x[1]:.4f})")

    figure, axes = plt.subplots()
    axes.semilogy(np.concatenate(history))
    axes.set(title="Gradient descent on a Rosenbrock function", xlabel="iteration", ylabel="value")
    figure.savefig("rosenbrock.png")


if __name__ == "__main__":
    main()
