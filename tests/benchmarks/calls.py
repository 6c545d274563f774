"""What a call from Python costs beside the bare call of the compiled function, by the kind of its arguments.

    python tests/benchmarks/calls.py

Each line is the difference of two medians of interleaved runs, in CPU time: the derivative as a user calls it, and the
Numba dispatcher that it ends in, called with the leaves of the same arguments.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

import srcgrad as sg
from tests.benchmarks.timing import interleaved


class Pair(NamedTuple):
    w: Any
    b: Any


@dataclass
class Layer:
    w: Any
    b: Any


W = np.array([0.5, -0.3, 0.2])
SCALE = 1.5
SHIFT = np.array([0.1, 0.2, 0.3])


def of_float(x):
    return x * x


def of_array(x):
    return x[0] * x[1] + x[2]


def of_items(p):
    return p[0][0] * p[1]


def of_keys(p):
    return p["w"][0] * p["b"]


def of_fields(p):
    return p.w[0] * p.b


def of_keys_of_arrays(p):
    return p["w"][0] * p["b"][0]


def of_nested(p):
    return p["layers"][0].w[0] * p["layers"][1].w[0] + p["scale"]


def of_several(x, y, z=2.0):
    return x * y * z


def with_keyword_only(x, *, scale=2.0):
    return x * x * scale


def with_global(x):
    return x * SCALE


def with_global_array(x):
    return x * SHIFT[0]


def with_captured(scale):
    def inner(x):
        return x * scale

    return inner


def overwriting(x):
    x[0] = x[0] * x[1]
    return x[0] * x[2]


def of_vector(x):
    return x * 2.0


def helper(x):
    return x * x


def with_helper(x):
    return helper(x) * 2.0


class Model:
    def __init__(self, w, b):
        self.w, self.b = w, b

    def loss(self, x):
        return x * self.w[0] * self.b


LAYER, LAYERS, RATES = Layer(W, 2.0), [W, 2.0 * W], {"w": W, "b": 2.0}


def with_object(x):
    return x * LAYER.w[0] * LAYER.b


def with_list(x):
    return x * LAYERS[0][0] * LAYERS[1][0]


def with_dict(x):
    return x * RATES["w"][0] * RATES["b"]


def of_collected(x, **more):
    return x * more["w"][0] * more["b"]


def of_many(p):
    s = 0.0
    for a in p:
        s += a[0] * a[1]
    return s


def keeping(x, a, b, c, n):
    for _ in range(n):
        x = np.sin(x) * a[0] * b[0] * c[0]
    return np.sum(x)


Case = tuple[str, Any, tuple[Any, ...], dict[str, Any]]


def cases() -> Iterator[Case]:
    layer = Layer(W, 2.0)
    yield "float", sg.grad(of_float), (2.0,), {}
    yield "array", sg.grad(of_array), (W,), {}
    yield "value and gradient of a float", sg.value_and_grad(of_float), (2.0,), {}
    yield "int where a float is meant", sg.grad(of_float), (2,), {}
    yield "float32 array", sg.grad(of_array), (W.astype(np.float32),), {}
    yield "array that is not contiguous", sg.grad(of_array), (np.arange(6.0)[::2],), {}
    yield "three floats", sg.grad(of_several, (0, 1, 2)), (2.0, 3.0, 4.0), {}
    yield "default", sg.grad(of_several), (2.0, 3.0), {}
    yield "keyword", sg.grad(of_several), (2.0,), {"y": 3.0}
    yield "keyword-only parameter", sg.grad(with_keyword_only), (2.0,), {"scale": 3.0}
    yield "tuple", sg.grad(of_items), ((W, 2.0),), {}
    yield "list", sg.grad(of_items), ([W, 2.0],), {}
    yield "dict", sg.grad(of_keys), ({"w": W, "b": 2.0},), {}
    yield "NamedTuple", sg.grad(of_fields), (Pair(W, 2.0),), {}
    yield "dataclass", sg.grad(of_fields), (layer,), {}
    yield "nested", sg.grad(of_nested), ({"layers": [layer, Pair(W, 1.0)], "scale": 2.0},), {}
    yield "dict by keyword", sg.grad(of_keys), (), {"p": {"w": W, "b": 2.0}}
    yield "helper", sg.grad(with_helper), (2.0,), {}
    yield "global number", sg.grad(with_global), (2.0,), {}
    yield "global array", sg.grad(with_global_array), (2.0,), {}
    yield "captured number", sg.grad(with_captured(3.0)), (2.0,), {}
    yield "captured object", sg.grad(with_object), (2.0,), {}
    yield "captured list", sg.grad(with_list), (2.0,), {}
    yield "captured dict", sg.grad(with_dict), (2.0,), {}
    yield "bound method", sg.grad(Model(W, 2.0).loss), (2.0,), {}
    yield "double star", sg.grad(of_collected), (2.0,), {"w": W, "b": 2.0}
    yield "array without axes", sg.grad(of_float), (np.array(2.0),), {}
    yield "list of 32 arrays", sg.grad(of_many), ([k * W for k in range(32)],), {}
    yield "much data, little kept", sg.grad(keeping), (W, *(np.ones(1000) for _ in range(3)), 2), {}
    yield "overwritten argument", sg.grad(overwriting), (W,), {}
    yield "forward", sg.forward(of_array), (W, W), {}
    yield "hvp", sg.hvp(of_array), (W, W), {}
    yield "reverse", sg.reverse(of_vector), (W, W), {}
    yield "hessian", sg.hessian(of_array), (W,), {}
    yield "jacobian", sg.jacobian(of_vector), (W,), {}


def bare(derivative: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[], Any]:
    """The compiled function, called with the leaves that it takes."""
    values = derivative._bind(args, kwargs)
    call = derivative._lookup(values)
    items, function = call.leaves(values), call.bound.unit.function
    return functools.partial(function, *items)


def difference(call: Callable[[], Any], base: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of both."""
    call(), call(), base()
    found = interleaved({"call": call, "base": base}, rounds=41, seconds=0.001)
    return found["call"], found["base"]


