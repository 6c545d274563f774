"""How long the tapes have to be: runs of the sweeps forth that keep nothing, and compute no more than decides it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from srcgrad.core import ir
from srcgrad.core.build import const
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewritten, rewrite
from srcgrad.core.walk import used, used_inside, walk
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.transform.program_edits import without_effects
from srcgrad.transform.sweeps.joint import Tidy
from srcgrad.transform.sweeps.pairs import COUNT, Lengths, Pair, is_taped, with_plain_calls
from srcgrad.transform.taped_calls import TAPED


@dataclass(eq=False)
class Counts:
    """The functions that count. needed: of each, which of its values somebody reads to count."""

    pairs: Mapping[str, Pair]
    lengths: Lengths
    tidy: Tidy
    says: bool  # whether something is printed, and then nothing is raised
    needed: dict[str, set[int]] = field(default_factory=dict)

    def made(self, main: Fun, joined: Collection[Var]) -> tuple[Fun, dict[str, Fun]]:
        """main: returns the position behind all that it keeps.   joined: the positions behind its branches.   It, and
        the functions that it calls, as they count."""
        signatures = {name: len(pair.fun.params) for name, pair in self.pairs.items()}
        main = with_plain_calls(main, signatures, self.lengths)
        quiet = self.tidy(_bounded(without_effects(main), joined))
        if not any(isinstance(s, (ir.Load, ir.Call, ir.While)) for s in walk(quiet.body)):
            return quiet, {}  # checks that come first do not matter: it ends, whatever is given
        own = {n: with_plain_calls(p.count(), signatures, self.lengths) for n, p in self.pairs.items()}
        whole = {name: self._quiet(fun) for name, fun in own.items() if name not in self.lengths}
        main = self._quiet(main)
        self.needed = {name: set() for name in whole}
        while True:
            funs = {name: self.tidy(self._needed(name, fun)) for name, fun in whole.items()}
            counting = self.tidy(main)
            before = {name: set(places) for name, places in self.needed.items()}
            for fun in (counting, *funs.values()):
                self._note(fun, signatures)
            if self.needed == before:
                break
        return self._calls(counting, signatures), {f.name: self._calls(f, signatures) for f in funs.values()}

    def _calls(self, fun: Fun, signatures: Mapping[str, int]) -> Fun:
        return rewrite(fun, lambda stmt: self._call(stmt, signatures))

    def _needed(self, name: str, fun: Fun) -> Fun:
        results = (*(fun.results[k] for k in sorted(self.needed[name])), fun.results[-1])
        return replace(fun, results=results)

    def _note(self, fun: Fun, signatures: Mapping[str, int]) -> None:
        read = {a for s in walk(fun.body) for a in (*used(s), *used_inside(s))} | set(fun.results)
        for stmt in walk(fun.body):
            if is_taped(stmt, signatures):
                assert isinstance(stmt, ir.Call)
                name = stmt.callee.removesuffix(TAPED)
                self.needed[name] |= {k for k, t in enumerate(stmt.targets[:-1]) if t in read}

    def _call(self, stmt: Stmt, signatures: Mapping[str, int]) -> Rewritten:
        if not is_taped(stmt, signatures):
            return stmt
        assert isinstance(stmt, ir.Call)
        name = stmt.callee.removesuffix(TAPED)
        targets = (*(stmt.targets[k] for k in sorted(self.needed[name])), stmt.targets[-1])
        return replace(stmt, targets=targets, callee=name + COUNT)

    def _quiet(self, fun: Fun) -> Fun:
        """What it prints is printed by the sweep forth."""
        return without_effects(fun, but=TAPED) if self.says else fun


def _bounded(fun: Fun, joined: Collection[Var]) -> Fun:
    """The function in which the position behind a branch is that behind the side that keeps more, if it is known."""

    def one(stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, ir.If):
            return stmt
        ends: list[Stmt] = []
        outs: list[ir.Out] = []
        for out in stmt.outs:
            sides = (_step(stmt.then, out.then), _step(stmt.orelse, out.orelse)) if out.target in joined else ()
            if sides and sides[0][0] == sides[1][0]:
                ends.append(ir.Let((out.target,), add, (sides[0][0], const(max(n for _, n in sides)))))
            else:
                outs.append(out)
        return (replace(stmt, outs=tuple(outs)), *ends) if ends else stmt

    return rewrite(fun, one)


def _step(block: Sequence[Stmt], end: Atom) -> tuple[Atom, int]:
    """An atom from outside of a block, and how much more than that the position at its end is."""
    made = {s.targets[0]: s for s in block if isinstance(s, ir.Let) and s.op is add}
    length = 0
    while isinstance(end, Var) and end in made and isinstance(step := made[end].args[1], Const):
        end, length = made[end].args[0], length + int(step.value.real)
    return end, length
