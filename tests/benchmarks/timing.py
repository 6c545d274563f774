"""Interleaved timing: candidates take turns, so that a slow moment of the machine falls on all of them.

What runs in one thread is best measured in that thread's own CPU time, which other processes disturb least.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

Candidates = Mapping[str, Callable[[], object]]
Clock = Callable[[], float]


def interleaved(
    candidates: Candidates, rounds: int = 151, seconds: float = 0.002, clock: Clock = time.thread_time
) -> dict[str, float]:
    """The median time of one call of each candidate, in seconds, by batches of so many seconds; each is warmed up."""
    sizes = {name: _batch(call, seconds, clock) for name, call in candidates.items()}
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, call in candidates.items():
            times[name].append(_time(call, sizes[name], clock))
    return {name: statistics.median(found) for name, found in times.items()}


def _batch(call: Callable[[], object], seconds: float, clock: Clock) -> int:
    """How many calls take about so long."""
    call()
    size = 1
    while (taken := _time(call, size, clock) * size) < seconds:
        size = max(2 * size, int(size * 0.8 * seconds / max(taken, 1e-9)))
    return size


def _time(call: Callable[[], object], size: int, clock: Clock) -> float:
    start = clock()
    for _ in range(size):
        call()
    return (clock() - start) / size


def table(title: str, times: Mapping[str, float], baseline: str) -> str:
    """The times as lines of text, each beside its ratio to the baseline's."""
    width = max(map(len, times))
    lines = [title]
    for name, seconds in times.items():
        lines.append(f"  {name:<{width}}  {_readable(seconds):>10}  {seconds / times[baseline]:8.2f} times")
    return "\n".join(lines)


def _readable(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1.0:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
