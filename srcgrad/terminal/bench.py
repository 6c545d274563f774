"""`srcgrad bench`: what a function and its derivative cost."""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from srcgrad import api
from srcgrad.derivatives.quantities import duration, memory
from srcgrad.terminal import subject

HELP = "time a function and its derivative, side by side, with the memory that they take"
EXAMPLES = """examples:
  srcgrad bench model.py:loss --args 'np.ones(1000)'
  srcgrad bench model.py:loss --args 'np.ones(1000)' --kind hessian --seconds 2"""
ROUNDS = 9


def add(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    subject.add_kind(parser, "value_and_grad")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long each is run (default: 0.5)")


def run(options: argparse.Namespace) -> int:
    about = subject.subject(options)
    given = about.arguments()
    made = subject.derivative(about, options)
    calls = {
        f"{about.name}, as Python": about.primal,
        f"{about.name}, compiled": api.compiled(about.primal),
        f"{options.kind}": made,
    }
    print(f"{'':24}{'a call':>12}{'first call':>14}{'memory':>12}")
    first = {name: _once(call, given) for name, call in calls.items()}
    times = _interleaved(calls, given, options.seconds)
    for name in calls:
        held = _peak(calls[name], given)
        print(f"{name:24}{duration(times[name]):>12}{duration(first[name]):>14}{memory(held):>12}")
    compiled, derivative = list(times.values())[1:]
    print(f"\n{options.kind} takes {derivative / compiled:.2f} times as long as the compiled function")
    return 0


def _once(call: Callable[..., Any], given: subject.Given) -> float:
    start = time.perf_counter()
    call(*given.args, **given.kwargs)
    return time.perf_counter() - start


def _interleaved(calls: dict[str, Any], given: subject.Given, seconds: float) -> dict[str, float]:
    """The median time of a call of each, in rounds that take turns, so that what else runs here hits all alike."""
    counts = {name: max(1, int(seconds / ROUNDS / max(_once(call, given), 1e-7))) for name, call in calls.items()}
    rounds = [{name: _block(calls[name], given, counts[name]) for name in calls} for _ in range(ROUNDS)]
    return {name: statistics.median(each[name] for each in rounds) for name in calls}


def _block(call: Callable[..., Any], given: subject.Given, count: int) -> float:
    args, kwargs = given.args, given.kwargs
    start = time.process_time()
    for _ in range(count):
        call(*args, **kwargs)
    return (time.process_time() - start) / count


def _peak(call: Callable[..., Any], given: subject.Given) -> int:
    """The most memory that a call holds at once, of what Python and NumPy count."""
    tracemalloc.start()
    try:
        call(*given.args, **given.kwargs)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
