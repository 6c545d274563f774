"""Where two results differ, and the table that says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcgrad.testing.entries import leaves

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
    """Structure, shapes and dtypes of the floats in a result must be the model's."""
    wanted, given = _kinds(model), _kinds(got)
    for label in sorted(wanted.keys() | given.keys()):
        expected, found = wanted.get(label, "nothing"), given.get(label, "nothing")
        if expected != found:
            report.add(mode, f"({what}{label})", "", expected, found)


def _kinds(value: Any) -> dict[str, str]:
    """label -> dtype and shape of each float leaf."""
    arrays = {label: np.asarray(leaf) for label, leaf in leaves(value)}
    return {label: f"{a.dtype}{list(a.shape)}" for label, a in arrays.items() if a.dtype.kind == "f"}


def compare_unchanged(report: Report, mode: str, before: Any, after: Any) -> None:
    """No array may have changed."""
    for (label, old), (_, new) in zip(leaves(before), leaves(after), strict=True):
        if isinstance(old, np.ndarray) and not np.array_equal(old, new, equal_nan=old.dtype.kind == "f"):
            report.add(mode, f"(argument{label})", "", "unchanged", "overwritten")
