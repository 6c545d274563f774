"""Relative errors of values and of first and second derivatives, against mpmath, over the range of each function.

`python -m tests.rules.accuracy` writes docs/accuracy.md. The references know the functions alone: their derivatives are
differences in so many digits that more of them change nothing, so that no formula is compared with itself.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import mpmath
import numpy as np

import srcgrad.rules  # noqa: F401
from srcgrad.core.ir import Const, Fun, Let
from srcgrad.testing.primitives import printed
from srcgrad.testing.straight import Derived, tangent
from tests.rules import exact as plain
from tests.rules import exact_special as special
from tests.rules.core_functions import call, program
from tests.rules.exact import Curve, Surface
from tests.rules.exact_special import LAST

PAGE = Path(__file__).parent.parent.parent / "docs" / "accuracy.md"
EPS = float(np.finfo(float).eps)
SMALLEST, LARGEST = float(np.finfo(float).tiny), float(np.finfo(float).max)
CURVES: list[Curve] = [*plain.CURVES, *special.CURVES]
SURFACES: list[Surface] = [*plain.SURFACES, *special.SURFACES, *special.LAST]
PRECISIONS = (150, 300, 600, 1200, 2400, 4800)  # bits
mp = mpmath.mp.clone()
ORDERS = ("value", "first derivative", "second derivative")


# ---- the truth


def exact(function: Callable[..., Any], point: Sequence[float], place: int, order: int) -> Any:
    """The derivative of this order by one argument, in precision that grows until it is settled."""
    last = None
    for bits in PRECISIONS:
        with mp.workprec(bits * (order + 1) + 40):
            now = _difference(function, [mp.mpf(x) for x in point], place, order, bits)
            settled = last is not None and abs(now - last) <= mp.mpf(2) ** -70 * abs(now)
            if settled and now != 0:
                return now
            last = now
    return last


def _difference(function: Callable[..., Any], point: list[Any], place: int, order: int, bits: int) -> Any:
    if order == 0:
        return function(mp, *point)
    step = (abs(point[place]) or 1) * mp.mpf(2) ** -bits

    def moved(times: int) -> Any:
        return function(mp, *(x + times * step if k == place else x for k, x in enumerate(point)))

    if order == 1:
        return (moved(1) - moved(-1)) / (2 * step)
    return (moved(1) - 2 * moved(0) + moved(-1)) / step**2


# ---- what the rules give


def as_printed(fun: Fun) -> Callable[..., tuple[Any, ...]]:
    """A straight-line program as the Python that it prints as."""
    space: dict[str, Any] = {"np": np}
    names: dict[Any, str] = {param: f"p{k}" for k, param in enumerate(fun.params)}

    def spelled(atom: Any) -> str:
        return repr(atom.value) if isinstance(atom, Const) else names[atom]

    def operand(args: Sequence[str], found: re.Match[str]) -> str:
        return f"({args[int(found[1])]})"

    lines: list[str] = []
    for stmt in fun.body:
        assert isinstance(stmt, Let)
        code, needed = printed(stmt.op, tuple(a.type for a in stmt.args), dict(stmt.params))
        space.update(needed)
        names[stmt.target] = f"t{len(lines)}"
        text = re.sub(r"\b_(\d)\b", partial(operand, [spelled(a) for a in stmt.args]), code)
        lines.append(f"    {names[stmt.target]} = {text}\n")
    results = ", ".join(map(spelled, fun.results))
    exec(f"def f({', '.join(names[p] for p in fun.params)}):\n{''.join(lines)}    return ({results},)", space)
    return space["f"]


@cache
def _programs(function: Any, arity: int, place: int) -> list[Callable[..., tuple[Any, ...]]]:
    """The value, the adjoint, and the adjoint's tangent along one argument.

    A function may be a tuple with its first arguments.
    """
    first, *more = function if isinstance(function, tuple) else (function,)
    made = Derived(program(call(first, *more, *[...] * arity), *[0.5] * arity))
    slope = tangent(made.back.fun, [made.back.fun.params[place]])
    return [as_printed(fun) for fun in (made.fun, made.back.fun, slope)]


def computed(function: Any, point: Sequence[float], place: int, order: int) -> float:
    """What un-jitted code gives."""
    run = _programs(function, len(point), place)[order]
    args = [np.float64(x) for x in (*point, *[1.0] * order)]
    with np.errstate(all="ignore"):
        return float(run(*args)[(0, place, len(point) + place)[order]])


def error(got: float, expected: Any) -> float:
    """The relative error; of numbers too small for full precision, relative to the smallest that has it."""
    size = abs(expected)
    if size > LARGEST:
        return 0.0
    if not math.isfinite(got):
        return math.inf
    return float(abs(mp.mpf(got) - expected) / max(size, SMALLEST))


# ---- over a range


@dataclass(frozen=True)
class Worst:
    """The worst relative error among points, and where."""

    error: float = 0.0
    at: tuple[float, ...] = ()

    def ulps(self) -> float:
        return self.error / EPS


def worst(function: Any, truth: Callable[..., Any], points: Iterable[Sequence[float]], place: int, order: int) -> Worst:
    found = Worst()
    for point in points:
        expected = exact(truth, point, place, order)
        wrong = error(computed(function, point, place, order), expected)
        if wrong > found.error:
            found = Worst(wrong, tuple(point))
    return found


def grid(curve: Curve, dense: bool) -> list[float]:
    """Points from one end of the range to the other, in powers and in steps, and about the special points."""
    powers = 10.0 ** np.linspace(-307, 307, 60 if dense else 9)
    plain = (
        np.concatenate([np.linspace(0.05, 39.97, 40), np.geomspace(1.23e-4, 12345.6, 20)])
        if dense
        else [0.3, 1.7, 25.3]
    )
    sizes = np.concatenate([powers, plain])
    gaps = 10.0 ** -np.arange(1.0, 16.0, 2 if dense else 7)
    special = [*curve.special, *curve.delicate] if dense else curve.special
    near = [p * (1 + s * gap) for p in special for gap in gaps for s in (1, -1)]
    points = np.unique(np.concatenate([sizes, -sizes, near]))
    return [float(x) for x in points if curve.low < x < curve.high and (curve.whole or x != round(x))]


def of_curve(curve: Curve, dense: bool) -> list[Worst]:
    sparse = 1 if dense or curve in plain.CURVES else 4  # special functions take mpmath long
    points = [(x,) for x in grid(curve, dense)[::sparse]]
    return [worst(curve.function, curve.exact, points, 0, order) for order in range(3)]


def of_surface(surface: Surface, dense: bool) -> list[Worst]:
    """The worst of both arguments, or of the last one where the others have no derivative."""
    points = surface.points if dense else surface.points[:: 5 if surface in plain.SURFACES else 7]
    places = range(1, 2) if surface in LAST else range(2)
    out = []
    for order in range(3):
        each = [worst(surface.function, surface.exact, points, place, order) for place in places[: 2 if order else 1]]
        out.append(max(each, key=lambda w: w.error))
    return out


# ---- the page

HEAD = """# Accuracy

