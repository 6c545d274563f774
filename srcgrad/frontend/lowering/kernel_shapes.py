"""What a kernel's text tells of its arguments and of the grid that it is launched in, before it has been launched."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator

from srcgrad.core.ir import F8, I8, Type
from srcgrad.frontend.source.read import read
from srcgrad.frontend.source.structure import Leaf, Spec


def guessed(fun: types.FunctionType) -> dict[str, Spec]:
    """For each parameter: an array of float64 with as many axes as it is indexed by, an integer if it stands in indices
    or bounds, else a float64."""
    node = read(fun).node
    parameters = [a.arg for a in node.args.args]
    ranks = dict(_ranks(node))
    counts = set(_integers(node))
    return {
        name: Leaf(Type("f8", ranks[name], ref=True)) if name in ranks else Leaf(I8 if name in counts else F8)
        for name in parameters
    }


def _ranks(node: ast.AST) -> Iterator[tuple[str, int]]:
    for part in ast.walk(node):
        match part:
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                yield name, _rank(index)
            case ast.Subscript(
                value=ast.Attribute(value=ast.Name(id=name), attr="shape"), slice=ast.Constant(value=int(k))
            ):
                yield name, k + 1
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="atomic")), args=[ast.Name(id=name), index, *_]):
                yield name, _rank(index)


def _rank(index: ast.expr) -> int:
    return len(index.elts) if isinstance(index, ast.Tuple) else 1


def _integers(node: ast.AST) -> Iterator[str]:
    """Names in indices, in ranges, and in comparisons that decide how far a thread goes."""
    for part in ast.walk(node):
        match part:
            case ast.Subscript(slice=index):
                yield from _names(index)
            case ast.Call(func=ast.Name(id="range"), args=args):
                yield from (name for arg in args for name in _names(arg))
            case ast.If(test=test, body=[ast.Return()]):
                yield from _names(test)
            case ast.Compare(left=left, comparators=[right]) if set(_names(left)) & _places(node):
                yield from _names(right)


def _places(node: ast.AST) -> set[str]:
    """The names that hold places in the grid."""
    made = (p for p in ast.walk(node) if isinstance(p, ast.Assign) and "cuda." in ast.unparse(p.value))
    return {name for p in made for target in p.targets for name in _names(target)}


def _names(node: ast.AST) -> list[str]:
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]


def coordinates(fun: types.FunctionType) -> frozenset[tuple[str, int]]:
    """The coordinates along the axes that the kernel asks for."""
    axes = {0}
    for part in ast.walk(read(fun).node):
        match part:
            case ast.Call(func=ast.Attribute(attr="grid" | "gridsize"), args=[ast.Constant(value=int(count))]):
                axes |= set(range(count))
            case ast.Attribute(value=ast.Attribute(attr="threadIdx" | "blockIdx"), attr=axis) if axis in "xyz":
                axes.add("xyz".index(axis))
    return frozenset((of, axis) for of in ("threadIdx", "blockIdx") for axis in axes)
