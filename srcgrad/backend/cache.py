"""The cache folder: generated modules as real files, and beside each what is known of it."""

from __future__ import annotations

import atexit
import functools
import hashlib
import logging
import os
import pickle
import platform
import re
import shutil
import stat
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
LOG = logging.getLogger("srcgrad")
KERNEL = "_numeric_"  # inside the name of a kernel's module, where those of others have a kind of derivative


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


def _usable(wish: str) -> Path:
    """This folder, or a fresh temporary one where it cannot be written, or where others could put code into it."""
    path = Path(wish).expanduser()
    try:
        make(path)
    except OSError:
        return temporary()
    if not os.access(path, os.W_OK):
        return temporary()
    if (why := exposed(path)) is not None:
        warnings.warn(f"srcgrad does not use the cache folder {path}: {why}", RuntimeWarning, stacklevel=2)
        return temporary()
    return path


def make(path: Path) -> None:
    """Make a folder that is the user's alone, whatever the umask."""
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)


def exposed(path: Path) -> str | None:
    """Why what lies here could be of somebody else; None if it is surely this user's own."""
    if not hasattr(os, "getuid"):
        return None
    found = path.stat()
    if found.st_uid != os.getuid():
        return "it belongs to another user; set SRCGRAD_CACHE_DIR to a folder of your own"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "other users may write to it; `chmod go-w` it, or set SRCGRAD_CACHE_DIR to a folder of your own"
    return None


@functools.lru_cache(maxsize=1)
def temporary() -> Path:
    """A folder of this process, for what is not to be cached; it goes when the process ends."""
    path = tempfile.mkdtemp(prefix="srcgrad_")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


@functools.lru_cache(maxsize=1)
def version() -> str:
    """A text that changes when srcgrad's own files do, or the Python that runs them."""
    found = [(entry.path[len(str(PACKAGE)) :], entry.stat()) for entry in _files(str(PACKAGE))]
    files = sorted((name, stats.st_size, stats.st_mtime_ns) for name, stats in found)
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


def write(path: Path, data: bytes, date: int | None = None) -> None:
    """Write a file in one step, with this date; a file that holds this already is left as it is, with its date."""
    if read(path) == data:
        return
    make(path.parent)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.stem[:40], suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if date is not None:
            os.utime(draft, (date, date))
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def read(path: Path) -> bytes | None:
    """What a file holds; None if there is none that can be read, or if it is not surely this user's own."""
    try:
        return None if exposed(path) else path.read_bytes()
    except OSError:
        return None


def keep(path: Path, text: str, date: int | None = None) -> Path | None:
    """Write a generated module; in a temporary folder where the disk is full; gives None where that is, too."""
    for place in (path, temporary() / path.name):
        try:
            write(place, text.encode(), date)
        except OSError as error:
            LOG.info("%s cannot be written: %s", place, error)
        else:
            return place
    return None


def digest(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"".join(parts), digest_size=20).digest()


def recall(path: Path) -> tuple[Any, str] | None:
    """What was remembered beside a module, and its text; None if there is nothing, if one is damaged, or if this
    process cannot read it."""
    text, data = read(path), read(path.with_suffix(".meta"))
    if text is None or data is None:
        return None
    if data[:20] != digest(text, data[20:]):
        LOG.info("%s is damaged, and is made again", path)
        return None
    try:
        return pickle.loads(data[20:]), text.decode()
    except Exception:  # classes may have gone, and may raise what they like
        return None


def remember(path: Path, meta: Any) -> bool:
    """Keep `meta` beside a module, if it can be pickled; says whether it could."""
    try:
        data = pickle.dumps(meta)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    keep_beside(path.with_suffix(".meta"), digest(read(path) or b"", data) + data)
    return True


def keep_beside(path: Path, data: bytes) -> None:
    """Keep what can be done without, if it can be written."""
    try:
        write(path, data)
    except OSError as error:
        LOG.info("%s cannot be written: %s", path, error)


def clear() -> int:
    """Delete the generated modules of the folder, and what was compiled of them; nothing else that lies there. Gives
    the number of files."""
    found = _generated()
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def summary() -> str:
    """Where the folder is, and what lies there."""
    found = _generated()
    size = sum(path.stat().st_size for path in found)
    return f"{folder()}: {sum(p.suffix == '.py' for p in found)} modules, {size / 2**20:.1f} MiB"


# a name, 20 digits of a hash; of what Numba keeps, more behind it
_GENERATED = re.compile(r"\w+_[0-9a-f]{20}\b.*\.(py|meta|from|nbc|nbi|pyc)")


def _generated() -> list[Path]:
    here = folder()
    return [p for place in (here, here / "__pycache__") for p in place.glob("*") if _GENERATED.fullmatch(p.name)]
