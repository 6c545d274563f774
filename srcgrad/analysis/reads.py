"""Memory that starts with a value and of which only some elements are read: the others have no part in anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.ir import Var
from srcgrad.core.walk import defined, used, used_inside, walk

Reader = ir.Load | ir.View


def partly_read(facts: Facts) -> Mapping[ir.Alloc, Sequence[Reader]]:
    """The readers, in order, of each allocation that is never written to, given away or read as a whole."""
    made: dict[Var, ir.Alloc] = {}
    readers: dict[ir.Alloc, list[Reader]] = {}
    unfit: set[ir.Alloc] = set()
    passed = [r for r in facts.fun.results if isinstance(r, Var)]  # also on by loops and branches, to other names
    for stmt in walk(facts.fun.body):
        passed += [a for a in used_inside(stmt) if isinstance(a, Var)]
        refs = [a for a in used(stmt) if isinstance(a, Var) and a.type.ref and a in made]
        if isinstance(stmt, ir.Alloc) and isinstance(stmt.init, Var):
            made[stmt.target] = stmt
            readers[stmt] = []
        elif isinstance(stmt, ir.Load) and stmt.ref in made:
            alloc = made[stmt.ref]
            readers[alloc].append(stmt)
            if stmt.ref is alloc.target and all(item == ir.Slice() for item in stmt.index):
                unfit.add(alloc)
        elif isinstance(stmt, ir.View) and stmt.base in made:
            made[stmt.target] = made[stmt.base]
            readers[made[stmt.base]].append(stmt)
        elif not isinstance(stmt, ir.Let) or any(v.type.ref for v in defined(stmt)):
            unfit.update(made[ref] for ref in refs)
    unfit.update(made[ref] for ref in passed if ref in made)
    return {alloc: found for alloc, found in readers.items() if found and alloc not in unfit}
