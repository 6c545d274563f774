"""Generators for alias patterns that random programs rarely make."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.fuzz import weights

Lines = list[str]
Pattern = Callable[["Text"], Lines]
PATTERNS: dict[str, Pattern] = {}


def pattern(name: str) -> Callable[[Pattern], Pattern]:
    def enter(make: Pattern) -> Pattern:
        assert name in weights.DIRECTED, f"{name} has no weight"
        PATTERNS[name] = make
        return make

    return enter


class Text:
    """Small random texts over x, s (numbers), a, b (vectors of 5), m (5 x 5) and the indices around."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.indices: list[str] = []
        self.vectors = ["a", "b"]

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def at(self, n: int = 5) -> str:
        known = [str(self.random.randrange(n)), "-1"]
        for i in self.indices[-2:]:
            known += [f"{i} % {n}", f"({i} + {self.random.randint(1, n - 1)}) % {n}"] * 2
        return self.pick(*known)

    def element(self, *names: str) -> str:
        return f"{self.pick(*(names or self.vectors))}[{self.at()}]"

    def number(self, *names: str) -> str:
        e = self.element(*names)
        return self.pick(
            e, "x", "s", f"{e} * x", f"math.sin({e})", f"{e} * {self.element(*names)}", f"0.5 * {e} + x", f"{e} ** 2"
        )

    def bounded(self, *names: str) -> str:
        return f"math.tanh({self.number(*names)} + {self.number(*names)})"

    def store(self, *names: str) -> str:
        op = self.pick("=", "=", "+=", "*=")
        return f"{self.element(*names)} {op} {self.bounded(*names)}"

    def condition(self, *names: str) -> str:
        tests = [f"{self.element(*names)} {self.pick('<', '>')} {self.pick('0.1', '0.3', 'x')}", "s > 0.2"]
        tests += [f"{i} % 2 == {self.pick('0', '1')}" for i in self.indices[-1:]]
        return self.pick(*tests)

    def whole(self, *names: str) -> str:
        p, q = self.pick(*(names or self.vectors)), self.pick(*(names or self.vectors))
        return self.pick(f"{p} * x", f"np.tanh({p} + {q})", f"{p} * {q}", f"np.sin({p})", f"{p} * {self.number()}")

    def loop(self, turns: str, body: Callable[[], Lines]) -> Lines:
        i = f"t{len(self.indices)}{self.random.randrange(10)}"
        self.indices.append(i)
        inside = body()
        self.indices.pop()
        return [f"for {i} in range({turns}):", *("    " + line for line in inside)]


def under(head: str, lines: Lines) -> Lines:
    return [head, *("    " + line for line in lines)]


@pattern("buffers of two lengths")
def two_lengths(t: Text) -> Lines:
    """Swapped or chosen; only what both have is touched."""
    extra = t.pick("1", "2", "3")
    first = [f"u = {t.pick('a', 'a.copy()', 'a * x')}", f"w = np.{t.pick('zeros', 'ones')}(5 + {extra})"]
    if t.chance(0.5):
        first = [*first, "u, w = w, u"] if t.chance(0.3) else first

    def body() -> Lines:
        step = [t.store("u", "w", "b"), t.store("w", "u")]
        inner = t.loop(
            "1, 4",
            lambda: [
                f"w[{t.indices[-1]}] = math.tanh(u[{t.indices[-1]} - 1] * u[{t.indices[-1]} + 1] + {t.number('b')})"
            ],
        )
        swap = ["u, w = w, u"]
        if t.chance(0.3):
            swap = under(f"if {t.condition('u', 'w')}:", swap)
        return [*(step[:1] if t.chance(0.5) else step), *inner, *swap]

    return [*first, *t.loop(t.pick("2", "3", "n"), body), f"s += {t.number('u', 'w')}", "s += np.sum(u[:5] * w[:5])"]


