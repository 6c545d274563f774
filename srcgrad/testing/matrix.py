"""The self-test of a rule over every mode, precision, shape and layout.

A column that has no meaning for a rule carries the reason: one that follows from the rule's kind, or one that the
declaration gives (`without`). Nothing is left out without one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.rules.language.declare import Literal
from srcgrad.testing.primitives import (
    check_curvature,
    check_edge,
    check_slopes,
    check_value,
    close,
    random_like,
    run_printed,
    still_places,
)
from srcgrad.testing.samples import Case, Values, cases, given_as_scalars, spread, type_of
from srcgrad.testing.straight import Derived, Programs, floats

MODES = ("value", "forward", "reverse", "second order")
PRECISIONS = ("float64", "float32")
SHAPES = ("scalar", "1-D", "2-D", "3-D", "broadcast", "empty")
LAYOUTS = ("strided", "reversed", "transposed", "read-only")
COLUMNS = (*SHAPES, *LAYOUTS)
Cell = tuple[str, str, str]  # mode, precision, column


@dataclass
class Tally:
    """How often each cell of a rule's matrix was tried, and why the others were not."""

    tried: Counter[Cell] = field(default_factory=Counter)
    reasons: dict[Cell, str] = field(default_factory=dict)

    def gaps(self) -> list[Cell]:
        """The cells that were not tried, and that no reason excuses."""
        cells = [(m, p, c) for m in MODES for p in PRECISIONS for c in COLUMNS]
        return [cell for cell in cells if not self.tried[cell] and cell not in self.reasons]


def check_rule(primitive: ir.Primitive) -> Tally:
    """Raise AssertionError where the rule is wrong, or where a cell is neither tried nor excused."""
    assert primitive.info.samples, f"{primitive.name} has no samples to test itself at"
    trial = _Trial(primitive)
    for column, case in columns(primitive):
        trial.column(column, case)
    for edge in primitive.info.edges:
        check_edge(primitive, edge, trial.programs)
    trial.tally.reasons.update(_reasons(primitive, trial.tally))
    gaps = trial.tally.gaps()
    assert not gaps, f"{primitive.name}: neither tried nor excused: {gaps}"
    return trial.tally


# ---- the cases of each column


def columns(primitive: ir.Primitive) -> Iterator[tuple[str, Case]]:
    """Cases with the name of their column."""
    found = [(_column(case), case) for case in cases(primitive)]
    if given_as_scalars(primitive) and not primitive.info.scalars:
        found += [("3-D", Case(primitive, args, dict(p))) for p in primitive.info.params for args in _towers(primitive)]
    yield from found
    yield from _empty([case for _, case in found])
    seen = set()
    turned = ("2-D",) if primitive.traits.elementwise else ("1-D", "2-D", "3-D")
    for column, case in found:
        if column in turned and (kind := tuple(map(type_of, case.plain))) not in seen:
            seen.add(kind)
            one_axis = max(np.ndim(a) for a in case.plain) < 2
            yield from ((layout, case) for layout in LAYOUTS if not (one_axis and layout == "transposed"))


def _column(case: Case) -> str:
    shapes = _shapes(case)
    if any(0 in shape for shape in shapes):
        return "empty"
    if case.primitive.traits.elementwise and len(set(shapes)) > 1:
        return "broadcast"
    rank = max(map(len, shapes), default=0)
    return f"{rank}-D" if rank else "scalar"


def _shapes(case: Case) -> list[tuple[int, ...]]:
    """The shapes of the arguments but for integers beside floats, which say how."""
    kinds = [type_of(a) for a in case.plain]
    how = ir.I8 if any(kind.is_float for kind in kinds) else None
    return [np.shape(a) for a, kind in zip(case.plain, kinds, strict=True) if kind != how]


def _towers(primitive: ir.Primitive) -> Iterator[Values]:
    """Arrays of three axes made of scalar samples."""
    _, flat, *_ = spread(primitive.info.samples)
    yield tuple(np.stack([c, c[:, ::-1], c[::-1]]) if np.ndim(c) else c for c in flat)


def _empty(found: Sequence[Case]) -> Iterator[tuple[str, Case]]:
    """The cases with one length after the other set to 0, wherever it occurs among the arguments."""
    seen = set()
    for case in found:
        for length in sorted({n for a in case.plain for n in np.shape(a)} - {0, 1}):
            cut = tuple(
                a[tuple(slice(0, None if n != length else 0) for n in a.shape)] if np.ndim(a) else a for a in case.args
            )
            kind = tuple(np.shape(a) for a in cut), repr(case.params)
            if kind not in seen:
                seen.add(kind)
                yield "empty", Case(case.primitive, cut, case.params)


