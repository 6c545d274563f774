"""Small functions that generated modules define for themselves, for what Numba has no expression for."""

from __future__ import annotations

from collections.abc import Sequence


def grow(rank: int, axes: Sequence[int], zeros: bool) -> tuple[str, str]:
    """(name, source) of: memory with room for an index along these axes, twice as long along those that are full."""
    name = "grow" if tuple(axes) == (0,) else f"grow_{rank}_{''.join(map(str, axes))}"
    name += "_zeros" if zeros else ""
    places = [f"i{k}" for k in axes] if len(axes) > 1 else ["i"]
    fits = " and ".join(f"{i} < kept.shape[{k}]" for i, k in zip(places, axes, strict=True))
    lengths = [f"kept.shape[{k}]" for k in range(rank)]
    for i, k in zip(places, axes, strict=True):
        longer = f"max(2 * kept.shape[{k}], {i} + 1)"
        lengths[k] = longer if len(axes) == 1 else f"kept.shape[{k}] if {i} < kept.shape[{k}] else {longer}"
    rows = tuple(axes) == (0,)  # one helper for every rank
    shape = f"({lengths[0]},) + kept.shape[1:]" if rows else f"({', '.join(lengths)})"
    filled = ", ".join(f":kept.shape[{k}]" for k in range(1 if rows else rank))
    return (
        name,
        f"""\
def {name}(kept, {", ".join(places)}):
    # the same numbers with room for more: twice as long when it is full
    if {fits}:
        return kept
    bigger = np.{"zeros" if zeros else "empty"}({shape}, kept.dtype)
    bigger[{filled}] = kept
    return bigger
""",
    )


def add_at(rank: int, axes: Sequence[int], front: int, scalar: bool) -> tuple[str, str]:
    """(name, source) of: a[places] += values where repeated places add up.

    axes: those of `a` that the arrays of places index; front: where in `values` their common axis stands.
    """
    name = f"add_at_{rank}_{''.join(map(str, axes))}_{'scalar' if scalar else front}"
    places = [f"places{k}" for k in axes] if len(axes) > 1 else ["places"]
    index = [":"] * rank
    for k, p in zip(axes, places, strict=True):
        index[k] = f"{p}[k]"
    value_index = [":"] * (rank - len(axes) + 1)
    value_index[front] = "k"
    value = "values" if scalar else f"values[{', '.join(value_index)}]"
    check = (
        ""
        if scalar
        else f"""\
    if values.shape[{front}] != len({places[0]}):
        raise ValueError("as many values as places must be added")
"""
    )
    return (
        name,
        f"""\
def {name}(a, {", ".join(places)}, values):
{check}    for k in range(len({places[0]})):
        a[{", ".join(index)}] += {value}
""",
    )
