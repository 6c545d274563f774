"""Whether an operation raises: what `try` asks in front of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.traits import always
from srcgrad.rules.language import registry
from srcgrad.rules.language.declare import Rule, only_ranks, zero
from srcgrad.rules.linalg import systems, triangular  # noqa: F401  (what may be asked about)

ASKED = ("cholesky", "solve", "inv")  # what raises a LinAlgError for some matrices of the right shape
Params = dict[str, Any]


def _evaluate(*args: Any, asked: str, **params: Any) -> bool:
    try:
        registry.PRIMITIVES[asked].evaluate(*args, **params)
    except np.linalg.LinAlgError:
        return True
    return False


def _template(types: Sequence[ir.Type], params: Params) -> tuple[str, dict[str, Any]]:
    """A function that tries it."""
    own = {key: value for key, value in params.items() if key != "asked"}
    made = registry.PRIMITIVES[params["asked"]].template
    got = made(types, own) if callable(made) else made
    code, helpers = got if isinstance(got, tuple) else (got, {})
    words = [key for key in ("transposed", "small") if own.get(key)] + ["columns"] * (
        types[-1].rank == 2 < len(types) + 1
    )
    name = "_".join(["raises", params["asked"], *words])
    names = [f"arg{k}" for k in range(len(types))]
    for k, arg in enumerate(names):
        code = code.replace(f"_{k}", arg)
    text = f"""def {name}({", ".join(names)}):
    # whether it raises
    try:
        {code}
    except Exception:
        return True
    return False
"""
    return f"{name}({', '.join(f'_{k}' for k in range(len(types)))})", {**helpers, name: text}


_definite = np.array([[2.0, 0.3], [0.3, 1.5]])

raises: Rule = zero(
    "raises",
    (),
    infer=lambda types, params: (ir.B1,),
    evaluate=_evaluate,
    template=_template,
    samples=[(_definite,), (-_definite,)],
    params=[{"asked": "cholesky"}, {"asked": "inv"}],
    without=only_ranks(2),
    elementwise=False,
    may_raise=always,
)
