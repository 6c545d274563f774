"""The passes that have text tests, by the names of their folders in `tests/passes/text`."""

from __future__ import annotations

from dataclasses import replace

from srcgrad.bounds.running_indices import told_by_indices
from srcgrad.schedule.additions import add_in_place, store_first_additions
from srcgrad.schedule.arrays_as_loops import arrays_as_loops
from srcgrad.schedule.arrays_to_scalars import arrays_to_scalars
from srcgrad.schedule.buffers_in_front import buffers_in_front
from srcgrad.schedule.carried_additions import carry_additions
from srcgrad.schedule.checks_in_front import checks_in_front, checks_once
from srcgrad.schedule.contract_arrays import contract_arrays
from srcgrad.schedule.first_assignments import assign_first
from srcgrad.schedule.fuse_nests import fuse_nests
from srcgrad.schedule.index_forms import with_unsigned_places
from srcgrad.schedule.known_lengths import replace_known_lengths
from srcgrad.schedule.loads_in_front import loads_in_front, short_loops_written_out
from srcgrad.schedule.longest_buffers import longest_buffers
from srcgrad.schedule.named_values import name_stored_values
from srcgrad.schedule.parallel_nests import parallel_nests
from srcgrad.schedule.places_in_lists import places_in_lists
from srcgrad.schedule.results_in_place import results_in_place
from srcgrad.schedule.shared_buffers import share_buffers
from srcgrad.schedule.split_nests import split_nests
from srcgrad.schedule.stored_once import store_once
from srcgrad.schedule.unroll import unroll
from srcgrad.schedule.vector_functions import use_vector_functions
from srcgrad.schedule.whole_arrays import whole_arrays
from srcgrad.schedule.zeros_as_loops import zeros_as_loops
from srcgrad.simplify.cuda.barriers import remove_barriers
from srcgrad.simplify.loops.counting import count_loops
from srcgrad.simplify.loops.parallel import parallelise
from srcgrad.simplify.loops.register_sums import sum_in_registers
from srcgrad.simplify.memory.copies import mark_needed_copies
from srcgrad.simplify.memory.copy_is_move import move_copies
from srcgrad.simplify.memory.dead_stores import remove_dead_stores
from srcgrad.simplify.memory.first_element_store import store_first_elements
from srcgrad.simplify.memory.first_use_assigns import assign_at_first_use
from srcgrad.simplify.memory.repeated_stores import remove_repeated_stores
from srcgrad.simplify.memory.reuse import reuse
from srcgrad.simplify.memory.sink import sink
from srcgrad.simplify.memory.sink_zeros import sink_zeros
from srcgrad.simplify.memory.values_are_memory import name_values, read_values_from_memory
from srcgrad.simplify.pipeline import simplify
from srcgrad.simplify.values.cse import cse
from srcgrad.simplify.values.dce import dce
from srcgrad.simplify.values.hoist import hoist
from srcgrad.simplify.values.identities import apply_identities
from srcgrad.simplify.values.same_branches import merge_branches
from srcgrad.simplify.values.twin_counters import merge_counters
from srcgrad.transform import compositions
from srcgrad.transform.forward import forward
from srcgrad.transform.lists_as_rows import lists_as_rows
from srcgrad.transform.loop_buffers import carried_arrays_to_buffers
from srcgrad.transform.program_edits import reachable, without_effects
from srcgrad.transform.random_draws import once
from srcgrad.transform.reverse import reverse
from tests.passes import adapters
from tests.passes.adapters import Pass, leaves, of_functions, of_loops

