"""The text of a kernel that calls a device function, one item a thread."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """What a thread hands over: the item of an array along an axis, or all of it (None), which all threads share."""

    rank: int
    axis: int | None

    def item(self, name: str) -> str:
        if self.axis is None:
            return name
        after = self.rank - 1 - self.axis
        return f"{name}[{', '.join([':'] * self.axis + ['i'] + [':'] * after)}]" if self.axis else f"{name}[i]"

    def length(self, name: str) -> str:
        return f"{name}.shape[{self.axis}]"


def parameters(module: str, function: str) -> list[str]:
    """The names of the parameters of a function of a module."""
    defs = (node for node in ast.parse(module).body if isinstance(node, ast.FunctionDef))
    return next([a.arg for a in node.args.args] for node in defs if node.name == function)


def mapped_kernel(module: str, function: str, args: Sequence[Argument], outs: Sequence[str]) -> str:
    """The kernel `{function}_kernel(*args, *outs, *rest)` for a device function of a module that takes an item of each
    of args, then memory for each array that it gives, then what all threads share, and returns the numbers that it
    gives.

    outs: a wish for the name of each number, "" for an array.
    """
    own = parameters(module, function)
    names, written = own[: len(args)], iter(own[len(args) :])
    taken = {*own, function, "i", "cuda", "math", "np"}
    results = [_free(wish, taken) if wish else next(written) for wish in outs]
    rest = list(written)
    items = [arg.item(name) for name, arg in zip(names, args, strict=True)]
    items += [f"{name}[i]" for name, wish in zip(results, outs, strict=True) if not wish]
    numbers = [f"{name}[i]" for name, wish in zip(results, outs, strict=True) if wish]
    call = f"{function}({', '.join([*items, *rest])})"
    length = next(arg.length(name) for name, arg in zip(names, args, strict=True) if arg.axis is not None)
    return "\n".join([
        "@cuda.jit(cache=True)",
        f"def {kernel_name(function)}({', '.join([*names, *results, *rest])}):",
        "    i = cuda.grid(1)",
        f"    if i < {length}:",
        f"        {', '.join(numbers)} = {call}" if numbers else f"        {call}",
        "",
    ])  # fmt: skip


def kernel_name(function: str) -> str:
    return f"{function}_kernel"


def literals(call: str) -> tuple[object, ...] | None:
    """The arguments of a call, given as `(...)`, if all are literals."""
    tree = ast.parse(f"f{call}", mode="eval").body
    assert isinstance(tree, ast.Call)
    try:
        return tuple(ast.literal_eval(arg) for arg in tree.args)
    except ValueError:
        return None


def _free(wish: str, taken: set[str]) -> str:
    name, count = wish, 1
    while name in taken:
        count += 1
        name = f"{wish}_{count}"
    taken.add(name)
    return name
