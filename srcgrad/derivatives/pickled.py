"""What a pickle of a derivative comes back as."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from typing import Any

from srcgrad.compiler.find_or_make import Options
from srcgrad.compiler.fingerprint import fingerprint
from srcgrad.compiler.request import Recipe
from srcgrad.frontend.source import carried_texts


def named(module: str, name: str) -> Any:
    """What bears this name in a module that is loaded; None if nothing does."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def restored(
    kind: type[Any], fun: Any, recipe: Recipe, options: Options, texts: carried_texts.Texts | None = None
) -> Any:
    """A derivative of the function that came along."""
    carried_texts.take_over(texts or {})
    made: Callable[..., Any] = kind
    return made(fun, recipe, options)


def restored_by_name(
    module: str,
    name: str,
    digest: str,
    primal: bytes,
    kind: type[Any],
    recipe: Recipe,
    options: Options,
    texts: carried_texts.Texts | None = None,
) -> Any:
    """The derivative that bears this name here if it is the same; else one made of the function that came along."""
    found = named(module, name)
    if hasattr(found, "__srcgrad_made__") and fingerprint(found).hexdigest() == digest:
        return found
    return restored(kind, pickle.loads(primal), recipe, options, texts)
