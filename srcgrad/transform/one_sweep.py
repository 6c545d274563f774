"""Which loops run forward and backward at once: those that carry sums alone, whose adjoints are known before them.

The adjoint of a sum is the same in every iteration. Where it is known before the loop, since what follows is linear in
the sum, each iteration's adjoint can follow its run at once: nothing is kept from one iteration to another, and nothing
is computed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from srcgrad.analysis.activity import Activity
from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.overwrites import Overwrites
from srcgrad.core import ir
from srcgrad.core.ir import Atom, Carry, Const, Stmt, Var
from srcgrad.core.walk import used, used_inside, walk
from srcgrad.rules.scalar.arithmetic import add, divide, multiply, negative, subtract
from srcgrad.transform.iterations import step_of

Loop = ir.For | ir.While
_PLAIN = (ir.Let, ir.Load, ir.Store, ir.Accumulate, ir.Alloc, ir.View, ir.For, ir.While, ir.If, ir.Remark)
_SAYS = (ir.Raise, ir.Assert, ir.Print)
FACTORS: dict[ir.Primitive, tuple[int, ...]] = {
    add: (0, 1),
    subtract: (0, 1),
    negative: (0,),
    multiply: (0, 1),
    divide: (0,),
}


@dataclass(frozen=True)
class Step:
    """A statement behind a loop through which its sum goes on: an operation that is linear in its argument at `place`,
    or another loop that adds to it."""

    stmt: Stmt
    source: Var
    target: Var
    place: int = 0


class OneSweep:
    """Answers for one function.   steps: of each such loop, what its sums go through behind it."""

    def __init__(
        self, facts: Facts, activity: Activity, kept_in: Callable[[Stmt, Region], bool], loops: Iterable[Loop]
    ) -> None:
        """kept_in: whether a statement's result is kept by the run of a region.   loops: those that are asked about."""
        self._facts, self._activity, self._kept_in = facts, activity, kept_in
        self._overwrites = Overwrites(facts)
        self._found: dict[Var, bool] = {}  # by what an iteration enters with, whether it is a sum
        self._users: dict[Var, list[Stmt]] = {}
        for stmt in facts.where:
            for atom in {*used(stmt), *used_inside(stmt)}:
                if isinstance(atom, Var):
                    self._users.setdefault(atom, []).append(stmt)
        self.steps: dict[Stmt, list[Step]] = {}
        for loop in loops:
            region = facts.where[loop]
            if isinstance(loop, ir.For) and self._alone(loop, region):
                steps = self._behind(loop, region)
                if steps is not None:
                    self.steps[loop] = steps

    def performed(self, region: Region) -> bool:
        """Whether a run of the region is its only one."""
        while region.stmt in self.steps and region.parent is not None:
            region = region.parent
        return region is self._facts.top

    def forward(self, region: Region) -> Region:
        """The innermost region around whose run is its only one: what it runs is not run before."""
        while not self.performed(region):
            assert region.parent is not None
            region = region.parent
        return region

    # ---- the loop by itself

    def _alone(self, loop: ir.For, region: Region) -> bool:
        sums = [c for c in loop.carry if c.out in self._activity]
        if not sums or loop.parallel or (loop.exit is not None and step_of(loop) not in (1, -1)):
            return False
        if any(c.inner.type.ref or c.inner.type.many for c in loop.carry):
            return False
        body = self._facts.region[loop, "body"]
        if not all(self._fits(stmt, region, body) for stmt in walk(loop.body)):
            return False
        return all(self._sums(loop, c) for c in loop.carry if c.inner in self._activity)

    def _fits(self, stmt: Stmt, region: Region, body: Region) -> bool:
        """Whether the statement touches no memory around the loop but what it reads, and is not overwritten later."""
        facts = self._facts
        if not isinstance(stmt, (*_PLAIN, *_SAYS)) or (isinstance(stmt, ir.For) and stmt.parallel):
            return False
        match stmt:
            case ir.Store() | ir.Accumulate():
                return facts.level_of(stmt.ref).within(body)
            case ir.Alloc():
                return facts.level_of(stmt.target).within(body)
            case ir.Load() if not facts.level_of(stmt.ref).within(body):
                if self._kept_in(stmt, region):
                    return False
                return stmt.ref not in self._activity or self._lasts(stmt, region)
            case ir.View() if not facts.level_of(stmt.base).within(body):
                return facts.classes.simple(stmt.base)
            case ir.For() | ir.While() | ir.If():
                heads = stmt.outs if isinstance(stmt, ir.If) else stmt.carry
                refs = [h.target if isinstance(h, ir.Out) else h.inner for h in heads]
                return all(facts.level_of(r).within(body) for r in refs if r.type.ref)
        return True

    def _lasts(self, load: ir.Load, region: Region) -> bool:
        """Whether the memory's adjoint may be added to before what follows in the region has been gone through."""
        facts = self._facts
        if not facts.classes.simple(load.ref):
            return False
        root = facts.root(load.ref)
        made = facts.makes.get(root)
        if made is not None and not isinstance(made, ir.Alloc):
            return False
        if made is not None and None in made.shape and facts.overwritten_later(load, load.ref, region):
            return False  # it may grow
        return not self._overwrites.overwritten_later(load, load.ref, region)

    # ---- sums

    def _sums(self, loop: Loop, carry: Carry) -> bool:
        """Whether all that an iteration does with what it enters with is to add to it."""
        if carry.inner not in self._found:
            self._found[carry.inner] = self._only_adds(loop, carry)
        return self._found[carry.inner]

    def _only_adds(self, loop: Loop, carry: Carry) -> bool:
        found: dict[Var, None] = {carry.inner: None}
        todo, wanted = [carry.inner], [carry.next]
        while todo:
            var = todo.pop()
            for user in self._users.get(var, ()):
                passed = self._passed(user, var, loop, carry)
                if passed is None:
                    return False
                targets, others = passed
                wanted += others
                for target in targets:
                    if target.type != var.type:
                        return False
                    if target not in found:
                        found[target] = None
                        todo.append(target)
        return all(atom in found for atom in wanted) and not self._doubled(found)

    def _passed(self, user: Stmt, var: Var, loop: Loop, carry: Carry) -> tuple[Sequence[Var], Sequence[Atom]] | None:
        """What a user makes of a sum: where it goes on, and what must be sums too; None if it is more than a sum."""
        match user:
            case ir.Let(op=op) if op in (add, subtract) and user.args.count(var) == 1:
                return (user.targets, ()) if op is add or user.args[0] is var else None
            case ir.Let():
                return None if any(t in self._activity for t in user.targets) else ((), ())
            case ir.Effect():
                return (), ()
            case ir.If():
                outs = [o for o in user.outs if var in (o.then, o.orelse)]
                return [o.target for o in outs], [a for o in outs for a in (o.then, o.orelse)]
            case ir.For() | ir.While():
                return self._round(user, var, loop, carry)
        return None

    def _round(self, user: Loop, var: Var, loop: Loop, carry: Carry) -> tuple[Sequence[Var], Sequence[Atom]] | None:
        if any(c.next is var and c is not carry and c.inner in self._activity for c in user.carry):
            if user is loop:
                return None
        if isinstance(user, ir.For) and var in (user.start, user.stop, user.step):
            return None
        begun = [c for c in user.carry if c.init is var]
        ended = [c for c in user.carry if c.next is var and user is not loop]
        targets = [v for c in begun for v in (c.inner, c.out)]
        return targets, [a for c in begun for a in (c.next,)] + [c.inner for c in ended]

    def _doubled(self, found: Collection[Atom]) -> bool:
        """Whether two sums are added up."""
        lets = (self._facts.makes.get(v) for v in found if isinstance(v, Var))
        return any(isinstance(s, ir.Let) and sum(a in found for a in s.args) > 1 for s in lets)

    # ---- what follows

    def _behind(self, loop: ir.For, region: Region) -> list[Step] | None:
        """What the sums go through until they leave the region; None if their adjoints are not known before."""
        ends = self._ends(region)
        steps: list[Step] = []
        todo = [c.out for c in loop.carry if c.out in self._activity]
        seen = set(todo)
        while todo:
            var = todo.pop()
            for user in self._users.get(var, ()):
                if user is region.stmt and var in ends:
                    continue
                found = self._step(user, var, loop, region)
                if found is None:
                    return None
                steps += found
                fresh = [s.target for s in found if s.target not in seen]
                seen.update(fresh)
                todo += fresh
        order = self._facts.order
        return sorted(steps, key=lambda s: order[s.stmt])

    def _ends(self, region: Region) -> set[Atom]:
        """What leaves the region, with an adjoint that is known before the region is run."""
        stmt = region.stmt
        match stmt:
            case None:
                return set(self._facts.fun.results)
            case ir.If():
                return {getattr(o, region.which) for o in stmt.outs}
            case ir.For() | ir.While() if region.which == "body":
                return {c.next for c in stmt.carry}
        return set()

    def _step(self, user: Stmt, var: Var, loop: ir.For, region: Region) -> list[Step] | None:
        match user:
            case ir.Let() if not any(t in self._activity for t in user.targets):
                return []
            case ir.Effect():
                return []
            case ir.Let(op=op) if op in FACTORS and self._facts.where[user] is region:
                return self._linear(user, var, loop, region)
            case ir.For() | ir.While() if self._facts.where[user] is region:
                begun = [c for c in user.carry if c.init is var]
                if all(self._sums(user, c) and c.out.type == var.type for c in begun) and begun:
                    return [Step(user, var, c.out) for c in begun]
        return None

    def _linear(self, let: ir.Let, var: Var, loop: ir.For, region: Region) -> list[Step] | None:
        if let.args.count(var) != 1 or let.target.type != var.type:
            return None
        place = let.args.index(var)
        if place not in FACTORS[let.op]:
            return None
        others = [a for a in let.args if a is not var]
        if let.op in (multiply, divide) and not all(self._known(a, loop, region) for a in others):
            return None
        return [Step(let, var, let.target, place)]

    def _known(self, atom: Atom, loop: ir.For, region: Region) -> bool:
        """Whether it is a constant of the derivative, there before the loop."""
        if isinstance(atom, Const):
            return True
        if atom in self._activity or atom.type.ref:
            return False
        made = self._facts.makes.get(atom)
        if made is None or self._facts.where.get(made) is not region:
            return True
        return self._facts.order[made] < self._facts.order[loop]
