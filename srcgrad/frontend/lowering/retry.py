"""Trying: what was done in a region can be thrown away, and a region is run again until nothing more must be assumed.

Four things are repeated: a whole function (while more of its parameters must be copied), the body of a loop (while a
name comes back with a wider type), a branch (if a list has another length on its two sides), and a function that calls
itself (until its result stays the same).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from srcgrad.core.ir import Stmt
from srcgrad.errors import SrcgradError
from srcgrad.frontend.lowering.values import Content, Env, Flags, Struct

Held = dict[Struct, Content]  # what objects hold on one path
T = TypeVar("T")


@dataclass(eq=False)
class Attempt:
    """What was done in a region: statements, names and flags at its end, and what older objects hold there.

    touched: whether it changed any object, one of its own included.
    """

    out: list[Stmt]
    env: Env
    flags: Flags
    held: Held = field(default_factory=dict)
    touched: bool = False


@dataclass(eq=False)
class KeyedSites:
    """Where dicts whose keys are computed are made, as ids of nodes. asked: those that came up while the function was
    read."""

    sites: set[int] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)

    def more(self) -> bool:
        """Whether the function must be read again."""
        new = self.asked - self.sites
        self.sites |= new
        return bool(new)


@dataclass(eq=False)
class Retry:
    """What must be known to throw away what was tried.

    refusals: what was refused so far.   changed: the objects changed in this region, and what they held at its start.
    loops: what was found of loops, by call path and loop.   born: when the function's own statements begin.
    """

    refusals: list[SrcgradError] = field(default_factory=list)
    changed: dict[Struct, Content] = field(default_factory=dict)
    loops: dict[Any, Any] = field(default_factory=dict)
    born: int = 0

    def until_stable(
        self, run: Callable[[], T], again: Callable[[T], bool], final: Callable[[T], bool] = lambda tried: False
    ) -> T:
        """What `run` gives when it need not be run again. What was refused in a run that is repeated is forgotten, for
        it is found again if it is still wrong; but for what is `final`."""
        while True:
            refused = len(self.refusals)
            tried = run()
            if not again(tried):
                return tried
            if not final(tried):
                del self.refusals[refused:]
