"""The cache folder: generated modules as real files, and beside each what is known of it."""

from __future__ import annotations

import atexit
import functools
import os
import pickle
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent


def folder() -> Path:
    """Where generated modules lie: SRCGRAD_CACHE_DIR, or the platform's folder for a user's caches."""
    chosen = os.environ.get("SRCGRAD_CACHE_DIR")
    return _usable(chosen or str(_platform_folder()))


def _platform_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "srcgrad" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "srcgrad"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "srcgrad"


@functools.lru_cache(maxsize=8)
def _usable(wish: str) -> Path:
    """This folder, or a fresh temporary one where it cannot be written."""
    path = Path(wish).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return temporary()
    return path if os.access(path, os.W_OK) else temporary()


@functools.lru_cache(maxsize=1)
def temporary() -> Path:
    """A folder of this process, for what is not to be cached; it goes when the process ends."""
    path = tempfile.mkdtemp(prefix="srcgrad_")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


@functools.lru_cache(maxsize=1)
def version() -> str:
    """A text that changes when srcgrad's own files do, or the Python that runs them."""
    stats = [(entry.path[len(str(PACKAGE)) :], entry.stat()) for entry in _files(str(PACKAGE))]
    files = sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
    return repr((files, platform.python_implementation(), sys.version_info, platform.machine()))


def _files(path: str) -> list[os.DirEntry[str]]:
    found: list[os.DirEntry[str]] = []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir() and entry.name != "__pycache__":
                found.extend(_files(entry.path))
            elif entry.name.endswith(".py"):
                found.append(entry)
    return found


def write(path: Path, data: bytes) -> None:
    """Write a file in one step; a file that holds this already is left as it is, with its date."""
    if path.exists() and path.read_bytes() == data:
        return
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.stem[:40], suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def recall(path: Path) -> Any:
    """What was remembered beside a module; None if there is nothing, or nothing that this process can read."""
    try:
        return pickle.loads(path.with_suffix(".meta").read_bytes()) if path.exists() else None
    except (OSError, EOFError, pickle.UnpicklingError, AttributeError, ImportError, IndexError, TypeError, ValueError):
        return None


def remember(path: Path, meta: Any) -> bool:
    """Keep `meta` beside a module, if it can be pickled; says whether it could."""
    try:
        data = pickle.dumps(meta)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    write(path.with_suffix(".meta"), data)
    return True
