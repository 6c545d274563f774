"""The pages of the documentation: what their code prints is what they say, and the site's map has all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import pages

SITE = (pages.DOCS / "site" / "mkdocs.yml").read_text(encoding="utf-8")
# what other tests run, or compare with the sources that the pages show
ELSEWHERE = ["adding-a-construct", "adding-a-pass", "adding-a-rule", "architecture", "checkpoints", "cuda", "parallel"]
RUN = [
    page
    for page in sorted(pages.DOCS.glob("*.md"))
    if page.stem not in (*ELSEWHERE, "pytorch") and pages.blocks(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_blocks_print_what_the_page_says(page: Path, tmp_path: Path) -> None:
    found = [f"{page.name}, line {block.line}, prints\n{said}" for block, said in pages.differences(page, tmp_path)]
    assert not found, "\n".join([*found, f"python -m tests.docs.pages --write docs/{page.name}"])


def test_pages_that_run_are_many() -> None:
    assert len(RUN) > 8


def test_the_map_has_every_page() -> None:
    named = set(re.findall(r"([\w-]+)\.md", SITE))
    assert {p.stem for p in pages.DOCS.glob("*.md")} == named - {"README"}


def test_what_a_block_is() -> None:
    page = (
        '```python title="a.py"\nx = 1\n```\n\n```python\nprint(1)\n```\n\nprints\n\n```text\n1\n```\n\n'
        "<!-- not run -->\n```python\nnever()\n```\n\n```python\nprint(2)\n```\n\n<!-- prints -->\n```python\n3\n```\n"
    )
    found = pages.blocks(page)
    assert [b.runs for b in found] == [False, True, False, False, True, False]
    assert [(b.text, told.text) for b, told in pages.expected(page)] == [("print(1)\n", "1\n"), ("print(2)\n", "3\n")]
    text = pages.program(found).splitlines()
    assert text[5] == "print(1)" and "never()" not in text  # on the line where the page has it


def test_what_differs_is_told(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n```\n\n<!-- prints -->\n```text\n3\n```\n")
    ((block, said),) = pages.differences(page, tmp_path)
    assert (block.line, said) == (7, "2\n")
    assert pages.write(page) == 1 and "2\n```" in page.read_text()