def _lay_out(layout: str, case: Case) -> Case:
    change = CHANGES[layout]
    return Case(case.primitive, tuple(change(a) if np.ndim(a) else a for a in case.args), case.params)


def _strided(a: Any) -> Any:
    """The same elements with others between them."""
    wide = np.zeros(tuple(2 * n for n in a.shape), a.dtype)
    part = wide[(slice(None, None, 2),) * a.ndim]
    part[...] = a
    return part


def _reversed(a: Any) -> Any:
    turn = (slice(None, None, -1),) * a.ndim
    return a[turn].copy()[turn]


def _read_only(a: Any) -> Any:
    out = a.copy()
    out.setflags(write=False)
    return out


CHANGES: dict[str, Callable[[Any], Any]] = {
    "strided": _strided,
    "reversed": _reversed,
    "transposed": np.asfortranarray,
    "read-only": _read_only,
}


# ---- trying them


REFUSALS = ValueError, IndexError, np.linalg.LinAlgError


class _Trial:
    def __init__(self, primitive: ir.Primitive) -> None:
        self.primitive = primitive
        self.programs = Programs()
        self.tally = Tally()
        # of an elementwise rule, columns whose second derivatives were compared with numerical ones: those of further
        # scalars are among those of the row that they make, and those of other pairs of shapes differ in shape alone
        self.seen: set[str] = set()

    def column(self, name: str, case: Case) -> None:
        if name in LAYOUTS:
            self.layout(name, case, "float64")
        elif name == "empty":
            self.empty(case)
        elif name == "3-D" and case.primitive.traits.elementwise:
            self.like_flat(name, case)
        else:
            check_value(case, self.programs)
            check_slopes(case, self.programs)
            check_curvature(case, self.programs, numerically=name not in self.seen)
            self.note(name, case, "float64")
            self.seen |= {name} if given_as_scalars(case.primitive) and not case.primitive.info.scalars else set()
        if any(type_of(a).is_float for a in case.given) and not self.refused(case):
            self.single(name, case)

    def note(self, column: str, case: Case, precision: str) -> None:
        for mode in self.modes(self.programs.of(case)):
            self.tally.tried[mode, precision, column] += 1

    def modes(self, made: Derived) -> Sequence[str]:
        """What there is to try of a program."""
        if self.primitive.info.held or not (floats(made.fun.params) and floats(made.fun.results)):
            return MODES[:1]
        return MODES if self.primitive.differentiable else MODES[:3]

    def refused(self, case: Case) -> bool:
        """Whether NumPy refuses these arguments."""
        try:
            self.programs.of(case)(*case.given)
        except REFUSALS:
            return True
        return False

    def layout(self, name: str, case: Case, precision: str) -> None:
        """The same numbers as of an ordinary array, and the arguments left as they were."""
        laid = _lay_out(name, case)
        expected, got = self.everything(case), self.everything(laid)
        size = 1e-13 if precision == "float64" else 1e-4
        for mode, values in expected.items():
            _compare(got[mode], values, size, f"{mode} of {case}, {name}")
        _compare(run_printed(laid), run_printed(case), size, f"what is printed for {case}, {name}")
        for before, after in zip(case.given, laid.given, strict=True):
            assert np.array_equal(before, after, equal_nan=type_of(after).is_float), f"{case} overwrites its argument"
        self.note(name, case, precision)

    def like_flat(self, name: str, case: Case) -> None:
        """The same numbers as of the elements in one row."""
        check_value(case, self.programs)
        flat = Case(case.primitive, tuple(np.ravel(a) if np.ndim(a) else a for a in case.args), case.params)
        expected = self.everything(flat)
        for mode, values in self.everything(case).items():
            _compare(tuple(map(np.ravel, values)), tuple(map(np.ravel, expected[mode])), 1e-13, f"{mode} of {case}")
        self.note(name, case, "float64")

    def empty(self, case: Case) -> None:
        """Shapes are kept; what NumPy refuses, the printed code refuses."""
        if self.refused(case):
            _assert_refused(case)
            return
        check_value(case, self.programs)
        given = [np.shape(a) for a in case.given if type_of(a).is_float]
        assert list(map(np.shape, self.everything(case).get("reverse", ()))) in ([], given), f"the bars of {case}"
        self.note("empty", case, "float64")

    def single(self, column: str, case: Case) -> None:
        """float32 in, float32 out, within its precision of what float64 gives of the same numbers."""
        narrow = Case(case.primitive, tuple(_as(a, "f4") for a in case.args), case.params)
        if column in LAYOUTS:
            self.layout(column, narrow, "float32")
            return
        wide = Case(case.primitive, tuple(_as(a, "f8") for a in narrow.args), case.params)
        got = self.everything(narrow)
        for mode, values in self.everything(wide).items():
            for one, other in zip(got[mode], values, strict=True):
                _check_single(one, other, narrow, mode)
        for one, promised in zip(run_printed(narrow), got["value"], strict=True):
            assert not np.ndim(one) or one.dtype == promised.dtype, f"{narrow} prints as {one.dtype}"
        self.note(column, case, "float32")

    def everything(self, case: Case) -> dict[str, Values]:
        """The value and the derivatives along fixed directions."""
        made = self.programs.of(case)
        value = made(*case.given)
        out: dict[str, Values] = {"value": value}
        dots, bars = random_like(case.given, 1, still_places(case)), random_like(value, 2)
        if "forward" in self.modes(made):
            out["forward"] = made.ahead(*case.given, *dots)[len(value) :]
            out["reverse"] = made.back(*case.given, *bars)
        if "second order" in self.modes(made):
            out["second order"] = (*_both(made.ahead, case.given + dots), *_both(made.back, case.given + bars))
        return out


