"""Sources of small functions that loop over arrays of a fixed rank: NumPy runs them and Numba compiles them fast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LETTERS = "ijklmnopq"


def subscript(name: str, indices: Sequence[str]) -> str:
    """`name[i, j]`, or the bare name of a scalar."""
    return f"{name}[{', '.join(indices)}]" if indices else name


def shape_of(name: str, axes: Sequence[int], ones: Sequence[int] = ()) -> str:
    """The shape of these axes of an array, those among `ones` having length 1."""
    lengths = ["1" if k in ones else f"{name}.shape[{k}]" for k in axes]
    return f"({', '.join(lengths)}{',' if len(lengths) == 1 else ''})"


def nest(name: str, rank: int, body: Sequence[str], depth: int = 1) -> list[str]:
    """The lines of a loop nest over every element of an array, at this depth of indentation."""
    lines = [f"{'    ' * (depth + k)}for {LETTERS[k]} in range({name}.shape[{k}]):" for k in range(rank)]
    return [*lines, *("    " * (depth + rank) + line for line in body)]


def function(name: str, params: str, lines: Sequence[str]) -> str:
    return "\n".join([f"def {name}({params}):", *lines]) + "\n"


def element_type(name: str, dtype: str) -> str:
    """The dtype of a result: that of a float argument, else this one."""
    return f"{name}.dtype" if dtype[0] in "fc" else f"np.{np.dtype(dtype).name}"


def suffix(axes: Sequence[int], keepdims: bool = False) -> str:
    """How a helper's name tells the axes that it goes over."""
    return "".join(f"_{k}" for k in axes) + ("_keepdims" if keepdims else "")


def of_lines(helper: str, rank: int, extra: Sequence[str], dtype: str, empty: str = "") -> str:
    """The source of `helper_RANK`: a helper of lines for each line along the last axis, `extra` being alike for all.

    empty: what to say of lines without elements, if they are refused.
    """
    index = list(LETTERS[: rank - 1])
    call = f"{helper}({', '.join([subscript('x', index), *extra])})"
    lines = ["    if x.shape[-1] == 0:", f"        raise ValueError({empty!r})"] if empty else []
    lines += [f"    out = np.empty(x.shape[:-1], {dtype or 'x.dtype'})"]
    lines += nest("out", rank - 1, [f"{subscript('out', index)} = {call}"])
    return function(f"{helper}_{rank}", ", ".join(["x", *extra]), [*lines, "    return out"])


def along(rank: int, axis: int, start: str, body: Sequence[str], back: bool = False, model: str = "x") -> list[str]:
    """The lines that go along one axis of an array, for each place of the others: `carried` begins as start, `[]` in
    the body stands for the indices of the element."""
    others = [k for k in range(rank) if k != axis]
    lines = [f"{'    ' * (1 + at)}for {LETTERS[k]} in range({model}.shape[{k}]):" for at, k in enumerate(others)]
    margin = "    " * rank
    n = f"{model}.shape[{axis}]"
    steps = f"{n} - 1, -1, -1" if back else n
    here = ", ".join(LETTERS[:rank])
    lines += [f"{margin}carried = {start}", f"{margin}for {LETTERS[axis]} in range({steps}):"]
    return [*lines, *(f"{margin}    {text}".replace("[]", f"[{here}]") for text in body)]
