"""The identities of single operations, each with what it does to NaN, infinities and signed zero.

`exact`: the same bits for all inputs, NaN (but for its payload) and infinities among them.
`sign of zero`: the same but that a zero may come out with the other sign. Adding a literal zero is what matters.
`rounding`: the same but for the last digit, and NaN where an infinity and a NaN meet. They are there for derivatives
that the operations by themselves do not have (the length of a vector at 0).
Anything else that would lose a NaN or an infinity (`x * 0`, `x - x`, `x / x`) is no identity here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Let, Var
from srcgrad.core.shapes import ONE, Shapes

EXACT, ZERO_SIGN, ROUNDING = "exact", "sign of zero", "rounding"
SMALL = 2**24  # integers below are exact in every float type


class Look(Protocol):
    """What an identity may look at, and how it emits."""

    shapes: Shapes

    def made(self, atom: Atom, op: str) -> Let | None:
        """The statement that bound atom, if it is this operation."""

    def once(self, atom: Atom) -> bool:
        """Whether atom is used in one place only."""

    def emit(self, op: str, *args: Atom, **params: Any) -> Atom:
        """Emit an operation of the same name as the target."""


Rewrite = Callable[[Look, Let], Atom | None]


@dataclass(frozen=True)
class Identity:
    what: str
    validity: str
    rewrite: Rewrite


TABLE: dict[str, list[Identity]] = {}


def identity(op: str, what: str, validity: str = EXACT) -> Callable[[Rewrite], Rewrite]:
    def put(rewrite: Rewrite) -> Rewrite:
        TABLE.setdefault(op, []).append(Identity(what, validity, rewrite))
        return rewrite

    return put


def literal(atom: Atom, value: float) -> bool:
    return isinstance(atom, Const) and atom.type.dtype != "b1" and atom.value == value


def integer(atom: Atom) -> int | None:
    """The value of an integer literal."""
    return int(atom.value.real) if isinstance(atom, Const) and atom.type == ir.I8 else None


# ---- sums


@identity("add", "x + 0 = x", ZERO_SIGN)
def _add_zero(look: Look, let: Let) -> Atom | None:
    a, b = let.args
    return b if literal(a, 0.0) else a if literal(b, 0.0) else None


@identity("add", "-x + -y = -(x + y)", ZERO_SIGN)
def _add_negatives(look: Look, let: Let) -> Atom | None:
    a, b = (look.made(arg, "negative") for arg in let.args)
    if a is None or b is None or not (look.once(a.target) and look.once(b.target)):
        return None
    return look.emit("negative", look.emit("add", a.args[0], b.args[0]))


@identity("add", "x + -y = x - y")
def _add_negative(look: Look, let: Let) -> Atom | None:
    a, b = let.args
    if (right := look.made(b, "negative")) is not None:
        return look.emit("subtract", a, right.args[0])
    if (left := look.made(a, "negative")) is not None:
        return look.emit("subtract", b, left.args[0])
    return None


@identity("subtract", "x - 0 = x")
def _subtract_zero(look: Look, let: Let) -> Atom | None:
    return let.args[0] if literal(let.args[1], 0.0) else None


@identity("subtract", "0 - x = -x", ZERO_SIGN)
def _zero_minus(look: Look, let: Let) -> Atom | None:
    return look.emit("negative", let.args[1]) if literal(let.args[0], 0.0) else None


@identity("subtract", "x - -y = x + y")
def _subtract_negative(look: Look, let: Let) -> Atom | None:
    right = look.made(let.args[1], "negative")
    return None if right is None else look.emit("add", let.args[0], right.args[0])


@identity("negative", "-(-x) = x")
def _negative_twice(look: Look, let: Let) -> Atom | None:
    inner = look.made(let.args[0], "negative")
    return None if inner is None else inner.args[0]


@identity("negative", "-(x - y) = y - x", ZERO_SIGN)
def _negative_difference(look: Look, let: Let) -> Atom | None:
    inner = look.made(let.args[0], "subtract")
    if inner is None or not look.once(inner.target):
        return None
    return look.emit("subtract", inner.args[1], inner.args[0])


@identity("negative", "-literal")
def _negative_literal(look: Look, let: Let) -> Atom | None:
    (a,) = let.args
    return Const(-a.value, a.type) if isinstance(a, Const) and a.type.is_float else None


@identity("add", "x + x = 2 * x")
def _add_itself(look: Look, let: Let) -> Atom | None:
    a, b = let.args
    if a is not b or not a.type.is_float or a.type.is_complex:
        return None
    return look.emit("multiply", Const(2.0, _scalar(a.type)), a)


@identity("add", "2 * x + x = 3 * x")
def _add_thrice(look: Look, let: Let) -> Atom | None:
    for a, b in (let.args, let.args[::-1]):
        double = look.made(a, "multiply")
        if double is not None and literal(double.args[0], 2.0) and double.args[1] is b and look.once(a):
            return look.emit("multiply", Const(3.0, _scalar(b.type)), b)
    return None


def _scalar(type: ir.Type) -> ir.Type:
    return ir.Type(type.dtype)


# ---- integers


def _offset(look: Look, atom: Atom) -> tuple[Atom, int] | None:
    """(x, c) where atom is x + c or x - c."""
    for op, sign in (("add", 1), ("subtract", -1)):
        let = look.made(atom, op)
        if let is not None and (c := integer(let.args[1])) is not None:
            return let.args[0], sign * c
    return None


def _shifted(look: Look, let: Let, sign: int) -> Atom | None:
    amount = integer(let.args[1])
    inner = _offset(look, let.args[0])
    if let.target.type != ir.I8 or amount is None or inner is None:
        return None
    base, already = inner
    total = already + sign * amount
    if total == 0:
        return base
    return look.emit("add" if total > 0 else "subtract", base, Const(abs(total), ir.I8))


@identity("add", "(n + 1) + 2 = n + 3, integers")
def _add_shift(look: Look, let: Let) -> Atom | None:
    return _shifted(look, let, 1)


@identity("subtract", "(n + 1) - 1 = n, integers")
def _subtract_shift(look: Look, let: Let) -> Atom | None:
    return _shifted(look, let, -1)


@identity("larger", "max(n, n) = n")
def _larger_same(look: Look, let: Let) -> Atom | None:
    a, b = let.args
    return a if a is b else None


@identity("nonnegative", "max(length, 0) = length")
def _nonnegative_length(look: Look, let: Let) -> Atom | None:
    (a,) = let.args
    lengths = ("dim", "size", "trips", "nonnegative")
    return a if any(look.made(a, op) is not None for op in lengths) else None


# ---- products


@identity("multiply", "x * 1 = x")
def _times_one(look: Look, let: Let) -> Atom | None:
    a, b = let.args
    return b if literal(a, 1.0) else a if literal(b, 1.0) else None


@identity("multiply", "x * 1 = x in the precision of 1")
def _times_wide_one(look: Look, let: Let) -> Atom | None:
    a, b = let.args
    narrow = b if literal(a, 1.0) else a if literal(b, 1.0) else None
    wide = (ir.Type("f4", let.target.type.rank), "f8")
    if narrow is None or (narrow.type, let.target.type.dtype) != wide:
        return None
    return look.emit("cast", narrow, dtype="f8")


@identity("multiply", "abs(x) * abs(x) = x * x")
def _size_by_itself(look: Look, let: Let) -> Atom | None:
    a, b = let.args
    made = look.made(a, "absolute") or look.made(a, "fabs")
    if a is not b or made is None or made.args[0].type.dtype not in ("f4", "f8"):
        return None
    return look.emit("multiply", made.args[0], made.args[0])


@identity("square", "abs(x)**2 = x**2")
def _square_of_size(look: Look, let: Let) -> Atom | None:
    return _even_power(look, let, 2)


@identity("power", "abs(x)**n = x**n, n even")
def _power_of_size(look: Look, let: Let) -> Atom | None:
    n = let.args[1]
    return _even_power(look, let, n.value.real) if isinstance(n, Const) else None


def _even_power(look: Look, let: Let, n: float) -> Atom | None:
    made = look.made(let.args[0], "absolute") or look.made(let.args[0], "fabs")
    if made is None or n % 2 or n < 0 or made.args[0].type.dtype not in ("f4", "f8"):
        return None
    return look.emit(let.op.name, made.args[0], *let.args[1:], **let.params)


@identity("multiply", "r * r = x * x + y * y for r = hypot(x, y), the sum of squares for a norm", ROUNDING)
def _length_by_itself(look: Look, let: Let) -> Atom | None:
    return _squared_length(look, let, 2) if let.args[0] is let.args[1] else None


@identity("square", "r**2 = x * x + y * y for r = hypot(x, y), the sum of squares for a norm", ROUNDING)
def _square_of_length(look: Look, let: Let) -> Atom | None:
    return _squared_length(look, let, 2)


@identity("power", "r**n for even n by the square of r, a hypot or a norm", ROUNDING)
def _power_of_length(look: Look, let: Let) -> Atom | None:
    n = let.args[1]
    return _squared_length(look, let, n.value.real) if isinstance(n, Const) else None


def _squared_length(look: Look, let: Let, n: float) -> Atom | None:
    """The nth power of a length by its square, which is smooth at 0."""
    if n % 2 or n < 2 or not let.target.type.is_float:
        return None
    hypot, norm = look.made(let.args[0], "hypot"), look.made(let.args[0], "norm")
    if hypot is not None:
        square = look.emit("add", *(look.emit("multiply", a, a) for a in hypot.args))
    elif norm is not None and not norm.args[0].type.is_complex:
        square = look.emit("sum", look.emit("multiply", norm.args[0], norm.args[0]), **norm.params)
    else:
        return None
    return square if n == 2 else look.emit("power", square, Const(n / 2, ir.F8))


@identity("multiply", "x * -1 = -x")
def _times_minus_one(look: Look, let: Let) -> Atom | None:
    a, b = let.args
    other = b if literal(a, -1.0) else a if literal(b, -1.0) else None
    return None if other is None else look.emit("negative", other)


@identity("multiply", "5 * (2 * x) = 10 * x")
def _scaled_twice(look: Look, let: Let) -> Atom | None:
    """Doubling is exact but where it overflows, and there the larger product overflows too; as long as the product of
    the literals is exact."""
    for outer, arg in (let.args, let.args[::-1]):
        inner = look.made(arg, "multiply")
        if inner is None or not look.once(inner.target) or not _integral(outer) or abs(outer.value) < 1:
            continue
        for two, x in (inner.args, inner.args[::-1]):
            if not isinstance(two, Const) or not (literal(two, 2.0) or literal(two, 4.0)):
                continue
            both = int(outer.value.real) * int(two.value.real)
            if abs(both) < SMALL:
                kind = let.target.type
                return look.emit("multiply", Const(both if kind.dtype[0] in "iu" else float(both), kind), x)
    return None


def _integral(atom: Atom) -> TypeGuard[Const]:
    return isinstance(atom, Const) and atom.type.dtype[0] in "fiu" and float(atom.value.real).is_integer()


def _sign_out(look: Look, let: Let) -> Atom | None:
    """The signs of factors move out, where they meet sums."""
    inner = [look.made(arg, "negative") for arg in let.args]
    if all(i is None or not look.once(i.target) for i in inner):
        return None
    args = [arg if i is None else i.args[0] for arg, i in zip(let.args, inner, strict=True)]
    out = look.emit(let.op.name, *args, **let.params)
    return look.emit("negative", out) if sum(i is not None for i in inner) == 1 else out


@identity("multiply", "-x * y = -(x * y)")
def _multiply_sign(look: Look, let: Let) -> Atom | None:
    return _sign_out(look, let)


@identity("divide", "-x / y = -(x / y)")
def _divide_sign(look: Look, let: Let) -> Atom | None:
    return _sign_out(look, let)


@identity("matmul", "-x @ y = -(x @ y)")
def _product_sign(look: Look, let: Let) -> Atom | None:
    return _sign_out(look, let)


@identity("divide", "x / 1 = x")
def _divide_one(look: Look, let: Let) -> Atom | None:
    return let.args[0] if literal(let.args[1], 1.0) else None


# ---- choices and logic


@identity("where", "where(True, x, y) = x")
def _where_known(look: Look, let: Let) -> Atom | None:
    cond, a, b = let.args
    return (a if cond.value else b) if isinstance(cond, Const) else None


@identity("where", "where(c, x, x) = x")
def _where_same(look: Look, let: Let) -> Atom | None:
    cond, a, b = let.args
    return a if cond.type.rank == 0 and isinstance(a, Var) and a is b else None


@identity("logical_not", "not not c = c")
def _not_not(look: Look, let: Let) -> Atom | None:
    inner = look.made(let.args[0], "logical_not")
    return None if inner is None else inner.args[0]


@identity("logical_and", "True and c = c, False and c = False")
def _and_known(look: Look, let: Let) -> Atom | None:
    return _logic(let, absorbing=False)


@identity("logical_or", "False or c = c, True or c = True")
def _or_known(look: Look, let: Let) -> Atom | None:
    return _logic(let, absorbing=True)


def _logic(let: Let, absorbing: bool) -> Atom | None:
    for known, other in (let.args, let.args[::-1]):
        if isinstance(known, Const) and known.type == other.type == ir.B1:
            return known if bool(known.value) is absorbing else other
    return let.args[0] if isinstance(let.args[0], Var) and let.args[0] is let.args[1] else None


# ---- casts, shapes and broadcasts


@identity("cast", "a cast to the type it has")
def _cast_same(look: Look, let: Let) -> Atom | None:
    return let.args[0]  # taken only if the types agree


@identity("cast", "a cast there and back, through a wider type")
def _cast_back(look: Look, let: Let) -> Atom | None:
    inner = look.made(let.args[0], "cast")
    if inner is None or (inner.args[0].type.dtype, inner.target.type.dtype) != ("f4", "f8"):
        return None
    return inner.args[0]


@identity("cast", "a literal of another float type")
def _cast_literal(look: Look, let: Let) -> Atom | None:
    (a,) = let.args
    if not isinstance(a, Const) or not let.target.type.is_float or a.type.dtype not in ("f8", "i8"):
        return None
    if let.target.type == ir.C16:
        return Const(complex(a.value), ir.C16)
    return Const(float(a.value.real), ir.F8) if let.target.type == ir.F8 else None


@identity("broadcast_like", "x already has the shape")
def _broadcast_same(look: Look, let: Let) -> Atom | None:
    x, like = let.args
    return x if look.shapes.same(x, like) else None


@identity("unbroadcast", "a sum over the axes that were repeated, where they are known")
def _unbroadcast_along(look: Look, let: Let) -> Atom | None:
    """New leading axes go, axes of length 1 stay; all others must surely be of the same length."""
    x, like = let.args
    new = x.type.rank - like.type.rank
    old, kept = look.shapes.dims(x)[new:], look.shapes.dims(like)
    ones = tuple(k for k, (a, b) in enumerate(zip(old, kept, strict=True)) if b == ONE and a != ONE)
    others = [(a, b) for k, (a, b) in enumerate(zip(old, kept, strict=True)) if k not in ones]
    if like.type.rank == 0 or not all(look.shapes.equal(a, b) for a, b in others):
        return None
    if new:
        x = look.emit("sum", x, axes=tuple(range(new)), keepdims=False)
    return look.emit("sum", x, axes=ones, keepdims=True) if ones else x


@identity("unbroadcast", "x already has the shape")
def _unbroadcast_same(look: Look, let: Let) -> Atom | None:
    x, like = let.args
    return x if look.shapes.same(x, like) else None


@identity("not_equal", "n != n of lengths that are surely equal is false")
def _lengths_agree(look: Look, let: Let) -> Atom | None:
    a, b = let.args
    if a.type != ir.I8 or b.type != ir.I8 or not look.shapes.same_length(a, b):
        return None
    return Const(False, ir.B1)
