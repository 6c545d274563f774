"""Where two results differ, and the table that says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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


def different(expected: Matrix, got: Matrix, tolerance: Matrix | float) -> Iterator[tuple[int, ...]]:
    """The indices at which they differ; NaN equals NaN, and an infinity itself alone."""
    with np.errstate(invalid="ignore"):
        near = np.isfinite(expected) & (np.abs(expected - got) <= tolerance)
    same = near | (expected == got) | (np.isnan(expected) & np.isnan(got))
    yield from (tuple(map(int, index)) for index in np.argwhere(~same))


def differing(
    got: Sequence[Any], expected: Sequence[Any], allowed: Callable[[Matrix], Matrix | float]
) -> Iterator[str]:
    """How two lists of numbers and arrays differ, in words: in shape, or in entries by more than is allowed beside
    the expected array."""
    shapes, wanted_shapes = [np.shape(y) for y in got], [np.shape(y) for y in expected]
    if shapes != wanted_shapes:
        yield f"shapes {shapes}, expected {wanted_shapes}"
        return
    for k, (y, known) in enumerate(zip(got, expected, strict=True)):
        found, wanted = np.asarray(y, float), np.asarray(known, float)
        for index in different(wanted, found, allowed(wanted)):
            yield f"[{k}]{list(index) or ''}: got {found[index]:.12g}, expected {wanted[index]:.12g}"


def differing_number(got: float, expected: float, tolerance: float, size: float = 1.0) -> str:
    """How a number differs from the expected one, relative to the largest of 1, itself and `size`; or nothing."""
    near = abs(got - expected) <= tolerance * max(1.0, abs(expected), size)
    return "" if near else f"got {got:.12g}, expected {expected:.12g}"


def differing_kinds(got: Sequence[Any], models: Sequence[Any]) -> Iterator[str]:
    """Where the shape or the dtype of one of a list is not that of its model."""
    if len(got) != len(models):
        yield f"{len(got)} in the place of {len(models)}"
        return
    for k, (leaf, model) in enumerate(zip(got, models, strict=True)):
        if _kind(leaf) != _kind(model):
            yield f"[{k}]: {_kind(leaf)} in the place of {_kind(model)}"


def equal(before: Any, after: Any) -> bool:
    """Whether two leaves are the same; NaN equals NaN."""
    old = np.asarray(before)
    return np.array_equal(old, after, equal_nan=old.dtype.kind in "fc")


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
        if isinstance(old, np.ndarray) and not equal(old, new):
            report.add(mode, f"(argument{label})", "", "unchanged", "overwritten")
