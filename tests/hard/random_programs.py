"""Random programs of loops, branches, aliases and writes, as Python text.

python -m tests.hard.random_programs FIRST LAST     compares those seeds with the reference, and prints what differs
"""

from __future__ import annotations

import linecache
import math
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import numpy as np

from srcgrad.errors import SrcgradError
from tests.hard.compare import Comparison
from tests.hard.engines import Core
from tests.hard.table import Case, scalar, vector

ARRAYS, SCALARS, N = ("a", "b", "c", "d"), ("x", "s", "t"), 5
WINDOWS = ((":-1", "1:"), ("1:", ":-1"), ("1:4", ":3"), ("::2", "2:"), (":3", "::2"), ("::-1", ":"), (":", ":"))


class Writer:
    """Writes one function. Values stay small: whatever could grow goes through a bounded function."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.name = f"random_{seed}"
        self.indices: list[str] = []
        self.loops = 0
        self.length = self.random.randint(1, 3)

    def pick(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def text(self) -> str:
        lines = [
            f"def {self.name}(x, a, b):",
            "    s = x * 0.5",
            "    t = a[1]",
            f"    c = {self.pick('a', 'b', 'a.copy()')}",
        ]
        lines += [f"    d = {self.pick('np.zeros(5)', 'a * b', 'b', 'np.full(5, x)')}", "    j = 1"]
        lines += [f"    {line}" for _ in range(self.random.randint(3, 6)) for line in self.statement(0)]
        return "\n".join([*lines, f"    return {self.results()}", ""])

    def results(self) -> str:
        """Of the same structure at every return."""
        array = self.pick(*ARRAYS) if self.chance(0.5) else self.array()
        return ", ".join([f"{self.scalar(1)} * s", array, f"np.sum(c * d) * {self.pick(*SCALARS)}"][: self.length])

    def index(self) -> str:
        known = [str(self.random.randint(0, N - 1)), "j"]
        for i in self.indices[-2:]:
            known += [i, f"({i} + {self.random.randint(1, 4)}) % 5", i]
        return str(self.random.choice(known))

    def scalar(self, depth: int) -> str:
        if depth == 0 or self.chance(0.3):
            return str(
                self.pick(self.pick(*SCALARS), f"{self.pick(*ARRAYS)}[{self.index()}]", f"{self.pick(0.3, 0.7, 1.2)}")
            )
        p, q = self.scalar(depth - 1), self.scalar(depth - 1)
        return str(
            self.pick(
                f"{p} * {q}" if depth == 1 else f"math.sin({p}) * ({q})",
                f"math.tanh({p} + {q})",
                f"({p}) / (2.0 + ({q}) * ({q}))",
                f"math.sin(({p}) * ({q}))",
                f"0.5 * ({p} - {q})",
            )
        )

    def array(self) -> str:
        p, q = self.pick(*ARRAYS), self.pick(*ARRAYS)
        return str(
            self.pick(
                f"{p} * {self.pick(*SCALARS)}", f"np.sin({p}) + {q} * 0.3", f"np.tanh({p} * {q})", f"{p} - 0.5 * {q}"
            )
        )

    def condition(self) -> str:
        return f"{self.scalar(1)} {self.pick('>', '<')} {self.pick(0.1, 0.25, 0.0)}"

    def statement(self, depth: int) -> list[str]:
        kinds = [self.assign, self.assign, self.element, self.element, self.element, self.window, self.rebind]
        if depth < 3:
            kinds += [self.branch, self.loop, self.loop, self.while_loop]
        return list(self.random.choice(kinds)(depth))

    def assign(self, depth: int) -> Iterator[str]:
        if self.chance(0.15):
            yield f"j = ({self.index()} + {self.random.randint(1, 4)}) % 5"
        elif self.chance(0.15):
            yield "s, t = t, math.sin(s)"
        else:
            yield f"{self.pick('s', 't')} {self.pick('=', '=', '+=', '*=')} math.tanh({self.scalar(2)})"

    def element(self, depth: int) -> Iterator[str]:
        p, q = self.pick(*ARRAYS), self.pick(*ARRAYS)
        if self.chance(0.1):
            targets = f"{p}[{self.index()}], {q}[{self.index()}]"
            yield f"{targets} = {q}[{self.index()}], {p}[{self.index()}] * {self.pick(*SCALARS)}"
        else:
            yield f"{p}[{self.index()}] {self.pick('=', '=', '=', '+=', '*=', '-=')} math.tanh({self.scalar(2)})"

    def window(self, depth: int) -> Iterator[str]:
        p, q, (to, of) = self.pick(*ARRAYS), self.pick(*ARRAYS), self.pick(*WINDOWS)
        if self.chance(0.2):
            yield f"{p}[{to}] {self.pick('=', '*=')} {self.pick(*SCALARS)}"
        else:
            yield f"{p}[{to}] {self.pick('=', '+=')} np.tanh({q}[{of}] * {self.pick(*SCALARS)})"

    def rebind(self, depth: int) -> Iterator[str]:
        p, q = self.random.sample(ARRAYS, 2)
        choice = self.random.random()
        if choice < 0.3:
            yield f"{p}, {q} = {q}, {p}"
        elif choice < 0.45:
            yield f"{p} = {q}"
        elif choice < 0.55:
            yield f"{p} = {q}[::-1]"
        elif choice < 0.65:
            yield f"{p} = {q}.copy()"
        elif choice < 0.75:
            yield f"{p} = np.zeros(5)"
        else:
            yield f"{p} = {self.array()}"

    def block(self, depth: int, jump: bool = False) -> list[str]:
        lines = [line for _ in range(self.random.randint(1, 3)) for line in self.statement(depth + 1)]
        if jump and self.chance(0.35):
            at = self.random.randint(0, len(lines))
            while at < len(lines) and lines[at].startswith((" ", "else", "elif")):
                at += 1
            lines[at:at] = [
                f"if {self.condition()}:",
                "    s = math.sin(s) * 0.7",
                f"    {self.pick('break', 'continue', f'return {self.results()}')}",
            ]
        return ["    " + line for line in lines]

    def branch(self, depth: int) -> Iterator[str]:
        yield f"if {self.condition()}:"
        yield from self.block(depth)
        if self.chance(0.6):
            yield "else:"
            yield from self.block(depth)

    def loop(self, depth: int) -> Iterator[str]:
        self.loops += 1
        i = f"i{self.loops}"
        bounds = self.pick(
            "5", "1, 5", "4, 0, -1", "0, 5, 2", "3", f"{self.indices[-1]}, 5" if self.indices else "2, 4"
        )
        self.indices.append(i)
        yield f"for {i} in range({bounds}):"
        yield from self.block(depth, jump=True)
        self.indices.pop()

    def while_loop(self, depth: int) -> Iterator[str]:
        self.loops += 1
        k = f"k{self.loops}"
        yield f"{k} = 0"
        yield f"while {k} < {self.random.randint(2, 4)} and {self.condition()}:"
        yield f"    {k} += 1"
        self.indices.append(k)
        yield from self.block(depth)
        self.indices.pop()


def program(seed: int) -> tuple[Callable[..., Any], str]:
    """A function, whose source `inspect` finds, and its text."""
    writer = Writer(seed)
    text = writer.text()
    return compiled(writer.name, text), text


def compiled(name: str, text: str) -> Callable[..., Any]:
    file = f"<{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"math": math, "np": np, "__name__": "tests.hard.random_programs"}
    exec(compile(text, file, "exec"), namespace)
    made: Callable[..., Any] = namespace[name]
    return made


def case(seed: int) -> Case:
    return Case(program(seed)[0], (scalar(0.6), vector(N), vector(N)))


def outcome(seed: int) -> str:
    """'right', 'refused', or what is wrong."""
    try:
        return "\n".join(Comparison(case(seed), Core(case(seed))).run()) or "right"
    except SrcgradError as error:
        return "refused: " + str(error).splitlines()[-1]


def main(first: int, last: int) -> None:
    counts: Counter[str] = Counter()
    for seed in range(first, last):
        try:
            found = outcome(seed)
        except Exception:  # whatever breaks is reported, and the hunt goes on
            found = traceback.format_exc(limit=-3)
        kind = found.split(":")[0] if found.startswith("re") else found if found == "right" else "wrong"
        counts[kind] += 1
        if kind == "wrong":
            print(f"seed {seed}\n{program(seed)[1]}\n{found}\n", flush=True)
        if seed == last - 1 or seed % 50 == 49:
            print(seed, dict(counts), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
