"""Measuring in a process of its own: with one thread, fresh caches, and a limit of its CPU time.

A child prints what it has found line by line, so that what came before a limit is kept.
"""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ONE_THREAD = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "NUMBA_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
MARK = "FOUND "
Found = dict[str, Any]


def report(**found: Any) -> None:
    """In the child: some more of what is measured."""
    print(MARK + json.dumps(found), flush=True)


def _cpu_time(pid: int) -> float:
    """Seconds that a process has computed so far. (A limit by the kernel makes clocks coarse.)"""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wait(process: subprocess.Popen[bytes], timeout: float) -> str:
    """How the process ends: not well, or an empty text. It is killed after so many seconds of CPU time."""
    end = time.monotonic() + 10.0 * timeout
    while process.poll() is None:
        if _cpu_time(process.pid) > timeout or time.monotonic() > end:
            process.kill()
            process.wait()
            return f"did not end within {timeout:g} s of CPU time"
        time.sleep(0.1)
    return "" if process.returncode == 0 else f"exit status {process.returncode}"


def reported(text: str) -> Found:
    """What a child's output reports."""
    found: Found = {}
    for line in text.splitlines():
        if line.startswith(MARK):
            found |= json.loads(line.removeprefix(MARK))
    return found


class Caches:
    """The caches of children, always at one place: where compiled code lies is part of its name."""

    def __init__(self, folder: str) -> None:
        self.place, self.kept = Path(folder) / "used", Path(folder) / "warm"
        compileall.compile_dir(ROOT / "srcgrad", quiet=2)

    def warm(self) -> bool:
        """Whether srcgrad's kernels could be compiled beforehand."""
        command = [sys.executable, "-m", "srcgrad", "cache", "--warm"]
        done = subprocess.run(command, env=_environment(self.place), capture_output=True).returncode == 0
        if done:
            self.place.rename(self.kept)
        return done

    def begin(self, warm: bool = False) -> Path:
        """Empty, or with the kernels alone."""
        shutil.rmtree(self.place, ignore_errors=True)
        if warm:
            shutil.copytree(self.kept, self.place)
        return self.place


def _environment(caches: Path) -> dict[str, str]:
    """Of a child. It finds what Python itself has compiled of modules, as where srcgrad is installed."""
    folders = {"SRCGRAD_CACHE_DIR": str(caches / "srcgrad"), "NUMBA_CACHE_DIR": str(caches / "numba")}
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return given | ONE_THREAD | folders | {"PYTHONPATH": str(ROOT)}


def child(script: str, *options: str, timeout: float, caches: Path) -> Found:
    """What the script reports, with `ended`: how it ended, if not well.

    timeout: seconds of CPU time; on a busy machine it has ten times as long.
    """
    command = [sys.executable, script, "--here", *options]
    with tempfile.TemporaryDirectory(prefix="srcgrad_benchmark_") as place:
        out = Path(place) / "out"
        with out.open("w") as file:
            environment = _environment(caches)
            process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
            ended = _wait(process, timeout)
        text = out.read_text(errors="replace")
    found = reported(text)
    if ended:
        found["ended"] = ended
        found["output"] = text[-2000:] if "exit" in ended else ""
    return found


def load(path: str | None) -> dict[str, Found]:
    return json.loads(Path(path).read_text()) if path else {}


def aligned(rows: list[list[str]]) -> Iterator[str]:
    """Rows as lines of a table: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        yield "  ".join([first.ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(rest, widths[1:], strict=True))])
