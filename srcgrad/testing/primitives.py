"""The test that every rule brings with it: what its declaration says, tried at its samples.

Straight-line programs of one primitive are built and differentiated here by the rules alone, run with NumPy, and
compared with numerical derivatives of the value, never with the rule's own formula.
"""
from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Fun, Let, Type, Var
from srcgrad.core.run import run
from srcgrad.rules.declare import total
from srcgrad.rules.values import Val
from srcgrad.testing.numerical import Estimate, derivative

Values = tuple[Any, ...]


@dataclass(frozen=True)
class Case:
    """A primitive at certain arguments: Python scalars, or arrays."""

    primitive: ir.Primitive
    args: Values
    params: dict[str, Any]

    def __str__(self) -> str:
        shapes = ", ".join(f"{np.asarray(a).dtype}{list(np.shape(a))}" if np.ndim(a) else repr(a) for a in self.args)
        return f"{self.primitive.name}({shapes}{', ' if self.params else ''}{self.params or ''})"


def cases(primitive: ir.Primitive) -> Iterator[Case]:
    """The samples of a primitive; of an elementwise one also arrays of them, alike in shape and broadcast."""
    info = primitive.info
    given_as_scalars = info.elementwise and not any(np.ndim(a) for args in info.samples for a in args)
    for params in info.params:
        yield from (Case(primitive, args, dict(params)) for args in info.samples)
        if given_as_scalars and not info.scalars:
            yield from (Case(primitive, args, dict(params)) for args in spread(info.samples))


def spread(samples: Sequence[Values]) -> Iterator[Values]:
    """Arrays made of scalar samples."""
    alike = [args for args in samples if list(map(type, args)) == list(map(type, samples[0]))]
    line = tuple(_column(values, place) for place, values in enumerate(zip(*alike, strict=True)))
    yield line
    yield tuple(np.stack([c, c[::-1]]) if np.ndim(c) else c for c in line)
    if sum(np.ndim(c) for c in line) > 1:
        yield (line[0], *map(_first, line[1:]))
        yield (*map(_first, line[:-1]), line[-1])
        yield (line[0][:1, None], *line[1:])
        yield (*line[:-1], np.stack([line[-1]] * 2))


def _first(column: Any) -> Any:
    return np.ravel(column)[0].item()


def _column(values: Values, place: int) -> Any:
    """The arguments of one place, shifted a little so that no two places tie when they are combined anew.

    An integer after a float says how: it stays one scalar.
    """
    column = np.array(values)
    if column.dtype.kind == "i" and place:
        return _first(column)
    return column * (1 - place / 64) if column.dtype.kind == "f" else column


# ---- straight-line programs


def type_of(value: Any) -> Type:
    """The type of a Python scalar or an array."""
    if np.ndim(value):
        return Type(value.dtype.str[1:], value.ndim)
    kind = np.asarray(value).dtype.kind
    if kind == "c":
        return ir.C8 if isinstance(value, np.complex64) else ir.C16
    return ir.B1 if kind == "b" else ir.I8 if kind in "iu" else ir.F4 if isinstance(value, np.float32) else ir.F8


def program(case: Case) -> Fun:
    """y = primitive(*args)"""
    builder = Builder()
    params = tuple(Var(f"x{k}", type_of(a)) for k, a in enumerate(case.args))
    out = builder.let(case.primitive, *params, name="y", **case.params)
    return Fun(case.primitive.name, params, tuple(builder.out), out if isinstance(out, tuple) else (out,))


def _floats(atoms: Sequence[Atom]) -> list[Atom]:
    return [a for a in atoms if a.type.is_float]


class _Straight:
    """The statements of a program of Lets put into a builder again."""

    def __init__(self, fun: Fun) -> None:
        self.builder = Builder()
        self.lets = [stmt for stmt in fun.body if isinstance(stmt, Let)]

    def val(self, atom: Atom) -> Val:
        return Val(self.builder, atom)

    def seed(self, atom: Atom, suffix: str) -> Val:
        """A parameter of atom's type and shape."""
        var = Var((atom.name if isinstance(atom, Var) else "zero") + suffix, atom.type)
        if isinstance(atom, Var):
            self.builder.copy_dims(var, atom)
        return self.val(var)

    def or_zero(self, value: Val | None, like: Atom) -> Atom:
        if value is not None:
            return value.atom
        return (self.val(like) * 0.0).atom if like.type.rank else ir.Const(0.0, like.type)


