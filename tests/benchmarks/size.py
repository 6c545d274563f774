"""The size of a function against the time of its transformation, pass by pass, for several kinds of long functions.

    python tests/benchmarks/size.py 500 1000 2000
    python tests/benchmarks/size.py 5000 --kinds straight stores

Each is transformed in a process of its own, not compiled. Times are the process's own.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
Lines = list[str]


def straight(n: int) -> Lines:
    """Scalars, each of its own name, of earlier ones."""
    names, lines = ["x", "y"], []
    for k in range(n):
        one, other = names[-1], names[-2]
        lines.append(f"v{k} = {one} * 0.5 + math.sin({other})" if k % 2 else f"v{k} = {one} * {other} - x")
        names.append(f"v{k}")
    return [*lines, f"return v{n - 1}"]


def updates(n: int) -> Lines:
    return ["s = x", *(f"s = s * 0.9 + math.sin(x * {k}.0)" if k % 2 else "s += y * s" for k in range(n)), "return s"]


def stores(n: int) -> Lines:
    """Each element of an array once."""
    return [f"out = np.zeros({n})", *(f"out[{k}] = x * a[{k % 16}] + {k}.0" for k in range(n)), "return np.sum(out)"]


def overwrites(n: int) -> Lines:
    """A few elements of an array, again and again."""
    lines = (f"b[{k % 16}] = b[{(7 * k + 1) % 16}] * x + math.sin(b[{3 * k % 16}])" for k in range(n))
    return ["b = a * x", *lines, "return np.sum(b)"]


def loads(n: int) -> Lines:
    return ["s = x", *(f"s = s + math.sin(a[{k % 16}] * x) * a[{5 * k % 16}]" for k in range(n)), "return s"]


def ternaries(n: int) -> Lines:
    """Nested as deep as CPython's parser allows parentheses, several of them."""
    depth = min(n, 90)
    text = "s"
    for k in range(depth):
        text = f"(s * {k}.5 if y > {k}.0 else {text})"
    return ["s = x", *(f"s = {text}" for _ in range(max(1, n // depth))), "return s"]


def nested_ifs(n: int) -> Lines:
    """As deep as CPython indents, one after the other."""
    lines, depth = ["s = x"], min(n, 40)
    for _ in range(max(1, n // depth)):
        for k in range(depth):
            lines += [" " * k + f"if y > -{k}.0:", " " * (k + 1) + f"s = s * y + math.sin(x * {k}.0)"]
    return [*lines, "return s"]


def ifs(n: int) -> Lines:
    return ["s = x", *(line for k in range(n // 2) for line in (f"if s > {k}.0:", "    s = s * y")), "return s"]


def long_sum(n: int) -> Lines:
    """In one expression. CPython compiles sums of up to about 3,000 terms."""
    terms = (f"x * {k}.5" if k % 2 else f"math.sin(y * {k}.5)" for k in range(min(n, 2900)))
    return [f"return {' + '.join(terms)}"]


def loops(n: int) -> Lines:
    lines = [f"for i{k} in range(len(a)):\n        s = s + a[i{k}] * x * {k}.5" for k in range(n // 2)]
    return ["s = x", *lines, "return s"]


def calls(n: int) -> Lines:
    """Of a helper of two lines."""
    return ["s = x", *(f"s = helper(s, y + {k}.0)" for k in range(n)), "return s"]


def arrays(n: int) -> Lines:
    lines = ("b = b * a + np.sin(b)" if k % 2 else f"b = b + x * {k}.5 * a" for k in range(n))
    return ["b = a * x", *lines, "return np.sum(b)"]


KINDS: dict[str, Callable[[int], Lines]] = {
    f.__name__: f
    for f in (straight, updates, stores, overwrites, loads, ternaries, nested_ifs, ifs, long_sum, loops, calls, arrays)
}
HELPER = "def helper(p, q):\n    r = math.sin(p * q)\n    return r * q + p\n\n\n"


def text(kind: str, n: int) -> str:
    return HELPER + "\n    ".join(["def f(x, y, a):", *KINDS[kind](n)]) + "\n"


def arguments() -> tuple[float, float, Any]:
    return 0.3, 0.7, np.linspace(0.1, 0.9, 16)


def measure(kind: str, n: int) -> str:
    """Transform one function here; a line on it, and a line on its passes."""
    import srcgrad as sg
    from srcgrad.compiler import program
    from tests.fuzz.programs import compiled

    times: dict[str, float] = {}
    last = time.process_time()

    def watch(name: str, _: Any) -> None:
        nonlocal last
        now = time.process_time()
        times[name], last = times.get(name, 0.0) + now - last, now

    lowered = program.lowered

    def timed(*args: Any) -> Any:
        out = lowered(*args)
        watch("lower", out)
        return out

    program.lowered = timed  # type: ignore[assignment]
    program.WATCHERS.append(watch)
    f = compiled(f"{kind}_{n}", text(kind, n))
    start = last = time.process_time()
    source = sg.grad(f, argnums=(0, 1, 2), jit=False).source_for(*arguments())
    end = time.process_time()
    times["print"] = end - last
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)
    passes = ", ".join(f"{name} {t:.2f}" for name, t in times.items())
    lines = len(source.splitlines())
    return f"{kind:<12}{n:>6} {end - start:8.2f} s {memory:7.0f} MB {lines:>7} lines generated   ({passes})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="+")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--here", action="store_true", help="one kind and size, in this process")
    options = parser.parse_args()
    if options.here:
        return print(measure(options.kinds[0], options.sizes[0]), flush=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for kind in options.kinds:
        for n in options.sizes:
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, __file__, str(n), "--kinds", kind, "--here"]
                subprocess.run(command, env=environment | {"SRCGRAD_CACHE_DIR": folder}, check=True)


if __name__ == "__main__":
    main()
