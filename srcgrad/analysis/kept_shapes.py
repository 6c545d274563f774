"""Which arrays keep their shape round loops: by induction over the iterations of all loops at once."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Carry, Fun, Stmt, Var
from srcgrad.core.shapes import Shapes
from srcgrad.core.walk import blocks, walk

Loop = ir.For | ir.While
_STAYING: WeakKeyDictionary[Fun, set[Var]] = WeakKeyDictionary()


def lengths(fun: Fun) -> Lengths:
    """What is surely known of the shapes in a function, loops included."""
    loops = (stmt for stmt in walk(fun.body) if isinstance(stmt, (ir.For, ir.While)))
    stays = {carry for loop in loops for carry in loop.carry if carry.inner.type.ref}
    while True:
        found = Lengths(fun, stays)
        if not found.broken:
            return found
        stays = stays - found.broken


def shapes_of(fun: Fun) -> Shapes:
    """To learn the shapes in a function, with those that stay round its loops."""
    shapes = Shapes(fun)
    if fun not in _STAYING:
        loops = [stmt for stmt in walk(fun.body) if isinstance(stmt, (ir.For, ir.While))]
        some = any(c.inner.type.ref for loop in loops for c in loop.carry)
        _STAYING[fun] = {c.inner for c in lengths(fun).stays} if some else set()
    shapes.stays = _STAYING[fun]
    return shapes


class Lengths:
    """The shapes in a function. `stays`: the carries of references that keep their init's shape in every iteration.

    It walks the function under the assumption that they do; `broken` are those that then do not.
    """

    def __init__(self, fun: Fun, stays: set[Carry]) -> None:
        self.shapes, self.stays = Shapes(fun), stays
        self.broken: set[Carry] = set()
        self.open: list[Carry] = []  # of the loops that are being walked
        self.block(fun.body)

    def block(self, stmts: Iterable[Stmt]) -> None:
        for stmt in stmts:
            self.shapes.note(stmt)
            match stmt:
                case ir.For() | ir.While():
                    self.loop(stmt)
                case ir.If():
                    self.branch(stmt)

    def loop(self, loop: Loop) -> None:
        carries = [c for c in loop.carry if c in self.stays]
        for carry in carries:
            self.shapes.copy(carry.inner, carry.init)
        self.open += carries
        for which, block in blocks(loop):
            with self.shapes.region():
                self.block(block)
                if which == "body":
                    self.broken |= {c for c in carries if not self.shapes.same(c.next, c.init)}
        del self.open[len(self.open) - len(carries) :]
        for carry in carries:
            self.shapes.copy(carry.out, carry.init)

    def branch(self, branch: ir.If) -> None:
        """What both sides choose has a carry's shape if each side has, by what is known where it is made."""
        alike: list[list[set[Carry]]] = []
        for which, block in blocks(branch):
            with self.shapes.region():
                self.block(block)
                alike.append([self.like(getattr(out, which)) for out in branch.outs])
        for out, one, other in zip(branch.outs, *alike, strict=True):
            for carry in one & other:
                self.shapes.copy(out.target, carry.inner)

    def like(self, side: Atom) -> set[Carry]:
        ref = side if isinstance(side, Var) and side.type.ref else None
        return {c for c in self.open if ref is not None and c.inner.type == ref.type and self.shapes.same(ref, c.inner)}
