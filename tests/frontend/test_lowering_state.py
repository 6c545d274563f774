"""What a lowering holds, and what a region that is tried leaves behind."""

from __future__ import annotations

import ast
from typing import Any

import pytest

import srcgrad as sg
from srcgrad.core import ir
from srcgrad.core.ir import Const
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.language import Language, lowering
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import TRUE, Frame, Struct
from srcgrad.frontend.source.liveness import Liveness
from srcgrad.frontend.source.read import read
from tests.frontend.lowering import lowered, same


def nothing() -> None:
    """A function to stand in."""


def in_a_frame() -> Lowering:
    low = lowering(single=False, threads=False)
    low.frame = Frame(read(nothing), "nothing", {}, frozenset(), Liveness(), (), ast.Pass())
    return low


def test_a_lowering_holds_nine_things() -> None:
    assert len(vars(lowering(False, False))) <= 9


def leaves_early(x: Any, n: Any) -> Any:
    s = x
    for i in range(n):
        if i == 3 and s > 1.0:
            continue
        while s < 0.5 or (s > 9.0 and n > 2):
            s = s * 2.0 if s < 0.25 else s + 0.5
            if s > 100.0:
                return s
        for w in (1.0, 2.0):
            if s > 50.0:
                break
            s = s + w * x
        else:
            s = s * 1.1
    return sum([s * k for k in range(n)]) + s


def test_the_environment_holds_the_users_names_only(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    statement = Language.statement

    def watched(self: Language, node: ast.stmt) -> None:
        seen.update(self.low.frame.env)
        statement(self, node)
        seen.update(self.low.frame.env)

    monkeypatch.setattr(Language, "statement", watched)
    same(leaves_early, 0.3, 5)
    own = {"@sequence", "@total"}  # names in the function that a comprehension stands for
    assert {name for name in seen if not name.isidentifier()} <= own and {"x", "n", "s", "i", "w"} <= seen


def test_an_attempt_leaves_nothing_behind() -> None:
    low, one = in_a_frame(), Const(1.0, ir.F8)
    box = values.struct([one], list)
    low.bind("a", box)
    with low.attempt() as tried:
        low.bind("b", one)
        low.b.alloc("f8", (Const(2, ir.I8),))
        low.change(box, (("0", "1"), (one, one), None))
        low.set_flags(returned=TRUE, result=one)
        inner = Struct(list, (), ())
        low.change(inner, (("0",), (one,), None))
    assert set(low.frame.env) == {"a"} and low.frame.flags == values.Flags() and low.b.out == [] and len(box.items) == 1
    assert (
        set(tried.env) == {"a", "b"} and tried.flags.result is one and len(tried.out) == 1 and list(tried.held) == [box]
    )
    low.keep(tried)
    assert len(low.b.out) == 1 and len(box.items) == 2


def test_an_attempt_that_is_refused_leaves_nothing_behind() -> None:
    low, one = in_a_frame(), Const(1.0, ir.F8)
    box = values.struct([one], list)
    with pytest.raises(sg.UnsupportedError), low.attempt():
        low.bind("b", one)
        low.change(box, ((), (), None))
        low.refuse("this", "that")
    assert low.frame.env == {} and low.b.out == [] and len(box.items) == 1


def test_refusals_of_a_run_that_is_repeated_are_forgotten() -> None:
    retry, runs = lowering(False, False).retry, iter(range(3))

    def run() -> int:
        n = next(runs)
        retry.refusals.append(sg.UnsupportedError(str(n)))
        return n

    assert retry.until_stable(run, lambda n: n < 2) == 2
    assert [error.problems[0].message for error in retry.refusals] == ["2"]


def stop() -> float:
    raise ValueError("never")


def halt() -> float:
    raise ValueError("never again")


def test_an_expression_of_which_both_sides_raise() -> None:
    def f(x: Any) -> Any:
        if x < 0.0:
            y = stop() if x < -1.0 else halt()
            return y
        return x * x

    assert sg.grad(f, jit=False)(3.0) == 6.0
    with pytest.raises(ValueError, match="never"):
        sg.grad(f, jit=False)(-0.5)
    with pytest.raises(ValueError, match="never"):
        sg.grad(f, jit=False)(-2.0)


def test_lists_summed_on_two_sides_may_still_be_changed() -> None:
    """What a sum goes over is no name of the user's, so that it is not joined where the sides meet."""

    def f(x: Any, n: Any) -> Any:
        a, b = [], []
        for i in range(n):
            a.append(x * i)
            b.append(x)
        y = sum(a) if x > 0.0 else sum(b)
        a.append(y)
        return sum(a)

    lowered(f, 1.0, 3)
    for x in (0.5, -0.5):
        same(f, x, 3)