The largest relative errors of values and of first and second derivatives in float64, in units of the last place
(2.2e-16), and where they are. Each function is tried from one end of its range to the other: in powers of ten up to the
ends of float64, in even steps, and close to its poles, zeros and branch points. The reference is mpmath, in as many
digits as it takes. Results too small for full precision count relative to the smallest number that has it (2.2e-308);
points whose exact result exceeds float64 are left out. This page is written by `python -m tests.rules.accuracy`.

| function | value | at | first derivative | at | second derivative | at |
| --- | ---: | --- | ---: | --- | ---: | --- |
"""


def _cell(found: Worst) -> str:
    place = ", ".join(f"{x:.6g}" for x in found.at)
    return f"{found.ulps():.3g} | {place}"


def rows(names: Sequence[str] = ()) -> Iterator[str]:
    for curve in CURVES:
        if not names or curve.name in names:
            yield f"| `{curve.name}` | " + " | ".join(map(_cell, of_curve(curve, True))) + " |"
    for surface in SURFACES:
        if not names or surface.name in names:
            yield f"| `{surface.name}` | " + " | ".join(map(_cell, of_surface(surface, True))) + " |"


def main(names: Sequence[str]) -> None:
    lines: list[str] = []
    for row in rows(names):
        print(row, flush=True)
        lines.append(row + "\n")
    if not names:
        PAGE.write_text(HEAD + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
