"""A recurrent network of 8 cells learns to continue a wave, its weights in a NamedTuple."""

from typing import NamedTuple

import numpy as np

import srcgrad as sg

CELLS = 8


class Weights(NamedTuple):
    """Of one layer, and of what reads it."""

    of_input: np.ndarray
    of_state: np.ndarray
    bias: np.ndarray
    out: np.ndarray


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def loss(w: Weights, wave: np.ndarray) -> float:
    h, c = np.zeros(CELLS), np.zeros(CELLS)
    total = 0.0
    for t in range(len(wave) - 1):
        gates = w.of_input * wave[t] + w.of_state @ h + w.bias
        keep, take, give = (
            sigmoid(gates[:CELLS]),
            sigmoid(gates[CELLS : 2 * CELLS]),
            sigmoid(gates[2 * CELLS : 3 * CELLS]),
        )
        c = keep * c + take * np.tanh(gates[3 * CELLS :])
        h = give * np.tanh(c)
        total += (w.out @ h - wave[t + 1]) ** 2
    return total / (len(wave) - 1)


def main() -> None:
    rng = np.random.default_rng(4)
    w = Weights(
        rng.normal(0, 0.5, 4 * CELLS),
        rng.normal(0, 0.3, (4 * CELLS, CELLS)),
        np.zeros(4 * CELLS),
        rng.normal(0, 0.5, CELLS),
    )
    time = np.arange(100)
    wave = np.sin(0.2 * time) * np.cos(0.05 * time)
    print(f"loss before {loss(w, wave):.4f}")
    result = sg.minimize(loss, w, (wave,), method="adam", lr=0.01, maxiter=500)
    print(f"loss after  {result.fun:.5f}, of the guess that nothing changes {np.mean(np.diff(wave) ** 2):.5f}")


if __name__ == "__main__":
    main()
