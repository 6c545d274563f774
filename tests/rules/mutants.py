"""`python -m tests.rules.mutants [rule ...]`: rules made wrong on purpose; their self-tests must fail for each.

Terms: what one argument contributes, in the tangent, in the adjoint, or in both, is negated, doubled or left out; two
arguments' terms are exchanged. Statements: each one that a rule emits for its derivative is negated or doubled; a sum
loses a side, a choice takes always the same one (guards, ties), a division is turned over, a strict comparison is not.
Rules: one loses its derivative, one that has none gets one.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

import srcgrad.rules  # noqa: F401
from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Primitive
from srcgrad.rules.language.declare import Literal
from srcgrad.rules.language.registry import PRIMITIVES
from srcgrad.rules.language.values import Val
from srcgrad.testing.primitives import check_curvature, check_edge, check_slopes
from srcgrad.testing.samples import Case, cases, given_as_scalars, type_of
from srcgrad.testing.straight import Programs, floats
from tests.rules.matrix import OF_REALS

# Changes that change nothing, and why.
EQUIVALENT = {
    ("add", "swap"): "both terms are the same",
    ("tanh", "negate sech"): "it is squared",
    ("eigh", "turn over matmul"): "what is made of the product is symmetric",
    ("qr", "turn over matmul"): "both halves of the product are added",
    ("pinv", "turn over matmul"): "a square matrix commutes with its inverse, and others cannot be turned over",
    ("any", "negate largest"): "a bound on errors of rounding, of use where eigenvalues are equal",
    ("any", "double largest"): "a bound on errors of rounding, of use where eigenvalues are equal",
    ("arctan2", "negate hypot"): "it divides twice",
}

Change = Callable[[Any], Any]
AMOUNTS: dict[str, Change] = {"negate": lambda v: -v, "double": lambda v: v * 2.0, "drop": lambda v: None}


@dataclass(frozen=True)
class Mutant:
    """A wrong rule, what is wrong with it, and the arguments at which it is to fail (all samples if none are given)."""

    rule: Primitive
    kind: str
    what: str
    at: tuple[Case, ...] = ()

    def __str__(self) -> str:
        return f"{self.rule.name}: {self.what}"


def survives(mutant: Mutant) -> bool:
    """Whether the self-test finds nothing: first derivatives, then singular points, then second derivatives."""
    programs, rule = Programs(), mutant.rule
    tried = [replace(case, primitive=rule) for case in mutant.at or cases(rule)]
    try:
        for case in tried:
            check_slopes(case, programs)
        for edge in rule.info.edges:
            check_edge(rule, edge, programs)
        for case in tried:
            check_curvature(case, programs)
    except Exception:  # a wrong rule may fail in any way
        return False
    return True


# ---- terms


def _some(change: Change, value: Any) -> Any:
    return None if value is None else change(value)


def changed_at(values: Sequence[Any], place: int, change: Change) -> list[Any]:
    return [_some(change, v) if k == place else v for k, v in enumerate(values)]


def _exchanged(values: Sequence[Any], i: int, j: int) -> list[Any]:
    out = list(values)
    out[i], out[j] = out[j], out[i]
    return out


def ahead_of(rule: Primitive, change: Callable[[Sequence[Any]], list[Any]]) -> dict[str, Any]:
    old = rule.jvp
    assert old is not None
    return {"jvp": lambda dots, args, outs, params: old(change(dots), args, outs, params)}


def back_of(rule: Primitive, change: Callable[[Sequence[Any]], list[Any]]) -> dict[str, Any]:
    old = rule.vjp
    assert old is not None
    return {"vjp": lambda bars, args, outs, params: change(old(bars, args, outs, params))}


def _active(rule: Primitive) -> list[int]:
    """The places of the arguments whose adjoint is not None at some sample."""
    places: set[int] = set()
    assert rule.vjp is not None

    def watch(*given: Any) -> Any:
        found = rule.vjp(*given)  # type: ignore[misc]
        places.update(k for k, bar in enumerate(found) if bar is not None)
        return found

    watched, programs = replace(rule, vjp=watch), Programs()
    for case in cases(watched):
        programs.of(case).back  # noqa: B018
    return sorted(places)


def terms(rule: Primitive) -> Iterator[Mutant]:
    changes: list[tuple[str, str, Callable[[Sequence[Any]], list[Any]]]] = []
    for place in _active(rule):
        for kind, change in AMOUNTS.items():
            changes.append((kind, f"{kind} term {place}", partial(changed_at, place=place, change=change)))
    for i, j in combinations(_active(rule), 2):
        changes.append(("swap", f"swap terms {i} and {j}", partial(_exchanged, i=i, j=j)))
    for kind, what, change in changes:
        ahead, back = ahead_of(rule, change), back_of(rule, change)
        for where, parts in (("tangent", ahead), ("adjoint", back), ("both modes", {**ahead, **back})):
            if (rule.name, kind) not in EQUIVALENT:
                yield Mutant(replace(rule, **parts), kind, f"{what}, {where}")


# ---- statements

TURNED = {"divide", "arctan2", "matmul", "remainder", "floor_divide"}
LOOSE = {"greater": "greater_equal", "greater_equal": "greater", "less": "less_equal", "less_equal": "less"}


@contextmanager
def _emitting(builder: Builder, place: int, change: Callable[..., Any]) -> Iterator[None]:
    """Of the statements emitted inside, the one at this place is what `change(let, op, *args)` makes of it."""
    plain, count = builder.let, iter(range(10**6))

    def let(op: Primitive, *args: Any, **options: Any) -> Any:
        return change(plain, op, *args, **options) if next(count) == place else plain(op, *args, **options)

    builder.let = let  # type: ignore[method-assign]
    try:
        yield
    finally:
        del builder.let


def _scaled(factor: float) -> Callable[..., Any]:
    def change(let: Any, op: Primitive, *args: Any, **options: Any) -> Any:
        out = let(op, *args, **options)
        return let(PRIMITIVES["multiply"], out, ir.Const(factor, ir.Type(out.type.dtype)))

    return change


def _operand(place: int) -> Callable[..., Any]:
    return lambda let, op, *args, **options: args[place]


def _turned(let: Any, op: Primitive, a: Any, b: Any, **options: Any) -> Any:
    return let(op, b, a, **options)


def _loose(let: Any, op: Primitive, *args: Any, **options: Any) -> Any:
    return let(PRIMITIVES[LOOSE[op.name]], *args, **options)


def _changes(op: Primitive, args: Sequence[Any], out: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    """What may be changed about one statement."""
    if isinstance(out, tuple) or not isinstance(out, ir.Var):
        return
    if out.type.is_float:
        yield "negate", _scaled(-1.0)
        yield "double", _scaled(2.0)
    sides = {"add": (0, 1), "subtract": (0, 1), "where": (1, 2)}.get(op.name, ())
    for side in sides:
        if args[side].type == out.type:
            yield f"{'choose' if op.name == 'where' else 'keep'} operand {side}", _operand(side)
    if op.name in TURNED and args[0].type == args[1].type and not (op.name == "matmul" and args[0].type.rank == 1):
        yield "turn over", _turned
    if op.name in LOOSE:
        yield "loosen", _loose


def _emitted(rule: Primitive, case: Case, mode: str) -> list[tuple[Primitive, Sequence[Any], Any]]:
    """The statements of a rule's tangent or adjoint at such arguments: operation, arguments, result."""
    found: list[tuple[Primitive, Sequence[Any], Any]] = []
    derive = rule.jvp if mode == "tangent" else rule.vjp
    assert derive is not None

    def watch(*given: Any) -> Any:
        builder = next(v.builder for v in (*given[0], *given[1], *given[2]) if isinstance(v, Val))
        plain = builder.let

        def let(op: Primitive, *args: Any, **options: Any) -> Any:
            out = plain(op, *args, **options)
            found.append((op, args, out))
            return out

        builder.let = let  # type: ignore[method-assign]
        try:
            return derive(*given)
        finally:
            del builder.let

    watched = replace(rule, jvp=watch) if mode == "tangent" else replace(rule, vjp=watch)
    made = Programs().of(replace(case, primitive=watched))
    made.ahead if mode == "tangent" else made.back  # noqa: B018
    return found


