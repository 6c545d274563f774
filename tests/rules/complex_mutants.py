"""`python -m tests.rules.complex_mutants [rule ...]`: as `mutants`, of rules tried with complex numbers.

What one argument contributes, in the tangent, in the adjoint or in both, is negated, doubled, left out or conjugated.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from srcgrad.core.ir import Primitive
from srcgrad.rules.arrays.complexes import conj
from srcgrad.rules.language.registry import PRIMITIVES
from srcgrad.testing.straight import adjoint, program
from tests.rules.complex_trials import RULES, check_derivatives, complex_cases
from tests.rules.mutants import AMOUNTS, Change, Mutant, ahead_of, back_of, changed_at

CHANGES: dict[str, Change] = {**AMOUNTS, "conjugate": conj}

SAME_CONJUGATED = {"real"}  # it drops the imaginary part, and its adjoint has none


def survives(mutant: Mutant) -> bool:
    try:
        for case, still in complex_cases(mutant.rule):
            check_derivatives(case, still, order=1)
    except Exception:  # a wrong rule may fail in any way
        return False
    return True


def places(rule: Primitive) -> dict[int, bool]:
    """The arguments that contribute to the adjoint at some case, and whether what they contribute is ever complex."""
    found: dict[int, bool] = {}
    assert rule.vjp is not None

    def watch(*given: Any) -> Any:
        got = rule.vjp(*given)  # type: ignore[misc]
        for k, bar in enumerate(got):
            if bar is not None:
                found[k] = found.get(k, False) or bar.type.is_complex
        return got

    for case, _ in complex_cases(replace(rule, vjp=watch)):
        adjoint(program(case))
    return found


def mutants(rule: Primitive) -> Iterator[Mutant]:
    if not rule.differentiable:
        return
    for place, is_complex in places(rule).items():
        for kind, change in CHANGES.items():
            if kind == "conjugate" and (not is_complex or rule.name in SAME_CONJUGATED):
                continue

            def changed(values: Sequence[Any], p: int = place, c: Change = change) -> list[Any]:
                return changed_at(values, p, c)

            ahead, back = ahead_of(rule, changed), back_of(rule, changed)
            for where, parts in (("tangent", ahead), ("adjoint", back), ("both modes", {**ahead, **back})):
                yield Mutant(replace(rule, **parts), kind, f"{kind} term {place}, {where}")


def main(names: Sequence[str]) -> None:
    tried: Counter[str] = Counter()
    survivors = 0
    for name in names or RULES:
        for mutant in mutants(PRIMITIVES[name]):
            tried[mutant.kind] += 1
            if survives(mutant):
                survivors += 1
                print(f"  {mutant}", flush=True)
    print(f"{sum(tried.values())} mutants: " + ", ".join(f"{n} {kind}" for kind, n in tried.most_common()))
    print(f"{survivors} survivors")


if __name__ == "__main__":
    main(sys.argv[1:])
