"""Random core programs: loops, branches, carried scalars and references, memory written through views."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import B1, F8, I8, Atom, Type, Var
from srcgrad.rules.scalar.arithmetic import add, multiply, negative, subtract
from srcgrad.rules.scalar.compare import less, logical_not, where
from srcgrad.rules.scalar.elementwise import cos, sin

N = 4  # the length of every axis
VECTOR, MATRIX, VALUE = Type("f8", 1, ref=True), Type("f8", 2, ref=True), Type("f8", 1)
NAMES = ("x", "y", "s", "t", "t", "t_bar", "p")


@dataclass
class Scope:
    """What can be used: by type; the memory that may be written; array values of this region only; loop indices."""

    atoms: dict[Type, list[Var]] = field(default_factory=dict)
    writable: set[Var] = field(default_factory=set)
    values: list[Var] = field(default_factory=list)
    places: list[Var] = field(default_factory=list)

    def inner(self) -> Scope:
        return Scope({k: list(v) for k, v in self.atoms.items()}, set(self.writable), [], list(self.places))

    def add(self, var: Var, writable: bool = False) -> Var:
        if var.type.is_array_value:
            self.values.append(var)
        else:
            self.atoms.setdefault(var.type, []).append(var)
        if writable:
            self.writable.add(var)
        return var


class Generator:
    """Writes one program. `real`: its results are a number, a vector and a number, which have derivatives."""

    def __init__(self, seed: int, size: int = 12, depth: int = 3, real: bool = False) -> None:
        self.random, self.real = random.Random(seed), real
        self.size, self.depth = size, depth
        self.b = Builder()
        self.lines = 0

    def let(self, op: ir.Primitive, *args: Atom, name: str = "t", **params: Any) -> Var:
        """A statement: what it gives is a variable, as one operand is."""
        made = self.b.let(op, *args, name=name, **params)
        assert isinstance(made, Var)
        return made

    def program(self) -> ir.Program:
        params = [Var("x", F8), Var("y", F8), Var("n", I8), Var("a", VECTOR), Var("m", MATRIX), Var("c", B1)]
        scope = Scope()
        for p in params:
            scope.add(p)
        self.new_memory(scope)
        for given in params[3:5] if self.real else ():
            scope.add(self.b.alloc("f8", (), self.b.load(given), name=self.name()), writable=True)
        self.statements(scope, self.size, self.depth)
        results = self.results(scope)
        return ir.Program(ir.Fun("f", tuple(params), tuple(self.b.out), results))

    def results(self, scope: Scope) -> tuple[Atom, ...]:
        if self.real:
            total, *rest = scope.atoms[F8][-3:]
            vectors, matrices = scope.atoms[VECTOR][-2:], scope.atoms[MATRIX][-1:]
            rest += [self.b.load(v, (self.place(scope),)) for v in vectors]
            rest += [self.b.load(v, (self.place(scope), self.place(scope))) for v in matrices]
            for more in rest:
                total = self.let(add, total, more)
            return self.let(multiply, total, total), self.memory(scope, VECTOR), self.pick(scope, F8)
        if self.random.random() < 0.3:
            kinds = self.random.choices((F8, VECTOR, I8, MATRIX, B1), k=self.random.randint(1, 3))
            return tuple(self.pick(scope, kind) for kind in kinds)
        # everything that is left shows what went wrong anywhere
        return tuple(v for kind in (F8, VECTOR, MATRIX, I8, B1) for v in scope.atoms.get(kind, ())[-8:])

    # ---- choices

    def name(self) -> str:
        return self.random.choice(NAMES)

    def pick(self, scope: Scope, kind: Type) -> Atom:
        """Something of this type, the latest most often; sometimes a literal."""
        have = scope.atoms.get(kind, [])
        if kind.is_scalar and (not have or self.random.random() < 0.15):
            return {
                F8: const(round(self.random.uniform(-2, 2), 1)),
                I8: const(self.random.randint(-2, 3)),
                B1: const(self.random.random() < 0.5),
            }[kind]
        return have[-1 - min(int(self.random.expovariate(0.4)), len(have) - 1)]

    def memory(self, scope: Scope, kind: Type) -> Var:
        return self.random.choice([v for v in scope.atoms[kind] if v in scope.writable] or [self.new_memory(scope)])

    def place(self, scope: Scope) -> Atom:
        known: list[Atom] = [*scope.places, const(self.random.randrange(N)), const(-1)]
        return self.random.choice(known)

    def span(self) -> ir.Span:
        self.lines += 1
        text = f"{self.name()} = something({self.lines // 3})"
        return ir.Span("f.py", self.lines // 3, 0, self.lines // 3, len(text), text)

    # ---- statements

    def statements(self, scope: Scope, count: int, depth: int, pure: bool = False) -> None:
        """pure: without writes."""
        simple = [self.scalar, self.integer, self.truth, self.load] if pure else [
            *[self.scalar] * 6, self.integer, self.truth, self.load, self.load, self.whole, self.store, self.store,
            self.accumulate, self.new_memory, self.view, self.array, self.write_array, self.load_and_store,
            self.load_and_store, self.look,
        ]  # fmt: skip
        for _ in range(count):
            self.b.span = self.span() if self.random.random() < 0.5 else self.b.span
            if depth and self.random.random() < 0.3:
                self.random.choice((self.for_, self.while_, self.if_, self.if_, self.kept))(scope, depth - 1)
            else:
                self.random.choice(simple)(scope)

    def scalar(self, scope: Scope) -> None:
        op = self.random.choice((add, multiply, subtract, sin, cos, negative, where))
        kinds = {sin: (F8,), cos: (F8,), negative: (F8,), where: (B1, F8, F8)}.get(op, (F8, F8))
        made = self.let(op, *(self.pick(scope, k) for k in kinds), name=self.name())
        if op is multiply or op is add:  # keep numbers small
            made = self.let(sin, made, name=self.name())
        scope.add(made)

    def integer(self, scope: Scope) -> None:
        op = self.random.choice((add, subtract))
        made = self.b.let(op, self.pick(scope, I8), self.pick(scope, I8), name=self.name())
        if isinstance(made, Var):
            scope.add(made)

    def truth(self, scope: Scope) -> None:
        if self.random.random() < 0.3:
            scope.add(self.let(logical_not, self.pick(scope, B1), name=self.name()))
        else:
            scope.add(self.let(less, self.pick(scope, F8), self.pick(scope, F8), name=self.name()))

    def load(self, scope: Scope) -> None:
        if self.random.random() < 0.3:
            matrix = self.pick(scope, MATRIX)
            assert isinstance(matrix, Var)
            scope.add(self.b.load(matrix, (self.place(scope), self.place(scope)), name=self.name()))
            return
        vector = self.pick(scope, VECTOR)
        assert isinstance(vector, Var)
        scope.add(self.b.load(vector, (self.place(scope),), name=self.name()))

    def whole(self, scope: Scope) -> None:
        """An array value: a copy of a vector, of a row or of a column."""
        if self.random.random() < 0.5:
            ref = self.pick(scope, VECTOR)
            index: ir.Index = (ir.Slice(step=self.random.choice((None, const(-1)))),)
        else:
            ref, index = self.pick(scope, MATRIX), self.line(scope)
        assert isinstance(ref, Var)
        scope.add(self.b.load(ref, index, name=self.name()))

    def line(self, scope: Scope) -> ir.Index:
        """A row or a column."""
        return self.random.choice(((self.place(scope), ir.Slice()), (ir.Slice(), self.place(scope))))

    def array(self, scope: Scope) -> None:
        if not scope.values:
            return self.whole(scope)
        left = self.random.choice(scope.values)
        op = self.random.choice((add, multiply, sin))
        right = self.random.choice([*scope.values, self.pick(scope, F8)])
        scope.add(self.let(op, *((left,) if op is sin else (left, right)), name=self.name()))
        return None

    def write_array(self, scope: Scope) -> None:
        if scope.values:
            value = self.random.choice(scope.values)
            choice = self.random.random()
            if choice < 0.4:
                scope.add(self.b.alloc("f8", (), value, name=self.name()), writable=True)
            elif choice < 0.5:
                self.b.accumulate(self.memory(scope, VECTOR), None, value)
            else:
                put = self.random.choice((self.b.store, self.b.accumulate))
                put(self.memory(scope, VECTOR), (ir.Slice(step=self.random.choice((None, const(-1)))),), value)

    def store(self, scope: Scope) -> None:
        self.b.store(self.memory(scope, VECTOR), (self.place(scope),), self.pick(scope, F8))

    def load_and_store(self, scope: Scope) -> None:
        """What an element was before it is written, perhaps through another name, is used after."""
        memory, place = self.memory(scope, VECTOR), self.place(scope)
        old = self.b.load(memory, (place,), name=self.name())
        if self.random.random() < 0.5:
            old = self.let(cos, old, name=self.name())
        if self.random.random() < 0.3:
            self.b.store(memory, (place,), self.pick(scope, F8))
        else:
            self.b.store(self.memory(scope, VECTOR), (self.place(scope),), self.pick(scope, F8))
        if self.random.random() < 0.5:
            scope.add(self.let(subtract, self.let(sin, old), self.pick(scope, F8), name=self.name()))
        else:
            self.b.accumulate(self.memory(scope, VECTOR), (self.place(scope),), old)

    def look(self, scope: Scope) -> None:
        """The value of an array without a copy, for as long as nothing writes."""
        ref = self.pick(scope, VECTOR)
        assert isinstance(ref, Var)
        value = Var(self.name(), VALUE)
        self.b.put(ir.Load(value, ref, (ir.Slice(step=self.random.choice((None, const(-1)))),), copy=False))
        if self.random.random() < 0.4:
            scope.add(self.b.alloc("f8", (), value, name=self.name()), writable=True)
        else:
            scope.add(self.let(sin, value, name=self.name()))

    def accumulate(self, scope: Scope) -> None:
        matrices = [v for v in scope.atoms[MATRIX] if v in scope.writable]
        if matrices:
            matrix = self.random.choice(matrices)
            self.b.accumulate(matrix, (self.place(scope), self.place(scope)), self.pick(scope, F8))
        else:
            self.b.accumulate(self.memory(scope, VECTOR), (self.place(scope),), self.pick(scope, F8))

    def new_memory(self, scope: Scope) -> Var:
        if self.random.random() < 0.3:
            scope.add(self.b.alloc("f8", (const(N), const(N)), self.pick(scope, F8), name=self.name()), writable=True)
        init: ir.Init | Atom = self.pick(scope, F8) if self.random.random() < 0.3 else ir.Init.ZEROS
        return scope.add(self.b.alloc("f8", (const(N),), init, name=self.name()), writable=True)

    def view(self, scope: Scope) -> None:
        kind = self.random.choice((VECTOR, MATRIX))
        base = self.pick(scope, kind)
        assert isinstance(base, Var)
        how: ir.Index | ir.Transpose = (ir.Slice(step=const(-1)),)
        if kind == MATRIX:
            how = self.random.choice((ir.Transpose((1, 0)), self.line(scope)))
        scope.add(self.b.view(base, how, name=self.name()), writable=base in scope.writable)

    # ---- what is kept of each turn

    def kept(self, scope: Scope, depth: int) -> None:
        """A loop that keeps a number and an array of each turn, and one that takes them back in reverse."""
        grows, inner, index = self.b.alloc("f8", (None,), name="t_kept"), scope.inner(), Var("i", I8)
        some = self.new_memory(scope)
        refs = Var("refs", Type("f8", 1, many=True))
        self.b.put(ir.NewList(refs, some))
        inner.places.append(index)
        turns = self.random.randint(1, N)
        with self.b.block() as body:
            fresh = self.new_memory(inner)
            self.b.store(grows, (index,), self.pick(inner, F8))
            self.statements(inner, self.random.randint(0, 3), min(depth, 1))
            self.b.put(ir.Append(refs, fresh, Var("pos", I8)))
        self.b.put(ir.For(index, const(0), const(turns), const(1), (), tuple(body), span=self.b.span))
        inner, index, one = scope.inner(), Var("i", I8), Var("one", VECTOR)
        head, out = Var("s_bar", F8), Var("s_bar", F8)
        inner.add(head)
        inner.places.append(index)
        with self.b.block() as body:
            inner.add(self.b.load(grows, (index,), name="t"))
            self.b.put(ir.RefAt(one, refs, index))
            inner.add(one, writable=True)
            self.statements(inner, self.random.randint(1, 4), min(depth, 1))
            carry = (ir.Carry(head, const(0.5), self.pick(inner, F8), out),)
        self.b.put(ir.For(index, const(turns - 1), const(-1), const(-1), carry, tuple(body), span=self.b.span))
        scope.add(out)

    # ---- regions

    def carried(self, scope: Scope) -> tuple[Scope, list[tuple[Var, Atom]]]:
        """Variables that go round a loop, with what they are at first; writable memory only from writable memory."""
        inner, heads = scope.inner(), []
        for _ in range(self.random.randint(0, 4)):
            kind = self.random.choice((F8, F8, F8, I8, VECTOR))
            init: Atom = self.memory(scope, kind) if kind == VECTOR else self.pick(scope, kind)
            if kind == VECTOR and isinstance(init, Var):
                inner.add(init) if init not in inner.atoms[VECTOR] else None
            head = Var(self.random.choice((self.name(), getattr(init, "name", "t"))), kind)
            heads.append((head, init))
        for head, _ in heads:
            inner.add(head, writable=head.type == VECTOR)
        return inner, heads

    def ends(self, inner: Scope, heads: list[tuple[Var, Atom]], scope: Scope) -> tuple[ir.Carry, ...]:
        out = []
        for head, init in heads:
            after = self.memory(inner, VECTOR) if head.type == VECTOR else self.pick(inner, head.type)
            if self.random.random() < 0.3:  # a swap, or what went round unchanged
                after = self.random.choice([h for h, _ in heads if h.type == head.type])
            out.append(ir.Carry(head, init, after, Var(head.name, head.type)))
        return tuple(out)

    def leave(self, scope: Scope, body: list[ir.Stmt]) -> Atom | None:
        """Nothing, any condition, or what the body's last branch decides."""
        last = body[-1] if body else None
        if isinstance(last, ir.If) and self.random.random() < 0.6:
            flags = [o.target for o in last.outs if isinstance(o.then, ir.Const) and isinstance(o.orelse, ir.Const)]
            return next((f for f in flags if f.type == B1), last.cond)
        return self.pick(scope, B1) if self.random.random() < 0.25 else None

    def for_(self, scope: Scope, depth: int) -> None:
        inner, heads = self.carried(scope)
        span, index = self.b.span, Var(self.random.choice("ij"), I8)
        inner.places.append(index)
        inner.add(index)
        up = self.random.random() < 0.6
        stop = self.random.randint(0, N)
        start = self.random.choice((0, 0, 0, 1, 2))
        bounds = (const(start), const(stop), const(1)) if up else (const(stop - 1), const(-1), const(-1))
        with self.b.block() as body:
            self.statements(inner, self.random.randint(0, 5), depth)
            carry = self.ends(inner, heads, scope)
        stmt = ir.For(index, *bounds, carry, tuple(body), exit=self.leave(inner, body), span=span)
        self.b.put(stmt)
        self.bind(scope, carry)

    def while_(self, scope: Scope, depth: int) -> None:
        inner, heads = self.carried(scope)
        span, turn, after = self.b.span, Var("k", I8), Var("k", I8)
        inner.add(turn)
        with self.b.block() as test:
            # a test writes nothing, and beside derivatives what it computes stays in it: so the front end makes it
            seen = inner.inner() if self.real else inner
            self.statements(seen, self.random.choice((0, 0, 2)), 0, pure=True)
            inner.values.clear()
            go = self.let(less, turn, const(self.random.randint(0, 3)))
        with self.b.block() as body:
            self.statements(inner, self.random.randint(0, 5), depth)
            next_turn = self.let(add, turn, const(1), name="k")
            carry = (ir.Carry(turn, const(0), next_turn, after), *self.ends(inner, heads, scope))
        self.b.put(ir.While(tuple(test), go, carry, tuple(body), exit=self.leave(inner, body), span=span))
        self.bind(scope, carry)

    def bind(self, scope: Scope, carry: tuple[ir.Carry, ...]) -> None:
        for c in carry:
            scope.add(c.out, writable=c.out.type == VECTOR)

    def if_(self, scope: Scope, depth: int) -> None:
        span = self.b.span
        cond = self.pick(scope, B1)
        kinds: list[Type] = self.random.choices((F8, F8, I8, B1, VECTOR), k=self.random.randint(0, 3))
        sides: list[tuple[tuple[ir.Stmt, ...], list[Atom], set[Var]]] = []
        for _ in range(2):
            inner = scope.inner()
            with self.b.block() as block:
                self.statements(inner, self.random.randint(0, 3), depth)
                flag = [const(self.random.random() < 0.5)] * (B1 in kinds)
                ends = [flag.pop() if flag and k == B1 else self.pick(inner, k) for k in kinds]
            sides.append((tuple(block), ends, inner.writable))
        outs = []
        for k, kind in enumerate(kinds):
            then, orelse = sides[0][1][k], sides[1][1][k]
            target = Var(self.random.choice((self.name(), getattr(then, "name", "t"))), kind)
            outs.append(ir.Out(target, then, orelse))
            scope.add(target, writable=kind == VECTOR and then in sides[0][2] and orelse in sides[1][2])
        self.b.put(ir.If(cond, sides[0][0], sides[1][0], tuple(outs), span=span))


def random_program(seed: int, size: int = 12, depth: int = 3, real: bool = False) -> ir.Program:
    """f(x, y, n, a, m, c): two floats, an integer, a vector and a matrix of length 4, and a bool."""
    return Generator(seed, size, depth, real).program()


def arguments(seed: int) -> tuple[Any, ...]:
    """What such a program may be called with."""
    r = np.random.default_rng(seed)
    return r.normal(), r.normal(), int(r.integers(-2, 4)), r.normal(size=N), r.normal(size=(N, N)), bool(r.integers(2))
