"""Elementary functions as loops over arrays take them: `python tests/benchmarks/vector_math.py`.

The first table has the worst error by function and range, in units of the last place of the exact result (mpmath), of
what is compiled with the flags of derivatives; the second the time of a value, beside a loop that calls the C library
and NumPy's function. `single` is float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import groupby, product
from typing import Any

import mpmath
import numba
import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.printer.render import render
from srcgrad.rules.language.registry import PRIMITIVES
from srcgrad.rules.scalar.vector_forms import FORMS
from tests.benchmarks.timing import interleaved

OPTIONS = "error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'}"
RNG = np.random.default_rng(0)
Points = tuple[np.ndarray, ...]


def loops_of(ops: Sequence[ir.Primitive], dtype: str = "f8") -> ir.Fun:
    """The function that gives each op of each element of arrays of its own."""
    array, zero, one = ir.Type(dtype, 1, ref=True), ir.Const(0, ir.I8), ir.Const(1, ir.I8)
    builder, params, outs = Builder(), [], []
    for op in ops:
        own = [ir.Var(f"{name}_{op.name}", array) for name in ("x", "y")[: 1 + op.name.endswith("power")]]
        n = builder.let(PRIMITIVES["dim"], own[0], axis=0, name="n")
        out, index = ir.Var(f"of_{op.name}", array), ir.Var("i", ir.I8)
        builder.put(ir.Alloc(out, (n,), ir.Init.EMPTY))
        with builder.block() as body:
            values = [ir.Var("v", ir.Type(dtype)) for _ in own]
            for value, ref in zip(values, own, strict=True):
                builder.put(ir.Load(value, ref, (index,)))
            builder.put(ir.Store(out, (index,), builder.let(op, *values)))
        builder.put(ir.For(index, zero, n, one, (), tuple(body)))
        params += own
        outs.append(out)
    return ir.Fun("loops", tuple(params), tuple(builder.out), tuple(outs))


@cache
def compiled(ops: tuple[ir.Primitive, ...], dtype: str = "f8") -> Callable[..., Any]:
    """The loops, compiled as derivatives are."""
    space: dict[str, Any] = {}
    exec(compile(render(ir.Program(loops_of(ops, dtype)), jit_options=OPTIONS), "<loops>", "exec"), space)
    return space["loops"]  # type: ignore[no-any-return]


def uniform(low: float, high: float, n: int = 2000) -> np.ndarray:
    return RNG.uniform(low, high, n)


def decades(low: float, high: float, n: int = 2000) -> np.ndarray:
    return np.power(10.0, RNG.uniform(low, high, n))


def _both(x: np.ndarray) -> np.ndarray:
    return x * RNG.choice([-1.0, 1.0], len(x))


def ranges(name: str, single: bool = False) -> dict[str, Points]:
    """Points at which the function is tried, by what they are."""
    top, least = (38.5, -44.0) if single else (308.2, -323.0)
    last = 88.7 if single else 709.7
    small = {"|x| < 1": (uniform(-1, 1),), "tiny": (_both(decades(least, -1)),)}
    match name:
        case "exp" | "expm1":
            lowest = {"to underflow": (uniform(-1.05 * last - 8, -last),)} if name == "exp" else {}
            return {**small, "|x| < 20": (uniform(-20, 20),), "all": (uniform(-last, last),), **lowest}
        case "sinh" | "cosh" | "tanh" | "sech" | "sigmoid":
            return {
                **small,
                "1 to 2": (uniform(1, 2),),
                "|x| < 20": (uniform(-20, 20),),
                "all": (uniform(-last, last),),
            }
        case "log":
            near = {"near 1": (uniform(0.99, 1.01),), "0.5 to 2": (uniform(0.5, 2),)}
            return {**near, "all": (decades(least, top),)}
        case "log1p":
            near = {"near -1": (decades(-7 if single else -16, -1) - 1.0,), "|x| < 0.5": (uniform(-0.5, 0.5),)}
            return {**small, **near, "large": (decades(-1, top),)}
        case "sin" | "cos":
            zeros = np.pi * (np.arange(1, 2000) + (0.0 if name == "sin" else 0.5))
            all_ = _both(decades(0, 7.8 if single else 6.0))
            return {**small, "|x| < 20": (uniform(-20, 20),), "near zeros": (zeros,), "to their bound": (all_,)}
        case "erf":
            return {**small, "1 to 6": (uniform(1, 6),)}
    wide = 30 if single else 300
    return {
        "moderate": (uniform(0, 100), uniform(-10, 10)),
        "near 1": (1.0 + uniform(-1e-3, 1e-3), uniform(-3e4, 3e4)),
        "wide": (decades(-wide, wide), uniform(-1, 1)),
        "to overflow": (uniform(0.5, 2), uniform(-1000, 1000)),
        "negative": (-uniform(0, 10), np.rint(uniform(-30, 30))),
        "subnormal": (decades(least, least + 7), uniform(-1, 1)),
    }


def _exact(name: str) -> Callable[..., Any]:
    if name == "sigmoid":
        return lambda x: 1 / (1 + mpmath.mp.exp(-x))
    return getattr(mpmath.mp, name)  # type: ignore[no-any-return]


def errors(name: str, got: np.ndarray, points: Points) -> np.ndarray:
    """In units of the last place of the exact result; 0 where it overflows and so does what was got."""
    single = got.dtype == np.float32
    digits, lowest, largest = (24, -149, float(np.finfo(got.dtype).max)) if single else (53, -1074, 0.0)
    largest = largest or float(np.finfo(float).max)
    out = np.zeros(len(got))
    with mpmath.mp.workprec(250):
        for k, args in enumerate(zip(*points, strict=True)):
            exact = _exact(name)(*(mpmath.mpf(float(a)) for a in args))
            if abs(exact) > largest:
                out[k] = 0.0 if np.isinf(got[k]) or abs(got[k]) == got.dtype.type(largest) else math.inf
                continue
            last = max(mpmath.mp.mag(exact) - digits if exact else lowest, lowest)
            out[k] = float(abs(mpmath.mpf(float(got[k])) - exact) / mpmath.mpf(2) ** last)
    return out


def worst(dtype: str = "f8", n: int = 2000) -> Iterator[tuple[str, str, float, tuple[float, ...]]]:
    """Of every function and range, by so many points: the largest error, and where it is."""
    named = {
        name: {told: tuple(p[:n].astype(dtype) for p in points) for told, points in ranges(name, dtype == "f4").items()}
        for name in FORMS
    }
    joined = [np.concatenate(column) for by in named.values() for column in zip(*by.values(), strict=True)]
    for (name, by), got in zip(named.items(), compiled(tuple(FORMS.values()), dtype)(*joined), strict=True):
        start = 0
        for told, points in by.items():
            error = errors(name, got[start : start + len(points[0])], points)
            start += len(points[0])
            k = int(np.argmax(error))
            yield name, told, float(error[k]), tuple(float(p[k]) for p in points)


def _times(name: str, dtype: str) -> dict[str, float]:
    """Nanoseconds a value."""
    points = {"log": (uniform(0.1, 20),), "erf": (uniform(-4, 4),), "power": ranges("power")["moderate"]}
    args = tuple(p.astype(dtype) for p in points.get(name, (uniform(-20, 20),)))
    numpys = PRIMITIVES[name].evaluate
    forms = {"vector": compiled((FORMS[name],), dtype), "libm": compiled((PRIMITIVES[name],), dtype)}
    calls = {told: (lambda f=f: f(*args)) for told, f in {**forms, "NumPy": numpys}.items()}
    return {told: 1e9 * seconds / len(args[0]) for told, seconds in interleaved(calls, rounds=51).items()}


def main() -> None:
    np.seterr(all="ignore")
    print(f"worst errors in units of the last place (Numba {numba.__version__})")
    for dtype in ("f8", "f4"):
        for name, found in groupby(worst(dtype), lambda row: row[0]):
            print(_told(name, dtype), "; ".join(f"{where} {error:.2f}" for _, where, error, _ in found))
    print("nanoseconds a value")
    for dtype, name in product(("f8", "f4"), FORMS):
        times = _times(name, dtype)
        columns = "  ".join(f"{who} {ns:6.2f}" for who, ns in times.items())
        print(_told(name, dtype), f"{columns}  {times['libm'] / times['vector']:5.1f} times")


def _told(name: str, dtype: str) -> str:
    return f"  {name:<6}{' single' if dtype == 'f4' else '':<7} "


if __name__ == "__main__":
    main()
