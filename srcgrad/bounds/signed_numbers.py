"""Numbers that arrays of uint64 give are computed with as signed ones, so those from 2**63 on are refused."""

from __future__ import annotations

from dataclasses import replace

from srcgrad.bounds.demands import Check
from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Const, Failure, Fun, Stmt, Var

MESSAGE = "a number of an array of uint64 is 2**63 or more, which integers of 64 signed bits do not hold"
HINT = "use .astype(np.float64) on the array before"


def has_unsigned(fun: Fun) -> bool:
    """Whether arrays of uint64 occur."""
    bound = (v for stmt in walk.walk(fun.body) for v in (*walk.defined_inside(stmt), *walk.defined(stmt)))
    return any(v.type.rank and v.type.dtype == "u8" for v in (*fun.params, *bound))


def with_signed_numbers(fun: Fun) -> Fun:
    """The function with a check behind each statement that takes a number out of such an array."""
    return replace(fun, body=_checked(fun.body, fun.name)) if has_unsigned(fun) else fun


def _checked(stmts: tuple[Stmt, ...], name: str) -> tuple[Stmt, ...]:
    out: list[Stmt] = []
    for stmt in stmts:
        nested = walk.blocks(stmt)
        out.append(walk.rebuild(stmt, lambda a: a, lambda v: v, lambda b: _checked(b, name)) if nested else stmt)
        number = _number(stmt)
        if number is not None:
            failure = Failure("OverflowError", f"{MESSAGE} (in {name})", MESSAGE, HINT, stmt.span)
            out.append(Check("nonnegative", number, Const(0, ir.I8), failure, span=stmt.span))
    return tuple(out)


def _number(stmt: Stmt) -> Var | None:
    match stmt:
        case ir.Load(target=number, ref=ref):
            arrays: tuple[Atom, ...] = (ref,)
        case ir.Let(targets=(number,), args=arrays):
            pass
        case _:
            return None
    return number if number.type == ir.I8 and any(a.type.rank and a.type.dtype == "u8" for a in arrays) else None
