"""Elementwise rules of a plain Python function of numbers (`numeric`): what they print as, and what the interpreter
computes. In double precision whatever they are given."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.rules.language.over_elements import EachElement


def call_of(numeric: Callable[..., float]) -> Callable[..., str]:
    """The call that it prints as: the parameters of the rule by their names, the operands in order."""
    names = tuple(inspect.signature(numeric).parameters)

    def scalar(types: tuple[ir.Type, ...], params: Mapping[str, Any]) -> str:
        places = iter(range(len(types)))
        args = [str(params[name]) if name in params else f"_{next(places)}" for name in names]
        return f"{numeric.__name__}({', '.join(args)})"

    return scalar


def evaluate_by(numeric: Callable[..., float]) -> Callable[..., Any]:
    """What the interpreter of the core computes: the function for each element."""
    names = tuple(inspect.signature(numeric).parameters)

    def evaluate(*args: Any, **params: Any) -> Any:
        operands = [name for name in names if name not in params]

        def one(*values: Any) -> float:
            return numeric(**dict(zip(operands, map(np.float64, values), strict=True)), **params)

        with np.errstate(all="ignore"):
            found = np.vectorize(one, otypes=[float])(*args)
        return found.astype(np.result_type(*(np.asarray(a).dtype for a in args), np.float32))[()]

    return evaluate


def each(name: str, scalar: Callable[..., Any], infer: Callable[..., Any]) -> Callable[..., Any]:
    """The template for numbers and arrays of an elementwise function whose template for f8 is given: it computes in
    double precision whatever it is given."""

    def template(types: Sequence[ir.Type], params: dict[str, Any]) -> Any:
        got = scalar(tuple(ir.I8 if t.dtype[0] in "iu" else ir.F8 for t in types), params)
        code, helpers = got if isinstance(got, tuple) else (got, {})
        single = infer(types, params)[0].dtype == "f4"
        for k, t in enumerate(types):
            code = re.sub(rf"\b_{k}\b", f"np.float64(_{k})", code) if t.dtype == "f4" else code
        if not any(t.rank for t in types):
            return (f"np.float32({code})" if single else code), helpers
        told = "".join(f"_{value}" for value in params.values())
        ranks = "_".join(str(t.rank) for t in types)
        called = f"{name}{told}_of_{ranks}{'_f4' if single else ''}"
        places = ", ".join(f"_{k}" for k in range(len(types)))
        return f"{called}({places})", {**helpers, called: EachElement(code, tuple(types), single)}

    return template
