"""Constructs that give an array of a wanted shape."""

from __future__ import annotations

import math
from collections.abc import Callable

from tests.fuzz.writer import Make, Shape, Unfit, Writer, construct

UNARY = (
    "np.sin({})",
    "np.tanh({})",
    "np.cos({})",
    "np.exp(-({}) ** 2)",
    "np.sqrt(1.0 + ({}) ** 2)",
    "np.arctan({})",
    "-({})",
    "np.log(2.0 + np.sin({}))",
    "np.square({}) * 0.5",
    "np.tanh({}) + 0.1",
)


def array(name: str) -> Callable[[Make], Make]:
    return construct("array", name)


def operand(w: Writer, shape: Shape) -> str:
    return w.array(shape, 0)


@array("array name")
def array_name(w: Writer, shape: Shape, depth: int) -> str:
    return str(w.pick(w.arrays(*shape)))


@array("times scalar")
def times_scalar(w: Writer, shape: Shape, depth: int) -> str:
    p = w.array(shape, depth - 1)
    return str(
        w.pick(
            (
                f"({p}) * {w.scalar(0)}",
                f"{w.scalar(0)} * ({p})",
                f"{p} + {w.scalar(0)}",
                f"{w.scalar(0)} - ({p})",
                f"({p}) / (2.0 + {w.scalar(0)} ** 2)",
            )
        )
    )


@array("elementwise")
def elementwise(w: Writer, shape: Shape, depth: int) -> str:
    return str(w.pick(UNARY)).format(w.array(shape, depth - 1))


@array("sum of arrays")
def sum_of_arrays(w: Writer, shape: Shape, depth: int) -> str:
    return f"{operand(w, shape)} {w.pick('+-')} 0.5 * ({w.array(shape, depth - 1)})"


@array("product of arrays")
def product_of_arrays(w: Writer, shape: Shape, depth: int) -> str:
    return f"{operand(w, shape)} * ({w.array(shape, depth - 1)})"


@array("quotient of arrays")
def quotient_of_arrays(w: Writer, shape: Shape, depth: int) -> str:
    q = operand(w, shape)
    return f"({w.array(shape, depth - 1)}) / (2.0 + {q} * {q})"


@array("broadcast")
def broadcast(w: Writer, shape: Shape, depth: int) -> str:
    """With an array of fewer axes."""
    if len(shape) < 2:
        raise Unfit
    return f"{operand(w, shape)} {w.pick('*+-')} {w.pick(w.arrays(*shape[1:]))}"


@array("broadcast axes of length 1")
def broadcast_ones(w: Writer, shape: Shape, depth: int) -> str:
    column = tuple(n if k != len(shape) - 1 else 1 for k, n in enumerate(shape))
    row = (1, *shape[1:])
    other = w.pick([*w.arrays(*column), *w.arrays(*row)] if shape not in (column, row) else [])
    return f"{operand(w, shape)} {w.pick('*+-')} {other}"


def parts(w: Writer, shape: Shape, steps: tuple[int, ...]) -> str:
    """A slice, of this shape, of an array of the same rank that is as large or larger."""
    fits = [
        n
        for n in w.names("array", lambda s: len(s) == len(shape))
        if all(p >= (q - 1) * abs(steps[0]) + 1 for p, q in zip(w.shape(n), shape, strict=True)) and shape
    ]
    name = w.pick([n for n in fits if w.shape(n) != shape or abs(steps[0]) == 1])
    return f"{name}[{', '.join(part(w, p, q, w.pick(steps)) for p, q in zip(w.shape(name), shape, strict=True))}]"


def part(w: Writer, length: int, wanted: int, step: int) -> str:
    """A slice that takes `wanted` of `length` places at this step."""
    reach = (wanted - 1) * abs(step) + 1
    if wanted == 0:
        return "1:1"
    start = w.random.randint(0, length - reach)
    if step > 0:
        first = "" if start == 0 else str(start)
        end = start + reach
        last = (
            ""
            if end == length or (step > 1 and end + step > length)
            else str(end - length)
            if w.chance(0.4)
            else str(end)
        )
        return f"{first}:{last}" + (f":{step}" if step > 1 else "")
    top = start + reach - 1
    last = "" if start == 0 else str(start - 1)
    return f"{'' if top == length - 1 and start < -step else top}:{last}:{step}"


@array("slice read")
def slice_read(w: Writer, shape: Shape, depth: int) -> str:
    if w.chance(0.3) and len(shape) == 1:
        i = w.pick(w.names("int", lambda s: s[0] >= 0))
        name = w.pick(w.names("array", lambda s: len(s) == 1 and s[0] >= w.shape(i)[1] + shape[0]))
        return f"{name}[{i} : {i} + {shape[0]}]"
    return parts(w, shape, (1,))