def _changed(rule: Primitive, mode: str, place: int, change: Callable[..., Any]) -> Primitive:
    derive = rule.jvp if mode == "tangent" else rule.vjp
    assert derive is not None

    def wrong(*given: Any) -> Any:
        builder = next(v.builder for v in (*given[0], *given[1], *given[2]) if isinstance(v, Val))
        with _emitting(builder, place, change):
            return derive(*given)

    return replace(rule, jvp=wrong) if mode == "tangent" else replace(rule, vjp=wrong)


def _alike(rule: Primitive) -> list[tuple[Case, ...]]:
    """The samples by the types of their arguments and their parameters: each such group has its own statements."""
    groups: dict[object, list[Case]] = {}
    for case in cases(rule):
        if not given_as_scalars(rule) or not any(type_of(a).rank for a in case.plain):
            kinds = tuple(repr(a) if isinstance(a, Literal) else type_of(a) for a in case.args)
            groups.setdefault((kinds, repr(sorted(case.params.items()))), []).append(case)
    return [tuple(group) for group in groups.values()]


def statements(rule: Primitive) -> Iterator[Mutant]:
    for group in _alike(rule):
        made = Programs().of(group[0])
        carries = floats(made.fun.params) and floats(made.fun.results)
        if not carries or not any(np.size(v) for v in made(*group[0].given)):
            continue
        for mode in ("tangent", "adjoint"):
            for place, (op, args, out) in enumerate(_emitted(rule, group[0], mode)):
                for kind, change in _changes(op, args, out):
                    if not _is_equivalent(rule, kind, op):
                        what = f"{kind}: statement {place} of the {mode}, {op.name}, at {group[0]}"
                        yield Mutant(_changed(rule, mode, place, change), kind.split()[0], what, group)


