"""Generated derivatives beside adjoints that were written by hand, the function itself, JAX and HIPS autograd.

    python tests/benchmarks/suite.py                                  all, at every size
    python tests/benchmarks/suite.py --quick --names garch mixture
    python tests/benchmarks/suite.py --json now.json --page docs/benchmarks.md
    python tests/benchmarks/suite.py --read now.json --page docs/benchmarks.md

Each workload has a process of its own, with fresh caches and one thread. Candidates take turns; ratios are of medians
of the process's CPU time. What is written by hand is compiled with the flags of the generated code, and uses the same
vector functions. "Cold": CPU seconds of the first derivative in a process, the library's kernels being compiled before.
"Kept": what `explain` says that a call keeps for the reverse sweep. "Peak": by how much the process grows in a call.
Beside the page comes a plot: by matplotlib where it is installed, else drawn as SVG by this script.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# in the place of this folder, whose files have the names of packages
sys.path[:] = [str(ROOT), *(p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent)]

from tests.benchmarks import arrays, by_hand, cases_of_suite, generated, report_page  # noqa: E402
from tests.benchmarks.processes import Caches, Found, child, load, report  # noqa: E402
from tests.benchmarks.table_of_suite import Case  # noqa: E402

Call = Callable[[], Any]


# ---- in a process of its own


def measure(case: Case, seconds: float, sizes: int) -> None:
    """Report all figures of one workload, the smallest size first."""
    spans = case.sizes[:sizes]
    made = makers(case, spans[0])
    found: list[Found] = []
    for size in spans:
        args = case.args(size)
        calls, told = called(case, made, args)
        told |= {"size": "x".join(map(str, size)), **memory(calls["srcgrad"])}
        told["times"] = arrays.timed(calls, seconds)
        if case.explained is not None:
            kept = re.search(r"bytes a call: (.*)", case.explained(made["srcgrad"], args))
            told["kept"] = kept.group(1) if kept else "nothing"
        found.append(told)
        report(sizes=found)


def makers(case: Case, size: tuple[int, ...]) -> dict[str, Any]:
    """The compiled candidates; what the first call of each took is reported."""
    args = case.args(size)
    start = time.process_time()
    derivative = case.derivative(True)
    if hasattr(derivative, "source_for"):
        source = derivative.source_for(*args)
        lines = {"lines": generated.generated_lines(source), "primal_lines": generated.primal_lines(case.fun)}
        report(transformation=time.process_time() - start, **lines)
    derivative(*args)
    report(cold=time.process_time() - start, compiled_peak=status("VmHWM"))
    made = {"srcgrad": derivative}
    for name, plain in (("primal", case.fun), ("hand", case.hand)):
        if plain is not None:
            start = time.process_time()
            try:
                made[name] = by_hand.compiled(plain) if name == "hand" else case.primal()
                made[name](*args)
            except Exception as error:
                made.pop(name)
                report(**{f"{name}_refused": f"{type(error).__name__}: {str(error)[:300]}"})
            report(**{f"{name}_cold": time.process_time() - start})
    return made


def called(case: Case, made: dict[str, Any], args: tuple[Any, ...]) -> tuple[dict[str, Call], Found]:
    """What is timed at one size, and whether the others agree with the generated derivative."""
    calls: dict[str, Call] = {name: (lambda f=f: f(*args)) for name, f in made.items()}
    got, told = calls["srcgrad"](), {}
    for name, peer in (("jax", case.jax), ("autograd", case.autograd)):
        if peer is None or importlib.util.find_spec(name) is None:
            continue
        start = time.process_time()
        try:
            calls[name], imported = peer(args)
            told |= arrays.comparison(name, got, calls[name]())
            told[f"{name}_cold"] = time.process_time() - start - imported
        except Exception as error:
            calls.pop(name, None)
            told[f"{name}_refused"] = f"{type(error).__name__}: {str(error)[:300]}"
    if "hand" in calls:
        told |= arrays.comparison("by hand", got, calls["hand"]())
    return calls, told


def memory(call: Call) -> Found:
    """By how many bytes the process grows in a call, where the system tells."""
    call()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # else the last call's memory is still there
        Path("/proc/self/clear_refs").write_text("5")
    except (OSError, AttributeError):
        return {}
    before = status("VmRSS")
    call()
    return {"peak": max(0, status("VmHWM") - before)}


def status(key: str) -> int:
    """Bytes of this process, by Linux."""
    path = Path("/proc/self/status")
    found = re.search(rf"{key}:\s*(\d+) kB", path.read_text()) if path.exists() else None
    return 1024 * int(found.group(1)) if found else 0


# ---- all of them


def run(options: argparse.Namespace) -> dict[str, Found]:
    """A process a workload; each one's figures are printed and written as they come."""
    results: dict[str, Found] = {}
    kept = load(options.json) if options.json and Path(options.json).exists() else {}
    with tempfile.TemporaryDirectory(prefix="srcgrad_caches_") as folder:
        caches = Caches(options.caches or folder)
        warm = caches.kept.exists() or (not options.quick and caches.warm())
        print(f"cold: the library's kernels {'are warm' if warm else 'are compiled, too'}", flush=True)
        for case in cases_of_suite.chosen(options.names):
            common = ["--names", case.name, "--seconds", str(options.seconds), "--sizes", str(options.sizes)]
            found = child(__file__, *common, timeout=options.timeout, caches=caches.begin(warm))
            results[case.name] = found
            print(report_page.row(case, found), flush=True)
            if options.json:
                Path(options.json).write_text(json.dumps(kept | results, indent=1))
    return kept | results


def options_of(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", nargs="+", help="names of workloads, or what they begin with")
    parser.add_argument("--quick", action="store_true", help="the first two sizes, with fewer rounds; kernels cold")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds of CPU time for a workload")
    parser.add_argument("--json", help="a file to write all figures to; those of other workloads in it are kept")
    parser.add_argument("--read", help="a file written before: measure nothing")
    parser.add_argument("--page", help="a Markdown file to write the tables to, with the plot beside it")
    parser.add_argument("--caches", help="a folder that keeps the compiled kernels for later runs")
    parser.add_argument("--here", action="store_true", help="one workload, in this process")
    parser.add_argument("--seconds", type=float, default=2.0, help="of timing a size, of all candidates together")
    parser.add_argument("--sizes", type=int, default=4, help="how many sizes, from the smallest")
    options = parser.parse_args(argv)
    if options.quick:
        options.seconds, options.sizes = min(options.seconds, 0.6), min(options.sizes, 2)
    return options


def main(argv: list[str] | None = None) -> None:
    options = options_of(argv)
    if options.here:
        return measure(cases_of_suite.named(options.names[0]), options.seconds, options.sizes)
    results = load(options.read) if options.read else run(options)
    cases = [c for c in cases_of_suite.chosen(options.names) if c.name in results]
    page = report_page.page(cases, results)
    print(page)
    if options.page:
        report_page.write(Path(options.page), page, cases, results)


if __name__ == "__main__":
    main()
