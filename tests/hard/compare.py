"""Every order and mode of a case against the reference, by inner products with random directions."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, Protocol, cast

import numpy as np

from srcgrad.testing.differences import differing, differing_kinds, differing_number, equal
from tests import oracle
from tests.directions import Leaves, dot, like, size
from tests.hard.table import Case


class Engine(Protocol):
    """A function and its derivatives on flat lists: float leaves in, float leaves out.

    x: all leaves of the arguments; d, v, u: a direction for each float leaf of x;
    w, a, b: a weight for each float leaf out; e: a direction for each w.
    """

    def value(self, x: Leaves) -> Leaves: ...
    def forward(self, x: Leaves, d: Leaves) -> Leaves:
        """D f[d]"""

    def reverse(self, x: Leaves, w: Leaves) -> Leaves:
        """g = w·D f"""

    def forward_reverse(self, x: Leaves, w: Leaves, d: Leaves, e: Leaves) -> Leaves:
        """D g along d (of x) and e (of w)"""

    def reverse_reverse(self, x: Leaves, w: Leaves, a: Leaves, v: Leaves) -> tuple[Leaves, Leaves]:
        """The adjoints of x and w of a·f + v·g"""

    def reverse_forward(self, x: Leaves, d: Leaves, a: Leaves, b: Leaves) -> tuple[Leaves, Leaves]:
        """The adjoints of x and d of a·f + b·D f[d]"""

    def forward_forward(self, x: Leaves, d: Leaves, v: Leaves) -> Leaves:
        """D² f[d, v]"""


class ThirdOrderEngine(Engine, Protocol):
    def third_reverse(self, x: Leaves, w: Leaves, v: Leaves, u: Leaves) -> Leaves:
        """The adjoint of x of u·(the adjoint of x of v·g)"""

    def third_forward(self, x: Leaves, w: Leaves, d: Leaves, v: Leaves) -> Leaves:
        """D² g[d, v]"""


@dataclass
class Comparison:
    """One case in one engine; `run` gives the errors found, empty if all is right."""

    case: Case
    engine: Engine
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.args = self.case.args()
        self.x = list(oracle.leaves(self.args))
        self.floats = [p for p in self.x if oracle.is_float(p)]
        rng = np.random.default_rng(5)
        self.d, self.v, self.u = ([like(p, rng) for p in self.floats] for _ in range(3))
        self.value = oracle.evaluate(self.case.fun, self.args)[frozenset()]
        with np.errstate(all="ignore"):
            self.plain = list(oracle.leaves(self.case.fun(*copy.deepcopy(self.args))))
        self.outs = [y for y in self.plain if is_real(y)]
        self.w, self.e, self.a, self.b = ([like(y, rng) for y in self.outs] for _ in range(4))

    @cached_property
    def first(self) -> dict[oracle.Path, Leaves]:
        return self.reference([self.d])

    @cached_property
    def second(self) -> dict[oracle.Path, Leaves]:
        return self.reference([self.d, self.v])

    def reference(self, directions: Sequence[Leaves]) -> dict[oracle.Path, Leaves]:
        table = oracle.evaluate(self.case.fun, self.args, directions)
        return {path: self.reals(found) for path, found in table.items()}

    def reals(self, outs: Leaves) -> Leaves:
        return [np.asarray(y, float) for y, known in zip(outs, self.value, strict=True) if is_real(known)]

    def run(self, *checks: str) -> list[str]:
        """The named checks: 'value', 'first', 'second', 'third', or 'hessian' (forward over reverse alone)."""
        with np.errstate(all="ignore"):
            for check in checks or ("value", "first", "second"):
                if self.case.orders > 1 or check in ("value", "first"):
                    getattr(self, f"check_{check}")()
        return self.errors

    def call(self, method: Callable[..., Any], *args: Leaves) -> Any:
        """method of the engine on copies; what it was given must be as before."""
        given = (list(oracle.leaves(self.case.args())), *copy.deepcopy(args[1:]))  # x in its own layout
        result = method(*given)
        if not all(map(equal, chain(*given), chain(*args))):
            self.errors.append(f"{method.__name__} changed its arguments")
        return result

    def expect(self, what: str, got: float, wanted: float, scale: float) -> None:
        if error := differing_number(got, wanted, self.case.tolerance, scale):
            self.errors.append(f"{what}: {error}")

    def same(self, what: str, got: Leaves, wanted: Leaves) -> None:
        allowed = self.case.tolerance
        self.errors += [f"{what} {error}" for error in differing(got, wanted, lambda y: allowed * (1.0 + np.abs(y)))]

    def kinds(self, what: str, got: Leaves, models: Leaves) -> None:
        self.errors += [f"{what} {error}" for error in differing_kinds(got, models)]

    def check_value(self) -> None:
        got = self.call(self.engine.value, self.x)
        self.same("value", got, self.value)
        self.kinds("value", [y for y in got if is_real(y)], self.outs)

    def check_first(self) -> None:
        df = self.first[frozenset({0})]
        self.same("forward", self.call(self.engine.forward, self.x, self.d), df)
        g = self.call(self.engine.reverse, self.x, self.w)
        self.kinds("reverse", g, self.floats)
        self.expect("reverse", dot(g, self.d), dot(self.w, df), size(self.w, df))

    def check_hessian(self) -> None:
        dv, ddv = self.second[frozenset({1})], self.second[frozenset({0, 1})]
        w, d, v, e = self.w, self.d, self.v, self.e
        g_dot = self.call(self.engine.forward_reverse, self.x, w, d, e)
        self.expect("forward over reverse", dot(g_dot, v), dot(w, ddv) + dot(e, dv), size(w, ddv) + size(e, dv))

    def check_second(self) -> None:
        self.check_hessian()
        engine, dd, dv = self.engine, self.second[frozenset({0})], self.second[frozenset({1})]
        ddv = self.second[frozenset({0, 1})]
        x, w, d, v, a, b, e = self.x, self.w, self.d, self.v, self.a, self.b, self.e
        x_bar, w_bar = self.call(engine.reverse_reverse, x, w, a, v)
        wanted = dot(a, dd) + dot(w, ddv) + dot(e, dv)
        scale = size(a, dd) + size(w, ddv) + size(e, dv)
        self.expect("reverse over reverse", dot(x_bar, d) + dot(w_bar, e), wanted, scale)
        x_bar, d_bar = self.call(engine.reverse_forward, x, d, a, b)
        wanted, scale = dot(a, dv) + dot(b, ddv), size(a, dv) + size(b, ddv)
        self.expect("reverse over forward, of x", dot(x_bar, v), wanted, scale)
        self.expect("reverse over forward, of d", dot(d_bar, v), dot(b, dv), size(b, dv))
        self.same("forward over forward", self.call(engine.forward_forward, x, d, v), ddv)

    def check_third(self) -> None:
        table = self.reference([self.d, self.v, self.u])
        ddvu = table[frozenset({0, 1, 2})]
        wanted, scale = dot(self.w, ddvu), size(self.w, ddvu)
        engine = cast(ThirdOrderEngine, self.engine)
        x_bar = self.call(engine.third_reverse, self.x, self.w, self.v, self.u)
        self.expect("reverse three times", dot(x_bar, self.d), wanted, scale)
        g = self.call(engine.third_forward, self.x, self.w, self.d, self.v)
        self.expect("forward twice over reverse", dot(g, self.u), wanted, scale)


def is_real(y: Any) -> bool:
    return isinstance(y, (float, np.floating)) or (isinstance(y, np.ndarray) and y.dtype.kind == "f")
