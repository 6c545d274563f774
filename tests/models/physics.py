"""Dynamics and geometry: Lotka-Volterra, Lennard-Jones, bundle adjustment, a hand's bone chain."""

import math
from typing import NamedTuple

import numpy as np


def lotka_volterra(rates, start, seen, dt):
    """Squared error of a predator-prey model, integrated by the classical Runge-Kutta method."""

    def slope(s):
        return np.array([rates[0] * s[0] - rates[1] * s[0] * s[1], rates[2] * s[0] * s[1] - rates[3] * s[1]])

    s = start.copy()
    error = 0.0
    for t in range(seen.shape[0]):
        k1 = slope(s)
        k2 = slope(s + 0.5 * dt * k1)
        k3 = slope(s + 0.5 * dt * k2)
        k4 = slope(s + dt * k3)
        s = s + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        error += np.sum((s - seen[t]) ** 2)
    return error


def lennard_jones(x, epsilon, sigma):
    """The potential energy of particles in space."""
    energy = 0.0
    for i in range(x.shape[0]):
        for j in range(i):
            r2 = 0.0
            for k in range(x.shape[1]):
                r2 += (x[i, k] - x[j, k]) ** 2
            s6 = (sigma * sigma / r2) ** 3
            energy += 4.0 * epsilon * (s6 * s6 - s6)
    return energy


class Camera(NamedTuple):
    turn: np.ndarray
    centre: np.ndarray
    focal: float
    distortion: np.ndarray


def rotate(turn, point):
    """Rodrigues' formula; near no turn its series."""
    square = np.sum(turn**2)
    if square > 1e-16:
        angle = np.sqrt(square)
        axis = turn / angle
        c, s = math.cos(angle), math.sin(angle)
        return point * c + np.cross(axis, point) * s + axis * np.dot(axis, point) * (1.0 - c)
    return point + np.cross(turn, point)


def reprojection(camera, points, seen):
    """Half the squared distance between projected points and what the camera has seen."""
    error = 0.0
    for i in range(points.shape[0]):
        p = rotate(camera.turn, points[i] - camera.centre)
        u = p[:2] / p[2]
        r2 = u @ u
        lens = 1.0 + camera.distortion[0] * r2 + camera.distortion[1] * r2 * r2
        off = camera.focal * lens * u - seen[i]
        error += 0.5 * (off @ off)
    return error


def turned(angles):
    """The rotation about x, then y, then z."""
    cx, sx = np.cos(angles[0]), np.sin(angles[0])
    cy, sy = np.cos(angles[1]), np.sin(angles[1])
    cz, sz = np.cos(angles[2]), np.sin(angles[2])
    x = np.array([[1.0, 0.0, 0.0], [0.0, cx, -sx], [0.0, sx, cx]])
    y = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    z = np.array([[cz, -sz, 0.0], [sz, cz, 0.0], [0.0, 0.0, 1.0]])
    return z @ y @ x


def bone_chain(angles, lengths, parents, targets):
    """Squared distance of each bone's end from its target; every bone turns with its parent."""
    n = lengths.shape[0]
    frames = np.zeros((n, 3, 3))
    ends = np.zeros((n, 3))
    for k in range(n):
        local = turned(angles[k])
        offset = np.array([0.0, 0.0, 0.0])
        if parents[k] < 0:
            frames[k] = local
        else:
            frames[k] = frames[parents[k]] @ local
            offset = ends[parents[k]]
        ends[k] = offset + frames[k] @ np.array([0.0, lengths[k], 0.0])
    return np.sum((ends - targets) ** 2)
