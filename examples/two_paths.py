"""A number that goes two ways into the result: its derivative is the sum over both, as the source shows."""

import math

import srcgrad as sg


def f(a: float, b: float) -> float:
    left = a * b
    right = math.sin(a)
    return left * right


def main() -> None:
    gradient = sg.grad(f, argnums=("a", "b"))
    by_a, by_b = gradient(2.0, 3.0)
    print(f"df/da = {by_a:.6f}, by hand {3.0 * math.sin(2.0) + 6.0 * math.cos(2.0):.6f}")
    print(f"df/db = {by_b:.6f}, by hand {2.0 * math.sin(2.0):.6f}")
    print(gradient.source)


if __name__ == "__main__":
    main()
