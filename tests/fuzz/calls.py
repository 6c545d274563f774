"""The whole way of a user's call: every transformer of `srcgrad` on a random program under odd names, not compiled,
within a time limit; and once more from the cache folder, as a later process would."""

from __future__ import annotations

import ast
import os
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

import srcgrad as sg
from srcgrad.compiler import find_or_make
from srcgrad.derivatives import at_a_point
from srcgrad.errors import SrcgradError
from srcgrad.testing.differences import differing, differing_kinds, differing_number, equal
from tests import oracle
from tests.directions import Leaves, dot, like, size
from tests.fuzz.checks import TOLERANCE, TOLERANCE_SINGLE, Verdict, Wrong, innermost, largest, tell, typed
from tests.fuzz.programs import Fuzzed, compiled
from tests.fuzz.reference import Dropped, Expected, expected, limited

SECONDS = 20.0  # for all transformers of a program together
FIRST = ("value_and_grad", "grad", "jvp", "vjp", "forward", "reverse", "jacobian")
SECOND = ("hvp", "hessian")


class Slow(BaseException):
    """The time is over. No `except Exception` on the way takes it for something else."""


@dataclass(frozen=True)
class Transformers:
    """Which transformers a program goes through: all, or of each order some that its seed chooses."""

    names: tuple[str, ...] = (*FIRST, *SECOND)

    @staticmethod
    def of(seed: int) -> Transformers:
        r = Random(seed ^ 0xCA11)
        return Transformers((*r.sample(FIRST, 2), r.choice(SECOND)))


def judge(p: Fuzzed, menu: Transformers) -> Verdict:
    try:
        wanted = expected(p)
    except Dropped as reason:
        return Verdict("dropped", str(reason))
    what = ""
    try:
        with np.errstate(all="ignore"), own_cache(), limited(SECONDS, Slow):
            calls = Calls(p, wanted)
            for what in menu.names:
                calls.check(what)
    except Slow:
        return Verdict("crash", f"{what}: over {SECONDS:.0f} s", traceback.format_exc(limit=-12))
    except Wrong as error:
        return Verdict("wrong", error.what, error.detail)
    except SrcgradError as error:
        if "internal error" in str(error):
            return Verdict("crash", f"{what}: {str(error).splitlines()[0]}", str(error))
        return Verdict("refused", error.problems[0].message if error.problems else str(error), str(error))
    except Exception as error:  # whatever breaks is reported, and the hunt goes on
        return Verdict("crash", f"{what}: {type(error).__name__} in {innermost(error)}", traceback.format_exc(limit=-6))
    return Verdict("right")


@contextmanager
def own_cache() -> Iterator[None]:
    """A cache folder of the program's own, empty at first and gone afterwards."""
    old = os.environ.get("SRCGRAD_CACHE_DIR")
    with tempfile.TemporaryDirectory(prefix="srcgrad-fuzz-") as folder:
        os.environ["SRCGRAD_CACHE_DIR"] = folder
        try:
            yield
        finally:
            forget()
            os.environ.pop("SRCGRAD_CACHE_DIR")
            os.environ.update({} if old is None else {"SRCGRAD_CACHE_DIR": old})


def forget() -> None:
    """What the process has in memory of what was generated; the cache folder stays."""
    find_or_make._UNITS.clear()
    at_a_point._derivative.cache_clear()


