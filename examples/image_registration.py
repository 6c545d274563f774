"""How a picture was turned and shifted, by gradient descent through its interpolation."""

import math

import numpy as np

import srcgrad as sg


def sampled(image: np.ndarray, row: float, column: float) -> float:
    i, j = math.floor(row), math.floor(column)
    if i < 0 or j < 0 or i + 1 >= image.shape[0] or j + 1 >= image.shape[1]:
        return 0.0
    a, b = row - i, column - j
    upper = (1 - b) * image[i, j] + b * image[i, j + 1]
    lower = (1 - b) * image[i + 1, j] + b * image[i + 1, j + 1]
    return (1 - a) * upper + a * lower


def moved(image: np.ndarray, motion: np.ndarray) -> np.ndarray:
    angle, down, right = motion
    out = np.zeros_like(image)
    middle = (image.shape[0] - 1) / 2
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            y, x = i - middle, j - middle
            row = math.cos(angle) * y - math.sin(angle) * x + middle + down
            column = math.sin(angle) * y + math.cos(angle) * x + middle + right
            out[i, j] = sampled(image, row, column)
    return out


def difference(motion: np.ndarray, image: np.ndarray, seen: np.ndarray) -> float:
    return np.mean((moved(image, motion) - seen) ** 2)


def main() -> None:
    y, x = np.mgrid[-1:1:48j, -1:1:48j]
    image = np.exp(-8 * (x - 0.2) ** 2 - 20 * y**2) + 0.7 * np.exp(-30 * ((x + 0.3) ** 2 + (y - 0.3) ** 2))
    true = np.array([0.15, 1.7, -2.3])
    result = sg.minimize(difference, np.zeros(3), (image, moved(image, true)), method="bfgs", tol=1e-9)
    print("motion", np.array2string(result.x, precision=5), "true", true)
    print(f"difference {result.fun:.1e} after {result.nit} steps")


if __name__ == "__main__":
    main()
