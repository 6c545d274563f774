"""The tests in `sim/` in a session of their own, in Numba's CUDA simulator."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.skipif(os.environ.get("NUMBA_ENABLE_CUDASIM") == "1", reason="this session is in the simulator already")
def test_in_the_simulator() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(HERE / "sim")]
    env = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    env.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(command, cwd=HERE.parent.parent, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    print(done.stdout.splitlines()[-1])
