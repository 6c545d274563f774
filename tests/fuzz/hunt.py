"""Many programs: what they are counted as, and a report."""

from __future__ import annotations

import gc
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from typing import Any

from srcgrad.compiler import find_or_make
from tests.fuzz import calls, numerical, odd, weights
from tests.fuzz.checks import Menu, Verdict, judge
from tests.fuzz.compositions import composition
from tests.fuzz.programs import Fuzzed, program
from tests.fuzz.shrink import shrink


@dataclass
class Outcome:
    seed: int
    verdict: Verdict
    uses: frozenset[str]


@dataclass
class Tally:
    """What came of the programs so far."""

    kinds: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: {"dropped": Counter(), "refused": Counter()})
    uses: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: list[Outcome] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def add(self, outcome: Outcome) -> None:
        kind = outcome.verdict.kind
        self.kinds[kind] += 1
        if kind in self.reasons:
            self.reasons[kind][outcome.verdict.what] += 1
        if kind != "dropped":
            self.uses.update(outcome.uses)
            self.pairs.update(itertools.combinations(sorted(outcome.uses & set(weights.ALIASING)), 2))
        if outcome.verdict.bad:
            self.bad.append(outcome)

    def distinct(self) -> list[Outcome]:
        """Of each way to fail the first few."""
        seen: Counter[str] = Counter()
        out = []
        for outcome in self.bad:
            seen[outcome.verdict.what] += 1
            if seen[outcome.verdict.what] <= 3:
                out.append(outcome)
        return out

    @property
    def total(self) -> int:
        return sum(self.kinds.values())

    @property
    def judged(self) -> int:
        return self.total - self.kinds["dropped"]

    def summary(self) -> str:
        seconds = time.perf_counter() - self.started
        counts = ", ".join(f"{self.kinds[k]} {k}" for k in ("right", "wrong", "crash", "refused", "dropped"))
        refused = 100.0 * self.kinds["refused"] / max(1, self.judged)
        return f"{self.total} programs: {counts}; {refused:.2f} % refused; {self.total / seconds:.1f} programs/s"

    def report(self) -> str:
        lines = [self.summary()]
        for kind, reasons in self.reasons.items():
            lines += ["", f"{kind}:"] + [f"  {n:6d}  {reason}" for reason, n in reasons.most_common(25)]
        lines += ["", "construct: % of programs with it"]
        lines += columns(
            [f"{name} {100.0 * n / max(1, self.judged):.1f}" for name, n in sorted(known(self.uses).items())]
        )
        lines += ["", "pairs of constructs that make or use aliases: % of programs with both"]
        lines += columns([f"{a} + {b} {100.0 * n / max(1, self.judged):.2f}" for (a, b), n in self.pairs.most_common()])
        return "\n".join(lines)


def known(uses: Counter[str]) -> dict[str, int]:
    """Every construct with a weight, those never met as well."""
    tables = (*weights.GROUPS.values(), weights.PARAMETERS, weights.RESULTS, weights.DIRECTED)
    return {name: uses[name] for table in tables for name, weight in table.items() if weight}


def columns(cells: list[str], width: int = 120) -> list[str]:
    """Cells side by side."""
    wide = max(map(len, cells), default=1) + 2
    count = max(1, width // wide)
    return ["  " + "".join(c.ljust(wide) for c in cells[k : k + count]).rstrip() for k in range(0, len(cells), count)]


def run_one(job: tuple[int, str]) -> Outcome:
    p, menu = case(*job)
    return Outcome(job[0], verdict(p, menu), frozenset(p.uses))


Checked = Menu | calls.Transformers | None


def case(seed: int, kind: str) -> tuple[Fuzzed, Checked]:
    """The program of a number, and its checks; none: beside numerical derivatives."""
    if kind == "numpy":
        return composition(seed), None
    if kind == "calls":
        return odd.renamed(program(seed), seed), calls.Transformers.of(seed)
    lengths = weights.LENGTHS_COMPILED if kind == "compiled" else weights.LENGTHS
    return program(seed, lengths), Menu.of(seed, kind == "compiled")


def verdict(p: Fuzzed, menu: Checked) -> Verdict:
    if isinstance(menu, calls.Transformers):
        return calls.judge(p, menu)
    return numerical.judge(p) if menu is None else judge(p, menu)


def outcomes(seeds: Iterable[int], kind: str, jobs: int) -> Iterator[Outcome]:
    work = ((seed, kind) for seed in seeds)
    if jobs <= 1:
        rarely_collect()
        yield from map(run_one, work)
        return
    loops = find_or_make.UNJITTED["loops"]
    with get_context("spawn").Pool(jobs, starting, (loops,), maxtasksperchild=2000) as pool:
        yield from pool.imap_unordered(run_one, work, chunksize=4)


def starting(loops: bool) -> None:
    find_or_make.UNJITTED["loops"] = loops
    rarely_collect()


def rarely_collect() -> None:
    """A program makes 100,000 objects that die together: to look for rings among them takes a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def alike(a: Verdict, b: Verdict) -> bool:
    """Whether two programs fail in the same way."""
    return a.kind == b.kind and (a.kind == "wrong" or a.what == b.what)


def smallest(p: Fuzzed, menu: Checked, failed: Verdict) -> Fuzzed:
    menu = needed(p, menu, failed) if isinstance(menu, Menu) else menu
    return shrink(p, lambda q: alike(verdict(q, menu), failed))


def needed(p: Fuzzed, menu: Menu, failed: Verdict) -> Menu:
    """The menu without what the failure does not need, so that shrinking is fast."""
    for flag in ("second", "forward", "reverse_twice", "reverse_forward", "forward_twice", "simplified", "verified"):
        change: dict[str, Any] = {flag: False}
        less = replace(menu, **change)
        if getattr(menu, flag) and alike(judge(p, less), failed):
            menu = less
    return menu


def describe(p: Fuzzed, found: Verdict) -> str:
    args = ", ".join(map(repr, p.args))
    return f"{found.kind}: {found.what}\n{p.text}f({args})\n{found.detail}"
