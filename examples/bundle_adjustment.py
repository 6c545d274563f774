"""Cameras and points from where the points are seen: a sparse Jacobian, and SciPy's sparse solver."""

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

import srcgrad as sg

CAMERAS, POINTS = 6, 40


def residuals(unknown: np.ndarray, seen: np.ndarray) -> np.ndarray:
    cameras, points = unknown[: 6 * CAMERAS].reshape(CAMERAS, 6), unknown[6 * CAMERAS :].reshape(POINTS, 3)
    out = np.empty(2 * CAMERAS * POINTS)
    for i in range(CAMERAS):
        w, shift = cameras[i, :3], cameras[i, 3:]
        angle = np.sqrt(w @ w + 1e-12)
        axis = w / angle
        for j in range(POINTS):
            p = points[j]
            turned = p * np.cos(angle) + np.cross(axis, p) * np.sin(angle) + axis * (axis @ p) * (1 - np.cos(angle))
            x, y, z = turned + shift
            k = 2 * (i * POINTS + j)
            out[k] = x / z - seen[k]
            out[k + 1] = y / z - seen[k + 1]
    return out


def main() -> None:
    rng = np.random.default_rng(6)
    cameras = np.hstack(
        [rng.normal(0, 0.1, (CAMERAS, 3)), np.array([0.0, 0.0, 5.0]) + rng.normal(0, 0.3, (CAMERAS, 3))]
    )
    true = np.concatenate([cameras.ravel(), rng.uniform(-1, 1, 3 * POINTS)])
    seen = residuals(true, np.zeros(2 * CAMERAS * POINTS))
    unknown = true + rng.normal(0, 0.05, len(true))
    jacobian = sg.jacobian(residuals, sparse=True)
    for step in range(6):
        r, J = residuals(unknown, seen), jacobian(unknown, seen)
        print(f"step {step}: error {np.linalg.norm(r):.2e}, {J.nnz} of {J.shape[0] * J.shape[1]} entries")
        normal = J.T @ J + 1e-6 * sparse.eye_array(len(unknown))
        unknown = unknown - linalg.spsolve(normal.tocsc(), J.T @ r)


if __name__ == "__main__":
    main()
