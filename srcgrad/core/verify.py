"""Checking that a program is well formed: what every pass may rely on and must keep."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from srcgrad.core import ir, walk
from srcgrad.core.aliases import Aliases
from srcgrad.core.build import index_rank, scalar_of
from srcgrad.core.ir import Atom, Fun, Program, Stmt, Type, Var


class VerifyError(AssertionError):
    """A core program that breaks a rule of the language: a fault of the pass that made it."""


def verify(fun: Fun | Program) -> None:
    """Raise VerifyError unless every variable is bound once and before its use in scope, types agree, array values stay
    in their region, references are where they must be, and the memory of the parameters is not written."""
    if isinstance(fun, Program):
        for one in (fun.main, *fun.callees.values()):
            _Verifier(one, fun.callees).check()
    else:
        _Verifier(fun, None).check()


Scope = dict[Var, int]  # each visible variable with the number of its region


class _Verifier:
    def __init__(self, fun: Fun, callees: Mapping[str, Fun] | None) -> None:
        self.fun, self.callees = fun, callees
        self.bound: set[Var] = set()
        self.regions = 0
        self.where: object = "the parameters"

    def need(self, holds: bool, message: str) -> None:
        if not holds:
            raise VerifyError(f"in {self.fun.name}, at {self.where}: {message}")

    def check(self) -> None:
        scope: Scope = {}
        for param in self.fun.params:
            self.bind(param, scope, 0)
        self.crossing(self.fun.params)
        self.block(self.fun.body, scope, 0)
        self.where = "the results"
        for result in self.fun.results:
            self.use(result, scope, 0)
        self.crossing(self.fun.results)
        self.purity()
        self.tests()

    # ---- scopes

    def bind(self, var: Var, scope: Scope, region: int) -> None:
        self.need(isinstance(var, Var), f"{var!r} is no variable")
        self.need(var not in self.bound, f"{var!r} is bound twice")
        self.bound.add(var)
        scope[var] = region

    def use(self, atom: Atom, scope: Scope, region: int) -> None:
        if isinstance(atom, ir.Const):
            self.need(atom.type.is_scalar, f"a literal of type {atom.type}")
            return
        self.need(isinstance(atom, Var), f"{atom!r} is no atom")
        self.need(atom in scope, f"{atom!r} is used where it is not bound")
        if atom.type.is_array_value:
            self.need(scope[atom] == region, f"the array value {atom!r} is used outside the region that binds it")

    def crossing(self, atoms: tuple[Atom, ...]) -> None:
        for atom in atoms:
            self.need(not atom.type.is_array_value, f"the array value {atom!r} leaves its region")

    def block(self, stmts: tuple[Stmt, ...], scope: Scope, region: int) -> None:
        """Check the statements; their bindings are added to scope."""
        for stmt in stmts:
            self.where = stmt if not walk.blocks(stmt) else type(stmt).__name__
            for atom in walk.used(stmt):
                self.use(atom, scope, region)
            self.types(stmt)
            self.inside(stmt, scope)
            self.where = stmt if not walk.blocks(stmt) else type(stmt).__name__
            for var in walk.defined(stmt):
                self.bind(var, scope, region)

    def inside(self, stmt: Stmt, scope: Scope) -> None:
        match stmt:
            case ir.For():
                inner, region = self.enter(stmt, scope)
                self.block(stmt.body, inner, region)
                self.ends([c.next for c in stmt.carry], stmt.exit, inner, region)
            case ir.While():
                inner, region = self.enter(stmt, scope)
                self.block(stmt.test, inner, region)
                self.use(stmt.cond, inner, region)
                inner, region = dict(inner), self.fresh()
                self.block(stmt.body, inner, region)
                self.ends([c.next for c in stmt.carry], stmt.exit, inner, region)
            case ir.If():
                thens, orelses = [o.then for o in stmt.outs], [o.orelse for o in stmt.outs]
                for block, ends in ((stmt.then, thens), (stmt.orelse, orelses)):
                    inner, region = dict(scope), self.fresh()
                    self.block(block, inner, region)
                    self.ends(ends, None, inner, region)

    def fresh(self) -> int:
        self.regions += 1
        return self.regions

    def enter(self, stmt: Stmt, scope: Scope) -> tuple[Scope, int]:
        inner, region = dict(scope), self.fresh()
        for var in walk.defined_inside(stmt):
            self.bind(var, inner, region)
        return inner, region

    def ends(self, atoms: list[Atom], leave: Atom | None, scope: Scope, region: int) -> None:
        for atom in (*atoms, *(() if leave is None else (leave,))):
            self.use(atom, scope, region)

    # ---- types

    def same(self, what: str, *atoms: Atom) -> None:
        types = {a.type for a in atoms}
        self.need(len(types) == 1, f"{what} of types {sorted(map(str, types))}")

    def is_type(self, atom: Atom, type: Type, what: str) -> None:
        self.need(atom.type == type, f"{what} {atom!r} is {atom.type}, not {type}")

    def is_ref(self, var: Atom) -> None:
        self.need(var.type.ref and not var.type.many, f"{var!r} of {var.type} stands where a reference must")

    def is_list(self, var: Atom) -> None:
        self.need(var.type.many, f"{var!r} of {var.type} stands where a list of references must")

    def types(self, stmt: Stmt) -> None:
        match stmt:
            case ir.Let():
                inferred = stmt.op.infer(tuple(a.type for a in stmt.args), stmt.params)
                bound = tuple(t.type for t in stmt.targets)
                self.need(tuple(inferred) == bound, f"{stmt.op} gives {inferred}, bound to {bound}")
            case ir.Load():
                self.element(stmt.ref, stmt.index)
                rank, memory = index_rank(stmt.index), stmt.ref.type
                self.is_type(stmt.target, Type(memory.dtype, rank) if rank else scalar_of(memory), "the loaded")
            case ir.Store() | ir.Accumulate():
                self.element(stmt.ref, stmt.index)
                value = stmt.value.type
                self.need(not value.ref and not value.many, f"{stmt.value!r} is a reference, not a value")
                self.need(value.rank <= index_rank(stmt.index), f"{value} does not fit what is stored to")
            case ir.Alloc():
                self.alloc(stmt)
            case ir.View():
                self.view(stmt)
            case ir.For() | ir.While() | ir.If():
                self.merges(stmt)
            case _:
                self.rest(stmt)

    def rest(self, stmt: Stmt) -> None:
        match stmt:
            case ir.Draw():
                inferred = stmt.op.infer(tuple(a.type for a in stmt.args), stmt.params)
                self.need(tuple(inferred) == (stmt.target.type,), f"{stmt.op} gives {inferred}, not {stmt.target.type}")
            case ir.Assert():
                self.is_type(stmt.cond, ir.B1, "the condition")
            case ir.NewList():
                self.is_ref(stmt.like)
                like = stmt.like.type
                self.is_type(stmt.target, Type(like.dtype, like.rank, many=True), "the list")
            case ir.Append():
                self.is_list(stmt.refs)
                self.is_ref(stmt.ref)
                self.need(_item(stmt.refs.type) == stmt.ref.type, f"{stmt.ref!r} does not fit the list {stmt.refs!r}")
                self.is_type(stmt.pos, ir.I8, "the position")
            case ir.RefAt():
                self.is_list(stmt.refs)
                self.is_type(stmt.pos, ir.I8, "the position")
                self.is_type(stmt.target, _item(stmt.refs.type), "the reference")
            case ir.Custom():
                self.call(stmt.args, stmt.targets, stmt.primal)
                for rule in (stmt.primal, stmt.jvp, stmt.fwd, stmt.bwd):
                    if rule is not None:
                        _Verifier(rule, self.callees).check()
            case ir.Call():
                self.crossing((*stmt.args, *stmt.targets))
                if self.callees is not None:
                    self.need(stmt.callee in self.callees, f"no function {stmt.callee} in the program")
                    self.call(stmt.args, stmt.targets, self.callees[stmt.callee])

    def element(self, ref: Var, index: ir.Index) -> None:
        self.is_ref(ref)
        axes = 0
        for item in index:
            if isinstance(item, ir.Slice):
                for part in (item.start, item.stop, item.step):
                    self.need(part is None or part.type == ir.I8, f"{part!r} in a slice is no integer")
                axes += 1
            else:
                self.need(item.type.dtype[0] in "iu" or item.type.is_array_value, f"{item!r} is no index")
                axes += item.type.rank if item.type.dtype == "b1" else 1
        self.need(axes == ref.type.rank, f"{axes} indices for {ref!r} of rank {ref.type.rank}")

    def alloc(self, stmt: ir.Alloc) -> None:
        self.is_ref(stmt.target)
        for n in stmt.shape:
            self.need(n is None or n.type == ir.I8, f"the length {n!r} is no integer")
        rank = len(stmt.shape) if isinstance(stmt.init, ir.Init) or not stmt.init.type.rank else stmt.init.type.rank
        self.need(rank == stmt.target.type.rank, f"memory of rank {rank} bound to {stmt.target.type}")
        if not isinstance(stmt.init, ir.Init):
            self.need(not stmt.init.type.ref, f"the init {stmt.init!r} is a reference")
            self.need(not stmt.init.type.rank or not stmt.shape, "both a shape and an array value as init")
            self.need(None not in stmt.shape, "memory that grows has no value at first")

    def view(self, stmt: ir.View) -> None:
        self.is_ref(stmt.base)
        match stmt.how:
            case ir.Transpose(axes):
                rank = len(axes)
                self.need(sorted(axes) == list(range(stmt.base.type.rank)), f"the axes {axes} of {stmt.base.type}")
            case ir.Reshape(shape):
                rank = len(shape)
            case index:
                self.element(stmt.base, index)
                arrays = [i for i in index if not isinstance(i, ir.Slice) and i.type.rank]
                self.need(not arrays, "an array index makes no view")
                rank = index_rank(index)
        self.is_type(stmt.target, Type(stmt.base.type.dtype, rank, ref=True), "the view")

    def merges(self, stmt: ir.For | ir.While | ir.If) -> None:
        if isinstance(stmt, ir.If):
            self.is_type(stmt.cond, ir.B1, "the condition")
            for out in stmt.outs:
                self.same("an out", out.target, out.then, out.orelse)
                self.crossing((out.target, out.then, out.orelse))
            return
        for carry in stmt.carry:
            self.same("a carry", carry.inner, carry.init, carry.next, carry.out)
            self.crossing((carry.inner, carry.init, carry.next, carry.out))
        if stmt.exit is not None:
            self.is_type(stmt.exit, ir.B1, "the exit")
        if isinstance(stmt, ir.While):
            self.is_type(stmt.cond, ir.B1, "the condition")
        else:
            for atom in (stmt.index, stmt.start, stmt.stop, stmt.step):
                self.is_type(atom, ir.I8, "the range's")

    def call(self, args: tuple[Atom, ...], targets: tuple[Var, ...], callee: Fun) -> None:
        self.crossing((*args, *targets))
        for kind, ours, theirs in (("arguments", args, callee.params), ("results", targets, callee.results)):
            left, right = tuple(a.type for a in ours), tuple(a.type for a in theirs)
            self.need(left == right, f"the {kind} of {callee.name} are {right}, not {left}")

    # ---- purity

    def purity(self) -> None:
        """No store reaches the memory of a parameter, but a kernel's, or of one that is given back."""
        if self.fun.facts.kernel is not None or self.fun.facts.in_place:
            return
        roots = _reached(self.fun)
        for stmt in walk.walk(self.fun.body):
            if isinstance(stmt, (ir.Store, ir.Accumulate)):
                self.where = stmt
                reached = roots.get(stmt.ref, set())
                self.need(not reached, f"the memory of the parameters {sorted(p.name for p in reached)} is written")

    def tests(self) -> None:
        """Floats that the test of a loop writes are read in tests only: what a test gives has no adjoint."""
        tested = {s for loop in walk.walk(self.fun.body) if isinstance(loop, ir.While) for s in walk.walk(loop.test)}
        written = [s for s in tested if isinstance(s, (ir.Store, ir.Accumulate)) and s.ref.type.is_float]
        if not written:
            return
        aliases = Aliases(self.fun.body, given_back=True)
        read = {aliases.of(r) for r in self.fun.results if isinstance(r, Var) and r.type.ref}
        for stmt in walk.walk(self.fun.body):
            if stmt not in tested and isinstance(stmt, (ir.Load, ir.Call, ir.Custom)):
                read |= {aliases.of(a) for a in walk.used(stmt) if isinstance(a, Var) and (a.type.ref or a.type.many)}
        for write in written:
            self.where = write
            self.need(aliases.of(write.ref) not in read, "what the test of a loop writes is read outside of it")


