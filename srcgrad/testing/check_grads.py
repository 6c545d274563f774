"""Derivatives against numerical ones, and forward against reverse."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from srcgrad.api import forward, reverse
from srcgrad.compiler.request import Positional
from srcgrad.derivatives import arguments
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.functions import behind, signature_of
from srcgrad.frontend.source.structure import describe
from srcgrad.testing.differences import Matrix, Report, compare_kinds, compare_unchanged, different
from srcgrad.testing.entries import Vector, blank, conjugation, flatten, labels, pick, single_precision, unflatten
from srcgrad.testing.numerical import Estimate, derivative
from srcgrad.testing.plot import draw

Argnums = int | str | Sequence[int | str] | None


def check_grads(
    fun: Callable[..., Any],
    args: Sequence[Any],
    order: int = 1,
    modes: Sequence[str] = ("forward", "reverse"),
    atol: float | None = None,
    rtol: float | None = None,
    argnums: Argnums = None,
    plot: bool = False,
    **options: Any,
) -> None:
    """Check the derivatives of a function at a point.

    Each derivative is compared, entry by entry, with a numerical one: central differences at several step sizes,
    of which the best two must agree. NaN and infinity must match. With both modes, fixed directions must give the
    same number forward and in reverse, to 1e-12 relative. Structure, shapes and dtypes of the results, the primal's
    value beside the derivative, and that nobody's arrays have changed, are checked too.

    Parameters
    ----------
    fun : callable
        A function of floats, arrays and structures of them, with a result of the same kinds.
    args : sequence
        The point: the arguments of `fun`.
    order : int
        Derivatives up to this order; the higher ones are derivatives of the generated functions, in all combinations
        of the modes.
    modes : sequence of {"forward", "reverse"}
        How the derivatives are made.
    atol, rtol : float, optional
        What is let pass, beside the rounding of the function itself: 1e-8 and 1e-6 for doubles, 1e-3 for float32.
    argnums : int, str or sequence of those, optional
        The arguments to differentiate by; those that hold a float, if not given.
    plot : bool
        Draw, with Matplotlib, each entry of the first derivatives beside the numerical one, in a new figure; also where
        they differ.
    **options
        Passed on to `srcgrad.forward` and `srcgrad.reverse`, such as `jit=False`.

    Raises
    ------
    AssertionError
        With a table of the entries that differ.

    Examples
    --------
    >>> from srcgrad.testing import check_grads
    >>> check_grads(lambda x: x**3, (1.5,), order=2, jit=False)
    """
    with speaking_of(fun):
        _check_call(fun, args, order, modes, argnums)
    args = _with_defaults(fun, args)
    names = _parameter_names(fun, len(args))
    positions = _positions(args, names, argnums)
    args = tuple(float(a) if i in positions and type(a) is int else a for i, a in enumerate(args))
    single = single_precision(args)
    atol = atol if atol is not None else 1e-3 if single else 1e-8
    rtol = rtol if rtol is not None else 1e-3 if single else 1e-6
    case = _Case(fun, args, positions, names, atol, rtol, 1e-5 if single else 1e-12, options)
    _check(case, order, tuple(modes), plot)


def _check_call(fun: Any, args: Any, order: Any, modes: Any, argnums: Argnums) -> None:
    """Refuse what is not a call of this function."""
    if not callable(fun):
        raise ArgumentError(f"{fun!r} is not a function", hint="give the function itself")
    if not isinstance(args, (tuple, list)):
        raise ArgumentError(f"args is {wording.of_spec(describe(args))}", hint="give a tuple: check_grads(f, (x,))")
    if isinstance(modes, str) or not modes or not set(modes) <= {"forward", "reverse"}:
        raise ArgumentError(f"there are no modes {modes!r}", hint='use modes=("forward", "reverse") or one of them')
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ArgumentError(
            f"the order of a derivative must be an integer from 1, not {order!r}", hint="give an integer from 1"
        )
    if callable(fun) and isinstance(behind(fun), types.FunctionType):
        parameters = arguments.Parameters(signature_of(fun))
        parameters.bind(args, {})
        for place in () if argnums is None else parameters.places(argnums)[0]:
            if isinstance(place, Positional) and not -len(args) <= place.number < len(args):
                message = f"argnums={place.number} is out of range: {len(args)} arguments are given by place"
                raise ArgumentError(message, hint="argnums counts the arguments from 0")


def _positions(args: Sequence[Any], names: Sequence[str], argnums: Argnums) -> tuple[int, ...]:
    if argnums is None:
        return tuple(i for i, arg in enumerate(args) if labels(arg))
    chosen = [argnums] if isinstance(argnums, (int, str)) else argnums
    return tuple(names.index(n) if isinstance(n, str) else n % len(args) for n in chosen)


def _with_defaults(fun: Callable[..., Any], args: Sequence[Any]) -> Sequence[Any]:
    """The arguments with the defaults of those left out: a derivative's own parameters come behind them."""
    try:
        call = signature_of(fun).bind(*args)
    except (TypeError, ValueError):  # no signature, or arguments that do not fit: the call will say so
        return args
    call.apply_defaults()
    return args if call.kwargs else call.args


