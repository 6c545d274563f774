"""`python -m tests.rules.coverage` writes docs/numpy-coverage.md: which functions of NumPy may be differentiated."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba.np.arraymath
import numba.np.arrayobj
import numba.np.linalg
import numba.np.polynomial
import numba.np.random.random_methods
import numpy as np
from numba.core.registry import cpu_target

import srcgrad.rules  # noqa: F401
from srcgrad.rules.language.registry import FUNCTIONS

PAGE = Path(__file__).parent.parent.parent / "docs" / "numpy-coverage.md"
HOMES = {
    "np": np,
    "np.linalg": np.linalg,
    "np.random": np.random,
    "np.lib.stride_tricks": np.lib.stride_tricks,
}
OLD = {"np.row_stack", "np.in1d", "np.trapz"}  # another name, that NumPy takes back

INTEGERS = "gives integers or booleans; not yet read inside a differentiated function"
SETS = "picks elements into an array whose length depends on their values; not yet"
TYPES = "a type of numbers that carry no derivative"
MEMORY = "reinterprets memory"
STEPS = "steps between neighbouring floats, or a description of their type"
WINDOWS = "makes constants of an integer: compute them outside"
NOT_YET = "has a derivative; not yet"
REASONS = {
    INTEGERS: """np.allclose np.argwhere np.array_equal np.bincount np.broadcast_shapes np.histogram np.isclose
        np.iscomplex np.iscomplexobj np.isin np.isnat np.isneginf np.isposinf np.isreal np.isrealobj np.isscalar
        np.linalg.matrix_rank
        np.nanargmax np.nanargmin np.tril_indices_from np.triu_indices_from np.flatnonzero np.nonzero np.digitize
        np.searchsorted np.argsort np.argpartition""",
    SETS: "np.extract np.intersect1d np.setdiff1d np.setxor1d np.trim_zeros np.union1d np.unique",
    MEMORY: "np.frombuffer np.lib.stride_tricks.as_strided np.lib.stride_tricks.sliding_window_view",
    STEPS: "np.nextafter np.spacing np.finfo np.iinfo np.dtype",
    WINDOWS: "np.bartlett np.blackman np.hamming np.hanning np.kaiser",
    "checks its argument and gives it back: check it outside": "np.asarray_chkfinite",
    "an order of memory: derivatives are of C order": "np.asfortranarray",
    "its derivative is that of the roots of a polynomial, complex in general: use `newton`": "np.roots",
    "eigenvalues of a general matrix are complex": "np.linalg.eig np.linalg.eigvals",
    "repeats or cuts its argument: use np.tile and a slice": "np.resize",
}


def compiled_by_numba() -> dict[str, Any]:
    """The functions that Numba's type inference knows, by the names users write."""
    context = cpu_target.typing_context
    context.refresh()
    found: dict[str, Any] = {}
    for home, space in HOMES.items():
        for name in sorted(vars(space)):
            value = vars(space)[name]
            if name.startswith("_") or not callable(value) or f"{home}.{name}" in OLD:
                continue
            if inspect.isclass(value) and not issubclass(value, np.generic):
                continue
            if context._lookup_global(value) is not None:
                found[f"{home}.{name}"] = value
    return found


def missing() -> list[str]:
    return [name for name, function in compiled_by_numba().items() if function not in FUNCTIONS]


def reasons() -> dict[str, str]:
    """Of each missing function, why."""
    given = {name: why for why, names in REASONS.items() for name in names.split()}
    for name, function in compiled_by_numba().items():
        if inspect.isclass(function):
            given[name] = TYPES
    return {name: given.get(name, NOT_YET) for name in missing()}


VERSIONS = f"NumPy {np.__version__} and Numba {numba.__version__}"


def page() -> Iterator[str]:
    total, why = len(compiled_by_numba()), reasons()
    yield "# NumPy's functions that Numba compiles\n\n"
    yield f"Of the {total} functions of NumPy that Numba compiles, {total - len(why)} may stand in a differentiated\n"
    yield f"function. The others, and why (with {VERSIONS}; written by\n`python -m tests.rules.coverage`):\n\n"
    yield "| why not | functions |\n| --- | --- |\n"
    for reason in sorted(set(why.values())):
        names = " ".join(name for name, its in why.items() if its == reason)
        yield f"| {reason} | `{names}` |\n"


def main() -> None:
    PAGE.write_text("".join(page()), encoding="utf-8")


if __name__ == "__main__":
    main()
