"""Array code: gradients beside the function as Numba compiles it and beside JAX, and what compiling them takes.

    python tests/benchmarks/arrays.py                         the programs
    python tests/benchmarks/arrays.py --suite kernels         the suite of NumPy kernels
    python tests/benchmarks/arrays.py --names heat lstm --quick
    python tests/benchmarks/arrays.py --json now.json --against before.json
    python tests/benchmarks/arrays.py --read now.json --suite kernels

Each workload has a process of its own, with fresh caches and one thread (`taskset -c 1 python ...` holds all of it on
one core). Candidates take turns; medians of the process's CPU time. "Cold" is the CPU time of the first gradient of a
process that has none in its cache: transformation, compilation by Numba, and Numba's own start; with the library's own
kernels compiled before (warm) or not.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# in the place of this folder, whose files have the names of packages
sys.path[:] = [str(ROOT), *(p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent)]

import numpy as np  # noqa: E402

from tests.benchmarks import generated  # noqa: E402
from tests.benchmarks.processes import Caches, Found, aligned, child, load, report  # noqa: E402
from tests.benchmarks.timing import interleaved  # noqa: E402
from tests.benchmarks.workloads import cases  # noqa: E402
from tests.benchmarks.workloads.table import SIZES, Workload, bound_to, with_jax_numpy  # noqa: E402

RTOL = 1e-8
Call = Callable[[], Any]


# ---- in a process of its own


def measure(workload: Workload, size: str, seconds: float, cold_only: bool = False, jit: bool = True) -> None:
    """Report all figures of one workload, the most wanted first."""
    import numba

    import srcgrad as sg
    from srcgrad.api import compiled

    args = workload.args(size)
    start = time.process_time()
    gradient = sg.value_and_grad(workload.fun, argnums=workload.argnums, jit=jit)
    source = gradient.source_for(*args)
    transformed = time.process_time()
    report(transformation=transformed - start, **text_figures(workload, source))
    got = gradient(*args)
    report(cold=time.process_time() - start)
    if cold_only:
        return
    report(**check_small(workload, gradient))
    calls: dict[str, Call] = {"gradient": lambda: gradient(*args)}
    if workload.peer is not None and jit:
        start = time.process_time()
        peer, imported = in_jax(workload, args)
        wanted = peer()
        report(jax_cold=time.process_time() - start - imported, **comparison("JAX", got, wanted))
        calls["jax"] = peer
    report(times=timed(calls, seconds))
    plain = with_jitted_helpers(workload.fun) if jit else workload.fun
    makers: dict[str, Call] = {
        "primal": lambda: numba.njit(plain) if jit else plain,
        "compiled": lambda: compiled(workload.fun, jit=jit),
    }
    for name, make in makers.items():
        calls |= first_call(name, make, args)
        report(times=timed(calls, seconds))


def text_figures(workload: Workload, source: str) -> Found:
    return {
        "lines": generated.generated_lines(source),
        "primal_lines": generated.primal_lines(workload.fun),
        "allocations": generated.allocations_in_loops(source),
    }


def first_call(name: str, make: Callable[[], Any], args: tuple[Any, ...]) -> dict[str, Call]:
    """The compiled function by its name, if its compiler takes it; what it took, or why not, is reported."""
    start = time.process_time()
    try:
        made = make()
        made(*args)
    except Exception as error:
        report(**{f"{name}_refused": f"{type(error).__name__}: {str(error)[:300]}"})
        return {}
    report(**{f"{name}_cold": time.process_time() - start})
    return {name: lambda: made(*args)}


def with_jitted_helpers(fun: Any) -> Any:
    """The function, the plain functions of its module that it calls being jitted."""
    import numba

    space = dict(fun.__globals__)
    for helper in generated.reached(fun)[1:]:
        space[helper.__name__] = numba.njit(bound_to(helper, space))
    return bound_to(fun, space)


def check_small(workload: Workload, gradient: Any) -> Found:
    """The compiled gradient beside the same un-jitted, at the smallest size."""
    import srcgrad as sg

    args = workload.args("tiny")
    plain = sg.value_and_grad(workload.fun, argnums=workload.argnums, jit=False)
    with np.errstate(all="ignore"):
        return comparison("un-jitted", gradient(*copy.deepcopy(args)), plain(*args))


def in_jax(workload: Workload, args: tuple[Any, ...]) -> tuple[Call, float]:
    """The jitted value and gradient in JAX, Python integers being fixed; and the seconds of JAX's import."""
    start = time.process_time()
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.block_until_ready(jax.numpy.ones(2) + 1.0)
    imported = time.process_time() - start
    fun = workload.peer
    if fun is workload.fun:
        fun = with_jax_numpy(fun)
    fixed = tuple(k for k, a in enumerate(args) if isinstance(a, (int, str)))
    made = jax.jit(jax.value_and_grad(fun, argnums=workload.argnums), static_argnums=fixed)
    there = [a if k in fixed else jax.tree.map(jax.numpy.asarray, a) for k, a in enumerate(args)]
    return (lambda: jax.block_until_ready(made(*there))), imported


