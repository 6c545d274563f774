"""Hard cases compiled in one process and loaded from the cache in the next: some recursive ones, and a few others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.hard.cases import RIGHT
from tests.hard.later_process import recursive


def run(names: list[str], cache: Path) -> list[str]:
    env = {**os.environ, "SRCGRAD_CACHE_DIR": str(cache)}
    call = [sys.executable, "-m", "tests.hard.later_process", *names]
    root = Path(__file__).parents[2]
    done = subprocess.run(call, capture_output=True, text=True, env=env, cwd=root, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if not line.startswith("case ")]


def test_a_second_process_loads_what_the_first_compiled(tmp_path: Path) -> None:
    names = [case.name for case in RIGHT if recursive(case)]
    assert len(names) > 5
    names = names[:4] + [case.name for case in RIGHT[::200] if case.name not in names]
    (cold,) = run(names, tmp_path)
    assert int(cold.removeprefix("compiled ")) >= len(names)
    assert run(names, tmp_path) == ["compiled 0"]
