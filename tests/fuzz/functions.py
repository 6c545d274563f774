"""Constructs with functions and structures: helpers that write, closures, tuples, dicts, NamedTuples, dataclasses."""

from __future__ import annotations

from tests.fuzz.statements import Lines, alike, statement
from tests.fuzz.writer import FLOAT, Unfit, Writer, indented


@statement("helper writes")
def helper_writes(w: Writer) -> Lines:
    w.helpers |= {"axpy", "shift"}
    p, q = w.pick(w.vectors()), w.pick(w.vectors())
    return [str(w.pick((f"axpy({w.scalar(0)}, {p}, {q})", f"shift({p})", f"shift({p}, {w.scalar(0)})")))]


@statement("helper writes views")
def helper_writes_views(w: Writer) -> Lines:
    w.helpers |= {"axpy", "shift"}
    p = w.pick(w.vectors(3))
    choices = [f"axpy({w.scalar(0)}, {p}[1:], {p}[:-1])", f"shift({p}[::2])", f"axpy({w.scalar(0)}, {p}[::-1], {p})"]
    for m in w.matrices()[:2]:
        rows, columns = w.shape(m)
        choices += [
            f"axpy({w.scalar(0)}, {m}[{w.index(rows)}], {m}[:, {w.index(columns)}])",
            f"shift({m}.T[{w.index(columns)}])",
        ]
    return [str(w.pick(choices))]


@statement("same array twice")
def same_twice(w: Writer) -> Lines:
    w.helpers.add("axpy")
    p = w.pick(w.vectors())
    return [f"axpy({w.scalar(0)}, {p}, {p})"]


@statement("helper returns argument")
def helper_returns(w: Writer) -> Lines:
    w.helpers |= {"pick", "shift"}
    p, q = alike(w, 2)
    kind = w.scope[p]
    name = w.target(kind, "h")
    if len(kind.shape) == 1 and kind.shape[0] and w.chance(0.3):
        text = f"shift({p}, {w.scalar(0)})"
    else:
        text = f"pick({p}, {q}, {w.condition()})"
    return [f"{w.bind(name, kind)} = {text}"]


@statement("helper with default")
def helper_default(w: Writer) -> Lines:
    w.helpers.add("scaled")
    y = w.pick(w.vectors())
    more = w.pick(("", f", {w.scalar(0)}", f", offset={w.scalar(0)}", f", factor={w.scalar(0)}"))
    text = f"scaled({y}, {w.scalar(0)}{more})"
    return [f"{w.bind(w.target(FLOAT), FLOAT)} = {text} * 1.0"]


@statement("nested function")
def nested(w: Writer) -> Lines:
    g, p = w.fresh("g"), w.fresh("p")
    free = w.pick(w.names("float"))
    lines = [f"def {g}({p}):", f"    return {free} * {p} + math.sin({w.scalar(0)} * {p})"]
    text = f"{g}({w.scalar(0)}) * {g}({w.scalar(0)})"
    return [*lines, f"{w.bind(w.target(FLOAT), FLOAT)} = {text}"]


@statement("closure writes")
def closure_writes(w: Writer) -> Lines:
    g, p = w.fresh("g"), w.fresh("p")
    a = w.pick(w.vectors())
    i = w.index(w.shape(a)[0])
    return [f"def {g}({p}):", f"    {a}[{i}] = {p} * {a}[{i}] + 0.1", f"{g}({w.scalar(0)})", f"{g}({w.scalar(0)})"]


@statement("tuple of arrays")
def tuple_of_arrays(w: Writer) -> Lines:
    """Writes through the tuple reach the arrays."""
    a, b = w.pick(w.vectors()), w.pick(w.vectors())
    p = w.fresh("p")
    i, j = w.index(w.shape(a)[0]), w.index(w.shape(b)[0])
    return [f"{p} = ({a}, {b}, {w.scalar(0)})", f"{p}[0][{i}] = {p}[1][{j}] * {p}[2]", *unpacked(w, p, b)]


