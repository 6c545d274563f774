"""Functions that loop over the elements of arrays of known ranks, as text: those whose body is a template, or follows
from the letters of axes. Those that can be written in Python are (see `loop_nests`)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from srcgrad.rules.language.over_elements import Contraction, EachElement

LETTERS = "ijklmnopq"


def _matrix_by_matrix(left: str, right: str, out: str) -> list[str]:
    """Of stacks of matrices: the lines that multiply large ones by BLAS (loops are faster below 16)."""
    if not len(left) == len(right) == len(out) == 3 or not left[0] == right[0] == out[0]:
        return []
    (summed,) = set(left[1:]) & set(right[1:]) or {""}
    if not summed or summed in out:
        return []
    sides = {c: (name, letters) for name, letters in (("a", left), ("b", right)) for c in letters[1:] if c != summed}
    first, second = sides[out[1]], sides[out[2]]
    one = f"np.ascontiguousarray({first[0]}[{out[0]}]){'' if first[1][2] == summed else '.T'}"
    other = f"np.ascontiguousarray({second[0]}[{out[0]}]){'' if second[1][1] == summed else '.T'}"
    lines = [f"    if min({', '.join(f'a.shape[{k}]' for k in (1, 2))}) >= 16:"]
    lines += [f"        for {out[0]} in range(a.shape[0]):", f"            out[{out[0]}] = {one} @ {other}"]
    return [*lines, "        return out"]


def contraction(name: str, of: Contraction) -> str:
    """The function that multiplies two arrays and adds up over the letters that the result has not."""
    left, right, out, dtype = of.left, of.right, of.out, of.dtype
    shape = {**{c: f"b.shape[{k}]" for k, c in enumerate(right)}, **{c: f"a.shape[{k}]" for k, c in enumerate(left)}}
    differ = [f"{shape[c]} != b.shape[{k}]" for k, c in enumerate(right) if c in left]
    check = f"    if {' or '.join(differ)}:"
    lines = [check, '        raise ValueError("lengths that must be equal differ")'] if differ else []
    element = _subscript("out", out)
    lengths = "".join(f"{shape[c]}, " for c in out).removesuffix(", " if len(out) > 1 else " ")
    lines.append(f"    out = np.zeros(({lengths}), a.dtype)" if out else "    out = a.dtype.type(0)")
    lines += _matrix_by_matrix(left, right, out) if dtype[0] == "f" else []
    summed = [c for c in shape if c not in out]
    inner = out[-1:] if out and out[-1] in (left[-1], right[-1]) else ""  # memory is gone through in its order
    order = [*out[: len(out) - len(inner)], *sorted(summed), *inner]
    for depth, c in enumerate(order, 1):
        lines.append(f"{'    ' * depth}for {c} in range({shape[c]}):")
    step = f"{element} += {_subscript('a', left)} * {_subscript('b', right)}"
    return _function(name, "a, b", [*lines, "    " * (len(order) + 1) + step, "    return out"])


def each_element(name: str, each: EachElement) -> str:
    """The function that computes a template for each element of what its arguments broadcast to."""
    code, types, single = each.template, each.types, each.single
    names = "xyzuvw"[: len(types)]
    high = max(t.rank for t in types)
    arrays = [(n, t) for n, t in zip(names, types, strict=True) if t.rank]
    if len(arrays) == 1:
        lines = [f"    out = np.empty({arrays[0][0]}.shape, np.{'float32' if single else 'float64'})"]
    else:
        floats = any(t.dtype[0] == "f" for _, t in arrays)
        both = " + ".join(n for n, _ in arrays)
        lines = ["    # of the shape to which they broadcast", f"    out = {both}{'' if floats else ' + 0.0'}"]
    elements = {n: n for n in names}
    for n, t in arrays:
        index = list(LETTERS[high - t.rank : high])
        if len(arrays) > 1:
            lines += [f"    {n}_{axis} = 0 if {n}.shape[{axis}] == 1 else 1" for axis in range(t.rank)]
            index = [f"{letter} * {n}_{axis}" for axis, letter in enumerate(index)]
        elements[n] = _subscript(n, index)
    body = re.sub(r"\b_([0-9])\b", lambda m: elements[names[int(m[1])]], code)
    lines += _nest("out", high, [f"{_subscript('out', LETTERS[:high])} = {body}"])
    return _function(name, ", ".join(names), [*lines, "    return out"])


def _subscript(name: str, indices: Sequence[str]) -> str:
    """`name[i, j]`, or the bare name of a scalar."""
    return f"{name}[{', '.join(indices)}]" if indices else name


def _nest(name: str, rank: int, body: Sequence[str]) -> list[str]:
    """The lines of a loop nest over every element of an array."""
    lines = [f"{'    ' * (k + 1)}for {LETTERS[k]} in range({name}.shape[{k}]):" for k in range(rank)]
    return [*lines, *("    " * (rank + 1) + line for line in body)]


def _function(name: str, params: str, lines: Sequence[str]) -> str:
    return "\n".join([f"def {name}({params}):", *lines]) + "\n"
