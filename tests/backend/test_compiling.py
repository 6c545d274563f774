"""Round a compilation: what the log tells of it, and that Ctrl-C ends it and leaves all in order."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.backend.compiling import interruptible


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


def test_an_interrupt_that_is_swallowed_inside_is_raised_at_the_end():
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_that_becomes_another_error_is_raised_as_such():
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ValueError("of it") from None


def test_other_errors_pass():
    with pytest.raises(ValueError, match="own"), interruptible():
        raise ValueError("own")


INTERRUPTED = """
    import os, signal, sys, threading, time
    import numpy as np
    import srcgrad as sg

    def f(a, x):
        s = 0.0
        for i in range(len(a)):
            for k in range(3):
                s += np.sin(a[i] * x) * np.exp(-k * x) / (1.0 + a[i] ** 2)
        return s * np.linalg.norm(a)

    d, a = sg.grad(f, argnums=(0, 1), cache=False), np.arange(1.0, 5.0)
    interrupts = 0
    for delay in map(float, sys.argv[1:]):
        timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        try:
            d(a, 0.5)
            timer.cancel()
            timer.join()
        except KeyboardInterrupt:
            interrupts += 1
        print("interrupted" if interrupts else "not interrupted", file=sys.stderr)
    ga, gx = d(a, 0.5)
    numerical = (f(a, 0.5 + 1e-6) - f(a, 0.5 - 1e-6)) / 2e-6
    assert abs(gx - numerical) < 1e-6 * abs(numerical), (gx, numerical)
    print(interrupts)
"""


def test_ctrl_c_stops_and_a_second_call_works(tmp_path):
    (tmp_path / "script.py").write_text(textwrap.dedent(INTERRUPTED))
    env = {**os.environ, "SRCGRAD_CACHE_DIR": str(tmp_path / "cache")}
    delays = ["0.02", "0.1", "0.4", "0.7", "1.0"]  # during the transformation, and during the compilation
    call = [sys.executable, "script.py", *delays]
    done = subprocess.run(call, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 3