def comparison(whom: str, got: Any, wanted: Any) -> Found:
    """Whether all entries agree, to RTOL of the largest one of their array."""
    worst, pairs = 0.0, list(zip(_leaves(got), _leaves(wanted), strict=True))
    for a, b in pairs:
        if a.shape != b.shape or not np.array_equal(np.isfinite(a), np.isfinite(b)):
            return {f"agrees: {whom}": False, f"error: {whom}": "shapes, or what is finite"}
        scale = np.max(np.abs(b[np.isfinite(b)]), initial=1e-300)
        worst = max(worst, float(np.max(np.abs(a - b)[np.isfinite(a)], initial=0.0) / scale))
    return {f"agrees: {whom}": worst <= RTOL, f"error: {whom}": worst}


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, Mapping):
        tree = [tree[key] for key in sorted(tree)]
    if isinstance(tree, (tuple, list)):
        for part in tree:
            yield from _leaves(part)
    else:
        yield np.asarray(tree, float)


def timed(calls: Mapping[str, Call], seconds: float) -> dict[str, float]:
    """Medians, of so many rounds as fit in the time, five at least."""
    start = time.process_time()
    for call in calls.values():
        call()
    once = time.process_time() - start
    batch = min(0.002, seconds / 20)
    rounds = max(5, min(101, int(seconds / max(once, len(calls) * batch))))
    return interleaved(calls, rounds=rounds, seconds=batch, clock=time.process_time)


# ---- tables


def ratio(found: Found, one: str, other: str) -> float | None:
    times = found.get("times", {})
    return times[one] / times[other] if one in times and other in times else None


def row(name: str, found: Found) -> list[str]:
    times = found.get("times", {})
    verdicts = [key.removeprefix("agrees: ") for key, value in found.items() if key.startswith("agrees") and value]
    wrong = disagreements(found)
    end = f"WRONG: {', '.join(wrong)}" if wrong else found.get("ended") or ", ".join(verdicts) or "not compared"
    if found.get("primal_refused"):
        end += " (Numba refuses the primal)"
    lengthened = found["lines"] / found["primal_lines"] if "lines" in found else None
    return [
        name,
        *(_number(times.get(key), 1e6) for key in ("primal", "compiled", "gradient")),
        _number(ratio(found, "gradient", "primal")),
        _number(times.get("jax"), 1e6),
        _number(ratio(found, "gradient", "jax")),
        *(_number(found.get(key)) for key in ("transformation", "cold", "kernels_cold", "jax_cold")),
        _number(lengthened),
        str(found.get("allocations", "-")),
        end,
    ]


HEAD = (
    "workload,Numba primal µs,compiled primal µs,value and gradient µs,/ primal,JAX µs,/ JAX,transformed s,cold s,"
    "kernels cold s,JAX cold s,lines / primal's,allocations in loops,agrees with"
).split(",")


def _number(x: float | None, factor: float = 1.0) -> str:
    return "-" if x is None else f"{x * factor:.3g}" if x * factor < 1000 else f"{x * factor:.0f}"


