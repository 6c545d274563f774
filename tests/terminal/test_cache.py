"""`srcgrad cache`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import warm
from srcgrad.rules.language import registry
from srcgrad.terminal.command import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SRCGRAD_CACHE_DIR", str(tmp_path))
    return tmp_path


def test_what_was_generated_is_deleted_and_nothing_else(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sg.grad(lambda x: np.sum(x * np.float64(3.25)), jit=False)(np.ones(2))
    own = [folder / "notes.txt", folder / "model.py", folder / "rates_2024.meta"]
    for path in own:
        path.write_text("mine")
    (folder / "__pycache__").mkdir(exist_ok=True)
    (folder / "__pycache__" / "f_grad_0123456789abcdef0123.f-3.py311.1.nbc").write_bytes(b"")
    assert main(["cache"]) == 0
    assert f"{folder}: 1 modules" in capsys.readouterr().out
    assert main(["cache", "--clear"]) == 0
    assert f"{folder}: 0 modules, 0.0 MiB" in capsys.readouterr().out
    assert sorted(p for p in folder.rglob("*") if p.is_file()) == sorted(own)


def test_kernels_are_compiled_with_progress(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = [registry.PRIMITIVES[name] for name in ("add", "cholesky")]
    monkeypatch.setattr(warm, "_chosen", lambda _: few)
    assert main(["cache", "--warm"]) == 0
    said = capsys.readouterr().out
    assert "[1/2] add" in said and "[2/2] cholesky" in said
    assert [p.name.split("_")[0] for p in folder.glob("*_numeric_*.py")] == ["cholesky"]


def test_a_wrong_command_says_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["cash"])
    assert ended.value.code == 2
    assert "invalid choice: 'cash'" in capsys.readouterr().err
