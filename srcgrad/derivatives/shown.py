"""A derivative beside what it was made from: lines that belong together, and what is kept, with its bytes."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from srcgrad.compiler import fingerprint, kept_bytes
from srcgrad.compiler import program as pipeline
from srcgrad.compiler.request import Recipe
from srcgrad.derivatives.explain import Held, held
from srcgrad.derivatives.one_call import Call
from srcgrad.derivatives.quantities import memory
from srcgrad.frontend.source.listing import Listing, listing
from srcgrad.frontend.source.read import read
from srcgrad.pages import html
from srcgrad.pages.view import Mark, Pane, Statement, View, marks_of, matched

TITLES = {
    "grad": "the gradient of {}",
    "value_and_grad": "the value and the gradient of {}",
    "forward": "the tangent of {}",
    "reverse": "the adjoint of {}",
    "value": "{}, compiled",
}


class Shown(Protocol):
    """What of a derivative is needed."""

    primal: Any
    _recipe: Recipe

    def last_call(self) -> tuple[Call, list[Any] | None]: ...

    def _bind(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]: ...

    def _lookup(self, values: Sequence[Any]) -> Call: ...


Called = tuple[Call, Sequence[Any] | None, bool]


def fragment(made: Shown, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> str:
    """For a cell of a notebook."""
    return html.fragment(view(made, args, kwargs))


def page(made: Shown, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> str:
    """A page of its own, for these arguments; without, for those of the last call."""
    return html.page(view(made, args, kwargs))


def view(made: Shown, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> View:
    """What is to be shown, for these arguments; without, for those of the last call."""
    call, leaves, surely = _called(made, args, kwargs or {})
    lines = call.bound.unit.source.strip("\n").splitlines()
    listings = list(_listings(made))
    statements = [Statement(f"{k}-{line}", text) for k, one in enumerate(listings) for line, text in one.statements]
    kept = _kept(made, call, leaves, surely)
    generated = Pane(call.meta.name, lines, matched(lines, statements), marks=marks_of(lines, _marks(kept)))
    panes = [_pane(one, k) for k, one in enumerate(listings)]
    title = TITLES.get(call.kind, f"{call.kind} of {{}}").format(getattr(made.primal, "__name__", "f"))
    return View(title, panes, generated, list(_notes(kept)))


def _called(made: Shown, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Called:
    """The code that is shown; its arguments, or others of their shapes; whether they are those that are meant."""
    if args or kwargs:
        values = made._bind(args, dict(kwargs))
        call = made._lookup(values)
        return call, call.leaves(values), True
    return *made.last_call(), False


def _kept(made: Shown, call: Call, leaves: Sequence[Any] | None, surely: bool) -> list[Held]:
    """What is kept, with its size, if arguments or their shapes tell it: other numbers of the same shapes do where no
    loop is to be run for it."""
    recipe = replace(made._recipe, kind=call.kind, long=call.long, last=True)
    program = pipeline.derive(made.primal, recipe, call.specs).program
    return held(program, leaves if surely or kept_bytes.text_of(program) else None)


def _notes(kept: Sequence[Held]) -> Iterator[str]:
    if not kept:
        yield "nothing is kept for the reverse sweep"
        return
    known = [each.size for each in kept if each.size is not None]
    total = f", {memory(sum(known))} a call" if known else ""
    yield f"kept for the reverse sweep: {', '.join(each.name for each in kept)}{total}"


def _marks(kept: Sequence[Held]) -> dict[str, Mark]:
    return {
        k.name: Mark("kept" if k.size is None else f"kept, {memory(k.size)}", f"{k.what}: {k.reason}") for k in kept
    }


def _listings(made: Shown) -> Iterator[Listing]:
    """The user's functions that it is made of, the primal first."""
    primal = made.primal
    while hasattr(primal, "primal"):
        primal = primal.primal
    functions = [getattr(primal, "py_func", primal), *fingerprint.fingerprint(made).functions]
    seen: set[types.CodeType] = set()
    for fun in functions:
        if isinstance(fun, types.FunctionType) and fun.__code__ not in seen and not fingerprint.of_library(fun):
            seen.add(fun.__code__)
            yield listing(read(fun))


def _pane(shown: Listing, number: int) -> Pane:
    belongs = [frozenset() if line is None else frozenset([f"{number}-{line}"]) for line in shown.owners]
    return Pane(shown.name, shown.lines, belongs, shown.first)
