"""A loaded die that is sometimes swapped for a fair one: how often, and how loaded, from 5,000 throws."""

import numpy as np

import srcgrad as sg


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def minus_log_likelihood(params: dict[str, np.ndarray], throws: np.ndarray) -> float:
    stay = 1 / (1 + np.exp(-params["stay"]))
    move = np.array([[stay[0], 1 - stay[0]], [1 - stay[1], stay[1]]])
    shown = np.ones((2, 6)) / 6
    shown[1] = softmax(params["loaded"])
    belief, total = np.array([0.5, 0.5]), 0.0
    for throw in throws:
        belief = (belief @ move) * shown[:, throw]
        scale = np.sum(belief)
        belief = belief / scale
        total -= np.log(scale)
    return total / len(throws)


def main() -> None:
    rng = np.random.default_rng(3)
    loaded = np.array([0.1, 0.1, 0.1, 0.1, 0.1, 0.5])
    throws, state = np.empty(5000, dtype=np.int64), 0
    for i in range(5000):
        state = state if rng.random() < (0.95, 0.9)[state] else 1 - state
        throws[i] = rng.choice(6, p=loaded if state else np.ones(6) / 6)
    start = {"stay": np.array([1.0, 1.0]), "loaded": np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.0])}
    result = sg.minimize(minus_log_likelihood, start, (throws,), method="lbfgs", tol=1e-6)
    print("stays", np.array2string(1 / (1 + np.exp(-result.x["stay"])), precision=3), "true [0.95 0.9]")
    print("loaded", np.array2string(softmax(result.x["loaded"]), precision=3))


if __name__ == "__main__":
    main()
