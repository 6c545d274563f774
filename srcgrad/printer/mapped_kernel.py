"""The text of a kernel that calls a device function, one item a thread."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """What a thread hands over: the item of an array along an axis, or all of it (None), which all threads share.

    narrow: whether it holds integers of other than 64 bits, which a thread computes with as such.
    """

    rank: int
    axis: int | None
    narrow: bool = False

    def item(self, name: str, index: str) -> str:
        if self.axis is None:
            return name
        if self.rank == 1 and self.narrow:
            return f"np.int64({name}[{index}])"
        after = self.rank - 1 - self.axis
        return f"{name}[{', '.join([':'] * self.axis + [index] + [':'] * after)}]" if self.axis else f"{name}[{index}]"

    def length(self, name: str) -> str:
        return f"{name}.shape[{self.axis}]"


def parameters(module: str, function: str) -> list[str]:
    """The names of the parameters of a function of a module."""
    defs = (node for node in ast.parse(module).body if isinstance(node, ast.FunctionDef))
    return next([a.arg for a in node.args.args] for node in defs if node.name == function)


@dataclass(frozen=True, slots=True)
class Mapped:
    """A device function of a module. It takes an item of each of args, then memory for each array that it gives back,
    then work arrays, then what all threads share; it returns the numbers among its results.

    outs: a wish for the name of each number that it gives back, "" for an array. works: the ranks of the work arrays.
    """

    module: str
    function: str
    args: Sequence[Argument]
    outs: Sequence[str] = ()
    works: Sequence[int] = ()


class _Names:
    """The names in a kernel: those of the device function's parameters, and free ones beside them."""

    def __init__(self, mapped: Mapped) -> None:
        own = parameters(mapped.module, mapped.function)
        self.taken = {*own, mapped.function, "cuda", "math", "np"}
        self.args, more = own[: len(mapped.args)], iter(own[len(mapped.args) :])
        self.outs = ["" if wish else next(more) for wish in mapped.outs]
        self.outs = [self.free(wish) if wish else name for name, wish in zip(self.outs, mapped.outs, strict=True)]
        self.works = [next(more) for _ in mapped.works]
        self.shared = list(more)
        self.item, self.thread = self.free("i"), self.free("thread")

    def free(self, wish: str) -> str:
        name, count = wish, 1
        while name in self.taken:
            count += 1
            name = f"{wish}_{count}"
        self.taken.add(name)
        return name


def mapped_kernel(mapped: Mapped) -> str:
    """The kernel `{function}_kernel(*args, *outs, *works, *shared)`."""
    names = _Names(mapped)
    given = [f"{name}[{names.item}]" for name, wish in zip(names.outs, mapped.outs, strict=True) if wish]
    params = [*names.args, *names.outs, *names.works, *names.shared]
    call = f"{', '.join(given)} = {_call(mapped, names)}" if given else _call(mapped, names)
    return "\n".join([*_head(mapped, names, params), f"        {call}", ""])


def counting_kernel(mapped: Mapped, count: int) -> str:
    """The kernel `{function}_kernel(*args, rows)` for a device function that returns so many lengths: the largest of
    all items' go into rows."""
    names = _Names(mapped)
    rows, lengths = names.free("rows"), names.free("lengths" if count > 1 else "length")
    each = [f"{lengths}[{k}]" for k in range(count)] if count > 1 else [lengths]
    lines = [f"        cuda.atomic.max({rows}, {k}, {length})" for k, length in enumerate(each)]
    head = _head(mapped, names, [*names.args, rows])
    return "\n".join([*head, f"        {lengths} = {_call(mapped, names)}", *lines, ""])


def _head(mapped: Mapped, names: _Names, params: Sequence[str]) -> list[str]:
    """The lines up to what is done for an item; where there are work arrays, a thread takes one item after another."""
    items = next(arg.length(n) for n, arg in zip(names.args, mapped.args, strict=True) if arg.axis is not None)
    lines = ["@cuda.jit(cache=True)", f"def {kernel_name(mapped.function)}({', '.join(params)}):"]
    if mapped.works:
        loop = f"    for {names.item} in range({names.thread}, {items}, cuda.gridsize(1)):"
        return [*lines, f"    {names.thread} = cuda.grid(1)", loop]
    return [*lines, f"    {names.item} = cuda.grid(1)", f"    if {names.item} < {items}:"]


def _call(mapped: Mapped, names: _Names) -> str:
    """The call for an item."""
    items = [arg.item(name, names.item) for name, arg in zip(names.args, mapped.args, strict=True)]
    items += [f"{name}[{names.item}]" for name, wish in zip(names.outs, mapped.outs, strict=True) if not wish]
    items += [f"{n}[{':, ' * rank}{names.thread}]" for n, rank in zip(names.works, mapped.works, strict=True)]
    return f"{mapped.function}({', '.join([*items, *names.shared])})"


def kernel_name(function: str) -> str:
    return f"{function}_kernel"
