"""Quotients whose divisor grows like an exponential: `1 / (1 + exp(-x))`, `a / cosh(x)`, `1 / (exp(x) - 1)`.

By the chain rule their slope is `(y / d) * exp(u)`, and `y / d` is 0 long before the slope is. So before a program is
differentiated such a quotient becomes an operation of its own, which knows what the divisor is made of; its slope is
`y * (exp(u) / d)`. Afterwards it is a quotient again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Const, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten, rewrite
from srcgrad.core.traits import Slope, Traits
from srcgrad.core.walk import walk
from srcgrad.rules.language.declare import Duals, Params, cast, expand_to, promote, sum_to, total
from srcgrad.rules.language.values import Val, emit
from srcgrad.rules.scalar.arithmetic import add, divide, subtract
from srcgrad.rules.scalar.compare import equal, where
from srcgrad.rules.scalar.elementwise import cosh, exp, exp2


def _infer(types: Sequence[ir.Type], params: Params) -> tuple[ir.Type, ...]:
    return (promote(types[:3], "float"),)


def _partials(args: Sequence[Val], y: Val, params: Params) -> tuple[Callable[[Val], Val], ...]:
    """What a tangent or adjoint is multiplied with, for the dividend, the rest of the divisor and the exponent."""
    dividend, rest, grown, exponent = args
    inner, joined, first = params["inner"], params["joined"], params["first"]
    divisor = grown if joined is None else emit(joined, *((grown, rest) if first else (rest, grown)))
    by_rest = -1.0 if joined is subtract and first else 1.0
    by_grown = -1.0 if joined is subtract and not first else 1.0
    if dividend.atom is grown.atom:  # exp(u) / (1 + exp(u)): the two ways to u cancel but for this
        share, by_grown = by_rest * (rest / divisor), -1.0
    else:
        (slope,) = inner.traits.partials(exponent, grown)
        share = y.lift(1.0) if slope.atom is divisor.atom else slope / divisor
    toward = where(equal(y, 0.0), y.lift(0.0), y * share)
    return (
        lambda g: g / divisor,
        lambda g: -by_rest * (g * (y / divisor)),
        lambda g: -by_grown * (g * toward),
    )


def _active(args: Sequence[Val]) -> list[int]:
    """The places of the arguments that it is differentiated by; a dividend that is exp(u) goes with u."""
    return [k for k in (0, 1, 3) if args[k].type.is_float and (k or args[0].atom is not args[2].atom)]


def _jvp(dots: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    parts = dict(zip((0, 1, 3), _partials(args, outs[0], params), strict=True))
    got = total([parts[k](dot) for k in _active(args) if (dot := dots[k]) is not None])
    return [None if got is None else cast(expand_to(got, outs[0]), outs[0].type.dtype)]


def _vjp(bars: Duals, args: Sequence[Val], outs: Sequence[Val], params: Params) -> list[Val | None]:
    (g,) = bars
    parts = dict(zip((0, 1, 3), _partials(args, outs[0], params), strict=True))
    got: list[Val | None] = [None] * 4
    for k in _active(args) if g is not None else ():
        assert g is not None
        got[k] = cast(sum_to(parts[k](g), args[k]), args[k].type.dtype)
    return got


def _evaluate(a: Any, rest: Any, grown: Any, exponent: Any, inner: Any, joined: Any, first: bool) -> Any:
    divisor = grown if joined is None else joined.evaluate(*((grown, rest) if first else (rest, grown)))
    return divide.evaluate(a, divisor)


def _steep(args: Sequence[ir.Atom], params: Mapping[str, Any]) -> bool:
    """Whether the divisor may be 0: that of 1 + exp(x) and its like is not."""
    rest = args[1]
    sure = isinstance(rest, Const) and rest.value.real >= 0 and params["inner"] in (exp, exp2, cosh)
    return not (sure and params["joined"] in (None, add))


quotient = ir.Primitive(
    "quotient",
    _infer,
    _evaluate,
    "_0 / (_1 + _2)",
    _jvp,
    _vjp,
    traits=Traits("elementwise", elementwise=True, fresh=True, slope=Slope.FLAT | Slope.EXPONENTIAL, steep=_steep),
)


# ---- into it and back


class _Finder(Rewriter):
    """makes: how the variables of the block, and scalars of those around, were made."""

    def __init__(self) -> None:
        super().__init__()
        self.makes: dict[Var, ir.Let] = {}

    def region(self, stmts: tuple[Stmt, ...]) -> None:
        outer = self.makes
        self.makes = {v: let for v, let in outer.items() if v.type.rank == 0}
        super().region(stmts)
        self.makes = outer

    def one(self, stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, ir.Let) or len(stmt.targets) > 1:
            return self.inside(stmt)
        new = self.let(stmt)
        self.makes[stmt.target] = stmt
        return new

    def let(self, let: ir.Let) -> ir.Let:
        if let.op is not divide or let.target.type.is_complex or not isinstance(let.args[1], Var):
            return let
        made = self.makes.get(let.args[1])
        for grown, rest, op, first in () if made is None else _sides(made):
            inner = self.makes.get(grown) if isinstance(grown, Var) else None
            if (
                inner is not None
                and Slope.GROWING in inner.op.traits.slope
                and _fits(inner, let, rest, joined=op is not None)
            ):
                args = (let.args[0], rest, grown, inner.args[0])
                return replace(let, op=quotient, args=args, params={"inner": inner.op, "joined": op, "first": first})
        return let


def _sides(divisor: ir.Let) -> list[tuple[ir.Atom, ir.Atom, Any, bool]]:
    """(what may be an exponential, the rest of the divisor, how the two are joined, whether it comes first)."""
    if divisor.op not in (add, subtract):
        return [(divisor.target, Const(0.0, ir.F8), None, True)]
    one, two = divisor.args
    return [(one, two, divisor.op, True), (two, one, divisor.op, False)]


def _fits(inner: ir.Let, let: ir.Let, rest: ir.Atom, joined: bool) -> bool:
    """Whether the exponent is a float value of the quotient's precision; exp(u) / (rest + exp(u)): by exp alone."""
    if inner.args[0].type.dtype != let.target.type.dtype:
        return False
    return let.args[0] is not inner.target or (joined and inner.op is exp)


def gather_quotients(fun: Fun) -> Fun:
    """The function with such quotients as one operation each; the same object if there are none."""
    return _Finder().fun(fun) if _divides_by(fun, divide) else fun


def take_quotients_apart(fun: Fun) -> Fun:
    """The function with these operations as quotients again."""
    if not _divides_by(fun, quotient):
        return fun
    return rewrite(fun, lambda stmt: _plain(stmt) if isinstance(stmt, ir.Let) and stmt.op is quotient else stmt)


def _divides_by(fun: Fun, op: ir.Primitive) -> bool:
    """Whether the function has an operation of this kind."""
    return any(isinstance(stmt, ir.Let) and stmt.op is op for stmt in walk(fun.body))


def _plain(let: ir.Let) -> list[Stmt]:
    dividend, rest, grown, _ = let.args
    op, first = let.params["joined"], let.params["first"]
    if op is None:
        return [replace(let, op=divide, args=(dividend, grown), params={})]
    args = (grown, rest) if first else (rest, grown)
    (kind,) = op.infer(tuple(a.type for a in args), {})
    divisor = Var("t", kind)
    return [ir.Let((divisor,), op, args, span=let.span), replace(let, op=divide, args=(dividend, divisor), params={})]
