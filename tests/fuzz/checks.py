"""One program through srcgrad: every mode and order against the reference."""

from __future__ import annotations

import inspect
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from random import Random
from typing import Any

import numpy as np

from srcgrad.backend import cpu, shim
from srcgrad.compiler import find_or_make, to_source
from srcgrad.core import ir, verify
from srcgrad.core.run import run
from srcgrad.derivatives import arguments
from srcgrad.errors import REPEATED, SrcgradError
from srcgrad.frontend.lowering.function import Lowered, lower
from srcgrad.frontend.source import structure
from srcgrad.simplify.pipeline import simplify, simplify_fun
from srcgrad.testing.differences import differing, differing_kinds, differing_number, equal
from srcgrad.transform.forward import forward
from srcgrad.transform.plan import Keeping
from srcgrad.transform.reverse import keep_values, reverse
from tests import oracle
from tests.directions import Leaves, dot, like, size
from tests.fuzz.programs import Fuzzed
from tests.fuzz.reference import Dropped, Expected, expected

KEEPINGS: tuple[Keeping, ...] = ("cost", "all", "none")
TOLERANCE, TOLERANCE_SINGLE = 1e-8, 5e-3


@dataclass(frozen=True)
class Verdict:
    """kind: right, wrong, crash, refused or dropped.   what: the first check that failed, or the reason."""

    kind: str
    what: str = ""
    detail: str = ""

    @property
    def bad(self) -> bool:
        return self.kind in ("wrong", "crash")


class Wrong(Exception):
    def __init__(self, what: str, detail: str) -> None:
        super().__init__(what, detail)
        self.what, self.detail = what, detail


@dataclass(frozen=True)
class Menu:
    """Which checks a program gets. A random program's menu follows from its seed."""

    policy: str = "auto"
    keeping: Keeping = "cost"  # which values the reverse sweep keeps, of those that it could compute again
    reverse: bool = True
    forward: bool = True
    second: bool = True  # forward over reverse
    reverse_twice: bool = True
    reverse_forward: bool = True
    simplified: bool = True  # second derivatives are simplified and rendered, too
    compiled: bool = False
    verified: bool = True
    long: bool = True  # as calls of arrays without axes of length 1 are, where they are such
    forward_twice: bool = True
    checkpoint: tuple[int, int] | None = None  # snapshots, or bytes, of each loop

    @staticmethod
    def of(seed: int, compiled: bool = False) -> Menu:
        return replace(Menu._of(seed, compiled), checkpoint=_checkpoint(Random(seed ^ 0x5A9)))

    @staticmethod
    def _of(seed: int, compiled: bool) -> Menu:
        r = Random(seed ^ 0xC4EC)
        policy = r.choices(("auto", "keep", "snapshot"), (7, 2, 2))[0]
        keeping = Random(seed ^ 0xCE9).choices(KEEPINGS, (3, 2, 1))[0]
        if compiled:  # one derivative each: compiling takes seconds
            one = r.choices(("reverse", "forward", "second"), (5, 2, 2))[0]
            order = one == "reverse", one == "forward", one == "second", False, False
            return Menu(policy, keeping, *order, compiled=True, long=r.random() < 0.7, forward_twice=False)
        return Menu(
            policy,
            keeping,
            True,
            r.random() < 0.6,
            r.random() < 0.8,
            r.random() < 0.2,
            r.random() < 0.1,
            r.random() < 0.2,
            False,
            r.random() < 0.1,
            r.random() < 0.7,
            r.random() < 0.1,
        )


ALWAYS = {"checkpoint": False}  # whether all programs keep snapshots


def _checkpoint(r: Random) -> tuple[int, int] | None:
    """For a quarter of the programs, or for all."""
    if r.random() > 0.25 and not ALWAYS["checkpoint"]:
        return None
    return (r.choice((1, 2, 3, 5)), 0) if r.random() < 0.6 else (0, r.choice((1, 60, 200, 1000)))


