"""Forward mode: one walk, each value's tangent beside it.

Memory that may hold something varied has memory of the same shape beside it that holds the tangents; so have its
views, what is carried or chosen of it, and lists of it. No tangent is a symbolic zero: nothing is emitted for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from srcgrad.analysis.activity import varied
from srcgrad.analysis.effects import Facts
from srcgrad.analysis.zeros import Zeros
from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Const, Fun, Program, Stmt, Type, Var
from srcgrad.errors import NotDifferentiableError
from srcgrad.rules.language.values import Val
from srcgrad.rules.shapes.shape import dim
from srcgrad.transform.custom_sharing import check_shared
from srcgrad.transform.program_edits import reachable
from srcgrad.transform.quotients import gather_quotients, take_quotients_apart
from srcgrad.transform.random_draws import check_fixed, check_single
from srcgrad.transform.refuse import no_rule, refuse_arguments, refuse_fixed
from srcgrad.transform.tangent_zeros import Live
from srcgrad.transform.taped_calls import without_marks


def forward(program: Program, active: frozenset[int]) -> Program:
    """The tangent program.

    Its parameters are those of the program and one tangent for each active one (a reference for memory); its results
    are those of the program and one tangent for each float result.
    """
    check_single(program)
    program = without_marks(program)
    callees = _Callees(program)
    main = take_quotients_apart(
        _Forward(gather_quotients(program.main), active, callees).fun(program.main.name + "_fwd")
    )
    return reachable(Program(main, callees.finished()))


class _Callees:
    """The tangent versions of called functions, each made once, active in all float parameters."""

    def __init__(self, program: Program) -> None:
        self.originals = program.callees
        self.names: dict[str, str] = {}

    def name(self, callee: str) -> str:
        if callee not in self.names:
            name = callee + "_fwd"
            while name in self.originals or name in self.names.values():
                name += "_2"
            self.names[callee] = name
        return self.names[callee]

    def finished(self) -> dict[str, Fun]:
        """All functions: the originals, and every version asked for, those asked for on the way among them."""
        made: dict[str, Fun] = dict(self.originals)
        while missing := [callee for callee, name in self.names.items() if name not in made]:
            for callee in missing:
                fun = gather_quotients(self.originals[callee])
                active = frozenset(k for k, p in enumerate(fun.params) if p.type.is_float)
                made[self.names[callee]] = take_quotients_apart(_Forward(fun, active, self).fun(self.names[callee]))
        return made


class _Forward:
    """One function. `dot` has the tangent of a variable, if it has one; `env` what took a variable's place."""

    def __init__(self, fun: Fun, active: frozenset[int], callees: _Callees) -> None:
        self.source, self.active, self.callees = fun, active, callees
        self.builder = Builder(fun)
        classes = aliases_of(fun)
        self.varied = varied(fun, classes, [fun.params[k] for k in sorted(active)])
        self.directions = {fun.params[k] for k in active if fun.params[k].type.ref}  # they may be 0 in places
        self.live = Live(Zeros(fun, classes, self.varied.has, back=False, seeds=self.directions))
        self.dot: dict[Var, Atom] = {}
        self.env: dict[Var, Atom] = {}

    def fun(self, name: str) -> Fun:
        params = self.source.params
        dots = tuple(self.new_tangent(params[k]) for k in sorted(self.active))
        like = tuple(zip(dots, (params[k] for k in sorted(self.active)), strict=True))
        for dot, param in like:
            self.builder.copy_dims(dot, param)
        for k, param in enumerate(params):
            if k not in self.active and param.type.ref and self.varied.has(param):
                self.dot[param] = self.zeros(param)
        self.stmts(self.source.body)
        results = tuple(map(self.atom, self.source.results))
        tangents = tuple(self.explicit(r) for r in self.source.results if r.type.is_float)
        facts = replace(self.source.facts, same_shapes=(*self.source.facts.same_shapes, *like))
        return Fun(name, (*params, *dots), tuple(self.builder.out), (*results, *tangents), facts)

    # ---- atoms

    def atom(self, a: Atom) -> Atom:
        return self.env.get(a, a) if isinstance(a, Var) else a

    def ref(self, var: Var) -> Var:
        new = self.atom(var)
        assert isinstance(new, Var)
        return new

    def tangent(self, a: Atom) -> Atom | None:
        return self.dot.get(a) if isinstance(a, Var) else None

    def tangent_ref(self, var: Var) -> Var:
        dot = self.dot[var]
        assert isinstance(dot, Var)
        return dot

    def explicit(self, a: Atom) -> Atom:
        """The tangent, zeros if there is none."""
        dot = self.tangent(a)
        if dot is not None:
            return dot
        if a.type.ref:
            assert isinstance(a, Var)
            return self.zeros(self.ref(a))
        if a.type.rank:
            zeros = self.zeros(a)
            return self.builder.load(zeros, name=zeros.name)
        return Const(0.0, a.type)

    def zeros(self, like: Atom) -> Var:
        """New memory of zeros in like's shape."""
        assert isinstance(like, Var)
        return self.builder.alloc(like.type.dtype, self.shape(like), ir.Init.ZEROS, _dotted(like.name))

    def shape(self, like: Var) -> list[Atom]:
        return [dim(Val(self.builder, like), axis=axis).atom for axis in range(like.type.rank)]

    def new_tangent(self, var: Var) -> Var:
        """A new variable for var's tangent."""
        dot = Var(_dotted(var.name), var.type)
        self.dot[var] = dot
        return dot

    def has(self, var: Atom) -> bool:
        return self.varied.has(var)

    # ---- statements

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        with self.builder.block() as out:
            self.stmts(stmts)
        return tuple(out)

    def stmts(self, stmts: Iterable[Stmt]) -> None:
        for stmt in stmts:
            with self.builder.at(stmt.span):
                self.one(stmt)

    def one(self, stmt: Stmt) -> None:
        match stmt:
            case ir.For() | ir.While():
                self.loop(stmt)
            case ir.If():
                self.branch(stmt)
            case ir.Custom() if any(map(self.has, stmt.targets)):
                self.custom(stmt)
            case ir.Call() if any(map(self.has, stmt.targets)):
                self.call(stmt)
            case _:
                if isinstance(stmt, ir.Draw):
                    check_fixed(stmt, self.has)
                self.builder.put(walk.rebuild(stmt, self.atom, lambda v: v, self.block))
                self.beside(stmt)

    def beside(self, stmt: Stmt) -> None:
        """What goes with a simple statement for its tangent."""
        put = self.builder.put
        match stmt:
            case ir.Let() if any(map(self.has, stmt.targets)):
                self.let(stmt)
            case ir.Load() if self.has(stmt.target):
                ref, index = self.tangent_ref(stmt.ref), self.index(stmt.index)
                dot = self.new_tangent(stmt.target)
                put(ir.Load(dot, ref, index, span=stmt.span))  # it may live longer
                if stmt.ref in self.directions:
                    self.live.direction(stmt.target, Val(self.builder, dot))
            case ir.Store() if self.has(stmt.ref):
                zero = Const(0.0, Type(stmt.ref.type.dtype))
                value = self.tangent(stmt.value) or zero
                put(ir.Store(self.tangent_ref(stmt.ref), self.index(stmt.index), value, span=stmt.span))
            case ir.Accumulate() if self.has(stmt.ref):
                part = self.tangent(stmt.value)
                if part is not None:
                    put(replace(stmt, ref=self.tangent_ref(stmt.ref), index=self.index(stmt.index), value=part))
            case ir.Alloc() if self.has(stmt.target):
                self.alloc(stmt)
            case ir.View() if self.has(stmt.target):
                how = walk.map_how(stmt.how, self.atom)
                put(ir.View(self.new_tangent(stmt.target), self.tangent_ref(stmt.base), how, span=stmt.span))
                if stmt.base in self.directions:
                    self.directions.add(stmt.target)
            case ir.NewList() if self.has(stmt.target):
                put(ir.NewList(self.new_tangent(stmt.target), self.ref(stmt.like), span=stmt.span))
            case ir.Append() if self.has(stmt.refs):
                pos = Var(stmt.pos.name, ir.I8)
                put(ir.Append(self.tangent_ref(stmt.refs), self.tangent_ref(stmt.ref), pos, span=stmt.span))
            case ir.RefAt() if self.has(stmt.target):
                pos_at = self.atom(stmt.pos)
                put(ir.RefAt(self.new_tangent(stmt.target), self.tangent_ref(stmt.refs), pos_at, span=stmt.span))

    def index(self, index: ir.Index) -> ir.Index:
        return walk.map_index(index, self.atom)

    def let(self, stmt: ir.Let) -> None:
        if stmt.op.jvp is None:
            raise NotDifferentiableError(f"{stmt.op.name} has no rule for forward mode", hint="use mode='reverse'")
        builder = self.builder
        args = [Val(builder, self.atom(a)) for a in stmt.args]
        dots = [
            None if dot is None else self.live.wrap(stmt, k, Val(builder, dot), args)
            for k, dot in enumerate(map(self.tangent, stmt.args))
        ]
        refuse_arguments(stmt, [dot is not None for dot in dots])
        outs = [Val(builder, target) for target in stmt.targets]
        tangents: Sequence[Val | None] = self.live.finished(stmt, stmt.op.jvp(dots, args, outs, stmt.params), args)
        for target, tangent in zip(stmt.targets, tangents, strict=True):
            if tangent is not None and target.type.is_float:
                self.dot[target] = self.named(tangent.atom, _dotted(target.name))
        self.live.note(stmt, dots, args)

    def named(self, atom: Atom, name: str) -> Atom:
        """The atom, its variable called `name` if the last statement has just made it."""
        last = self.builder.out[-1] if self.builder.out else None
        if isinstance(last, ir.Let) and len(last.targets) == 1 and last.target is atom:
            new = Var(name, atom.type)
            self.builder.out[-1] = replace(last, targets=(new,))
            self.builder.copy_dims(new, last.target)
            return new
        return atom

    def alloc(self, stmt: ir.Alloc) -> None:
        init: ir.Init | Atom | None = stmt.init if isinstance(stmt.init, ir.Init) else self.tangent(stmt.init)
        if init is None:
            self.dot[stmt.target] = self.zeros(stmt.target)
            return
        shape = tuple(None if n is None else self.atom(n) for n in stmt.shape)
        self.builder.put(replace(stmt, target=self.new_tangent(stmt.target), shape=shape, init=init))

    def loop(self, stmt: ir.For | ir.While) -> None:
        with_dots = [c for c in stmt.carry if self.has(c.inner)]
        inits = [self.explicit(c.init) for c in with_dots]
        inners = [self.new_tangent(c.inner) for c in with_dots]
        new = walk.rebuild(stmt, self.atom, lambda v: v, self.block)
        assert isinstance(new, (ir.For, ir.While))
        # what the body's end needs made explicit is made inside the body
        with self.builder.block() as tail:
            nexts = [self.explicit(c.next) for c in with_dots]
        carry = tuple(
            ir.Carry(inner, init, next_, self.new_tangent(c.out))
            for c, inner, init, next_ in zip(with_dots, inners, inits, nexts, strict=True)
        )
        self.builder.put(replace(new, body=(*new.body, *tail), carry=(*new.carry, *carry)))

    def branch(self, stmt: ir.If) -> None:
        new = walk.rebuild(stmt, self.atom, lambda v: v, self.block)
        assert isinstance(new, ir.If)
        with_dots = [out for out in stmt.outs if self.has(out.target)]
        tails = []
        for side in ("then", "orelse"):
            with self.builder.block() as tail:
                tails.append((tail, [self.explicit(getattr(out, side)) for out in with_dots]))
        (then_tail, thens), (else_tail, elses) = tails
        outs = tuple(ir.Out(self.new_tangent(o.target), a, b) for o, a, b in zip(with_dots, thens, elses, strict=True))
        self.builder.put(
            replace(new, then=(*new.then, *then_tail), orelse=(*new.orelse, *else_tail), outs=(*new.outs, *outs))
        )
        for out in with_dots:
            has = [side for side in ("then", "orelse") if self.tangent(getattr(out, side)) is not None]
            if len(has) == 1:
                self.live.branch(out.target, Val(self.builder, new.cond), has[0] == "then")

    # ---- calls

    def call(self, stmt: ir.Call) -> None:
        dots = [self.explicit(a) for a in stmt.args if a.type.is_float]
        args = tuple(map(self.atom, stmt.args))
        targets = (*stmt.targets, *(self.new_tangent(t) for t in stmt.targets if t.type.is_float))
        name = self.callees.name(stmt.callee)
        self.builder.put(replace(stmt, targets=targets, callee=name, args=(*args, *dots)))

    def custom(self, stmt: ir.Custom) -> None:
        """The user's own tangent in place of the primal; what it returns takes the targets' places."""
        check_shared(stmt, Facts(self.source))
        if stmt.jvp is None and stmt.fwd is None:
            raise no_rule(stmt)
        refuse_fixed(stmt, self.has)
        if stmt.jvp is None:
            raise NotDifferentiableError(
                f"`{stmt.primal.name}` has its own rule for reverse mode only (custom_vjp)",
                hint="use mode='reverse', or give it a custom_jvp",
            )
        dots = [self.explicit(a) for a in stmt.args if a.type.is_float]
        body, results = walk.instantiate(stmt.jvp, [*map(self.atom, stmt.args), *dots])
        self.builder.out.extend(body)
        values, tangents = results[: len(stmt.targets)], iter(results[len(stmt.targets) :])
        for target, value in zip(stmt.targets, values, strict=True):
            self.env[target] = value
            if target.type.is_float:
                self.dot[target] = next(tangents)


def _dotted(name: str) -> str:
    return f"{name}_dot"
