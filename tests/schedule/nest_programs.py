"""Random programs of nests of loops over a few arrays: shifted reads and writes, additions, reductions, branches,
views, references that are swapped, steps of either sign. Their arrays have n + 8 elements along each axis."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

SPACES = ("range(0, n, 1)",) * 3 + ("range(1, n, 1)", "range(last, -1, -1)", "range(0, n, 2)", "range(0, 3, 1)")
WHOLE = "range(0, size, 1)"
INDENT = "    "


class Nests:
    """Writes one program. of: the rank of each array.   natural: whether indices never count from the end."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.depth = 1
        self.number = 0
        self.of: dict[str, int] = {}
        self.scalars = ["p"]
        self.results: list[str] = []
        self.natural = self.random.random() < 0.6
        self.favourite = self.random.choice(SPACES)

    # ---- text

    def put(self, line: str) -> None:
        self.lines.append(INDENT * self.depth + line)

    def name(self, stem: str) -> str:
        self.number += 1
        return f"{stem}{self.number}"

    @contextmanager
    def indented(self) -> Iterator[None]:
        self.depth += 1
        scalars = list(self.scalars)
        yield
        self.depth -= 1
        self.scalars = scalars

    # ---- a program

    def text(self) -> str:
        head = "fun f(x: &f8[1], y: &f8[2], n: i8, p: f8, k: i8):"
        self.of.update(x=1, y=2)
        self.put("size: i8 = add(n, 8)")
        self.put("last: i8 = subtract(n, 1)")
        for _ in range(self.random.randint(2, 5)):
            self.array()
        for _ in range(self.random.randint(3, 9)):
            self.statement()
        if self.random.random() < 0.5:
            self.in_time()
        kept = [a for a in self.of if a not in ("x", "y") and self.random.random() < 0.5]
        results = [*kept, *self.scalars]
        return "\n".join([head, *self.lines, f"{INDENT}return {', '.join(results)}"]) + "\n"

    def array(self) -> None:
        rank, name = self.random.choice((1, 2, 2)), self.name("a")
        lengths = ", ".join(["size"] * rank)
        how = self.random.choice(("zeros", "holds p", "empty"))
        self.put(f"{name}: &f8[{rank}] = alloc {how} ({lengths})")
        if how == "empty":
            self.filled(name, rank)
        self.of[name] = rank

    def filled(self, name: str, rank: int) -> None:
        """Every element stored."""
        indices = [self.name("w") for _ in range(rank)]
        for index in indices:
            self.put(f"for {index}: i8 in {WHOLE}:")
            self.depth += 1
        source = self.random.choice([a for a, r in self.of.items() if r == rank] or ["x"])
        value = self.name("v")
        place = indices if self.of[source] == rank else indices[:1]
        self.put(f"{value}: f8 = load {source}[{', '.join(place)}]")
        self.put(f"store {name}[{', '.join(indices)}] = {value}")
        self.depth -= rank

    def in_time(self) -> None:
        pairs = [a for a, r in self.of.items() if r == 2 and a != "y"]
        if len(pairs) < 2:
            return
        first, second = self.random.sample(pairs, 2)
        one, other, t = self.name("c"), self.name("c"), self.name("t")
        outs = self.name("o"), self.name("o")
        self.put(
            f"{outs[0]}: &f8[2], {outs[1]}: &f8[2] = for {t}: i8 in range(0, 2, 1) "
            f"with {one}: &f8[2] = {first}, {other}: &f8[2] = {second}:"
        )
        outer = dict(self.of)
        with self.indented():
            self.of.update({one: 2, other: 2})
            for name in (first, second):
                del self.of[name]
            for _ in range(self.random.randint(2, 4)):
                self.nest()
            self.put(f"next {other}, {one}")
        self.of = outer

    def statement(self) -> None:
        kind = self.random.random()
        if kind < 0.6:
            self.nest()
        elif kind < 0.68:
            self.array()
        elif kind < 0.76:
            value = self.name("s")
            self.put(f"{value}: f8 = {self.computed(self.scalars)}")
            self.scalars.append(value)
        elif kind < 0.82:
            self.view()
        else:
            self.temporary()

    def temporary(self) -> None:
        """An array that one nest fills and others, of the same space, read."""
        rank, name = self.random.choice((1, 2)), self.name("a")
        self.put(
            f"{name}: &f8[{rank}] = alloc {self.random.choice(('zeros', 'holds p'))} ({', '.join(['size'] * rank)})"
        )
        for filling in (True, *[False] * self.random.randint(1, 3)):
            indices = [self.name("i") for _ in range(rank)]
            outer = dict(self.of)
            for index in indices:
                self.put(f"for {index}: i8 in {self.favourite}:")
                self.depth += 1
            scalars = list(self.scalars)
            if not filling:
                self.scalars.append(self.name("l"))
                place = self.place(indices, rank) if self.random.random() < 0.3 else ", ".join(indices)
                self.put(f"{self.scalars[-1]}: f8 = load {name}[{place}]")
            self.access(indices)
            if filling or self.random.random() < 0.2:
                value = self.name("e")
                self.put(f"{value}: f8 = {self.computed(self.scalars)}")
                how = self.random.choice(("store {} = {}", "store {} = {}", "{} += {}"))
                self.put(how.format(f"{name}[{', '.join(indices)}]", value))
            self.scalars, self.of = scalars, outer
            self.depth -= rank

    def view(self) -> None:
        base = self.random.choice([a for a in self.of if a[0] == "a"])
        name, rank = self.name("v"), self.of[base]
        if rank == 2 and self.random.random() < 0.5:
            self.put(f"{name}: &f8[2] = view {base} transpose (1, 0)")
        else:
            self.put(f"{name}: &f8[{rank}] = view {base}[{', '.join(['1:'] + ['0:'] * (rank - 1))}]")
        self.of[name] = rank

    # ---- nests

    def nest(self) -> None:
        space = self.favourite if self.random.random() < 0.8 else self.random.choice(SPACES)
        total = self.name("r") if self.random.random() < 0.3 else ""
        inner, index = self.name("q"), self.name("i")
        head = f"for {index}: i8 in {space}"
        self.put(
            f"{total}: f8 = {head} with {inner}: f8 = {self.random.choice(self.scalars)}:" if total else f"{head}:"
        )
        with self.indented():
            if self.random.random() < 0.7:
                self.inner(index)
                if self.random.random() < 0.3:
                    self.inner(index)
            if total or self.random.random() < 0.5:
                self.body([index])
            if total:
                self.put(f"more{inner}: f8 = {self.computed([inner, self.scalars[-1]])}")
                self.put(f"next more{inner}")
        if total:
            self.scalars.append(total)

    def inner(self, outer: str) -> None:
        index = self.name("j")
        self.put(f"for {index}: i8 in {self.favourite}:")
        with self.indented():
            self.body([outer, index])

    def body(self, indices: Sequence[str]) -> None:
        for _ in range(self.random.randint(1, 3)):
            self.access(indices)
        if self.random.random() < 0.15:
            test = self.name("b")
            self.put(f"{test}: b1 = less({self.scalars[-1]}, {self.random.choice(self.scalars)})")
            self.put(f"if {test}:")
            with self.indented():
                self.access(indices)

    def access(self, indices: Sequence[str]) -> None:
        ranks = [r for r in (1, 2) if r <= len(indices) or self.random.random() < 0.1]
        arrays = [a for a, r in self.of.items() if r in ranks]
        writable = [a for a in arrays if a not in ("x", "y")]
        if self.random.random() < 0.6 or not writable:
            name, value = self.random.choice(arrays), self.name("l")
            place = self.place(indices, self.of[name])
            self.put(f"{value}: f8 = load {name}[{place}]")
            self.scalars.append(value)
            return
        name = self.random.choice(writable)
        value, place = self.name("e"), self.place(indices, self.of[name])
        self.put(f"{value}: f8 = {self.computed(self.scalars)}")
        self.put(f"store {name}[{place}] = {value}" if self.random.random() < 0.5 else f"{name}[{place}] += {value}")

    def place(self, indices: Sequence[str], rank: int) -> str:
        chosen = list(indices)[-rank:] if self.random.random() < 0.9 else [self.random.choice(indices)] * rank
        chosen += [chosen[0]] * (rank - len(chosen))
        return ", ".join(map(self.shifted, chosen))

    def shifted(self, index: str) -> str:
        kind = self.random.random()
        if kind < 0.55:
            return index
        if kind < 0.6:
            return self.random.choice(("0", "1", "k"))
        by = self.random.choice((1, 1, 2) if self.natural else (1, -1, 2))
        name = self.name("m")
        self.put(f"{name}: i8 = add({index}, {by})")
        return name

    def computed(self, scalars: Sequence[str]) -> str:
        a, b = self.random.choice(scalars), scalars[-1]
        return self.random.choice((f"add({a}, {b})", f"subtract({b}, {a})", f"multiply({b}, 0.5)", f"negative({b})"))
