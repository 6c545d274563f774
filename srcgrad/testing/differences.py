"""Where two results differ, and the table that says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcgrad.testing.entries import is_float, leaves

Matrix = NDArray[np.float64]
ROWS = 20  # shown of a table of differences
HEAD = ("derivative", "argument", "output", "expected", "got", "error")


@dataclass
class Report:
    """The differences found so far."""

    title: str
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, derivative: str, argument: str, output: str, expected: str, got: str, error: str = "") -> None:
        self.rows.append((derivative, argument, output, expected, got, error))

    def number(self, derivative: str, argument: str, output: str, expected: float, got: float) -> None:
        with np.errstate(invalid="ignore"):
            self.add(derivative, argument, output, f"{expected:.10g}", f"{got:.10g}", f"{abs(expected - got):.1e}")

    def conclude(self) -> None:
        """Raise if anything differs."""
        if not self.rows:
            return
        table = [HEAD, *self.rows[:ROWS]]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in table]
        rest = len(self.rows) - ROWS
        lines += [f"... and {rest} more"] if rest > 0 else []
        raise AssertionError("\n".join([self.title, *lines]))


def different(expected: Matrix, got: Matrix, tolerance: Matrix) -> Iterator[tuple[int, ...]]:
    """The indices at which they differ; NaN equals NaN, and an infinity itself alone."""
    with np.errstate(invalid="ignore"):
        near = np.isfinite(expected) & (np.abs(expected - got) <= tolerance)
    same = near | (expected == got) | (np.isnan(expected) & np.isnan(got))
    yield from (tuple(map(int, index)) for index in np.argwhere(~same))


def compare_kinds(report: Report, mode: str, model: Any, got: Any, what: str) -> None:
    """Shapes and dtypes of the floats in a result must be the model's."""
    found = {label: _kind(leaf) for label, leaf in leaves(got)}
    for label, leaf in leaves(model):
        if is_float(leaf) and found.get(label) != _kind(leaf):
            report.add(mode, f"({what}{label})", "", _kind(leaf), found.get(label, "nothing"))


def _kind(leaf: Any) -> str:
    array = np.asarray(leaf)
    return f"{array.dtype}{list(array.shape)}"


def compare_unchanged(report: Report, mode: str, before: Any, after: Any) -> None:
    """No array may have changed."""
    for (label, old), (_, new) in zip(leaves(before), leaves(after), strict=True):
        if isinstance(old, np.ndarray) and not np.array_equal(old, new, equal_nan=old.dtype.kind in "fc"):
            report.add(mode, f"(argument{label})", "", "unchanged", "overwritten")
