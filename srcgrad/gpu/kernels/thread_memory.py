"""The memory that a kernel's thread works on, which other threads reach in part.

What one thread reads, others may read, so adding to the cotangent of memory that threads share is atomic
(`simplify/cuda/atomics.py` says where it need not be). No snapshots: they would be of memory that others write.
"""

from __future__ import annotations

from collections.abc import Iterator

from srcgrad.analysis.effects import Facts, Region
from srcgrad.analysis.overwrites import Overwrites
from srcgrad.analysis.threads import Threads
from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Const, Span, Stmt, Var
from srcgrad.gpu.kernels.tiles import tiled
from srcgrad.rules import cuda_names
from srcgrad.rules.scalar.arithmetic import floor_divide, multiply, right_shift
from srcgrad.rules.scalar.compare import greater, less, less_equal
from srcgrad.transform.iterations import INT_ONE, INT_ZERO, Length, Loop
from srcgrad.transform.refuse import unsupported


class ThreadMemory:
    """Whose memory it is, and which arguments a thread reads again after it has written them.

    counted: loops whose iterations are counted by a launch of their own, with what stands for their number.
    """

    snapshots = False
    of_threads = True

    def __init__(self, facts: Facts) -> None:
        self._facts, self._overwrites = facts, Overwrites(facts)
        classes = facts.classes
        self._given = {classes.of(p) for p in facts.fun.params if p.type.ref}
        shared = (s.target for s in facts.where if isinstance(s, ir.Alloc) and s.space is ir.Space.SHARED)
        self._shared = dict.fromkeys(classes.of(v) for v in shared)
        self._read_back = {cls for cls in self._given if self._is_read_back(cls)}
        self.counted: dict[Loop, Var] = {}

    def refilled(self) -> Iterator[tuple[Var, Loop]]:
        if self._shared:
            threads = Threads(self._facts.fun, self._facts)
            filling = ((cls, tiled(cls, threads)) for cls in self._shared)
            yield from ((cls, loop) for cls, loop in filling if loop is not None)

    def of_others(self, ref: Var) -> bool:
        cls = self._facts.classes.of(ref)
        return cls in self._given or cls in self._shared

    def left_out(self, stmt: Stmt) -> bool:
        """Stores into arguments that the kernel does not look at again."""
        return isinstance(stmt, (ir.Store, ir.Accumulate)) and self._only_given(stmt.ref)

    def overwritten_later(self, load: ir.Load, level: Region) -> bool:
        """Of memory that others reach, any store that may come later counts: it is theirs too, at other places."""
        if self._only_given(load.ref):
            return False  # the forward sweep leaves those stores out
        if self.of_others(load.ref):
            return self._facts.overwritten_later(load, load.ref, level)
        return self._overwrites.overwritten_later(load, load.ref, level)

    def rows(self, loop: Loop, known: Length | None) -> Length | None:
        """As many as literals tell; else they are counted before."""
        if self._doubles(loop):
            return const(64)
        if isinstance(known, Const):
            return known
        return self.counted.setdefault(loop, Var("rows", ir.I8))

    def check_lists(self, span: Span | None) -> None:
        raise unsupported(span, "references are kept in a kernel", "choose between arrays outside the kernel")

    def _only_given(self, ref: Var) -> bool:
        cls = self._facts.classes.of(ref)
        return cls in self._given and cls not in self._read_back

    def _is_read_back(self, cls: Var) -> bool:
        loads = [s for s in self._facts.where if isinstance(s, ir.Load) and self._facts.classes.of(s.ref) is cls]
        stores = self._facts.stores.get(cls, ())
        return any(self._overwrites.reads_back(load, store, self._facts.top) for load in loads for store in stores)

    def _doubles(self, loop: Loop) -> bool:
        """Whether the loop goes on while an integer that it halves is positive, or one that it doubles is below
        something: an integer has 64 bits."""
        test = None if isinstance(loop, ir.For) or not isinstance(loop.cond, Var) else self._facts.makes.get(loop.cond)
        if not isinstance(test, ir.Let) or not isinstance(loop, ir.While):
            return False
        for carry in loop.carry:
            step = self._facts.makes.get(carry.next) if isinstance(carry.next, Var) else None
            if carry.inner.type != ir.I8 or not isinstance(step, ir.Let) or step.args[0] is not carry.inner:
                continue
            factor = step.args[1].value.real if isinstance(step.args[1], Const) else 0
            ends = test.args == (carry.inner, INT_ZERO) and test.op is greater
            if ends and factor >= (1 if step.op is right_shift else 2):
                return step.op in (floor_divide, right_shift)
            starts = isinstance(carry.init, Const) and carry.init.value.real >= 1
            if starts and test.args[0] is carry.inner and test.op in (less, less_equal) and factor >= 2:
                return step.op is multiply
        return False


class ThreadShadows:
    """Shadows in the space of what they belong to. made: the memory that the adjoint makes, by reference."""

    def __init__(self, builder: Builder) -> None:
        self._b = builder
        self.made: dict[Var, ir.Alloc] = {}

    def note(self, ref: Var, alloc: ir.Alloc) -> None:
        self.made[ref] = alloc

    def zeros_like(self, ref: Var, name: str) -> Var:
        alloc = self.made[ref]
        shadow = Var(name, ref.type)
        made = ir.Alloc(shadow, alloc.shape, ir.Init.EMPTY, alloc.space)
        self._b.put(made)
        self.made[shadow] = made
        with self._b.at(None):
            self._clear(shadow, alloc, ())
        return shadow

    def _clear(self, shadow: Var, alloc: ir.Alloc, index: tuple[Atom, ...]) -> None:
        """Loops that store zeros; of memory that a block shares, each of its threads some."""
        axis = len(index)
        if axis == len(alloc.shape):
            self._b.store(shadow, index, const(0.0, ir.Type(shadow.type.dtype)))
            return
        start: Atom = INT_ZERO
        step: Atom = INT_ONE
        left = len(alloc.shape) - 1 - axis
        if alloc.space is ir.Space.SHARED and left < 3:
            start = self._b.let(cuda_names.coordinate, name="k", of="threadIdx", axis=left)
            step = self._b.let(cuda_names.coordinate, name="step", of="blockDim", axis=left)
        length = alloc.shape[axis]
        assert length is not None
        k = Var("k", ir.I8)
        with self._b.block() as body:
            self._clear(shadow, alloc, (*index, k))
        self._b.put(ir.For(k, start, length, step, (), tuple(body)))