def judge(p: Fuzzed, menu: Menu) -> Verdict:
    try:
        wanted = expected(p)
    except Dropped as reason:
        return Verdict("dropped", str(reason))
    try:
        with np.errstate(all="ignore"):
            Checks(p, menu, wanted).run()
    except Wrong as error:
        return Verdict("wrong", error.what, error.detail)
    except SrcgradError as error:
        if str(error).startswith("internal error"):
            return Verdict("crash", str(error).splitlines()[0], str(error))
        return Verdict("refused", error.problems[0].message, str(error))
    except Exception as error:  # whatever breaks is reported, and the hunt goes on
        return Verdict("crash", f"{type(error).__name__} in {innermost(error)}", traceback.format_exc(limit=-6))
    return Verdict("right")


def _checkpointed(program: ir.Program, limit: tuple[int, int] | None) -> ir.Program:
    """The program with what it says about its loops."""
    if limit is None:
        return program
    main = program.main
    facts = replace(main.facts, checkpoint=ir.Checkpoints(*limit, strict=False, tidy=simplify_fun))
    return replace(program, main=replace(main, facts=facts))


def has_one(values: Sequence[Any]) -> bool:
    """Whether an array among them has an axis of length 1."""
    return any(1 in np.shape(x) for x in oracle.leaves(values))


def unit_axes(values: Sequence[Any]) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """The axes of length 1, by the leaves."""
    given = [x for x in oracle.leaves(values) if isinstance(x, (bool, int, float, complex, np.generic, np.ndarray))]
    found = ((k, tuple(axis for axis, n in enumerate(np.shape(x)) if n == 1)) for k, x in enumerate(given))
    return tuple((k, axes) for k, axes in found if axes)


def too_short(lowered: Lowered, values: Sequence[Any]) -> bool:
    """Whether the program was made for longer arrays than these."""
    main = lowered.program.main
    given = [*oracle.leaves(values), *(c.read() for c in lowered.captured)]
    arrays = (x for x in given if isinstance(x, np.ndarray) and x.ndim)
    pairs = zip((p for p in main.params if p.type.ref), arrays, strict=True) if main.facts.least else ()
    return any(n < m for p, x in pairs for n, m in zip(np.shape(x), main.facts.least.get(p, ()), strict=False))


def is_left(lowered: Lowered, values: Sequence[Any]) -> bool:
    """Whether the program finds on its way that something is repeated."""
    if not lowered.program.main.facts.may_be_left:
        return False
    given = [x for x in oracle.leaves(values) if isinstance(x, (bool, int, float, np.generic, np.ndarray))]
    copies = [np.array(x) if isinstance(x, np.ndarray) else x for x in (*given, *(c.read() for c in lowered.captured))]
    try:
        run(lowered.program, *copies)
    except ValueError as error:
        return REPEATED in str(error)
    return False


