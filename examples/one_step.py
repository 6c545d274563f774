"""One step of gradient descent of (theta x - y)^2."""

import srcgrad as sg


def error(theta: float, x: float, y: float) -> float:
    return (theta * x - y) ** 2


def main() -> None:
    theta, alpha = 1.0, 0.1
    value, slope = sg.value_and_grad(error)(theta, 2.0, 3.0)
    theta -= alpha * slope
    print(f"E = {value:.6g}, gradient {slope:.6g}, theta = {theta:.6g}")


if __name__ == "__main__":
    main()
