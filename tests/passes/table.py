"""The passes that have text tests, by the names of their folders in `tests/passes/text`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from srcgrad.core.ir import Fun, Program
from srcgrad.simplify.loops.counting import count_loops
from srcgrad.simplify.loops.register_sums import sum_in_registers
from srcgrad.simplify.memory.copies import mark_needed_copies
from srcgrad.simplify.memory.copy_is_move import move_copies
from srcgrad.simplify.memory.dead_stores import remove_dead_stores
from srcgrad.simplify.memory.first_element_store import store_first_elements
from srcgrad.simplify.memory.first_use_assigns import assign_at_first_use
from srcgrad.simplify.memory.repeated_stores import remove_repeated_stores
from srcgrad.simplify.memory.reuse import reuse
from srcgrad.simplify.memory.sink import sink
from srcgrad.simplify.memory.values_are_memory import read_values_from_memory
from srcgrad.simplify.pipeline import simplify
from srcgrad.simplify.values.cse import cse
from srcgrad.simplify.values.dce import dce
from srcgrad.simplify.values.hoist import hoist
from srcgrad.simplify.values.identities import apply_identities
from srcgrad.transform.forward import forward
from srcgrad.transform.reverse import reverse

Pass = Callable[[Program], Program]


def of_functions(pass_: Callable[[Fun], Fun]) -> Pass:
    return lambda program: replace(program, main=pass_(program.main))


def active(program: Program) -> list[int]:
    return [k for k, param in enumerate(program.main.params) if param.type.is_float]


# Those that leave what a program computes as it is.
KEEPING: dict[str, Pass] = {
    "copies": of_functions(mark_needed_copies),
    "counting": of_functions(count_loops),
    "cse": of_functions(cse),
    "dce": of_functions(dce),
    "first_element_store": of_functions(store_first_elements),
    "hoist": of_functions(hoist),
    "identities": of_functions(apply_identities),
    "copy_is_move": of_functions(move_copies),
    "values_are_memory": of_functions(read_values_from_memory),
    "first_use_assigns": of_functions(assign_at_first_use),
    "reuse": of_functions(reuse),
    "simplify": simplify,
    "sink": of_functions(sink),
    "dead_stores": of_functions(remove_dead_stores),
    "repeated_stores": of_functions(remove_repeated_stores),
    "register_sums": of_functions(sum_in_registers),
}
CHANGING: dict[str, Pass] = {
    "forward": lambda program: forward(program, active(program)),
    "reverse": lambda program: reverse(program, active(program)),
}
PASSES = KEEPING | CHANGING
