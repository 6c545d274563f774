"""Device functions and kernels that call them, compiled to PTX: needs Numba's CUDA compiler, no GPU."""

from __future__ import annotations

import importlib.util
import math
import os
import re
from typing import Any, NamedTuple

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import program as pipeline
from srcgrad.compiler import to_source
from srcgrad.compiler.lazy import cuda as native
from srcgrad.core import ir
from srcgrad.errors import UnsupportedError
from srcgrad.gpu.arrays.legalise import legal
from srcgrad.printer.render import render
from srcgrad.rules.language import registry
from srcgrad.rules.language.metadata import Literal
from tests.cuda import arrays


def missing() -> str:
    """Why nothing can be compiled here."""
    if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1":
        return "the simulator compiles nothing"
    if importlib.util.find_spec("numba_cuda") is None:
        return "numba-cuda is not installed (pip install srcgrad[cuda])"
    try:
        native.ptx(lambda x: x, [ir.F8])
    except native.CudaError as error:
        return f"{error.problems[0].message[:60]} (pip install srcgrad[cuda])"
    return ""


MISSING = missing()
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)


class Point(NamedTuple):
    x: float
    y: float


def smooth(x: float, a: float) -> float:
    return math.exp(-a * x) / (1.0 + x * x) + 2 * math.sqrt(x)


def norm(p: Any, scale: float) -> float:
    return scale * math.sqrt(p[0] * p[0] + p[1] * p[1]) + p[0] ** 3


def test_in_a_kernel() -> None:
    from numba import cuda, types

    slope = sg.value_and_grad(smooth, (0, 1), target="cuda")
    curve = sg.hessian(norm, target="cuda")
    along = sg.hvp(norm, target="cuda")

    def kernel(x, a, out):
        i = cuda.grid(1)
        if i < x.size:
            value, bars = slope(x[i], a)
            rows = curve(Point(x[i], a), a)
            out[i] = value + bars[0] * bars[1] + rows.x.y + along((x[i], a), a, (x[i], a))[0]

    for kind, doubles in ((types.float64, True), (types.float32, False)):
        text = native.ptx(kernel, (kind[::1], kind, kind[::1]), kernel=True)
        assert (".f64" in text) is doubles


@pytest.mark.parametrize("place", range(0, len(arrays.CASES), 3))
def test_arrays(place: int, tmp_path: Any) -> None:
    """Local arrays and loops; in single precision no instruction in double precision but those
    of the sine, and of an array that the function makes so."""
    kind, fun, options, args = arrays.CASES[place]
    args = tuple(a.astype(np.float32) for a in args)
    derivative = getattr(sg, kind)(fun, jit=False, **options)
    made = pipeline.derive(fun, derivative._recipe, derivative._specs(args))
    program = legal(pipeline.tidy(made.program), pipeline.tidy, {k: a.shape for k, a in enumerate(args)}).program
    path = tmp_path / "function.py"
    path.write_text(to_source.device_text(program, "device=True"))
    text = native.ptx(native.load(path, program.main.name), [p.type for p in program.main.params])
    assert (".f64" in text) is (fun in (arrays.form, arrays.recurrence, arrays.to_vector, arrays.in_place))


def scalar_samples(rule: Any) -> tuple[Any, ...]:
    values = [a.value if isinstance(a, Literal) else a for a in rule.info.samples[0]]
    return tuple(np.asarray(v).ravel()[0].item() for v in values)


ELEMENTWISE = [p for p in registry.PRIMITIVES.values() if p.traits.elementwise and p.info.samples]
# what is computed in double precision for single: CUDA's own reduction of large arguments, rounding
IN_DOUBLE = set("sin cos tan int_round isqrt".split())


def scalar_program(rule: Any, single: bool) -> ir.Program:
    kinds = {bool: ir.B1, int: ir.I8, float: ir.F4 if single else ir.F8, complex: ir.C16}
    types = tuple(kinds[type(v)] for v in scalar_samples(rule))
    params = dict((rule.info.params or [{}])[0])
    targets = tuple(ir.Var("y", t) for t in rule.infer(types, params))
    args = tuple(ir.Var(f"x{k}", t) for k, t in enumerate(types))
    return legal(ir.Program(ir.Fun("f", args, (ir.Let(targets, rule, args, params),), targets)), lambda p: p).program


def test_scalar_primitives(tmp_path: Any) -> None:
    """Every elementwise primitive, in both precisions, compiles as a device function or is refused by name."""
    refused, double = set(), set()
    for rule in ELEMENTWISE:
        for single in (False, True):
            try:
                program = scalar_program(rule, single)
            except UnsupportedError as error:
                assert f"`{rule.name}`" in str(error)
                assert re.search(r"there is no np\.(zeros|conj)", str(error)), error  # arrays inside; complex numbers
                refused.add(rule.name)
                continue
            source = render(program, jit_options="device=True", decorator="cuda.jit")
            path = tmp_path / f"{rule.name}_{single}.py"
            path.write_text(source)
            kinds = [p.type for p in program.main.params]
            text = native.ptx(native.load(path, "f"), kinds)
            # special functions say so: they are given double precision, and are rounded
            said = "np.float64(" in source or "return np.float32(" in source
            if ".f64" in text and not said and ir.F8 not in kinds and ir.C16 not in kinds:
                double.add(rule.name)
    assert len(refused) < 8
    assert double == IN_DOUBLE