def _both(made: Derived, args: Values) -> Values:
    """The tangent and the adjoint along fixed directions."""
    value = made(*args)
    ahead = made.ahead(*args, *random_like(args, 3))[len(value) :]
    return (*ahead, *made.back(*args, *random_like(value, 4)))


def _as(a: Any, dtype: str) -> Any:
    """Floats in this precision; literals, which are weak, and all else as it is."""
    return a if isinstance(a, Literal) or not type_of(a).is_float else np.asarray(a, dtype)[()]


def _check_single(got: Any, expected: Any, case: Case, mode: str) -> None:
    if type_of(expected).is_float:
        promised = {case.params.get("dtype", "f4") if mode in MODES[:2] else "f4"}
        assert type_of(got).dtype in promised or (mode == MODES[3] and "dtype" in case.params), (
            f"{mode} of {case} gives {np.asarray(got).dtype}"
        )
    size = 2e-4 if mode == "second order" else 3e-5
    close(got, expected, size * (1e-2 + np.abs(np.asarray(expected, float))), f"float32 {mode} of {case}")


def _compare(got: Values, expected: Values, tolerance: float, what: str) -> None:
    for one, other in zip(got, expected, strict=True):
        close(one, other, tolerance * (1e-2 + np.abs(np.asarray(other, float))), what)


def _assert_refused(case: Case) -> None:
    try:
        run_printed(case)
    except REFUSALS:
        return
    raise AssertionError(f"what is printed for {case} does not refuse it, as NumPy does")


# ---- what has no meaning


def _reasons(primitive: ir.Primitive, tally: Tally) -> dict[Cell, str]:
    """Why cells that were not tried need not be."""
    programs = Programs()
    made = [programs.of(case) for case in cases(primitive)]
    found = {}
    for mode, precision, column in tally.gaps():
        given = primitive.info.without.get
        declared = given(column) or given(precision) or given(mode)
        reason = (
            declared
            or _by_column(primitive, column)
            or _by_precision(made, precision)
            or _by_mode(primitive, made, mode)
        )
        if reason:
            found[mode, precision, column] = reason
    return found


def _by_column(primitive: ir.Primitive, column: str) -> str:
    info = primitive.info
    ranks = {np.ndim(a) for case in cases(primitive) for a in case.plain}
    if info.scalars or ranks <= {0}:
        return "" if column == "scalar" else "it takes scalars only"
    if column == "scalar" and not primitive.traits.elementwise:
        return "it takes arrays"
    alone = not primitive.traits.elementwise or all(len(_shapes(case)) == 1 for case in cases(primitive))
    if column == "broadcast" and alone:
        return "it has no arguments that broadcast"
    return "one axis has one order" if column == "transposed" and max(ranks) < 2 else ""


def _by_precision(made: Sequence[Derived], precision: str) -> str:
    return "" if precision == "float64" or any(floats(m.fun.params) for m in made) else "it takes no floats"


def _by_mode(primitive: ir.Primitive, made: Sequence[Derived], mode: str) -> str:
    if mode == "value":
        return ""
    if not any(floats(m.fun.params) and floats(m.fun.results) for m in made):
        return "no float comes of a float"
    return primitive.info.held or ("" if primitive.differentiable or mode != "second order" else "its derivative is 0")
