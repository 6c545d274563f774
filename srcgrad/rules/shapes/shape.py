"""Lengths, and the same elements in another shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder, whole
from srcgrad.core.layouts import LAYOUT, Why
from srcgrad.core.walk import defined
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import At, Rule, linear, static, zero
from srcgrad.rules.language.values import Val, contents, emit
from srcgrad.rules.shapes.broadcast import Params, Types, extent

_matrix = np.array([[0.3, -1.2, 2.0], [1.5, 0.7, -0.4]])
_tower = np.stack([_matrix, -2.0 * _matrix])

# ---- lengths

dim = zero(
    "dim",
    (),
    is_length=True,
    measures=True,
    python_integer=True,
    infer=lambda types, params: (ir.I8,),
    evaluate=lambda x, axis: x.shape[axis],
    template="_0.shape[axis]",
    samples=[(_matrix,), (_tower,), At(_matrix[0], axis=0)],
    params=[{"axis": 0}, {"axis": 1}],
    elementwise=False,
    takes_complex=True,
)
has_one = zero(
    "has_one",
    (),
    infer=lambda types, params: (ir.B1,),
    evaluate=lambda x: 1 in x.shape,
    template="1 in _0.shape",
    samples=[(_matrix[0],), (_matrix,), (_tower,), (_tower[:, :1],)],
    elementwise=False,
    takes_complex=True,
)
# looked at where a call comes in, whatever is known of the axis from there on
is_one, is_not_one = (
    zero(
        name,
        (),
        infer=lambda types, params: (ir.B1,),
        evaluate=evaluate,
        template=f"_0.shape[axis] {compared} 1",
        samples=[(_matrix,), (_tower,), (_tower[:, :1],), At(_matrix[0], axis=0)],
        params=[{"axis": 0}, {"axis": 1}],
        elementwise=False,
        takes_complex=True,
    )
    for name, compared, evaluate in (
        ("is_one", "==", lambda x, axis: x.shape[axis] == 1),
        ("is_not_one", "!=", lambda x, axis: x.shape[axis] != 1),
    )
)
size = zero(
    "size",
    (),
    is_length=True,
    infer=lambda types, params: (ir.I8,),
    evaluate=np.size,
    template="_0.size",
    samples=[(_matrix[0],), (_matrix,), (_tower,)],
    elementwise=False,
    takes_complex=True,
)


def length(x: Val, axis: int) -> Val:
    """The length of an axis of memory or of a value: the literal or variable that it is known to be, else asked for."""
    token = x.builder.dims(x.atom)[axis]
    if isinstance(token, ir.Const) or (isinstance(token, ir.Var) and token.type == ir.I8):
        return Val(x.builder, token)
    if type(token) is tuple and len(token) == 2 and _at_hand(x.builder, token[0]):
        return emit(dim, Val(x.builder, token[0]), name="n", axis=token[1])
    return emit(dim, x, name="n", axis=axis)


def _at_hand(builder: Builder, source: Any) -> bool:
    """Whether this is memory, or a value of the block that is being built (others can't be used here)."""
    if not isinstance(source, ir.Var):
        return False
    return source.type.ref or any(source in defined(stmt) for stmt in reversed(builder.out))


def dims(x: Val) -> tuple[Val, ...]:
    return tuple(length(x, axis) for axis in range(x.type.rank))


def count(x: Val, axes: Sequence[int] | None = None) -> Val:
    """How many elements there are along these axes (by default all)."""
    over = range(x.type.rank) if axes is None else axes
    if len(over) == x.type.rank > 1:
        return emit(size, extent(x), name="n")
    return product([length(x, k) for k in over], x.builder)


def product(lengths: Sequence[Val], builder: Builder) -> Val:
    out = Val(builder, ir.Const(1, ir.I8))
    for n in lengths:
        out = n if static(out) == 1 else out if static(n) == 1 else out * n
    return out


@registry.adaptor(len)
def _len(builder: Builder, x: Any) -> Val:
    if not isinstance(x, Val):
        return Val(builder, ir.Const(len(x), ir.I8))
    if x.type.rank == 0:
        raise UnsupportedError("a scalar has no len()")
    return length(x, 0)


@registry.adaptor(np.size)
def _size(builder: Builder, x: Any, axis: Any = None) -> Val:
    value = arguments.as_array(builder, x)
    return count(value, None if axis is None else [arguments.one_axis(axis, value.type.rank)])


@registry.adaptor(np.shape)
def _shape(builder: Builder, x: Any) -> tuple[Val, ...]:
    return dims(arguments.as_array(builder, x))


@registry.adaptor(np.ndim)
def _ndim(builder: Builder, x: Any) -> Val:
    return Val(builder, ir.Const(arguments.as_array(builder, x).type.rank, ir.I8))


# ---- transposed


def _transpose_back(g: Val, x: Val, axes: tuple[int, ...]) -> Val:
    return transpose(g, axes=tuple(int(k) for k in np.argsort(axes)))


def _transpose_template(types: Types, params: Params) -> str:
    axes = params["axes"]
    backwards = axes == tuple(reversed(range(len(axes))))
    return "np.ascontiguousarray(_0.T)" if backwards else f"np.ascontiguousarray(np.transpose(_0, {axes}))"


def _transpose_kernel(types: Types, params: Params) -> str:
    axes = params["axes"]
    return "" if axes == (*reversed(range(len(axes))),) else f"transpose_{'_'.join(map(str, axes))}"


transpose: Rule = linear(
    "transpose",
    (),
    straight=True,
    moves=True,
    transpose=_transpose_back,
    infer=lambda types, params: (types[0],),
    evaluate=lambda x, axes: np.ascontiguousarray(np.transpose(x, axes)),
    template=_transpose_template,
    kernel=_transpose_kernel,
    dims=lambda dims, params: tuple(dims[0][k] for k in params["axes"]),
    samples=[(_matrix,), At(_tower, axes=(1, 2, 0)), At(_tower, axes=(0, 2, 1)), At(_tower, axes=(2, 1, 0))],
    params=[{"axes": (1, 0)}],
    without={"1-D": "one axis has one order"},
)


@registry.adaptor(np.transpose, methods=("transpose",))
def _transposed(builder: Builder, x: Any, *given_axes: Any, axes: Any = None) -> Val:
    value = arguments.as_array(builder, x)
    axes = given_axes if axes is None else (axes,)
    given = axes[0] if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (tuple, list))) else axes
    rank = value.type.rank
    chosen = given if axes and given is not None else range(rank - 1, -1, -1)
    order = tuple(arguments.one_axis(k, rank) for k in chosen)
    if sorted(order) != list(range(rank)):
        raise UnsupportedError(f"{order} does not name each axis of a {rank}-D array once")
    if order == tuple(range(rank)):
        return value
    if isinstance(value.atom, ir.Var) and value.type.ref:
        return Val(builder, builder.view(value.atom, ir.Transpose(order)))
    return emit(transpose, value, axes=order)


