"""`python -m tests.rules.matrix [rule ...]`: the self-tests of the rules, how many of each cell, what is left out."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import srcgrad.rules  # noqa: F401
from srcgrad.core.ir import Primitive, Type
from srcgrad.rules.language.registry import PRIMITIVES
from srcgrad.testing.matrix import COLUMNS, MODES, PRECISIONS, Tally, check_rule
from srcgrad.testing.samples import Case, cases, type_of


def is_of_reals(rule: Primitive) -> bool:
    """Whether its samples and their results are real; other rules are tried by test_complex.py."""
    return not any(t.is_complex for case in cases(rule) for t in _types(case))


def _types(case: Case) -> tuple[Type, ...]:
    args = tuple(map(type_of, case.plain))
    return args + case.primitive.infer(args, case.params)


OF_REALS = sorted(name for name, rule in PRIMITIVES.items() if is_of_reals(rule))
FAMILIES = ("elementwise", "linear", "bilinear", "general", "zero")


def table(tallies: Mapping[str, Tally]) -> list[str]:
    """Trials by mode and precision (rows) and by shape and layout (columns)."""
    tried: Counter[tuple[str, str, str]] = sum((t.tried for t in tallies.values()), Counter())
    lines = [f"| | {' | '.join(COLUMNS)} |", "| --- |" + " ---: |" * len(COLUMNS)]
    for mode in MODES:
        for precision in PRECISIONS:
            counts = " | ".join(str(tried[mode, precision, column]) for column in COLUMNS)
            lines.append(f"| {mode}, {precision} | {counts} |")
    return lines


def families(tallies: Mapping[str, Tally]) -> list[str]:
    shapes: Counter[str] = Counter(PRIMITIVES[name].traits.form for name in tallies)
    return [f"{sum(shapes.values())} rules: " + ", ".join(f"{shapes[f]} {f}" for f in FAMILIES if shapes[f])]


def summary(tallies: Mapping[str, Tally]) -> list[str]:
    """How many cells, of how many trials; the reasons for the others."""
    trials = sum(sum(t.tried.values()) for t in tallies.values())
    cells = sum(len(t.tried) for t in tallies.values())
    reasons = Counter(reason for t in tallies.values() for reason in t.reasons.values())
    every = len(tallies) * len(MODES) * len(PRECISIONS) * len(COLUMNS)
    lines = [f"{every} cells: {cells} tried ({trials} trials), {sum(reasons.values())} without meaning, none left out"]
    return lines + [f"  {count:5d}  {reason}" for reason, count in reasons.most_common()]


def run(names: Iterable[str]) -> dict[str, Tally]:
    return {name: check_rule(PRIMITIVES[name]) for name in names}


def main(names: Sequence[str]) -> None:
    start = time.process_time()
    tallies = run(names or OF_REALS)
    spent = time.process_time() - start
    print("\n".join([*families(tallies), "", *table(tallies), "", *summary(tallies), "", f"{spent:.1f} CPU-seconds"]))


if __name__ == "__main__":
    main(sys.argv[1:])