# Those that leave what a program computes as it is.
KEEPING: dict[str, Pass] = {
    "name_values": name_values,
    "copies": of_functions(mark_needed_copies),
    "copy_is_move": of_functions(move_copies),
    "counting": of_functions(count_loops),
    "running_indices": of_functions(lambda fun: dce(told_by_indices(fun))),
    "cse": of_functions(cse),
    "dce": of_functions(dce),
    "dead_stores": of_functions(remove_dead_stores),
    "first_element_store": of_functions(store_first_elements),
    "shared_buffers": of_functions(share_buffers),
    "whole_arrays": of_functions(whole_arrays),
    "first_use_assigns": of_functions(assign_at_first_use),
    "hoist": of_functions(hoist),
    "identities": of_functions(apply_identities),
    "repeated_stores": of_functions(remove_repeated_stores),
    "reuse": of_functions(reuse),
    "simplify": simplify,
    "same_branches": of_functions(merge_branches),
    "twin_counters": of_functions(merge_counters),
    "sink": of_functions(sink),
    "sink_zeros": of_functions(lambda fun: sink_zeros(fun, adjoint=lambda stmt: True)),
    "values_are_memory": of_functions(read_values_from_memory),
    "vector_functions": of_functions(use_vector_functions),
    # of the schedule
    "arrays_as_loops": of_functions(arrays_as_loops),
    "arrays_to_scalars": of_functions(arrays_to_scalars),
    "buffers_in_front": of_functions(buffers_in_front),
    "carried_additions": of_functions(carry_additions),
    "checks_in_front": of_functions(checks_in_front),
    "checks_once": of_functions(checks_once),
    "known_lengths": of_functions(replace_known_lengths),
    "places_in_lists": of_functions(places_in_lists),
    "loads_in_front": of_functions(loads_in_front),
    "results_in_place": of_functions(results_in_place),
    "longest_buffers": of_functions(longest_buffers),
    "named_values": of_functions(name_stored_values),
    "parallel_nests": of_functions(lambda fun: parallel_nests(fun, long=2)),
    "additions_in_place": of_functions(lambda fun: dce(add_in_place(fun))),
    "first_assignments": of_functions(assign_first),
    "first_additions": of_functions(store_first_additions),
    "unroll": of_functions(unroll),
    "short_loops_written_out": of_functions(lambda fun: loads_in_front(cse(short_loops_written_out(fun)))),
    "zeros_as_loops": of_functions(zeros_as_loops),
    # of loops
    "carried_sums": of_loops(adapters.summed_loop),
    "errors_in_front": of_loops(adapters.checked_loop),
    "parallel": lambda program: parallelise(program, True),
    "shares_of_iterations": of_loops(adapters.loop_in_shares),
    "stencil_blocks": of_loops(adapters.loop_in_blocks),
    # of loops over the elements of arrays
    "contract_arrays": of_functions(contract_arrays),
    "split_nests": of_functions(lambda fun: split_nests(fun, most=6)),
    "stored_once": of_functions(store_once),
    "fuse_nests": of_functions(fuse_nests),
    "fused_and_contracted": of_functions(lambda fun: contract_arrays(fuse_nests(fun))),
    # before differentiation
    "lists_as_rows": of_functions(lists_as_rows),
    "loop_buffers": of_functions(carried_arrays_to_buffers),
    # for compiled code
    "index_forms": of_functions(with_unsigned_places),
}
# Those of kernels, of which no thread can be run alone.
OF_KERNELS: dict[str, Pass] = {
    "atomic_extremes": adapters.with_extremes,
    "atomics": adapters.with_plain_additions,
    "barriers": of_functions(remove_barriers),
    "register_sums": of_functions(sum_in_registers),
    "reverse_kernel": adapters.adjoint_of_kernel,
    "rows_of_kernel": adapters.counted_rows,
    "workspace": adapters.with_places,
}
CHANGING: dict[str, Pass] = {
    "expected_shapes": lambda program: of_functions(dce)(reverse(program, leaves(program), checked=True)),
    "forward": lambda program: forward(program, frozenset(leaves(program))),
    "grad": lambda program: simplify(compositions.grad(program, leaves(program))),
    "hessian": lambda program: simplify(compositions.hessian(program, leaves(program), simplify)),
    "hvp": lambda program: simplify(compositions.hvp(program, leaves(program), simplify)),
    "jacfwd": lambda program: simplify(compositions.jacfwd(program, leaves(program), simplify)),
    "jacrev": lambda program: simplify(compositions.jacrev(program, leaves(program), simplify)),
    "legalise": adapters.for_a_thread,
    "random_draws": lambda program: once(program, leaves(program), lambda again: again),
    "reverse": lambda program: of_functions(dce)(reverse(program, leaves(program))),  # what no rule reads is dead
    "value_and_grad": lambda program: simplify(compositions.value_and_grad(program, leaves(program))),
    "where_guard": lambda program: simplify(reverse(program, leaves(program))),
    "without_effects": lambda program: reachable(replace(program, main=without_effects(program.main))),
}
# Those that only say something.
TELLING: dict[str, Pass] = {
    "carried": adapters.carried_memory,
    "custom_sharing": adapters.custom_rules,
    "plan": adapters.planned,
    "refuse_races": adapters.races_of_threads,
    "shared_by_iterations": adapters.shared_memory,
    "tiles": adapters.tiles,
}
PASSES = KEEPING | OF_KERNELS | CHANGING | TELLING
