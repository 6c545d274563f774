"""New arrays: zeros, ones, full, copies, arrays of given elements, ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import arguments, promotion, registry
from srcgrad.rules.language.declare import as_value, cast, static
from srcgrad.rules.language.raising import raise_if
from srcgrad.rules.language.values import Val, contents, emit
from srcgrad.rules.shapes.shape import dims

# ---- of one value


def _allocate(builder: Builder, dtype: str, shape: Sequence[Val], init: ir.Init | Val) -> Val:
    start = init if isinstance(init, ir.Init) else _number(init, dtype).atom
    return Val(builder, builder.alloc(dtype, tuple(n.atom for n in shape), start))


def _number(value: Val, dtype: str) -> Val:
    """A scalar as an element of this dtype: a literal stays one."""
    kind = arguments.scalar_type(dtype)
    known = static(value)
    if known is not None and not isinstance(known, complex):
        convert = {"c": complex, "f": float, "i": int, "b": bool}[kind.dtype[0]]
        return Val(value.builder, ir.Const(convert(known), kind))
    return cast(value, kind.dtype)


def _filled(name: str, init: ir.Init | float) -> Any:
    def call(builder: Builder, shape: Any, dtype: Any = float, **options: Any) -> Val:
        arguments.no_options({k: v for k, v in options.items() if (k, v) != ("order", "C")}, name)
        start = init if isinstance(init, ir.Init) else as_value(builder, init)
        return _allocate(builder, arguments.dtype_of(dtype), arguments.lengths(builder, shape), start)

    return call


def _filled_like(name: str, init: ir.Init | float) -> Any:
    def call(builder: Builder, like: Any, dtype: Any = None, shape: Any = None, **options: Any) -> Val:
        arguments.no_options(options, name)
        model = arguments.as_array(builder, like)
        if model.type.rank == 0:
            raise UnsupportedError(f"{name} takes an array, not a scalar; index or loop over numbers instead")
        code = model.type.dtype if dtype is None else arguments.dtype_of(dtype)
        start = init if isinstance(init, ir.Init) else as_value(builder, init)
        return _allocate(builder, code, dims(model) if shape is None else arguments.lengths(builder, shape), start)

    return call


registry.adaptor(np.zeros)(_filled("np.zeros", ir.Init.ZEROS))
registry.adaptor(np.ones)(_filled("np.ones", 1))
registry.adaptor(np.empty, np.ndarray)(_filled("np.empty", ir.Init.EMPTY))
registry.adaptor(np.zeros_like)(_filled_like("np.zeros_like", ir.Init.ZEROS))
registry.adaptor(np.ones_like)(_filled_like("np.ones_like", 1))
registry.adaptor(np.empty_like)(_filled_like("np.empty_like", ir.Init.EMPTY))


def _full_of(builder: Builder, dtype: str, shape: Sequence[Val], value: Val) -> Val:
    promotion.fits(np.dtype(dtype), [value])
    if value.type.rank == 0:
        return _allocate(builder, dtype, shape, value)
    new = _allocate(builder, dtype, shape, ir.Init.EMPTY)
    builder.store(_ref(new), None, cast(contents(value), dtype).atom)
    return new


@registry.adaptor(np.full)
def _full(builder: Builder, shape: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Val:
    arguments.no_options(options, "np.full")
    value = arguments.as_array(builder, fill_value)
    code = value.type.dtype if dtype is None else arguments.dtype_of(dtype)
    return _full_of(builder, code, arguments.lengths(builder, shape), value)


@registry.adaptor(np.full_like)
def _full_like(builder: Builder, like: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Val:
    arguments.no_options(options, "np.full_like")
    model = arguments.array_value(builder, like, "np.full_like")
    code = model.type.dtype if dtype is None else arguments.dtype_of(dtype)
    return _full_of(builder, code, dims(model), arguments.as_array(builder, fill_value))


@registry.adaptor(np.identity)
def _identity(builder: Builder, n: Any, dtype: Any = float) -> Val:
    return _eye(builder, n, dtype=dtype)


@registry.adaptor(np.eye)
def _eye(builder: Builder, N: Any, M: Any = None, k: Any = 0, dtype: Any = float, **options: Any) -> Val:
    arguments.no_options({name: v for name, v in options.items() if (name, v) != ("order", "C")}, "np.eye")
    rows, columns = arguments.lengths(builder, (N, N if M is None else M))
    offset, code = arguments.integer(k, "k"), arguments.dtype_of(dtype)
    new = _allocate(builder, code, (rows, columns), ir.Init.ZEROS)
    down, right = max(-offset, 0), max(offset, 0)
    turns = rows if M is None else registry.FUNCTIONS[min](builder, rows - down, columns - right)
    if M is None and offset:
        turns = rows - abs(offset)
    on_diagonal(new, turns, (down, right), ir.Const(_unit(code), arguments.scalar_type(code)))
    return new


def on_diagonal(matrix: Val, turns: Val, start: tuple[int, int], value: ir.Atom) -> None:
    """matrix[i + down, i + right] = value for so many i"""
    builder, at = matrix.builder, ir.Var("i", ir.I8)
    with builder.block() as body:
        place = Val(builder, at)
        row, column = ((place + n if n else place).atom for n in start)
        builder.store(_ref(matrix), (row, column), value)
    zero, one = (ir.Const(k, ir.I8) for k in (0, 1))
    builder.put(ir.For(at, zero, turns.atom, one, (), tuple(body), span=builder.span))


def _unit(code: str) -> float | int | bool | complex:
    return {"f": 1.0, "i": 1, "u": 1, "b": True, "c": 1 + 0j}[code[0]]


# ---- copies


def _ref(value: Val) -> ir.Var:
    assert isinstance(value.atom, ir.Var)
    return value.atom


def _is_memory(value: Val) -> bool:
    return isinstance(value.atom, ir.Var) and value.type.ref


def copied(x: Val) -> Val:
    """Fresh memory with the contents of x; a scalar as it is."""
    value = contents(x)
    if value.type.rank == 0:
        return value
    name = x.atom.name if isinstance(x.atom, ir.Var) else "a"
    return Val(x.builder, x.builder.alloc(value.type.dtype, (), init=value.atom, name=name))


@registry.adaptor(np.copy)
def _copy(builder: Builder, x: Any, **options: Any) -> Val:
    arguments.no_options(options, "np.copy")
    return copied(arguments.as_array(builder, x))


def _copy_in_order(builder: Builder, x: Any, **options: Any) -> Val:
    """The method: unlike np.copy it gives C order, whatever x has."""
    arguments.no_options(options, "copy")
    new = copied(arguments.as_array(builder, x))
    if _is_memory(new):
        builder.layouts.assume_ordered(_ref(new))
    return new


registry.METHODS["copy"] = _copy_in_order


def _astype(builder: Builder, x: Any, dtype: Any, copy: Any = True, **options: Any) -> Val:
    arguments.no_options(options, "astype")
    code = arguments.dtype_of(dtype)
    given = arguments.as_array(builder, x)
    if not arguments.flag(copy, "copy") and given.type.dtype == code:
        return given
    if given.type.is_complex and code[0] != "c":
        raise UnsupportedError("complex numbers are made real, which drops their imaginary parts", hint="take .real")
    value = contents(given)
    if value.type.rank == 0:
        return cast(value, arguments.scalar_type(code).dtype)
    return copied(value) if value.type.dtype == code else cast(value, code)


registry.METHODS["astype"] = _astype


@registry.adaptor(np.asarray)
def _asarray(builder: Builder, x: Any, dtype: Any = None, copy: Any = None, **options: Any) -> Val:
    arguments.no_options({k: v for k, v in options.items() if (k, v) != ("order", "C")}, "np.asarray")
    if copy is not None:
        return _array(builder, x, dtype, copy=copy)
    given = arguments.as_array(builder, x)
    if given.type.rank == 0:
        raise UnsupportedError("np.asarray of a scalar is not supported; use the scalar itself, or np.array([x])")
    return given if dtype is None or arguments.dtype_of(dtype) == given.type.dtype else _astype(builder, given, dtype)


@registry.adaptor(np.ascontiguousarray)
def _ascontiguousarray(builder: Builder, x: Any, dtype: Any = None) -> Val:
    given: Val = _asarray(builder, x, dtype)
    if not _is_memory(given) or builder.layouts.ordered(_ref(given)):
        return given
    new = copied(given)
    builder.layouts.assume_ordered(_ref(new))
    builder.layouts.doubtful(_ref(new), _ref(given))
    return new


# ---- of given elements


def _elements(builder: Builder, given: Any) -> list[Any] | Val:
    """Nested lists of values, with rows that are arrays kept whole."""
    if isinstance(given, (tuple, list)):
        return [_elements(builder, item) for item in given]
    return as_value(builder, given)


def _shape_of(builder: Builder, items: list[Any] | Val) -> tuple[Val, ...]:
    if isinstance(items, Val):
        return dims(items)
    if not items:
        return (as_value(builder, 0),)
    inner = [_shape_of(builder, item) for item in items]
    if any(len(shape) != len(inner[0]) for shape in inner):
        raise UnsupportedError("the rows of np.array have different numbers of axes; make them of one shape")
    for shape in inner[1:]:
        for a, b in zip(inner[0], shape, strict=True):
            _check_equal(builder, a, b)
    return (as_value(builder, len(items)), *inner[0])


def _check_equal(builder: Builder, a: Val, b: Val) -> None:
    if a.atom == b.atom or builder.shapes.length(a.atom) == builder.shapes.length(b.atom):
        return
    if static(a) is not None and static(b) is not None:
        raise UnsupportedError("the rows of np.array have different lengths; make them of one length")
    wrong = emit(registry.PRIMITIVES["not_equal"], a, b)
    raise_if(builder, wrong, "the rows of np.array have different lengths")


def _leaves(items: list[Any] | Val, at: tuple[int, ...] = ()) -> list[tuple[tuple[int, ...], Val]]:
    if isinstance(items, Val):
        return [(at, items)]
    return [leaf for k, item in enumerate(items) for leaf in _leaves(item, (*at, k))]


def _uncopied(builder: Builder, given: Any, dtype: Any, never: bool) -> Val:
    """np.array with copy=None or (never) copy=False."""
    found: Val = _asarray(builder, given, dtype)
    if never and (not isinstance(given, Val) or found.atom is not given.atom):
        raise UnsupportedError("np.array with copy=False fails where a copy is needed", hint="leave out the copy")
    return found


@registry.adaptor(np.array)
def _array(builder: Builder, given: Any, dtype: Any = None, copy: Any = True, **options: Any) -> Val:
    arguments.no_options(options, "np.array")
    if copy is None or not arguments.flag(copy, "copy"):
        return _uncopied(builder, given, dtype, copy is not None)
    if not isinstance(given, (tuple, list)):
        value = arguments.as_array(builder, given)
        if value.type.rank == 0:
            raise UnsupportedError("np.array of a scalar is not supported; use the scalar itself, or np.array([x])")
        return copied(value) if dtype is None else _astype(builder, value, dtype)
    items = _elements(builder, given)
    leaves = _leaves(items)
    found = arguments.result_type([v.type.dtype for _, v in leaves]) if leaves else "f8"
    code = found if dtype is None else arguments.dtype_of(dtype)
    values = [(at, contents(v)) for at, v in leaves]
    new = _allocate(builder, code, _shape_of(builder, items), ir.Init.EMPTY)
    for at, value in values:
        index: ir.Index = (*(ir.Const(k, ir.I8) for k in at), *(ir.Slice(),) * value.type.rank)
        element = _number(value, code) if value.type.rank == 0 else cast(value, code)
        builder.store(_ref(new), index, element.atom)
    return new


# ---- filled


@registry.adaptor(np.copyto)
def _copyto(builder: Builder, target: Any, source: Any, where: Any = True, **options: Any) -> None:
    arguments.no_options({k: v for k, v in options.items() if (k, v) != ("casting", "same_kind")}, "np.copyto")
    if static(where) is not True and where is not True:
        source = registry.FUNCTIONS[np.where](builder, where, arguments.as_array(builder, source), contents(target))
    _fill(builder, target, source)


def _fill(builder: Builder, x: Any, value: Any) -> None:
    if not isinstance(x, Val) or not _is_memory(x):
        raise UnsupportedError("only an array that has a name can be filled")
    source = contents(arguments.as_array(builder, value))
    if source.type.rank > x.type.rank:
        message = f"a {source.type.rank}-D value does not fit into a {x.type.rank}-D array"
        raise UnsupportedError(message, hint="index the value, or widen the target")
    if "iubfc".index(source.type.dtype[0]) > max(2, "iubfc".index(x.type.dtype[0])):
        kind, hint = (
            ("complex number", "make the array complex, or take .real")
            if source.type.is_complex
            else ("float", "make the array float")
        )
        message = f"a {kind} is stored into an array of {x.type.dtype_name}, which would cut it off"
        raise UnsupportedError(message, hint=hint)
    element = _number(source, x.type.dtype) if source.type.rank == 0 else cast(source, x.type.dtype)
    builder.store(_ref(x), None, element.atom)


registry.METHODS["fill"] = _fill
