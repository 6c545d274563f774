"""Functions of matrices for each matrix of a stack, whose leading axes are gone through in loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import cast, static
from srcgrad.rules.language.values import Val, contents
from srcgrad.rules.shapes.axes import expect_equal, memory_of
from srcgrad.rules.shapes.shape import length

DIFFER = "the lengths of stacks differ; repeat the shorter one by np.broadcast_to"


def float_memory(builder: Builder, x: Any, name: str) -> Val:
    """An array of floats as memory."""
    value = memory_of(builder, x, name)
    if value.type.is_float:
        return value
    return memory_of(builder, cast(contents(value), "f8"), name)


def _turns(operands: Sequence[Val], ranks: Sequence[int]) -> list[tuple[Val, list[int | None]]]:
    """For each leading axis of the result its length, and each operand's axis there (None: it is the same for all)."""
    leads = [v.type.rank - rank for v, rank in zip(operands, ranks, strict=True)]
    most = max(leads)
    turns: list[tuple[Val, list[int | None]]] = []
    for place in range(most):
        axes = [place - (most - lead) if place >= most - lead else None for lead in leads]
        sizes = [None if k is None else length(v, k) for v, k in zip(operands, axes, strict=True)]
        long = [n for n in sizes if n is not None and static(n) != 1]
        for other in long[1:]:
            expect_equal(operands[0].builder, long[0], other, DIFFER)
        turns.append((next(iter(long or [n for n in sizes if n is not None])), axes))
    return turns


def _row(operand: Val, indices: Sequence[Val], axes: Sequence[int | None]) -> Val:
    """The matrix (or vector) of the stack at these indices."""
    places = {k: i for i, k in zip(indices, axes, strict=True) if k is not None}
    item: list[ir.Item] = [ir.Slice() for _ in range(operand.type.rank)]
    for k, i in places.items():
        item[k] = const(0) if static(length(operand, k)) == 1 else i.atom
    assert isinstance(operand.atom, ir.Var)
    return Val(operand.builder, operand.builder.load(operand.atom, tuple(item)))


def for_each(
    call: Callable[..., Any],
    operands: Sequence[Val],
    ranks: Sequence[int],
    shapes: Callable[[int], Sequence[Sequence[Val]]],
) -> tuple[Val, ...]:
    """What call(*matrices) gives of each matrix (an array of as many axes as `ranks` says) in these stacks, in memory.

    shapes: (how many results there are) -> the lengths of each.
    """
    builder = operands[0].builder
    turns = _turns(operands, ranks)
    indices = [Val(builder, ir.Var("ijkl"[axis % 4], ir.I8)) for axis in range(len(turns))]
    with builder.block() as body:
        rows = [_row(v, indices, [axes[n] for _, axes in turns]) for n, v in enumerate(operands)]
        got = call(*rows)
        results = [contents(r) for r in (got if isinstance(got, tuple) else (got,))]
    lead = [n.atom for n, _ in turns]
    outs = []
    for result, shape in zip(results, shapes(len(results)), strict=True):
        out = builder.alloc(result.type.dtype, [*lead, *(n.atom for n in shape)], ir.Init.EMPTY, name="stack")
        index = (*(i.atom for i in indices), *(ir.Slice() for _ in shape))
        body.append(ir.Store(out, index, result.atom, span=builder.span))
        outs.append(Val(builder, out))
    stmts: Sequence[ir.Stmt] = body
    for i, n in zip(reversed(indices), reversed(lead), strict=True):
        assert isinstance(i.atom, ir.Var)
        stmts = (ir.For(i.atom, const(0), n, const(1), (), tuple(stmts), span=builder.span),)
    builder.put(stmts[0])
    return tuple(outs)


# ---- functions of one matrix


def _shape(value: Val, letters: str) -> list[Val]:
    """Lengths by letters: m rows, n columns, k the smaller of both."""
    m, n = length(value, value.type.rank - 2), length(value, value.type.rank - 1)
    known = {"m": m, "n": n}
    if "k" in letters:
        known["k"] = registry.FUNCTIONS[min](value.builder, m, n)
    return [known[c] for c in letters]


def _those(shapes: Sequence[str], single: str, count: int) -> Sequence[str]:
    return shapes if count == len(shapes) else [single]


def of_stacks(*shapes: str, single: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator of an adaptor whose first argument is a matrix: a stack of matrices is taken one after the other.

    shapes: those of the results, by the letters of `_shape`.   single: that of the only one, where several are usual.
    """

    def decorate(plain: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(plain)
        def call(builder: Builder, a: Any, *args: Any, **options: Any) -> Any:
            given = arguments.as_array(builder, a)
            if given.type.rank <= 2:
                return plain(builder, a, *args, **options)
            stack = float_memory(builder, given, plain.__name__)
            kinds: list[Any] = []

            def one(matrix: Val) -> Any:
                got = plain(builder, matrix, *args, **options)
                kinds.append(type(got))
                return got

            out = for_each(one, [stack], [2], lambda count: [_shape(stack, s) for s in _those(shapes, single, count)])
            (kind,) = kinds
            return out[0] if kind is Val else kind(*out) if hasattr(kind, "_fields") else out

        return call

    return decorate
