"""Alias classes, levels, and what is overwritten later."""

from __future__ import annotations

import numpy as np

from srcgrad.analysis.effects import Facts
from srcgrad.core import ir
from srcgrad.core.walk import walk
from srcgrad.frontend.lowering.function import lower
from srcgrad.frontend.source.structure import describe
from tests.transform import memory_programs as programs

A = np.ones(6)


def facts_of(fun, *args) -> Facts:
    return Facts(lower(fun, [describe(a) for a in args]).program.main)


def loads(facts: Facts) -> list[ir.Load]:
    return [s for s in walk(facts.fun.body) if isinstance(s, ir.Load) and not s.target.type.rank]


def test_views_are_of_one_simple_class() -> None:
    facts = facts_of(programs.views_of_views, A, 3)
    views = list(facts.base)
    assert len({facts.classes.of(v) for v in views}) == 1
    assert facts.classes.simple(views[0])


def test_swapped_references_are_merged() -> None:
    facts = facts_of(programs.rotated, A, A, 3)
    (loop,) = (s for s in facts.fun.body if isinstance(s, ir.For))
    heads = [c.inner for c in loop.carry if c.inner.type.ref]
    assert len({facts.classes.of(h) for h in heads}) == 1
    assert not facts.classes.simple(heads[0])


def test_memory_of_a_body_has_the_body_as_its_level() -> None:
    facts = facts_of(programs.scratch, A, 3)
    (inner,) = (s for s in walk(facts.fun.body) if isinstance(s, ir.Alloc))
    assert facts.level_of(inner.target) is facts.where[inner] is not facts.top


def test_memory_that_escapes_has_the_level_of_what_carries_it() -> None:
    facts = facts_of(programs.escaping, A, 3)
    made = [s for s in walk(facts.fun.body) if isinstance(s, ir.Alloc) and facts.where[s] is not facts.top]
    assert made and all(facts.level_of(s.target) is facts.top for s in made)


def test_a_later_turn_overwrites() -> None:
    facts = facts_of(programs.in_place_product, A, 5)
    in_loop = [s for s in loads(facts) if facts.where[s] is not facts.top]
    assert all(facts.overwritten_later(s, s.ref, facts.top) for s in in_loop)


def test_the_last_load_is_not_overwritten() -> None:
    facts = facts_of(programs.in_place_product, A, 5)
    last = loads(facts)[-1]
    assert not facts.overwritten_later(last, last.ref, facts.top)


def test_the_other_side_of_a_branch_does_not_overwrite() -> None:
    def sides(a):
        b = a * 1.0
        if b[0] > 0.0:
            s = b[1] * b[2]
        else:
            b[1] = 3.0
            s = 0.0
        return s

    facts = facts_of(sides, A)
    taken = [s for s in loads(facts) if facts.where[s].which == "then"]
    assert len(taken) == 2
    assert not any(facts.overwritten_later(s, s.ref, facts.top) for s in taken)