# ---- reshaped


def _reshape_back(g: Val, x: Val, *lengths: Val) -> Val:
    return reshape(g, *dims(x))


reshape: Rule = linear(
    "reshape", (), straight=True, shaped=True, in_order=True, moves=True, transpose=_reshape_back,
    infer=lambda types, params: (ir.Type(types[0].dtype, len(types) - 1),),
    evaluate=lambda x, *lengths: np.ascontiguousarray(x).reshape(lengths),
    template=lambda types, params: "np.ascontiguousarray(_0).reshape(("
    + "".join(f"_{k}, " for k in range(1, len(types))).removesuffix(" " if len(types) == 2 else ", ") + "))",
    samples=[
        (_matrix, 3, 2), (_matrix, 6), (_matrix, 1, 3, 2), (_tower, 4, 3), (_matrix[0], 3, 1), (_matrix[:0], 3, 0),
    ],
)  # fmt: skip


def target_shape(x: Val, shape: Any) -> tuple[Val, ...]:
    """The lengths that are asked for, one of which may be -1: what is left."""
    wanted = arguments.lengths(x.builder, shape)
    free = [k for k, n in enumerate(wanted) if static(n) == -1]
    if not free:
        return wanted
    if len(free) > 1:
        raise UnsupportedError("only one length of a shape can be -1; write the others out")
    others = product([n for k, n in enumerate(wanted) if k not in free], x.builder)
    rest = count(x) if static(others) == 1 else registry.FUNCTIONS[np.floor_divide](x.builder, count(x), others)
    return tuple(rest if k in free else n for k, n in enumerate(wanted))