def _parameter_names(fun: Callable[..., Any], count: int) -> tuple[str, ...]:
    """The names that the table gives to the arguments."""
    try:
        parameters = signature_of(fun).parameters.values()
    except (TypeError, ValueError):  # a callable without a signature
        parameters = {}.values()
    names = [p.name for p in parameters if p.kind != p.VAR_POSITIONAL]
    return (*names, *(f"argument {i}" for i in range(len(names), count)))[:count]


@dataclass(frozen=True)
class _Case:
    """One function at one point, with what its derivatives may miss."""

    fun: Callable[..., Any]
    args: tuple[Any, ...]
    positions: tuple[int, ...]
    names: tuple[str, ...]
    atol: float
    rtol: float
    inner_rtol: float
    options: dict[str, Any]
    path: str = ""

    @property
    def active(self) -> tuple[Any, ...]:
        return tuple(self.args[i] for i in self.positions)

    def entry_labels(self) -> list[str]:
        return [label for i in self.positions for label in labels(self.args[i], self.names[i])]

    def arguments(self, active: Sequence[Any]) -> tuple[Any, ...]:
        """Copies of the arguments, with these in the place of the active ones."""
        out = list(_copy(self.args))
        for position, value in zip(self.positions, active, strict=True):
            out[position] = value
        return tuple(out)

    def tolerance(self, size: Matrix) -> Matrix:
        return self.atol + self.rtol * np.where(np.isfinite(size), np.abs(size), 0.0)


@dataclass(frozen=True)
class _Run:
    """The generated derivative of a case in one mode: it takes a seed like `source` and gives one like `target`."""

    mode: str
    case: _Case
    generated: Callable[..., Any]
    source: tuple[Any, ...]
    target: tuple[Any, ...]

    def seeds(self, direction: Vector) -> tuple[Any, ...]:
        """A flat cotangent u is paired with a tangent v as u . v, a complex one as the real part of the product."""
        if self.mode == "reverse":
            direction = direction * conjugation(self.source)
        return tuple(blank(unflatten(self.source, direction)))

    def seed_names(self) -> tuple[str, ...]:
        forwards = (f"{self.case.names[i]}_dot" for i in self.case.positions)
        return tuple(forwards) if self.mode == "forward" else ("value_bar",)

    def call(self, direction: Vector) -> Any:
        """What the generated function gives beside the value, as a tuple."""
        result = self.generated(*_copy(self.case.args), *self.seeds(direction))[1]
        return (result,) if self.mode == "forward" else result

    def along(self, direction: Vector) -> Vector:
        found = pick(self.call(direction), self.target)
        return found * conjugation(self.target) if self.mode == "reverse" and len(found) else found

    def jacobian(self) -> Matrix:
        """One row an output entry, one column an input entry."""
        size = len(flatten(self.source))
        lines = [self.along(unit) for unit in np.eye(size)]
        matrix = np.stack(lines) if lines else np.zeros((0, len(flatten(self.target))))
        return matrix.T if self.mode == "forward" else matrix

    def derived(self) -> _Case:
        """The generated function itself as a case."""
        case, seeds = self.case, self.seeds(_direction(len(flatten(self.source))))
        new = range(len(case.args), len(case.args) + len(seeds))
        return replace(
            case,
            fun=self.generated,
            args=(*case.args, *seeds),
            positions=(*case.positions, *new),
            names=(*case.names, *self.seed_names()),
            path=f"{self.mode} of {case.path}",
        )


def _run(mode: str, case: _Case, value: Any) -> _Run:
    make = forward if mode == "forward" else reverse
    generated = make(case.fun, argnums=case.positions, **case.options)
    source, target = (case.active, (value,)) if mode == "forward" else ((value,), case.active)
    return _Run(mode, case, generated, source, target)