@pattern("merged classes")
def merged(t: Text) -> Lines:
    """Names that a branch or a loop binds to one of several arrays, views of them, and writes through all."""
    lines = [f"c = {t.pick('a', 'b', 'a[::-1]', 'b.copy()')}", f"d = {t.pick('b', 'a', 'c', 'a * x')}"]
    if t.chance(0.7):
        choice = under("else:", [f"c = {t.pick('a', 'd', 'b[::-1]', 'd * 0.5')}"])
        lines += [
            *under(f"if {t.condition()}:", [t.store("a", "c"), f"c = {t.pick('b', 'd', 'c[::-1]', 'a')}"]),
            *choice,
        ]

    def body() -> Lines:
        out = [t.store("a", "b", "c", "d"), t.store("c", "d")]
        sometimes = under(f"if {t.condition('c', 'd')}:", [f"c = {t.pick('a', 'b', 'd')}"])
        rebound = [f"d = {t.whole('c', 'a')}"]
        out += t.random.choice((["c, d = d, c"], ["c = d"], ["d = c[::-1]"], rebound, sometimes, []))
        return [*out, f"s += {t.number('a', 'b', 'c', 'd')}"]

    return [*lines, *t.loop(t.pick("2", "3", "4"), body), t.store("a", "b"), "s += np.sum(c * d)"]


@pattern("escaping allocations")
def escaping(t: Text) -> Lines:
    """Arrays made in loops, and carried out of one or two of them."""

    def inner() -> Lines:
        make = t.pick("w = np.zeros(5)", f"w = {t.whole('u', 'a')}", "w = u.copy()", "w = u * x", "w = np.full(5, x)")
        out = [make, t.store("w", "u"), t.store("u", "w", "a")]
        keep = ["u = w"]
        if t.chance(0.3):
            keep = under(f"if {t.condition('w', 'u')}:", keep)
        return [*(out if t.chance(0.7) else out[:2]), *keep]

    def outer() -> Lines:
        return [*t.loop(t.pick("2", t.indices[-1], f"{t.indices[-1]} + 1"), inner), t.store("u", "a")]

    first = [f"u = {t.pick('a', 'b', 'a * x', 'np.ones(5)')}"]
    return [
        *first,
        *t.loop("3", outer if t.chance(0.6) else inner),
        t.store("u", "a"),
        f"s += {t.number('u', 'a')}",
        "s += np.sum(u * u)",
    ]


@pattern("references chosen in loops")
def chosen(t: Text) -> Lines:
    def body() -> Lines:
        names = t.random.choice(
            (("a", "b"), ("a", "w"), ("m[0]", "m[1]"), ("m[1]", "m[:, 1]"), ("a[1:]", "b[:-1]"), ("a", "a[::-1]"))
        )
        shown = 4 if "1:" in names[0] else 5
        i, j = t.at(shown), t.at(shown)
        lines = under(f"if {t.condition()}:", [*([t.store("a", "b")] if t.chance(0.4) else []), f"c = {names[0]}"])
        lines += under("else:", [f"c = {names[1]}"])
        lines += [f"c[{i}] {t.pick('=', '+=', '*=')} math.tanh(c[{j}] * x + {t.number()})"]
        if t.chance(0.5):
            lines += [f"c {t.pick('*=', '+=', '-=')} {t.pick('x', '0.9', 's')}"]
        return [*lines, f"s += c[{j}] * {t.number()}"]

    return ["w = b * x", *t.loop(t.pick("2", "3", "4"), body), "s += np.sum(a * b) + np.sum(m[0] * m[1])"]


@pattern("lists of references")
def lists(t: Text) -> Lines:
    rows = f"rows = [{t.pick('a', 'a[::-1]')}, {t.pick('b', 'a * x')}, {t.pick('m[1]', 'm[:, 2]', 'b')}]"
    k = t.pick("0", "1", "2")
    lines = [rows, f"rows[{k}][{t.at()}] = {t.bounded()}"]

    def body() -> Lines:
        out = [f"p = rows[{t.pick('0', '1')}]", "q = rows[2]", f"p[{t.at()}] {t.pick('=', '*=')} {t.bounded('p', 'q')}"]
        return [*out, f"s += {t.number('p', 'q')}"]

    def over() -> Lines:
        return [f"r[{t.at()}] = {t.bounded('r', 'a')}", f"s += {t.number('r')}"]

    if t.chance(0.5):
        return [*lines, *t.loop("2", body), "s += np.sum(rows[1] * rows[0])"]
    return [*lines, *under("for r in rows:", over()), "s += np.sum(a * b)"]


