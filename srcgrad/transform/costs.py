"""What it takes to compute a value again and to keep one, in the time of a multiplication: rough, for the plan."""

from __future__ import annotations

from collections.abc import Callable

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Stmt
from srcgrad.rules.scalar.powers import power

Size = Callable[[Atom], float]  # how many numbers a value has

LOAD = 1.0
KEEP = 6.0  # to store a number in memory, and to load it in the sweep back
LOCAL = 2.0  # the same in memory of one iteration, which the cache holds
LARGE = 4.0  # how many times dearer memory is that is larger than all that the function has
SUMMED = 1.5  # the same of what an inner loop has computed: it is less than what that does
ARRAY = 100.0  # to make one, if it is for few numbers
TRIPS = 10  # of a loop whose number of iterations is not known
LENGTH = 10  # of an axis

_EFFORT = {"least": 1.0, "little": 4.0}
_SIMPLE = frozenset(
    {"fabs", "copysign", "fmax", "fmin", "degrees", "radians", "one_minus_square", "real", "imag", "conj"}
)
FUNCTION = 15.0
KERNEL = 200.0


def of_let(let: ir.Let, size_of: Size) -> float:
    """To compute it once: what it makes is as long as the longest of what it is given and makes."""
    op, traits = let.op, let.op.traits
    if traits.is_length:
        return 0.5
    size = max(map(size_of, (*let.args, *let.targets)))
    if traits.form == "bilinear" and size > 1.0:
        return size * LENGTH
    if traits.kernel([a.type for a in let.args], let.params):
        return KERNEL * size
    if op is power and isinstance(let.args[1], Const) and let.args[1].value in (2, 3, 4, -1, -2):
        return 3.0 * size
    if traits.effort in _EFFORT:
        return _EFFORT[traits.effort] * size
    if traits.form in ("zero", "linear") or op.name in _SIMPLE or op.name.startswith(("max_", "min_")):
        return size
    return FUNCTION * size


def of(stmt: Stmt, size_of: Size) -> float:
    """To run a statement once, without what is inside it."""
    match stmt:
        case ir.Let():
            return of_let(stmt, size_of)
        case ir.Load():
            return LOAD * size_of(stmt.target)
        case ir.Call() | ir.Custom():
            return KERNEL
    return 1.0
