"""Building programs: a `Builder` appends to the innermost open block and knows the shapes that are provably equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Span, Stmt, Type, Var
from srcgrad.core.layouts import Layouts
from srcgrad.core.shapes import FULL as FULL
from srcgrad.core.shapes import Dim as Dim
from srcgrad.core.shapes import Shapes

LITERALS = {bool: ir.B1, int: ir.I8, float: ir.F8, complex: ir.C16}


def const(value: float | int | bool | complex, type: Type | None = None) -> Const:
    """A literal; without a type, a Python bool is b1, an int i8, a float f8, a complex c16."""
    kinds = (k for python, k in LITERALS.items() if isinstance(value, python))
    return Const(value, next(kinds, ir.F8) if type is None else type)


def whole(ref: Var) -> ir.Index:
    return (FULL,) * ref.type.rank


class Builder:
    """Emits statements. Every method returns the variable (or atom) that it bound."""

    def __init__(self, fun: ir.Fun | None = None) -> None:
        """fun: the function that is transformed, for what is known of its parameters' shapes."""
        self.out: list[Stmt] = []
        self.span: Span | None = None
        self.shapes = Shapes(fun)
        self.layouts = Layouts()
        self.of_arrays: set[Atom] = set()  # floats that are NumPy's numbers: arrays gave them, or functions of NumPy
        self.numbers: dict[Atom, str] = {}  # integers that arrays gave: the dtype that they have in NumPy
        self.wishes: dict[Var, str] = {}  # what variables without a name are to be called when all is built
        self.weak: set[Var] = set()  # floats of Python's own: they take the precision of what they stand beside

    # ---- statements

    def put(self, stmt: Stmt) -> Stmt:
        self.out.append(stmt)
        self.shapes.note(stmt)
        self.layouts.note(stmt)
        return stmt

    def let(self, op: ir.Primitive, *args: Atom, name: str = "t", **params: Any) -> Atom:
        """The one result of op. Integer operations on literals are done at once."""
        (out,) = self.let_many(op, *args, name=name, **params)
        return out

    def let_many(self, op: ir.Primitive, *args: Atom, name: str = "t", **params: Any) -> tuple[Atom, ...]:
        """All results of op."""
        types = op.infer(tuple(a.type for a in args), params)
        if len(types) == 1 and types[0] == ir.I8 and all(isinstance(a, Const) for a in args) and args:
            return (Const(int(op.evaluate(*(a.value for a in args if isinstance(a, Const)), **params)), ir.I8),)
        targets = tuple(Var(name, t) for t in types)
        self.put(ir.Let(targets, op, args, params, span=self.span))
        if types == (ir.I8,) and not op.traits.python_integer:
            self._note_number(targets[0], op, args)
        if types[0].is_scalar and any(a.type.rank or a in self.of_arrays for a in args):
            self.of_arrays.update(targets)
        if types == (ir.F8,) and op.traits.arithmetic and all(map(self.is_weak, args)):
            self.weak.add(targets[0])
        return targets

    def is_weak(self, atom: Atom) -> bool:
        """Whether it is a literal, or a float that Python computes of literals."""
        return atom.type not in (ir.F4, ir.C8) if isinstance(atom, Const) else atom in self.weak

    def renamed(self, old: Var, new: Var) -> None:
        """Tell that new stands in the place of old."""
        self.layouts.renamed(old, new)
        if old in self.numbers:
            self.numbers[new] = self.numbers[old]
        for kind in (self.weak, self.of_arrays):
            if old in kind:
                kind.add(new)

    def _note_number(self, target: Var, op: ir.Primitive, args: Sequence[Atom]) -> None:
        arrays = [a.type.dtype for a in args if a.type.rank]
        if arrays:
            wide = "u8" if all(d[0] == "u" for d in arrays) else "i8"
            self.numbers[target] = arrays[0] if op.traits.keeps_dtype else wide
        elif given := [self.numbers[a] for a in args if a in self.numbers]:
            kind = np.result_type(*map(np.dtype, given))
            self.numbers[target] = str(kind.str[1:]) if kind.kind in "iu" else "i8"

    def draw(self, op: ir.Primitive, *args: Atom, name: str = "draw", **params: Any) -> Var:
        (type_,) = op.infer(tuple(a.type for a in args), params)
        target = Var(name, type_)
        self.put(ir.Draw(target, op, args, params, span=self.span))
        return target

    def load(self, ref: Var, index: ir.Index | None = None, name: str | None = None) -> Var:
        index = whole(ref) if index is None else index
        rank = index_rank(index)
        target = Var(name or ref.name, Type(ref.type.dtype, rank) if rank else scalar_of(ref.type))
        if target.type == ir.I8:
            self.numbers[target] = ref.type.dtype
        elif not rank:
            self.of_arrays.add(target)
        self.put(ir.Load(target, ref, index, span=self.span))
        return target

    def store(self, ref: Var, index: ir.Index | None, value: Atom) -> None:
        self.put(ir.Store(ref, whole(ref) if index is None else index, value, span=self.span))

    def accumulate(self, ref: Var, index: ir.Index | None, value: Atom) -> None:
        self.put(ir.Accumulate(ref, whole(ref) if index is None else index, value, span=self.span))

    def alloc(
        self, dtype: str, shape: Sequence[Atom | None], init: ir.Init | Atom = ir.Init.ZEROS, name: str = "a"
    ) -> Var:
        """New memory of this shape; with an array value as init, its shape is taken and `shape` is ()."""
        rank = init.type.rank if not isinstance(init, ir.Init) and init.type.rank else len(shape)
        target = Var(name, Type(dtype, rank, ref=True))
        self.put(ir.Alloc(target, tuple(shape), init, span=self.span))
        return target

    def view(self, base: Var, how: ir.Index | ir.Transpose | ir.Reshape, name: str | None = None) -> Var:
        match how:
            case ir.Transpose(axes):
                rank = len(axes)
            case ir.Reshape(shape):
                rank = len(shape)
            case _:
                rank = index_rank(how)
        target = Var(name or base.name, Type(base.type.dtype, rank, ref=True))
        self.put(ir.View(target, base, how, span=self.span))
        return target

    @contextmanager
    def block(self) -> Iterator[list[Stmt]]:
        """What is emitted inside goes into the list that this yields, not into the block around."""
        kept, self.out = self.out, []
        try:
            with self.shapes.region():
                yield self.out
        finally:
            self.out = kept

    @contextmanager
    def at(self, span: Span | None) -> Iterator[None]:
        """Statements emitted inside carry this span."""
        kept, self.span = self.span, span
        try:
            yield
        finally:
            self.span = kept

    # ---- shapes

    def dims(self, atom: Atom) -> tuple[Dim, ...]:
        """A token an axis; what is not known gets a token of its own, `(variable, axis)`."""
        return self.shapes.dims(atom)

    def same_shape(self, a: Atom, b: Atom) -> bool:
        """Whether the two are surely of one shape."""
        return self.shapes.same(a, b)

    def copy_dims(self, target: Var, source: Var) -> None:
        """Tell that target, bound by other means, has source's shape."""
        self.shapes.copy(target, source)


def index_rank(index: ir.Index) -> int:
    """How many axes the indexed thing has: one a slice, and those of array indices (a boolean array of rank r takes
    r axes of the memory but stands once in the index; lowering turns it into integer arrays first)."""
    slices = sum(isinstance(item, ir.Slice) for item in index)
    return slices + max((item.type.rank for item in index if not isinstance(item, ir.Slice)), default=0)


def scalar_of(type: Type) -> Type:
    """The scalar that an element of this memory is."""
    if type.dtype[0] in "iu":
        return ir.I8
    return Type(type.dtype)
