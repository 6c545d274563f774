"""Numba's single assignment form, made in time that grows with the number of assignments.

Numba gives each assignment of a name a name of its own, and joins them where paths meet. It goes through the whole
function once for each name that is assigned twice: a function of 3,000 lines with a thousand such names takes minutes.
Here only the statements in which a name stands are visited. The result is the same, but for the numbers in the names
where paths meet. The method is that of J.-D. Choi, V. Sarkar, E. Schonberg, *Incremental computation of static single
assignment form* (1996), as in Numba.
"""

from __future__ import annotations

from bisect import bisect_left
from copy import copy
from typing import Any

from numba.core import analysis, ir, ir_utils, ssa

Places = dict[int, list[int]]  # by block, where a name stands in it


def single_assignment(func_ir: Any) -> None:
    """Let each name of a function be assigned once."""
    blocks = func_ir.blocks
    if not blocks:
        return
    graph = analysis.compute_cfg_from_blocks(blocks)
    names = ssa._find_defs_violators(blocks, graph)
    function = _Function(blocks, graph, set(names))
    for name in names:
        _Name(function, name).rename()
    for label, block in blocks.items():
        block.body = [*function.joined[label], *function.bodies[label]]


class _Function:
    """The statements, and where each of these names is assigned and read. joined: what stands at a block's head."""

    def __init__(self, blocks: dict[int, Any], graph: Any, names: set[str]) -> None:
        self.blocks, self.graph = blocks, graph
        self.frontiers = ssa._iterated_domfronts(graph)
        self.above = graph.immediate_dominators()
        self.scope = next(iter(blocks.values())).scope
        self.bodies = {label: list(block.body) for label, block in blocks.items()}
        self.joined: dict[int, list[Any]] = {label: [] for label in blocks}
        self.assigned: dict[str, Places] = {name: {} for name in names}
        self.read: dict[str, Places] = {name: {} for name in names}
        for label, body in self.bodies.items():
            for place, stmt in enumerate(body):
                self._note(label, place, stmt)

    def _note(self, label: int, place: int, stmt: Any) -> None:
        if isinstance(stmt, ir.Assign) and stmt.target.name in self.assigned:
            self.assigned[stmt.target.name].setdefault(label, []).append(place)
        for name in {var.name for var in _reads(stmt)}:
            if name in self.read:
                self.read[name].setdefault(label, []).append(place)


def _reads(stmt: Any) -> list[Any]:
    """The variables that a statement reads."""
    if not isinstance(stmt, ir.Assign):
        return list(stmt.list_vars())
    if isinstance(stmt.value, ir.Var):
        return [stmt.value]
    return list(stmt.value.list_vars()) if isinstance(stmt.value, ir.Inst) else []


class _Name:
    """One name. made: the variable of each of its assignments, in the order of `function.assigned`; joins: the one at
    the head of a block where paths with different ones meet."""

    def __init__(self, function: _Function, name: str) -> None:
        self.function, self.name = function, name
        self.places = function.assigned[name]
        self.made: dict[int, list[Any]] = {}
        self.joins: dict[int, Any] = {}
        self.meetings: set[int] = set()
        for label in self.places:
            self.meetings |= function.frontiers[label]

    def rename(self) -> None:
        for label, places in self.places.items():
            body = self.function.bodies[label]
            self.made[label] = [self._assign(body, place) for place in places]
        for label, places in self.function.read[self.name].items():
            body = self.function.bodies[label]
            for place in places:
                found = self._before(label, place)
                if found is not ir.UNDEFINED and found.name != self.name:
                    body[place] = _replaced(body[place], self.name, found)

    def _assign(self, body: list[Any], place: int) -> Any:
        """A variable of its own for this assignment; the first keeps the name."""
        stmt = body[place]
        target = stmt.target if not self.made and not self._any else self._fresh(stmt.loc)
        self._any = True
        body[place] = ir.Assign(target=target, value=stmt.value, loc=stmt.loc)
        return target

    _any = False

    def _fresh(self, loc: Any) -> Any:
        return self.function.scope.redefine(self.name, loc=loc)

    def _before(self, label: int, place: int) -> Any:
        """The variable that holds the name's value in front of this statement."""
        count = bisect_left(self.places.get(label, []), place)
        return self.made[label][count - 1] if count else self._at_head(label)

    def _at_head(self, label: int) -> Any:
        """The one at the head of a block. What is not known yet is looked for after what asks for it is made, as a
        block may lead to itself."""
        waiting: list[int] = []
        found = self._reaching(label, waiting)
        while waiting:
            joined = waiting.pop()
            phi = self.joins[joined].value
            for before, _ in self.function.graph.predecessors(joined):
                phi.incoming_values.append(self._at_end(before, waiting))
                phi.incoming_blocks.append(before)
        return found

    def _at_end(self, label: int, waiting: list[int]) -> Any:
        return self.made[label][-1] if label in self.made else self._reaching(label, waiting)

    def _reaching(self, label: int, waiting: list[int]) -> Any:
        while label not in self.joins and label not in self.meetings:
            above = self.function.above[label]
            if above == label:
                ssa._warn_about_uninitialized_variable(self.name, self.function.blocks[label].loc)
                return ir.UNDEFINED
            label = above
            if label in self.made:
                return self.made[label][-1]
        if label not in self.joins:
            loc = self.function.blocks[label].loc
            phi = ir.Assign(target=self._fresh(loc), value=ir.Expr.phi(loc=loc), loc=loc)
            self.function.joined[label].append(phi)
            self.joins[label] = phi
            waiting.append(label)
        return self.joins[label].target


def _replaced(stmt: Any, name: str, var: Any) -> Any:
    """The statement with this variable for what it reads by the name."""
    if not isinstance(stmt, ir.Assign):
        stmt = copy(stmt)
        ir_utils.replace_vars_stmt(stmt, {name: var})
        return stmt
    value = var
    if not isinstance(stmt.value, ir.Var):
        value = copy(stmt.value)
        ir_utils.replace_vars_inner(value, {name: var})
    return ir.Assign(target=stmt.target, value=value, loc=stmt.loc)