def _is_equivalent(rule: Primitive, kind: str, op: Primitive) -> bool:
    return any((name, f"{kind} {op.name}") in EQUIVALENT for name in (rule.name, "any"))


# ---- whole rules


def whole(rule: Primitive) -> Iterator[Mutant]:
    if rule.differentiable:
        yield Mutant(replace(rule, jvp=None, vjp=None), "no derivative", "no derivative")
        return
    kinds = [(fun.params[0].type, fun.results[0].type) for fun in (Programs().of(c).fun for c in cases(rule))]
    if any(a == b and a.is_float for a, b in kinds) and not rule.info.held:
        wrong = replace(rule, jvp=_pass_on, vjp=_pass_back)
        yield Mutant(wrong, "a derivative", "a derivative of 1 by the first argument")


def _pass_on(dots: Any, args: Any, outs: Any, params: Any) -> list[Any]:
    return [dots[0]]


def _pass_back(bars: Any, args: Any, outs: Any, params: Any) -> list[Any]:
    return [bars[0], *[None] * (len(args) - 1)]


def mutants(rule: Primitive) -> Iterator[Mutant]:
    yield from whole(rule)
    if rule.differentiable:
        yield from terms(rule)
        yield from statements(rule)


def main(names: Sequence[str]) -> None:
    start = time.process_time()
    tried: Counter[str] = Counter()
    survivors: list[Mutant] = []
    for name in names or OF_REALS:
        for mutant in mutants(PRIMITIVES[name]):
            tried[mutant.kind] += 1
            if survives(mutant):
                survivors.append(mutant)
                print(f"  {mutant}", flush=True)
    print(f"{sum(tried.values())} mutants: " + ", ".join(f"{n} {kind}" for kind, n in tried.most_common()))
    print(f"{len(survivors)} survivors")
    print(f"{time.process_time() - start:.1f} CPU-seconds")


if __name__ == "__main__":
    main(sys.argv[1:])
