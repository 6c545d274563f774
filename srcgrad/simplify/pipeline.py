"""The simplifications in order, until nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakSet

from srcgrad.core.ir import Fun, Program
from srcgrad.simplify.memory.copies import mark_needed_copies
from srcgrad.simplify.memory.copy_is_move import move_copies
from srcgrad.simplify.memory.dead_stores import remove_dead_stores
from srcgrad.simplify.memory.first_element_store import store_first_elements
from srcgrad.simplify.memory.first_use_assigns import assign_at_first_use
from srcgrad.simplify.memory.repeated_stores import remove_repeated_stores
from srcgrad.simplify.memory.sink import sink
from srcgrad.simplify.memory.sink_zeros import sink_zeros
from srcgrad.simplify.values.cse import cse
from srcgrad.simplify.values.dce import dce
from srcgrad.simplify.values.hoist import hoist
from srcgrad.simplify.values.identities import apply_identities
from srcgrad.simplify.values.same_branches import merge_branches
from srcgrad.simplify.values.twin_counters import merge_counters

Pass = Callable[[Fun], Fun]
ROUNDS = 5
PASSES: tuple[Pass, ...] = (
    apply_identities,
    merge_counters,
    assign_at_first_use,
    store_first_elements,
    cse,
    remove_repeated_stores,
    remove_dead_stores,
    move_copies,
    sink,
    merge_branches,
    sink_zeros,
    dce,
)


def simplify(program: Program) -> Program:
    """The same program, smaller and simpler; the same object if there was nothing to do."""
    main = simplify_fun(program.main)
    callees = {name: simplify_fun(fun) for name, fun in program.callees.items()}
    if main is program.main and all(callees[name] is fun for name, fun in program.callees.items()):
        return program
    return Program(main, callees)


_SIMPLE: WeakSet[Fun] = WeakSet()  # in which nothing is left to do


def simplify_fun(fun: Fun) -> Fun:
    if fun in _SIMPLE:
        return fun
    fun, unchanged = dce(fun), 0  # what is dead costs every pass its time
    for pass_ in PASSES * ROUNDS:
        new = pass_(fun)
        unchanged = unchanged + 1 if new is fun else 0
        fun = new
        if unchanged == len(PASSES):
            break
    hoisted = hoist(fun)
    made = mark_needed_copies(hoisted)
    if unchanged == len(PASSES) and hoisted is fun:
        _SIMPLE.add(made)
    return made
