"""A value and its gradient at one point."""

import numpy as np

import srcgrad as sg


@sg.value_and_grad
def f(x: np.ndarray) -> float:
    return 0.2 * x[0] ** 2 + 0.2 * x[1] ** 2 - 5


def main() -> None:
    value, gradient = f(np.array([2.0, 2.0]))
    print(f"value {value:.6g}, gradient ({gradient[0]:.6g}, {gradient[1]:.6g})")


if __name__ == "__main__":
    main()
