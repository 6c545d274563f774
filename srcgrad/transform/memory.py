"""Whose memory a function works on: what the plan asks about it, and how the adjoint makes its shadows.

An ordinary function has its memory to itself. A kernel's thread shares some with others
(`gpu/kernels/thread_memory.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.overwrites import Overwrites
from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.ir import Span, Stmt, Var
from srcgrad.rules.shapes.shape import dim
from srcgrad.transform.iterations import Length, Loop


class Shadows(Protocol):
    """Makes the memory of adjoints in one emission."""

    def note(self, ref: Var, alloc: ir.Alloc) -> None:
        """The emitted program has made memory: alloc is the primal's statement for it."""

    def zeros_like(self, ref: Var, name: str) -> Var:
        """New zeros in the shape of a reference of the emitted program."""


class Memory(Protocol):
    """What the plan asks about the memory of a function."""

    snapshots: bool  # whether a copy of memory may take the place of what is loaded from it
    of_threads: bool  # whether each thread of a GPU makes what is kept, so that as little is kept as can be

    def overwritten_later(self, load: ir.Load, level: Region) -> bool:
        """Whether what the load reads may be overwritten before the reverse sweep gets there."""

    def refilled(self) -> Iterable[tuple[Var, Loop]]:
        """Memory (its class) that each iteration of a loop fills again before it reads it."""

    def left_out(self, stmt: Stmt) -> bool:
        """Whether no run of the primal needs this store."""

    def of_others(self, ref: Var) -> bool:
        """Whether other threads reach this memory too."""

    def rows(self, loop: Loop, known: Length | None) -> Length | None:
        """How many rows are made for the loop, where `known` is what its bounds tell; None: the array grows."""

    def check_lists(self, span: Span | None) -> None:
        """Refuse lists of arrays if there can be none."""


class OwnMemory:
    """Memory that nobody else reaches while the function runs."""

    snapshots = True
    of_threads = False

    def __init__(self, facts: Facts) -> None:
        self._overwrites = Overwrites(facts)

    def overwritten_later(self, load: ir.Load, level: Region) -> bool:
        return self._overwrites.overwritten_later(load, load.ref, level)

    def refilled(self) -> Iterable[tuple[Var, Loop]]:
        return ()

    def left_out(self, stmt: Stmt) -> bool:
        return False

    def of_others(self, ref: Var) -> bool:
        return False

    def rows(self, loop: Loop, known: Length | None) -> Length | None:
        return known

    def check_lists(self, span: Span | None) -> None:
        pass


class OwnShadows:
    """Shadows in new arrays."""

    def __init__(self, builder: Builder) -> None:
        self._b = builder

    def note(self, ref: Var, alloc: ir.Alloc) -> None:
        pass

    def zeros_like(self, ref: Var, name: str) -> Var:
        dims = [self._b.let(dim, ref, axis=k, name="n") for k in range(ref.type.rank)]
        shadow = self._b.alloc(ref.type.dtype, dims, ir.Init.ZEROS, name)
        self._b.copy_dims(shadow, ref)
        return shadow
