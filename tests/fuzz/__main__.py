"""Hunts for programs whose derivatives are wrong. `python -m tests.fuzz --help`"""

from __future__ import annotations

import argparse
import itertools
import sys
import time

from srcgrad.compiler import find_or_make
from tests.fuzz import checks, faults, hunt


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--seed", type=int, help="the first program; alone, the only one: it is printed, and shrunk if it fails"
    )
    parser.add_argument("--programs", type=int, help="how many (1000; 1 with --seed)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--compiled", action="store_true", help="compile what is generated (seconds for each program)")
    parser.add_argument("--loops", action="store_true", help="as the loops that compiled code has, in CPython")
    parser.add_argument("--numpy", action="store_true", help="compositions of NumPy's functions, compared numerically")
    parser.add_argument("--calls", action="store_true", help="calls of every transformer, under odd names and twice")
    parser.add_argument("--checkpoint", action="store_true", help="run all loops again from snapshots")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--no-shrink", action="store_true", help="print programs that fail as they are")
    parser.add_argument("--faults", action="store_true", help="plant faults, and count programs until each is caught")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    find_or_make.UNJITTED["loops"] = options.loops
    checks.ALWAYS["checkpoint"] = options.checkpoint
    if options.faults:
        print(faults.table([k * 1000 + (options.seed or 0) for k in range(3)], options.programs or 300))
        return 0
    kind = next((kind for kind in ("numpy", "compiled", "calls") if getattr(options, kind)), "random")
    if options.seed is not None and options.programs is None:
        return one(options.seed, kind, not options.no_shrink)
    first = options.seed or 0
    seeds = range(first, first + options.programs) if options.programs else itertools.count(first)
    if options.programs is None and options.seconds == float("inf"):
        seeds = range(first, first + 1000)
    tally, end, told = hunt.Tally(), time.perf_counter() + options.seconds, 0.0
    for outcome in hunt.outcomes(seeds, kind, options.jobs):
        tally.add(outcome)
        if outcome.verdict.bad:
            print(f"seed {outcome.seed}: {outcome.verdict.kind}: {outcome.verdict.what}", file=sys.stderr, flush=True)
        if time.perf_counter() - told > 30.0:
            told = time.perf_counter()
            print(tally.summary(), file=sys.stderr, flush=True)
        if time.perf_counter() > end:
            break
    print(tally.report())
    for outcome in tally.distinct():
        show(outcome.seed, kind, not options.no_shrink)
    return 1 if tally.bad else 0


def one(seed: int, kind: str, small: bool) -> int:
    p, menu = hunt.case(seed, kind)
    found = hunt.verdict(p, menu)
    print(menu or "beside central differences")
    print(hunt.describe(p, found))
    if found.bad and small:
        show(seed, kind, small)
    return int(found.bad)


def show(seed: int, kind: str, small: bool) -> None:
    """A program that fails, made small, with the command that shows it again."""
    p, menu = hunt.case(seed, kind)
    found = hunt.verdict(p, menu)
    if small and found.bad:
        p = hunt.smallest(p, menu, found)
        found = hunt.verdict(p, menu)
    flag = "" if kind == "random" else f" --{kind}"
    flag += " --loops" * find_or_make.UNJITTED["loops"] + " --checkpoint" * checks.ALWAYS["checkpoint"]
    print(f"---- python -m tests.fuzz --seed {seed}{flag}\n{hunt.describe(p, found)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
