"""The text of a notebook's cells, for the processes that it starts: functions that are sent to them come without."""

from __future__ import annotations

import atexit
import linecache
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

VARIABLE = "SRCGRAD_CELLS"  # tells a process the folder in which the notebook that has started it puts its cells


def publish() -> None:
    """In IPython: from now on put each cell, before it runs, into a folder of this process's own."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None:
        return
    folder = Path(tempfile.mkdtemp(prefix="srcgrad_cells_"))
    atexit.register(_remove, folder, os.getpid())
    os.environ[VARIABLE] = str(folder)
    for lines in cells():
        _put(folder, str, "".join(lines))
    shell.events.register("pre_run_cell", lambda info: _put(folder, shell.transform_cell, info.raw_cell))


def cells() -> list[list[str]]:
    """The lines of what was run without a file, the newest last."""
    entries = list(linecache.cache.values())
    return [entry[2] for entry in entries if len(entry) == 4 and entry[1] is None]


def _put(folder: Path, without_magics: Callable[[str], str], cell: str) -> None:
    try:
        (folder / f"{len(os.listdir(folder))}.py").write_text(without_magics(cell), encoding="utf-8")
    except (OSError, SyntaxError):  # a full disk, or a cell that IPython refuses right after this
        return


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


def published() -> Iterator[str]:
    """The cells that the notebook has put there, the newest first."""
    folder = os.environ.get(VARIABLE)
    if folder and os.path.isdir(folder):
        for path in sorted(Path(folder).glob("*.py"), key=lambda path: -int(path.stem)):
            yield path.read_text(encoding="utf-8")