@pattern("snapshots with views")
def snapshots(t: Text) -> Lines:
    """A loop that rewrites an array, with views of it from outside and inside."""
    view = t.pick("v = u[1:4]", "v = u[::-1]", "v = u[::2]", "v = u")
    shown = {"v = u[1:4]": 3, "v = u[::2]": 3}.get(view, 5)
    i = "i"
    lines = [f"u = {t.pick('a', 'a.copy()', 'm[1]', 'm[:, 2]', 'b * x')}", view]

    def body() -> Lines:
        inside = [
            f"u[{i}] = math.tanh(u[{i}] * {t.pick('x', 'v[0]', f'v[{shown - 1}]', 'u[0]')} + u[{i} - 1] * u[{i} + 1])"
        ]
        if t.chance(0.5):
            inside.append(f"{t.pick('w', 'r')}[{i}] += u[{i}] * u[{i} - 1]")
        loop = [
            t.pick("r = u[::-1]", "r = u[0:5]", "r = u"),
            "for i in range(1, 4):",
            *("    " + line for line in inside),
        ]
        wave = "u[1:-1] += 0.1 * u[1:-1] * (u[2:] - u[:-2])"
        more = t.random.choice(([f"v[0] = {t.bounded('u', 'a')}"], ["s += v[1] * u[2]"], [wave], ["v *= 0.9"], []))
        return [*loop, *more] if t.chance(0.7) else [*more, *loop]

    return [*lines, "w = np.zeros(5)", *t.loop("3", body), "s += np.sum(w * b) + v[1] * u[3]"]


@pattern("nested time loops")
def nested(t: Text) -> Lines:
    """Buffers swapped in a loop that is run again by another."""

    def inner() -> Lines:
        i = t.indices[-1]
        step = t.random.choice(
            (
                [f"w[:] = np.tanh(u * x + w * {t.number('a', 'b')})"],
                ["for i in range(1, 5):", "    w[i] = math.sin(u[i] * w[i - 1]) + u[i - 1] * x"],
                ["w[1:-1] = u[1:-1] + 0.1 * (u[2:] - u[:-2]) * u[1:-1]"],
            )
        )
        swap = t.pick("u, w = w, u", "u, w = w, u", "w, u = u, w")
        return [
            *step,
            *([t.store("u", "a")] if t.chance(0.3) else []),
            swap,
            *([f"s += u[{i}] * x"] if t.chance(0.3) else []),
        ]

    def outer() -> Lines:
        turns = t.pick("2", "1", "3", t.indices[-1], "n")
        after = t.random.choice(
            ([], [t.store("u", "w", "a")], ["u, w = w, u"], ["a[1] = u[2] * w[3]"], ["w = u.copy()"])
        )
        first = t.random.choice(([], ["u[0] = a[1] * x"], ["w = np.zeros(5)"]))
        return [*first, *t.loop(turns, inner), *after]

    lines = [f"u = {t.pick('a', 'a.copy()')}", f"w = {t.pick('b', 'np.zeros(5)', 'm[0]')}"]
    return [*lines, *t.loop("2", outer), "s += np.sum(u * w)", f"s += {t.number('a', 'u', 'w')}"]


@pattern("overlapping views in helpers")
def overlapping(t: Text) -> Lines:
    views = ("a[1:]", "a[:-1]", "a[::2]", "a[::-1]", "m[1]", "m[:, 1]", "m.T[0]", "m[1:, 2]", "b", "a")
    calls: Lines = []
    for _ in range(t.random.randint(2, 4)):
        p, q = t.pick(*views), t.pick(*views)
        calls.append(
            t.pick(
                f"axpy({t.number()}, {p}, {q})",
                f"axpy({t.number()}, {p}, {p})",
                f"shift({p}, x)",
                f"s += shift({p})[1]",
                f"mingle({p}, {q})",
            )
        )
    return t.loop("2", lambda: calls) if t.chance(0.4) else [*calls, "s += np.sum(m) + np.sum(a * b)"]


@pattern("jumps amid swaps")
def jumps(t: Text) -> Lines:
    def body() -> Lines:
        i = t.indices[-1]
        step = [f"w[{t.at()}] = {t.bounded('u', 'w')}", t.store("u", "w")]
        leave = under(
            f"if {t.condition('u', 'w')}:",
            [
                *([t.store("u", "w")] if t.chance(0.5) else []),
                t.pick("break", "continue", "u = w", "return s + u[1] * w[2]"),
            ],
        )
        swap = t.pick("u, w = w, u", "u, w = w, u * 1.0", f"u = w + 0.1 * {i}")
        return [*step, *leave, swap, f"s += {t.number('u', 'w')}"]

    lines = [f"u = {t.pick('a', 'b', 'a.copy()')}", f"w = {t.pick('b', 'np.ones(5)', 'm[2]')}"]
    out = t.loop("4", body)
    if t.chance(0.4):
        out += under("else:", [t.store("u", "w")])
    return [*lines, *out, "s += np.sum(u * w)"]


