"""Which references may reach the same memory, and how variables are shown."""

import pytest

from srcgrad.core import ir
from srcgrad.core.aliases import Aliases, written
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import F8, Type, Var

MEMORY = Type("f8", 1, ref=True)
X, Y, Z = (Var(name, MEMORY) for name in "xyz")
CONDITION = Var("c", ir.B1)


def _fun(body: tuple[ir.Stmt, ...], *results: ir.Atom) -> ir.Fun:
    return ir.Fun("f", (X,), body, results)


def _carried(target: Var, source: Var) -> ir.For:
    inner = Var("inner", MEMORY)
    carry = ir.Carry(inner, source, inner, target)
    return ir.For(Var("i", ir.I8), const(0), const(3), const(1), (carry,), ())


def _listed(target: Var, source: Var) -> tuple[ir.Stmt, ...]:
    refs = Var("refs", Type("f8", 1, ref=True, many=True))
    return ir.NewList(refs, Z), ir.Append(refs, source, Var("k", ir.I8)), ir.RefAt(target, refs, const(0))


WAYS = {
    "a view": (ir.View(Y, X, (ir.Slice(const(1)),)),),
    "a branch": (ir.If(CONDITION, (), (), (ir.Out(Y, X, Z),)),),
    "a loop": (_carried(Y, X),),
    "a list": _listed(Y, X),
    "a call": (ir.Call((Y,), "g", (X,)),),
    "a rule of the user's": (ir.Custom((Y,), (X,), _fun((), X)),),
    "a rule that gives back a view": (ir.Custom((Y,), (X,), _fun((ir.View(Z, X, (ir.Slice(const(1)),)),), Z)),),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_the_same_memory(way):
    aliases = Aliases(WAYS[way], given_back=True)
    assert aliases.of(Y) is aliases.of(X)
    assert aliases.simple(Y) is (way == "a view")
    stores = ir.Store(Y, (const(0),), const(1.0))
    assert written(_fun((*WAYS[way], stores))) == {X}


APART = {
    "what gave a list its type": (*_listed(Y, Z)[:2], ir.NewList(Var("l", Type("f8", 1, ref=True, many=True)), X)),
    "a call that shares nothing": (ir.Call((Y,), "g", (X,), shares=False),),
    "a rule that makes its result": (ir.Custom((Y,), (X,), _fun((ir.Alloc(Z, (const(3),)),), Z)),),
    "new memory": (ir.Alloc(Y, (), init=Var("v", Type("f8", 1))),),
}


@pytest.mark.parametrize("way", APART)
def test_memory_of_its_own(way):
    aliases = Aliases(APART[way], given_back=True)
    assert aliases.of(Y) is not aliases.of(X)


def test_between_lowering_and_printing_a_call_gives_memory_of_its_own():
    for way in ("a call", "a rule of the user's"):
        aliases = Aliases(WAYS[way])
        assert aliases.of(Y) is not aliases.of(X) and aliases.simple(Y)


def test_a_variable_is_shown_alike_each_time():
    shown = [repr(Var(*given)) for given in (("x", F8), ("x", F8), ("a", MEMORY), ("n", ir.I8), ("v", Type("f4", 2)))]
    assert shown == ["x: f8", "x: f8", "a: &f8[1]", "n: i8", "v: f4[2]"]
    assert "at 0x" not in repr(Builder().alloc("f8", (const(3),)))
