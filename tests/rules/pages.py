"""`python -m tests.rules.pages` writes docs/functions.md from the declarations (and from docs/accuracy.md)."""

from __future__ import annotations

import builtins
import cmath
import math
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import scipy.fft
import scipy.linalg
import scipy.special

import srcgrad.rules  # noqa: F401
from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Let, Var
from srcgrad.core.walk import defined, defined_inside, used, used_inside, walk
from srcgrad.errors import SrcgradError
from srcgrad.rules.language.declare import as_value
from srcgrad.rules.language.metadata import Edge
from srcgrad.rules.language.registry import FUNCTIONS, METHODS, PRIMITIVES
from srcgrad.rules.language.values import Val
from tests.rules.accuracy import CURVES, SURFACES
from tests.rules.exact import Curve, Surface

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = DOCS / "functions.md"
HOMES = {
    "Python": builtins,
    "math": math,
    "cmath": cmath,
    "np": np,
    "np.linalg": np.linalg,
    "np.fft": np.fft,
    "np.random": np.random,
    "random": random,
    "time": time,
    "scipy.fft": scipy.fft,
    "scipy.linalg": scipy.linalg,
    "scipy.special": scipy.special,
}
PLAIN = {"Python": ""}
F8, LINE, MATRIX = ir.F8, ir.Type("f8", 1, ref=True), ir.Type("f8", 2, ref=True)
MASK, PLACES = ir.Type("b1", 1, ref=True), ir.Type("i8", 2, ref=True)
# what a function may be called with: types of values, lists of them, and what stands there literally
CALLS: list[tuple[Any, ...]] = [
    (F8,), (F8, F8), (LINE,), (LINE, LINE), (MATRIX,), (MATRIX, LINE), (MATRIX, MATRIX), (F8, ir.I8), (ir.I8,),
    (ir.I8, ir.I8), (LINE, ir.I8), (MATRIX, ir.I8), (F8, F8, F8), (LINE, F8), (LINE, F8, F8), (LINE, LINE, LINE),
    (ir.B1, F8, F8), (ir.C16,), (ir.B1, ir.B1), (ir.B1,), (), ([LINE, LINE],), (MATRIX, 0), (MATRIX, 0, 1), (MATRIX, 2),
    (3, F8), ("ij,j->i", MATRIX, LINE), ([MASK], [LINE], 0.0), (MATRIX, PLACES, 0), (LINE, [LINE, LINE]), (MATRIX, F8),
    (LINE, float), (LINE, ir.I8, F8),
    (LINE, LINE, 2), (MATRIX, PLACES, MATRIX, 0), (ir.Type("f8", 3, ref=True), 2), ([MATRIX, False], LINE),
    (ir.Type("i8", 1, ref=True), [LINE, LINE]),
]  # fmt: skip
HEAD = """# Functions

What may stand in a function that is differentiated. This page is written by `python -m tests.rules.pages` from the
declarations of the rules. At singular points (ties, corners, poles, ends) it shows the derivatives; accuracy is the
worst error of value, first and second derivative, in units of the last place, from [accuracy.md](accuracy.md).
Functions marked "none" carry no derivative (they count, compare, round or make new arrays).

The transformers (`grad`, `value_and_grad`, `jvp`, `vjp`, `forward`, `reverse`, `jacobian`, `jacfwd`, `jacrev`,
`hessian`, `hvp`, `vmap`, `compiled`) and the solvers (`newton`, `gradient_descent`, `minimize`) may stand there, too:
see [supported.md](supported.md).

"""


def names() -> dict[str, list[tuple[str, Any]]]:
    """The functions that have a meaning, by their homes, with the names that users write."""
    return {
        home: [(n, f) for n, f in sorted(_members(space).items()) if _known(f) and not n.startswith("_")]
        for home, space in HOMES.items()
    }


def _members(space: Any) -> dict[str, Any]:
    """The names of a module, and the methods of its ufuncs."""
    found = dict(vars(space))
    for name, value in list(found.items()):
        if isinstance(value, np.ufunc):
            found |= {f"{name}.{method}": getattr(value, method) for method in ("accumulate", "at", "reduce")}
    return found


def _known(function: Any) -> bool:
    try:
        return function in FUNCTIONS
    except TypeError:
        return False


@dataclass
class Use:
    """The rules that a function makes use of, and whether a derivative goes through it."""

    rules: list[ir.Primitive] = field(default_factory=list)
    carries: bool = False


def use_of(adaptor: Any) -> Use:
    use = Use()
    for kinds in CALLS:
        builder = Builder()
        params: list[Var] = []
        try:
            out = adaptor(builder, *(_argument(builder, kind, params) for kind in kinds))
        except (SrcgradError, TypeError, ValueError, AssertionError, AttributeError, IndexError, KeyError):
            continue  # not a call that it takes
        active, stored = _reached(builder.out, params)
        lets = (stmt for stmt in walk(builder.out) if isinstance(stmt, Let) and any(a in active for a in stmt.args))
        use.rules += [stmt.op for stmt in lets if stmt.op not in use.rules]
        results = out if isinstance(out, (tuple, list)) else (out,)
        use.carries |= any(r.atom in active for r in results if isinstance(r, Val)) or (out is None and stored)
    return use


