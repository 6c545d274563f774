"""Constructs that are statements without a block: names, elements and parts of arrays."""

from __future__ import annotations

import math
from collections.abc import Callable

from tests.fuzz import arrays as expressions
from tests.fuzz.writer import FLOAT, Kind, Make, Unfit, Writer, array, construct

Lines = list[str]


def statement(name: str) -> Callable[[Make], Make]:
    return construct("statement", name)


def tame(w: Writer, text: str) -> str:
    """In a loop a value that feeds itself is bounded."""
    return f"math.tanh({text})" if w.loops and w.chance(0.7) else text


def tame_array(w: Writer, text: str) -> str:
    return f"np.tanh({text})" if w.loops and w.chance(0.7) else text


# ---- names


@statement("scalar assigned")
def scalar_assigned(w: Writer) -> Lines:
    value = tame(w, w.scalar(2))
    return [f"{w.bind(w.target(FLOAT), FLOAT)} = {value} * 1.0"]


@statement("scalar updated")
def scalar_updated(w: Writer) -> Lines:
    name = w.pick([n for n in w.names("float") if n not in w.frozen])
    op = w.pick(("+=", "-=", "*=", "/=", "+="))
    value = tame(w, w.scalar(1))
    return [f"{name} {op} {f'2.0 + ({value}) ** 2' if op == '/=' else value}"]


@statement("scalars swapped")
def scalars_swapped(w: Writer) -> Lines:
    p, q = pair(w, [n for n in w.names("float") if n not in w.frozen])
    return [f"{p}, {q} = {q}, {w.pick((p, f'math.sin({p})', f'{p} * {q}'))}"]


def pair(w: Writer, names: list[str]) -> list[str]:
    if len(names) < 2:
        raise Unfit
    return w.random.sample(names, 2)


@statement("tuple assigned")
def tuple_assigned(w: Writer) -> Lines:
    values = w.scalar(1), w.scalar(1)
    p, q = w.target(FLOAT), w.fresh("q")
    w.bind(p, FLOAT)
    w.bind(q, FLOAT)
    return [f"{p}, {q} = {values[0]} * 1.0, {values[1]} * 1.0"]


@statement("chained assignment")
def chained(w: Writer) -> Lines:
    name = w.pick(w.names("array"))
    kind = w.scope[name]
    value = w.array(kind.shape, 1)
    p, q = w.fresh("p"), w.fresh("q")
    w.bind(p, kind)
    w.bind(q, kind)
    return [f"{p} = {q} = {value}"]


@statement("walrus")
def walrus(w: Writer) -> Lines:
    value, name, target = w.scalar(1), w.fresh("z"), w.target(FLOAT)
    lines = [f"{target} = ({name} := {value} * 1.0) * {w.scalar(0)} + {name}"]
    w.bind(name, FLOAT)
    w.bind(target, FLOAT)
    return lines


@statement("name of several types")
def several_types(w: Writer) -> Lines:
    """At the top of the function only: where paths meet, a name must hold one kind of thing."""
    if w.depth:
        raise Unfit
    name = w.fresh("v")
    source = w.pick(w.names("array", lambda s: 0 not in s))
    kind = w.scope[source]
    first, second = f"{w.scalar(1)} * 1.0", w.array(kind.shape, 1)
    w.bind(name, kind)
    if w.chance(0.5):
        return [f"{name} = {first}", f"{name} = {second} * {name}"]
    w.bind(name, FLOAT)
    return [f"{name} = {second}", f"{name} = np.sum({name}) * 0.3"]


@statement("integer state")
def integer_state(w: Writer) -> Lines:
    """A place that goes on by steps; it is carried round loops."""
    n = 3
    known = [j for j in w.names("int", lambda s: s == (0, n - 1)) if j.startswith("j") and j not in w.frozen]
    if known:
        j = w.pick(known)
        step = w.pick((*"12", *w.names("int", lambda s: s[0] >= 0)))
        return [f"{j} = ({j} {w.pick(('+', '* 2 +'))} {step}) % {n}"]
    j, value = w.fresh("j"), w.pick(("0", "1", "2", f"int(abs({w.scalar(0)}) * 7.0) % {n}"))
    w.bind(j, Kind("int", (0, n - 1)))
    return [f"{j} = {value}"]


@statement("assert")
def assert_(w: Writer) -> Lines:
    return [f"assert {w.pick(w.names('float'))} < 1e30"]


# ---- elements and parts


def place(w: Writer, name: str) -> str:
    shape = w.shape(name)
    if 0 in shape:
        raise Unfit
    return f"{name}[{', '.join(w.index(n) for n in shape)}]"


