"""Each mistake is answered by a message that says where it is, what it is and what to write instead."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.errors.table import FOLDER, Mistake

TOPICS = sorted(p.stem for p in FOLDER.glob("of_*.py"))
MISTAKES = [m for topic in TOPICS for m in importlib.import_module(f"tests.errors.{topic}").mistake]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.name)
def test_the_message_is_the_golden_one(mistake: Mistake, request: pytest.FixtureRequest) -> None:
    error = mistake.error()
    for problem in error.problems:
        assert problem.file and problem.line, f"no place: {problem}"
        assert problem.hint, f"no remedy: {problem}"
        assert "\n" not in problem.message
    path = FOLDER / "golden" / f"{mistake.name}.txt"
    text = mistake.message(error)
    if request.config.getoption("--update-golden"):
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path} is missing: pytest --update-golden"
    assert text == path.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    names = {m.name for m in MISTAKES}
    assert len(names) == len(MISTAKES)
    assert {p.stem for p in Path(FOLDER / "golden").glob("*.txt")} == names
