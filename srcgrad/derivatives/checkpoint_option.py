"""The option `checkpoint`: how many snapshots a derivative may keep of a loop, or how many bytes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from srcgrad.backend.machine import memory
from srcgrad.compiler.find_or_make import Options
from srcgrad.compiler.request import Limit
from srcgrad.errors import ArgumentError

SNAPSHOTS, BYTES = 10_000, 1_000_000  # integers up to the one are a number of snapshots, from the other on of bytes
UNITS = {**{f"{u}b": 1000**k for k, u in enumerate(("", "k", "m", "g", "t"))}}
UNITS.update({f"{u}ib": 1024**k for k, u in enumerate(("k", "m", "g", "t"), 1)})
SIZE = re.compile(r"\s*(\d+(?:\.\d*)?)\s*([a-z]*)\s*", re.IGNORECASE)
HINT = 'use None, "auto", a number of snapshots, or a number of bytes such as "100MB"'


def limit_of(given: Any) -> Limit | None:
    """What the option asks for; None: keep everything."""
    if given is None or isinstance(given, Limit):
        return given
    if isinstance(given, str):
        return Limit(0, memory() // 2, strict=False) if given == "auto" else Limit(0, _size(given))
    if isinstance(given, (bool, np.bool_)) or not isinstance(given, (int, float, np.integer, np.floating)):
        raise ArgumentError(f"checkpoint={given!r} is none of what it may be", hint=HINT)
    if isinstance(given, (float, np.floating)) and not (given >= BYTES and given.is_integer()):
        raise ArgumentError(f"checkpoint={given!r} is no number of snapshots or bytes", hint=HINT)
    number = int(given)
    if number < 1:
        raise ArgumentError(f"checkpoint={number} keeps nothing to run a loop again from", hint="keep one at least")
    if SNAPSHOTS < number < BYTES:
        hint = f'write checkpoint="{number}B" for bytes; there are {SNAPSHOTS} snapshots at most'
        raise ArgumentError(f"checkpoint={number} may be a number of snapshots or of bytes", hint=hint)
    return Limit(number, 0) if number <= SNAPSHOTS else Limit(0, number)


def _size(text: str) -> int:
    """The bytes that a text such as "100MB" or "1.5 GiB" stands for."""
    found = SIZE.fullmatch(text)
    unit = found[2].lower() if found else ""
    if found is None or unit not in UNITS or not unit:
        raise ArgumentError(f"checkpoint={text!r} is no number of bytes", hint='write it as "100MB" or "1.5 GiB"')
    size = int(float(found[1]) * UNITS[unit])
    if size < 1:
        raise ArgumentError(f"checkpoint={text!r} keeps nothing to run a loop again from", hint='write "100MB"')
    return size


def refuse(options: Options, what: str) -> Options:
    """The options, but for this one where there is no sweep back."""
    if options.checkpoint is not None:
        raise ArgumentError(f"{what} keeps nothing: checkpoint is of reverse mode", hint="leave checkpoint out")
    return options
