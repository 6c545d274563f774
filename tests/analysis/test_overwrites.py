"""What is overwritten later, by index ranges: sure answers against traces of random loop nests, and known programs."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from srcgrad.analysis.effects import Facts
from srcgrad.analysis.overwrites import Overwrites
from srcgrad.core import ir
from srcgrad.core.run import Interpreter
from srcgrad.core.walk import walk
from srcgrad.frontend.lowering.function import lower
from srcgrad.frontend.source.structure import describe
from tests.hard.mutation import cholesky_inplace, lu_inplace

N = 4
SQUARE = np.arange(float(N * N)).reshape(N, N)


class Tracing(Interpreter):
    """A run that notes the places that loads and stores of one root reach, in their order."""

    def __init__(self, facts: Facts) -> None:
        super().__init__({})
        self.facts = facts
        self.seen: list[Any] = []

    def stmt(self, stmt: ir.Stmt, env: dict[ir.Var, Any]) -> None:
        if isinstance(stmt, (ir.Load, ir.Store, ir.Accumulate)) and stmt.ref.type.rank:
            root = env[self.facts.root(stmt.ref)]
            places = np.zeros(root.shape, dtype=bool)
            ref = env[stmt.ref]
            offset = (ref.__array_interface__["data"][0] - root.__array_interface__["data"][0]) // root.itemsize
            strides = [s // root.itemsize for s in ref.strides]  # a bool takes one byte
            here = np.ndarray(ref.shape, bool, places, offset, strides)
            here[self.index(stmt.index, env)] = True
            self.seen.append((stmt, self.facts.root(stmt.ref), places))
        super().stmt(stmt, env)


def overwritten(seen: list[Any]) -> Iterator[tuple[ir.Stmt, ir.Stmt]]:
    """(load, store) wherever the store wrote a place after the load had read it."""
    for k, (load, root, read) in enumerate(seen):
        if isinstance(load, ir.Load):
            for store, other, wrote in seen[k + 1 :]:
                if not isinstance(store, ir.Load) and other is root and np.any(read & wrote):
                    yield load, store


class Programs:
    """Random loop nests over a square matrix, every index of which is in range."""

    def __init__(self, seed: int) -> None:
        self.random, self.lines = random.Random(seed), ["def f(a, n):"]
        self.loops: list[str] = []

    def integer(self) -> str:
        name = self.random.choice([*self.loops, "0", "1", "n - 1", "n - 2"])
        return self.random.choice([name] * 4 + [f"({name} + 1) % n", f"max({name} - 1, 0)", f"{name} - 1", f"-{name}"])

    def item(self) -> str:
        start, stop = self.integer(), self.integer()
        pick = self.random.random()
        if pick < 0.7:
            return self.integer() if pick < 0.6 or not self.loops else self.random.choice(self.loops)
        return self.random.choice([f"{start}:", f":{stop}", f"{start}:{stop}", ":", "::2", "::-1", f"{start}::2"])

    def place(self) -> str:
        root = self.random.choice(["a", "a", "a", "a[1:]", "a.T", "a[:, 1:]", "a[::2]", "a[:3, ::-1]"])
        first, second = self.item(), self.item()
        if root != "a" and root != "a.T":
            first, second = self.random.choice("01"), self.random.choice(["0", "1", ":2", "1:"])
        return f"{root}[{first}, {second}]"

    def block(self, depth: int) -> None:
        for _ in range(self.random.randint(1, 3)):
            pad = "    " * (depth + 1)
            if depth < 3 and self.random.random() < 0.55:
                index = "ijk"[depth]
                bounds = self.random.choice(
                    ["n", "1, n", "n - 1, -1, -1", "0, n, 2", *(f"{x} + 1, n" for x in self.loops), *self.loops]
                )
                self.lines.append(f"{pad}for {index} in range({bounds}):")
                self.loops.append(index)
                self.block(depth + 1)
                self.loops.pop()
            elif self.random.random() < 0.25 and self.loops:
                self.lines.append(f"{pad}if {self.random.choice(self.loops)} > 1:")
                self.statement(pad + "    ")
            else:
                self.statement(pad)

    def statement(self, pad: str) -> None:
        op = self.random.choice(["=", "+=", "*="])
        self.lines.append(f"{pad}{self.place()} {op} np.sum({self.place()}) * 0.1")

    def source(self) -> str:
        self.block(0)
        return "\n".join([*self.lines, "    return a[0, 0]", ""])


def checked(fun: Callable[..., Any], n: int) -> tuple[int, int]:
    """(how many pairs of a load and a store are surely apart, how many are not); no sure answer may be wrong."""
    program = lower(fun, [describe(SQUARE), describe(n)]).program
    facts = Facts(program.main)
    ranges, tracing = Overwrites(facts), Tracing(facts)
    with np.errstate(all="ignore"):
        tracing.fun(program.main, (SQUARE[:n, :n].copy(), n))
    real: set[tuple[Any, Any]] = set(overwritten(tracing.seen))
    stmts = list(walk(program.main.body))
    stores = [s for s in stmts if isinstance(s, (ir.Store, ir.Accumulate))]
    pairs = [(a, b) for a in stmts if isinstance(a, ir.Load) for b in stores if facts.root(a.ref) is facts.root(b.ref)]
    claims = {pair: ranges.overwrites(pair[1], pair[0], pair[0].ref, facts.top) for pair in pairs}
    assert not [pair for pair in real if not claims[pair]]
    after = [p for p in pairs if facts.runs_after(p[1], p[0], facts.top)]
    return sum(not claims[p] for p in after), sum(claims[p] for p in after)


def test_no_sure_answer_is_wrong_in_random_nests(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [Programs(seed).source().replace("def f", f"def f{seed}") for seed in range(60)]
    (tmp_path / "random_nests.py").write_text("import numpy as np\n\n" + "\n\n".join(sources), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    random_nests = importlib.import_module("random_nests")

    counts = []
    for seed in range(len(sources)):
        fun = getattr(random_nests, f"f{seed}")
        try:
            with np.errstate(all="ignore"):
                fun(SQUARE.copy(), N)
        except (IndexError, ValueError):
            continue
        counts.append(checked(fun, N))
    apart, not_apart = map(sum, zip(*counts, strict=True))
    assert len(counts) > 30 and apart > 0.05 * not_apart  # it answers something


@pytest.mark.parametrize("fun", [lu_inplace, cholesky_inplace], ids=lambda f: f.__name__)
def test_elimination_writes_no_finished_row_again(fun: Callable[..., Any]) -> None:
    program = lower(fun, [describe(SQUARE)]).program
    facts = Facts(program.main)
    ranges = Overwrites(facts)
    loops = (s for s in walk(program.main.body) if isinstance(s, ir.For))
    depth = {s: len(facts.loops_between(s, facts.top)) for s in walk(program.main.body)}
    assert max(depth[s] for s in loops) == 2
    inner = [s for s in walk(program.main.body) if isinstance(s, ir.Load) and depth[s] == 3]
    again = [s for s in inner if ranges.overwritten_later(s, s.ref, facts.top)]
    updated = [s for s in inner if any(isinstance(t, ir.Store) and t.index == s.index for t in walk(program.main.body))]
    assert set(again) <= set(updated)
