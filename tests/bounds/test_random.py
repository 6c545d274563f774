"""Random programs that index arrays: the derivative raises if and only if the function does, and by a check of ours."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.bounds.generate import Program, arguments

EACH, PROGRAMS = 6, 40


def load(path: Path, text: str) -> Any:
    path.write_text("import numpy as np\n\n\n" + text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.f


def raised(call: Any, *args: Any) -> BaseException | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(*(a.copy() if isinstance(a, np.ndarray) else a for a in args))
    except sg.UnsupportedError:
        raise
    except Exception as error:
        return error
    return None


def agree(ours: BaseException | None, theirs: BaseException | None) -> bool:
    """Whether both raise the same kind of error, ours from a check (before anything was read out of range)."""
    if theirs is None or ours is None:
        return theirs is ours
    return isinstance(ours, sg.SrcgradError) and isinstance(ours, type(theirs))


def differences(f: Any, seed: int, count: int) -> list[Any]:
    derivatives = {"reverse": sg.grad(f, jit=False), "forward": sg.grad(f, jit=False, mode="forward")}
    out = []
    for k in range(count):
        args = arguments(1000 * seed + k)
        theirs = raised(f, *args)
        for mode, derivative in derivatives.items() if k < 2 else [("reverse", derivatives["reverse"])]:
            ours = raised(derivative, *args)
            if not agree(ours, theirs):
                out.append((mode, args, ours, theirs))
    return out


def check(seed: int, folder: Path, count: int = EACH) -> None:
    text = Program(seed).text
    f = load(folder / f"program_{seed}.py", text)
    try:
        found = differences(f, seed, count)
    except sg.UnsupportedError:
        return  # the generator may combine what the language does not have
    assert not found, f"program {seed}:\n{text}\n" + "\n".join(map(str, found[:3]))


@pytest.mark.parametrize("start", range(0, PROGRAMS, 10))
def test_raises_exactly_when_the_function_does(start: int, tmp_path: Path) -> None:
    for seed in range(start, start + 10):
        check(seed, tmp_path)
