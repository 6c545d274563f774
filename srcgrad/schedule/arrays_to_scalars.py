"""Small arrays live in scalars: memory of at most 16 elements that is reached at literal places becomes a variable an
element, which goes through branches and round loops like every other number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from srcgrad.core import ir, walk
from srcgrad.core.build import const, scalar_of
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Type, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.rules.language import registry
from srcgrad.schedule.small_arrays import Ref, Small, literal_places, small_arrays
from srcgrad.simplify.values.common import key

Elements = tuple[Atom, ...]


def arrays_to_scalars(fun: Fun) -> Fun:
    """The function with small arrays held in scalars; the same object if there are none."""
    small = small_arrays(fun)
    return _Scalars(small).fun(fun) if small.refs else fun


class _Scalars(Rewriter):
    """held: what the elements of each array (by its root) are at the place at hand."""

    def __init__(self, small: Small) -> None:
        super().__init__()
        self.small, self.refs = small, small.refs
        self.held: dict[Var, Elements] = {}
        self.first = _first_uses(small)
        self.built: set[Var] = set()  # results

    def fun(self, fun: Fun) -> Fun:
        new = super().fun(fun)
        stores: list[Stmt] = []
        results = tuple(self.given_back(result, stores) for result in fun.results)
        return replace(new, body=(*new.body, *stores), results=walk.kept(new.results, results))

    def given_back(self, result: Atom, out: list[Stmt]) -> Atom:
        """A result; an array is built of its elements, once."""
        if not isinstance(result, Var) or result not in self.refs or result in self.small.fun.params:
            return self.atom(result)
        if result in self.built:
            return result
        self.built.add(result)
        shape = self.refs[result].shape
        out.append(ir.Alloc(result, tuple(Const(n, ir.I8) for n in shape), ir.Init.EMPTY))
        for place, value in zip(np.ndindex(shape), self.held[result], strict=True):
            out.append(ir.Store(result, tuple(Const(n, ir.I8) for n in place), value))
        return result

    # ---- statements

    def one(self, stmt: Stmt) -> Rewritten:
        for param in self.first.get(stmt, ()):
            self.read(param)
        match stmt:
            case ir.Alloc() if stmt.target in self.refs:
                self.held[stmt.target] = self.fresh(stmt)
            case ir.Load() if stmt.ref in self.refs:
                self.env[stmt.target] = self.held[self.refs[stmt.ref].root][self.place(stmt)]
            case ir.Store() if stmt.ref in self.refs:
                self.set(stmt, self.converted(stmt.value, stmt.ref.type, stmt))
            case ir.Accumulate() if stmt.ref in self.refs:
                self.set(stmt, self.added(stmt))
            case ir.View() if stmt.base in self.refs:
                pass
            case ir.Let(args=(Var() as ref,)) if ref in self.refs and ref not in self.small.fun.params:
                self.env[stmt.target] = const(self.refs[ref].shape[stmt.params["axis"]])
            case ir.If():
                return self.branch(stmt)
            case ir.For() | ir.While():
                return self.loop(stmt)
            case _:
                return self.inside(stmt)
        return ()

    def read(self, param: Var) -> None:
        """The elements of a parameter, before its first use."""
        shape = self.refs[param].shape
        targets = [Var(_name(param.name, place), scalar_of(param.type)) for place in np.ndindex(shape)]
        for place, target in zip(np.ndindex(shape), targets, strict=True):
            self.put(ir.Load(target, param, tuple(Const(n, ir.I8) for n in place)))
        self.held[param] = tuple(targets)

    def fresh(self, stmt: ir.Alloc) -> Elements:
        kind = scalar_of(stmt.target.type)
        zero = Const({"f": 0.0, "c": 0j, "b": False}.get(kind.dtype[0], 0), kind)
        value = zero if isinstance(stmt.init, ir.Init) else self.converted(stmt.init, stmt.target.type, stmt)
        return (value,) * self.refs[stmt.target].places.size

    def place(self, stmt: ir.Load | ir.Store | ir.Accumulate) -> int:
        """Which element of its root the statement reaches."""
        ref = self.refs[stmt.ref]
        return int(ref.places.ravel()[literal_places(ref.shape, stmt.index)])

    def set(self, stmt: ir.Store | ir.Accumulate, value: Atom) -> None:
        root, place = self.refs[stmt.ref].root, self.place(stmt)
        old = self.held[root]
        self.held[root] = (*old[:place], value, *old[place + 1 :])

    def converted(self, value: Atom, memory: Type, stmt: Stmt) -> Atom:
        """The value as memory of this type holds it."""
        value, kind = self.atom(value), scalar_of(memory)
        if value.type == kind:
            return value
        if isinstance(value, Const) and kind == ir.F8:
            return Const(float(value.value.real), kind)
        target = Var("t", kind)
        cast = registry.PRIMITIVES["cast"]
        self.put(ir.Let((target,), cast, (value,), {"dtype": kind.dtype}, span=stmt.span))
        return target

    def added(self, stmt: ir.Accumulate) -> Atom:
        old, value = self.held[self.refs[stmt.ref].root][self.place(stmt)], self.atom(stmt.value)
        if isinstance(old, Const) and old.value == 0:
            return value
        target = Var(self.named(self.refs[stmt.ref], self.place(stmt)), old.type)
        self.put(ir.Let((target,), registry.PRIMITIVES["add"], (old, value), span=stmt.span))
        return target

    def named(self, ref: Ref, place: int) -> str:
        return _name(ref.root.name, np.unravel_index(place, self.refs[ref.root].shape))

    # ---- branches

    def contents(self, ref: Atom) -> Elements:
        """What the elements of a reference are now."""
        assert isinstance(ref, Var)
        found = self.refs[ref]
        held = self.held[found.root]
        return tuple(held[place] for place in found.places.ravel().tolist())

    def branch(self, stmt: ir.If) -> Stmt:
        cond, before = self.atom(stmt.cond), dict(self.held)
        arrays = [out for out in stmt.outs if out.target in self.refs]
        sides: list[tuple[dict[Var, Elements], list[Elements], list[Atom]]] = []
        blocks: list[tuple[Stmt, ...]] = []
        plain = [out for out in stmt.outs if out.target not in self.refs]
        for which, block in walk.blocks(stmt):
            self.held = dict(before)
            blocks.append(self.block(block))
            ends = [out.then if which == "then" else out.orelse for out in arrays]
            numbers = [self.atom(out.then if which == "then" else out.orelse) for out in plain]
            sides.append((self.held, [self.contents(end) for end in ends], numbers))
        self.held = before
        (then, thens, ones), (orelse, orelses, others) = sides
        outs = [ir.Out(out.target, a, b) for out, a, b in zip(plain, ones, others, strict=True)]
        for root in before:
            if then[root] is not orelse[root]:
                before[root] = self.merged(root, then[root], orelse[root], outs)
        for out, first, second in zip(arrays, thens, orelses, strict=True):
            before[out.target] = self.merged(out.target, first, second, outs)
        return walk.changed(stmt, cond=cond, then=blocks[0], orelse=blocks[1], outs=_kept_outs(stmt.outs, outs))

    def merged(self, root: Var, then: Elements, orelse: Elements, outs: list[ir.Out]) -> Elements:
        """What the elements are after a branch: those that differ come out of it."""
        made: list[Atom] = []
        for place, (a, b) in enumerate(zip(then, orelse, strict=True)):
            if key(a) == key(b):
                made.append(a)
                continue
            target = Var(self.named(self.refs[root], place), a.type)
            outs.append(ir.Out(target, a, b))
            made.append(target)
        return tuple(made)

    # ---- loops

    def loop(self, loop: ir.For | ir.While) -> Stmt:
        """What the body writes, and what goes round by reference, is carried an element at a time."""
        bounds = () if isinstance(loop, ir.While) else tuple(map(self.atom, (loop.start, loop.stop, loop.step)))
        plain = [c for c in loop.carry if c.inner not in self.refs]
        arrays = [c for c in loop.carry if c.inner in self.refs]
        changed = [(root, place) for root, place in self.small.written.get(loop, {}) if root in self.held]
        inits = [*(self.atom(c.init) for c in plain), *(self.held[root][place] for root, place in changed)]
        inits += [a for c in arrays for a in self.contents(c.init)]
        after = dict(self.held)
        inners = self.bound(changed, [c.inner for c in arrays], self.held)
        parts = self.blocks_of(loop)
        nexts = [*(self.atom(c.next) for c in plain), *(self.held[root][place] for root, place in changed)]
        nexts += [a for c in arrays for a in self.contents(c.next)]
        leave = None if loop.exit is None else self.atom(loop.exit)
        self.held = after
        outs = self.bound(changed, [c.out for c in arrays], self.held)
        heads = [*(c.inner for c in plain), *inners]
        carry = tuple(map(ir.Carry, heads, inits, nexts, [*(c.out for c in plain), *outs]))
        made = _kept_carry(loop.carry, carry)
        if isinstance(loop, ir.While):
            return walk.changed(loop, carry=made, exit=leave, **parts)
        start, stop, step = bounds
        return walk.changed(loop, start=start, stop=stop, step=step, carry=made, exit=leave, **parts)

    def blocks_of(self, loop: ir.For | ir.While) -> dict[str, Any]:
        if isinstance(loop, ir.For):
            return {"body": self.block(loop.body)}
        test = self.block(loop.test)
        return {"test": test, "cond": self.atom(loop.cond), "body": self.block(loop.body)}

    def bound(self, changed: Sequence[tuple[Var, int]], arrays: Sequence[Var], held: dict[Var, Elements]) -> list[Var]:
        """New variables for the elements that go round, which `held` now tells."""
        made: list[Var] = []
        for root, place in changed:
            var = Var(self.named(self.refs[root], place), scalar_of(root.type))
            held[root] = (*held[root][:place], var, *held[root][place + 1 :])
            made.append(var)
        for root in arrays:
            shape, kind = self.refs[root].shape, scalar_of(root.type)
            own = [Var(_name(root.name, place), kind) for place in np.ndindex(shape)]
            held[root] = tuple(own)
            made += own
        return made


def _kept_outs(old: tuple[ir.Out, ...], new: list[ir.Out]) -> tuple[ir.Out, ...]:
    same = len(old) == len(new) and all(
        a.target is b.target and a.then is b.then and a.orelse is b.orelse for a, b in zip(old, new, strict=True)
    )
    return old if same else tuple(new)


def _kept_carry(old: tuple[ir.Carry, ...], new: tuple[ir.Carry, ...]) -> tuple[ir.Carry, ...]:
    same = len(old) == len(new) and all(
        a.inner is b.inner and a.init is b.init and a.next is b.next for a, b in zip(old, new, strict=True)
    )
    return old if same else new


def _name(name: str, place: Sequence[object]) -> str:
    return "_".join((name, *map(str, place)))


def _first_uses(small: Small) -> dict[Stmt, list[Var]]:
    """The parameters that are to be read in front of each statement of the function's body."""
    params = [p for p in small.fun.params if p in small.refs]
    found: dict[Stmt, list[Var]] = {}
    for stmt in small.fun.body if params else ():
        used = {a for inner in walk.walk((stmt,)) for a in _asks(inner) if isinstance(a, Var)}
        found[stmt] = [p for p in params if p in used]
        params = [p for p in params if p not in used]
    return found


def _asks(stmt: Stmt) -> tuple[Atom, ...]:
    measures = isinstance(stmt, ir.Let) and stmt.op.traits.measures
    return () if measures else (*walk.used(stmt), *walk.used_inside(stmt))