@pattern("while with references")
def whiles(t: Text) -> Lines:
    t.indices.append("k")
    step = t.random.choice(
        (
            ["v = u * x + 0.1", t.store("v", "u"), "u = v"],
            [f"w[{t.at()}] = {t.bounded('u', 'w')}", "u, w = w, u"],
            ["u[1:] = np.tanh(u[:-1] * x + u[1:])"],
            ["v = u[::-1]", "v[0] = v[1] * x", *under("if v[2] > 0.2:", ["u = v"])],
        )
    )
    test = t.pick("k < 3", f"k < 4 and {t.condition('u')}", "k < 3 and u[0] < 0.9")
    t.indices.pop()
    lines = [f"u = {t.pick('a', 'b.copy()')}", "w = b * x", "k = 0"]
    return [*lines, *under(f"while {test}:", ["k += 1", *step, f"s += {t.number('u', 'a')}"]), "s += np.sum(u * w)"]


@pattern("scratch that becomes active")
def scratch(t: Text) -> Lines:
    def body() -> Lines:
        i = t.indices[-1]
        return [
            f"z[{i} % 3] = {t.bounded()}",
            f"s += z[({i} + 1) % 3] * {t.number()}",
            *([f"z[{t.at(3)}] = {t.pick('0.0', '1.0', '0.5')}"] if t.chance(0.5) else []),
        ]

    first = [f"z = {t.pick('np.zeros(3)', 'np.ones(3)', 'np.array([0.1, 0.2, 0.3])')}", "s += z[0] * x"]
    return [
        *first,
        *t.loop(t.pick("3", "4"), body),
        t.pick("z[1] = 0.7", "z[0] = s * x", "z *= x"),
        "s += np.sum(z * z)",
    ]


@pattern("rows written in turn")
def rows(t: Text) -> Lines:
    """A matrix as the history of a vector."""

    def body() -> Lines:
        i = t.indices[-1]
        lines = [f"old = m[{i}]", f"new = m[{i} + 1]", f"new[:] = np.tanh(old * x + new * {t.number()})"]
        lines += t.random.choice(
            (
                [f"new[{t.at()}] = old[{t.at()}] * x"],
                [f"m[{i}, {t.at()}] = new[1]"],
                [f"old *= {t.number()}"],
                ["m[:, 1] = new * x"],
                [],
            )
        )
        return [*lines, f"s += {t.number('old', 'new')}"]

    return [*t.loop("4", body), t.pick("m.T[1] += m[2]", "m[1:3] *= x", "m = m.T"), "s += np.sum(m[4] * m[:, 2])"]


@pattern("recurrences in place")
def recurrences(t: Text) -> Lines:
    """Elements that are read, and overwritten by a later turn of the loop or of one around it."""
    i = "i"
    factor = t.pick("x", "b[i]", "a[0]", "a[i - 1]")
    update = t.pick(f"a[{i}] * {factor} + {t.number()}", f"a[{i}] * a[{i} - 1]", f"a[{i} - 1] * b[{i}] + 0.3 * a[{i}]")
    inner = [f"for i in range({t.pick('1, 5', '1, 4', '4, 0, -1', '1, 5, 2')}):", f"    a[{i}] = math.tanh({update})"]
    if t.chance(0.4):
        inner.append(f"    b[{i}] *= a[{i} - 1]")
    if t.chance(0.4):
        inner += [f"    if {t.condition()}:", f"        a[{i} - 1] += {t.number()}"]
    outer = t.loop("3", lambda: inner) if t.chance(0.6) else inner
    return [*outer, f"s += {t.number()}", "s += np.sum(a * b)"]


def within(t: Text, low: int, high: int, name: str, n: int = 5) -> str:
    """A place of an axis of length n made of an index that goes from low to high."""
    known = [f"{name}", f"-1 - {name}", f"{n - 1} - {name}", f"{n - 1 - high} + {name}"]
    known += [f"{name} - {k}" for k in (1, 2) if low - k >= -n] + [f"{name} + {k}" for k in (1, 2) if high + k < n]
    return t.pick(*known, str(t.random.randrange(n)), f"-{low + 1}")


