"""`vmap` in the core: a loop over the leading axis around a function's body."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

from srcgrad.analysis.kept_shapes import lengths
from srcgrad.core import ir, walk
from srcgrad.core.build import FULL, Builder, const
from srcgrad.core.ir import Atom, Const, Fun, Program, Type, Var
from srcgrad.core.shapes import Dim
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.structure import Leaf, Node, Spec, leaf_types
from srcgrad.rules.language import registry


def item_spec(spec: Spec, axis: int | None, name: str) -> Spec:
    """What one item of the mapped argument `name` is."""
    if axis is None:
        return spec
    if isinstance(spec, Node):
        return Node(spec.kind, spec.keys, tuple(item_spec(child, axis, name) for child in spec.children))
    if not isinstance(spec, Leaf) or not spec.type.ref or not -spec.type.rank <= axis < spec.type.rank:
        message = f"`{name}` is mapped along axis {axis}, and holds {wording.of_spec(spec)}"
        hint = "give None for it in in_axes, or pass arrays that have this axis"
        raise ArgumentError(message, hint=hint, about=name)
    return Leaf(_item(spec.type))


def _item(type: Type) -> Type:
    if type.rank > 1:
        return Type(type.dtype, type.rank - 1, ref=True)
    return Type("i8" if type.dtype[0] in "iu" else type.dtype)


def mapped_spec(spec: Spec) -> Spec:
    """The structure of a result with its new leading axis."""
    if isinstance(spec, Node):
        return Node(spec.kind, spec.keys, tuple(map(mapped_spec, spec.children)))
    return Leaf(Type(spec.type.dtype, spec.type.rank + 1, ref=True)) if isinstance(spec, Leaf) else spec


def map_program(program: Program, specs: Sequence[Spec], axes: Sequence[int | None], long: bool = False) -> Program:
    """The program over all items. specs: of the mapped arguments, whole. long: they have no axis of length 1."""
    builder = Builder()
    leaf_axes = [axis for spec, axis in zip(specs, axes, strict=True) for _ in leaf_types(spec)]
    kinds = [t for spec in specs for t in leaf_types(spec)]
    main = program.main
    own, captured = main.params[: len(kinds)], main.params[len(kinds) :]
    params = [Var(p.name, kind) for p, kind in zip(own, kinds, strict=True)]
    arrays = {p for p in (*params, *captured) if p.type.ref} if long else set()
    builder.shapes.long = arrays
    first = next(k for k, axis in enumerate(leaf_axes) if axis is not None)
    count = _dim(builder, params[first], leaf_axes[first] or 0)
    shapes = _shapes(builder, main, params, leaf_axes, captured, count)
    dtypes = [r.type.dtype for r in main.results]
    outs = [builder.alloc(d, (count, *shape), ir.Init.EMPTY, "out") for d, shape in zip(dtypes, shapes, strict=True)]
    index = Var("i", ir.I8)
    with builder.block() as body:
        results = _at(builder, main, params, leaf_axes, captured, index)
        for out, result in zip(outs, results, strict=True):
            value = builder.load(result) if isinstance(result, Var) and result.type.ref else result
            builder.store(out, (index, *(FULL,) * (out.type.rank - 1)), value)
    builder.put(ir.For(index, const(0), count, const(1), (), tuple(body), parallel=True))
    places = list(zip(own, params, leaf_axes, strict=True))
    least = {p: _whole(main.facts.least[old], axis) for old, p, axis in places if old in main.facts.least}
    least |= {c: main.facts.least[c] for c in captured if c in main.facts.least}
    longer = _beside(main, [*((old, p, axis) for old, p, axis in places), *((c, c, None) for c in captured)])
    facts = replace(main.facts, no_unit_axes=frozenset(arrays), least=least, longer=longer)
    fun = Fun(f"{main.name}_vmap", (*params, *captured), tuple(builder.out), tuple(outs), facts)
    if not least and not longer and not lengths(fun).shapes.met:  # it is the same for all lengths
        fun = replace(fun, facts=replace(facts, no_unit_axes=frozenset()))
    return Program(fun, program.callees)


def _beside(main: Fun, places: Sequence[tuple[Var, Var, int | None]]) -> tuple[ir.Longer, ...]:
    """Which axes of what is mapped over are longer than multiples of others, where those of an item are."""
    new = {old: (p, axis) for old, p, axis in places}

    def whole(old: Var, axis: int) -> tuple[Var, int]:
        p, mapped = new[old]
        return p, axis if mapped is None or axis < mapped % p.type.rank else axis + 1

    return tuple(ir.Longer(*whole(a, i), n, *whole(b, k), by) for a, i, n, b, k, by in main.facts.longer)


def _whole(least: tuple[int, ...], axis: int | None) -> tuple[int, ...]:
    """How long the axes of what is mapped over are at least, where those of an item are at least that."""
    if axis is None:
        return least
    place = axis % (len(least) + 1)
    return (*least[:place], 2, *least[place:])


def _dim(builder: Builder, array: Atom, axis: int) -> Atom:
    return builder.let(registry.PRIMITIVES["dim"], array, name="n", axis=axis % array.type.rank)


def _at(
    builder: Builder, main: Fun, params: Sequence[Var], axes: Sequence[int | None], captured: Sequence[Var], index: Atom
) -> tuple[Atom, ...]:
    """The function at one item; gives its results."""
    items = [_one(builder, p, axis, index) for p, axis in zip(params, axes, strict=True)]
    body, results = walk.instantiate(main, [*items, *captured])
    for stmt in body:
        builder.put(stmt)
    return results


def _one(builder: Builder, param: Var, axis: int | None, index: Atom) -> Atom:
    if axis is None:
        return param
    where: list[ir.Item] = [FULL] * param.type.rank
    where[axis] = index
    return builder.load(param, tuple(where)) if param.type.rank == 1 else builder.view(param, tuple(where))


def _given(builder: Builder, token: Dim, params: Container[Var]) -> Atom | None:
    """A length that is that of an argument's axis."""
    if isinstance(token, Const):
        return token
    if isinstance(token, tuple) and len(token) == 2 and token[0] in params:
        return _dim(builder, token[0], token[1])
    return None


def _shapes(
    builder: Builder, main: Fun, params: Sequence[Var], axes: Sequence[int | None], captured: Sequence[Var], count: Atom
) -> list[list[Atom]]:
    """The shape of each result: that of arguments, or else as for the first item; where there is none, axes of no
    length."""
    if not any(r.type.rank for r in main.results):
        return [[] for _ in main.results]
    with builder.block() as there:
        results = _at(builder, main, params, axes, captured, const(0))
        dims = [[_dim(builder, r, k) for k in range(r.type.rank)] for r in results]
    known = [[_given(builder, token, {*params, *captured}) for token in builder.shapes.dims(r)] for r in results]
    if all(n is not None for row in known for n in row):
        return [[n for n in row if n is not None] for row in known]
    some = builder.let(registry.PRIMITIVES["greater"], count, const(0), name="some")
    shapes = [[Var("n", ir.I8) for _ in row] for row in dims]
    pairs = [pair for row, made in zip(dims, shapes, strict=True) for pair in zip(row, made, strict=True)]
    builder.put(ir.If(some, tuple(there), (), tuple(ir.Out(target, dim, const(0)) for dim, target in pairs)))
    return [list(row) for row in shapes]
