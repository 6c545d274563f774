"""A picture of a check: each entry of a generated derivative beside the numerical one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcgrad.optional import drawing

Matrix = NDArray[np.float64]


def draw(title: str, expected: Matrix, gap: Matrix, found: Iterable[tuple[str, Matrix]]) -> Any:
    """The axes of a new figure. gap: by how much two numerical derivatives differ, drawn as bars."""
    ax = drawing.new_axes()
    for marker, (mode, matrix) in zip("ox", found, strict=False):
        if matrix.shape == expected.shape:
            ax.errorbar(expected.ravel(), matrix.ravel(), xerr=gap.ravel(), fmt=marker, fillstyle="none", label=mode)
    known = expected[np.isfinite(expected)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
    ax.plot([low, high], [low, high], color="grey", linewidth=0.8, zorder=0)
    ax.set(title=title, xlabel="numerical derivative", ylabel="generated derivative")
    ax.legend()
    return ax
