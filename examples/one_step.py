"""One step of gradient descent of (theta x - y)^2, with the slope found four ways."""

import srcgrad as sg


def error(theta: float, x: float, y: float) -> float:
    return (theta * x - y) ** 2


def main() -> None:
    theta, alpha = 1.0, 0.1
    value, slope = sg.value_and_grad(error)(theta, 2.0, 3.0)
    _, tangent = sg.jvp(error, (theta, 2.0, 3.0), (1.0, None, None))
    _, pullback = sg.vjp(error, theta, 2.0, 3.0)
    by_hand = 2 * 2.0 * (theta * 2.0 - 3.0)
    print(
        f"slope: reverse {slope:.6g}, forward {tangent:.6g}, pulled back {pullback(1.0)[0]:.6g}, by hand {by_hand:.6g}"
    )
    theta -= alpha * slope
    print(f"E = {value:.6g}, gradient {slope:.6g}, theta = {theta:.6g}")


if __name__ == "__main__":
    main()