@array("reversed read")
def reversed_read(w: Writer, shape: Shape, depth: int) -> str:
    return parts(w, shape, (-1,))


@array("strided read")
def strided_read(w: Writer, shape: Shape, depth: int) -> str:
    return parts(w, shape, (w.pick((2, 2, -2)),))


@array("row read")
def row_read(w: Writer, shape: Shape, depth: int) -> str:
    name = w.pick(w.names("array", lambda s: len(s) == len(shape) + 1 and s[1:] == shape and s[0] > 0))
    return f"{name}[{w.index(w.shape(name)[0])}]"


@array("column read")
def column_read(w: Writer, shape: Shape, depth: int) -> str:
    name = w.pick(w.names("array", lambda s: len(s) == 2 and s[:1] == shape and s[1] > 0))
    return f"{name}[:, {w.index(w.shape(name)[1])}]"


@array("transposed read")
def transposed_read(w: Writer, shape: Shape, depth: int) -> str:
    name = w.pick(w.arrays(*shape[::-1]) if len(shape) > 1 else [])
    return str(w.pick((f"{name}.T", f"np.transpose({name})", f"{name}.transpose()")))


@array("reshaped read")
def reshaped_read(w: Writer, shape: Shape, depth: int) -> str:
    size = math.prod(shape)
    name = w.pick(w.names("array", lambda s: math.prod(s) == size and s != shape))
    if len(shape) == 1 and w.chance(0.5):
        return str(w.pick((f"{name}.ravel()", f"{name}.flatten()", f"np.ravel({name})")))
    sizes = ", ".join(map(str, shape))
    return str(w.pick((f"{name}.reshape({sizes})", f"np.reshape({name}, ({sizes},))")))


@array("index array read")
def index_array_read(w: Writer, shape: Shape, depth: int) -> str:
    if len(shape) != 1:
        raise Unfit
    known = w.names("indices", lambda s: s[0] == shape[0])
    if known and w.chance(0.6):
        k = w.pick(known)
        least = w.shape(k)[1] + 1
        return f"{w.pick(w.vectors(least))}[{k}]"
    name = w.pick(w.vectors(2))
    places = [w.random.randrange(w.shape(name)[0]) for _ in range(shape[0])]
    if not places:
        raise Unfit
    return f"{name}[np.array({places})]"


@array("mask in where")
def where_(w: Writer, shape: Shape, depth: int) -> str:
    a = operand(w, shape)
    other = w.array(shape, depth - 1) if w.chance(0.6) else w.scalar(0)
    return f"np.where({a} {w.pick('<>')} {w.pick(('0.1', '0.3', operand(w, shape)))}, {operand(w, shape)}, {other})"


@array("maximum")
def maximum(w: Writer, shape: Shape, depth: int) -> str:
    return (
        f"np.{w.pick(('maximum', 'minimum'))}({operand(w, shape)}, {w.pick((w.scalar(0), w.array(shape, depth - 1)))})"
    )


@array("array abs")
def array_abs(w: Writer, shape: Shape, depth: int) -> str:
    return f"{w.pick(('np.abs', 'abs'))}({operand(w, shape)})"


@array("clip")
def clip(w: Writer, shape: Shape, depth: int) -> str:
    return f"np.clip({operand(w, shape)}, -0.45, 0.85)"


@array("array power")
def array_power(w: Writer, shape: Shape, depth: int) -> str:
    return f"({w.array(shape, depth - 1)}) ** {w.pick((2, 3, 0, 1, 2))}"


def reduced(w: Writer, shape: Shape) -> tuple[str, int]:
    """An array that has this shape when one axis is left out, and that axis."""
    fits = [
        (n, axis)
        for n in w.names("array", lambda s: len(s) == len(shape) + 1 and 0 not in s)
        for axis in range(len(shape) + 1)
        if w.shape(n)[:axis] + w.shape(n)[axis + 1 :] == shape
    ]
    name, axis = w.pick(fits)
    return name, axis


@array("axis reduction")
def axis_reduction(w: Writer, shape: Shape, depth: int) -> str:
    name, axis = reduced(w, shape)
    shown = axis - len(shape) - 1 if w.chance(0.3) else axis
    return str(
        w.pick(
            (f"np.sum({name}, axis={shown})", f"{name}.mean(axis={shown})", f"np.mean({name} * {name}, axis={shown})")
        )
    )


@array("axis extremum")
def axis_extremum(w: Writer, shape: Shape, depth: int) -> str:
    name, axis = reduced(w, shape)
    return f"{name}.{w.pick(('max', 'min'))}(axis={axis})"


