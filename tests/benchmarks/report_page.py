"""The suite's figures as a page: Markdown tables and a plot."""

from __future__ import annotations

import importlib.util
import math
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.benchmarks.arrays import ratio
from tests.benchmarks.processes import Found
from tests.benchmarks.table_of_suite import Case

HEAD = "workload,sizes,primal µs,/ primal,bar,/ by hand,/ JAX,/ autograd,cold s,JAX cold s,lines,kept,peak MB".split(
    ","
)
COLUMNS = {"primal": "the primal", "hand": "by hand", "jax": "JAX", "autograd": "HIPS autograd"}
COLOURS = {"primal": "#4477aa", "hand": "#228833", "jax": "#ee6677", "autograd": "#aa3377"}


INTRODUCTION = """
Written by `python tests/benchmarks/suite.py --page docs/benchmarks.md`, whose head says what is measured and how. The
ratios are those of the generated derivative's time to the time of what the column names, from the smallest size to the
largest; the derivative is value and gradient, where the name does not say another. Bold: over the bar, more than 1.1
times the derivative written by hand, slower than JAX.
""".strip().splitlines()


def over(found: Found, other: str) -> list[float | None]:
    """The derivative's time over another's, by size."""
    return [ratio(told, "srcgrad", other) for told in found.get("sizes", [])]


def several(values: list[float | None], mark: float | None = None) -> str:
    texts = ["-" if v is None else f"**{v:.2f}**" if mark and v > mark else f"{v:.2f}" for v in values]
    return "-" if set(texts) <= {"-"} else " · ".join(texts)


def row(case: Case, found: Found) -> str:
    sizes = found.get("sizes", [])
    primal = [told["times"].get("primal") for told in sizes]
    lines = f"{found['lines']} / {found['primal_lines']}" if "lines" in found else "-"
    cells = [
        case.name,
        ", ".join(told["size"] for told in sizes) or found.get("ended", "no figures"),
        " · ".join("-" if t is None else f"{1e6 * t:.3g}" for t in primal) or "-",
        several(over(found, "primal"), case.bar),
        "-" if case.bar is None else f"{case.bar:g}",
        several(over(found, "hand"), 1.1),
        several(over(found, "jax"), 1.0),
        several(over(found, "autograd")),
        f"{found['cold']:.2f}" if "cold" in found else "-",
        f"{sizes[0]['jax_cold']:.2f}" if sizes and "jax_cold" in sizes[0] else "-",
        lines,
        sizes[-1].get("kept", "-") if sizes else "-",
        f"{sizes[-1]['peak'] / 1e6:.1f}" if sizes and "peak" in sizes[-1] else "-",
    ]
    wrong = "; ".join(dict.fromkeys(disagreements(found)))
    return f"| {' | '.join(cells)} |" + (f" DISAGREES with {wrong}" if wrong else "")


def disagreements(found: Found) -> Iterator[str]:
    for told in found.get("sizes", []):
        for key, agrees in told.items():
            if key.startswith("agrees") and not agrees:
                yield f"{key.removeprefix('agrees: ')} at {told['size']} ({told[key.replace('agrees', 'error')]})"


def refusals(found: Found) -> Iterator[str]:
    for told in [found, *found.get("sizes", [])]:
        for key, why in told.items():
            if key.endswith("_refused"):
                yield f"{COLUMNS.get(key.removesuffix('_refused'), key)}: {why.splitlines()[0]}"


def share(values: list[float], bar: float) -> str:
    return f"{sum(v <= bar for v in values)} of {len(values)} at most {bar:g}"