def disagreements(found: Found) -> list[str]:
    return [
        f"{key.removeprefix('agrees: ')} {found[key.replace('agrees', 'error')]}"
        for key, value in found.items()
        if key.startswith("agrees") and not value
    ]


def mean(values: list[float]) -> str:
    return f"{statistics.geometric_mean(values):.3g}" if values else "-"


BARS: dict[str, float] = {"elementwise": 2.0, "stencil": 0.5}  # gradient over Numba's primal; 3 for the others


def summary(results: Mapping[str, Found]) -> Iterator[str]:
    """Geometric means, and how many workloads reach each bar."""
    kinds = {w.name: w.kind for w in cases.ALL}
    gone = [name for name, found in results.items() if found.get("ended")]
    yield f"{len(results)} workloads; without all figures: {', '.join(gone) or 'none'}"
    over = {name: r for name, found in results.items() if (r := ratio(found, "gradient", "primal"))}
    jax = {name: r for name, found in results.items() if (r := ratio(found, "gradient", "jax"))}
    own = [r for found in results.values() if (r := ratio(found, "compiled", "primal"))]
    yield f"value and gradient / Numba's primal: geometric mean {mean(list(over.values()))} of {len(over)}"
    for kind in ("elementwise", "stencil", "other"):
        chosen = [r for name, r in over.items() if (kinds[name] if kinds[name] in BARS else "other") == kind]
        bar = BARS.get(kind, 3.0)
        yield f"  {kind}: mean {mean(chosen)}, {sum(r <= bar for r in chosen)} of {len(chosen)} at most {bar:g}"
    yield f"value and gradient / JAX: geometric mean {mean(list(jax.values()))} of {len(jax)}"
    for bar in (1.0, 1 / 3):
        yield f"  at most {bar:.2g}: {sum(r <= bar for r in jax.values())} of {len(jax)}"
    slower = [f"{name} ({kinds[name]}) {r:.2f}" for name, r in jax.items() if r > 1.0]
    yield f"  slower than JAX: {', '.join(slower) or 'none'}"
    yield f"compiled primal / Numba's primal: geometric mean {mean(own)} of {len(own)}"
    for key in ("cold", "kernels_cold", "jax_cold"):
        cold = [found[key] for found in results.values() if key in found]
        counts = ", ".join(f"{sum(c <= bar for c in cold)} within {bar} s" for bar in (1, 2, 3, 10))
        yield f"{key}: {sum(cold):.1f} s for {len(cold)}, geometric mean {mean(cold)} s; {counts}"
    long = {name: f["lines"] / f["primal_lines"] for name, f in results.items() if "lines" in f}
    yield f"lines: {sum(r <= 3.0 for r in long.values())} of {len(long)} within 3 times the primal's"
    counts = {name: f["allocations"] for name, f in results.items() if f.get("allocations")}
    yield f"allocations in loops: {', '.join(f'{name} {n}' for name, n in counts.items()) or 'none'}"
    wrong = {name: disagreements(found) for name, found in results.items() if disagreements(found)}
    for name, what in wrong.items():
        yield f"!!!! {name} DISAGREES: {'; '.join(what)}"


COMPARED = {
    "gradient": lambda f: f.get("times", {}).get("gradient"),
    "/ primal": lambda f: ratio(f, "gradient", "primal"),
    "compiled": lambda f: f.get("times", {}).get("compiled"),
    "cold": lambda f: f.get("cold"),
    "lines": lambda f: f.get("lines"),
    "allocations": lambda f: f.get("allocations"),
}


