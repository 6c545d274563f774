"""The machine's memory."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

GROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # where a container's limit is
UNKNOWN = 8 * 2**30


@lru_cache
def memory() -> int:
    """How many bytes this process can have: what the machine has, or what the container that it runs in may take."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        whole = UNKNOWN
    return min([whole, *filter(None, map(_limit, GROUPS))])


def _limit(path: str) -> int:
    """The limit in this file; 0 if there is none."""
    try:
        text = Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0