def summary(cases: list[Case], results: Mapping[str, Found]) -> Iterator[str]:
    """Means over all workloads and sizes, and how many reach each bar at every size."""
    for other, name in COLUMNS.items():
        known = [r for c in cases for r in over(results[c.name], other) if r]
        if not known:
            continue
        worst = {
            c.name: max(r for r in over(results[c.name], other) if r)
            for c in cases
            if any(over(results[c.name], other))
        }
        bars = (1.0, 1.1) if other == "hand" else (0.5, 1.0) if other != "primal" else (2.0, 3.0)
        counts = ", ".join(share(list(worst.values()), bar) for bar in bars)
        yield f"- over {name}: geometric mean {statistics.geometric_mean(known):.2f}; at the worst size, {counts}"
    barred = [c for c in cases if c.bar and any(over(results[c.name], "primal"))]
    missed = [c for c in barred if max(r for r in over(results[c.name], "primal") if r) > (c.bar or 0.0)]
    yield f"- bars over the primal: {len(barred) - len(missed)} of {len(barred)} reached"
    cold = [results[c.name]["cold"] for c in cases if "cold" in results[c.name]]
    if cold:
        counts = f"{share(cold, 1.0)}, {share(cold, 2.0)}"
        yield f"- cold: geometric mean {statistics.geometric_mean(cold):.2f} s, {counts} s"
    long = [f["lines"] / f["primal_lines"] for c in cases if "lines" in (f := results[c.name])]
    if long:
        yield f"- lines over the primal's: {share(long, 3.0)}"
    absent = [
        name
        for name, module in (("PyTorch", "torch"), ("HIPS autograd", "autograd"), ("JAX", "jax"))
        if not installed(module)
    ]
    if absent:
        yield f"- not measured, for they were not installed: {', '.join(absent)}"


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def page(cases: list[Case], results: Mapping[str, Found]) -> str:
    lines = [
        "# Benchmarks",
        "",
        *INTRODUCTION,
        "",
        f"| {' | '.join(HEAD)} |",
        f"|{' --- |' * len(HEAD)}",
        *(row(case, results[case.name]) for case in cases),
        "",
        *summary(cases, results),
    ]
    refused = [
        f"- {c.name}: {'; '.join(dict.fromkeys(refusals(results[c.name])))}"
        for c in cases
        if any(refusals(results[c.name]))
    ]
    return "\n".join([*lines, *(["", "Refused:", "", *refused] if refused else []), ""])


def write(path: Path, text: str, cases: list[Case], results: Mapping[str, Found]) -> None:
    plot = path.with_suffix(".svg")
    draw(plot, cases, results)
    path.write_text(text.replace("\n| workload", f"\n![ratios by workload]({plot.name})\n\n| workload", 1))


# ---- the plot: a line a workload, a dot a ratio at the largest size


def points(cases: list[Case], results: Mapping[str, Found]) -> list[tuple[str, dict[str, float]]]:
    found = []
    for case in cases:
        last = {
            key: r for key in COLUMNS if (r := next(reversed([v for v in over(results[case.name], key) if v]), None))
        }
        found.append((case.name, last))
    return [entry for entry in found if entry[1]]


def draw(path: Path, cases: list[Case], results: Mapping[str, Found]) -> None:
    if installed("matplotlib"):
        by_matplotlib(path, points(cases, results))
    else:
        path.write_text(as_svg(points(cases, results)))


def by_matplotlib(path: Path, found: list[tuple[str, dict[str, float]]]) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "srcgrad"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8.0, 1.0 + 0.2 * len(found)))
    for key, label in COLUMNS.items():
        known = [(k, r[key]) for k, (_, r) in enumerate(found) if key in r]
        if known:
            axes.plot(
                [r for _, r in known],
                [k for k, _ in known],
                "o",
                color=COLOURS[key],
                markersize=4,
                label=f"over {label}",
            )
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(found)), [name for name, _ in found], fontsize=7)
    axes.invert_yaxis()
    axes.grid(alpha=0.3)
    axes.set_xlabel("time of the generated derivative, largest size")
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def as_svg(found: list[tuple[str, dict[str, float]]]) -> str:
    """The same by hand."""
    values = [r for _, ratios in found for r in ratios.values()] or [1.0]
    low, high = math.floor(math.log10(min(values))), max(1, math.ceil(math.log10(max(values))))
    left, top, width, line = 220, 30, 540, 16
    height = line * len(found)

    def across(value: float) -> float:
        return left + width * (math.log10(value) - low) / (high - low)

    parts = []
    for power in range(low, high + 1):
        x = across(10.0**power)
        colour = "black" if power == 0 else "#cccccc"
        parts.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{top + height}" stroke="{colour}"/>')
        parts.append(f'<text x="{x:.1f}" y="{top + height + 14}" text-anchor="middle">{10.0**power:g}</text>')
    for k, (name, ratios) in enumerate(found):
        y = top + line * (k + 0.5)
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{name}</text>')
        parts += [
            f'<circle cx="{across(r):.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[key]}"/>' for key, r in ratios.items()
        ]
    for k, (key, label) in enumerate(COLUMNS.items()):
        parts.append(f'<text x="{left + 130 * k}" y="18" fill="{COLOURS[key]}">over {label}</text>')
    size = f'width="{left + width + 40}" height="{top + height + 30}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
    return f"{head}{''.join(parts)}</svg>\n"
