"""Which memory is surely contiguous, and which references NumPy might make views where the core has copies."""

from __future__ import annotations

from dataclasses import dataclass, replace

from srcgrad.core import ir
from srcgrad.core.ir import Stmt, Var
from srcgrad.core.walk import index_atoms


@dataclass(frozen=True, slots=True)
class Why:
    """What is said of a write that must not be: `{}` stands for the name of the memory."""

    message: str
    hint: str


LAYOUT = Why(
    "whether this also writes into `{}` depends on its layout in memory",
    "reshape a contiguous copy: x.copy().reshape(...)",
)
VIEW = Why(
    "this would be seen through another name in NumPy, which gives a view of `{}` where a copy is differentiated",
    "make the copy in words: put .copy() behind what is taken of the array",
)
OVERLAP = Why("this writes into `{}` while it is read through another name", "give a copy: .copy()")
TWICE = Why(
    "this would be seen through another name: the call before returned one array twice, or a view of it",
    "return a copy in one of the places: .copy()",
)
READ_ONLY = Why("this writes into `{}`, which is read-only in NumPy", "make a copy first: .copy()")


@dataclass(frozen=True, slots=True)
class Doubt:
    """target shares memory with base in NumPy or in the core, perhaps not in both.   apart: they must share none."""

    target: Var
    base: Var
    why: Why
    apart: bool = False


class Layouts:
    """Learns from statements in their order. Of parameters, and of what leaves loops and branches, nothing is known."""

    def __init__(self) -> None:
        self._contiguous: set[Var] = set()
        self._ordered: set[Var] = set()
        self.doubts: list[Doubt] = []

    def contiguous(self, ref: Var) -> bool:
        """Whether the elements lie one after the other, so that a reshape is a view."""
        return ref in self._contiguous

    def ordered(self, ref: Var) -> bool:
        """Whether NumPy too has them so (the result of an operation may follow a transposed operand's order)."""
        return ref in self._ordered

    def assume_ordered(self, ref: Var) -> None:
        """NumPy has this memory in order: it was asked to, or who calls the function sees to it."""
        self._contiguous.add(ref)
        self._ordered.add(ref)

    def doubtful(self, target: Var, base: Var, why: Why = LAYOUT) -> None:
        """target shares memory with base in NumPy or in the core, perhaps not in both: neither may be written later."""
        self.doubts.append(Doubt(target, base, why))

    def apart(self, source: Var, target: Var) -> None:
        """What is read of source while target is written depends on the order, if they share memory."""
        self.doubts.append(Doubt(source, target, OVERLAP, apart=True))

    def renamed(self, old: Var, new: Var) -> None:
        """The reference that was bound as old is bound as new."""
        for known in (self._contiguous, self._ordered):
            if old in known:
                known.add(new)
        same = {old: new}
        self.doubts[:] = [
            replace(d, target=same.get(d.target, d.target), base=same.get(d.base, d.base)) for d in self.doubts
        ]

    def _in_order(self, atom: ir.Atom) -> bool:
        """Scalars and what has one axis, or what is known to be."""
        return atom.type.rank <= 1 or atom in self._ordered

    def note(self, stmt: Stmt) -> None:
        match stmt:
            case ir.Alloc():
                self._contiguous.add(stmt.target)
                if isinstance(stmt.init, str) or self._in_order(stmt.target) or self._in_order(stmt.init):
                    self._ordered.add(stmt.target)
            case ir.Load() if self._in_order(stmt.ref) and not any(i.type.rank for i in index_atoms(stmt.index)):
                self._ordered.add(stmt.target)
            case ir.Let() if stmt.op.traits.in_order:
                self._ordered.update(stmt.targets)
            case ir.Let() if stmt.op.traits.elementwise and all(map(self._in_order, stmt.args)):
                self._ordered.update(stmt.targets)
            case ir.View():
                if _keeps(stmt.how, stmt.base.type.rank):
                    for known in (self._contiguous, self._ordered):
                        if stmt.base in known:
                            known.add(stmt.target)


def _keeps(how: ir.Index | ir.Transpose | ir.Reshape, rank: int) -> bool:
    """Whether a view of contiguous memory is contiguous: integers, then one slice of step 1, then whole axes."""
    if isinstance(how, (ir.Transpose, ir.Reshape)):
        return isinstance(how, ir.Reshape) or rank == 1
    rest = [k for k, item in enumerate(how) if isinstance(item, ir.Slice)]
    if not rest:
        return False
    first = rest[0]
    start = how[first]
    assert isinstance(start, ir.Slice)
    unit = start.step is None or (isinstance(start.step, ir.Const) and start.step.value == 1)
    whole = all(item == ir.Slice() for item in how[first + 1 :])
    return unit and whole
