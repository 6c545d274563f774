"""The passes that have text tests, by the names of their folders in `tests/passes/text`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from srcgrad.core.ir import Fun, Program
from srcgrad.simplify.loops.counting import counting
from srcgrad.simplify.loops.register_sums import sums
from srcgrad.simplify.memory.copies import copies
from srcgrad.simplify.memory.copy_is_move import moves
from srcgrad.simplify.memory.dead_stores import stores
from srcgrad.simplify.memory.first_element_store import elements
from srcgrad.simplify.memory.first_use_assigns import promote
from srcgrad.simplify.memory.reuse import reuse
from srcgrad.simplify.memory.sink import sink
from srcgrad.simplify.memory.values_are_memory import named
from srcgrad.simplify.pipeline import simplify
from srcgrad.simplify.values.cse import cse
from srcgrad.simplify.values.dce import dce
from srcgrad.simplify.values.hoist import hoist
from srcgrad.simplify.values.identities import identities
from srcgrad.transform.forward import forward
from srcgrad.transform.reverse import reverse

Pass = Callable[[Program], Program]


def of_functions(pass_: Callable[[Fun], Fun]) -> Pass:
    return lambda program: replace(program, main=pass_(program.main))


def active(program: Program) -> list[int]:
    return [k for k, param in enumerate(program.main.params) if param.type.is_float]


# Those that leave what a program computes as it is.
KEEPING: dict[str, Pass] = {
    "copies": of_functions(copies),
    "counting": of_functions(counting),
    "cse": of_functions(cse),
    "dce": of_functions(dce),
    "first_element_store": of_functions(elements),
    "hoist": of_functions(hoist),
    "identities": of_functions(identities),
    "copy_is_move": of_functions(moves),
    "values_are_memory": of_functions(named),
    "first_use_assigns": of_functions(promote),
    "reuse": of_functions(reuse),
    "simplify": simplify,
    "sink": of_functions(sink),
    "dead_stores": of_functions(stores),
    "register_sums": of_functions(sums),
}
CHANGING: dict[str, Pass] = {
    "forward": lambda program: forward(program, active(program)),
    "reverse": lambda program: reverse(program, active(program)),
}
PASSES = KEEPING | CHANGING
