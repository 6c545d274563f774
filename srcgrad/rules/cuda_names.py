"""What a kernel says of threads: where one stands in the grid, memory of its block, barriers, atomic updates.

The names of `numba.cuda` stand for objects of this module: in the simulator the real ones exist only while a kernel
runs.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.traits import Traits
from srcgrad.errors import NotDifferentiableError, UnsupportedError
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import cast
from srcgrad.rules.language.values import Val, contents

AXES = ("x", "y", "z")
MODULES = ("numba.cuda", "numba_cuda.numba.cuda")


class AtomicResult:
    """What an atomic update gives: the value before it."""


AtomicResult.__name__ = "value before an atomic update"
OLD_VALUE = AtomicResult()


class Names(SimpleNamespace):
    """What stands for `numba.cuda`, or for a part of it that holds names."""


class Word:
    """A function of `numba.cuda`, by its name there."""

    def __init__(self, name: str) -> None:
        self.name = self.__name__ = name


class Coordinates:
    """threadIdx, blockIdx, blockDim, gridDim: three integers each."""

    def __init__(self, name: str) -> None:
        self.name = self.__name__ = name


def _nowhere(**params: Any) -> NoReturn:
    raise UnsupportedError("thread coordinates exist in kernels only", hint="run it on the device or in the simulator")


def _place(name: str, template: Callable[..., str], infer: Callable[..., Any]) -> ir.Primitive:
    traits = Traits("zero", is_length=True)
    return ir.Primitive(name, infer, _nowhere, lambda types, params: template(**params), traits=traits)


coordinate = _place("coordinate", lambda of, axis: f"cuda.{of}.{AXES[axis]}", lambda types, params: (ir.I8,))
grid = _place("grid", lambda ndim: f"cuda.grid({ndim})", lambda types, params: (ir.I8,) * params["ndim"])
gridsize = _place("gridsize", lambda ndim: f"cuda.gridsize({ndim})", lambda types, params: (ir.I8,) * params["ndim"])
PLACES = frozenset({coordinate, grid, gridsize})


def axis_of(builder: Builder, which: Coordinates, name: str) -> ir.Atom:
    """cuda.threadIdx.x"""
    if name not in AXES:
        raise UnsupportedError(f"`cuda.{which.name}` has no `{name}`", hint="its axes are x, y and z")
    return builder.let(coordinate, name=f"{which.name}_{name}", of=which.name, axis=AXES.index(name))


# ---- the names of numba.cuda

_WORDS = ("grid", "gridsize", "syncthreads")
_ATOMICS = ("add", "sub", "max", "min")
cuda = Names(
    **{name: Word(name) for name in _WORDS},
    **{name: Coordinates(name) for name in ("threadIdx", "blockIdx", "blockDim", "gridDim")},
    atomic=Names(**{name: Word(f"atomic.{name}") for name in _ATOMICS}),
    shared=Names(array=Word("shared.array")),
    local=Names(array=Word("local.array")),
)
INSTEAD = {
    "laneid": "warp intrinsics have no derivative here: use shared memory",
    "warpsize": "warp intrinsics have no derivative here: use shared memory",
    "syncwarp": "use cuda.syncthreads()",
    "syncthreads_count": "use cuda.syncthreads() and shared memory",
    "syncthreads_and": "use cuda.syncthreads() and shared memory",
    "syncthreads_or": "use cuda.syncthreads() and shared memory",
    "threadfence": "use cuda.syncthreads(); between blocks, two kernels",
    "threadfence_block": "use cuda.syncthreads()",
    "threadfence_system": "use cuda.syncthreads(); between blocks, two kernels",
    "cg": "cooperative groups: use several kernels",
    "const": "pass the array as an argument",
    "atomic": "only cuda.atomic.add, sub, max and min can be differentiated",
    "shared": "use cuda.shared.array(shape, dtype) with a shape that is known",
    "local": "use cuda.local.array(shape, dtype)",
}


def word(name: str) -> Any:
    """What a name of `numba.cuda` stands for in a kernel."""
    found = getattr(cuda, name, None)
    if found is None:
        warp = any(
            part in name for part in ("shfl", "ballot", "match", "all_sync", "any_sync", "eq_sync", "activemask")
        )
        hint = INSTEAD["laneid"] if warp else INSTEAD.get(name, "see docs/supported.md for what a kernel may contain")
        raise NotDifferentiableError(f"`cuda.{name}` has no rule", hint=hint)
    return found


def part(group: SimpleNamespace, name: str) -> Any:
    """cuda.atomic.add, cuda.shared.array"""
    if not hasattr(group, name):
        whole = next(key for key, value in vars(cuda).items() if value is group)
        raise NotDifferentiableError(f"`cuda.{whole}.{name}` has no rule", hint=INSTEAD[whole])
    return getattr(group, name)


def _adaptor(function: Word) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return registry.adaptor(function)


def _dimensions(ndim: Any) -> int:
    count = arguments.integer(ndim, "the number of dimensions")
    if count not in (1, 2, 3):
        raise UnsupportedError(f"a grid of {count} dimensions", hint="it has 1, 2 or 3")
    return count


@_adaptor(cuda.grid)
def _grid(builder: Builder, ndim: Any) -> Any:
    return _atoms(builder, builder.let_many(grid, name="i", ndim=_dimensions(ndim)))


@_adaptor(cuda.gridsize)
def _gridsize(builder: Builder, ndim: Any) -> Any:
    return _atoms(builder, builder.let_many(gridsize, name="stride", ndim=_dimensions(ndim)))


def _atoms(builder: Builder, made: tuple[ir.Atom, ...]) -> Any:
    """A number on a grid of one axis, a tuple of them on others."""
    values = tuple(Val(builder, atom) for atom in made)
    return values if len(values) > 1 else values[0]


@_adaptor(cuda.syncthreads)
def _syncthreads(builder: Builder) -> None:
    builder.put(ir.Barrier(span=builder.span))


def _array(space: str) -> Callable[..., Val]:
    def call(builder: Builder, shape: Any, dtype: Any) -> Val:
        code = np.dtype(getattr(dtype, "name", dtype)).str[1:]
        if code not in ("f8", "f4", "i8", "i4", "u4", "u8", "i2", "u2", "i1", "u1", "b1"):
            raise UnsupportedError(f"cuda.{space}.array of {dtype}", hint="use floats, integers or booleans")
        sizes = [n.atom for n in arguments.lengths(builder, shape)]
        if not all(isinstance(n, ir.Const) for n in sizes):
            raise UnsupportedError(f"the shape of a cuda.{space}.array is not known", hint="use literals or constants")
        if space == "shared" and any(isinstance(n, ir.Const) and n.value == 0 for n in sizes):
            raise UnsupportedError("dynamic shared memory has no derivative here", hint="give the shape as literals")
        target = ir.Var("a", ir.Type(code, len(sizes), ref=True))
        builder.put(ir.Alloc(target, tuple(sizes), "empty", space, span=builder.span))
        return Val(builder, target)

    return call


_adaptor(cuda.shared.array)(_array("shared"))
_adaptor(cuda.local.array)(_array("local"))


def _updated(builder: Builder, array: Any, index: Any) -> tuple[ir.Var, ir.Index]:
    """The memory and the place of an atomic update."""
    if not isinstance(array, Val) or not array.type.ref or not isinstance(array.atom, ir.Var):
        raise UnsupportedError("an atomic update needs an array", hint="give an array and an index")
    items = index if isinstance(index, (tuple, list)) else (index,)
    atoms = tuple(arguments.as_array(builder, i).atom for i in items)
    if len(atoms) != array.type.rank or any(a.type != ir.I8 for a in atoms):
        raise UnsupportedError("an atomic update is of one element", hint="give one integer an axis")
    return array.atom, atoms


def _value(builder: Builder, value: Any, dtype: str) -> Val:
    given = contents(arguments.as_array(builder, value))
    return cast(given, dtype) if dtype[0] == "f" else given


@_adaptor(cuda.atomic.add)
def _atomic_add(builder: Builder, array: Any, index: Any, value: Any) -> AtomicResult:
    ref, place = _updated(builder, array, index)
    part = _value(builder, value, ref.type.dtype)
    builder.put(ir.Accumulate(ref, place, part.atom, atomic="add", span=builder.span))
    return OLD_VALUE


@_adaptor(cuda.atomic.sub)
def _atomic_sub(builder: Builder, array: Any, index: Any, value: Any) -> AtomicResult:
    ref, place = _updated(builder, array, index)
    part = -_value(builder, value, ref.type.dtype)
    builder.put(ir.Accumulate(ref, place, part.atom, atomic="add", span=builder.span))
    return OLD_VALUE


def _extreme(which: str) -> Callable[..., AtomicResult]:
    def call(builder: Builder, array: Any, index: Any, value: Any) -> AtomicResult:
        ref, place = _updated(builder, array, index)
        candidate = _value(builder, value, ref.type.dtype)
        builder.put(ir.Accumulate(ref, place, candidate.atom, atomic=which, span=builder.span))
        return OLD_VALUE

    return call


_adaptor(cuda.atomic.max)(_extreme("max"))
_adaptor(cuda.atomic.min)(_extreme("min"))
