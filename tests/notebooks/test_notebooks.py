"""A real notebook, run without a browser: the README's programs and others, each pasted into one cell."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import nbformat
from nbclient import NotebookClient

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
PAIRS = re.findall(r"```python\n(.*?)```\n\nprints\n\n```\n(.*?)```", README, flags=re.DOTALL)

OWN = [
    ("""
        import math
        from dataclasses import dataclass
        import srcgrad as sg

        @dataclass
        class Spring:
            stiffness: float
            length: float

            def energy(self, x):
                return 0.5 * self.stiffness * (math.sqrt(x * x) - self.length) ** 2

        def total(spring, x):
            return spring.energy(x)

        print(sg.grad(total, jit=False)(Spring(2.0, 1.0), 3.0))
     """, "Spring(stiffness=2.0, length=-4.0)"),
    ("""
        import numpy as np
        import srcgrad as sg

        def loss(w, x, y):
            return np.mean((x @ w - y) ** 2)

        x, y = np.eye(2), np.array([1.0, 2.0])
        w = np.zeros(2)
        step = sg.value_and_grad(loss)
        for _ in range(100):
            value, g = step(w, x, y)
            w -= 0.5 * g
        print(np.round(w, 6))
     """, "[1. 2.]"),
    ("""
        %%time
        import math
        import srcgrad as sg

        def damped(t, rate):
            return math.exp(-rate * t) * math.cos(t)

        @sg.grad(argnums="rate", jit=False)
        def slope(t, rate):
            return damped(t, rate)

        print(slope(1.0, 0.0), sg.hessian(lambda t: damped(t, 0.0), jit=False)(0.0))
     """, "-0.5403023058681398 -1.0"),
    ("""
        import asyncio, math
        import srcgrad as sg

        def make(power):
            def f(x):
                return math.pow(x, power)
            return f

        await asyncio.sleep(0)
        fs = [sg.grad(make(float(k)), jit=False) for k in range(1, 4)]
        print([f(1.0) for f in fs], sg.gradient_descent(lambda x: (x - 1.0) ** 2, 0.0, lr=0.5, jit=False).x)
     """, "[1.0, 2.0, 3.0] 1.0"),
    ("""
        import math
        from joblib import Parallel, delayed
        import srcgrad as sg

        rate = 3.0

        def helper(x):
            return rate * math.sin(x)

        def make(a):
            def local(x):
                return a * helper(x)
            return local

        fresh = dict(jit=False, cache=False)
        local, lone = sg.grad(make(2.0), **fresh), sg.grad(lambda x: x * helper(x), **fresh)

        def uses(x):
            return local(x) + lone(x)

        work = Parallel(n_jobs=1 + 1)
        for f in (local, lone, uses, sg.grad(helper, **fresh)):
            print(work(delayed(f)(x) for x in (0.0, 0.0)), end=" ")
     """, "[6.0, 6.0] [0.0, 0.0] [6.0, 6.0] [3.0, 3.0]"),
    ("""
        def slope(x):
            return sg.grad(lambda y: y * y * y, **fresh)(x)

        print([r.x for r in work(delayed(sg.newton)(lambda x: x * x - 4.0, 2.0, jit=False) for _ in "ab")], end=" ")
        print(work(delayed(slope)(x) for x in (1.0, 2.0)), end=" ")
        print(work(delayed(lambda x: sg.grad(helper, **fresh)(x))(x) for x in (0.0, 0.0)))
     """, "[2.0, 2.0] [3.0, 12.0] [3.0, 3.0]"),
]  # fmt: skip
CELLS = [*PAIRS, *((textwrap.dedent(program).strip(), printed) for program, printed in OWN)]


def run(tmp_path, monkeypatch):
    """What each cell of one notebook prints."""
    for name in ("SRCGRAD_CACHE_DIR", "IPYTHONDIR", "TMPDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(program) for program, _ in CELLS])
    NotebookClient(book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    return ["".join(o.get("text", "") for o in cell.outputs if o.get("name") == "stdout") for cell in book.cells]


def test_programs_pasted_into_one_cell_each(tmp_path, monkeypatch):
    for shown, (_, wanted) in zip(run(tmp_path, monkeypatch), CELLS, strict=True):
        lines = [line for line in shown.splitlines() if not line.startswith(("CPU times", "Wall time"))]
        assert "\n".join(lines).strip() == wanted.strip()
