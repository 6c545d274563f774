"""Operations on literals, done when the program is made."""

from __future__ import annotations

from srcgrad.core.ir import B1, I8, Const, Let
from srcgrad.simplify.values.identities import LARGE, fold

DIVISIONS = frozenset({"floor_divide", "remainder"})
CHOICES = frozenset({"where"})


def folded(let: Let) -> Const | None:
    """The literal that the operation gives, where all that it is given are literals and it is exact."""
    values = [a.value for a in let.args if isinstance(a, Const)]
    if len(let.targets) != 1 or not values or len(values) != len(let.args):
        return None
    if let.op.traits.folds:
        return fold(let)
    kind, name = let.target.type, let.op.name
    if name == "cast" and kind.is_float and not kind.is_complex and let.args[0].type in (I8, B1):
        number = int(values[0].real)
        return Const(float(number), kind) if abs(number) < 2**24 else None  # a float32 holds it, too
    if kind != I8 or not all(isinstance(v, (bool, int)) and abs(v) < LARGE for v in values):
        return None
    if name in CHOICES or (name in DIVISIONS and values[1]):
        return Const(int(let.op.evaluate(*values, **let.params)), I8)
    return None
