"""Loading generated modules, the un-jitted names of `math`, the cache folder and fingerprints."""

from __future__ import annotations

import copy
import dataclasses
import math
import random
import types
from pathlib import Path

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.backend import cache, cpu, shim
from srcgrad.compiler.fingerprint import fingerprint
from srcgrad.core import ir

ROWS = ir.Type("f8", 1, ref=True)


def test_the_options_of_njit():
    assert cpu.jit_options(()) == "nogil=True, cache=True, error_model='numpy'"
    assert cpu.jit_options(cpu.FAST).endswith("fastmath={'arcp', 'contract', 'nsz', 'reassoc'}")
    assert cpu.jit_options(True, cache=False) == "nogil=True, cache=False, error_model='numpy', fastmath=True"


def test_un_jitted_code_divides_as_jitted_code_does(tmp_path):
    path = tmp_path / "divides_plain.py"
    path.write_text("import math\ndef f(x):\n    return 1.0 / x, math.log(x), math.sqrt(-1.0 - x)\n")
    one, log, root = cpu.load(path, "f", (ir.F8,), jit=False)(0.0)
    assert (one, log) == (math.inf, -math.inf) and math.isnan(root)
    assert type(one) is float


def test_compiled_code_takes_its_own_types_only(tmp_path):
    path = tmp_path / "doubles_jitted.py"
    path.write_text("from numba import njit\n@njit\ndef f(x):\n    return x * 2.0\n")
    f = cpu.load(path, "f", (ROWS,), jit=True)
    assert f(np.ones(2)).tolist() == [2.0, 2.0]
    for other in (np.ones(2, np.float32), np.ones((2, 2)), np.ones(4)[::2], 1.0):
        with pytest.raises(cpu.Mismatch):
            f(other)


@pytest.mark.parametrize(("name", "x"), [("sin", 0.3), ("atan", 0.3), ("gamma", 2.5), ("erf", 0.3), ("floor", -1.5)])
def test_the_shim_agrees_with_math(name, x):
    assert getattr(shim.math_shim(), name)(np.float64(x)) == pytest.approx(getattr(math, name)(x), rel=1e-15)


def test_the_shim_does_not_raise_where_math_does():
    with np.errstate(all="ignore"):
        names = shim.math_shim()
        assert names.exp(np.float64(1e4)) == math.inf
        assert math.isnan(names.acos(np.float64(2.0)))
        assert names.lgamma(np.float64(0.0)) == math.inf


def test_the_folder_is_the_users_choice(tmp_path, monkeypatch):
    monkeypatch.setenv("SRCGRAD_CACHE_DIR", str(tmp_path / "here"))
    assert cache.folder() == tmp_path / "here"
    monkeypatch.delenv("SRCGRAD_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache.sys, "platform", "linux")
    assert cache._platform_folder() == tmp_path / "srcgrad"


def test_a_folder_that_cannot_be_made_gives_way(tmp_path):
    (tmp_path / "file").write_text("")
    assert cache._usable(str(tmp_path / "file" / "below")) == cache.temporary()


def test_writing_the_same_leaves_the_file_alone(tmp_path):
    path = tmp_path / "m.py"
    cache.write(path, b"1")
    stamp = path.stat().st_mtime_ns
    cache.write(path, b"1")
    assert path.stat().st_mtime_ns == stamp
    assert cache.recall(path) is None
    assert cache.remember(path, {"a": 1}) and cache.recall(path) == ({"a": 1}, "1")
    assert not cache.remember(path, lambda: 1)
    path.with_suffix(".meta").write_bytes(b"broken")
    assert cache.recall(path) is None


def made(factor, count):
    def inner(x):
        return x * factor + count

    return inner


def test_the_version_takes_in_every_file_of_the_package():
    package = Path(sg.__file__).parent
    files = [str(path).removeprefix(str(package)) for path in package.rglob("*.py")]
    assert "/rules/scalar/elementwise.py" in files
    assert [name for name in files if f"{name!r}, {(package / name[1:]).stat().st_size}, " not in cache.version()] == []


def test_fingerprints():
    def print_of(factor, count):
        return fingerprint(made(factor, count)).hexdigest()

    assert print_of(2.0, 1) == print_of(3.0, 1)  # floats are read at each call
    assert print_of(2.0, 1) != print_of(2.0, 2)  # integers are part of the program
    assert print_of(2.0, 1) != print_of(np.float32(2.0), 1)
    assert print_of(np.ones(2), 1) == print_of(np.zeros(3), 1)
    assert print_of(np.ones(2), 1) != print_of(np.ones((2, 2)), 1)
    assert print_of(2.0, 1) != print_of(math.pi, 1)  # constants of math are literals
    assert print_of(made(1.0, 1), 1) == print_of(made(1.0, 1), 1)
    assert print_of(made(1.0, 1), 1) != print_of(made(1.0, 2), 1)
    assert fingerprint(made(2.0, 1)).portable
    assert not fingerprint(made(object(), 1)).portable


def test_a_module_is_asked_for_nothing_by_a_fingerprint() -> None:
    module = types.ModuleType("with_names_of_its_own")
    exec("def __getattr__(name):\n    raise RuntimeError(name)\ndef helper(x):\n    return x\n", vars(module))
    fun = eval("lambda x: module.helper(x) + module.missing", {"module": module})
    assert fingerprint(fun).hexdigest() == fingerprint(fun).hexdigest()


def test_functions_that_a_doctest_defines_in_a_library() -> None:
    """They stand in the library's namespace, and are told apart by what they do all the same."""
    made = []
    for text in ("lambda x: x + 1.0", "lambda x: x * 2.0"):
        space = {"__name__": "srcgrad.api"}
        made.append(eval(compile(text, "<doctest srcgrad.api.grad[2]>", "eval"), space))
    assert fingerprint(made[0]).hexdigest() != fingerprint(made[1]).hexdigest()


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: copy.copy(x),
        lambda x: copy.deepcopy(x),
        lambda x: dataclasses.asdict(x),
        lambda x: dataclasses.astuple(x),
        lambda x: dataclasses.replace(x),
        lambda x: random.gauss(x, 1.0),
    ],
)
def test_what_functions_of_the_standard_library_do_inside_does_not_keep_from_the_cache(fun):
    print_ = fingerprint(fun)
    assert print_.portable
    assert len(print_.functions) < 40
