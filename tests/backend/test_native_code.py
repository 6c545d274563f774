"""Machine code that is made when it is asked for gives what Numba's gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numba import njit, prange

from srcgrad.backend.native_code import WaitingLibrary, waiting

INSIDE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # as Numba compiles its own functions


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of waiting libraries of which machine code was made."""
    names: list[str] = []
    original = WaitingLibrary._finalize_specific

    def noted(self: Any) -> None:
        names.append(self.name.rpartition(".")[2])
        original(self)

    monkeypatch.setattr(WaitingLibrary, "_finalize_specific", noted)
    return names


def a_helper() -> Any:
    @njit(**INSIDE)  # type: ignore[untyped-decorator]
    def inner(x: Any, k: int) -> Any:
        if k > 2:
            raise ValueError("too many", k)  # what is not constant is boxed with the help of an environment
        return x.sum() + k

    return inner


def a_caller(helper: Any) -> Any:
    @njit  # type: ignore[untyped-decorator]
    def outer(x: Any, k: int) -> Any:
        return 2.0 * helper(x, k)

    return outer


def check(outer: Any) -> None:
    assert outer(np.ones(3), 1) == 8.0
    with pytest.raises(ValueError, match="too many") as caught:
        outer(np.ones(3), 7)
    assert caught.value.args == ("too many", 7)


def test_only_what_python_calls_has_machine_code(made: list[str]) -> None:
    outer = a_caller(a_helper())
    with waiting():
        outer.compile("f8(f8[::1], i8)")
    assert made == ["outer"]
    check(outer)


def test_others_link_in_what_has_waited(made: list[str]) -> None:
    helper = a_helper()
    with waiting():
        a_caller(helper).compile("f8(f8[::1], i8)")
    other = a_caller(helper)
    check(other)
    assert made == ["outer", *(name for name in made[1:])] and "inner" in made[1:]


def test_a_function_that_has_waited_is_called_by_its_address() -> None:
    @njit  # type: ignore[untyped-decorator]
    def shifted(x: float) -> float:
        return x + 1.0

    @njit  # type: ignore[untyped-decorator]
    def twice(f: Any, x: float) -> float:
        return f(f(x))

    signature = numba.types.FunctionType(numba.float64(numba.float64))
    with waiting():
        shifted.compile("f8(f8)")
        twice.compile((signature, numba.float64))
    assert twice(shifted, 1.0) == 3.0


def test_functions_that_call_each_other_wait_together() -> None:
    @njit  # type: ignore[untyped-decorator]
    def even(n: int) -> bool:
        return True if n == 0 else odd(n - 1)

    @njit  # type: ignore[untyped-decorator]
    def odd(n: int) -> bool:
        return False if n == 0 else even(n - 1)

    with waiting():
        assert even(10) and not even(7)


def test_loops_in_parallel() -> None:
    @njit(parallel=True)  # type: ignore[untyped-decorator]
    def doubled(x: Any) -> Any:
        y = np.empty_like(x)
        for i in prange(x.shape[0]):
            y[i] = 2.0 * x[i]
        return y

    with waiting():
        assert np.array_equal(doubled(np.arange(1000.0)), 2.0 * np.arange(1000.0))


def test_nothing_waits_outside() -> None:
    codegen = numba.core.registry.cpu_target.target_context.codegen()
    with pytest.raises(RuntimeError, match="inside"), waiting():
        raise RuntimeError("inside")
    assert codegen._library_class is not WaitingLibrary


MODULE = """
import numpy as np
from numba import njit
from srcgrad.backend.native_code import waiting

@njit(cache=True)
def f(x):
    y = np.zeros_like(x)
    if x.size == 2:
        raise ValueError("two", x.size)
    y[:] = 2.0 * x
    return y

with waiting():
    print(f(np.ones(3)), dict(f.stats.cache_hits))
try:
    f(np.ones(2))
except ValueError as error:
    print(error)
"""


def test_what_is_cached_is_whole(tmp_path: Path) -> None:
    script = tmp_path / "cached.py"
    script.write_text(MODULE)
    outs = [
        subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True).stdout for _ in "ab"
    ]
    first, second = (out.splitlines() for out in outs)
    assert first == ["[2. 2. 2.] {}", "('two', 2)"]
    assert second[0].startswith("[2. 2. 2.] {(") and second[1] == first[1]
