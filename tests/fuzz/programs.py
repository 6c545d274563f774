"""A random program: its parameters, their values, its text and its function."""

from __future__ import annotations

import copy
import dataclasses
import linecache
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from tests.fuzz import (  # noqa: F401
    arrays,
    control,
    directed,
    functions,
    inside,
    language,
    scalars,
    statements,
    weights,
)
from tests.fuzz.helpers import HELPERS, Body, Point, damped_one
from tests.fuzz.writer import BOOL, FLOAT, Kind, Unfit, Writer, array


@dataclass
class Fuzzed:
    """A module's text with the function `f`, and what f is called with."""

    name: str
    text: str
    args: tuple[Any, ...]
    uses: list[str] = field(default_factory=list)
    single: bool = False  # float32 throughout

    def fun(self) -> Callable[..., Any]:
        return compiled(self.name, self.text)

    def fresh_args(self) -> tuple[Any, ...]:
        return tuple(map(fresh, self.args))


def fresh(x: Any) -> Any:
    """A copy that keeps an array's strides and flags."""
    if isinstance(x, np.ndarray):
        base = np.empty(tuple(2 * n for n in x.shape), x.dtype)
        if x.flags.c_contiguous or x.flags.f_contiguous:
            out = x.copy(order="K")
        else:
            out = base[tuple(slice(None, None, 2) for _ in x.shape)]
            out[...] = x
        out.flags.writeable = x.flags.writeable
        return out
    if isinstance(x, dict):
        return {k: fresh(v) for k, v in x.items()}
    if isinstance(x, tuple):
        return type(x)(*map(fresh, x)) if hasattr(x, "_fields") else tuple(map(fresh, x))
    if dataclasses.is_dataclass(x):
        return dataclasses.replace(x, **{f.name: fresh(getattr(x, f.name)) for f in dataclasses.fields(x)})  # type: ignore[type-var]
    return copy.copy(x) if not callable(x) else x


def compiled(name: str, text: str, function: str = "f") -> Callable[..., Any]:
    """A function of a module whose source `inspect` finds."""
    file = f"<{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"math": math, "np": np, "__name__": "fuzzed", "Point": Point, "Body": Body}
    namespace |= inside.NAMES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what shrinking makes may look odd
        exec(compile(text, file, "exec"), namespace)
    made: Callable[..., Any] = namespace[function]
    return made


