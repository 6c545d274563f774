"""The passes of the schedule, in order."""

from __future__ import annotations

from srcgrad.bounds.signed_numbers import has_unsigned
from srcgrad.core.ir import Fun, Program
from srcgrad.schedule.additions import add_in_place, store_first_additions
from srcgrad.schedule.arrays_as_loops import arrays_as_loops
from srcgrad.schedule.arrays_to_scalars import arrays_to_scalars
from srcgrad.schedule.carried_additions import carry_additions
from srcgrad.schedule.checks_in_front import checks_in_front, checks_once
from srcgrad.schedule.contract_arrays import contract_arrays
from srcgrad.schedule.first_assignments import assign_first
from srcgrad.schedule.fuse_nests import fuse_nests
from srcgrad.schedule.known_lengths import replace_known_lengths
from srcgrad.schedule.loads_in_front import loads_in_front, short_loops_written_out
from srcgrad.schedule.named_values import name_stored_values
from srcgrad.schedule.places_in_lists import places_in_lists
from srcgrad.schedule.split_nests import split_nests
from srcgrad.schedule.stored_once import store_once
from srcgrad.schedule.unroll import unroll
from srcgrad.schedule.vector_functions import use_vector_functions
from srcgrad.schedule.zeros_as_loops import zeros_as_loops
from srcgrad.simplify.pipeline import simplify_fun
from srcgrad.simplify.values.dce import dce
from srcgrad.transform.lists_as_rows import lists_as_rows

PASSES = (
    places_in_lists,
    lists_as_rows,
    checks_in_front,
    arrays_as_loops,
    replace_known_lengths,
    unroll,
    arrays_to_scalars,
    checks_in_front,
    simplify_fun,
    checks_once,
    fuse_nests,
    contract_arrays,
    zeros_as_loops,
    fuse_nests,
    store_first_additions,
    contract_arrays,
    store_once,
    carry_additions,
    assign_first,
    short_loops_written_out,
    simplify_fun,
    loads_in_front,
    add_in_place,
    dce,
    split_nests,
    name_stored_values,
    use_vector_functions,
)


def schedule(program: Program) -> Program:
    """The program with loops over elements in the place of array statements, and small arrays in scalars."""
    callees = {name: _scheduled(fun) for name, fun in program.callees.items()}
    return Program(_scheduled(program.main), callees)


def _scheduled(fun: Fun) -> Fun:
    if has_unsigned(fun):
        return fun  # an element is a signed number, an array's are not
    for pass_ in PASSES:
        fun = pass_(fun)
    return fun
