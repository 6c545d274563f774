"""What is wrong, and type checkers say so: each line would be told of as an ignore without use if they did not."""

from __future__ import annotations

import numpy as np

import srcgrad as sg
from tests.typed.example.functions import loss, wave


def wrong() -> None:
    sg.grad(wave)("text")  # type: ignore[call-overload]
    sg.grad(wave)(1.0, m=2)  # type: ignore[call-overload]
    sg.grad(loss)(np.ones(2))  # type: ignore[call-overload]
    sg.grad(wave, jti=False)  # type: ignore[call-overload]
    sg.grad(wave, 1.5)  # type: ignore[call-overload]
    sg.grad(3.0)  # type: ignore[call-overload]
    sg.value_and_grad(loss)(1.0, 2.0)  # type: ignore[call-overload]
    sg.compiled(wave)("text")  # type: ignore[arg-type]
    sg.hessian(loss)(np.ones(2), 1.0, n=1)  # type: ignore[call-overload]
    sg.vmap(wave, in_axes="x")  # type: ignore[arg-type]
    sg.jvp(wave, 1.0, 1.0)  # type: ignore[arg-type]
    sg.newton(wave, 1.0, toll=1e-3)  # type: ignore[call-overload]
    _: str = sg.grad(wave)(1.0)  # type: ignore[assignment]
