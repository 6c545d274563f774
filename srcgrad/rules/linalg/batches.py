"""Leading axes that products of stacks share: where one operand has length 1, it is repeated, as in NumPy."""

from __future__ import annotations

from collections.abc import Sequence

from srcgrad.core import ir
from srcgrad.core.shapes import ONE, Dim
from srcgrad.rules.language.values import Val, emit
from srcgrad.rules.scalar.compare import equal, logical_and, not_equal, where
from srcgrad.rules.shapes.axes import broadcast_to
from srcgrad.rules.shapes.broadcast import squeeze
from srcgrad.rules.shapes.shape import length

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of the axes that `...` stands for, from the last one on
DIFFER = "the lengths of the stacks differ, and none of them is 1"


def matched(values: Sequence[Val], terms: Sequence[str]) -> tuple[list[Val], list[str]]:
    """The operands with their letters; a leading axis of theirs is as long in each, or not there."""
    found = [_without_ones(v, t, values, terms) for v, t in zip(values, terms, strict=True)]
    values, terms = [v for v, _ in found], [t for _, t in found]
    joint = {c: n for c in LETTERS if (n := _joint(c, values, terms)) is not None}
    return [_repeated(v, t, joint) for v, t in zip(values, terms, strict=True)], terms


def _dims(letter: str, values: Sequence[Val], terms: Sequence[str]) -> list[Dim]:
    """What is known of the lengths that operands have there."""
    shapes = values[0].builder.shapes
    pairs = zip(values, terms, strict=True)
    return [shapes.first(shapes.dims(v.atom)[t.index(letter)]) for v, t in pairs if letter in t]


def _without_ones(value: Val, term: str, values: Sequence[Val], terms: Sequence[str]) -> tuple[Val, str]:
    """The operand without axes that surely have length 1 where another's may be longer."""
    shared = [c for c in LETTERS if c in term and set(_dims(c, values, terms)) - {ONE}]
    alone = [k for k, c in enumerate(term) if c in shared and _dims(c, [value], [term]) == [ONE]]
    if not alone:
        return value, term
    return squeeze(value, axes=tuple(alone)), "".join(c for k, c in enumerate(term) if k not in alone)


def _joint(letter: str, values: Sequence[Val], terms: Sequence[str]) -> Val | None:
    """The length of an axis to which some operands may have to be repeated; None if they surely need not."""
    builder, dims = values[0].builder, _dims(letter, values, terms)
    if len(set(dims)) < 2:
        return None
    if all(map(builder.shapes.is_long, dims)):
        builder.shapes.met = True
        return None
    first, *more = (length(v, t.index(letter)) for v, t in zip(values, terms, strict=True) if letter in t)
    for other in more:
        unlike = emit(logical_and, emit(not_equal, first, first.lift(1)), emit(not_equal, other, other.lift(1)))
        unlike = emit(logical_and, unlike, emit(not_equal, first, other))
        raising = ir.Effect(f"raise ValueError({DIFFER!r})", span=builder.span)
        builder.put(ir.If(unlike.atom, (raising,), (), span=builder.span))
        first = emit(where, emit(equal, first, first.lift(1)), other, first)
    return first


def _repeated(value: Val, term: str, joint: dict[str, Val]) -> Val:
    if not any(c in joint for c in term):
        return value
    lengths = [joint[c] if c in joint else length(value, k) for k, c in enumerate(term)]
    return broadcast_to(value, *lengths)
