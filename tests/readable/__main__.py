"""`python -m tests.readable`: the lines of functions, of their derivatives, and of those by hand."""

from __future__ import annotations

from tests.readable.table import ENTRIES
from tests.readable.test_readable import lines

if __name__ == "__main__":
    print(f"{'':20} {'function':>9} {'ours':>6} {'by hand':>8} {'ratio':>6}")
    for name, entry in ENTRIES.items():
        primal, ours, hand = lines(name, entry)
        print(f"{name:20} {primal:9} {ours:6} {hand:8} {ours / hand:6.2f}")
