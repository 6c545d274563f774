"""All workloads, by suite."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from tests.benchmarks.workloads.table import Workload

_FILES = sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if m.name not in ("table", "cases"))
ALL: tuple[Workload, ...] = tuple(
    entry for file in _FILES for entry in importlib.import_module(f"tests.benchmarks.workloads.{file}").TABLE.entries
)
SUITES = ("programs", "kernels", "models")


def chosen(suite: str | None, names: list[str] | None) -> list[Workload]:
    """Those of the suite, or of these names; a name's beginning stands for all that begin so."""
    found = [w for w in ALL if (not suite or w.suite == suite)]
    known = {w.name for w in found}
    if names:
        found = [w for w in found if any(w.name == n if n in known else w.name.startswith(n) for n in names)]
    if not found:
        raise SystemExit(f"no workload of that name; there are {', '.join(w.name for w in ALL)}")
    return found


def named(name: str) -> Workload:
    return next(w for w in ALL if w.name == name)
