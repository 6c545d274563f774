"""The edges of a program: arguments as values made of its parameters, and what it returns as memory of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from srcgrad.core import ir
from srcgrad.core.aliases import Aliases
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Struct, Value
from srcgrad.frontend.source.structure import Leaf, Node, Spec, Static


def argument(low: Lowering, name: str, spec: Spec, params: list[Var]) -> Value:
    """An argument of this structure, whose leaves are further parameters."""
    match spec:
        case Leaf(type):
            params.append(Var(name, type))
            return params[-1]
        case Static(value, cell):
            return low.captures.given(value, cell, name)
        case Node(kind, keys, children):
            items = [argument(low, f"{name}_{key}", child, params) for key, child in zip(keys, children, strict=True)]
            return Struct(kind, keys, tuple(items))
    raise TypeError(type(spec).__name__)


def within(value: Value, change: Callable[[Atom], Atom]) -> Value:
    """An argument with its leaves changed."""
    if isinstance(value, Struct):
        return Struct(value.kind, value.keys, tuple(within(item, change) for item in value.items))
    return change(value) if isinstance(value, (Var, Const)) else value


def number(low: Lowering, atom: Atom) -> Atom:
    """An array without axes is a number."""
    if not isinstance(atom, Var) or not atom.type.ref or atom.type.rank:
        return atom
    return low.b.load(atom, ())


def shares(low: Lowering, value: Value, params: Sequence[Var]) -> list[tuple[int, int]]:
    """Which results are, in the user's function, memory of which parameters, or views of it."""
    aliases, results = Aliases(low.b.out, given_back=True), list(enumerate(values.leaves(value)))
    given = [(k, aliases.of(p)) for k, p in enumerate(params) if p.type.ref]
    return [
        (n, k) for n, r in results for k, root in given if isinstance(r, Var) and r.type.ref and aliases.of(r) is root
    ]


def whole(low: Lowering, value: Value, params: Sequence[Var]) -> Value:
    """What is returned by reference must be whole memory: a view is copied."""
    aliases = Aliases(low.b.out, given_back=True)
    whole = {*params, *_allocated(low.b.out)}

    def result(atom: Atom) -> Atom:
        if not isinstance(atom, Var) or not atom.type.ref or atom in whole or not aliases.viewed(atom):
            return atom
        return low.b.alloc(atom.type.dtype, (), init=low.b.load(atom), name=atom.name)

    return values.map_leaves(value, result)


def _allocated(stmts: Sequence[ir.Stmt]) -> Iterator[Var]:
    return (s.target for s in stmts if isinstance(s, ir.Alloc))
