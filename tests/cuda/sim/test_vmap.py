"""Functions mapped in one kernel: what the CPU gives, errors included, in the simulator."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from typing import Any, NamedTuple

import numpy as np
import pytest
from numba import cuda

import srcgrad as sg
from srcgrad.backend import launch

TABLE = np.array([1.0, 2.0, 4.0])
XS = np.linspace(0.1, 0.8, 5)


class Point(NamedTuple):
    x: Any
    y: Any


def smooth(x, a):
    return math.sin(a * x) * x + math.exp(-x * x)


def choice(x, k):
    if x > 0.9:
        raise ValueError("too large")
    assert x > -1.0, "too small"
    return x * TABLE[k] if k > 0 else x * x


def norm(p, scale):
    return {"norm": scale * math.sqrt(p.x * p.x + p.y * p.y), "x": p.x**3}


def powers(x, n):
    s = 0.0
    for k in range(n):
        s += x**k / (k + 1)
    return s


def close(got, want):
    assert type(got) is type(want)
    if isinstance(want, (tuple, dict)):
        for g, w in zip(*((v.values() if isinstance(v, dict) else v) for v in (got, want)), strict=True):
            close(g, w)
    else:
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        np.testing.assert_allclose(got, want, rtol=1e-14 if want.dtype != np.float32 else 1e-6)


SCALARS = [
    (sg.grad(smooth), (0, None), (XS, 1.3)),
    (sg.value_and_grad(smooth, (0, 1)), 0, (XS, XS + 1.0)),
    (sg.hessian(smooth, (0, 1)), (0, None), (XS, 1.3)),
    (smooth, 0, (XS.astype(np.float32), np.ones(5, np.float32))),
    (sg.grad(choice), 0, (XS, np.array([0, 1, -1, 2, 0]))),
    (sg.grad(powers), (0, None), (XS, 4)),
    (sg.grad(powers), 0, (XS, np.arange(5))),
    (norm, (0, None), (Point(XS, XS + 1.0), 2.0)),
    (sg.jacobian(norm), (0, None), (Point(XS, XS + 1.0), 2.0)),
    (lambda x, n: (x > 0.5, n + 1, x * n), 0, (XS, np.arange(5, dtype=np.int32))),
    (lambda x, n: (x * (n - 3), n - 3, n // 2), 0, (XS, np.arange(5, dtype=np.uint8))),
    (lambda x, k, n: (x * (k - n), k * k), 0, (XS, np.arange(5, dtype=np.uint8) * 50, np.ones(5, np.uint32))),
    (sg.grad(smooth), 0, (np.zeros(0), np.zeros(0))),
]


POINTS = np.linspace(0.2, 1.9, 12).reshape(4, 3)
WEIGHTS = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]])


def rosenbrock(x):
    s = 0.0
    for i in range(len(x) - 1):
        s += (1.0 - x[i]) ** 2 + 5.0 * (x[i + 1] - x[i] ** 2) ** 2
    return s


def layer(w, x, b):
    return np.sum(np.tanh(w @ x + b) ** 2)


def several(x, a):
    y = np.sin(x) * a
    return {"y": y, "sum": np.sum(y[1:] * x[:-1]), "outer": np.outer(x, y)}


def filled(x, n):
    y = np.zeros(4)
    for k in range(n):
        y[k] = x[k % 3] * k
    return np.dot(y, y)


LONG = np.cos(np.arange(900.0)).reshape(300, 3)


def long_layer(w, x):
    h = np.sin(w @ x)
    return np.sum(h[1:] * h[:-1]) + h[-1]


def around(x):
    return np.tanh(WEIGHTS @ x), LONG[:70] @ x


def every(x, k):
    y = np.ones(5)
    y[::k] = x[::k] ** 2
    return np.sum(x[1:-1:k]) + np.dot(y[-2::k], y[-2::k]) + np.sum(y[:2:k] * 3.0)


ARRAYS = [
    (sg.grad(rosenbrock), 0, (POINTS,)),
    (sg.grad(rosenbrock), 1, (POINTS,)),
    (sg.value_and_grad(rosenbrock), -1, (POINTS.T,)),
    (sg.hessian(rosenbrock), 0, (POINTS[:, :2],)),
    (sg.grad(layer, (0, 1)), (None, 0, 0), (WEIGHTS, POINTS, XS[:4])),
    (sg.grad(layer, ("w", "b")), (0, None, None), (np.stack([WEIGHTS, 2.0 * WEIGHTS]), POINTS[0], 0.1)),
    (several, (0, None), (POINTS, 2.0)),
    (sg.jacobian(several), (0, None), (POINTS, 2.0)),
    (sg.grad(filled), 0, (POINTS, np.array([0, 4, 2, 3]))),
    (sg.grad(every), (None, 0), (np.linspace(-1.0, 1.0, 5), np.array([1, 2, 3, 9, -1, -2, -3, -9]))),
    (sg.grad(rosenbrock), 0, (POINTS.astype(np.float32),)),
    (sg.hvp(rosenbrock), 0, (POINTS, POINTS[::-1])),
    (sg.grad(long_layer, 1), (None, 0), (LONG, POINTS)),
    (
        lambda p, x: np.linalg.solve(p["a"], x * p["b"]),
        0,
        ({"a": np.eye(3) + 0.1 * POINTS[:, None], "b": XS[:4]}, POINTS),
    ),
]


LONGER = [(sg.jacobian(around), 0, (POINTS,))]  # whose results are long


@pytest.mark.parametrize(("fun", "axes", "args"), SCALARS + ARRAYS + LONGER)
def test_as_on_the_cpu(fun, axes, args):
    close(sg.vmap(fun, axes, target="cuda")(*args), sg.vmap(fun, axes, jit=False)(*args))


def test_parameters_of_any_name():
    def f(i, thread, x_bar, failed):
        if thread > 2.0:
            raise ValueError("too large")
        return i * thread + x_bar * failed

    close(sg.vmap(f, target="cuda")(XS, XS, XS, XS), XS * XS + XS * XS)
    with pytest.raises(ValueError, match="too large"):
        sg.vmap(f, target="cuda")(XS, XS + 2.0, XS, XS)


def test_no_items():
    assert sg.vmap(sg.grad(rosenbrock), target="cuda")(np.zeros((0, 3))).shape == (0, 3)


def test_what_is_on_the_device_stays_there():
    mapped = sg.vmap(sg.grad(smooth), (0, None), target="cuda")
    there = cuda.to_device(XS)
    got = mapped(there, 1.3)
    assert type(got) is type(there)
    np.testing.assert_array_equal(got.copy_to_host(), mapped(XS, 1.3))
    both = sg.vmap(sg.grad(smooth), target="cuda")(there[::2], XS[:3])
    np.testing.assert_array_equal(both.copy_to_host(), sg.vmap(sg.grad(smooth), jit=False)(XS[::2], XS[:3]))


@pytest.mark.parametrize("xs", [XS * 2.0, XS - 5.0])
def test_the_errors_of_a_thread(xs):
    mapped, ks = sg.vmap(sg.grad(choice), target="cuda"), np.arange(5) % 3
    with pytest.raises((ValueError, AssertionError)) as error:
        mapped(xs, ks)
    with pytest.raises(type(error.value), match=str(error.value)):
        sg.vmap(sg.grad(choice), jit=False)(xs, ks)
    mapped(XS, ks)  # the next launch is not told of the last


def test_an_index_out_of_range():
    for options in ({"target": "cuda"}, {"jit": False}):
        with pytest.raises(sg.SrcgradError, match=r"line \d+, column \d+: TABLE\[k\] is out of range"):
            sg.vmap(choice, **options)(XS, np.array([0, 1, 7, 0, 0]))


def test_wrong_arguments():
    mapped = sg.vmap(smooth, target="cuda")
    for args in ((XS, XS[:3]), (XS, 1.0), (XS, XS.astype(object)), (cuda.to_device(XS), XS[:3])):
        with pytest.raises(sg.ArgumentError):
            mapped(*args)
    with pytest.raises(sg.ArgumentError, match="different lengths: 5 of `x` and 3 of `a`"):
        mapped(XS, cuda.to_device(XS[:3]))


def test_where_it_cannot_be():
    mapped = sg.vmap(smooth, target="cuda")
    with pytest.raises(sg.UnsupportedError, match="launched from Python alone"):
        sg.grad(lambda x: np.sum(mapped(x, x)), jit=False)(XS)
    with pytest.raises(sg.UnsupportedError, match="no explanation"):
        mapped.explain(XS, XS)


def test_a_value_in_a_message():
    def f(x):
        if x > 2.0:
            raise ValueError(f"{x} is too large")
        return x

    with pytest.raises(sg.UnsupportedError, match="an exception with values in it cannot come from the GPU"):
        sg.vmap(f, target="cuda")(XS)


def test_what_is_captured_is_read_afresh():
    scale = 2.0

    def f(x):
        return scale * x

    mapped = sg.vmap(f, target="cuda")
    np.testing.assert_array_equal(mapped(XS), 2.0 * XS)
    scale = 3.0
    np.testing.assert_array_equal(mapped(XS), 3.0 * XS)


def test_captured_arrays_of_other_shapes():
    weights = np.ones((2, 3))

    def layer(x):
        return weights @ x

    mapped = sg.vmap(layer, target="cuda")
    for rows in (2, 4, 1, 4):
        weights = np.arange(rows * 3.0).reshape(rows, 3)
        np.testing.assert_allclose(mapped(POINTS), POINTS @ weights.T)


def test_a_second_process_makes_nothing(tmp_path):
    (tmp_path / "of_mine.py").write_text("import math\n\n\ndef f(x, n):\n    return math.sin(x) ** n\n")
    script = (
        "import sys, numpy as np, of_mine, srcgrad as sg\n"
        "print(sg.vmap(sg.grad(of_mine.f), target='cuda')(np.ones(3), np.arange(3)).tolist())\n"
        "print('srcgrad.compiler.program' in sys.modules)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])}
    run = [sys.executable, "-c", script]
    first, second = (subprocess.run(run, env=env, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert first.splitlines() == [first.splitlines()[0], "True"]
    assert second.splitlines() == [first.splitlines()[0], "False"]


def test_the_source_stands_alone(tmp_path):
    mapped = sg.vmap(sg.grad(smooth), (0, None), target="cuda")
    mapped(XS, 1.3)
    assert "@cuda.jit(device=True)\ndef smooth_grad(x, a):" in mapped.source
    call = r"i = cuda.grid\(1\)\n    if i < x.shape\[0\]:\n        \w+\[i\] = smooth_grad\(x\[i\], a\)"
    assert re.search(call, mapped.source)
    mapped.save(tmp_path / "generated.py")
    script = (
        "import sys, numpy as np, generated\n"
        f"x = np.array({XS.tolist()}); out = np.empty(5)\n"
        "generated.smooth_grad_kernel[1, 5](x, 1.3, out)\n"
        "assert not any(m.startswith('srcgrad') for m in sys.modules)\n"
        "print(out.tolist())\n"
    )
    run = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{script}"]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    np.testing.assert_allclose(eval(done.stdout), mapped(XS, 1.3), rtol=1e-15)


# ---- what threads keep


def repeated(x, n):
    s = x
    for _ in range(n):
        s = math.sin(s) + x
    return s


def shrinking(x, tol):
    y = x
    while abs(y) > tol:
        y = y * math.cos(y) * 0.9
    return y


def histories(x, n):
    y = np.array([x, 2.0 * x])
    for k in range(n):
        if x > 0.5:
            y = np.sin(y) * y[k % 2]
    return np.sum(y * y)


def nested(x, n):
    s = x
    for i in range(n):
        for _ in range(i):
            s = math.sin(s * x)
    return s


TURNS = np.arange(5) % 4
KEEPING = [
    (sg.grad(repeated), 0, (XS, TURNS)),
    (sg.grad(repeated), (0, None), (XS, 3)),
    (sg.grad(repeated), (0, None), (XS, 0)),
    (sg.hessian(repeated), 0, (XS, TURNS)),
    (sg.value_and_grad(shrinking), (0, None), (XS, 0.05)),
    (sg.grad(shrinking), (0, None), (XS.astype(np.float32), np.float32(0.05))),
    (sg.grad(histories), 0, (XS, TURNS)),
    (sg.grad(nested), 0, (XS, TURNS)),
]


@pytest.mark.parametrize(("fun", "axes", "args"), KEEPING)
def test_what_is_kept(fun, axes, args):
    mapped = sg.vmap(fun, axes, target="cuda")
    close(mapped(*args), sg.vmap(fun, axes, jit=False)(*args))
    assert "_count_kernel" in mapped.source and "_kept[:, thread]" in mapped.source.replace(":, :", ":")


def test_a_thread_takes_several_items(monkeypatch):
    monkeypatch.setattr(launch, "WORK_BYTES", 1)  # room for one block
    xs, turns = np.linspace(0.1, 0.9, 20), np.arange(20) % 5
    mapped = sg.vmap(sg.grad(repeated), target="cuda")
    close(mapped(xs, turns), sg.vmap(sg.grad(repeated), jit=False)(xs, turns))
    (held,) = mapped._last.works.held.values()
    assert [array.shape for array in held] == [(4, launch.SIMULATED_THREADS)]
    mapped(xs, turns // 2)
    assert mapped._last.works.held[0] is held  # large enough still


def test_more_turns_than_were_counted(monkeypatch):
    """As where rounding lets a loop of the second kernel take one turn more."""
    counted = launch.telling

    def fewer(kernel, *args):
        got = counted(kernel, *args)
        return [n // 3 for n in got] if kernel.__name__.endswith("_count_kernel") else got

    monkeypatch.setattr(launch, "telling", fewer)
    mapped = sg.vmap(sg.grad(shrinking), (0, None), target="cuda")
    close(mapped(XS, 0.05), sg.vmap(sg.grad(shrinking), (0, None), jit=False)(XS, 0.05))
