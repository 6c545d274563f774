"""The gradient of a network of three weights, given and returned as a dict."""

import srcgrad as sg


def loss(w: dict[str, float], x: tuple[float, float]) -> float:
    hidden = w["w1"] * x[0], w["w1"] * x[1]
    return 1 - (w["w2"] * hidden[0] + w["w3"] * hidden[1])


def main() -> None:
    gradient = sg.grad(loss)({"w1": 1.0, "w2": 2.0, "w3": 3.0}, (1.0, 2.0))
    for name, slope in gradient.items():
        print(f"dL/d{name} = {slope:.6g}")


if __name__ == "__main__":
    main()
