"""A program's derivatives along a direction beside central differences: for what dual numbers can't go through."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np

import srcgrad as sg
from tests.fuzz.checks import Verdict, innermost
from tests.fuzz.programs import Fuzzed

STEPS = (1e-5, 1e-6)
FIRST, SECOND = 1e-5, 1e-4  # tolerances
Args = tuple[Any, ...]


class Along:
    """The function on the line through its arguments in a random direction."""

    def __init__(self, p: Fuzzed) -> None:
        self.p, self.fun = p, p.fun()
        args = p.fresh_args()
        self.active = tuple(k for k, a in enumerate(args) if isinstance(a, float) or np.asarray(a).dtype.kind == "f")
        rng = np.random.default_rng(7)
        self.direction = tuple(
            rng.standard_normal(args[k].shape) if isinstance(args[k], np.ndarray) else float(rng.standard_normal())
            for k in self.active
        )

    def args(self, t: float = 0.0) -> Args:
        out = list(self.p.fresh_args())
        for k, d in zip(self.active, self.direction, strict=True):
            out[k] = out[k] + t * d
        return tuple(out)

    def slope(self, step: float) -> float:
        return float((self.fun(*self.args(step)) - self.fun(*self.args(-step))) / (2.0 * step))

    def dot(self, bars: Args) -> float:
        return float(sum(np.sum(bar * d) for bar, d in zip(bars, self.direction, strict=True)))

    def options(self) -> dict[str, Any]:
        return {"argnums": self.active, "jit": False}


def judge(p: Fuzzed) -> Verdict:
    """The value, the gradient, and the Hessian along the direction: forward over reverse."""
    try:
        along = Along(p)
        with np.errstate(all="ignore"):
            value, (rough, slope) = p.fun()(*p.fresh_args()), map(along.slope, STEPS)
    except Exception as error:  # beyond a jump of a value that an index depends on
        return Verdict("dropped", f"invalid: {type(error).__name__}")
    scale = max(1.0, abs(value))
    if not abs(rough - slope) <= FIRST * max(scale, abs(slope)):
        return Verdict("dropped", "near a kink")
    try:
        with np.errstate(all="ignore"):
            return compared(along, value, slope, scale)
    except sg.SrcgradError as error:
        kind = "crash" if "internal error" in str(error) else "refused"
        return Verdict(kind, error.problems[0].message if error.problems else str(error), str(error))
    except Exception as error:  # whatever breaks is reported, and the hunt goes on
        return Verdict("crash", f"{type(error).__name__} in {innermost(error)}", traceback.format_exc(limit=-6))


def compared(along: Along, value: float, slope: float, scale: float) -> Verdict:
    got, bars = sg.value_and_grad(along.fun, **along.options())(*along.args())
    if not abs(got - value) <= 1e-9 * scale:
        return Verdict("wrong", "value", f"got {got}, expected {value}")
    if not abs(along.dot(bars) - slope) <= FIRST * max(scale, abs(slope)):
        return Verdict("wrong", "reverse", f"got {along.dot(bars):.9g}, expected {slope:.9g}")
    grad = sg.grad(along.fun, **along.options())
    ahead, behind = (along.dot(grad(*along.args(t))) for t in (STEPS[0], -STEPS[0]))
    curve = (ahead - behind) / (2.0 * STEPS[0])
    bars = sg.hvp(along.fun, **along.options())(*along.args(), along.direction)
    if not abs(along.dot(bars) - curve) <= SECOND * max(scale, abs(curve), abs(slope)):
        return Verdict("wrong", "forward over reverse", f"got {along.dot(bars):.9g}, expected {curve:.9g}")
    return Verdict("right")
