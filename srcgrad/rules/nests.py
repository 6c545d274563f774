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
    lines = [
        f"{'    ' * (depth + k)}for {LETTERS[k]} in range({name}.shape[{k}]):" for k in range(rank)
    ]  # fmt: skip
    return [*lines, *("    " * (depth + rank) + line for line in body)]


def function(name: str, params: str, lines: Sequence[str]) -> str:
    return "\n".join([f"def {name}({params}):", *lines]) + "\n"


def element_type(name: str, dtype: str) -> str:
    """The dtype of a result: that of a float argument, else this one."""
    return f"{name}.dtype" if dtype[0] in "fc" else f"np.{np.dtype(dtype).name}"


def suffix(axes: Sequence[int], keepdims: bool = False) -> str:
    """How a helper's name tells the axes that it goes over."""
    return "".join(f"_{k}" for k in axes) + ("_keepdims" if keepdims else "")
