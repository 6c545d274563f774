"""Memory: regions, and what is overwritten later. Facts, no rewriting.

A *region* is the function's body, a loop's body or test, or one side of a branch; each variable is bound in one.
The *level* of a class of references (`core.aliases`) is the shallowest region in which any of it is bound: where the
memory's life ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from srcgrad.core import ir
from srcgrad.core.aliases import aliases_of
from srcgrad.core.ir import Stmt, Var
from srcgrad.core.walk import blocks, defined, defined_inside


class Region:
    """One straight run of statements; `stmt` is the loop or branch of `parent` that holds it."""

    __slots__ = ("depth", "parent", "stmt", "which")

    def __init__(self, parent: Region | None, stmt: Stmt | None, which: str) -> None:
        self.parent, self.stmt, self.which = parent, stmt, which
        self.depth: int = parent.depth + 1 if parent else 0

    def within(self, other: Region) -> bool:
        """Whether this is other, or lies in it."""
        region: Region | None = self
        while region is not None and region is not other:
            region = region.parent
        return region is not None


class Facts:
    """Where everything stands in a function, and what may happen to memory."""

    def __init__(self, fun: ir.Fun) -> None:
        self.fun = fun
        self.top = Region(None, None, "top")
        self.where: dict[Stmt, Region] = {}
        self.order: dict[Stmt, int] = {}
        self.bound: dict[Var, Region] = {p: self.top for p in fun.params}
        self.region: dict[tuple[Stmt, str], Region] = {}
        self.base: dict[Var, ir.View] = {}
        self.makes: dict[Var, Stmt] = {}
        self.classes = aliases_of(fun)
        self._scan(fun.body, self.top)
        self.level: dict[Var, Region] = {}
        self.roots: dict[Var, list[Var]] = {}
        self.names: dict[Var, list[Var]] = {}  # of each class, the references that are bound
        self.stores: dict[Var, list[ir.Store | ir.Accumulate]] = {}
        self._summarise()

    # ---- construction

    def _scan(self, stmts: tuple[Stmt, ...], region: Region) -> None:
        for place, stmt in enumerate(stmts):
            self.where[stmt], self.order[stmt] = region, place
            for var in defined(stmt):
                self.bound[var], self.makes[var] = region, stmt
            if isinstance(stmt, ir.View):
                self.base[stmt.target] = stmt
            for which, block in blocks(stmt):
                inner = self.region[stmt, which] = Region(region, stmt, which)
                self._scan(block, inner)
            if isinstance(stmt, (ir.For, ir.While)):
                for var in defined_inside(stmt):
                    self.bound[var], self.makes[var] = self.region[stmt, "body"], stmt

    def _summarise(self) -> None:
        for var, region in self.bound.items():
            if not var.type.ref and not var.type.many:
                continue
            cls = self.classes.of(var)  # of a list: the class of what is in it, which lives as long as the list
            if cls not in self.level or region.depth < self.level[cls].depth:
                self.level[cls] = region
            if var.type.ref:
                self.names.setdefault(cls, []).append(var)
                if var not in self.base:
                    self.roots.setdefault(cls, []).append(var)
        for stmt in self.where:
            if isinstance(stmt, (ir.Store, ir.Accumulate)):
                self.stores.setdefault(self.classes.of(stmt.ref), []).append(stmt)

    # ---- questions

    def level_of(self, ref: Var) -> Region:
        """The region in which the life of ref's memory ends."""
        return self.level[self.classes.of(ref)]

    def written(self, ref: Var) -> bool:
        """Whether any statement writes into ref's class."""
        return self.classes.of(ref) in self.stores

    def root(self, var: Var) -> Var:
        """What var is a view of, in the end."""
        while var in self.base:
            var = self.base[var].base
        return var

    def chain(self, stmt: Stmt, region: Region) -> list[tuple[Region, Stmt]]:
        """[(region, the statement of it that holds stmt), ...] from region inwards."""
        out: list[tuple[Region, Stmt]] = []
        here: Region | None = self.where[stmt]
        while here is not None:
            out.append((here, stmt))
            if here is region:
                return out[::-1]
            assert here.stmt is not None
            stmt, here = here.stmt, here.parent
        raise ValueError("the statement does not lie in the region")

    def loops_between(self, stmt: Stmt, region: Region) -> list[ir.For | ir.While]:
        """The loops from region down to stmt, outermost first."""
        return [s for _, s in self.chain(stmt, region)[:-1] if isinstance(s, (ir.For, ir.While))]

    def overwritten_later(self, site: Stmt, ref: Var, region: Region) -> bool:
        """Whether a store to ref's memory may run after site, within one run of region."""
        return any(
            self.where[store].within(region) and self.runs_after(store, site, region)
            for store in self.stores.get(self.classes.of(ref), ())
        )

    def runs_after(self, later: Stmt, site: Stmt, region: Region) -> bool:
        """Whether `later` may run after `site`, in one run of a region with both (another iteration of a loop
        counts)."""
        for (_, a), (_, b) in zip(self.chain(site, region), self.chain(later, region), strict=False):
            if a is not b:
                return self.order[b] > self.order[a]
            if isinstance(a, (ir.For, ir.While)):
                return True
            if isinstance(a, ir.If) and a is not site and a is not later and self.apart(site, later, a):
                return False
        return False

    def apart(self, one: Stmt, other: Stmt, branch: ir.If) -> bool:
        """Whether the two lie on different sides of the branch."""
        return self._side_in(one, branch) is not self._side_in(other, branch)

    def _side_in(self, stmt: Stmt, branch: ir.If) -> Region:
        region: Region | None = self.where[stmt]
        while region is not None and region.stmt is not branch:
            region = region.parent
        assert region is not None
        return region

    def views_of(self, root: Var) -> Iterator[ir.View]:
        """The views that reach root's memory through nothing but views, outer ones first."""
        for var, view in self.base.items():
            if self.root(var) is root:
                yield view


@lru_cache(maxsize=4)
def facts_of(fun: ir.Fun) -> Facts:
    """The facts of a function, gathered once for the passes that ask one after another."""
    return Facts(fun)
