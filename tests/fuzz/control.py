"""Constructs that are statements with blocks: branches, loops, jumps, loops over time."""

from __future__ import annotations

from tests.fuzz.statements import Lines, alike, statement
from tests.fuzz.writer import FLOAT, Kind, Unfit, Writer, array, construct, indented

DEEPEST = 3


def deeper(w: Writer) -> None:
    if w.depth >= DEEPEST or w.budget < 1:
        raise Unfit


def index(w: Writer, low: int, high: int) -> str:
    name = w.fresh("i")
    w.bind(name, Kind("int", (low, high)))
    w.frozen.add(name)
    return name


# ---- branches


@statement("if")
def if_(w: Writer) -> Lines:
    deeper(w)
    condition = w.condition()
    with w.inner():
        return [f"if {condition}:", *w.block()]


@statement("if else")
def if_else(w: Writer) -> Lines:
    deeper(w)
    condition = w.condition()
    with w.inner():
        then = w.block()
    with w.inner():
        return [f"if {condition}:", *then, "else:", *w.block()]


@statement("elif")
def elif_(w: Writer) -> Lines:
    lines = if_(w)
    lines.append(f"elif {w.condition()}:")
    with w.inner():
        lines += w.block(2)
    with w.inner():
        return [*lines, "else:", *w.block(2)]


@statement("bound in both branches")
def bound_in_branches(w: Writer) -> Lines:
    deeper(w)
    condition, lines = w.condition(), []
    kind = FLOAT if w.chance(0.5) else w.scope[w.pick(w.names("array"))]
    name = w.fresh("y")
    for head in (f"if {condition}:", "else:"):
        with w.inner():
            body = w.statements(2) if w.chance(0.5) else []
            if kind == FLOAT:
                value = f"{w.scalar(1)} * 1.0"
            else:
                p = w.pick(w.arrays(*kind.shape))
                value = w.pick((p, f"{p}[::-1]", f"{p}.copy()", f"{w.array(kind.shape, 1)} * 1.0"))
            lines += [head, *indented([*body, f"{name} = {value}"])]
    w.bind(name, kind)
    return lines


@statement("match")
def match_(w: Writer) -> Lines:
    """Literals, alternatives, a guard, tuples that give names; each case may leave a loop."""
    deeper(w)
    subject = w.pick([*w.names("int"), f"int({w.scalar(0)} > 0.2) + int({w.scalar(0)} > 0.4)"])
    if w.chance(0.4):
        return _match_tuple(w, subject)
    lines, jumps = [f"match {subject}:"], w.loops > 0
    m = w.fresh("m")
    for head in ("case 0:", w.pick(("case 1 | 2:", "case 1:")), f"case {m} if {w.condition()}:", "case _:"):
        if head != "case 0:" and w.chance(0.25):
            continue
        with w.inner():
            if head.startswith(f"case {m}"):
                w.bind(m, Kind("int", (0, 3)))
            lines += indented([head, *w.block(2, jumps=jumps)])
    return lines


def _match_tuple(w: Writer, subject: str) -> Lines:
    """The two items of a tuple, of which a case gives one a name; a value in the place of an array's element."""
    value, name, other = f"{w.scalar(1)} * 1.0", w.fresh("e"), w.fresh("q")
    lines = [f"match ({subject}, {value}):"]
    for head in (f"case (0 | 2, {name}):", f"case (1, {name} as {other}) if {other} > 0.1:", f"case [_, {name}]:"):
        with w.inner():
            w.bind(name, FLOAT)
            lines += indented([head, *w.block(2)])
    return lines


# ---- loops


@statement("for range")
def for_range(w: Writer) -> Lines:
    deeper(w)
    bounds, low, high = w.pick(
        [
            ("3", 0, 2),
            ("1, 4", 1, 3),
            ("2, -1, -1", 0, 2),
            ("0, 4, 2", 0, 2),
            ("4, 0, -2", 2, 4),
            ("2", 0, 1),
            ("1, 3", 1, 2),
        ]
    )
    for n in w.names("int", lambda s: s[0] == s[1] > 0):
        if w.chance(0.5):
            bounds, low, high = w.pick([(n, 0, w.shape(n)[1] - 1), (f"1, {n} + 1", 1, w.shape(n)[1])])
    for a in w.vectors(2):
        if w.chance(0.15):
            bounds, low, high = w.pick(
                [(f"len({a})", 0, w.shape(a)[0] - 1), (f"1, {a}.shape[0]", 1, w.shape(a)[0] - 1)]
            )
    with w.inner(loop=True):
        i = index(w, low, high)
        return [f"for {i} in range({bounds}):", *w.block(jumps=True)]


