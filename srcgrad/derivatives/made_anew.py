"""Derivatives of functions that are made anew with the same code: each is as its relatives but for its function."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from srcgrad.compiler.find_or_make import UNJITTED
from srcgrad.compiler.request import VALUE, Recipe
from srcgrad.derivatives.checkpoint_option import refuse
from srcgrad.derivatives.choices import MODES, check_mode, options_of
from srcgrad.derivatives.derivative import Derivative, entries
from srcgrad.derivatives.plain import plain
from srcgrad.derivatives.relatives import Described, Family, begin, described, family
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.versions import versions

NO_SWEEP_BACK = {"value": "a value", "forward": "forward mode", "jacfwd": "forward mode"}

# attributes of a derivative that are not its relatives'
OWN = ("primal", "__wrapped__", "_of", "_made_of", "_calls", "_last", "_straight", "_hot", "_taken")


def transformer(kind: str, fun: Any, argnums: Any, options: Mapping[str, Any], **recipe: Any) -> Any:
    """A `Derivative`, or, without a function, the decorator that makes one."""
    if fun is None:
        return lambda f: transformer(kind, f, argnums, options, **recipe)
    with speaking_of(None):
        return derivative_of(kind, fun, argnums, options, recipe)


def derivative_of(kind: str, fun: Any, argnums: Any, options: Mapping[str, Any], recipe: dict[str, Any]) -> Derivative:
    """The derivative of a function: as that of a relative, if there is one; else made."""
    known = described(fun)
    if known is None:
        return _made(kind, fun, argnums, options, recipe)
    key = (*known.key, repr((kind, argnums, options, recipe, UNJITTED)))
    found = family(key)
    if found is not None:
        return _relative(fun, found, known)
    made = _made(kind, fun, argnums, options, recipe)
    state = {name: value for name, value in vars(made).items() if name not in OWN}
    state["_owner"] = made._owner._replace(primal=None, entries=len)
    made._family, made._things = begin(key, state, known.kept), known.things
    return made


def _made(kind: str, fun: Any, argnums: Any, options: Mapping[str, Any], recipe: dict[str, Any]) -> Derivative:
    check_mode(recipe.get("mode", "reverse"), MODES)
    chosen = options_of(options, () if kind == "value" else ("argnums", *recipe))
    if kind in NO_SWEEP_BACK or recipe.get("mode") == "forward":
        refuse(chosen, NO_SWEEP_BACK.get(kind, "forward mode"))
    if kind == "value":
        return Derivative(plain(fun), VALUE, chosen)
    return Derivative(plain(fun), Recipe(kind, **recipe), chosen, argnums)


def _relative(fun: Any, found: Family, known: Described) -> Derivative:
    made = Derivative.__new__(Derivative)
    vars(made).update(found.state, primal=fun, __wrapped__=fun, _of={}, _family=found, _things=known.things)
    made._watch(versions([fun]))
    made._owner = made._owner._replace(primal=fun, entries=functools.partial(entries, fun, made._options))
    made._forget()
    return made