@array("norm of rows")
def norm_of_rows(w: Writer, shape: Shape, depth: int) -> str:
    name, axis = reduced(w, shape)
    return f"np.linalg.norm({name}, axis={axis})"


@array("cumulative sum")
def cumulative_sum(w: Writer, shape: Shape, depth: int) -> str:
    if len(shape) != 1:
        raise Unfit
    return f"np.cumsum({w.array(shape, depth - 1)}) * 0.4"


@array("matrix product")
def matrix_product(w: Writer, shape: Shape, depth: int) -> str:
    if len(shape) == 1:
        name = w.pick([m for m in w.matrices() if shape[0] in w.shape(m)])
        left = w.shape(name)[0] == shape[0] and w.chance(0.6)
        left = left or w.shape(name)[1] != shape[0]
        v = w.pick(w.arrays(w.shape(name)[1 if left else 0]))
        return f"({name} @ {v}) * 0.4" if left else f"np.dot({v}, {name}) * 0.3"
    if len(shape) != 2:
        raise Unfit
    p = w.pick([m for m in w.matrices() if w.shape(m)[0] == shape[0]])
    inner = w.shape(p)[1]
    if shape[1] == inner == shape[0] or not w.arrays(inner, shape[1]):
        q = w.pick(w.arrays(shape[1], inner))
        return f"({p} @ {q}.T) * 0.3"
    return f"np.dot({p}, {w.pick(w.arrays(inner, shape[1]))}) * 0.3"


@array("outer product")
def outer_product(w: Writer, shape: Shape, depth: int) -> str:
    if len(shape) != 2:
        raise Unfit
    return f"np.outer({w.pick(w.arrays(shape[0]))}, {w.pick(w.arrays(shape[1]))})"


@array("solve")
def solve(w: Writer, shape: Shape, depth: int) -> str:
    if len(shape) != 1 or shape[0] < 1:
        raise Unfit
    m = w.pick(w.arrays(shape[0], shape[0]))
    return f"np.linalg.solve({m} * 0.3 + 4.0 * np.eye({shape[0]}), {operand(w, shape)})"


@array("made array")
def made_array(w: Writer, shape: Shape, depth: int) -> str:
    size = ", ".join(map(str, shape))
    size = size if len(shape) == 1 else f"({size})"
    choices = [f"np.zeros({size})", f"np.ones({size})", f"np.full({size}, {w.scalar(0)})"]
    known = w.arrays(*shape)
    if known:
        choices += [f"np.zeros_like({w.pick(known)})", f"np.full_like({w.pick(known)}, 0.7)"]
    if len(shape) == 1 and shape[0] > 1:
        choices += [f"np.linspace(0.0, 1.0, {shape[0]})", f"np.arange({shape[0]}) * 0.3"]
    return str(w.pick(choices))


@array("array of scalars")
def array_of_scalars(w: Writer, shape: Shape, depth: int) -> str:
    if len(shape) != 1 or not 0 < shape[0] < 5:
        raise Unfit
    return f"np.array([{', '.join(w.scalar(0) for _ in range(shape[0]))}]) * 1.0"


@array("array comprehension")
def array_comprehension(w: Writer, shape: Shape, depth: int) -> str:
    if len(shape) != 1 or shape[0] < 1:
        raise Unfit
    k = w.fresh("k")
    name = w.pick(w.arrays(*shape))
    return str(
        w.pick(
            (
                f"np.array([{name}[{k}] * {w.scalar(0)} for {k} in range({shape[0]})])",
                f"np.array([math.sin({k}) * {w.scalar(0)} for {k} in {name}])",
            )
        )
    )


@array("array ternary")
def array_ternary(w: Writer, shape: Shape, depth: int) -> str:
    return f"({w.array(shape, 1)} if {w.condition()} else {w.array(shape, 1)})"


@array("copied")
def copied(w: Writer, shape: Shape, depth: int) -> str:
    name = operand(w, shape)
    return str(
        w.pick(
            (
                f"{name}.copy()",
                f"np.copy({name})",
                f"np.array({name})",
                f"np.asarray({name})",
                f"np.ascontiguousarray({name})",
            )
        )
    )


@array("empty slice")
def empty_slice(w: Writer, shape: Shape, depth: int) -> str:
    name = w.pick(w.vectors())
    return f"{operand(w, shape)} + np.sum({name}[1:1])"


@array("helper array")
def helper_array(w: Writer, shape: Shape, depth: int) -> str:
    w.helpers.add("smooth")
    return f"smooth({operand(w, shape)}, {w.scalar(0)})"


@array("cast")
def cast(w: Writer, shape: Shape, depth: int) -> str:
    return f"{operand(w, shape)} * (1.0 + {operand(w, shape)}.astype(np.int64))"
