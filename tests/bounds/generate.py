"""Random functions that index arrays, often out of range: as text, with arguments for them."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

PARAMETERS = "x, y, A, idx, n, m"


class Program:
    """One function `f(x, y, A, idx, n, m) -> float`."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.lines: list[str] = [f"def f({PARAMETERS}):", "    s = 0.0", "    k = 0"]
        self.ints: list[str] = ["n", "m"]
        self.arrays = ["x", "y"]
        self.loops = self.fresh = 0
        for _ in range(self.r.randint(1, 3)):
            self.statement(1)
        self.lines.append("    return s")

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def put(self, depth: int, line: str) -> None:
        self.lines.append("    " * depth + line)

    # ---- parts

    def bound(self) -> str:
        return self.r.choice(
            [
                *("n", "m", "len(x)", "x.shape[0]", "len(y)", "A.shape[0]", "A.shape[1]", "n - 1", "len(x) - 1"),
                *("n + 1", "3", "2", "len(idx)", "max(n, m)", "min(n, len(x))", "n // 2", "abs(m)", *self.ints[2:]),
            ]
        )

    def range(self) -> str:
        r, a, b = self.r, self.bound(), self.bound()
        return r.choice(
            [f"range({a})"] * 5
            + [f"range(1, {a})", f"range(1, {a} - 1)", f"range({a} - 1, -1, -1)", f"range({a}, {b})"]
            + [f"range(0, {a}, 2)", f"range({a}, -1, -2)", f"range(-{a}, {b})", f"reversed(range({a}))"]
        )

    def place(self) -> str:
        r, i, j = self.r, self.r.choice(self.ints), self.r.choice(self.ints)
        return r.choice(
            [i] * 6
            + [f"{i} + 1", f"{i} - 1", f"{i} + {j}", f"n - 1 - {i}", f"2 * {i}", f"{i} // 2", f"{i} % 3", f"-{i}", "k"]
            + [f"idx[{i}]", f"len(x) - 1 - {i}", f"{i} * m + {j}", f"({i} + 1) % len(x)", "-1", "0", f"min({i}, {j})"]
            + [f"({i} - 1 if {i} > 0 else len(x) - 1)", f"abs({i})", f"{i} * {j}"]
        )

    def element(self) -> str:
        kind = self.r.random()
        if kind < 0.2:
            return self.r.choice([f"A[{self.place()}, {self.place()}]", f"A[{self.place()}][{self.place()}]"])
        if kind < 0.27:
            return f"x[{self.r.choice(['1:', ':-1', '::2', '::-1', '1:-1', ':n', 'n:m'])}][{self.place()}]"
        if kind < 0.31:
            return f"np.sum(A[{self.place()}, :])"
        return f"{self.r.choice(self.arrays)}[{self.place()}]"

    def condition(self) -> str:
        i = self.r.choice(self.ints)
        return self.r.choice(
            [
                *(f"{i} > 0", f"{i} < n - 1", f"{i} < len(x)", f"{i} + 1 < len(x)", f"{i} != 0"),
                *(f"{self.element()} > 0.5", f"0 <= {i} < len(y)", f"{i} % 2 == 0", "k < len(x)", f"{i} == m"),
                f"{i} >= len(x)",
            ]
        )

    # ---- statements

    def statement(self, depth: int) -> None:
        kinds = ["add"] * 5 + ["for"] * 5 + ["if"] * 2 + ["store", "count", "while", "view", "jump"]
        kind = self.r.choice(kinds if depth < 4 else ["add", "store", "count", "jump"])
        getattr(self, f"_{kind}")(depth)

    def block(self, depth: int, count: int = 2) -> None:
        ints, arrays = list(self.ints), list(self.arrays)
        for _ in range(self.r.randint(1, count)):
            self.statement(depth)
        self.ints, self.arrays = ints, arrays

    def _add(self, depth: int) -> None:
        self.put(depth, f"s += {self.element()} * {self.r.choice([self.element(), '2.0'])}")

    def _count(self, depth: int) -> None:
        self.put(depth, self.r.choice(["k += 1", "k += 1", "k += 2", "k -= 1"]))

    def _store(self, depth: int) -> None:
        self.put(depth, f"{self.r.choice(self.arrays)}[{self.place()}] = {self.element()}")

    def _jump(self, depth: int) -> None:
        if self.loops:
            self.put(depth, f"if {self.condition()}:")
            self.put(depth + 1, self.r.choice(["break", "continue"]))
        else:
            self._add(depth)

    def _if(self, depth: int) -> None:
        self.put(depth, f"if {self.condition()}:")
        self.block(depth + 1)
        if self.r.random() < 0.3:
            self.put(depth, "else:")
            self.block(depth + 1)

    def _name(self, stem: str) -> str:
        self.fresh += 1
        return f"{stem}{self.fresh}"

    def _view(self, depth: int) -> None:
        name = self._name("v")
        how = ["x[1:]", "y[:-1]", "x.copy()", "np.zeros(len(x))", "np.zeros(n)", "x * 2.0", "x[::-1]", "A[:, 0]"]
        self.put(depth, f"{name} = {self.r.choice(how)}")
        self.arrays.append(name)

    def _for(self, depth: int) -> None:
        name = self._name("i")
        self.put(depth, f"for {name} in {self.range()}:")
        ints = list(self.ints)
        self.ints += [name, name, name]
        self.loops += 1
        self.block(depth + 1, 3)
        self.loops -= 1
        self.ints = ints

    def _while(self, depth: int) -> None:
        name = self._name("w")
        self.put(depth, f"{name} = {self.r.choice(['0', '0', '1', 'n'])}")
        condition = self.r.choice([f"{name} < {self.bound()}", f"x[{name}] > 0.0", f"{name} < n and y[{name}] > 0.0"])
        self.put(depth, f"while {condition} and {name} < 9:")
        self.put(depth + 1, f"{name} += 1" if self.r.random() < 0.4 else f"s += {self.element()}")
        self.ints += [name]
        loops, self.loops = self.loops, 0  # a continue would never end
        self.block(depth + 1)
        self.loops = loops
        self.put(depth + 1, f"{name} += 1")


def arguments(seed: int) -> tuple[Any, ...]:
    r = np.random.default_rng(seed)
    lengths = r.choice([0, 1, 2, 3, 4, 5], size=4, p=[0.05, 0.1, 0.2, 0.3, 0.25, 0.1])
    x, y = r.uniform(0.1, 1.0, lengths[0]), r.uniform(0.1, 1.0, lengths[0] if r.random() < 0.5 else lengths[1])
    a = r.uniform(0.1, 1.0, (lengths[2], lengths[2] if r.random() < 0.5 else lengths[3]))
    n = int(lengths[0]) if r.random() < 0.6 else int(r.integers(-1, 6))
    return x, y, a, r.integers(-2, 4, int(r.integers(0, 5))), n, int(r.integers(-1, 5))
