"""What an adjoint that is zero on one side of a branch would only multiply and add is done on the other side.

`d_bar = v if c else 0.0`, then a loop that adds multiples of `d_bar` to arrays, becomes `if c:` the loop with `v`. The
zero of a side that is not taken is exactly zero, whatever it would be multiplied with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from srcgrad.core import ir, walk
from srcgrad.core.aliases import aliases_of
from srcgrad.core.ir import Accumulate, Atom, Const, Fun, If, Stmt, Var
from srcgrad.core.rewrite import Rewriter
from srcgrad.rules.scalar.arithmetic import add, divide, multiply, negative, subtract
from srcgrad.rules.scalar.compare import where
from srcgrad.rules.scalar.rounding import cast
from srcgrad.simplify.values.order import Footprint, footprint

WINDOW = 64  # how many statements behind a branch are looked at
SIDES = (("then", "orelse"), ("orelse", "then"))


def of_adjoint(stmt: Stmt) -> bool:
    return stmt.span is not None and stmt.span.back


def sink_zeros(fun: Fun, adjoint: Callable[[Stmt], bool] = of_adjoint) -> Fun:
    """adjoint: whether an addition is of an adjoint, whose zeros are true ones."""
    return _SinkZeros(fun, adjoint).fun(fun) if {If, Accumulate} <= walk.kinds(fun) else fun


class _SinkZeros(Rewriter):
    def __init__(self, fun: Fun, adjoint: Callable[[Stmt], bool]) -> None:
        super().__init__()
        self.classes, self.adjoint = aliases_of(fun), adjoint
        self.needed = {a for s in walk.walk(fun.body) for a in walk.used_inside(s)} | {*fun.results}

    def block(self, stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        made = super().block(stmts)
        place = 0
        while place < len(made):
            stmt = made[place]
            sides = SIDES if isinstance(stmt, If) else ()
            zero = ((t, o) for t, o in sides if any(_zero(getattr(out, o)) for out in stmt.outs))  # type: ignore[attr-defined]
            tried = (self.sunk(made, place, taken, other) for taken, other in zero)
            new = next((t for t in tried if t is not made), made)
            place, made = place + (new is made), new
        return walk.kept(stmts, made)

    def sunk(self, stmts: tuple[Stmt, ...], place: int, taken: str, other: str) -> tuple[Stmt, ...]:
        """The block with what does nothing on the other side moved to the end of this one."""
        branch = stmts[place]
        assert isinstance(branch, If)
        bound = {v for s in walk.walk(getattr(branch, other)) for v in walk.defined(s)}
        values = {o.target: a for o in branch.outs if (a := getattr(o, other)) not in bound}
        known = _Values(values, self.adjoint)
        front: list[Stmt] = []
        moved: list[Stmt] = []
        left: list[Stmt] = []
        crossed, passed = [footprint(branch, self.classes)], list[Footprint]()
        for stmt in stmts[place + 1 : place + 1 + WINDOW]:
            mark = footprint(stmt, self.classes)
            touched = not mark.uses.isdisjoint(known.values)
            may_move = touched and not any(a.type.is_array_value for a in walk.used(stmt)) and known.skips(stmt)
            if may_move and all(mark.apart(other) for other in passed):
                moved.append(stmt)
                crossed.append(mark)
            elif not touched and isinstance(stmt, (ir.Let, ir.Load)) and all(map(mark.apart, (*crossed, *passed))):
                front.append(stmt)
            else:
                known.forget(stmt)
                left.append(stmt)
                passed.append(mark)
        rest = [*left, *stmts[place + 1 + WINDOW :]]
        return self.joined(stmts, place, (taken, other), front, moved, rest, known) or stmts

    def joined(
        self,
        stmts: tuple[Stmt, ...],
        place: int,
        sides: tuple[str, str],
        front: list[Stmt],
        moved: list[Stmt],
        rest: list[Stmt],
        known: _Values,
    ) -> tuple[Stmt, ...] | None:
        branch, (taken, other) = stmts[place], sides
        assert isinstance(branch, If)
        if not any(isinstance(s, Accumulate) for s in walk.walk(moved)):
            return None
        inside, outside = ({o.target: getattr(o, side) for o in branch.outs} for side in (taken, other))
        read = {a for s in walk.walk(rest) for a in (*walk.used(s), *walk.used_inside(s))} | self.needed
        outs = list(branch.outs)
        made = {v for s in moved for v in walk.defined(s)}
        for var in (v for s in moved for v in walk.defined(s)):
            if var in read:
                if known.values.get(var, var) in made:
                    return None
                value = known.values[var]
                there = outside[value] if isinstance(value, Var) and value in outside else value
                outs.append(ir.Out(var, *_ordered(taken, var, there)))
        renamed = {v: Var(v.name, v.type) for s in moved for v in walk.defined(s) if v in read}
        body = (*getattr(branch, taken), *_rebound(moved, {**inside, **renamed}, renamed))
        final = tuple(_with(o, taken, renamed[o.target]) if o.target in renamed else o for o in outs)
        then, orelse = (body, branch.orelse) if taken == "then" else (branch.then, body)
        return (*stmts[:place], *front, ir.If(branch.cond, then, orelse, final, span=branch.span), *rest)


def _with(out: ir.Out, taken: str, atom: Atom) -> ir.Out:
    return ir.Out(out.target, *((atom, out.orelse) if taken == "then" else (out.then, atom)))


def _ordered(taken: str, one: Atom, other: Atom) -> tuple[Atom, Atom]:
    return (one, other) if taken == "then" else (other, one)


def _rebound(stmts: Iterable[Stmt], env: dict[Var, Atom], binds: dict[Var, Var]) -> tuple[Stmt, ...]:
    def atom(a: Atom) -> Atom:
        return env.get(a, a) if isinstance(a, Var) else a

    def block(inner: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        return tuple(walk.rebuild(s, atom, lambda v: binds.get(v, v), block) for s in inner)

    return block(tuple(stmts))


def _zero(atom: Atom) -> bool:
    return isinstance(atom, Const) and atom.type.is_float and atom.value == 0.0


class _Values:
    """What variables are where a branch has taken the other side: `values`, zeros and what is there without it."""

    def __init__(self, values: dict[Var, Atom], adjoint: Callable[[Stmt], bool]) -> None:
        self.values, self.adjoint = dict(values), adjoint

    def of(self, atom: Atom) -> Atom:
        return self.values.get(atom, atom) if isinstance(atom, Var) else atom

    def zero(self, atom: Atom) -> bool:
        return _zero(self.of(atom))

    def forget(self, stmt: Stmt) -> None:
        for inner in walk.walk((stmt,)):
            for var in walk.defined(inner):
                self.values.pop(var, None)

    def skips(self, stmt: Stmt) -> bool:
        """Whether the statement changes nothing, and gives known values only; these are noted."""
        match stmt:
            case ir.Let() if len(stmt.targets) == 1:
                value = self.result(stmt)
                if value is not None:
                    self.values[stmt.target] = value
                return value is not None
            case Accumulate():
                added = stmt.atomic in (None, ir.Atomic.ADD)
                return added and self.adjoint(stmt) and self.zero(stmt.value)
            case ir.For():
                return self.loop(stmt)
            case If():
                return self.branch(stmt)
        return False

    def result(self, let: ir.Let) -> Atom | None:
        zeros = [self.zero(a) for a in let.args]
        if not let.target.type.is_float or not let.target.type.is_scalar:
            return None
        match let.op:
            case op if op in (negative, cast):
                none = zeros[0]
            case op if op in (multiply, divide) and self.adjoint(let):
                none = zeros[0] or (op is multiply and zeros[1])
            case op if op is where:
                none = all(zeros[1:])
            case op if op in (add, subtract):
                if any(zeros) and not all(zeros) and (zeros[1] or op is add):
                    rest = self.of(let.args[0 if zeros[1] else 1])
                    return rest if rest.type == let.target.type else None
                none = all(zeros)
            case _:
                none = False
        return Const(0.0, let.target.type) if none else None

    def loop(self, loop: ir.For) -> bool:
        if loop.exit is not None or loop.parallel:
            return False
        zeros = [c for c in loop.carry if c.inner.type.is_float and self.zero(c.init)]
        while True:  # what begins as zero may stay so
            self.values.update((c.inner, Const(0.0, c.inner.type)) for c in zeros)
            quiet = self.inside(loop.body)
            stay = [c for c in zeros if self.zero(c.next)]
            if len(stay) == len(zeros):
                break
            self.forget(loop)
            for c in zeros:
                self.values.pop(c.inner, None)
            zeros = stay
        for c in loop.carry if quiet else ():
            if c in zeros or self.of(c.next) is c.inner:
                self.values[c.out] = self.of(c.init)
        return quiet

    def inside(self, stmts: tuple[Stmt, ...]) -> bool:
        """Whether the statements of an inner block change nothing."""
        for stmt in stmts:
            if isinstance(stmt, (ir.Let, ir.Load, ir.Remark, ir.View)):
                if isinstance(stmt, ir.Let):
                    self.skips(stmt)
            elif not self.skips(stmt):
                return False
        return True

    def branch(self, branch: If) -> bool:
        if not self.inside(branch.then) or not self.inside(branch.orelse):
            return False
        for out in branch.outs:
            then, orelse = self.of(out.then), self.of(out.orelse)
            if _zero(then) and _zero(orelse):
                self.values[out.target] = Const(0.0, out.target.type)
            elif then is orelse:
                self.values[out.target] = then
        return True
