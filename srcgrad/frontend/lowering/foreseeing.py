"""What may raise inside of a `try`, foreseen: in front of it stands a test of whether it will, and a branch.

A statement is read until it comes to what may raise. What it has computed up to there, and the test, are put in front
of a branch: on one side the path leaves the `try`, on the other one the statement is read again, past this place. What
is not foreseen raises as it does outside of a `try`.
"""

from __future__ import annotations

import ast
import functools
import math
import operator
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcgrad.bounds.demands import Check, Demand, Length, Measure
from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.walk import walk
from srcgrad.errors import UnsupportedError
from srcgrad.frontend.lowering.checks import ZERO, Checks
from srcgrad.frontend.lowering.values import FALSE, TRUE, Value
from srcgrad.rules import python_errors
from srcgrad.rules.language import of_scipy, registry
from srcgrad.rules.language.values import Val
from srcgrad.rules.raises import ASKED

Kinds = tuple[type[BaseException], ...]


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

    def __init__(self, wrong: Atom, which: Atom, seen: int, what: Any) -> None:
        super().__init__()
        self.wrong, self.which, self.seen, self.what = wrong, which, seen, what


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

    def may_raise(self, kind: type[BaseException], wrong: Callable[[], Atom], what: Any = None) -> bool:
        """Something may raise this here; whether it is caught, so that there is a test in front of it. what: on which
        it depends alone, so that it is tested once."""
        which = self.handler_of(kind) if self.calls.tries else None
        if which is None:
            return False
        self.site(which, wrong, what)
        return True

    def site(self, which: Atom, wrong: Callable[[], Atom], what: Any = None) -> None:
        """Leave the statement that is being read, unless its test stands already."""
        sites: Sites | None = self.calls.sites
        tested = what is not None and what in self.calls.tested
        if sites is None or self.b.out is not sites.out:
            if tested:
                return
            raise UnsupportedError(
                "what is raised here may be caught by a `try` around a part of a statement", hint=IN_LINE
            )
        sites.seen += 1
        if sites.seen > sites.passed and not tested:
            asked = wrong()
            if asked != FALSE:
                raise Foreseen(asked, which, sites.seen, what)

    def passed_on(self, caught: Atom, which: Atom) -> None:
        """A function has been read, which may have raised."""
        if caught != FALSE:
            self.site(which, lambda: caught)

    def not_foreseen(self, program: ir.Program) -> None:
        """Refuse a program that is put in place where what it raises would have to be foreseen."""
        kinds = (ir.Raise, ir.Call, ir.Custom, Check, ir.Assert)
        if self.calls.tries and any(isinstance(stmt, kinds) for stmt in walk(program.main.body)):
            raise UnsupportedError(OF_CALLS, hint=OUTSIDE)

    def expect_foreseen(self, stmts: Iterable[Stmt], node: ast.AST) -> None:
        """Refuse what a statement inside of a `try` may raise and a handler would catch, if no test is in front."""
        with self.placing(node):  # type: ignore[attr-defined]
            for stmt in walk(stmts):
                if isinstance(stmt, (ir.Call, ir.Custom)):
                    raise UnsupportedError(OF_CALLS, hint=OUTSIDE)
                for kind in raised_by(stmt):
                    if self.handler_of(kind) is not None:
                        raise UnsupportedError(f"{kind.__name__} may be raised here{UNSEEN}", hint=TESTED)

    # ---- what may raise

    def demand(self, kind: Demand, left: Measure, right: Measure, said: tuple[str, str, str], node: ast.AST) -> None:
        error = PYTHONS_OWN.get(said[0])
        if error is not None and self.calls.tries and not (kind == "nonzero" and self._of_numpy(left, right)):
            if self.may_raise(error, lambda: self._violated(kind, left, right), (kind, left, right)):
                return
        super().demand(kind, left, right, said, node)

    def _of_numpy(self, *numbers: Measure) -> bool:
        """Whether one of these numbers is NumPy's, so that it may be divided by zero."""
        own = (n for n in numbers if isinstance(n, Var))
        return any(n in self.b.of_arrays or n in self.b.numbers or n.type.dtype not in ir.PYTHONS for n in own)

    def _violated(self, kind: Demand, left: Measure, right: Measure) -> Atom:
        a, b = self._length_of(left), self._length_of(right)
        match kind:
            case "nonzero":
                return self._asked(operator.eq, a, b)
            case "nonnegative":
                return self._asked(operator.lt, a, b)
            case "index":
                return self._outside(a, b)
        unlike = self._asked(operator.ne, a, b)
        for length in {"equal": [], "into": [a], "broadcast": [a, b]}[kind]:
            unlike = self._asked(np.logical_and, unlike, self._asked(operator.ne, length, ONE))
        return unlike

    def _outside(self, place: Atom, n: Atom) -> Atom:
        """Whether a place, or one of an array of places, does not exist among n."""
        known = int(place.value.real) if isinstance(place, Const) else None
        if known is not None:
            return self._asked(operator.lt, n, Const(known + 1 if known >= 0 else -known, ir.I8))
        below = self._asked(operator.lt, place, self._asked(operator.neg, n))
        wrong = self._asked(np.logical_or, self._asked(operator.ge, place, n), below)
        return self._asked(np.any, wrong) if place.type.rank else wrong

    def _length_of(self, measure: Measure) -> Atom:
        return self.length(measure.of, measure.axis) if isinstance(measure, Length) else measure  # type: ignore[attr-defined]

    def _asked(self, function: Any, *args: Any) -> Atom:
        """What a rule emits, without checks."""
        if all(isinstance(a, Const) for a in args):
            return Const(*_literal(function(*(a.value for a in args))))
        return _atom(registry.FUNCTIONS[function](self.b, *(Val(self.b, a) for a in args)))

    def divides(self, function: Any, args: Sequence[Value]) -> None:
        """Python's numbers are not divided by zero, not all of them have a logarithm, and powers may be too large."""
        super().divides(function, args)
        numbers = [a for a in args if isinstance(a, (Var, Const))]
        if python_errors.draws(function) and self.calls.tries:
            return self._drawn(function, numbers)
        if not self.calls.tries or function in (np.power, None):
            return
        if not all(a.type.is_scalar for a in numbers) and function not in ANY_RANK:
            return
        integers = all(a.type.dtype in ("i8", "b1") for a in numbers)
        if integers and function in DEMANDED and len(numbers) == 2 and numbers[1].type == ir.I8:
            return
        for kind, test in python_errors.errors(function, numbers, self._of_numpy(*numbers)) if numbers else ():
            if self.handler_of(kind) is not None:
                self._test(function, kind, test, numbers)

    def _test(self, function: Any, kind: type[Exception], test: Callable[..., Val] | None, numbers: list[Atom]) -> None:
        if all(isinstance(a, Const) for a in numbers):
            if self._raises(function, kind, [a.value for a in numbers if isinstance(a, Const)]):
                self.may_raise(kind, lambda: TRUE)
        elif test is None:
            raise UnsupportedError(_unforeseen(getattr(function, "__name__", "it"), kind), hint=TESTED)
        else:
            ask = test
            self.may_raise(kind, lambda: _atom(ask(*(Val(self.b, a) for a in numbers))), (function, kind, *numbers))

    def _drawn(self, function: Any, numbers: list[Atom]) -> None:
        """Random numbers of a distribution that may not be one."""
        if any(isinstance(a, Var) or a.value.real < 0 for a in numbers) and self.handler_of(ValueError) is not None:
            raise UnsupportedError(_unforeseen(function.__name__, ValueError), hint=TESTED)

    def _raises(self, function: Any, kind: type[Exception], numbers: list[Any]) -> bool:
        """Whether it does for numbers that are known."""
        try:
            function(*numbers)
        except kind:
            return True
        except ArithmeticError:
            return False  # of another kind
        return False

    def kept_apart(self, function: Any, made: Value) -> Value:
        """Functions of NumPy give its own numbers, which may be divided by zero; those of Python give Python's, but for
        its builtins, which give the kind that they are given."""
        module = getattr(function, "__module__", "") or ""
        if isinstance(made, Var) and made.type.is_scalar and module not in OF_THEIR_KIND:
            (self.b.of_arrays.discard if module in ("math", "cmath") else self.b.of_arrays.add)(made)
        elif function in (float, complex) and isinstance(made, Var):
            self.b.of_arrays.discard(made)
        return made

    def raises_where(self, cond: Atom, raising: ir.Raise) -> bool:
        kinds = raised_by(raising)
        return bool(kinds) and self.may_raise(kinds[0], lambda: cond)

    def reshapes(self, base: Atom, shape: Sequence[Atom]) -> None:
        """The same number of elements in another shape: a length that was to be found need not divide it."""
        if not self.calls.tries or not isinstance(base, Var) or self.handler_of(ValueError) is None:
            return

        def size(lengths: Sequence[Atom]) -> Atom:
            return functools.reduce(lambda n, length: self._asked(operator.mul, n, length), lengths)

        def unlike() -> Atom:
            lengths = [self._length_of(Length(base, k)) for k in range(base.type.rank)]
            return self._asked(operator.ne, size(lengths), size(shape))

        self.may_raise(ValueError, unlike, (base, *shape))

    def foreseen(self, let: ir.Let) -> None:
        """An operation that raises for some arguments."""
        if let.op.name in ASKED:
            asked = {**let.params, "asked": let.op.name}
            self.may_raise(
                np.linalg.LinAlgError,
                lambda: self.b.let(registry.PRIMITIVES["raises"], *let.args, name="raises", **asked),
                (let.op.name, *let.args),
            )
        elif let.op.name == "reshape":
            self.reshapes(let.args[0], let.args[1:])
        elif let.op.name in OF_NOTHING and self.calls.tries and isinstance(let.args[0], Var):
            self._of_nothing(let.args[0], let.params.get("axes"))

    def _of_nothing(self, array: Var, axes: Sequence[int] | None) -> None:
        """What has no result for no numbers along these axes."""
        for axis in range(array.type.rank) if axes is None else axes:
            length = Length(array, axis)
            empty = functools.partial(self._violated, "nonzero", length, ZERO)
            self.may_raise(ValueError, empty, length)


