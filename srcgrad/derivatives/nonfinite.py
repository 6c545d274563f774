"""`debug_nans=True`: a call whose results hold a NaN or an infinity says which line of the user's made it.

Compiled code runs as usual, and its results are looked at. Where one is not finite, the core program of the same
derivative is executed again statement by statement, with the same arguments.
"""

from __future__ import annotations

import linecache
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from srcgrad.compiler import program as compiler
from srcgrad.compiler.request import Recipe
from srcgrad.core import nonfinite_run
from srcgrad.core.nonfinite_run import Event
from srcgrad.errors import NonFiniteError, Problem
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.structure import Spec


def check(primal: Any, recipe: Recipe, specs: Sequence[Spec], items: Sequence[Any], out: Any) -> None:
    """Raise if a result is not finite. items: the leaves that the compiled code was given; out: what it gave.

    Raises
    ------
    NonFiniteError
        At the first line that made a NaN or an infinity of finite values which the results hold.
    """
    results = out if isinstance(out, tuple) else (out,)
    bad = [item for item in results if _is_bad(item)]
    if not bad:
        return
    program = compiler.derive(primal, recipe, specs).program
    with _generators_kept():
        found = nonfinite_run.events(program, items)
    with speaking_of(primal):
        raise _told(found[0]) if found else _unknown(bad[0])


def _is_bad(item: Any) -> bool:
    given = np.asarray(item)
    return given.dtype.kind in "fc" and not np.all(np.isfinite(given))


@contextmanager
def _generators_kept() -> Iterator[None]:
    """Leave the streams of random numbers where they are."""
    numpys, pythons = np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        np.random.set_state(numpys)
        random.setstate(pythons)


def _unknown(bad: Any) -> NonFiniteError:
    given = np.asarray(bad)
    what = _number(given[~np.isfinite(given)].flat[0] if given.ndim else given[()])
    message = f"a result holds {what}, but no NaN and no infinity came up when the call was run again to find the line"
    hint = "this happens where random numbers differ, or where compiled code reorders sums: try fastmath=False"
    return NonFiniteError(message, hint=hint)


def _told(event: Event) -> NonFiniteError:
    got = _number(event.result)
    if event.parameter:
        message = f"the argument `{event.parameter}` holds {got}, and a result comes from that"
        return NonFiniteError(message, hint="give finite arguments", about=event.parameter.split(".")[0])
    message = f"{_sweep(event)} makes {got} of finite values: {_operation(event)}{_iterations(event)}"
    hint = HINTS.get(event.op, "keep the values in the range in which the line and its derivative are finite")
    span = event.span
    if span is None:
        return NonFiniteError(message, hint=hint)
    source = linecache.getline(span.file, span.line)
    return NonFiniteError(message, problems=[Problem(message, hint, span.file, span.line, span.column, source)])


def _sweep(event: Event) -> str:
    return "the adjoint of this line" if event.span is not None and event.span.back else "this line"


def _operation(event: Event) -> str:
    shown = [f"{name} = {_number(value)}" if name else _number(value) for name, value in event.operands]
    return f"{event.op}({', '.join(shown)})"


def _iterations(event: Event) -> str:
    """The iterations of the loops around it."""
    told = [f"{name} = {at}" if name else f"iteration {at} (from 0) of a while loop" for name, at in event.loops]
    return f", at {wording.joined(list(dict.fromkeys(told)))}" if told else ""


def _number(value: Any) -> str:
    given = np.asarray(value)
    if given.ndim:
        return np.array2string(given, threshold=6, edgeitems=2, precision=6).replace("\n", "")
    return f"{given[()]:.6g}" if given.dtype.kind in "fc" else str(given[()])


SMALL = "it has no finite value, or no finite slope, there: add a small number, or choose another branch there"
HINTS = {
    "divide": "a divisor of the line, or of its slope, is 0: add a small number, or choose another branch there",
    "log": "the argument must be positive: add a small number, or choose another branch there",
    "sqrt": SMALL,
    "power": SMALL,
    "exp": "the argument is too large: subtract the largest one first, as logsumexp does",
}
