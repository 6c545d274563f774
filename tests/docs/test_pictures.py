"""The pictures of the documentation are what their scripts draw."""

from __future__ import annotations

import runpy

import pytest

from tests.docs import pages

SCRIPTS = sorted((pages.DOCS / "pictures").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_picture_is_what_its_script_draws(script):
    space = runpy.run_path(str(script))
    assert space["picture"]() == space["PICTURE"].read_text(encoding="utf-8"), f"python docs/pictures/{script.name}"


def test_there_are_pictures():
    assert SCRIPTS
