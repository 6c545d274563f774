"""Newton's method on x = cos x, with its generated derivative. Draws the convergence into newton.png."""

import math

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

import srcgrad as sg

matplotlib.use("Agg")


def f(x: float) -> float:
    return x - math.cos(x)


def main() -> None:
    print(sg.grad(f).source)
    result = sg.newton(f, 1.0, history=True)
    print(f"x = {result.x:.16f} after {result.nit} steps")

    figure, axes = plt.subplots()
    axes.semilogy(np.maximum(np.abs(result.history), 1e-17), marker="o")
    axes.set(title="Newton on x = cos x", xlabel="iteration", ylabel="|x - cos x|")
    figure.savefig("newton.png")


if __name__ == "__main__":
    main()
