"""Memory that grows: one look an iteration at whether there is room."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import srcgrad as sg


def particle(x: Any, v: Any, goal: Any) -> Any:
    while x < goal:
        v = v + 0.1 * (math.sin(x) - 0.5 * v * abs(v) + 2.0)
        x = x + 0.1 * v
    return x * v


def nested(x: Any, goal: Any) -> Any:
    """Rows of different lengths: along both axes the tape grows, along each only where it is full."""
    s = 0.0
    while s < goal:
        y = x * 1.0
        while y < 2.0 + s:
            y = y * 1.2 + 0.3 * math.sin(x * y) + 0.3
        s = s + 0.3 * math.tanh(y) + 0.02 * math.sin(s * y)
    return s


def chosen(x: Any, goal: Any) -> Any:
    """What is kept on one side of a branch grows by itself."""
    n = 0
    while x < goal:
        if n % 3 == 1:
            x = x * math.exp(0.2 * math.sin(x) ** 2) + 0.3
        else:
            x = x + math.sqrt(x) * math.cos(x) ** 2 + 0.1
        n += 1
    return x * x


def again(x: Any, n: int) -> Any:
    """A loop in a loop: the inner one keeps anew in each iteration of the outer."""
    for _ in range(n):
        y = x
        while y > 0.1:
            y = y * math.sin(y) * 0.5 + 0.001 * x
            x = x + 0.01 * y * y
    return x * y


def arrays(x: Any, w: Any) -> Any:
    h, k = x, 0
    while np.sum(h) > 0.5 and k < 50:
        h = np.tanh(h * w)
        k += 1
    return np.sum(h * h)


CASES: dict[Any, tuple[Any, ...]] = {
    particle: (0.0, 1.0, 3.0),
    nested: (0.7, 6.0),
    chosen: (0.4, 9.0),
    again: (0.9, 4),
    arrays: (np.linspace(0.3, 1.0, 5), np.linspace(0.8, 1.2, 5)),
}


@pytest.mark.parametrize("f", CASES, ids=lambda f: f.__name__)
def test_gradients_by_differences(f: Any) -> None:
    args = CASES[f]
    value, grad = sg.value_and_grad(f, jit=False)(*args)
    assert value == pytest.approx(f(*args), rel=1e-13)
    x, h = np.asarray(args[0], float), 1e-6
    for place in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[place] = h
        up, down = (f(*(x + s if x.ndim else float(x + s), *args[1:])) for s in (step, -step))
        assert np.asarray(grad)[place] == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-8)


def test_one_look_for_all_tapes_of_an_iteration() -> None:
    source = sg.value_and_grad(particle, jit=False).source_for(*CASES[particle])
    loop = source[source.index("while ") : source.index("# reverse")]
    assert loop.count("shape") == 1
    assert loop.count("grow(") == 2


def test_sides_of_a_branch_look_for_themselves() -> None:
    source = sg.value_and_grad(chosen, jit=False).source_for(*CASES[chosen])
    loop = source[source.index("while ") : source.index("# reverse")]
    assert loop.count("grow(") >= 1
    assert loop.count(".shape") >= 1


def test_only_the_axis_that_is_full_grows() -> None:
    from srcgrad.printer.helpers import grow

    name, text = grow(2, (0, 1), False)
    space: dict[str, Any] = {"np": np}
    exec(text, space)
    kept = space[name](np.ones((4, 8)), 4, 3)
    assert kept.shape == (8, 8)
    assert kept[:4].tolist() == np.ones((4, 8)).tolist()
    assert space[name](kept, 2, 8).shape == (8, 16)
    assert space[name](kept, 9, 20).shape == (16, 21)
    assert space[name](kept, 7, 7) is kept
