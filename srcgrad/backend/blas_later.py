"""SciPy, which has Numba's BLAS, is imported where it is needed, not as soon as Numba compiles anything.

When Numba first compiles or loads a function, it imports `scipy.linalg` to see whether products of matrices are to be
had: a third of the first call of a derivative that is in the cache. For ours it is enough to see that SciPy is there.
Machine code that calls BLAS imports it by itself, but where Ctrl-C ends that import, it ends the process; so SciPy is
imported before such code is run. What code of others calls is not known: in front of it, SciPy is imported as ever.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from numba.core.registry import cpu_target
from numba.np import linalg

ARRAYS = "numba.np.arraymath"
CALLS = re.compile(r"numba_(xx|xgesv|ez_|raw_)")  # Numba's functions that call BLAS and LAPACK
_OURS = threading.local()


@contextmanager
def ours() -> Iterator[None]:
    """What is compiled or loaded in here is told to `before_running`."""
    before = getattr(_OURS, "now", False)
    _OURS.now = True
    try:
        yield
    finally:
        _OURS.now = before


def import_arrays() -> None:
    """Import what Numba knows of arrays, and leave SciPy for later, if neither has been imported."""
    if ARRAYS in sys.modules or "scipy.linalg" in sys.modules:
        return
    ensure = linalg.ensure_blas
    linalg.ensure_blas = _expect_scipy
    try:
        importlib.import_module(ARRAYS)
    finally:
        linalg.ensure_blas = ensure
        if ARRAYS in sys.modules:
            sys.modules[ARRAYS].ensure_blas = ensure  # type: ignore[attr-defined]
    cpu_target.target_context.refresh = _refresh


def before_running(library: Any) -> None:
    """Import SciPy, if it was left for later and this code calls BLAS."""
    if not _waits():
        return
    modules = (library._final_module, library._shared_module)  # what is loaded has its functions in the latter
    if any(CALLS.match(f.name) for module in modules if module is not None for f in module.functions):
        _import_blas()


def _waits() -> bool:
    return "refresh" in vars(cpu_target.target_context)


def _refresh() -> None:
    """What Numba calls in front of all that it compiles or loads."""
    context = cpu_target.target_context
    if not getattr(_OURS, "now", False):
        _import_blas()
    type(context).refresh(context)


def _import_blas() -> None:
    with suppress(ImportError):  # Numba tells of it where a product is compiled
        linalg.ensure_blas()
        linalg.ensure_lapack()
    vars(cpu_target.target_context).pop("refresh", None)


def _expect_scipy() -> None:
    if importlib.util.find_spec("scipy.linalg") is None:
        raise ImportError("SciPy is needed for products of matrices")
