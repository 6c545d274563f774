"""The commands `srcgrad show`, `check`, `save`, `explain`, `bench` and `rules`, as a terminal runs them."""

from __future__ import annotations

import io
import runpy
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from srcgrad.derivatives import stages
from srcgrad.terminal import bench, colours
from srcgrad.terminal.command import COMMANDS, main

MODEL = """
import math

import numpy as np
from srcgrad import custom_jvp, grad, reverse


def loss(x: np.ndarray, n: int = 2):
    s = 1.0
    for i in range(n):
        s = s * math.sin(x[i])
    return s


@grad
def square(x):
    return x * x


def opens(x):
    with open("log") as log:
        log.write("x")
    return x


def of_negative(x):
    return math.log(-x)


def outer(x: np.ndarray, y: np.ndarray):
    return x[0] * y


class Model:
    def cost(w: np.ndarray):
        return np.sum(w * w)


@custom_jvp
def lying(x):
    return 3.0 * x


lying.defjvp(lambda primals, tangents: (3.0 * primals[0], 2.0 * tangents[0]))


def wrong(x):
    return lying(x)


RATE = 3
"""


class Said(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    err: str


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file, in the folder where the command runs."""
    path = tmp_path / f"model_{tmp_path.name}.py"
    path.write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return path


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]):
    def run(*args: str) -> Said:
        status = main(args)
        return Said(status, *capsys.readouterr())

    return run


def test_the_source_is_that_of_the_derivative(say, model: Path) -> None:
    said = say("show", f"{model.name}:loss")
    assert said.status == 0
    assert "def loss_grad(x, n):" in said.out and "x_bar[i] = s_bar" in said.out
    forward = say("show", f"{model.name}:loss", "--mode", "forward").out
    assert "x_dot" in forward and "x_bar" not in forward


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["square"], "return 2.0 * x"),  # the file has the derivative itself
        (["Model.cost"], "def cost_grad(w):"),
        (["loss", "--args", "np.ones(3), n=3"], "def loss_grad(x, n):"),
        (["outer", "--kind", "jacobian", "--mode", "reverse"], "def outer_jacrev(x, y):"),
        (["outer", "--kind", "jacobian", "--argnums", "y"], "def outer_jacfwd(x, y):"),
        (["loss", "--kind", "value_and_grad", "--argnums", "0,"], "return s, x_bar"),
        (["loss", "--kind", "hessian"], "def loss_hessian(x, n):"),
        (["loss", "--kind", "compiled"], "def loss(x, n):"),
    ],
    ids=lambda p: " ".join(p) if isinstance(p, list) else "",
)
def test_each_kind_of_derivative(say, model: Path, options: Sequence[str], shown: str) -> None:
    said = say("show", f"{model.name}:{options[0]}", *options[1:])
    assert said.status == 0, said.err
    assert shown in said.out


def test_every_stage_has_a_text(say, model: Path) -> None:
    every = say("show", f"{model.name}:loss", "--stage", "all").out
    for name in stages.NAMES:
        assert f"# ---- {stages.ABOUT[name]}" in every
        alone = say("show", f"{model.name}:loss", "--stage", name).out
        assert alone.strip() in every if name != "source" else "x_bar" in alone
    assert "with s: f8 = 1.0" in say("show", f"{model.name}:loss", "--stage", "lowered").out


def test_the_source_is_the_one_that_the_last_stage_ends_with(model: Path) -> None:
    space = runpy.run_path(str(model))
    made = stages.stages(space["square"], (2.0,), {})
    assert [s.name for s in made] == ["function", "lowered", "simplified", "derived", "tidied", "scheduled", "source"]
    assert made[-1].text == space["square"].source.strip("\n")
    with pytest.raises(Exception, match="there is no stage 'parsed' here"):
        stages.stage(space["square"], "parsed", (2.0,), {})


def test_right_derivatives_are_told(say, model: Path) -> None:
    said = say("check", f"{model.name}:loss", "--points", "2", "--order", "2")
    assert said == Said(0, "loss: derivatives agree with numerical ones at 2 points\n", "")
    assert say("check", f"{model.name}:loss", "--args", "np.ones(4), n=4").out.endswith("at 1 point\n")


def test_a_wrong_derivative_is_told(say, model: Path) -> None:
    said = say("check", f"{model.name}:wrong", "--args", "1.5")
    assert said.status == 1
    assert said.out.startswith("wrong(1.5):\n") and "3" in said.out


def test_a_module_that_runs_alone_is_written(say, model: Path, tmp_path: Path) -> None:
    assert say("save", f"{model.name}:loss", "--args", "np.ones(2)").out.startswith("loss_grad.py: ")
    text = (tmp_path / "loss_grad.py").read_text()
    assert "srcgrad" not in text
    space = runpy.run_path(str(tmp_path / "loss_grad.py"))
    assert space["loss_grad"].py_func(np.array([0.5, 1.0]), 1) == pytest.approx([np.cos(0.5), 0.0])
    for name in (("--out", "double.py"), ("twice.py",)):
        say("save", f"{model.name}:square", *name)
        assert "return 2.0 * x" in (tmp_path / name[-1]).read_text()


def test_costs(say, model: Path) -> None:
    said = say("explain", f"{model.name}:loss").out
    assert "kept for the reverse sweep:" in said and "times as long" in said
    said = say("bench", f"{model.name}:square", "--kind", "grad", "--args", "3.0", "--seconds", "0.01").out
    assert ["square, as Python", "square, compiled", "grad"] == [line[:24].strip() for line in said.splitlines()[1:4]]
    assert "times as long as the compiled function" in said
    assert bench.ROUNDS % 2 == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("np.hypot", "at 0.0, 0.0: the derivative is 0.0, 0.0"),
        ("numpy.maximum", "ties: shared equally"),
        ("logsumexp", "scipy.special.logsumexp"),
        ("math.acos", "for -1 <= x <= 1"),
        ("floor", "carries no derivative"),
        ("np.outer", "put together from other functions"),
    ],
)
def test_what_holds_for_a_function(say, name: str, told: str) -> None:
    said = say("rules", name)
    assert said.status == 0 and told in said.out


def test_all_functions_are_listed(say) -> None:
    said = say("rules").out
    assert {"math:", "np.linalg:", "methods of arrays:"} <= set(said.splitlines())
    assert "cholesky" in said and "sinh" in said


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["show", "{}:missing"], "has no function `missing`; it has "),
        (["show", "{}:RATE"], "`RATE` of {} is no function"),
        (["show", "nowhere.py:f"], "there is no file nowhere.py"),
        (["show", "no_such_package.models:f"], "ModuleNotFoundError"),
        (["show", "{}"], "does not say which function: write FILE:FUNCTION"),
        (["show", "{}:loss", "--args", "np.on(3)"], "has no attribute 'on'"),
        (["show", "{}:loss", "--args", "1.0,"], None),
        (["show", "{}:loss", "--kind", "hessian", "--mode", "forward"], "--mode says nothing for --kind hessian"),
        (["check", "{}:loss", "--args", "1, 2, 3"], "--args do not fit loss(x: numpy.ndarray, n: int = 2)"),
        (["check", "{}:of_negative"], "ValueError"),
        (["rules", "solv"], "there is solve"),
        (["rules", "open"], "read the file outside the function"),
    ],
    ids=lambda p: " ".join(p) if isinstance(p, list) else "",
)
def test_what_cannot_be_done_is_told(say, model: Path, command: Sequence[str], told: str | None) -> None:
    said = say(*(part.format(model.name) for part in command))
    if told is None:  # a number where an array is read: the function is refused
        assert said.status == 1 and f"{model.name}, line" in said.err
    else:
        assert said.status == 2 and told.format(model.name) in said.err
    assert "Traceback" not in said.err


def test_refusals_name_the_line(say, model: Path) -> None:
    said = say("show", f"{model.name}:opens")
    assert said.status == 1
    assert f"{model.name}, line 21, column 5: `with` is understood of" in said.err and "    ^" in said.err


def test_errors_of_the_file_are_its_own(say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "half_done.py").write_text("def f(x):\n    return x\n\n\nlimit = 1 / 0\n")
    said = say("show", "half_done.py:f")
    assert said.status == 2
    assert 'half_done.py", line 5' in said.err and "ZeroDivisionError" in said.err and "subject.py" not in said.err


def test_python_is_coloured_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in colours.coloured("def f(x):\n    return x", Terminal())
    assert colours.coloured("def f(x):", io.StringIO()) == "def f(x):"
    monkeypatch.setenv("NO_COLOR", "1")
    assert colours.coloured("def f(x):", Terminal()) == "def f(x):"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"srcgrad {command}" in capsys.readouterr().out.partition("examples:")[2]


def test_the_module_is_the_command(model: Path) -> None:
    line = [sys.executable, "-m", "srcgrad", "show", f"{model.name}:square"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "return 2.0 * x" in done.stdout
