"""Where snapshots are taken of a loop that is run again from them: binomially, as Griewank and Walther's `revolve`."""

from __future__ import annotations


def next_snapshot(turn: int, turns: int, length: int, free: int) -> int:
    # the iteration of the next snapshot, after that at `turn`, which is one of the `free` ones: as many steps on as
    # cost the fewest to be run again, where steps of `length` iterations are reversed one after another from `turns` on
    steps = (turns - turn + length - 1) // length
    if free <= 1 or steps <= 1:
        return turn + max(steps, 1) * length
    runs, reach = 1, free + 1  # so many steps can be reversed if none is run more often than that
    while reach < steps:
        runs += 1
        reach = reach * (free + runs) // runs
    shorter = reach * runs // (free + runs)
    later = shorter * free // (free + runs - 1)
    return turn + min(shorter, steps - later) * length


def snapshot_distance(limit: int, turns: int, state: int, step: int) -> int:
    # how many iterations are reversed at once, where `limit` bytes hold snapshots of `state` bytes each, and what so
    # many iterations keep, `step` bytes each: near the square root of `turns`, where both take little
    most = max(limit // (2 * max(step, 1)), 1)
    snapshots = max(limit // (2 * max(state, 1)), 1)
    turns = max(turns, 1)
    return min(most, max((turns + snapshots - 1) // snapshots, int(turns**0.5)))


def snapshot_count(limit: int, turns: int, length: int, state: int, step: int) -> int:
    # how many snapshots fit beside what `length` iterations keep; no more than are of use
    return max(min((limit - length * step) // max(state, 1), (turns + length - 1) // length), 1)


def steps_again(steps: int, snapshots: int) -> int:
    # how many steps are run again until all are reversed, where the sweep forward has run them all and placed its
    # snapshots; the run of each that its adjoint needs is not counted
    if steps <= 1 or snapshots < 1:
        return 0
    runs, reach, shorter = 1, snapshots + 1, 1
    while reach < steps:
        runs += 1
        shorter = reach
        reach = reach * (snapshots + runs) // runs
    turn, free = 0, snapshots  # of the last snapshot
    while free > 1 and turn < steps - 1:
        turn, free = next_snapshot(turn, steps, 1, free), free - 1
    return runs * steps - shorter * (snapshots + runs) // (snapshots + 1) - turn