@statement("element stored")
def element_stored(w: Writer) -> Lines:
    name = w.pick(w.names("array"))
    return [f"{place(w, name)} = {tame(w, w.scalar(2))}"]


@statement("element updated")
def element_updated(w: Writer) -> Lines:
    name, op = w.pick(w.names("array")), w.pick(("+=", "-=", "*=", "/=", "+=", "**="))
    value = tame(w, w.scalar(1))
    value = {"/=": f"2.0 + ({value}) ** 2", "**=": w.pick("23")}.get(op, value)
    return [f"{place(w, name)} {op} {value}"]


@statement("elements swapped")
def elements_swapped(w: Writer) -> Lines:
    p, q = w.pick(w.names("array")), w.pick(w.names("array"))
    first, second = place(w, p), place(w, q)
    return [f"{first}, {second} = {second}, {first}{w.pick(('', f' * {w.scalar(0)}'))}"]


@statement("elements written together")
def elements_written_together(w: Writer) -> Lines:
    """What is read before either is written."""
    p, q = w.pick(w.names("array")), w.pick(w.names("array"))
    return [f"{place(w, p)}, {place(w, q)} = {place(w, q)}, {tame(w, f'{place(w, p)} * {w.scalar(0)}')}"]


def window(w: Writer) -> tuple[str, tuple[int, ...]]:
    """A part of a vector or of a matrix, and its shape."""
    name = w.pick(w.names("array", lambda s: len(s) in (1, 2) and 0 not in s))
    shape = w.shape(name)
    wanted = tuple(w.random.randint(1, n) for n in shape)
    step = w.pick((1, 1, 1, 2, -1))
    if any((n - 1) * abs(step) + 1 > m for n, m in zip(wanted, shape, strict=True)):
        step = 1
    return f"{name}[{', '.join(expressions.part(w, m, n, step) for n, m in zip(wanted, shape, strict=True))}]", wanted


@statement("slice stored")
def slice_stored(w: Writer) -> Lines:
    part, shape = window(w)
    return [f"{part} = {tame_array(w, w.array(shape, 2))} * 1.0"]


@statement("slice filled")
def slice_filled(w: Writer) -> Lines:
    part, _ = window(w)
    return [f"{part} = {w.scalar(1)}"]


@statement("slice updated")
def slice_updated(w: Writer) -> Lines:
    part, shape = window(w)
    op = w.pick(("+=", "-=", "*=", "/="))
    value = tame_array(w, w.array(shape, 1)) if w.chance(0.7) else w.scalar(0)
    return [f"{part} {op} {f'2.0 + ({value}) ** 2' if op == '/=' else value}"]


WINDOWS = (("1:", ":-1"), (":-1", "1:"), ("1:-1", ":-2"), ("1:-1", "2:"), (":", "::-1"), ("::-1", ":"), ("1:", "::-1"))


@statement("overlapping slices")
def overlapping(w: Writer) -> Lines:
    name = w.pick(w.vectors(3))
    to, of = w.pick(WINDOWS[:6])
    source = w.pick([name, *w.arrays(*w.shape(name))])
    if (to, of) in WINDOWS[:4] and w.chance(0.4):
        return [f"{name}[{to}] = {source}[{of}]"]
    change = w.pick(("* {}", "* 0.7 + {}", "+ 0.3 * {}")).format(w.scalar(0))
    return [f"{name}[{to}] {w.pick(('=', '+=', '*='))} {source}[{of}] {change}"]


@statement("overlapping slices of two strides")
def overlapping_strides(w: Writer) -> Lines:
    name = w.pick(w.vectors(3))
    (n,) = w.shape(name)
    source = w.pick([name, *w.arrays(n)])
    half = ["::2", f"{n // 2}:", f":{(n + 1) // 2}", "::-2" if n % 2 else "-2::-2", f"{(n - 1) // 2}::-1"]
    to, of = w.random.sample(half, 2)
    return [f"{name}[{to}] {w.pick(('=', '+='))} {tame_array(w, f'{source}[{of}] * {w.scalar(0)}')}"]


@statement("row stored")
def row_stored(w: Writer) -> Lines:
    m = w.pick(w.matrices())
    rows, columns = w.shape(m)
    row = w.pick((f"{m}[{w.index(rows)}]", f"{m}[{w.index(rows)}, :]"))
    return [f"{row} {w.pick(('=', '=', '+=', '*='))} {tame_array(w, w.array((columns,), 1))} * 1.0"]