def _argument(builder: Builder, kind: Any, params: list[Var]) -> Any:
    if isinstance(kind, list):
        return [_argument(builder, one, params) for one in kind]
    if not isinstance(kind, ir.Type):
        return kind if isinstance(kind, (str, type)) else as_value(builder, kind)
    params.append(Var(f"x{len(params)}", kind))
    return Val(builder, params[-1])


def _reached(body: Sequence[ir.Stmt], params: Sequence[Var]) -> tuple[set[Any], bool]:
    """The floats that depend on a float parameter through rules that have a derivative; whether one is stored."""
    active: set[Any] = {p for p in params if p.type.is_float}
    stored = False
    for stmt in walk(body):
        if isinstance(stmt, (ir.Store, ir.Accumulate)):
            stored |= stmt.value in active
            active |= {stmt.ref} if stmt.value in active else set()
        elif not isinstance(stmt, (Let, ir.Draw)) or (isinstance(stmt, Let) and stmt.op.differentiable):
            if any(atom in active for atom in (*used(stmt), *used_inside(stmt))):
                active |= {v for v in (*defined(stmt), *defined_inside(stmt)) if v.type.is_float}
    return active, stored


def _number(value: Any) -> str:
    if np.ndim(value):
        return "[" + ", ".join(_number(v) for v in np.ravel(value)) + "]" if np.size(value) < 5 else "..."
    return f"{float(getattr(value, 'value', value)):g}"


def _edge(edge: Edge) -> str:
    args, partials = (", ".join(map(_number, values)) for values in (edge.args, edge.partials))
    return f"at {args}: {partials}"


def edges(rules: Sequence[ir.Primitive]) -> str:
    """What the declarations say of singular points: in words where they do, else the derivatives."""
    told = [rule.info.ties for rule in rules if rule.info.ties]
    shown = [_edge(e) for rule in rules if not rule.info.ties for e in rule.info.edges if _is_small(e)]
    return "; ".join(dict.fromkeys([*told, *shown[:4]]))


def _is_small(edge: Edge) -> bool:
    return all(np.size(a) < 4 for a in edge.args)


def accuracy() -> dict[str, str]:
    """From the other page: the three errors by name."""
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|.*?\| (\S+) \|.*?\| (\S+) \|", (DOCS / "accuracy.md").read_text(), re.M)
    return {name: " / ".join(errors) for name, *errors in rows}


def _errors(known: dict[str, str]) -> dict[Any, str]:
    """The errors by function: those of one rule are alike."""
    out: dict[Any, str] = {}
    every: list[Curve | Surface] = [*CURVES, *SURFACES]
    for curve in every:
        rules = [rule.info.functions for rule in PRIMITIVES.values() if curve.function in rule.info.functions]
        alike = [function for functions in rules for function in functions]
        out.update(dict.fromkeys([*alike, curve.function], known.get(curve.name, "")))
    return out


def _speaks(rule: ir.Primitive, name: str) -> bool:
    """Whether what a rule says of singular points is true of the function of this name, too."""
    alike = rule.name.split("_")[0] in (name, *name.split("_")) or name in rule.name
    return alike or not rule.traits.elementwise or "shared" in rule.info.ties


def row(told: str, function: Any, adaptor: Any, errors: str) -> str:
    use = use_of(adaptor)
    differentiable = [rule for rule in use.rules if rule.differentiable]
    own = [rule for rule in differentiable if function in rule.info.functions]
    domain = "; ".join(dict.fromkeys(rule.info.domain for rule in own if rule.info.domain))
    others = [rule for rule in differentiable if _speaks(rule, told.split(".")[-1])]
    singular = edges(own or others) if use.carries else ""
    return f"| `{told}` | {'yes' if use.carries else 'none'} | {domain} | {singular} | {errors} |\n"


def page() -> Iterator[str]:
    yield HEAD
    errors = _errors(accuracy())
    for home, functions in names().items():
        start = PLAIN.get(home, f"{home}.")
        yield from _table(home, [(start + n, f, FUNCTIONS[f], errors.get(f, "")) for n, f in functions])
    yield from _table("Methods of arrays", [(f".{name}", None, METHODS[name], "") for name in sorted(METHODS)])


def _table(title: str, rows: Sequence[tuple[str, Any, Any, str]]) -> Iterator[str]:
    if rows:
        yield f"## {title}\n\n| function | derivative | domain | at singular points | accuracy |\n"
        yield "| --- | --- | --- | --- | --- |\n"
        yield from (row(*given) for given in rows)
        yield "\n"


def main() -> None:
    PAGE.write_text("".join(page()).rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
