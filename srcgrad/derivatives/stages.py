"""A derivative through every stage of the compiler, as text."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from srcgrad.compiler import find_or_make
from srcgrad.compiler import program as compiler
from srcgrad.core.ir import Program
from srcgrad.core.write_text import write
from srcgrad.derivatives.derivative import Derivative
from srcgrad.errors import ArgumentError

# what passes are called here, by the order in which they come; what has no name of its own is not shown
NAMES = ("function", "lowered", "simplified", "derived", "tidied", "scheduled", "source")
ABOUT = {
    "function": "The function",
    "lowered": "Lowered: the core language",
    "simplified": "Simplified",
    "derived": "Derived: the plan, then the sweeps that follow it",
    "tidied": "Simplified again",
    "scheduled": "Scheduled: array statements as loops, with memory in front of them",
    "source": "Printed: what is compiled",
}


class Stage(NamedTuple):
    """One stage: its short name, what it is, its text, and whether that is Python (else it is the core language)."""

    name: str
    about: str
    text: str
    python: bool


@contextmanager
def watched() -> Iterator[list[tuple[str, Program]]]:
    """The programs that passes give, in their order, with the names of the passes."""
    seen: list[tuple[str, Program]] = []

    def watcher(name: str, program: Program) -> None:
        seen.append((name, program))

    compiler.WATCHERS.append(watcher)
    try:
        yield seen
    finally:
        compiler.WATCHERS.remove(watcher)


def stages(made: Derivative, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Stage]:
    """The stages for the types of these arguments, those in `NAMES` that there are.

    Raises
    ------
    SrcgradError
        As a call of the derivative.
    """
    values = made._bind(args, kwargs)
    made = made.for_shapes(values)
    call = made._lookup(values)
    recipe, primal = replace(made._recipe, long=call.long), made.primal
    own = call.specs[: len(call.specs) - compiler.extra_parameters(recipe)]
    lowered = compiler.lowered(primal, own, recipe.long).program
    with watched() as seen:
        find_or_make.generated(primal, recipe, call.specs, made._options)
    source = call.bound.unit.source
    texts = {"function": _function(primal), "lowered": write(lowered), **_by_pass(seen, recipe.kind), "source": source}
    return [Stage(n, ABOUT[n], texts[n].strip("\n"), n in ("function", "source")) for n in NAMES if n in texts]


def stage(made: Derivative, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Stage:
    """The stage of this name."""
    found = {each.name: each for each in stages(made, args, kwargs)}
    if name not in found:
        raise ArgumentError(f"there is no stage {name!r} here", hint=f"use one of {', '.join(found)}")
    return found[name]


def _by_pass(seen: Sequence[tuple[str, Program]], kind: str) -> dict[str, str]:
    """The last pass of each name before the next one begins tells its stage."""
    found: dict[str, str] = {}
    for name, program in seen:
        if name == "simplify":
            name = "simplified" if "derived" not in found else "tidied"
            if name in found:
                continue
        elif name == kind:
            name = "derived"
        elif name == "schedule":
            name = "scheduled"
        else:
            continue
        found[name] = write(program)
    return found


def _function(primal: Any) -> str:
    """The user's text; of a derivative, that which it is made from."""
    if isinstance(primal, Derivative):
        return primal.source
    try:
        return inspect.cleandoc("\n" + inspect.getsource(getattr(primal, "py_func", primal)))
    except (OSError, TypeError):
        return f"{getattr(primal, '__name__', primal)}  # its source is not at hand"
