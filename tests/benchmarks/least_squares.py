"""Least squares beside SciPy's MINPACK on standard problems: minima, evaluations, and time.

    python tests/benchmarks/least_squares.py

A Markdown table: sums of squares, evaluations of the residuals, and medians of the process's CPU time of a solve, of
interleaved runs, as it is called from Python (compiled before).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import optimize

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import srcgrad as sg
from tests.optimize.standard_problems import PROBLEMS

ROUNDS = 30


def timed(run: Callable[[], Any]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def main() -> None:
    print("| problem | least sum | ours | MINPACK | evaluations | MINPACK's | us | MINPACK's | times as fast |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, problem in PROBLEMS.items():
        start = np.array(problem.start)

        def ours(fun: Any = problem.residuals, start: Any = start) -> Any:
            return sg.least_squares(fun, start, max_nfev=2000)

        def theirs(fun: Any = problem.residuals, start: Any = start) -> Any:
            return optimize.least_squares(fun, start, method="lm", max_nfev=5000)

        mine, other = ours(), theirs()
        pairs = [(timed(ours), timed(theirs)) for _ in range(ROUNDS)]
        a, b = (1e6 * statistics.median(column) for column in zip(*pairs, strict=True))
        sums = f"{min(problem.smallest):.9g} | {2.0 * mine.cost:.9g} | {2.0 * other.cost:.9g}"
        print(f"| {name} | {sums} | {mine.nfev} | {other.nfev} | {a:.0f} | {b:.0f} | {b / a:.1f} |", flush=True)


if __name__ == "__main__":
    main()
