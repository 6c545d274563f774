"""Pickling, threads, a second process with a warm cache, and calls from compiled code."""

from __future__ import annotations

import concurrent.futures
import functools
import math
import multiprocessing
import os
import pickle
import subprocess
import sys
import textwrap
import traceback
from collections import namedtuple

import cloudpickle
import numba
import numpy as np
import pytest

import srcgrad as sg
from srcgrad.backend import callable as native
from tests.api.helpers import plain

X = np.array([1.0, 2.0, 3.0])
GAIN = 2.0
Pair = namedtuple("Pair", "a b")


def square(x):
    return GAIN * x * x


def total(x):
    return np.sum(x * x)


@sg.grad(jit=False)
def decorated(x):
    return x * x * x


def test_pickles():
    d = plain(sg.grad, square)
    d(1.0)
    assert pickle.loads(pickle.dumps(d))(3.0) == 12.0
    assert pickle.loads(cloudpickle.dumps(d))(3.0) == 12.0
    assert pickle.loads(cloudpickle.dumps(plain(sg.grad, lambda x: x * x)))(3.0) == 6.0
    assert pickle.loads(pickle.dumps(decorated))(2.0) == 12.0
    assert pickle.loads(cloudpickle.dumps(decorated))(2.0) == 12.0


class Rates:
    def __init__(self, rate):
        self.rate = rate

    def times(self, x):
        return self.rate * x


def made(rate):
    scale = [1.0, Rates(3.0)]

    def helper(x):
        return rate * scale[1].times(x)

    def closure(x):
        inner = lambda y: helper(y) * x  # noqa: E731
        return inner(x) * scale[0]

    return closure


@sg.custom_vjp
def ruled(x):
    return x * x


ruled.defvjp(lambda x: (x * x, x), lambda x, bar: (20.0 * x * bar,))

CARRIED = {
    "a lambda": (lambda: sg.grad(lambda x: GAIN * x * x, jit=False, cache=False), 4.0),
    "one of two lambdas": (lambda: [sg.grad(f, jit=False, cache=False) for f in (lambda x: x, lambda x: x**3)][1], 3.0),
    "a closure": (lambda: sg.grad(made(2.0), jit=False, cache=False), 12.0),
    "a derivative's derivative": (lambda: sg.grad(sg.grad(made(2.0), jit=False), jit=False, cache=False), 12.0),
    "a function inside": (lambda: sg.grad(lambda x: (lambda y: y**3)(x), jit=False, cache=False), 3.0),
    "a bound method": (lambda: sg.grad(Rates(3.0).times, jit=False, cache=False), 3.0),
    "its own rule": (lambda: sg.grad(lambda x: ruled(x), jit=False, cache=False), 20.0),
    "what else refers to it": (lambda: functools.partial(sg.grad(made(2.0), jit=False, cache=False)), 12.0),
    "a jacobian": (lambda: sg.jacobian(lambda x: square(x), jit=False, cache=False), 4.0),
    "a decorated function": (lambda: decorated, 3.0),
}
READS = """
    import linecache, pickle, sys
    lines = linecache.getlines
    linecache.getlines = lambda name, *more: [] if name == {file!r} else lines(name, *more)
    for data in pickle.load(open("pickled", "rb")):
        print(pickle.loads(data)(1.0))
    assert "tests" not in sys.modules
"""


def test_pickles_carry_the_source(tmp_path):
    """To a process that finds neither the module nor the file, whatever cloudpickle keeps of the file's name."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    try:
        data = [cloudpickle.dumps(make()) for make, _ in CARRIED.values()]
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    (tmp_path / "pickled").write_bytes(pickle.dumps(data))
    shown = run(tmp_path, READS.format(file=__file__), SRCGRAD_CACHE_DIR=str(tmp_path))
    assert dict(zip(CARRIED, map(float, shown), strict=True)) == {name: want for name, (_, want) in CARRIED.items()}


def test_an_error_about_what_a_pickle_carried_shows_the_line(tmp_path):
    d = sg.grad(lambda x: np.roots(x), jit=False)
    back = pickle.loads(cloudpickle.dumps(d))
    with pytest.raises(sg.SrcgradError, match=r"test_processes\.py, line \d+(.|\n)*np\.roots") as caught:
        back(1.0)
    assert "^" in str(caught.value)


def test_in_worker_processes():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(plain(sg.grad, square), [1.0, 2.0]) == [4.0, 8.0]


def test_threads():
    d = sg.grad(total)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        inputs = [X * k if k % 2 else (X * k).astype(np.float32) for k in range(64)]
        for x, got in zip(inputs, pool.map(d, inputs), strict=True):
            np.testing.assert_array_equal(got, 2 * x)
            assert got.dtype == x.dtype


def run(tmp_path, text, **environment):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(text))
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    env = {**os.environ, "PYTHONPATH": root, **environment}
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


SCRIPT = """
    import sys
    import numpy as np
    import srcgrad as sg
    RATE, STEPS = {rate}, {steps}
    def helper(x):
        return RATE * x
    def f(x):
        s = 0.0
        for k in range(STEPS):
            s += helper(x[k]) * x[k]
        return s
    d = sg.grad(f)
    print(d(np.ones(4)).sum(), "srcgrad.compiler.program" in sys.modules, len(d.jitted(np.ones(4)).stats.cache_hits))
