"""`srcgrad rules`: the functions that have a derivative, and what it is at singular points."""

from __future__ import annotations

import argparse
import builtins
import cmath
import difflib
import math
import random
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.fft
import scipy.linalg
import scipy.special

import srcgrad.rules  # noqa: F401
from srcgrad.core.ir import Primitive
from srcgrad.rules.language.metadata import Edge
from srcgrad.rules.language.registry import FUNCTIONS, INSTEAD, METHODS, PRIMITIVES
from srcgrad.terminal.subject import UsageError

HELP = "list the functions that may stand in a differentiated function, or tell what one of them is"
EXAMPLES = """examples:
  srcgrad rules               all names
  srcgrad rules np.hypot      what holds for one
  srcgrad rules logsumexp     wherever it lies"""
HOMES: Mapping[str, Any] = {
    "": builtins,
    "math": math,
    "cmath": cmath,
    "np": np,
    "np.linalg": np.linalg,
    "np.fft": np.fft,
    "np.random": np.random,
    "random": random,
    "scipy.fft": scipy.fft,
    "scipy.linalg": scipy.linalg,
    "scipy.special": scipy.special,
}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="a function, with or without its module: np.hypot, hypot"
    )


def run(options: argparse.Namespace) -> int:
    print("\n".join(_all() if options.name is None else _one(options.name)))
    return 0


def names() -> dict[str, Any]:
    """The functions, by the names that users write."""
    found = {}
    for home, space in HOMES.items():
        for name, value in sorted(vars(space).items()):
            if not name.startswith("_") and _known(value):
                found[f"{home}.{name}" if home else name] = value
    return found


def _known(value: Any) -> bool:
    try:
        return value in FUNCTIONS
    except TypeError:  # it has no hash, so that it stands in no table
        return False


def _all() -> Iterator[str]:
    width = shutil.get_terminal_size().columns
    known = names()
    for home in HOMES:
        own = [name.rpartition(".")[2] for name in known if name.rpartition(".")[0] == home]
        yield f"{home or 'Python'}:"
        yield textwrap.fill(", ".join(own), width, initial_indent="    ", subsequent_indent="    ")
    yield "methods of arrays:"
    yield textwrap.fill(", ".join(sorted(METHODS)), width, initial_indent="    ", subsequent_indent="    ")


def _one(asked: str) -> Iterator[str]:
    """What the declarations say of the functions of this name."""
    asked = asked.replace("numpy.", "np.", 1) if asked.startswith("numpy.") else asked
    known = names()
    functions = {name: f for name, f in known.items() if asked in (name, name.rpartition(".")[2])}
    if not functions:
        raise UsageError(_unknown(asked, known))
    for function in dict.fromkeys(functions.values()):
        yield ", ".join(name for name, f in functions.items() if f is function)
        rules = [rule for rule in PRIMITIVES.values() if rule.info and function in rule.info.functions]
        if not rules:
            yield "    put together from other functions; srcgrad show prints what becomes of a call"
        for rule in rules:
            yield from (f"    {line}" for line in _facts(rule))


def _unknown(asked: str, known: Mapping[str, Any]) -> str:
    instead = next((hint for f, hint in INSTEAD.items() if getattr(f, "__name__", "") == asked.rpartition(".")[2]), "")
    tails = {name.rpartition(".")[2] for name in known}
    near = difflib.get_close_matches(asked.rpartition(".")[2], tails, n=3)
    hint = instead or (f"there is {', '.join(near)}" if near else "srcgrad rules lists those that there are")
    return f"no function `{asked}` may stand in a differentiated function: {hint}"


def _facts(rule: Primitive) -> Iterator[str]:
    yield "has a derivative" if rule.differentiable else f"carries no derivative{_why(rule.info.held)}"
    if rule.info.domain:
        yield f"for {rule.info.domain}"
    if rule.info.ties:
        yield f"ties: {rule.info.ties}"
    yield from (_edge(edge) for edge in rule.info.edges if all(np.size(a) < 5 for a in edge.args))


def _why(held: str) -> str:
    return f": {held}" if held else ": it counts, compares, rounds, or makes what depends on no float"


def _edge(edge: Edge) -> str:
    return f"at {_list(edge.args)}: the derivative is {_list(edge.partials)}"


def _list(values: Sequence[Any]) -> str:
    return ", ".join(str(np.asarray(getattr(v, "value", v), dtype=float).tolist()) for v in values)
