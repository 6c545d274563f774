"""Where compilation goes: transformation by pass, then Numba's typing, lowering and LLVM, for the workloads of arrays.

    python tests/benchmarks/compile.py                      both suites
    python tests/benchmarks/compile.py --suite kernels
    python tests/benchmarks/compile.py --names heat --json now.json --against before.json

Each value and gradient is transformed and compiled in a process of its own with fresh caches, at the size "quick".
CPU seconds of the process. A pass is what happens from the pass before it to its end; `render` is from the last pass
to the text. Numba's passes are its own time without that of what they call: the functions called are compiled in the
midst of typing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# in the place of this folder, whose files have the names of packages
sys.path[:] = [str(ROOT), *(p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent)]

from numba.core import event  # noqa: E402

from tests.benchmarks import generated  # noqa: E402
from tests.benchmarks.processes import Caches, Found, aligned, child, load, report  # noqa: E402
from tests.benchmarks.workloads import cases  # noqa: E402
from tests.benchmarks.workloads.table import Workload  # noqa: E402

TYPING = ("type_inference", "annotate_types")
LOWERING = ("native_lowering", "native_parfor_lowering", "nopython_backend", "no_python_backend")


class Clock(event.Listener):
    """CPU time by pass and function, of nested sections, each without those inside it."""

    def __init__(self) -> None:
        self.own: dict[tuple[str, str], float] = {}
        self.open = [("", "")]
        self.last = time.process_time()

    def turn(self) -> None:
        """What has passed belongs to the innermost section."""
        now = time.process_time()
        self.own[self.open[-1]] = self.own.get(self.open[-1], 0.0) + now - self.last
        self.last = now

    def on_start(self, event: Any) -> None:
        self.turn()
        if event.kind == "numba:run_pass":
            name, _, function = event.data["name"].partition(" [")
            self.open.append((name, function.removesuffix("]")))
        else:
            self.open.append(("LLVM", self.open[-1][1]))

    def on_end(self, event: Any) -> None:
        self.turn()
        self.open.pop()

    def total(self, key: Callable[[str, str], str]) -> dict[str, float]:
        """Seconds by what is made of pass and function, the most first."""
        found: dict[str, float] = {}
        for section, seconds in self.own.items():
            found[key(*section)] = found.get(key(*section), 0.0) + seconds
        return dict(sorted(found.items(), key=lambda item: -item[1]))


def measure(workload: Workload, jit: bool = True) -> None:
    """Transform and compile one here, and report."""
    import srcgrad as sg

    gradient, args = sg.value_and_grad(workload.fun, argnums=workload.argnums, jit=jit), workload.args("quick")
    passes, source = transformed(gradient, args)
    report(passes=passes, transformation=sum(passes.values()), lines=generated.generated_lines(source))
    clock = compiled(gradient, args)
    functions = clock.total(lambda _, function: function.partition("_0x")[0])  # array expressions have numbers
    report(
        numba=clock.total(lambda name, _: name),
        parts=clock.total(lambda name, _: part(name)),
        functions=len({function for _, function in clock.own}),
        dearest=dict(list(functions.items())[:8]),
        compilation=sum(clock.own.values()),
    )


def transformed(gradient: Any, args: tuple[Any, ...]) -> tuple[dict[str, float], str]:
    """CPU time by pass, and the generated module."""
    from srcgrad.compiler import program

    times: dict[str, float] = {}
    lowered, watchers = program.lowered, program.WATCHERS
    last = time.process_time()

    def watch(name: str, _: Any) -> None:
        nonlocal last
        now = time.process_time()
        times[name], last = times.get(name, 0.0) + now - last, now

    def timed(*given: Any) -> Any:
        out = lowered(*given)
        watch("lower", out)
        return out

    program.lowered = timed  # type: ignore[assignment]
    watchers.append(watch)
    try:
        last = time.process_time()
        source = gradient.source_for(*args)
        watch("render", None)
    finally:
        program.lowered = lowered
        watchers.remove(watch)
    return times, source


def compiled(gradient: Any, args: tuple[Any, ...]) -> Clock:
    """CPU time of the first call, by what Numba did."""
    clock = Clock()
    with event.install_listener("numba:run_pass", clock), event.install_listener("numba:llvm_lock", clock):
        clock.last = time.process_time()
        gradient(*args)
        clock.turn()
    return clock


def part(name: str) -> str:
    """Which of Numba's parts a pass belongs to."""
    if name == "LLVM":
        return name
    if any(word in name for word in TYPING):
        return "typing"
    return "lowering" if any(word in name for word in LOWERING) else "other"