def _item(refs: Type) -> Type:
    return Type(refs.dtype, refs.rank, ref=True)


def _flows(stmt: Stmt) -> list[tuple[Atom, Var]]:
    """(from, to): what the second may refer to because the first does."""
    match stmt:
        case ir.View():
            return [(stmt.base, stmt.target)]
        case ir.RefAt():
            return [(stmt.refs, stmt.target)]
        case ir.Append():
            return [(stmt.ref, stmt.refs)]
        case ir.Call() | ir.Custom():
            return [(a, t) for a in stmt.args for t in stmt.targets if t.type.ref and a.type.ref]
        case ir.For() | ir.While():
            return [(a, v) for c in stmt.carry for a in (c.init, c.next) for v in (c.inner, c.out)]
        case ir.If():
            return [(a, o.target) for o in stmt.outs for a in (o.then, o.orelse)]
    return []


def _reached(fun: Fun) -> dict[Var, set[Var]]:
    """Which parameters' memory each reference may reach."""
    roots: dict[Var, set[Var]] = {p: {p} for p in fun.params if p.type.ref}
    pairs = chain.from_iterable(map(_flows, walk.walk(fun.body)))
    flows = [(a, v) for a, v in pairs if isinstance(a, Var) and (v.type.ref or v.type.many)]
    changed = bool(roots)
    while changed:
        changed = False
        for source, target in flows:
            before = len(roots.setdefault(target, set()))
            roots[target] |= roots.get(source, set())
            changed |= len(roots[target]) != before
    return roots