def reshaped(x: Val, shape: Any) -> Val:
    """Memory: the same memory where it surely is a view, else a copy. A value: a value."""
    lengths = target_shape(x, shape)
    if x.type.rank == 0 or not lengths:
        raise UnsupportedError("reshaping from or to a scalar is not supported; index an element instead")
    same = x.type.rank == len(lengths) == 1
    if isinstance(x.atom, ir.Var) and x.type.ref:
        return x if same else _reshaped_memory(x, x.atom, lengths)
    return x if same else emit(reshape, x, *lengths)


def _reshaped_memory(x: Val, ref: ir.Var, lengths: tuple[Val, ...]) -> Val:
    builder = x.builder
    if builder.layouts.contiguous(ref):
        view = builder.view(ref, ir.Reshape(tuple(n.atom for n in lengths)))
        if not builder.layouts.ordered(ref):
            builder.layouts.doubtful(view, ref)
        return Val(builder, view)
    return as_copy(emit(reshape, contents(x), *lengths), x)


def as_copy(value: Val, x: Val, why: Why = LAYOUT) -> Val:
    """A value that NumPy takes by a view of x: a copy, that nothing may write into if x is memory."""
    if not isinstance(x.atom, ir.Var) or not x.type.ref or value.type.rank == 0:
        return value
    copy = x.builder.alloc(value.type.dtype, (), init=value.atom, name=x.atom.name)
    x.builder.layouts.doubtful(copy, x.atom, why)
    return Val(x.builder, copy)


def in_order(order: Any, name: str) -> None:
    if order not in ("C", "A", "K"):
        raise UnsupportedError(f"{name} is differentiated in C order only", hint="transpose before and after")
    if order != "C":
        raise UnsupportedError(f"{name} with order={order!r} depends on the layout in memory; leave it out")


@registry.adaptor(np.reshape, methods=("reshape",))
def _reshape(builder: Builder, x: Any, *shape: Any, **options: Any) -> Val:
    in_order(options.pop("order", "C"), "reshape")
    given = options.pop("shape") if "shape" in options and not shape else shape[0] if len(shape) == 1 else shape
    arguments.no_options(options, "reshape")
    return reshaped(arguments.as_array(builder, x), given)


@registry.adaptor(np.ravel, methods=("ravel",))
def _ravel(builder: Builder, x: Any, order: Any = "C") -> Val:
    in_order(order, "ravel")
    value = arguments.as_array(builder, x)
    return _ravelled_row(value) if value.type.ref and value.type.rank == 1 else reshaped(value, -1)


def _ravelled_row(x: Val) -> Val:
    """A view, unless the elements lie apart: then NumPy copies."""
    builder, ref = x.builder, x.atom
    if not isinstance(ref, ir.Var) or builder.layouts.contiguous(ref):
        return x
    view = builder.view(ref, whole(ref))
    builder.layouts.doubtful(view, ref)
    return Val(builder, view)


def _flatten(builder: Builder, x: Any, order: Any = "C") -> Val:
    in_order(order, "flatten")
    value = contents(arguments.as_array(builder, x))
    return value if value.type.rank == 1 else reshaped(value, -1)


registry.METHODS["flatten"] = _flatten
