"""Round a compilation: what the log tells of it, and that Ctrl-C ends it and leaves all in order."""

from __future__ import annotations

import gc
import logging
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.backend.compiling import interruptible, interruption, uncollected
from srcgrad.compiler import program


def test_the_log_has_a_line_a_compilation_and_a_line_a_pass(caplog):
    def f(x, n):
        return np.sum(x) * n * 1.625

    with caplog.at_level(logging.DEBUG, "srcgrad"):
        d = sg.grad(f)
        d(np.ones(3), 2)
        d(np.ones(3), 2)
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.INFO]
    assert len(told) == 1 and told[0].startswith("compiled f_grad for (float64[:], int64), ")
    assert {r.name for r in caplog.records} == {"srcgrad"}
    passes = {r.getMessage().split()[1] for r in caplog.records if r.getMessage().startswith("pass ")}
    assert {"simplify", "grad", "parallel"} <= passes


def test_nothing_is_printed_by_default(tmp_path):
    text = "import srcgrad as sg\ndef f(x):\n    return x * x\nsg.grad(f)(1.0)\n"
    (tmp_path / "script.py").write_text(text)
    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


SWALLOWED = """
    import signal
    from srcgrad.backend.compiling import interruptible
    with interruptible():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            {then}
"""


@pytest.mark.parametrize("then", ["pass", "raise ValueError('of it')", "raise ValueError('of it') from None"])
def test_an_interrupt_is_raised_though_it_is_swallowed_inside_or_becomes_another_error(then):
    code = SWALLOWED.replace("{then}", then)
    after = "except KeyboardInterrupt:\n    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
    code = f"try:{code}    raise SystemExit('not raised')\n{after}    print('raised')"
    # a process of its own: a signal goes to the main thread, where a test need not run
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("raised\n", 0), done.stderr


def test_other_errors_pass():
    with pytest.raises(ValueError, match="own"), interruptible():
        raise ValueError("own")


INTERRUPTED = """
    import logging, os, signal, sys, threading
    import numpy as np
    import srcgrad as sg
    from numba.core import event

    def f(a, x):
        s = 0.0
        for i in range(len(a)):
            for k in range(3):
                s += np.sin(a[i] * x) * np.exp(-k * x) / (1.0 + a[i] ** 2)
        return s * np.linalg.norm(a)

    class At(logging.Handler, event.Listener):
        "Ctrl-C at the import of a module, in a pass of ours, in one of Numba's."

        def __init__(self, name):
            super().__init__()
            self.name_ = name

        def now(self, name):
            if name == self.name_:
                self.name_ = ""
                signal.raise_signal(signal.SIGINT)

        def find_spec(self, name, path=None, target=None):
            self.now(name)

        def emit(self, record):
            self.now(" ".join(record.getMessage().split()[:2]))

        def on_start(self, e):
            self.now(e.data["name"].split()[0])

        def on_end(self, e):
            pass

    d, a, log = sg.grad(f, argnums=(0, 1), cache=False), np.arange(1.0, 5.0), logging.getLogger("srcgrad")
    log.setLevel(logging.DEBUG)

    def interrupted():
        try:
            d(a, 0.5)
        except KeyboardInterrupt:
            return True
        return False

    for point in sys.argv[1:]:
        at = At(point)
        log.addHandler(at)
        sys.meta_path.insert(0, at)
        with event.install_listener("numba:run_pass", at):
            print(point, interrupted(), not at.name_)
        sys.meta_path.remove(at)
        log.removeHandler(at)
    e = sg.grad(f, argnums=(0, 1), cache=False)
    for k in range(1, 6):  # and at no known place
        timer = threading.Timer(0.06 * k, os.kill, (os.getpid(), signal.SIGINT))
        try:
            timer.start()
            e(a, 0.5)
            timer.join()
        except KeyboardInterrupt:
            pass
    for made in (d, e):
        ga, gx = made(a, 0.5)
        numerical = (f(a, 0.5 + 1e-6) - f(a, 0.5 - 1e-6)) / 2e-6
        assert abs(gx - numerical) < 1e-6 * abs(numerical), (gx, numerical)
"""
POINTS = [
    *("srcgrad.rules.special.incomplete", "pass simplify", "pass parallel"),
    *("numba.core.typing.arraydecl", "nopython_type_inference", "native_lowering"),
]


def test_ctrl_c_stops_and_a_second_call_works(tmp_path):
    (tmp_path / "script.py").write_text(textwrap.dedent(INTERRUPTED))
    env = {**os.environ, "SRCGRAD_CACHE_DIR": str(tmp_path / "cache")}
    call = [sys.executable, "script.py", *POINTS]
    done = subprocess.run(call, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{point} True True" for point in POINTS]


WHILE_RESULTS_ARE_MADE = """
    import signal, sys, time
    import numpy as np
    import srcgrad as sg

    def f(a, b):
        return np.sum(a * b * a)

    def of_many(a, b):
        return a * b * SCALE

    def of_parts(p):
        return np.sum(p["a"] * p["b"])

    a, b, SCALE = np.arange(4.0), np.arange(4.0) + 1.0, 2.0
    two = (0, 1)
    value, pull = sg.vjp(of_many, a, b)
    d = sg.grad(f, argnums=two)
    CALLS = {
        "grad": lambda: d(a, b),
        "keywords": lambda: d(a, b=b),
        "captured": lambda j=sg.jacrev(of_many): j(a, b),
        "pullback": lambda: pull(a),
        "structure": lambda g=sg.grad(of_parts), p={"a": a, "b": b}: g(p),
        "at": lambda: d.at([a, b]),
    }
    signal.signal(signal.SIGALRM, signal.default_int_handler)  # as Ctrl-C, at times to a microsecond
    for name, call in CALLS.items():
        start = call(), time.perf_counter()
        [call() for _ in range(20)]
        seconds = (time.perf_counter() - start[1]) / 20
        for k in range(200):
            try:
                signal.setitimer(signal.ITIMER_REAL, 50e-6 + seconds * k / 200)
                while True:
                    call()
            except KeyboardInterrupt:
                pass
    print("no other error")
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timers of microseconds")
def test_ctrl_c_while_results_are_handed_back_is_nothing_else(tmp_path):
    (tmp_path / "script.py").write_text(textwrap.dedent(WHILE_RESULTS_ARE_MADE))
    env = {**os.environ, "SRCGRAD_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_OPT": "0"}
    done = subprocess.run(
        [sys.executable, "script.py"], capture_output=True, text=True, env=env, cwd=tmp_path, timeout=300
    )
    assert done.stdout == "no other error\n", done.stderr


def test_what_was_raised_below_other_errors():
    first, second = KeyboardInterrupt(), SystemError("of both")
    second.__cause__ = first
    third = SystemError("of both again")
    third.__cause__ = second
    assert interruption(third) is first
    assert interruption(alone := SystemError("alone")) is alone


def test_the_garbage_collector_is_as_it_was_afterwards():
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            with pytest.raises(KeyError), uncollected(), uncollected():
                assert not gc.isenabled()
                raise KeyError
            assert gc.isenabled() is enabled
        finally:
            gc.enable()


def test_the_garbage_collector_rests_while_a_derivative_is_made(monkeypatch):
    seen = []
    monkeypatch.setattr(program, "WATCHERS", [lambda name, made: seen.append(gc.isenabled())])
    sg.grad(lambda x: np.sum(x * x), jit=False)(np.ones(3))
    assert seen and not any(seen) and gc.isenabled()
