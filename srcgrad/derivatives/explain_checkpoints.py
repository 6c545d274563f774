"""What checkpoints cost: for each loop, how many snapshots there are, and how much is run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from srcgrad.core import ir
from srcgrad.core.ir import Alloc, Atom, Program, Stmt, Store, Var
from srcgrad.numeric.checkpoints import steps_again
from srcgrad.rules.language.checkpoints import next_snapshot
from srcgrad.transform.checkpoint_sweeps import TAKEN

Loop = ir.For | ir.While
Run = Callable[[Program], tuple[int, ...]]  # what a program gives for the arguments at hand


@dataclass(frozen=True)
class Placed:
    """A loop of the sweep forward that takes snapshots: how many there can be, where they are placed beforehand the
    numbers of its iterations and of those that are reversed at once."""

    loop: Loop
    snapshots: Atom
    plan: tuple[Atom, ...]


def told(program: Program, run: Run) -> Iterator[str]:
    """A line a loop."""
    for placed in _found(program):
        atoms = (placed.snapshots, *placed.plan)
        snapshots, *plan = run(Program(replace(program.main, results=atoms), program.callees))
        line = f" at line {placed.loop.span.line}" if placed.loop.span else ""
        yield f"    the loop{line}: {_cost(snapshots, *plan)}"


def _cost(snapshots: int, iterations: int = 0, distance: int = 0) -> str:
    if not distance:
        return f"at most {snapshots} snapshots, as far apart as its iterations turn out to need"
    steps = -(-max(iterations, 0) // distance)
    again = steps_again(steps, snapshots) * distance + (iterations if distance > 1 else 0)
    at_once = f", {distance} iterations reversed at once" if distance > 1 else ""
    times = f"{again / max(iterations, 1):.2g} times the loop"
    return f"{snapshots} snapshots for {iterations} iterations{at_once}; {again} are run again, {times}"


def _found(program: Program) -> Iterator[Placed]:
    body = program.main.body
    made = {s.target: s for s in body if isinstance(s, Alloc)}
    for loop in body:
        for stmt in loop.body if isinstance(loop, Loop) else ():
            taken = _taken(stmt, made)
            if taken is not None and isinstance(loop, Loop):
                (snapshots,) = taken.shape
                assert snapshots is not None
                yield Placed(loop, snapshots, tuple(_plan(stmt)))


def _taken(stmt: Stmt, made: dict[Var, Alloc]) -> Alloc | None:
    """The memory that a snapshot's iteration is noted in, if this branch takes a snapshot."""
    for inner in (s for s in stmt.then) if isinstance(stmt, ir.If) else ():
        if isinstance(inner, Store) and inner.ref.name == TAKEN and inner.ref in made:
            return made[inner.ref]
        if isinstance(inner, ir.If) and (found := _taken(inner, made)) is not None:
            return found
    return None


def _plan(stmt: Stmt) -> Iterator[Atom]:
    for inner in stmt.then if isinstance(stmt, ir.If) else ():
        if isinstance(inner, ir.Let) and inner.op is next_snapshot:
            yield from inner.args[1:3]