@statement("column stored")
def column_stored(w: Writer) -> Lines:
    m = w.pick(w.matrices())
    rows, columns = w.shape(m)
    value = tame_array(w, w.array((rows,), 1))
    return [f"{m}[:, {w.index(columns)}] {w.pick(('=', '=', '+=', '*='))} {value} * 1.0"]


@statement("block stored")
def block_stored(w: Writer) -> Lines:
    m = w.pick(w.names("array", lambda s: len(s) == 2 and min(s) >= 2))
    k = w.index(w.shape(m)[0])
    return [
        w.pick(
            (
                f"{m}[1:, :] {w.pick(('=', '+='))} {m}[:-1, :] * {w.scalar(0)}",
                f"{m}[:, 1:] {w.pick(('=', '*='))} {m}[:, :-1] * {w.scalar(0)}",
                f"{m}[{k}, 1:] = {m}[{k}, :-1] * {w.scalar(0)}",
                f"{m}[:, 0:1] = {m}[:, 1:2] * {w.scalar(0)}",
                f"{m}[0:1] *= {m}[1:2] + {w.scalar(0)}",
            )
        )
    ]


@statement("whole stored")
def whole_stored(w: Writer) -> Lines:
    name = w.pick(w.names("array"))
    value = tame_array(w, w.array(w.shape(name), 1))
    return [
        str(w.pick((f"{name}[:] = {value} * 1.0", f"{name}[...] = {value} * 1.0", f"np.copyto({name}, {value} * 1.0)")))
    ]


@statement("array filled")
def array_filled(w: Writer) -> Lines:
    name = w.pick(w.names("array"))
    return [str(w.pick((f"{name}.fill({w.scalar(0)})", f"{name}[:] = {w.scalar(1)}")))]


def mask(w: Writer, name: str) -> str:
    return f"{w.array(w.shape(name), 0)} {w.pick('<>')} {w.pick(('0.1', '0.4', '-0.1'))}"


@statement("mask filled")
def mask_filled(w: Writer) -> Lines:
    name = w.pick(w.names("array"))
    return [f"{name}[{mask(w, name)}] = {w.scalar(0)}"]


@statement("mask stored")
def mask_stored(w: Writer) -> Lines:
    name = w.pick(w.names("array"))
    m = w.fresh("mask")
    lines = [f"{m} = {mask(w, name)}"]
    return [*lines, f"{name}[{m}] {w.pick(('*=', '+='))} {w.scalar(0)}"]


def places(w: Writer, length: int, repeats: bool) -> tuple[str, int]:
    known = w.names("indices", lambda s: s[1] < length)
    if known and w.chance(0.5) and repeats:
        k = w.pick(known)
        return k, w.shape(k)[0]
    count = w.random.randint(1, length)
    of = [w.random.randrange(length) for _ in range(count)] if repeats else w.random.sample(range(length), count)
    return f"np.array({of})", count


@statement("index array stored")
def index_array_stored(w: Writer) -> Lines:
    name = w.pick(w.vectors(2))
    k, count = places(w, w.shape(name)[0], True)
    value = w.array((count,), 1) if w.chance(0.7) else w.scalar(0)
    return [f"{name}[{k}] = {value}"]


@statement("index array updated")
def index_array_updated(w: Writer) -> Lines:
    name = w.pick(w.vectors(2))
    k, count = places(w, w.shape(name)[0], w.chance(0.5))
    value = w.array((count,), 1) if w.chance(0.7) else w.scalar(0)
    if w.chance(0.3):
        return [f"np.{w.pick(('add', 'add', 'subtract', 'multiply'))}.at({name}, {k}, {value})"]
    return [f"{name}[{k}] {w.pick(('+=', '*=', '-='))} {value}"]


@statement("diagonal run")
def diagonal_run(w: Writer) -> Lines:
    m = w.pick(w.names("array", lambda s: len(s) == 2 and min(s) >= 2))
    i = w.fresh("i")
    return [f"for {i} in range({min(w.shape(m))}):", f"    {m}[{i}, {i}] += {w.scalar(0)} * {m}[0, {i}]"]


# ---- arrays as names


@statement("array rebound")
def array_rebound(w: Writer) -> Lines:
    kind = w.scope[w.pick(w.names("array"))]
    value = w.array(kind.shape, 2)
    return [f"{w.bind(w.target(kind, 'a'), kind)} = {tame_array(w, value)} * 1.0"]


