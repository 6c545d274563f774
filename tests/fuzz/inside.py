"""Derivatives inside programs: of closures over what is differentiated around them, in any nesting of the modes; and
what they should give, by dual numbers with a tag each, so that none is taken for another."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import srcgrad as sg
from tests.duals import Dual
from tests.fuzz.scalars import scalar
from tests.fuzz.statements import Lines, statement
from tests.fuzz.writer import FLOAT, Writer

# ---- the reference

_TAGS = itertools.count()


class Tagged(Dual):
    """v + e ε, where each call of a derivative has an ε of its own; what was made later is on the outside."""

    __slots__ = ("tag",)

    def __init__(self, v: Any, e: Any, tag: int) -> None:
        super().__init__(v, e)
        self.tag = tag

    def _with(self, o: Any) -> tuple[Any, Any]:
        return (o.v, o.e) if isinstance(o, Tagged) and o.tag == self.tag else (o, 0.0)

    def _later(self, o: Any) -> bool:
        return isinstance(o, Tagged) and o.tag > self.tag

    def __add__(self, o: Any) -> Any:
        v, e = self._with(o)
        return o + self if self._later(o) else Tagged(self.v + v, self.e + e, self.tag)

    def __mul__(self, o: Any) -> Any:
        v, e = self._with(o)
        return o * self if self._later(o) else Tagged(self.v * v, self.v * e + self.e * v, self.tag)

    def __neg__(self) -> Tagged:
        return Tagged(-self.v, -self.e, self.tag)

    def __sub__(self, o: Any) -> Any:
        return self + (-o)

    def __rsub__(self, o: Any) -> Any:
        return -self + o

    def __truediv__(self, o: Any) -> Any:
        return self * (o.reciprocal() if isinstance(o, Tagged) else 1.0 / o)

    def __rtruediv__(self, o: Any) -> Any:
        return self.reciprocal() * o

    def reciprocal(self) -> Tagged:
        one = self.v.reciprocal() if isinstance(self.v, Tagged) else 1.0 / self.v
        return Tagged(one, -one * one * self.e, self.tag)

    __radd__, __rmul__ = __add__, __mul__


def tangent(f: Callable[[Any], Any], x: Any, dot: Any) -> tuple[Any, Any]:
    """(value, tangent) of a function of one number."""
    tag = next(_TAGS)
    y = f(Tagged(x, dot, tag))
    return (y.v, y.e) if isinstance(y, Tagged) and y.tag == tag else (y, 0.0)


def grad(f: Callable[[Any], Any], **options: Any) -> Callable[[Any], Any]:
    return lambda x: tangent(f, x, 1.0)[1]


def jvp(f: Callable[[Any], Any], primals: Any, tangents: Any, **options: Any) -> Any:
    return tangent(f, primals[0], tangents[0])


def vjp(f: Callable[[Any], Any], x: Any, **options: Any) -> Any:
    value, slope = tangent(f, x, 1.0)
    return value, lambda bar: (bar * slope,)


NAMES: dict[str, Any] = {"grad": sg.grad, "jvp": sg.jvp, "vjp": sg.vjp}
REFERENCE: dict[Any, Any] = {sg.grad: grad, sg.jvp: jvp, sg.vjp: vjp}


# ---- the constructs


def body(w: Writer, p: str, depth: int) -> str:
    """A rational function of p, of what is around, and of a derivative of another such."""
    free = w.pick(w.names("float"))
    square = f"{p} * {w.scalar(0)} * {p}"
    choices = [f"{free} * {p} * {p}", square, f"{free} / ({p} * {p} + 1.0)", f"{p} * {free} - {p}"]
    text = str(w.pick(choices))
    return f"{text} + {p} * {derivative(w, depth - 1, p)}" if depth and w.chance(0.5) else text


def derivative(w: Writer, depth: int, at: str = "") -> str:
    p = w.fresh("p")
    function, x = f"lambda {p}: {body(w, p, depth)}", at or f"({w.scalar(0)} * 1.0)"
    return str(
        w.pick(
            (
                f"grad({function}, jit=False)({x})",
                f"jvp({function}, ({x},), ({w.scalar(0)} * 1.0,), jit=False)[1]",
                f"vjp({function}, {x}, jit=False)[1]({w.scalar(0)} * 1.0)[0]",
            )
        )
    )


@scalar("derivative inside")
def derivative_inside(w: Writer, depth: int) -> str:
    return derivative(w, 1)


@statement("derivative of a nested function")
def derivative_of_nested(w: Writer) -> Lines:
    """Also one that is carried round a loop of steps."""
    g, p, k = w.fresh("g"), w.fresh("p"), w.fresh("k")
    name = w.target(FLOAT)
    lines = [f"def {g}({p}):", f"    return {body(w, p, 1)}"]
    start = f"{w.scalar(0)} * 1.0"
    bound = w.bind(name, FLOAT)
    steps = [f"for {k} in range(3):", f"    {bound} = {bound} - 0.1 * grad({g}, jit=False)({bound})"]
    return [*lines, f"{bound} = {start}", *(steps if w.chance(0.5) else [f"{bound} = grad({g}, jit=False)({bound})"])]
