"""The code blocks of the documentation: run in order, and what they print beside what the page says that they print.

python -m tests.docs.pages                shows what differs
python -m tests.docs.pages --write PAGE   writes what the blocks of these pages print into them

A page is one program, which runs after its console blocks. A block of Python with a title is a file; one behind
`<!-- prints -->`, and one of text right behind a block, is what that prints. A block behind `<!-- not run -->` is not
run. Of a console block, each line behind a `$` is a command, and the lines after it are what that prints.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FENCE = re.compile(
    r"^(?P<note><!-- (?:prints|not run) -->\n\n?)?"
    r"```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?[^\n]*\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
MARK = "\x1e"


@dataclass(frozen=True)
class Block:
    """One block, and where it stands in its page."""

    kind: str
    title: str
    note: str
    text: str
    start: int
    end: int
    line: int

    @property
    def runs(self) -> bool:
        return self.kind == "python" and not self.title and not self.note


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in order."""
    found = []
    for match in FENCE.finditer(page):
        start = match.start("text")
        note = (match["note"] or "").strip("<!- >\n")
        line = page.count("\n", 0, start) + 1
        found.append(Block(match["kind"], match["title"] or "", note, match["text"], start, match.end("text"), line))
    return found


def program(found: Sequence[Block]) -> str:
    """The page's program, with each line where the page has it, and marks between what blocks print."""
    lines: list[str] = []
    for block in found:
        if block.runs:
            lines += [""] * (block.line - 1 - len(lines))
            lines += block.text.splitlines()
            lines.append(f"print({MARK!r}, end='')")
    return "\n".join(lines) + "\n"


def expected(page: str) -> Iterator[tuple[Block, Block]]:
    """Blocks with the block that tells what they print."""
    last: Block | None = None
    for block in blocks(page):
        told = block.note == "prints" or (block.kind == "text" and last is not None and _follows(page, last, block))
        if told and last is not None:
            yield last, block
            last = None
        elif block.runs:
            last = block


def _follows(page: str, first: Block, then: Block) -> bool:
    between = page[first.end : then.start].split("\n", 1)[1]
    return len(between.strip().split("\n")) <= 3  # at most a word or two: "prints", "gives"


def run(page: Path, folder: Path) -> dict[int, str]:
    """What each block of a page prints, by the line where it begins.

    Raises
    ------
    AssertionError
        If the program ends with an error; with what it says.
    """
    found = blocks(page.read_text(encoding="utf-8"))
    for block in found:
        if block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")
    consoles = [block for block in found if block.kind == "console" and block.note != "not run"]
    out = {block.line: "".join(_session(_commands(block), folder)) for block in consoles}
    path = folder / f"{page.stem.replace('-', '_')}_page.py"
    path.write_text(program(found), encoding="utf-8")
    runs = [block for block in found if block.runs]
    said = _output([sys.executable, path.name], folder) if runs else ""
    return out | dict(zip([b.line for b in runs], said.split(MARK), strict=False))


def _session(commands: Sequence[str], folder: Path) -> Iterator[str]:
    for command in commands:
        yield f"$ {command}\n{_output(_command(command), folder, any_status=True)}"


def _commands(block: Block) -> list[str]:
    return [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]


def _command(line: str) -> list[str]:
    words = shlex.split(line)
    if words[0] == "srcgrad":
        return [sys.executable, "-m", *words]
    return [sys.executable, *words[1:]] if words[0] == "python" else words


def _output(command: Sequence[str], folder: Path, any_status: bool = False) -> str:
    env = {**os.environ, "MPLBACKEND": "Agg", "NO_COLOR": "1", "COLUMNS": "100"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, env=env)
    assert any_status or done.returncode == 0, done.stderr
    return (done.stdout + (done.stderr if any_status else "")).replace(f"{folder}{os.sep}", "")


def differences(page: Path, folder: Path) -> Iterator[tuple[Block, str]]:
    """The blocks that say something else than what is printed, with that."""
    text = page.read_text(encoding="utf-8")
    said = run(page, folder)
    for block, told in expected(text):
        if said[block.line].rstrip() != told.text.rstrip():
            yield told, said[block.line].rstrip() + "\n"
    for block in blocks(text):
        if block.kind == "console" and block.note != "not run" and said[block.line].rstrip() != block.text.rstrip():
            yield block, said[block.line].rstrip() + "\n"


def write(page: Path) -> int:
    """Write what blocks print into a page, until nothing changes (lines move, and errors tell their numbers)."""
    first = _write(page)
    return first + (write(page) if first else 0)


def _write(page: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        changes = list(differences(page, Path(folder)))
    text = page.read_text(encoding="utf-8")
    for block, said in sorted(changes, key=lambda c: -c[0].start):
        text = text[: block.start] + said + text[block.end :]
    page.write_text(text, encoding="utf-8")
    return len(changes)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    for page in options.pages:
        if options.write:
            print(f"{page}: {write(page)} changed")
            continue
        with tempfile.TemporaryDirectory() as folder:
            for block, said in differences(page, Path(folder)):
                print(f"{page}, line {block.line}, prints\n{said}")


if __name__ == "__main__":
    main()