COUNTS = ("functions", "lines")  # functions: compiled by Numba
PARTS = ("typing", "lowering", "LLVM", "other")


def figures(found: Found) -> dict[str, float]:
    """All columns of one workload."""
    whole = {"transformation": found.get("transformation"), "compilation": found.get("compilation")}
    total = None if None in whole.values() else sum(whole.values())
    columns = {
        **found.get("passes", {}),
        **found.get("parts", {}),
        **whole,
        "total": total,
        **{name: found.get(name) for name in COUNTS},
    }
    return {name: value for name, value in columns.items() if value is not None}


def columns_of(results: Mapping[str, Found]) -> list[str]:
    passes = dict.fromkeys(name for found in results.values() for name in found.get("passes", {}))
    return [*passes, "transformation", *PARTS, "compilation", "total", *COUNTS]


def table(results: Mapping[str, Found]) -> Iterator[str]:
    columns = columns_of(results)
    rows = [["workload", *columns, ""]]
    for name, found in results.items():
        known = figures(found)
        rows.append([name, *(_cell(known.get(c), c) for c in columns), found.get("ended", "")])
    sums = {c: sum(figures(found).get(c, 0.0) for found in results.values()) for c in columns}
    rows.append(["sum", *(_cell(sums[c], c) for c in columns), ""])
    yield from aligned(rows)


def _cell(value: float | None, column: str) -> str:
    return "-" if value is None else f"{value:.0f}" if column in COUNTS else f"{value:.2f}"


def against(results: Mapping[str, Found], before: Mapping[str, Found]) -> Iterator[str]:
    """Each column less what it was; what grew by more than a tenth and 0.1 s is named."""
    columns = columns_of(results)
    rows = [["workload", *columns, ""]]
    for name in (n for n in results if n in before):
        now, then = figures(results[name]), figures(before[name])
        cells = [f"{now[c] - then.get(c, 0.0):+.2f}" if c in now else "-" for c in columns]
        grown = [c for c in columns if c in now and now[c] > 1.1 * then.get(c, 0.0) + 0.1]
        lost = [f"{c} GONE" for c in ("total",) if c in then and c not in now]
        rows.append([name, *cells, f"REGRESSION: {', '.join([*grown, *lost])}" if grown or lost else ""])
    yield "seconds more than before:"
    yield from aligned(rows)


def run(options: argparse.Namespace) -> dict[str, Found]:
    """A process a workload; each one's figures are printed and written as they come."""
    results: dict[str, Found] = {}
    kept = load(options.json) if options.json and Path(options.json).exists() else {}
    with tempfile.TemporaryDirectory(prefix="srcgrad_caches_") as folder:
        caches = Caches(folder)
        warm = caches.warm()
        print(f"the library's kernels {'are warm' if warm else 'are compiled, too'}", flush=True)
        for workload in cases.chosen(options.suite, options.names):
            place, name = caches.begin(warm), workload.name
            found = results[name] = child(__file__, "--names", name, timeout=options.timeout, caches=place)
            known = figures(found)
            shown = ", ".join(f"{c} {known[c]:.2f}" for c in ("transformation", *PARTS, "total") if c in known)
            print(f"{name}: {shown} {found.get('ended', '')}", flush=True)
            if options.json:
                Path(options.json).write_text(json.dumps(kept | results, indent=1))
    return results


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", choices=cases.SUITES)
    parser.add_argument("--names", nargs="+", help="names of workloads, or what they begin with")
    parser.add_argument("--timeout", type=float, default=180.0, help="seconds of CPU time for a workload")
    parser.add_argument("--json", help="a file to write all figures to")
    parser.add_argument("--against", help="a file written before, to compare with")
    parser.add_argument("--here", action="store_true", help="one workload, in this process")
    options = parser.parse_args(argv)
    if options.here:
        return measure(cases.named(options.names[0]))
    results = run(options)
    print()
    print("\n".join(table(results)))
    if options.against:
        print()
        print("\n".join(against(results, load(options.against))))


if __name__ == "__main__":
    main()
