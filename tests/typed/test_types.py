"""What type checkers see: a package that uses every public name, checked by mypy and pyright, and run."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import subprocess
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mypy import api as mypy

import srcgrad as sg
from srcgrad import testing

HERE = Path(__file__).parent / "example"
ROOT = HERE.parents[2]
RUN = ("gradients", "products", "solvers", "around")
ELSEWHERE = {"in_other_libraries"}  # what needs libraries that may be missing


def programs() -> list[Any]:
    """The functions of the package that are run: those without parameters."""
    out = []
    for name in RUN:
        module = importlib.import_module(f"tests.typed.example.{name}")
        own = [f for f in vars(module).values() if inspect.isfunction(f) and f.__module__ == module.__name__]
        out += [f for f in own if not inspect.signature(f).parameters and f.__name__ not in ELSEWHERE]
    return out


def is_of(value: Any, kind: Any) -> bool:
    """Whether a value is of the type that a checker gives it."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return True
    if origin is tuple:
        if parts[-1] is Ellipsis:
            return isinstance(value, tuple) and all(is_of(item, parts[0]) for item in value)
        return isinstance(value, tuple) and len(value) == len(parts) and all(map(is_of, value, parts))
    if origin is np.ndarray:
        return isinstance(value, np.ndarray) and value.dtype == np.dtype(typing.get_args(parts[1])[0])
    if origin is not None:
        return callable(value)
    return isinstance(value, kind)


def test_every_public_name_is_used() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in HERE.glob("*.py")]
    used = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert {*sg.__all__, *sg.BRIDGES, *sg.cuda.__all__, *testing.__all__} <= used


@pytest.mark.parametrize("program", programs(), ids=lambda f: f.__name__)
def test_values_are_of_the_types_that_checkers_give_them(program: Callable[[], None], monkeypatch: Any) -> None:
    def checked(value: Any, kind: Any) -> Any:
        assert is_of(value, kind), (value, kind)
        return value

    monkeypatch.setitem(program.__globals__, "assert_type", checked)
    program()


def test_mypy() -> None:
    options = ["--strict", "--config-file=", "--follow-imports=silent", "--explicit-package-bases"]
    told, errors, status = mypy.run([*options, str(HERE)])
    assert status == 0, told + errors


def test_pyright(tmp_path: Path) -> None:
    pytest.importorskip("pyright", reason="pyright is not installed")
    config = {
        "include": [os.path.relpath(HERE, tmp_path)],
        "extraPaths": [str(ROOT)],
        "typeCheckingMode": "strict",
        "reportUnnecessaryTypeIgnoreComment": "error",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "-p", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
