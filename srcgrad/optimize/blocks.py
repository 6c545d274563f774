"""A solve called from Python, in blocks of iterations that take a quarter of a second: between them Python sees to
Ctrl-C and to the callback. What is known to be short is one block.

A block's length comes from how long the last one took. It is remembered with the amount of data (the elements of
arrays, and integers, which may be lengths of loops), and begins anew from one iteration where that is another.
"""

# mypy: disallow-untyped-calls=False

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcgrad.frontend.source.structure import parts
from srcgrad.optimize.descent import LEAVES, NIT, VALUE, start
from srcgrad.optimize.result import CONVERGED, GOES_ON, STOPPED, outcome

SECONDS = 0.25
GROWTH = 16
CAUTION = 25  # what the last solve makes expect is not sure: a first block is this much shorter
LONGEST = 1 << 40

Turns = dict[int, int]  # by the amount of data


class Pace:
    """How many iterations the next block has. short: how many are surely short, which is what a first block has."""

    def __init__(self, short: Turns, amount: int) -> None:
        self.short, self.amount = short, amount
        self.block = max(1, short.get(amount, 0))

    def took(self, turns: int, seconds: float) -> None:
        fitting = min(int(turns * SECONDS / max(seconds, 1e-9)), LONGEST)
        self.short[self.amount] = fitting // CAUTION
        self.block = max(1, min(fitting, GROWTH * self.block))


@dataclass
class Watch:
    """The user's callback, called once a second, or each time that so many more steps are made."""

    callback: Callable[..., Any] | None = None
    every: int | None = None
    last: float = field(default_factory=time.monotonic)

    def until(self, nit: int, maxiter: int) -> int:
        """How many steps there may be before the next call."""
        if self.callback is None or self.every is None:
            return maxiter
        return min(maxiter, (nit // self.every + 1) * self.every)

    def goes_on(self, x: Any, value: Any, nit: int) -> bool:
        """Call the callback if it is time; whether it lets the solve go on."""
        if self.callback is None:
            return True
        now = time.monotonic()
        if now - self.last < 1.0 if self.every is None else nit % self.every != 0:
            return True
        self.last = now
        try:
            self.callback(x.copy() if isinstance(x, np.ndarray) else x, value, nit)
        except StopIteration:
            return False
        return True


# What all three give: (x, fun, nit, success, message, nfev) and, if it was asked for, the history.
Outcome = tuple[Any, ...]


def by_steps(solve: Callable[..., Outcome], x: Any, state: Any, maxiter: int, pace: Pace, watch: Watch) -> Outcome:
    """solve: `(x, state, steps)` -> what a loop gives that begins anew from any point: Newton's for roots (without
    state), or a descent's."""
    nit, histories = 0, []
    while True:
        block = min(pace.block, watch.until(nit, maxiter) - nit)
        before = time.perf_counter()
        x, state, value, made, success, message, _, *history = solve(x, state, block)
        if made:
            pace.took(made, time.perf_counter() - before)
        nit += int(made)
        histories += history
        ended = message == CONVERGED or made < block or nit >= maxiter
        if made and not watch.goes_on(x, value, nit) and not ended:
            success, message, ended = False, STOPPED, True
        if ended:
            break
    return (x, value, nit, bool(success), int(message), nit + 1, *_joined(histories))


def _joined(histories: Sequence[Any]) -> Iterator[Any]:
    """One history: each but the first begins where the one before it ends."""
    if histories:
        yield np.concatenate([*(h[:-1] for h in histories[:-1]), histories[-1]]) if histories[1:] else histories[0]


def by_evaluations(
    solve: Callable[..., Outcome], x: Any, memory: Any, maxiter: int, tol: float, pace: Pace, watch: Watch
) -> Outcome:
    """solve: `(x, trial, memory, limit, pause)` -> what a loop gives that searches along directions."""
    trial, nit, nfev = start(x), 0, 0
    kept: list[Any] = []
    while True:
        pause = watch.until(nit, maxiter)
        before = time.perf_counter()
        x, status, evaluations, history, *rest = solve(x, trial, memory, pace.block, pause)
        if evaluations:
            pace.took(evaluations, time.perf_counter() - before)
        trial, memory = tuple(rest[:LEAVES]), tuple(rest[LEAVES:])
        nfev += evaluations
        first, nit = nit, max(trial[NIT], 0)
        kept.append(history[first if not kept else first + 1 :])
        if nit > first and not watch.goes_on(x, trial[VALUE], nit) and status == GOES_ON:
            status = STOPPED
        if status != GOES_ON:
            break
    value = trial[VALUE]
    success, message = outcome(int(status), bool(abs(value) < np.inf), tol)
    return x, value, nit, success, message, nfev, np.concatenate(kept) if len(kept) > 1 else kept[0]


def by_problems(solve: Callable[..., Outcome], problems: Any, pace: Pace) -> Outcome:
    """solve: some of a batch's problems, which are its slices -> their results."""
    found: list[Outcome] = []
    done = 0
    while done < len(problems) or not found:
        more = max(min(pace.block, len(problems) - done), 1)
        before = time.perf_counter()
        found.append(solve(problems[done : done + more]))
        pace.took(more, time.perf_counter() - before)
        done += more
    return found[0] if len(found) == 1 else tuple(map(np.concatenate, zip(*found, strict=True)))


def amount(values: Sequence[Any]) -> int:
    """How much data there is, to a factor of two."""
    return _elements(values).bit_length()


def _elements(values: Sequence[Any]) -> int:
    total = 0
    for value in values:
        kind = value.__class__
        if kind is np.ndarray:
            total += value.size
        elif kind is int:
            total += abs(value)
        elif kind is not float:
            total += _elements(parts(value)[2])
    return total
