"""The programs in the documents run, and each pair of the PyTorch page prints the same."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import stages

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "pytorch.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.DOTALL | re.MULTILINE))
PRINTED = {
    "Newton on x = cos x": "x = 0.7390851332151607 after 5 steps\n",
    "Gradient descent to a point": "['0.981831', '1.963661', '2.945492', '3.927323', '4.909153']\n",
    "Rosenbrock": (
        "  100: 0.350292  [-0.6676852, -0.5771311]\n"
        "  200: 0.0739811  [-0.1603188, -0.2532477]\n"
        "  300: 0.0248303  [-0.0767914, -0.1373909]\n"
        "  400: 0.00961934  [-0.0434727, -0.0825404]\n"
        "  500: 0.00399072  [-0.0265193, -0.0520631]\n"
        "  600: 0.00171997  [-0.0168393, -0.0337368]\n"
        "  700: 0.000758496  [-0.0109479, -0.0222170]\n"
        "  800: 0.000339351  [-0.0072224, -0.0147793]\n"
        "  900: 0.000153245  [-0.0048094, -0.0098957]\n"
        " 1000: 6.96269e-05  [-0.0032222, -0.0066541]\n"
        "end: (0.9918, 0.9830)\n"
    ),
    "A value and a gradient": "-3.4 [0.8, 0.8]\n",
    "Linear regression": "y = 1.011779 + 0.968373 x\n",
    "One step": "1 -4 1.4\n",
    "A network of three weights": "{'w1': -8.0, 'w2': -1.0, 'w3': -2.0}\n",
}


def program(section: str, library: str) -> str:
    (text,) = re.findall(rf"```python\n# {library}\n(.*?)```", SECTIONS[section], flags=re.DOTALL)
    return str(text)


def output(text: str, folder: Path) -> str:
    """What a program prints that lies in a file."""
    path = folder / "program.py"
    path.write_text(text)
    done = subprocess.run([sys.executable, str(path)], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_is_complete() -> None:
    assert SECTIONS.keys() == PRINTED.keys()


@pytest.mark.parametrize("section", SECTIONS)
def test_srcgrad(section: str, tmp_path: Path) -> None:
    assert output(program(section, "srcgrad"), tmp_path) == PRINTED[section]


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("section", SECTIONS)
def test_pytorch(section: str, tmp_path: Path) -> None:
    assert output(program(section, "PyTorch"), tmp_path) == PRINTED[section]


def test_the_rules_shown_are_real() -> None:
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "adding-a-rule.md").read_text("utf-8"), flags=re.DOTALL)
    source = (ROOT / "srcgrad" / "rules" / "scalar" / "elementwise.py").read_text("utf-8")
    assert len(shown) == 2
    assert all(text in source for text in shown)


def test_the_stages_shown_are_real() -> None:
    assert stages.shown() == stages.section(), "python -m tests.stages --write"


@pytest.mark.parametrize("page", [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")], ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([\w./-]+)(?:#[\w-]+)?\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
