"""Compiled parallel loops: the same numbers as serial ones, from several threads, and after a fork."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import srcgrad

MODULE = """
    import math
    import numpy as np
    from numba import prange

    def energy(x, places, w):
        total = 0.0
        y = np.zeros(len(places))
        for i in prange(len(places)):
            y[i] = x[places[i]] * w - i
            total += math.sin(y[i]) * y[i]
        z = np.zeros(len(places))
        for i in prange(1, len(places) - 1):
            z[i] = y[i - 1] * math.cos(y[i + 1]) - w * y[i]
        return total + (z * z).sum()
"""
HEAD = """
    import os, threading
    import numba
    import numpy as np
    from energies import energy
    from srcgrad import value_and_grad

    rng = np.random.default_rng(1)
    x, places = rng.normal(size=50), rng.integers(0, 50, 20000)
    plain = value_and_grad(energy, (0, 2), jit=False, parallel=False)
    made = value_and_grad(energy, (0, 2), parallel=True)
    value, bars = plain(x, places, 1.5)

    def right():
        got = made(x, places, 1.5)
        np.testing.assert_allclose(got[0], value, rtol=1e-9)
        for mine, bar in zip(got[1], bars):
            np.testing.assert_allclose(mine, bar, rtol=1e-7)
        return got
"""
MANY_TIMES = """
    first = right()
    for _ in range(60):
        again = right()
        assert np.array_equal(again[1][0], first[1][0])  # the order of sums into memory is fixed
    try:
        made(x, np.array([3, 50]), 1.5)
    except IndexError as error:
        print(numba.get_num_threads(), "threads", type(error).__name__)
"""
AT_ONCE = """
    def work():
        for _ in range(15):
            right()
        done.append(True)

    done = []
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(len(done), numba.threading_layer())
"""
FORKED = """
    right()
    child = os.fork()
    if child == 0:
        right()
        os._exit(7)
    print(numba.threading_layer(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def run(body: str, cache: Path, **env: str) -> str:
    (cache / "energies.py").write_text(textwrap.dedent(MODULE))
    code = textwrap.dedent(HEAD) + textwrap.dedent(body)
    path = os.pathsep.join([str(cache), str(Path(srcgrad.__file__).parent.parent)])
    env = {**os.environ, "NUMBA_NUM_THREADS": "4", "SRCGRAD_CACHE_DIR": str(cache), "PYTHONPATH": path, **env}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_four_threads_give_the_serial_numbers_every_time(cache: Path) -> None:
    assert run(MANY_TIMES, cache) == "4 threads OutOfRangeError"


def test_threads_may_call_at_once_on_the_layer_that_does_not_bear_it(cache: Path) -> None:
    assert run(AT_ONCE, cache, NUMBA_THREADING_LAYER="workqueue") == "3 workqueue"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_may_call(cache: Path) -> None:
    assert run(FORKED, cache).split()[1] == "7"