def innermost(error: BaseException) -> str:
    """The function of srcgrad in which it broke: what two crashes of one cause share."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f"srcgrad{os.sep}" in f.filename]
    return f"{os.path.basename(frames[-1].filename)}:{frames[-1].name}" if frames else "generated code"


class Checks:
    """`run` raises Wrong at the first difference."""

    def __init__(self, p: Fuzzed, menu: Menu, wanted: Expected) -> None:
        self.p, self.menu, self.wanted = p, menu, wanted
        self.tolerance = TOLERANCE_SINGLE if p.single else TOLERANCE
        fun, args = p.fun(), p.fresh_args()
        bound = inspect.signature(fun).bind(*args)
        bound.apply_defaults()
        values = list(bound.arguments.values())
        long = menu.long and (unit_axes(values) if has_one(values) else True)
        lowered = lower(fun, [structure.describe(a) for a in values], long, again=bool(long))
        repeats = any(1 in np.shape(c.read()) for c in lowered.captured) or too_short(lowered, values)
        if repeats or is_left(lowered, values):
            lowered = lower(fun, [structure.describe(a) for a in values])
        self.fixed = [*values[len(args) :], *(c.read() for c in lowered.captured)]
        for name in lowered.program.main.facts.ordered:  # as the edge does
            arguments.check_order(bound.arguments.get(name), name)
        self.program = _checkpointed(self.checked(simplify(lowered.program)), menu.checkpoint)
        self.outs = [y for y in wanted.plain if oracle.is_float(y)]
        params = self.program.main.params
        own = [k for k, q in enumerate(params[: len(params) - len(self.fixed)]) if q.type.is_float]
        self.active = frozenset(own)
        rng = np.random.default_rng(7)
        self.w, self.e, self.a = ([like(y, rng) for y in self.outs] for _ in range(3))

    # ---- programs and how they are run

    def checked(self, program: ir.Program) -> ir.Program:
        if self.menu.verified:
            for fun in (program.main, *program.callees.values()):
                verify.verify(fun)
        return program

    def derived(
        self, transform: Callable[..., ir.Program], program: ir.Program, active: frozenset[int], *more: Any
    ) -> ir.Program:
        with keep_values(self.menu.keeping):
            return self.checked(transform(program, active, *more))

    def load(self, program: ir.Program) -> Callable[..., Any]:
        """The program's generated text, loaded; compiled if the menu says so."""
        jit = None
        if self.menu.compiled:
            jit = cpu.jit_options(() if to_source.decides_anew(program) else cpu.FAST, False)
        text = to_source.text(program, jit, loops=find_or_make.UNJITTED["loops"])
        namespace: dict[str, Any] = {"__name__": __name__}  # of no module, Numba does not link recursive functions
        exec(compile(text, "<generated>", "exec"), namespace)
        name = program.main.name
        if self.menu.compiled:
            return namespace[name]
        namespace["math"] = shim.math_shim()
        return shim.interpreted(namespace[name])

    def call(self, what: str, program: ir.Program, function: Callable[..., Any], *more: Leaves) -> Leaves:
        """What it gives for the program's arguments and more; they must be as before."""
        types = [p.type.dtype for p in program.main.params]
        given = [typed(g, t) for g, t in zip([*self.leaves(), *self.fixed, *chain(*more)], types, strict=True)]
        kept = [np.array(g) if isinstance(g, np.ndarray) else g for g in given]
        out = function(*given)
        for g, k in zip(given, kept, strict=True):
            if not equal(k, g):
                raise Wrong(what, "an argument was changed")
        return list(out) if isinstance(out, tuple) else [out]

    def leaves(self) -> Leaves:
        """The arguments' numbers and arrays; compiled code is given contiguous writable ones, as the edge does."""
        found = [
            x for x in oracle.leaves(self.p.fresh_args()) if isinstance(x, (bool, int, float, np.generic, np.ndarray))
        ]
        return (
            [np.array(x, order="C") if isinstance(x, np.ndarray) else x for x in found] if self.menu.compiled else found
        )

    def interpret(self, what: str, program: ir.Program, *more: Leaves) -> Leaves:
        return self.call(what, program, lambda *args: run(program, *args), *more)

    def execute(self, what: str, program: ir.Program, *more: Leaves) -> Leaves:
        return self.call(what, program, self.load(program), *more)

    # ---- the checks

    def run(self) -> None:
        count = len(self.active)
        self.rev = self.checked(simplify(self.derived(reverse, self.program, self.active, self.menu.policy)))
        if self.menu.reverse:
            self.check_reverse(count)
        if self.menu.forward or self.menu.reverse_forward or self.menu.forward_twice:
            self.check_forward()
        if self.menu.second:
            self.check_second(count)
        if self.menu.reverse_twice:
            self.check_reverse_twice(count)

    def check_reverse(self, count: int) -> None:
        out = self.execute("reverse", self.rev, self.w)
        self.values("value", out[: len(out) - count])
        bars = self.kinds(out[len(out) - count :])
        self.product("reverse", bars, self.wanted.d, [(self.w, self.wanted.floats(0))])

    def check_forward(self) -> None:
        e = self.wanted
        program = simplify(self.derived(forward, self.program, self.active))
        go = self.execute if self.menu.simplified or self.menu.compiled else self.interpret
        out = go("forward", program, e.d)
        self.same("forward", out[len(out) - len(self.outs) :], e.floats(0))
        if self.menu.forward_twice:
            twice = self.derived(forward, program, self.wider(len(self.active)))
            out = self.interpret("forward over forward", twice, e.d, e.v, [d * 0 for d in e.d])
            self.same("forward over forward", out[len(out) - len(self.outs) :], e.floats(0, 1))
        if not self.menu.reverse_forward:
            return
        twice = self.derived(reverse, program, self.wider(len(self.active)), self.menu.policy)
        out = self.interpret("reverse over forward", twice, e.d, self.a, self.w)[-2 * len(self.active) :]
        x_bar = out[: len(self.active)]
        self.product("reverse over forward", x_bar, e.v, [(self.a, e.floats(1)), (self.w, e.floats(0, 1))])

    def check_second(self, count: int) -> None:
        e = self.wanted
        program = self.derived(forward, self.rev, self.wider(len(self.outs)))
        if self.menu.simplified or self.menu.compiled:
            program = self.checked(simplify(program))
        go = self.execute if self.menu.simplified or self.menu.compiled else self.interpret
        out = go("forward over reverse", program, self.w, e.d, self.e)
        parts = [(self.w, e.floats(0, 1)), (self.e, e.floats(1))]
        self.product("forward over reverse", out[len(out) - count :], e.v, parts)

    def check_reverse_twice(self, count: int) -> None:
        e = self.wanted
        program = self.derived(reverse, self.rev, self.wider(len(self.outs)), self.menu.policy)
        if self.menu.simplified:
            program = self.checked(simplify(program))
        go = self.execute if self.menu.simplified else self.interpret
        out = go("reverse over reverse", program, self.w, self.a, e.v)[-count - len(self.outs) :]
        parts = [(self.a, e.floats(0)), (self.w, e.floats(0, 1)), (self.e, e.floats(1))]
        self.product("reverse over reverse", out, [*e.d, *self.e], parts)

    def wider(self, extra: int) -> frozenset[int]:
        """The active parameters of a derivative: the primal's, and those that it added."""
        first = len(self.program.main.params)
        return self.active | frozenset(range(first, first + extra))

    # ---- comparing

    def kinds(self, bars: Leaves) -> Leaves:
        floats = [x for x in self.wanted.x if oracle.is_float(x)]
        if self.menu.compiled:  # Numba gives a float64 for a float32; the edge turns it back
            floats = [float(x) if np.ndim(x) == 0 else x for x in floats]
        tell("kind", differing_kinds(bars, floats))
        return bars

    def values(self, what: str, got: Leaves) -> None:
        floats = [y for y in got if oracle.is_float(y) or isinstance(y, float)]
        self.same(what, floats, self.wanted.floats())

    def same(self, what: str, got: Leaves, wanted: Leaves) -> None:
        tell(what, differing(got, wanted, lambda y: self.tolerance * largest(y)))

    def product(self, what: str, bars: Leaves, along: Leaves, parts: list[tuple[Leaves, Leaves]]) -> None:
        """bars · along must be the sum of weights · derivatives."""
        got, wanted = dot(bars, along), sum(dot(p, q) for p, q in parts)
        if error := differing_number(got, wanted, self.tolerance, max(size(p, q) for p, q in parts)):
            raise Wrong(what, error)


def tell(what: str, errors: Iterator[str]) -> None:
    """Raise the first of what differs."""
    for error in errors:
        raise Wrong(what, error)


def largest(known: Any) -> float:
    """The size that the entries of an array are judged by: of the largest of them, or 1."""
    return max(1.0, float(np.max(np.abs(known), initial=0.0)))


def typed(x: Any, dtype: str) -> Any:
    """Directions and weights in the types of what they belong to; other things as they are."""
    if not oracle.is_float(x) or np.asarray(x).dtype == dtype:
        return x
    return x.astype(dtype) if isinstance(x, np.ndarray) else np.dtype(dtype).type(x)
