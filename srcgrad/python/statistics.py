"""Functions of Python's `statistics`, of lists and of arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = [
    "fmean",
    "geometric_mean",
    "harmonic_mean",
    "mean",
    "median",
    "pstdev",
    "pvariance",
    "stdev",
    "variance",
]


def mean(data: Any) -> Any:
    return np.mean(np.array(data))


def fmean(data: Any, weights: Any = None) -> Any:
    if weights is None:
        return np.mean(np.array(data))
    return np.sum(np.array(data) * np.array(weights)) / np.sum(np.array(weights))


def geometric_mean(data: Any) -> Any:
    return math.exp(np.mean(np.log(np.array(data))))


def harmonic_mean(data: Any) -> Any:
    return 1.0 / np.mean(1.0 / np.array(data))


def median(data: Any) -> Any:
    return np.median(np.array(data))


def pvariance(data: Any, mu: Any = None) -> Any:
    values = np.array(data)
    center = np.mean(values) if mu is None else mu
    return np.mean((values - center) ** 2)


def variance(data: Any, xbar: Any = None) -> Any:
    values = np.array(data)
    center = np.mean(values) if xbar is None else xbar
    return np.sum((values - center) ** 2) / (len(values) - 1)


def pstdev(data: Any, mu: Any = None) -> Any:
    return math.sqrt(pvariance(data, mu))


def stdev(data: Any, xbar: Any = None) -> Any:
    return math.sqrt(variance(data, xbar))