def _check(case: _Case, order: int, modes: tuple[str, ...], plot: bool = False) -> None:
    name = getattr(case.fun, "__name__", type(case.fun).__name__)
    report = Report(f"the derivatives of {name} differ" + (f" ({case.path.removesuffix(' of ')})" if case.path else ""))
    value = case.fun(*_copy(case.args))
    expected = _numerical(case, value)
    _compare_estimates(case, report, expected)
    runs = [_run(mode, case, value) for mode in modes]
    if plot:
        draw(f"derivatives of {name}", expected.value, expected.gap, ((run.mode, run.jacobian()) for run in runs))
    for run in runs:
        _compare_around(report, run, value)
        _compare_jacobian(report, run, expected)
    if len(runs) == 2 and not report.rows:
        _compare_inner(report, *runs)
    report.conclude()
    if order > 1:
        for run in runs:
            _check(run.derived(), order - 1, modes)


def _numerical(case: _Case, value: Any) -> Estimate:
    """The numerical Jacobian: matrices in the place of vectors."""
    point, rows = flatten(case.active), len(flatten(value))
    if not len(point) or not rows:
        return Estimate(*np.zeros((3, rows, len(point))))
    columns = [derivative(_along(case, point, i, rows), float(point[i])) for i in range(len(point))]
    return Estimate(*(np.stack([getattr(c, part) for c in columns], axis=1) for part in ("value", "gap", "noise")))


def _along(case: _Case, point: Vector, i: int, rows: int) -> Callable[[float], Vector]:
    def outputs(t: float) -> Vector:
        moved = point.copy()
        moved[i] = t
        try:
            return flatten(case.fun(*case.arguments(unflatten(case.active, moved, widen=True))))
        except (ArithmeticError, ValueError):
            if t == point[i]:
                raise
            return np.full(rows, np.nan)  # beyond the domain, where Python's functions raise and NumPy's give NaN

    return outputs


def _compare_estimates(case: _Case, report: Report, expected: Estimate) -> None:
    """The numerical derivative must have settled."""
    loose = ~(expected.gap <= case.tolerance(expected.value) + expected.noise)
    for row, column in np.argwhere(loose):
        shown, gap = f"{expected.value[row, column]:.10g}", f"{expected.gap[row, column]:.1e}"
        report.add("numerical", case.entry_labels()[column], str(row), "two steps that agree", shown, gap)


def _compare_jacobian(report: Report, run: _Run, expected: Estimate) -> None:
    got, case = run.jacobian(), run.case
    if got.shape != expected.value.shape:
        report.add(run.mode, "(Jacobian)", "", str(expected.value.shape), str(got.shape))
        return
    tolerance = case.tolerance(expected.value) + np.where(np.isfinite(expected.noise), expected.noise, 0.0)
    for row, column in different(expected.value, got, tolerance):
        label = case.entry_labels()[column]
        report.number(run.mode, label, str(row), expected.value[row, column], got[row, column])


def _compare_around(report: Report, run: _Run, value: Any) -> None:
    """The value beside the derivative, the kinds of the results, and the caller's arrays."""
    args = (*_copy(run.case.args), *run.seeds(_direction(len(flatten(run.source)))))
    before = _copy(args)
    got, result = run.generated(*args)
    compare_unchanged(report, run.mode, before, args)
    compare_kinds(report, run.mode, value, got, "value")
    compare_kinds(report, run.mode, run.target, (result,) if run.mode == "forward" else result, "result")
    expected, found = flatten(value), flatten(got)
    if expected.shape == found.shape:
        for (row,) in different(expected, found, run.case.tolerance(expected)):
            report.number(run.mode, "(value)", str(row), expected[row], found[row])


def _compare_inner(report: Report, one: _Run, other: _Run) -> None:
    """<u, J v> against <J^T u, v>."""
    ahead, back = (one, other) if one.mode == "forward" else (other, one)
    v, u = _direction(len(flatten(ahead.source))), _direction(len(flatten(back.source)))
    left, right = u * ahead.along(v), back.along(u) * v
    size = max(float(np.abs(left).sum()), float(np.abs(right).sum()))
    if np.isfinite(size) and abs(float(left.sum() - right.sum())) > one.case.inner_rtol * size:
        report.number("forward x reverse", "(inner product)", "", float(left.sum()), float(right.sum()))


def _direction(size: int) -> Vector:
    """A direction without zeros, of both signs, the same at each run."""
    sizes = np.random.default_rng(size).uniform(0.5, 1.5, size)
    signs: Vector = np.resize([1.0, -1.0], size)
    return sizes * signs


def _copy(value: Any) -> Any:
    return unflatten(value, flatten(value))
