"""The page on passes: its code runs, and the pass that it speaks of does what it shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from srcgrad.compiler import program
from srcgrad.core import ir
from srcgrad.core.ir import Program
from srcgrad.core.read_text import read
from srcgrad.core.write_text import write
from srcgrad.rules.language.registry import PRIMITIVES
from srcgrad.simplify.memory.repeated_stores import remove_repeated_stores
from srcgrad.simplify.pipeline import PASSES

PAGE = (Path(__file__).parents[2] / "docs" / "adding-a-pass.md").read_text(encoding="utf-8")
BEFORE, AFTER = re.findall(r"```\n;[^\n]*\n(.*?)-{40}\n(.*?)```", PAGE, re.DOTALL)[0]


def shown(word: str) -> dict[str, Any]:
    """What the block of code with this word defines."""
    (code,) = (text for text in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if word in text)
    names: dict[str, Any] = {}
    exec(code, names)
    return names


def test_the_text_test_shown_is_true() -> None:
    fun = read(BEFORE, PRIMITIVES).main
    assert write(Program(remove_repeated_stores(fun))).strip() == AFTER.strip()


def test_the_pass_shown_removes_remarks_and_nothing_else() -> None:
    remove_remarks = shown("def remove_remarks")["remove_remarks"]
    fun = read(AFTER, PRIMITIVES).main
    assert remove_remarks(fun) is fun
    said = ir.Fun(fun.name, fun.params, (ir.Remark("a word"), *fun.body), fun.results)
    assert remove_remarks(said).body == fun.body


def test_printing_between_passes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    shown("def show_passes")["show_passes"](AFTER)
    printed = capsys.readouterr().out
    assert all(pass_.__name__ in printed for pass_ in PASSES)
    monkeypatch.setattr(program, "WATCHERS", [])
    shown("def show(")
    program.tidy(read(AFTER, PRIMITIVES))
    assert "after simplify:\nfun f(x: f8):\n    return x\n" in capsys.readouterr().out
