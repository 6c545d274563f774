"""What the package says of itself, in the places where it is said more than once."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import srcgrad

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RECIPE = (ROOT / ".conda" / "meta.yaml").read_text(encoding="utf-8")


def test_one_version_is_told_everywhere():
    citation = re.search(r"^version: (.*)$", (ROOT / "docs" / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    recipe = re.search(r'^  version: "(.*)"$', RECIPE, re.MULTILINE)
    newest = re.search(r"^## ([\d.]+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    told = [found and found[1] for found in (citation, recipe, newest)]
    assert told == [PROJECT["version"]] * 3 and srcgrad.__version__ == PROJECT["version"]


def test_the_recipe_asks_for_what_the_package_needs():
    asked = {re.sub(r"\s", "", line) for line in re.findall(r"^    - (.*)$", RECIPE, re.MULTILINE)}
    assert {re.sub(r"\s", "", needed) for needed in PROJECT["dependencies"]} <= asked
    assert "python" + PROJECT["requires-python"] in asked