def against(results: Mapping[str, Found], before: Mapping[str, Found]) -> Iterator[str]:
    """Each figure over what it was; what grew by more than a tenth is marked."""
    rows = [["workload", *COMPARED, ""]]
    logs: dict[str, list[float]] = {key: [] for key in COMPARED}
    for name in results.keys() & before.keys():
        cells, marks = [name], []
        for key, read in COMPARED.items():
            now, then = read(results[name]), read(before[name])
            if now is not None and then is None:
                cells.append("new")
            elif now is None or not then:
                cells.append("-" if not (now or then) else "GONE" if now is None else f"{now:g} from 0")
                marks += ["lost"] if now is None and then is not None else ["grew"] if now else []
            else:
                logs[key].append(now / then)
                cells.append(f"{now / then:.2f}")
                marks += [key] if now / then > 1.1 else []
        rows.append([*cells, f"REGRESSION: {', '.join(marks)}" if marks else ""])
    rows[1:] = sorted(rows[1:])
    rows.append(["geometric mean", *(mean([x for x in logs[key] if x > 0.0]) for key in COMPARED), ""])
    yield "over what it was before:"
    yield from aligned(rows)


def options_of(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", choices=cases.SUITES, default=None, help="programs unless names are given")
    parser.add_argument("--names", nargs="+", help="names of workloads, or what they begin with")
    parser.add_argument("--quick", action="store_true", help="smaller, with fewer rounds, kernels cold")
    parser.add_argument("--timeout", type=float, default=180.0, help="seconds of CPU time for a workload")
    parser.add_argument("--json", help="a file to write all figures to; those of other workloads in it are kept")
    parser.add_argument("--read", help="a file written before: print its tables, measure nothing")
    parser.add_argument("--against", help="a file written before, to compare with")
    parser.add_argument("--here", action="store_true", help="one workload, in this process")
    parser.add_argument("--size", choices=SIZES, help="default: full; quick with --quick")
    parser.add_argument("--seconds", type=float, default=3.0, help="of timing, of all candidates together")
    parser.add_argument("--cold-only", action="store_true", help="the first gradient alone, for --here")
    options = parser.parse_args(argv)
    if options.size is None:
        options.size = "quick" if options.quick else "full"
    if options.quick:
        options.seconds = min(options.seconds, 1.0)
    if options.suite is None and not options.names and not options.read:
        options.suite = "programs"
    return options


def one(workload: Workload, options: argparse.Namespace, caches: Caches, warm: bool) -> Found:
    """All that is found of a workload; where kernels can be warm, also its first gradient where they are not."""
    common = ["--names", workload.name, "--size", options.size, "--seconds", str(options.seconds)]
    found = child(__file__, *common, timeout=options.timeout, caches=caches.begin(warm))
    if warm and "cold" in found:
        other = child(__file__, *common, "--cold-only", timeout=options.timeout, caches=caches.begin())
        found |= {"kernels_cold": other["cold"]} if "cold" in other else {}
    return found


def read(options: argparse.Namespace) -> dict[str, Found]:
    """Those figures in the file that are asked for."""
    found = load(options.read)
    return {w.name: found[w.name] for w in cases.chosen(options.suite, options.names) if w.name in found}


def run(options: argparse.Namespace) -> dict[str, Found]:
    """A process a workload; each one's figures are printed and written as they come."""
    results: dict[str, Found] = {}
    kept = load(options.json) if options.json and Path(options.json).exists() else {}
    with tempfile.TemporaryDirectory(prefix="srcgrad_caches_") as folder:
        caches = Caches(folder)
        warm = not options.quick and caches.warm()
        print(f"cold: the library's kernels {'are warm' if warm else 'are compiled, too'}", flush=True)
        for workload in cases.chosen(options.suite, options.names):
            found = results[workload.name] = one(workload, options, caches, warm)
            print(" | ".join(row(workload.name, found)), flush=True)
            if options.json:
                Path(options.json).write_text(json.dumps(kept | results, indent=1))
    return results


def main(argv: list[str] | None = None) -> None:
    options = options_of(argv)
    if options.here:
        workload = cases.named(options.names[0])
        return measure(workload, options.size, options.seconds, options.cold_only)
    results = read(options) if options.read else run(options)
    print()
    for line in aligned([HEAD, *(row(name, found) for name, found in results.items())]):
        print(line)
    print()
    for line in summary(results):
        print(line)
    if options.against:
        print()
        for line in against(results, load(options.against)):
            print(line)
    if any(disagreements(found) for found in results.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
