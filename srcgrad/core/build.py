"""Building programs: a `Builder` appends to the innermost open block and knows the shapes that are provably equal."""
from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Span, Stmt, Type, Var

Dim = Hashable  # a token: two dims with equal tokens have equal lengths


def const(value: float | int | bool, type: Type | None = None) -> Const:
    """A literal; without a type, a Python bool is b1, an int i8, a float f8."""
    if type is None:
        type = ir.B1 if isinstance(value, bool) else ir.I8 if isinstance(value, int) else ir.F8
    return Const(value, type)


FULL = ir.Slice()


def whole(ref: Var) -> ir.Index:
    return (FULL,) * ref.type.rank


class Builder:
    """Emits statements. Every method returns the variable (or atom) that it bound."""

    def __init__(self) -> None:
        self.out: list[Stmt] = []
        self.span: Span | None = None
        self._dims: dict[Var, tuple[Dim, ...]] = {}

    # ---- statements

    def put(self, stmt: Stmt) -> Stmt:
        self.out.append(stmt)
        return stmt

    def let(self, op: ir.Primitive, *args: Atom, name: str = "t", **params: Any) -> Any:
        """One atom, or a tuple if there are several results. Integer operations on literals are done at once."""
        types = op.infer(tuple(a.type for a in args), params)
        if len(types) == 1 and types[0] == ir.I8 and all(isinstance(a, Const) for a in args) and args:
            return Const(int(op.evaluate(*(a.value for a in args if isinstance(a, Const)), **params)), ir.I8)
        targets = tuple(Var(name, t) for t in types)
        self.put(ir.Let(targets, op, args, params, span=self.span))
        for target in targets:
            self._note_dims(target, op, args)
        return targets[0] if len(targets) == 1 else targets

    def load(self, ref: Var, index: ir.Index | None = None, name: str | None = None) -> Var:
        index = whole(ref) if index is None else index
        rank = index_rank(index)
        target = Var(name or ref.name, Type(ref.type.dtype, rank) if rank else scalar_of(ref.type))
        self.put(ir.Load(target, ref, index, span=self.span))
        self._dims[target] = self._sliced(ref, index)
        return target

    def store(self, ref: Var, index: ir.Index | None, value: Atom) -> None:
        self.put(ir.Store(ref, whole(ref) if index is None else index, value, span=self.span))

    def accumulate(self, ref: Var, index: ir.Index | None, value: Atom) -> None:
        self.put(ir.Accumulate(ref, whole(ref) if index is None else index, value, span=self.span))

    def alloc(self, dtype: str, shape: Sequence[Atom | None], init: str | Atom = "zeros", name: str = "a") -> Var:
        """New memory of this shape; with an array value as init, its shape is taken and `shape` is ()."""
        rank = init.type.rank if not isinstance(init, str) and init.type.rank else len(shape)
        target = Var(name, Type(dtype, rank, ref=True))
        self.put(ir.Alloc(target, tuple(shape), init, span=self.span))
        if not isinstance(init, str) and init.type.rank:
            self._dims[target] = self.dims(init)
        else:
            self._dims[target] = tuple(object() if n is None else n for n in shape)
        return target

    def view(self, base: Var, how: ir.Index | ir.Transpose | ir.Reshape, name: str | None = None) -> Var:
        match how:
            case ir.Transpose(axes):
                rank, dims = len(axes), tuple(self.dims(base)[k] for k in axes)
            case ir.Reshape(shape):
                rank, dims = len(shape), tuple(shape)
            case _:
                rank, dims = index_rank(how), self._sliced(base, how)
        target = Var(name or base.name, Type(base.type.dtype, rank, ref=True))
        self.put(ir.View(target, base, how, span=self.span))
        self._dims[target] = dims
        return target

    @contextmanager
    def block(self) -> Iterator[list[Stmt]]:
        """What is emitted inside goes into the list that this yields, not into the block around."""
        kept, self.out = self.out, []
        try:
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
        if not isinstance(atom, Var) or atom.type.rank == 0:
            return ()
        if atom not in self._dims:
            self._dims[atom] = tuple((atom, k) for k in range(atom.type.rank))
        return self._dims[atom]

    def same_shape(self, a: Atom, b: Atom) -> bool:
        """Whether the two are surely of one shape."""
        return self.dims(a) == self.dims(b)

    def copy_dims(self, target: Var, source: Var) -> None:
        """Tell that target, bound by other means, has source's shape."""
        self._dims[target] = self.dims(source)

    def _sliced(self, ref: Var, index: ir.Index) -> tuple[Dim, ...]:
        out: list[Dim] = []
        for dim, item in zip(self.dims(ref), index, strict=True):
            if isinstance(item, ir.Slice):
                out.append(dim if item == FULL else (dim, item.start, item.stop, item.step))
            elif item.type.rank:
                out.extend(self.dims(item))
        return tuple(out)

    def _note_dims(self, target: Var, op: ir.Primitive, args: Sequence[Atom]) -> None:
        """The rule of elementwise primitives: equal dims stay, a literal 1 gives way to the other."""
        if target.type.rank == 0 or not getattr(op.info, "elementwise", False):
            return
        dims: list[Dim] = []
        for axis in range(1, target.type.rank + 1):
            tokens = {d[-axis] for d in map(self.dims, args) if len(d) >= axis} - {const(1)}
            unknown = (target, target.type.rank - axis)
            dims.append(tokens.pop() if len(tokens) == 1 else const(1) if not tokens else unknown)
        self._dims[target] = tuple(reversed(dims))


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
