"""The passes of the schedule, in order."""

from __future__ import annotations

from srcgrad.core.ir import Program
from srcgrad.schedule.arrays_as_loops import arrays_as_loops


def schedule(program: Program) -> Program:
    """The program with loops over elements in the place of array statements."""
    callees = {name: arrays_as_loops(fun) for name, fun in program.callees.items()}
    return Program(arrays_as_loops(program.main), callees)