def unpacked(w: Writer, p: str, of: str) -> Lines:
    if w.chance(0.5):
        return []
    name, kind = w.fresh("u"), w.scope[of]
    return [f"_, {w.bind(name, kind)}, _ = {p}"]


@statement("list of arrays")
def list_of_arrays(w: Writer) -> Lines:
    a, b = alike(w, 2)
    n = w.shape(a)[0]
    if n < 1 or len(w.shape(a)) != 1:
        raise Unfit
    rows, k = w.fresh("rows"), w.fresh("k")
    lines = [f"{rows} = [{a}, {b}, {a} * {w.scalar(0)}]", f"{rows}[{w.pick('012')}][{w.index(n)}] += {w.scalar(0)}"]
    if w.chance(0.3):
        return lines
    value = f"{rows}[{w.pick('012')}][{w.index(n)}] * {w.scalar(0)}"
    return [*lines, f"{w.bind(w.target(FLOAT), FLOAT)} = {value}"]


@statement("dict of values")
def dict_of_values(w: Writer) -> Lines:
    a, d = w.pick(w.vectors()), w.fresh("d")
    i = w.index(w.shape(a)[0])
    lines = [f'{d} = {{"w": {a}, "c": {w.scalar(1)}}}', f'{d}["w"][{i}] = {d}["c"] * {w.scalar(0)}']
    return [*lines, f'{w.bind(w.target(FLOAT), FLOAT)} = {d}["c"] * {a}[{i}]']


@statement("named tuple")
def named_tuple(w: Writer) -> Lines:
    p = w.fresh("p")
    lines = [f"{p} = Point({w.scalar(1)}, {w.scalar(0)} * 1.0)"]
    if w.chance(0.5) and w.depth < 2:
        i = w.fresh("i")
        lines += [f"for {i} in range(2):", f"    {p} = Point(math.sin({p}.v), {p}.u * {w.scalar(0)})"]
    return [*lines, f"{w.bind(w.target(FLOAT), FLOAT)} = {p}.u * {p}.v"]


@statement("dataclass")
def dataclass_(w: Writer) -> Lines:
    a, p = w.pick(w.vectors()), w.fresh("p")
    i = w.index(w.shape(a)[0])
    lines = [f"{p} = Body({a}, {w.scalar(0)} * 1.0)", f"{p}.r[{i}] *= {p}.m"]
    return [*lines, f"{w.bind(w.target(FLOAT), FLOAT)} = {p}.m * {p}.r[{i}]"]


@statement("tuple carried")
def tuple_carried(w: Writer) -> Lines:
    if w.depth >= 2:
        raise Unfit
    p, i, u, v = w.fresh("p"), w.fresh("i"), w.fresh("u"), w.fresh("v")
    first = [f"{p} = ({w.scalar(0)} * 1.0, {w.scalar(0)} * 1.0)"]
    step = [f"{u}, {v} = {p}", f"{p} = ({v}, math.sin({u}) + {v} * {w.scalar(0)})"]
    last = f"{w.bind(w.target(FLOAT), FLOAT)} = {p}[0] * {p}[1]"
    return [*first, f"for {i} in range({w.pick('023')}):", *indented(step), last]


@statement("comprehension")
def comprehension(w: Writer) -> Lines:
    k, p = w.fresh("k"), w.fresh("p")
    lines = [f"{p} = [{w.scalar(0)} * {k} + math.sin({w.scalar(0)}) for {k} in range(3)]"]
    return [*lines, f"{w.bind(w.target(FLOAT), FLOAT)} = {p}[{w.pick('012')}] * {p}[-1]"]


@statement("list appended")
def list_appended(w: Writer) -> Lines:
    p, i = w.fresh("p"), w.fresh("i")
    lines = [f"{p} = []", f"for {i} in range(3):", f"    {p}.append({w.scalar(1)} * 1.0 + {i})"]
    return [*lines, f"{w.bind(w.target(FLOAT), FLOAT)} = {p}[{w.pick('012')}] * {p}[-1]"]