def tangent(fun: Fun) -> Fun:
    """(*params, *dots of the float params) -> (*results, *dots of the float results)"""
    straight = _Straight(fun)
    seeds = {p: straight.seed(p, "_dot") for p in _floats(fun.params)}
    dots: dict[Atom, Val | None] = {**seeds}
    for stmt in straight.lets:
        straight.builder.put(stmt)
        given = [dots.get(a) for a in stmt.args]
        if stmt.op.jvp is not None and any(d is not None for d in given):
            outs = [straight.val(t) for t in stmt.targets]
            got = stmt.op.jvp(given, [straight.val(a) for a in stmt.args], outs, stmt.params)
            dots.update(zip(stmt.targets, got, strict=True))
    results = [straight.or_zero(dots.get(r), r) for r in _floats(fun.results)]
    params = (*fun.params, *(seed.atom for seed in seeds.values()))
    return Fun(fun.name, params, tuple(straight.builder.out), (*fun.results, *results))  # type: ignore[arg-type]


def adjoint(fun: Fun) -> Fun:
    """(*params, *bars of the float results) -> bars of the float params"""
    straight = _Straight(fun)
    for stmt in straight.lets:
        straight.builder.put(stmt)
    bars: dict[Atom, list[Val | None]] = {}
    seeds = [straight.seed(r, "_bar") for r in _floats(fun.results)]
    for result, seed in zip(_floats(fun.results), seeds, strict=True):
        bars.setdefault(result, []).append(seed)
    for stmt in reversed(straight.lets):
        given = [total(bars.get(t, [])) for t in stmt.targets]
        if stmt.op.vjp is not None and any(g is not None for g in given):
            outs = [straight.val(t) for t in stmt.targets]
            got = stmt.op.vjp(given, [straight.val(a) for a in stmt.args], outs, stmt.params)
            for arg, part in zip(stmt.args, got, strict=True):
                bars.setdefault(arg, []).append(part)
    results = tuple(straight.or_zero(total(bars.get(p, [])), p) for p in _floats(fun.params))
    params = (*fun.params, *(seed.atom for seed in seeds))
    return Fun(fun.name, params, tuple(straight.builder.out), results)  # type: ignore[arg-type]


# ---- checks


def check_primitive(primitive: ir.Primitive) -> None:
    """Raise AssertionError where the rule contradicts its function, a numerical derivative, or itself."""
    assert primitive.info.samples, f"{primitive.name} has no samples to test itself at"
    for case in cases(primitive):
        fun, what = program(case), str(case)
        _check_value(case)
        _check_printed(case)
        if primitive.differentiable:
            still = range(1, len(case.args)) if primitive.info.shape == "linear" else ()  # these say how
            _check_derivatives(fun, case.args, what, still)
            _check_single(case)
            dots, bars = _random(case.args, 1), _random(run(fun, *case.args), 2)
            _check_derivatives(tangent(fun), case.args + dots, f"the tangent of {what}", still)
            _check_derivatives(adjoint(fun), case.args + bars, f"the adjoint of {what}", still)


def _random(values: Values, seed: int, still: Sequence[int] = ()) -> Values:
    """Numbers between 1/2 and 1, of either sign, for the floats among values; 0 for those at the places in still."""
    rng = np.random.default_rng(seed)

    def one(shape: tuple[int, ...], scale: int) -> Any:
        return scale * rng.choice([-1, 1], shape) * rng.uniform(0.5, 1, shape)

    return tuple(
        np.asarray(one(np.shape(v), place not in still), np.asarray(v).dtype)[()]
        for place, v in enumerate(values)
        if type_of(v).is_float
    )


def _moved(args: Values, directions: Values, step: float) -> Values:
    """args with the floats among them a step along their directions."""
    moves = iter(directions)
    return tuple(a + step * next(moves) if type_of(a).is_float else a for a in args)


def _flat(values: Values) -> Any:
    return np.concatenate([np.ravel(v) for v in values if type_of(v).is_float] or [np.zeros(0)]).astype(float)