IN_LINE = "put what may raise into a statement of its own"
UNSEEN = ", which a `try` around catches and which cannot be foreseen"
TESTED = "test with `if` before, or do it outside the `try`"
OUTSIDE = "call it outside the `try`"
OF_CALLS = "what a derivative, a solver, a recursive function or one with a rule of its own raises cannot be caught"
PYTHONS_OWN = {"ZeroDivisionError": ZeroDivisionError, "IndexError": IndexError, "ValueError": ValueError}
OF_THEIR_KIND = ("_operator", "builtins")
ONE = Const(1, ir.I8)
DEMANDED = (operator.floordiv, operator.mod, divmod)  # an integer divided by zero is refused by a check
ANY_RANK = (of_scipy.linalg.solve_triangular, math.fsum)
OF_NOTHING = ("max", "min", "nanmax", "nanmin", "argmax", "argmin")  # what has no result for no numbers
# what raises, and is not foreseen
UNFORESEEN: dict[str, tuple[type[Exception], ...]] = {
    **dict.fromkeys(("correlate", "convolve", "dft", "rdft", "irdft"), (ValueError,)),
    **dict.fromkeys(("argmax_of_lines", "argmin_of_lines"), (ValueError,)),
    **dict.fromkeys(("take_along",), (IndexError, ValueError)),
    **dict.fromkeys(("eigh", "eig", "svd", "matrix_rank", "pinv", "lstsq", "qr"), (np.linalg.LinAlgError,)),
}