@statement("array updated in place")
def array_updated(w: Writer) -> Lines:
    name = w.pick(w.names("array"))
    op = w.pick(("+=", "-=", "*=", "/=", "+=", "*=", "**="))
    value = tame_array(w, w.array(w.shape(name), 1)) if w.chance(0.7) else w.scalar(0)
    value = {"/=": f"2.0 + ({value}) ** 2", "**=": "2"}.get(op, value)
    return [f"{name} {op} {value}"]


@statement("alias")
def alias(w: Writer) -> Lines:
    name = w.pick(w.names("array"))
    kind = w.scope[name]
    return [f"{w.bind(w.target(kind, 'b'), kind)} = {name}"]


@statement("view")
def view(w: Writer) -> Lines:
    name = w.pick(w.names("array", lambda s: 0 not in s))
    shape = w.shape(name)
    options: list[tuple[str, tuple[int, ...]]] = [(f"{name}[::-1]", shape)]
    if shape[0] > 1:
        options += [(f"{name}[1:]", (shape[0] - 1, *shape[1:])), (f"{name}[:-1]", (shape[0] - 1, *shape[1:]))]
        options += [(f"{name}[::2]", ((shape[0] + 1) // 2, *shape[1:])), (f"{name}[1::2]", (shape[0] // 2, *shape[1:]))]
    if len(shape) > 1:
        options += [(f"{name}[{w.index(shape[0])}]", shape[1:]), (f"{name}.T", shape[::-1])] * 2
        options += [(f"{name}[:, {w.index(shape[1])}]", (shape[0], *shape[2:]))] * 2
        options += [(f"{name}.reshape({math.prod(shape)})", (math.prod(shape),))]
    text, new = w.pick(options)
    return [f"{w.bind(w.target(array(*new), 'v'), array(*new))} = {text}"]


@statement("view written")
def view_written(w: Writer) -> Lines:
    """Through a name that is not read again: what it shows is read by its array's."""
    name = w.pick(w.vectors(2))
    part, length = w.pick((("1:", w.shape(name)[0] - 1), (":-1", w.shape(name)[0] - 1), ("::-1", w.shape(name)[0])))
    v = w.fresh("v")
    return [f"{v} = {name}[{part}]", f"{v}[{w.index(length)}] {w.pick(('=', '=', '+=', '*='))} {tame(w, w.scalar(1))}"]


@statement("copy")
def copy(w: Writer) -> Lines:
    name = w.pick(w.names("array"))
    kind = w.scope[name]
    return [f"{w.bind(w.target(kind, 'c'), kind)} = {w.pick((f'{name}.copy()', f'np.copy({name})', f'{name} + 0.0'))}"]


def alike(w: Writer, count: int) -> list[str]:
    """Arrays of one shape."""
    name = w.pick([n for n in w.names("array") if n not in w.frozen])
    same = [n for n in w.arrays(*w.shape(name)) if n not in w.frozen]
    if len(same) < count:
        raise Unfit
    return w.random.sample(same, count)


@statement("arrays swapped")
def arrays_swapped(w: Writer) -> Lines:
    p, q = alike(w, 2)
    return [f"{p}, {q} = {q}, {p}"]


@statement("arrays rotated")
def arrays_rotated(w: Writer) -> Lines:
    p, q, r = alike(w, 3)
    return [f"{p}, {q}, {r} = {q}, {r}, {p}"]


@statement("scratch array")
def scratch(w: Writer) -> Lines:
    kind = w.scope[w.pick(w.names("array"))]
    size = ", ".join(map(str, kind.shape))
    size = size if len(kind.shape) == 1 else f"({size})"
    known = w.arrays(*kind.shape)
    text = w.pick(
        (
            f"np.zeros({size})",
            f"np.ones({size})",
            f"np.zeros_like({w.pick(known)})",
            f"np.full({size}, {w.scalar(0)} * 1.0)",
        )
    )
    return [f"{w.bind(w.target(kind, 'w'), kind)} = {text}"]


@statement("array chosen")
def array_chosen(w: Writer) -> Lines:
    p, q = alike(w, 2)
    kind = w.scope[p]
    text = f"{p} if {w.condition()} else {w.pick((q, f'{q}[::-1]', f'{q} * 0.5'))}"
    return [f"{w.bind(w.target(kind, 'c'), kind)} = {text}"]


@statement("out argument")
def out_argument(w: Writer) -> Lines:
    p, q = w.pick(w.names("array")), w.pick(w.names("array"))
    if w.shape(p) != w.shape(q):
        raise Unfit
    return [f"np.{w.pick(('multiply', 'add'))}({p}, {w.array(w.shape(p), 1)}, out={q})"]