def _close(got: Any, expected: Any, tolerance: Any, what: str) -> None:
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, not {expected.shape}"
    same = (got == expected) | (np.isnan(got) & np.isnan(expected)) | (np.abs(got - expected) <= tolerance)
    assert np.all(same), f"{what}: {got}, not {expected}"


def _check_value(case: Case) -> None:
    """What the program computes, against the functions that the user wrote."""
    (got, *_) = run(program(case), *case.args)
    for function in case.primitive.info.functions:
        if np.ndim(got) and not isinstance(function, np.ufunc):
            continue
        expected = np.asarray(function(*case.args, **case.params))
        _close(got, expected, 1e-14 * np.abs(expected), f"the value of {case}, beside {function}")


def _check_printed(case: Case) -> None:
    """What it prints as, run as Python."""
    types = tuple(map(type_of, case.args))
    code, space = printed(case.primitive, types, case.params)
    args = [np.float64(a) if t == ir.F8 else a for a, t in zip(case.args, types, strict=True)]
    space.update({f"_{k}": a for k, a in enumerate(args)})
    with np.errstate(all="ignore"):
        got = eval(code, space)
    results = got if isinstance(got, tuple) else (got,)
    for one, expected in zip(results, run(program(case), *case.args), strict=True):
        _close(one, expected, 1e-13 * np.abs(expected), f"{code} for {case}")


def printed(primitive: ir.Primitive, types: tuple[Type, ...], params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The expression that a primitive prints as, and the names that it needs."""
    text = primitive.template if isinstance(primitive.template, str) else primitive.template(types, params)
    code, helpers = text if isinstance(text, tuple) else (text, {})
    space: dict[str, Any] = {"np": np, "math": math, **params}
    for source in helpers.values():
        exec(source, space)
    return code, space


def _check_derivatives(fun: Fun, args: Values, what: str, still: Sequence[int]) -> None:
    """The tangent against numerical derivatives, the adjoint against the tangent."""
    dots = _random(args, 4, still)
    value, got = _split(run(tangent(fun), *args, *dots), len(fun.results))
    single = any(type_of(v).dtype == "f4" for v in (*args, *value))
    estimate = _numerical(fun, args, dots)
    size = (1e-3 if single else 1e-6) * (np.abs(estimate.value) + 1e-3)
    assert np.all(estimate.gap <= size), f"{what}: no numerical derivative at this sample to compare with"
    _close(_flat(got), estimate.value, size + estimate.noise, f"the tangent of {what}")

    bars = _random(run(fun, *args), 5)
    back = run(adjoint(fun), *args, *bars)
    floats = [a for a in args if type_of(a).is_float]
    assert list(map(np.shape, back)) == list(map(np.shape, floats)), f"the shapes of the adjoint of {what}"
    left, right = _flat(bars) * _flat(got), _flat(back) * _flat(dots)
    tolerance = (1e-6 if single else 1e-12) * (np.abs(left).sum() + np.abs(right).sum())
    _close(right.sum(), left.sum(), tolerance, f"the adjoint beside the tangent of {what}")


def _numerical(fun: Fun, args: Values, directions: Values) -> Estimate:
    """The derivative along directions. The steps are small enough that no sample's result changes its shape."""
    found = derivative(lambda step: _flat(run(fun, *_moved(args, directions, step / 64))), 0.0)
    return Estimate(64 * found.value, 64 * found.gap, 64 * found.noise)


def _split(values: Values, count: int) -> tuple[Values, Values]:
    return values[:count], values[count:]


def _check_single(case: Case) -> None:
    """float32 in, float32 out, and within its precision of what float64 gives."""
    args = tuple(np.asarray(a, "f4")[()] if type_of(a) == ir.F8 or type_of(a).dtype == "f8" else a for a in case.args)
    single = Case(case.primitive, args, case.params)
    dots = _random(case.args, 6)
    wide = run(tangent(program(case)), *case.args, *dots)
    narrow = run(tangent(program(single)), *args, *(np.asarray(d, "f4")[()] for d in dots))
    for got, expected in zip(narrow, wide, strict=True):
        right = case.params.get("dtype", "f4") if type_of(expected).is_float else type_of(expected).dtype
        assert type_of(got).dtype == right, f"{single} gives {np.asarray(got).dtype}"
        _close(got, expected, 3e-5 * (1e-2 + np.abs(expected)), f"float32 of {case}")