@statement("zero-trip loop")
def zero_trip(w: Writer) -> Lines:
    deeper(w)
    none = [f"{n} - {w.shape(n)[1]}" for n in w.names("int", lambda s: s[0] == s[1])]
    bounds = w.pick(("0", "2, 2", "3, 1", "0, 3, -1", *none))
    with w.inner(loop=True):
        i = index(w, 0, 0)
        return [f"for {i} in range({bounds}):", *w.block(2)]


@statement("triangular loops")
def triangular(w: Writer) -> Lines:
    deeper(w)
    with w.inner(loop=True):
        i = index(w, 0, 2)
        first = w.statements(1) if w.chance(0.4) else []
        with w.inner(loop=True):
            j = index(w, 0, 3)
            bounds = w.pick((f"{i}", f"{i} + 1", f"{i}, 3", f"{i} + 1, 4", f"{i}, -1, -1"))
            inner = w.block(2)
    return [f"for {i} in range(3):", *indented([*first, f"for {j} in range({bounds}):", *inner])]


@statement("for over array")
def for_over_array(w: Writer) -> Lines:
    deeper(w)
    name = w.pick(w.vectors())
    source = w.pick((name, name, f"{name}[1:]", f"{name}[::-1]"))
    with w.inner(loop=True):
        v = w.bind(w.fresh("e"), FLOAT)
        return [f"for {v} in {source}:", *w.block(jumps=True)]


@statement("for enumerate")
def for_enumerate(w: Writer) -> Lines:
    deeper(w)
    name = w.pick(w.vectors())
    with w.inner(loop=True):
        i, v = index(w, 0, w.shape(name)[0] - 1), w.bind(w.fresh("e"), FLOAT)
        return [f"for {i}, {v} in enumerate({name}):", *w.block()]


@statement("for zip")
def for_zip(w: Writer) -> Lines:
    deeper(w)
    p, q = w.pick(w.vectors()), w.pick(w.vectors())
    with w.inner(loop=True):
        u, v = w.bind(w.fresh("e"), FLOAT), w.bind(w.fresh("e"), FLOAT)
        return [f"for {u}, {v} in zip({p}, {q}):", *w.block()]


@statement("for reversed")
def for_reversed(w: Writer) -> Lines:
    deeper(w)
    with w.inner(loop=True):
        i = index(w, 0, 2)
        return [f"for {i} in reversed(range(3)):", *w.block()]


@statement("for over rows")
def for_over_rows(w: Writer) -> Lines:
    """The loop's name is a view of the matrix."""
    deeper(w)
    m = w.pick(w.matrices())
    with w.inner(loop=True):
        r = w.bind(w.fresh("r"), array(*w.shape(m)[1:]))
        return [f"for {r} in {m}:", *w.block()]


@statement("for else")
def for_else(w: Writer) -> Lines:
    deeper(w)
    with w.inner(loop=True):
        i = index(w, 0, 2)
        body = w.statements(2)
        leave = [f"if {w.condition()}:", *indented([*(w.statements(1) if w.chance(0.4) else []), "break"])]
        lines = [f"for {i} in range(3):", *indented([*body, *leave])]
    with w.inner():
        return [*lines, "else:", *w.block(2)]


@statement("while")
def while_(w: Writer) -> Lines:
    deeper(w)
    k = w.fresh("k")
    turns = w.random.randint(2, 3)
    test = w.pick((f"{k} < {turns} and ({w.condition()})", f"{k} < {turns}", f"{k} < {turns} and ({w.condition()})"))
    w.bind(k, Kind("int", (0, turns)))
    with w.inner(loop=True):
        w.bind(k, Kind("int", (0, turns)))
        w.frozen.add(k)
        if w.chance(0.7):
            body = [f"    {k} += 1", *w.block(jumps=True)]
        else:
            body = [*w.block(), f"    {k} += 1"]
    return [f"{k} = 0", f"while {test}:", *body]