def line(name: str, call: float, base: float) -> None:
    print(f"| {name} | {base * 1e6:.2f} | {call * 1e6:.2f} | {(call - base) * 1e6:+.2f} |", flush=True)


def of_calls() -> None:
    for name, derivative, args, kwargs in cases():
        target = derivative if name != "jacobian" else sg.jacfwd(derivative.primal)
        line(name, *difference(functools.partial(derivative, *args, **kwargs), bare(target, args, kwargs)))


def of_points() -> None:
    """`jvp`, `vjp` and pullbacks."""
    params = {"w": W, "b": 2.0}
    base = bare(sg.forward(of_array), (W, W), {})
    line("jvp of an array", *difference(lambda: sg.jvp(of_array, (W,), (W,)), base))
    line("jvp of a dict", *difference(lambda: sg.jvp(of_keys, (params,), (params,)), base))
    value = bare(sg.compiled(of_array), (W,), {})
    line("vjp of an array", *difference(lambda: sg.vjp(of_array, W), value))
    line("vjp of a dict", *difference(lambda: sg.vjp(of_keys, params), bare(sg.compiled(of_keys), (params,), {})))
    _, pullback = sg.vjp(of_array, W)
    gradient = bare(sg.grad(of_array), (W,), {})
    line("pullback of an array", *difference(lambda: pullback(1.0), gradient))
    _, pullback = sg.vjp(of_keys, params)
    line("pullback of a dict", *difference(lambda: pullback(1.0), bare(sg.grad(of_keys), (params,), {})))


def of_given_arrays() -> None:
    """Gradients that are written into arrays."""
    gradient, value_too, of_dict = sg.grad(of_array), sg.value_and_grad(of_array), sg.grad(of_keys_of_arrays)
    out, params = np.empty(3), {"w": W, "b": W}
    outs = {"w": np.empty(3), "b": np.empty(3)}
    line("into an array", *difference(lambda: gradient(W, out=out), bare(gradient, (W,), {})))
    line("into an array, value too", *difference(lambda: value_too(W, out=out), bare(value_too, (W,), {})))
    line("into a dict", *difference(lambda: of_dict(params, out=outs), bare(of_dict, (params,), {})))


def of_new_functions() -> None:
    """A function made anew before each call: the same code, and captured values of the same kinds."""
    base = bare(sg.grad(of_float), (2.0,), {})
    line("a lambda made anew", *difference(lambda: sg.grad(lambda x: x * x)(2.0), base))

    def anew(scale: float) -> float:
        def f(x):
            return x * scale

        return sg.grad(f)(2.0)  # type: ignore[no-any-return]

    line("a closure made anew", *difference(lambda: anew(3.0), base))
    line("the same function, a derivative made anew", *difference(lambda: sg.grad(of_float)(2.0), base))
    line("jvp of a lambda made anew", *difference(lambda: sg.jvp(lambda x: x * W[0], (2.0,), (1.0,)), base))
    line("vjp of a lambda made anew", *difference(lambda: sg.vjp(lambda x: x * W[0], 2.0), base))
    newton = difference(lambda: sg.newton(lambda x: x * x - 2.0, 1.0), base)
    line("newton of a lambda made anew", *newton)
    descent = difference(lambda: sg.gradient_descent(lambda x: np.sum(x * x), W, maxiter=2), base)
    line("gradient_descent of a lambda made anew", *descent)
    search = difference(lambda: sg.minimize(lambda x: np.sum(x * x), W, method="bfgs"), base)
    line("BFGS of a lambda made anew", *search)


if __name__ == "__main__":
    started = time.process_time()
    print("| arguments | bare, µs | call, µs | more, µs |\n| --- | ---: | ---: | ---: |")
    of_calls()
    of_points()
    of_given_arrays()
    of_new_functions()
    print(f"{time.process_time() - started:.0f} s of CPU time")
