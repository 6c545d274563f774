"""Vector forms of functions in loops: programs compute what they did, and compiled ones take the loop as it was where
an angle is large."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np

from srcgrad.core.ir import Program
from srcgrad.core.read_text import read
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.printer.render import render
from srcgrad.rules.language.registry import PRIMITIVES
from srcgrad.schedule.vector_functions import use_vector_functions
from tests.passes.test_text import parts

FOLDER = Path(__file__).parent / "text" / "vector_functions"
OPTIONS = "error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'}"


def random_loop(seed: int) -> str:
    """A loop of functions of elements that it reads, and writes, and of their sums."""
    rng = random.Random(seed)
    lines, values = [], ["k"]
    for n in range(rng.randint(3, 9)):
        kind = rng.choice(["load", "load", "function", "function", "product", "store"])
        if kind == "load":
            lines.append(f"v{n}: f8 = load {rng.choice(['x', 'x', 'out'])}[{rng.choice(['i', 'i', 'i', 'j'])}]")
        elif kind == "function":
            lines.append(f"v{n}: f8 = {rng.choice(['sin', 'cos', 'exp', 'tanh'])}({rng.choice(values)})")
        elif kind == "product":
            lines.append(f"v{n}: f8 = multiply({rng.choice(values)}, {rng.choice(values)})")
        else:
            lines.append(rng.choice(["store out[i] = ", "out[i] += "]) + rng.choice(values))
        values += [f"v{n}"] if kind != "store" else []
    head = """fun f(x: &f8[1], k: f8, n: i8):
    out: &f8[1] = alloc zeros (n)
    s.3: f8 = for i: i8 in range(0, n, 1) with s: f8 = 0.0:
        j.0: i8 = subtract(n, 1)
        j: i8 = subtract(j.0, i)
        """
    lines += [f"s.2: f8 = {rng.choice(['add', 'multiply', 'subtract'])}(s, {rng.choice(values)})", "next s.2"]
    return head + "\n        ".join(lines) + "\n    return s.3, out\n"


def test_random_loops_compute_what_they_did() -> None:
    changed, x = [], np.array([0.3, -0.7, 1.9, 2.0**20, 1.2])
    for seed in range(150):
        fun = read(random_loop(seed), PRIMITIVES).main
        made = use_vector_functions(fun)
        verify(made)
        for values in (x, -x, 1e7 * x, x[:1], x[:0]):
            args = values, 1.5, len(values)
            with np.errstate(all="ignore"):
                for a, b in zip(run(made, *args), run(fun, *args), strict=True):
                    np.testing.assert_array_equal(a, b)
        changed.append(made is not fun)
    assert 30 < sum(changed) < 120


def test_compiled_loops_with_angles_of_any_size() -> None:
    fun = read(parts(FOLDER / "angles.txt")[1], PRIMITIVES).main
    space: dict[str, Any] = {}
    exec(render(Program(use_vector_functions(fun)), jit_options=OPTIONS), space)
    x = np.linspace(-30.0, 40.0, 1001)
    for at, value in ((0, x[0]), (7, 1e9), (1000, -(2.0**600)), (3, 2.0**20), (4, math.nan), (5, math.inf)):
        x[at] = value
        total, out = space["f"](x, 1.0, len(x))
        with np.errstate(invalid="ignore"):
            sines = np.sin(x)
        np.testing.assert_allclose(out, np.exp(sines), rtol=1e-15)
        np.testing.assert_allclose(total, sines.sum(), rtol=1e-10)
    assert space["f"](x, 1.0, 0)[0] == 0.0
