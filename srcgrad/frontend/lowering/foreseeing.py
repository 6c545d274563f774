"""What may raise inside of a `try`, foreseen: in front of it stands a test of whether it will, and a branch.

A statement is read until it comes to what may raise. What it has computed up to there, and the test, are put in front
of a branch: on one side the path leaves the `try`, on the other one the statement is read again, past this place. What
is not foreseen raises as it does outside of a `try`.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcgrad.bounds.demands import Demand, Length, Measure
from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.walk import walk
from srcgrad.errors import UnsupportedError
from srcgrad.frontend.lowering.checks import Checks
from srcgrad.frontend.lowering.values import FALSE, Value
from srcgrad.rules.language import registry
from srcgrad.rules.language.values import Val
from srcgrad.rules.raises import ASKED

Kinds = tuple[type[BaseException], ...]
IN_LINE = "put what may raise into a statement of its own"


@dataclass(eq=False)
class Trying:
    """A `try` around what is being read: what its handlers catch, with their numbers; those that were needed."""

    handlers: list[tuple[Kinds, int]]
    met: set[int] = field(default_factory=set)


@dataclass(eq=False)
class Sites:
    """What may raise in one statement. out: where its own statements go.   passed: so many have their test already."""

    out: list[Stmt]
    passed: int
    seen: int = 0


class Foreseen(Exception):
    """The statement that is being read may raise here: where this holds, in which case that handler is next."""

    def __init__(self, wrong: Atom, which: Atom) -> None:
        super().__init__()
        self.wrong, self.which = wrong, which


class Foreseeing(Checks):
    """What a lowering needs to foresee what is raised."""

    calls: Any

    def handler_of(self, kind: type[BaseException]) -> Atom | None:
        """The number of the handler that catches this, if there is one."""
        for trying in reversed(self.calls.tries):
            for kinds, number in trying.handlers:
                if issubclass(kind, kinds):
                    for other in self.calls.tries:
                        other.met.add(number)
                    return Const(number, ir.I8)
        return None

    def may_raise(self, kind: type[BaseException], wrong: Callable[[], Atom]) -> bool:
        """Something may raise this here; whether it is caught, so that there is a test in front of it."""
        which = self.handler_of(kind) if self.calls.tries else None
        if which is None:
            return False
        self.site(which, wrong)
        return True

    def site(self, which: Atom, wrong: Callable[[], Atom]) -> None:
        """Leave the statement that is being read, unless its test stands already."""
        sites: Sites | None = self.calls.sites
        if sites is None or self.b.out is not sites.out:
            raise UnsupportedError(
                "what is raised here may be caught by a `try` around a part of a statement", hint=IN_LINE
            )
        sites.seen += 1
        if sites.seen > sites.passed:
            raise Foreseen(wrong(), which)

    def passed_on(self, caught: Atom, which: Atom) -> None:
        """A function has been read, which may have raised."""
        if caught != FALSE:
            self.site(which, lambda: caught)

    def not_foreseen(self, program: ir.Program) -> None:
        """Refuse a program that is put in place where what it raises would have to be foreseen."""
        raising = any(isinstance(stmt, (ir.Raise, ir.Call)) for stmt in walk(program.main.body))
        if raising and self.calls.tries:
            raise UnsupportedError(
                "what a derivative, a solver or a recursive function raises cannot be caught", hint=IN_LINE
            )

    # ---- what may raise

    def demand(self, kind: Demand, left: Measure, right: Measure, said: tuple[str, str, str], node: ast.AST) -> None:
        error = {"ZeroDivisionError": ZeroDivisionError, "IndexError": IndexError}.get(said[0])
        if error is not None and self._named(error) and not (kind == "nonzero" and self._of_numpy(left, right)):
            if self.may_raise(error, lambda: self._violated(kind, left, right)):
                return
        super().demand(kind, left, right, said, node)

    def _of_numpy(self, *numbers: Measure) -> bool:
        """Whether one of two numbers is NumPy's, so that they may be divided by zero."""
        return any(n in self.b.of_arrays or n in self.b.numbers for n in numbers if isinstance(n, Var))

    def _named(self, error: type[BaseException]) -> bool:
        """Whether a handler tells what it catches: lengths and places are not tested for who catches all."""
        kinds = [kind for trying in self.calls.tries for kinds, _ in trying.handlers for kind in kinds]
        return error is ZeroDivisionError or any(issubclass(k, LookupError) for k in kinds)

    def _violated(self, kind: Demand, left: Measure, right: Measure) -> Atom:
        a, b = self._length_of(left), self._length_of(right)
        if kind == "nonzero":
            return self._asked(operator.eq, a, b)
        if a.type.rank:
            raise UnsupportedError("an array of places is out of range inside of a `try`", hint="test the places first")
        below = self._asked(operator.lt, a, self._asked(operator.neg, b))
        return self._asked(np.logical_or, self._asked(operator.ge, a, b), below)

    def _length_of(self, measure: Measure) -> Atom:
        return self.length(measure.of, measure.axis) if isinstance(measure, Length) else measure  # type: ignore[attr-defined]

    def _asked(self, function: Any, *args: Any) -> Atom:
        """What a rule emits, without checks."""
        given = [Val(self.b, a) for a in args]
        got = registry.FUNCTIONS[function](self.b, *given)
        atom: Atom = got.atom if isinstance(got, Val) else Const(bool(got), ir.B1)
        return atom

    def divides(self, function: Any, args: Sequence[Value]) -> None:
        """Python's numbers are not divided by zero, and not all of them have a logarithm."""
        super().divides(function, args)
        if not self.calls.tries:
            return
        numbers = [a for a in args if isinstance(a, (Var, Const)) and a.type.is_scalar]
        if function in DIVISIONS and len(numbers) == 2 and any(a.type.is_float for a in numbers):
            if not self._of_numpy(*numbers):
                self.may_raise(ZeroDivisionError, lambda: self._asked(operator.eq, numbers[1], Const(0.0, ir.F8)))
        test = OUTSIDE.get(function)
        if test is not None and len(numbers) == 1:
            self.may_raise(ValueError, lambda: self._asked(test[0], numbers[0], Const(test[1], ir.F8)))
        bound = LARGE.get(function)
        if bound is not None and len(numbers) == 1:
            self.may_raise(OverflowError, lambda: self._asked(operator.gt, numbers[0], Const(bound, ir.F8)))

    def kept_apart(self, function: Any, made: Value) -> Value:
        """Functions of NumPy give its own numbers, which may be divided by zero; those of Python give Python's."""
        if isinstance(made, Var) and made.type.is_scalar:
            python = function in (float, abs) or getattr(function, "__module__", "") == "math"
            (self.b.of_arrays.discard if python else self.b.of_arrays.add)(made)
        return made

    def foreseen(self, let: ir.Let) -> None:
        """An operation that raises for some arguments."""
        if let.op.name in ASKED:
            asked = {**let.params, "asked": let.op.name}
            self.may_raise(
                np.linalg.LinAlgError,
                lambda: self.b.let(registry.PRIMITIVES["raises"], *let.args, name="raises", **asked),
            )


DIVISIONS = (operator.truediv, operator.floordiv, operator.mod, divmod)
# where Python's functions of numbers raise a ValueError, and from where on an OverflowError
OUTSIDE: dict[Any, tuple[Any, float]] = {
    math.log: (operator.le, 0.0), math.log2: (operator.le, 0.0), math.log10: (operator.le, 0.0),
    math.log1p: (operator.le, -1.0), math.sqrt: (operator.lt, 0.0), math.acosh: (operator.lt, 1.0),
}  # fmt: skip
LARGE = {math.exp: 709.782712893384, math.expm1: 709.782712893384}


def only_computes(stmts: Iterable[Stmt]) -> bool:
    """Whether statements write into no memory but what they make."""
    made: set[Var] = set()
    for stmt in walk(stmts):
        match stmt:
            case ir.Alloc(target=target):
                made.add(target)
            case ir.View(target=target, base=base):
                made |= {target} if base in made else set()
            case ir.Store(ref=ref) | ir.Accumulate(ref=ref):
                if ref not in made:
                    return False
            case ir.Effect() if not isinstance(stmt, (ir.Raise, ir.Assert)):
                return False
            case ir.Draw() | ir.Call() | ir.Append() | ir.Barrier():
                return False
    return True