def raised_by(stmt: Stmt) -> tuple[type[BaseException], ...]:
    """What a statement of the core may raise that Python would raise, too."""
    match stmt:
        case Check(failure=failure) | ir.Raise(failure=ir.Failure() as failure):
            if failure.error == "UnboundLocalError":
                return UnboundLocalError, TypeError, AttributeError
            return (PYTHONS_OWN[failure.error],) if failure.error in PYTHONS_OWN else ()
        case ir.Raise(module=module, name=name):
            return (getattr(sys.modules[module], name),)
        case ir.Assert():
            return (AssertionError,)
        case ir.Draw(args=args, params=params):
            given = args[: len(args) - int(params.get("rank", 0))]
            return (ValueError,) if any(isinstance(a, Var) for a in given) else ()
        case ir.Let(op=op):
            return UNFORESEEN.get(op.name, ())
    return ()


def _unforeseen(name: str, kind: type[Exception]) -> str:
    return f"`{name}` may raise {kind.__name__} here{UNSEEN}"


def _literal(value: Any) -> tuple[Any, ir.Type]:
    return (bool(value), ir.B1) if isinstance(value, (bool, np.bool_)) else (int(value), ir.I8)


def _atom(got: Any) -> Atom:
    return got.atom if isinstance(got, Val) else Const(bool(got), ir.B1)


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