class Parameters:
    """Chooses parameters, binds them in the writer's scope and makes their values."""

    def __init__(self, writer: Writer, seed: int) -> None:
        self.w, self.rng = writer, np.random.default_rng(seed)
        self.single = self.flag("float32")
        self.names: list[str] = []
        self.args: list[Any] = []
        self.head: list[str] = []  # statements that take structures apart

    def flag(self, name: str) -> bool:
        if self.w.chance(weights.PARAMETERS[name]):
            self.w.use(name)
            return True
        return False

    def values(self, *shape: int) -> Any:
        out = self.rng.uniform(-0.9, 1.1, shape)
        return out.astype(np.float32) if self.single else out

    def number(self) -> Any:
        x = float(self.rng.uniform(0.2, 1.1))
        return np.float32(x) if self.single else x

    def add(self, name: str, kind: Kind | None, value: Any) -> None:
        self.names.append(name)
        self.args.append(value)
        if kind is not None:
            self.w.bind(name.split("=")[0].strip("* ,"), kind)

    def choose(self) -> None:
        w, n = self.w, self.w.pick((3, 4, 5, 4))
        if self.flag("length one vector"):
            n = 1
        self.add("x", FLOAT, self.number())
        self.add("a", array(n), self.values(n))
        if self.flag("second vector"):
            self.add("b", array(n), self.values(n))
        if self.flag("matrix argument"):
            m = w.pick((2, 3, n))
            self.add("m", array(m, n), self.values(m, n))
            if self.flag("column argument"):
                self.add("col", array(m, 1), self.values(m, 1))
        if self.flag("tensor argument"):
            self.add("q", array(2, 2, 3), self.values(2, 2, 3))
        if self.flag("empty array argument"):
            self.add("none", array(0), self.values(0))
        if self.flag("integer argument"):
            k = w.pick((0, 2, 3))
            self.add("n", Kind("int", (k, k)), k)
        if self.flag("bool argument"):
            self.add("flag", BOOL, w.chance(0.5))
        if self.flag("index array argument"):
            places = [w.random.randrange(n) for _ in range(w.random.randint(1, n))]
            self.add("k", Kind("indices", (len(places), max(places))), np.array(places))
        self.structures(n)
        self.layouts()

    def structures(self, n: int) -> None:
        w = self.w
        if self.flag("tuple argument"):
            self.add("pair", None, (self.number(), self.values(n)))
            self.take("pr, pa = pair", "pr", "pa", n)
        if self.flag("dict argument"):
            self.add("net", None, {"w": self.values(n), "b": self.number()})
            self.take('nb, na = net["b"], net["w"]', "nb", "na", n)
        if self.flag("named tuple argument"):
            self.add("point", None, Point(self.number(), self.values(n)))
            self.take("pu, pv = point", "pu", "pv", n)
        if self.flag("dataclass argument"):
            self.add("body", None, Body(self.values(n), self.number()))
            self.take("bm, br = body.m, body.r", "bm", "br", n)
        if self.flag("function argument"):
            self.add("g", Kind("function"), damped_one)
        if self.flag("default argument"):
            self.add("y=0.4", FLOAT, self.number())
        if self.flag("keyword-only argument"):
            self.names.append("*, z=0.6")
            w.bind("z", FLOAT)

    def take(self, line: str, number: str, vector: str, n: int) -> None:
        self.head.append(line)
        self.w.bind(number, FLOAT)
        self.w.bind(vector, array(n))

    def layouts(self) -> None:
        """How some array arguments lie in memory."""
        for flag, change in (
            ("non-contiguous argument", strided),
            ("read-only argument", read_only),
            ("Fortran order", fortran),
        ):
            if self.flag(flag):
                k = self.w.pick(
                    [k for k, a in enumerate(self.args) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
                )
                self.args[k] = change(self.args[k])


def strided(a: Any) -> Any:
    out = np.zeros(tuple(2 * n for n in a.shape), a.dtype)[tuple(slice(None, None, 2) for _ in a.shape)]
    out[...] = a
    return out


def read_only(a: Any) -> Any:
    """f may not write to it (NumPy raises), unless it copies it: such programs are dropped as invalid."""
    a = a.copy()
    a.flags.writeable = False
    return a


def fortran(a: Any) -> Any:
    return np.asfortranarray(a)


class Results:
    """What every return of the program gives: always of the same structure."""

    def __init__(self, w: Writer) -> None:
        self.w = w
        table = {k: v for k, v in weights.RESULTS.items() if k != "early return"}
        (self.form,) = w.random.choices(list(table), list(table.values()))
        w.use(self.form)
        vectors = w.names("array")
        self.shape = w.shape(w.pick(vectors))

    def text(self) -> str:
        w = self.w
        known = w.arrays(*self.shape)
        array_ = w.pick(known) if known and w.chance(0.7) else w.array(self.shape, 1) + " * 1.0"
        number = self.number()
        return {
            "scalar result": number,
            "array result": array_,
            "two results": f"{number}, {array_}",
            "dict result": f'{{"s": {number}, "v": {array_}}}',
            "named tuple result": f"Point({number}, {array_})",
            "argument returned": w.pick(known) if known else array_,
        }[self.form]

    def number(self) -> str:
        """A number made of much of what is in scope, so that nothing written is lost."""
        w = self.w
        texts = [str(w.pick(w.names("float")))]
        for name in w.names("array"):
            if w.chance(0.4) and 0 not in w.shape(name):
                texts.append(
                    f"np.sum({name} * {name})"
                    if w.chance(0.3)
                    else f"{name}[{', '.join(w.index(n) for n in w.shape(name))}]"
                )
        return f"{' + '.join(texts[:4])} * {w.scalar(0)}" if len(texts) > 1 else f"{texts[0]} * 1.0"


def random_program(seed: int, lengths: tuple[int, int] = weights.LENGTHS) -> Fuzzed:
    """Always the same for a seed and lengths."""
    w = Writer(seed, Random(seed ^ 0xF5).randint(*lengths))
    parameters = Parameters(w, seed)
    parameters.choose()
    results = Results(w)
    w.result = results.text
    lines = list(parameters.head)
    while w.budget > 0:
        try:
            lines += w.statement()
        except Unfit:
            w.budget -= 1
    if w.chance(0.06):
        w.use("early return")
        lines += [f"if {w.condition()}:", f"    return {results.text()}"]
        lines += w.statement()
    lines.append(f"return {results.text()}")
    head = f"def f({', '.join(parameters.names)}):"
    text = "\n\n".join([*(HELPERS[h] for h in HELPERS if h in w.helpers), "\n    ".join([head, *lines])])
    return Fuzzed(f"fuzz_{seed}", text + "\n", tuple(parameters.args), w.uses, parameters.single)


def directed_program(seed: int, name: str | None = None) -> Fuzzed:
    """By the directed generator of that name, or of one that the seed chooses."""
    if name is None:
        (name,) = Random(seed).choices(list(weights.DIRECTED), list(weights.DIRECTED.values()))
    lines = directed.directed_text(seed, name)
    body = "\n    ".join(["def f(x, a, b, m, n):", *lines])
    helpers = [text for h, text in HELPERS.items() if f"{h}(" in body]
    rng = np.random.default_rng(seed)
    args = (float(rng.uniform(0.2, 1.1)), *(rng.uniform(-0.9, 1.1, shape) for shape in (5, 5, (5, 5))), 3)
    return Fuzzed(f"fuzz_{seed}", "\n\n".join([*helpers, body]) + "\n", args, [name])


def program(seed: int, lengths: tuple[int, int] = weights.LENGTHS) -> Fuzzed:
    """The program of a number: by a directed generator for some, else random."""
    if Random(seed ^ 0xD1).random() < weights.SHARE_OF_DIRECTED:
        return directed_program(seed)
    return random_program(seed, lengths)