class Calls:
    """Calls of transformers on a program `f`, and on `scalar`, a weighted sum of what f gives."""

    def __init__(self, p: Fuzzed, wanted: Expected) -> None:
        self.p, self.e = p, wanted
        self.tolerance = TOLERANCE_SINGLE if p.single else TOLERANCE
        self.fun = p.fun()
        self.result = self.fun(*p.fresh_args())
        floats = [y for y in oracle.leaves(self.result) if oracle.is_float(y)]
        rng = np.random.default_rng(7)
        self.w = [like(y, rng) for y in floats]
        self.active = tuple(k for k, a in enumerate(p.args) if any(map(oracle.is_float, oracle.leaves(a))))
        self.scalar = compiled(f"{p.name}_scalar", p.text + self.scalar_text(), "scalar")

    def scalar_text(self) -> str:
        (main,) = [n for n in ast.parse(self.p.text).body if isinstance(n, ast.FunctionDef) and n.name == "f"]
        names = [a.arg for a in main.args.args]
        places = [path for path, y in paths(self.result, "result_of_f") if oracle.is_float(y)]
        terms = [
            f"np.sum({place} * {constant(w)})" if np.ndim(w) else f"{place} * {constant(w)}"
            for place, w in zip(places, self.w, strict=True)
        ]
        lines = [f"result_of_f = f({', '.join(names)})", f"return {' + '.join(terms)}"]
        return f"\n\ndef scalar({ast.unparse(main.args)}):\n    " + "\n    ".join(lines) + "\n"

    # ---- the transformers

    def check(self, what: str) -> None:
        """The call, and the same again with nothing of it left in the process: the results must be the same bits."""
        getattr(self, what)(got := self.called(what))
        forget()
        again = self.called(what)
        if not all(map(same_bits, oracle.leaves(got), oracle.leaves(again))):
            raise Wrong(what, f"a second call from the cache gives {again}, the first {got}")

    def called(self, what: str) -> Any:
        args, kept = self.p.fresh_args(), self.p.fresh_args()
        out = CALLS[what](self, args)
        for a, k in zip(oracle.leaves(args), oracle.leaves(kept), strict=True):
            if isinstance(a, np.ndarray) and not equal(k, a):
                raise Wrong(what, "an argument was changed")
        return out

    def along(self, direction: Leaves, args: Any) -> list[Any]:
        """The direction in the structure of the active arguments."""
        steps = iter(direction)

        def step(x: Any) -> Any:
            if not oracle.is_float(x):
                return None
            d = next(steps)
            return d.astype(x.dtype) if isinstance(x, np.ndarray) else typed(d, np.asarray(x).dtype.str[1:])

        return [oracle.rebuild(args[k], map(step, oracle.leaves(args[k]))) for k in self.active]

    def cotangent(self) -> Any:
        weights = iter(self.w)
        return oracle.rebuild(
            self.result, (next(weights) if oracle.is_float(y) else y for y in oracle.leaves(self.result))
        )

    # ---- what they must give

    def value_and_grad(self, got: Any) -> None:
        self.number("value", got[0], dot(self.w, self.e.floats()))
        self.grad(got[1])

    def grad(self, got: Any, what: str = "grad") -> None:
        bars = [b for b in oracle.leaves(got) if oracle.is_float(b)]
        floats = [x for k in self.active for x in oracle.leaves(self.p.args[k]) if oracle.is_float(x)]
        tell(what, differing_kinds(bars, floats))
        for k, direction in enumerate((self.e.d, self.e.v)):
            self.number(what, dot(bars, direction), dot(self.w, self.e.floats(k)), size(bars, direction))

    def vjp(self, got: Any) -> None:
        self.floats("vjp's value", got[0], self.e.floats())
        self.grad(tuple(got[1][k] for k in self.active), "vjp")

    def reverse(self, got: Any) -> None:
        self.floats("reverse's value", got[0], self.e.floats())
        self.grad(got[1], "reverse")

    def jvp(self, got: Any, what: str = "jvp") -> None:
        self.floats(f"{what}'s value", got[0], self.e.floats())
        self.floats(what, got[1], self.e.floats(0))

    def forward(self, got: Any) -> None:
        self.jvp(got, "forward")

    def jacobian(self, got: Any) -> None:
        blocks = [b for b in oracle.leaves(got) if oracle.is_float(b)]
        wide = len(self.e.d)
        rows = [blocks[k : k + wide] for k in range(0, len(blocks), wide)]
        tangents = [sum(np.tensordot(b, d, np.ndim(d)) for b, d in zip(row, self.e.d, strict=True)) for row in rows]
        self.floats("jacobian", tuple(map(np.asarray, tangents)), self.e.floats(0))

    def hvp(self, got: Any) -> None:
        bars = [b for b in oracle.leaves(got) if oracle.is_float(b)]
        self.number("hvp", dot(bars, self.e.v), dot(self.w, self.e.floats(0, 1)), size(bars, self.e.v))

    def hessian(self, got: Any) -> None:
        blocks = iter([b for b in oracle.leaves(got) if oracle.is_float(b)])
        total = most = 0.0
        for v in self.e.v:
            for d in self.e.d:
                block = np.asarray(next(blocks), float)
                total += float(np.sum(np.tensordot(block, d, np.ndim(d)) * v))
                most += float(np.sum(np.tensordot(np.abs(block), np.abs(d), np.ndim(d)) * np.abs(v)))
        self.number("hessian", total, dot(self.w, self.e.floats(0, 1)), most)

    # ---- comparing

    def number(self, what: str, got: float, wanted: float, most: float = 1.0) -> None:
        if error := differing_number(got, wanted, self.tolerance, most):
            raise Wrong(what, error)

    def floats(self, what: str, got: Any, wanted: Leaves) -> None:
        found = [y for y in oracle.leaves(got) if oracle.is_float(y)]
        tell(what, differing(found, wanted, lambda y: self.tolerance * largest(y)))


def _vjp(c: Calls, args: Any) -> Any:
    value, pullback = sg.vjp(c.fun, *args, jit=False)
    return value, pullback(c.cotangent())


def _jvp(c: Calls, args: Any) -> Any:
    tangents = dict(zip(c.active, c.along(c.e.d, args), strict=True))
    return sg.jvp(c.fun, args, tuple(tangents.get(k) for k in range(len(args))), jit=False)


CALLS: dict[str, Callable[[Calls, Any], Any]] = {
    "grad": lambda c, args: sg.grad(c.scalar, c.active, jit=False)(*args),
    "value_and_grad": lambda c, args: sg.value_and_grad(c.scalar, c.active, jit=False)(*args),
    "jvp": _jvp,
    "vjp": _vjp,
    "forward": lambda c, args: sg.forward(c.fun, c.active, jit=False)(*args, *c.along(c.e.d, args)),
    "reverse": lambda c, args: sg.reverse(c.fun, c.active, jit=False)(*args, c.cotangent()),
    "jacobian": lambda c, args: sg.jacobian(c.fun, c.active, jit=False)(*args),
    "hvp": lambda c, args: sg.hvp(c.scalar, c.active, jit=False)(*args, tuple(c.along(c.e.d, args))),
    "hessian": lambda c, args: sg.hessian(c.scalar, c.active, jit=False)(*args),
}


def constant(w: Any) -> str:
    """As a literal of the text."""
    text = repr(np.asarray(w).tolist())
    return f"np.array({text}, dtype=np.{w.dtype})" if isinstance(w, np.ndarray) else text


def paths(x: Any, text: str) -> Iterator[tuple[str, Any]]:
    """(expression, leaf) for every leaf of a result."""
    if isinstance(x, dict):
        children = [(f"{text}[{key!r}]", child) for key, child in x.items()]
    elif isinstance(x, (tuple, list)):
        children = [(f"{text}[{k}]", child) for k, child in enumerate(x)]
    else:
        yield text, x
        return
    for place, child in children:
        yield from paths(child, place)


def same_bits(a: Any, b: Any) -> bool:
    return np.asarray(a).dtype == np.asarray(b).dtype and equal(a, b)
