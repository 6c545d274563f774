"""Where a matrix that is known by its products has entries, and colours of its columns.

`product(v)` is the matrix times a vector. Its pattern at an input is found by bisection: a block of columns has an
entry in a row if the product with a vector that is random there, and 0 elsewhere, is not 0 in it. Blocks that meet in
no row take one product together, so that a banded matrix takes some products for each halving, however large it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Product = Callable[[Any], Any]
FEW = 3  # colours that are not worth a search for fewer
STEPS = 1e8  # that this may take
MOST = (32, 512, None)  # products for one halving, before the transposed matrix is tried


class Pattern(NamedTuple):
    """The places of the entries, by rows and then columns."""

    rows: Any
    columns: Any
    shape: tuple[int, int]

    def transposed(self) -> Pattern:
        return sorted_pattern(self.columns, self.rows, self.shape[::-1])


def sorted_pattern(rows: Any, columns: Any, shape: tuple[int, int]) -> Pattern:
    """Each place once."""
    places = np.unique(np.asarray(rows, np.int64) * shape[1] + np.asarray(columns, np.int64))
    return Pattern(places // shape[1] if shape[1] else places, places % max(shape[1], 1), shape)


def union(a: Pattern, b: Pattern) -> Pattern:
    return sorted_pattern(np.concatenate([a.rows, b.rows]), np.concatenate([a.columns, b.columns]), a.shape)


def random_direction(size: int, rng: np.random.Generator) -> Any:
    """No number of it is small."""
    return rng.uniform(0.5, 1.5, size) * rng.choice([-1.0, 1.0], size)


def find_pattern(product: Product, transposed: Product | None, shape: tuple[int, int]) -> Pattern:
    """The pattern by products with the matrix, or with its transpose where it has long rows."""
    for most in MOST:
        found = _bisect(product, shape, most)
        if found is not None:
            return found
        found = None if transposed is None else _bisect(transposed, shape[::-1], most)
        if found is not None:
            return found.transposed()
    raise AssertionError("the last search has no limit")


def _bisect(product: Product, shape: tuple[int, int], most: int | None) -> Pattern | None:
    """The pattern; None where a halving would take more than so many products."""
    count, size = shape
    if 0 in shape:
        return sorted_pattern([], [], shape)
    rng = np.random.default_rng(0)
    rows, blocks, width = np.arange(count), np.zeros(count, np.int64), 1
    while width < size:
        width *= 2
    values = random_direction(size, rng)
    width, first = width * 2, True
    while width > 1:
        width //= 2
        if not first:  # each block in two
            rows, blocks = np.repeat(rows, 2), np.stack([2 * blocks, 2 * blocks + 1], axis=1).ravel()
            inside = blocks * width < size
            rows, blocks = rows[inside], blocks[inside]
        first = False
        colours = colour(Pattern(rows, blocks, (count, -(-size // width))))
        if most is not None and colours.max(initial=0) >= most:
            return None
        of_column, found = colours[np.arange(size) // width], np.zeros(len(rows), bool)
        for c in range(colours.max(initial=-1) + 1):
            seen = product(np.where(of_column == c, values, 0.0)) != 0.0  # NaN is an entry, too
            here = colours[blocks] == c
            found[here] = seen[rows[here]]
        rows, blocks = rows[found], blocks[found]
    return sorted_pattern(rows, blocks, shape)


# ---- colours: columns of one colour have no row together


def colour(pattern: Pattern) -> Any:
    """A colour for each column; columns of one colour have no row in common."""
    rows, columns, (_, size) = pattern
    longest = int(np.bincount(rows, minlength=1).max()) if len(rows) else 1
    for k in sorted({longest, longest + 1, 2 * longest}):  # bands
        if k >= size or len(np.unique(rows * k + columns % k)) == len(rows):
            return np.arange(size) % k
    return _greedy(pattern)


def _lists(pattern: Pattern) -> list[list[int]]:
    """The rows of each column."""
    order = np.argsort(pattern.columns, kind="stable")
    ends = np.cumsum(np.bincount(pattern.columns, minlength=pattern.shape[1]))[:-1]
    return [part.tolist() for part in np.split(pattern.rows[order], ends)]


def _greedy(pattern: Pattern) -> Any:
    taken: list[set[int]] = [set() for _ in range(pattern.shape[0])]  # the colours of each row
    colours = np.zeros(pattern.shape[1], np.int64)
    for column, rows in enumerate(_lists(pattern)):
        seen = set().union(*(taken[r] for r in rows))
        c = _first_free(seen)
        colours[column] = c
        for r in rows:
            taken[r].add(c)
    return colours


def _first_free(taken: set[int]) -> int:
    c = 0
    while c in taken:
        c += 1
    return c


def star_colour(pattern: Pattern) -> Any:
    """A colour for each column of a symmetric matrix, so that each entry can be read at its place or at the mirrored
    one: neighbours have different colours, and a path over four has three."""
    band = colour(pattern)
    lengths = np.bincount(pattern.rows, minlength=1).astype(float)
    if band.max(initial=0) < FEW or lengths @ lengths > STEPS:
        return band
    near = [[r for r in rows if r != c] for c, rows in enumerate(_lists(pattern))]
    colours: list[int] = [-1] * len(near)
    for v in sorted(range(len(near)), key=lambda c: -len(near[c])):
        taken: set[int] = set()
        for w in near[v]:
            if colours[w] >= 0:
                taken.add(colours[w])
            for x in near[w]:
                if colours[x] < 0 or x == v or colours[x] in taken:
                    continue
                if colours[w] < 0 or any(y != w and colours[y] == colours[w] for y in near[x]):
                    taken.add(colours[x])
        colours[v] = _first_free(taken)
    return np.array(colours, np.int64)