@statement("read after its loop")
def read_after_loop(w: Writer) -> Lines:
    """The index, and a name bound in the loop."""
    deeper(w)
    with w.inner(loop=True):
        i, y = index(w, 0, 2), w.fresh("y")
        lines = [f"for {i} in range(3):", *w.block(2), f"    {y} = {w.scalar(1)} * 1.0"]
    w.bind(i, Kind("int", (2, 2)))
    w.frozen.discard(i)
    w.bind(y, FLOAT)
    return lines


# ---- loops over time


@statement("time loop swapped")
def time_swapped(w: Writer) -> Lines:
    deeper(w)
    u, v = alike(w, 2)
    shape = w.shape(u)
    if 0 in shape or len(shape) > 2:
        raise Unfit
    with w.inner(loop=True):
        t, i = index(w, 0, 2), index(w, 0, shape[0] - 1)
        if len(shape) == 1 and w.chance(0.6):
            value = f"math.tanh({u}[{i}] * {w.scalar(0)} + {u}[{i} - 1])"
            step = [f"for {i} in range({shape[0]}):", f"    {v}[{i}] = {value}"]
        else:
            step = [f"{v}[:] = np.tanh({u} * {w.scalar(0)} + 0.3 * {w.array(shape, 1)})"]
        more = w.statements(1) if w.chance(0.4) else []
        swap = [f"if {w.condition()}:", f"    {u}, {v} = {v}, {u}"] if w.chance(0.25) else [f"{u}, {v} = {v}, {u}"]
        return [f"for {t} in range({w.pick('23')}):", *indented([*step, *more, *swap])]


@statement("time loop fresh")
def time_fresh(w: Writer) -> Lines:
    """A new array at each turn, carried to the next."""
    deeper(w)
    (u,) = alike(w, 1)
    shape = w.shape(u)
    with w.inner(loop=True):
        t, v = index(w, 0, 2), w.fresh("n")
        step = [f"{v} = np.tanh({u} * {w.scalar(0)}) + 0.1"] if w.chance(0.6) else [f"{v} = np.zeros_like({u})"]
        w.bind(v, array(*shape))
        if 0 not in shape:
            step.append(f"{v}[{', '.join(w.index(n) for n in shape)}] = {w.scalar(1)} * 0.5")
        step += w.statements(1) if w.chance(0.5) else []
        carry = [f"if {w.condition()}:", f"    {u} = {v}"] if w.chance(0.3) else [f"{u} = {v}"]
        return [f"for {t} in range({w.pick('23')}):", *indented([*step, *carry])]


@statement("time loop slices")
def time_slices(w: Writer) -> Lines:
    deeper(w)
    u = w.pick(w.vectors(3))
    with w.inner(loop=True):
        t = index(w, 0, 2)
        lap = f"{u}[2:] - 2.0 * {u}[1:-1] + {u}[:-2]"
        step = w.pick((f"{u}[1:-1] = {u}[1:-1] + {w.scalar(0)} * ({lap})", f"{u}[1:-1] += 0.1 * {u}[1:-1] * ({lap})"))
        return [f"for {t} in range(3):", *indented([step, *(w.statements(2) if w.chance(0.5) else [])])]


@statement("scratch in loop")
def scratch_in_loop(w: Writer) -> Lines:
    deeper(w)
    a = w.pick(w.vectors())
    with w.inner(loop=True):
        t, v = index(w, 0, 1), w.fresh("w")
        make = w.pick((f"{v} = np.zeros({w.shape(a)[0]})", f"{v} = {a} * {w.scalar(0)}", f"{v} = {a}.copy()"))
        w.bind(v, w.scope[a])
        return [f"for {t} in range(2):", *indented([make, *w.statements(3)])]


# ---- jumps


def guarded(w: Writer, jump: str) -> Lines:
    condition = w.condition()
    with w.inner():
        before = w.statements(1) if w.chance(0.4) else []
        return [f"if {condition}:", *indented([*before, jump])]


@construct("jump", "break")
def break_(w: Writer) -> Lines:
    return guarded(w, "break")


@construct("jump", "continue")
def continue_(w: Writer) -> Lines:
    return guarded(w, "continue")


@construct("jump", "return in loop")
def return_in_loop(w: Writer) -> Lines:
    return guarded(w, f"return {w.result()}")
