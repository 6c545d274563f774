"""The writer of a random program: its scope, its choices, and the constructs that it can choose from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.fuzz import weights

Shape = tuple[int, ...]
Make = Callable[..., Any]
CONSTRUCTS: dict[str, dict[str, Make]] = {group: {} for group in weights.GROUPS}


def construct(group: str, name: str) -> Callable[[Make], Make]:
    """Decorator: enters a maker of source text under a name that has a weight."""

    def enter(make: Make) -> Make:
        assert name in weights.GROUPS[group], f"{name} has no weight"
        CONSTRUCTS[group][name] = make
        return make

    return enter


class Unfit(Exception):
    """The construct has no place here."""


@dataclass(frozen=True)
class Kind:
    """What a name holds. form: float, int, bool, array, indices (an array of places), function.

    shape: of an array; of an int its least and greatest value; of indices (length, greatest value).
    """

    form: str
    shape: Shape = ()


FLOAT, BOOL = Kind("float"), Kind("bool")


def array(*shape: int) -> Kind:
    return Kind("array", shape)


class Writer:
    """Writes statements as lines of text; `uses` lists the constructs in them."""

    def __init__(self, seed: int, lines: int) -> None:
        self.random = Random(seed)
        self.scope: dict[str, Kind] = {}
        self.uses: list[str] = []
        self.helpers: set[str] = set()
        self.budget = lines
        self.depth = 0
        self.loops = 0  # how many loops are around
        self.frozen: set[str] = set()  # names that may not be bound anew here
        self.result: Callable[[], str] = lambda: "0.0"
        self._count = 0

    # ---- choices

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def pick(self, choices: Sequence[Any]) -> Any:
        if not choices:
            raise Unfit
        return self.random.choice(choices)

    def use(self, name: str) -> None:
        self.uses.append(name)

    def make(self, group: str, *args: Any) -> Any:
        """The text of a construct of the group that fits here."""
        table = weights.GROUPS[group]
        names = list(CONSTRUCTS[group])
        for _ in range(30):
            (name,) = self.random.choices(names, [table[n] for n in names])
            mark, scope = len(self.uses), dict(self.scope)
            self.use(name)
            try:
                return CONSTRUCTS[group][name](self, *args)
            except Unfit:
                del self.uses[mark:]
                self.scope = scope
        raise Unfit

    # ---- names

    def fresh(self, stem: str) -> str:
        self._count += 1
        return f"{stem}{self._count}"

    def names(self, form: str, fits: Callable[[Shape], bool] = lambda s: True) -> list[str]:
        return [n for n, k in self.scope.items() if k.form == form and fits(k.shape)]

    def arrays(self, *shape: int) -> list[str]:
        return self.names("array", lambda s: s == shape)

    def vectors(self, least: int = 1) -> list[str]:
        return self.names("array", lambda s: len(s) == 1 and s[0] >= least)

    def matrices(self) -> list[str]:
        return self.names("array", lambda s: len(s) == 2 and min(s) >= 1)

    def shape(self, name: str) -> Shape:
        return self.scope[name].shape

    def bind(self, name: str, kind: Kind) -> str:
        self.scope[name] = kind
        return name

    def target(self, kind: Kind, stem: str = "t") -> str:
        """A name that may be bound to this kind of thing here: most often one that holds such a thing already."""
        known = [n for n, k in self.scope.items() if k == kind and n not in self.frozen]
        if known and self.chance(0.75):
            return str(self.pick(known))
        return self.fresh(stem)

    # ---- texts

    def scalar(self, depth: int = 2) -> str:
        if depth <= 0:
            return str(self.make_leaf())
        return str(self.make("scalar", depth))

    def make_leaf(self) -> str:
        for name in ("name", "element", "literal") if self.chance(0.5) else ("element", "name", "literal"):
            try:
                return str(CONSTRUCTS["scalar"][name](self, 0))
            except Unfit:
                continue
        return "0.5"

    def array(self, shape: Shape, depth: int = 2) -> str:
        if depth <= 0:
            known = self.arrays(*shape)
            return str(self.pick(known)) if known else str(CONSTRUCTS["array"]["made array"](self, shape, 0))
        return str(self.make("array", shape, depth))

    def condition(self) -> str:
        return str(self.make("condition"))

    def index(self, length: int) -> str:
        """An index expression within an axis of this length."""
        if length < 1:
            raise Unfit
        known = [str(self.random.randrange(length)), str(self.random.randrange(length)), "-1"]
        for name in self.names("int"):
            low, high = self.shape(name)
            if low >= -length and high < length:
                known += [name] * 4
            shift = self.random.randint(1, length)
            if low + shift >= -length and high + shift < length:
                known.append(f"{name} + {shift}")
            if low - shift >= -length and high - shift < length:
                known += [f"{name} - {shift}"] * 2
            known.append(f"({name} + {self.random.randint(0, length)}) % {length}")
            if low >= 0 and high < length:
                known.append(f"{length - 1} - {name}")
        return str(self.pick(known))

    # ---- blocks

    @contextmanager
    def inner(self, loop: bool = False) -> Iterator[None]:
        """A block: names first bound in it are forgotten after it, others keep their kind."""
        outer = dict(self.scope)
        self.depth += 1
        self.loops += loop
        try:
            yield
        finally:
            self.depth -= 1
            self.loops -= loop
            self.scope = {n: outer[n] for n in outer}

    def statements(self, most: int) -> list[str]:
        out: list[str] = []
        for _ in range(self.random.randint(1, most)):
            if out and self.budget <= 0:
                break
            out += self.statement()
        return out

    def statement(self) -> list[str]:
        mark = self.budget
        self.budget -= 1
        try:
            return list(self.make("statement"))
        except Unfit:
            self.budget = mark
            raise

    def block(self, most: int = 3, jumps: bool = False) -> list[str]:
        """Indented statements, in a loop sometimes with a jump among them."""
        lines = self.statements(most)
        if jumps and self.chance(0.3):
            lines += self.make("jump")
            if self.chance(0.5):
                lines += self.statements(1)
        return indented(lines)


def indented(lines: Sequence[str]) -> list[str]:
    return ["    " + line for line in lines]
