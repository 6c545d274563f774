"""All that the suite measures."""

from __future__ import annotations

from tests.benchmarks.matrices_by_hand import CASES
from tests.benchmarks.table_of_suite import Case, of_workload
from tests.benchmarks.workloads import cases


def all_cases() -> list[Case]:
    return [*(of_workload(w) for w in cases.ALL if w.hand is not None), *CASES]


def chosen(names: list[str] | None) -> list[Case]:
    """Those of these names; a name's beginning stands for all that begin so."""
    found = all_cases()
    known = {c.name for c in found}
    if names:
        found = [c for c in found if any(c.name == n if n in known else c.name.startswith(n) for n in names)]
    if not found:
        raise SystemExit(f"no workload of that name; there are {', '.join(sorted(known))}")
    return found


def named(name: str) -> Case:
    return next(c for c in all_cases() if c.name == name)
