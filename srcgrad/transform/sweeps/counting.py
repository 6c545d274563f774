"""How long the tapes have to be: runs of the sweeps forth that keep nothing, and compute no more than decides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from srcgrad.core import ir
from srcgrad.core.ir import Fun, Stmt
from srcgrad.core.rewrite import Rewritten, rewrite
from srcgrad.core.walk import used, used_inside, walk
from srcgrad.transform.program_edits import without_effects
from srcgrad.transform.sweeps.joint import Tidy
from srcgrad.transform.sweeps.pairs import COUNT, Pair, is_taped
from srcgrad.transform.taped_calls import TAPED


@dataclass(eq=False)
class Counts:
    """The functions that count. needed: of each, which of its values somebody reads to count."""

    pairs: Mapping[str, Pair]
    tidy: Tidy
    says: bool  # whether something is printed, and then nothing is raised
    needed: dict[str, set[int]] = field(default_factory=dict)

    def made(self, main: Fun) -> tuple[Fun, dict[str, Fun]]:
        """main: returns the position behind all that it keeps.   It, and the functions that it calls, as they count."""
        signatures = {name: len(pair.fun.params) for name, pair in self.pairs.items()}
        whole = {name: self._quiet(pair.count()) for name, pair in self.pairs.items()}
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