"""


def test_a_second_process_neither_transforms_nor_compiles(tmp_path):
    cold = run(tmp_path, SCRIPT.format(rate=2.0, steps=3))
    assert cold == ["12.0", "True", "0"]
    warm = run(tmp_path, SCRIPT.format(rate=2.0, steps=3))
    assert warm == ["12.0", "False", "1"]
    # a float is read at each call, an integer is part of the program
    assert run(tmp_path, SCRIPT.format(rate=5.0, steps=3)) == ["30.0", "False", "1"]
    assert run(tmp_path, SCRIPT.format(rate=5.0, steps=4)) == ["40.0", "True", "0"]


def test_a_changed_helper_is_not_served_from_the_cache(tmp_path):
    run(tmp_path, SCRIPT.format(rate=2.0, steps=3))
    changed = SCRIPT.replace("RATE * x", "RATE * x * x")
    assert run(tmp_path, changed.format(rate=2.0, steps=3)) == ["18.0", "True", "0"]


def test_the_warm_path_does_not_load_the_compiler():
    names = "srcgrad.compiler.program srcgrad.rules srcgrad.transform srcgrad.frontend.lowering.function scipy astor"
    code = f"import sys, srcgrad; print([n for n in {names.split()!r} if n in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=os.getcwd())
    # numba imports scipy itself where it is installed
    assert out.stdout.strip() in ("[]", "['scipy']"), out.stderr


def test_tracebacks_show_generated_lines():
    def f(x):
        if x < 0.0:
            raise ValueError("negative")
        return math.sqrt(x)

    d = plain(sg.grad, f)
    with pytest.raises(ValueError, match="negative") as caught:
        d(-1.0)
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert frame.filename.startswith(os.environ["SRCGRAD_CACHE_DIR"])
    assert "raise ValueError" in (frame.line or "")


def test_calls_from_compiled_code():
    d, both = sg.grad(square), sg.value_and_grad(lambda x, y=3.0: x * x * y, argnums=(0, 1))
    pair = sg.grad(lambda p: p.a * p.b)
    custom = sg.custom_jvp(lambda x: x * 3.0)
    arrays = sg.grad(total)

    @numba.njit
    def use(x, a):
        value, (gx, gy) = both(x)
        other, _ = both(x, y=1.0)
        p = pair(Pair(x, 5.0))
        return d(x), d(2), value, gx, gy, other, p.a, p.b, custom(x), sg.stop_gradient(x), arrays(a[::2])

    *numbers, array = use(1.5, np.arange(6.0))
    assert numbers == [6.0, 8.0, 6.75, 9.0, 2.25, 2.25, 5.0, 1.5, 4.5, 1.5]
    np.testing.assert_array_equal(array, [0.0, 4.0, 8.0])


def test_a_derivative_as_an_argument_of_compiled_code():
    @numba.njit
    def twice(g, x):
        return g(x) + g(x)

    assert twice(sg.grad(square), 1.0) == 8.0
    assert twice(sg.grad(total), X).tolist() == [4.0, 8.0, 12.0]


def test_what_we_touch_of_numba_is_there():
    kind = numba.typeof(sg.grad(square))
    assert isinstance(kind, native.CallableType)
    signature = kind.get_call_type(numba.core.registry.cpu_target.typing_context, (numba.float64,), {})
    assert signature.return_type == numba.float64
    dispatcher = sg.grad(total).jitted(X)
    assert callable(dispatcher._compile_for_args)
    with pytest.raises(sg.ArgumentError):
        dispatcher(X.astype(np.float32))


def test_code_that_numba_does_not_take_is_reported_as_ours(tmp_path):
    from srcgrad.backend import cpu
    from srcgrad.core import ir

    path = tmp_path / "broken_module.py"
    path.write_text("from numba import njit\n@njit\ndef f(x):\n    return x + 'a'\n")
    with pytest.raises(sg.SrcgradError, match=r"broken_module\.py(.|\n)*pass: compile"):
        cpu.load(path, "f", (ir.F8,), jit=True)(1.0)


def test_a_pass_that_fails_is_named(monkeypatch):
    from srcgrad.compiler import program as pipeline

    def fails(program):
        raise KeyError("x")

    monkeypatch.setattr(pipeline, "simplify", fails)
    with pytest.raises(sg.SrcgradError, match=r"internal error in the pass `simplify`(.|\n)*before_simplify\.txt"):
        sg.grad(lambda x: x * 4.25, jit=False)(1.0)
