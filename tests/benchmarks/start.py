"""From the start of a process to its first gradient, cold and with a warm cache, beside a hand-written derivative.

    python tests/benchmarks/start.py

The hand-written one is compiled with `njit(cache=True)`. Each process is timed from outside: from before it is started
until it has its gradient; its own CPU time stands beside. The two kinds take turns; medians.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRIMAL = """
import math, time, sys
import numpy as np

def f(x, n):
    s = 1.0
    for i in range(n):
        s = s * math.sin(x[i])
    return s
"""
GENERATED = (
    PRIMAL
    + """
import srcgrad
gradient = srcgrad.grad(f)
"""
)
BY_HAND = (
    PRIMAL
    + """
import numba

@numba.njit(cache=True)
def gradient(x, n):
    s_kept = np.empty(n)
    s = 1.0
    for i in range(n):
        s_kept[i] = s
        s = s * math.sin(x[i])
    x_bar = np.zeros_like(x)
    s_bar = 1.0
    for i in range(n - 1, -1, -1):
        x_bar[i] += s_bar * s_kept[i] * math.cos(x[i])
        s_bar = s_bar * math.sin(x[i])
    return x_bar
"""
)
CALL = """
g = gradient(np.array([0.5, 0.7, 0.9]), 3)
print(time.time() - float(sys.argv[1]), time.process_time())
assert abs(g[0] - math.cos(0.5) * math.sin(0.7) * math.sin(0.9)) < 1e-14
"""
PROGRAMS = {"srcgrad": GENERATED + CALL, "hand-written": BY_HAND + CALL}


Seconds = tuple[float, float]  # elapsed, and CPU time


def run(script: Path, folder: Path) -> Seconds:
    environment = os.environ | {"SRCGRAD_CACHE_DIR": str(folder / "srcgrad"), "NUMBA_CACHE_DIR": str(folder / "numba")}
    environment["PYTHONPATH"] = str(ROOT)
    started = [sys.executable, str(script), str(time.time())]
    done = subprocess.run(started, env=environment, check=True, capture_output=True, text=True)
    elapsed, cpu = map(float, done.stdout.split())
    return elapsed, cpu


def measure(rounds: int) -> dict[str, dict[str, list[Seconds]]]:
    """times[warmth][kind]; each round has a fresh cache, used once cold and three times warm."""
    times: dict[str, dict[str, list[Seconds]]] = {"cold": {}, "warm": {}}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for turn in range(4):
                for kind, text in PROGRAMS.items():
                    script = Path(folder) / f"{kind.replace('-', '_')}_case.py"
                    if not script.exists():
                        script.write_text(text)
                    times["warm" if turn else "cold"].setdefault(kind, []).append(run(script, Path(folder) / kind))
    return times


if __name__ == "__main__":
    for warmth, found in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 5).items():
        for what, column in (("elapsed", 0), ("CPU", 1)):
            ours, hand = (statistics.median(t[column] for t in found[kind]) for kind in PROGRAMS)
            print(
                f"{warmth}, {what}: srcgrad {ours:.3f} s, hand-written {hand:.3f} s: "
                f"{ours - hand:+.3f} s, {ours / hand:.2f} times"
            )