@pattern("index ranges")
def index_ranges(t: Text) -> Lines:
    """Reads and writes of a vector, or of rows and columns, whose places only the indices tell apart."""
    bounds, low, high = t.random.choice(
        [("1, 4", 1, 3), ("3", 0, 2), ("5", 0, 4), ("3, 0, -1", 1, 3), ("0, 4, 2", 0, 2)]
    )
    inner, low2, high2 = t.random.choice([("i + 1, 5", 1, 4), ("i", 0, 3), ("5", 0, 4), ("i, 5", 0, 4), ("1, 5", 1, 4)])

    def element(name: str, where: str) -> str:
        if where == "i":
            p, q = (within(t, low, high, "i") for _ in range(2))
        else:
            p, q = t.random.sample([within(t, low, high, "i"), within(t, low2, high2, "j")], 2)
        return f"{name}[{p}]" if name == "a" else f"{name}[{p}, {q}]"

    def part() -> str:
        p = within(t, low, high, "i")
        return t.pick(f"m[{p}]", f"m[:, {p}]", f"m[{p}, i:]", f"m[i:, {p}]", f"m[{p}, :i]", "a[i:]", "a[:i]") + t.pick(
            "", "[::-1]"
        )

    def update(where: str) -> Lines:
        if t.chance(0.25):
            return [f"{part()}[:1] {t.pick('=', '*=', '+=')} {element('m', where)} * {element('a', where)}"]
        p, q, r = (element(t.pick("a", "m", "m"), where) for _ in range(3))
        return [f"{p} = math.tanh({t.pick(p, q)} * {r} + {t.pick('x', '0.3', q)})"]

    body = update("i")
    nest = [
        f"for j in range({inner}):",
        *("    " + line for line in (*update("j"), *(update("j") if t.chance(0.3) else []))),
    ]
    body += nest if t.chance(0.7) else update("i")
    if t.chance(0.3):
        body += update("i")
    return [f"for i in range({bounds}):", *("    " + line for line in body), "s += np.sum(m * m) + np.sum(a * b)"]


@pattern("ties")
def ties(t: Text) -> Lines:
    """Equal by being copies of one number: the derivative is shared."""
    i, j, k = t.at(), t.at(), t.at()
    lines = [t.pick(f"b[{i}] = a[{i}]", "b[:] = a", "b[1:] = a[1:]")]
    lines.append(t.pick(f"s = max(a[{i}], b[{i}]) * x", f"s += min(b[{i}], a[{i}])", "b = np.maximum(a, b) * x"))
    lines.append(t.pick("b = np.minimum(b, a)", f"a[{j}] = 0.85", f"a[{j}] = a[{k}] * 1.0"))
    last = t.pick(
        "np.sum(np.clip(a, -0.45, 0.85) * b)", "np.max(a) * x", f"np.sum(np.maximum(a, a[{j}]) * b)", "max(a) + min(b)"
    )
    return [*lines, f"s += {last}", f"s += {t.number()}"]


@pattern("where beside a pole")
def where_pole(t: Text) -> Lines:
    """The side of np.where that is not taken has no finite derivative."""
    p = t.pick("a", "b", "m[1]", "a * x", "a * b")
    limit = t.pick("0.15", "0.3")
    unsafe = t.pick("np.log(p)", "np.sqrt(p)", "np.log(p * x) * b", "x / np.sqrt(p)", "np.sqrt(p) * p")
    safe = t.pick("0.5", "b", "p * x", "a * a")
    choice = (
        f"np.where(p > {limit}, {unsafe}, {safe})" if t.chance(0.6) else f"np.where(p <= {limit}, {safe}, {unsafe})"
    )
    return [
        f"p = {p}",
        f"c = {choice}",
        t.store("a", "b"),
        f"s += np.sum(c * {t.pick('a', 'b', 'c')})",
        f"s += {t.number('a', 'c')}",
    ]


HEAD = ["s = x * 0.5"]


def directed_text(seed: int, name: str) -> Lines:
    """The body of f(x, a, b, m, n)."""
    return [*HEAD, *PATTERNS[name](Text(seed)), "return s"]
