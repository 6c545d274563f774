"""Where the text of a function may stand: a file, a notebook's cells and their magics, a command line, a session."""

from __future__ import annotations

import ast
import linecache
import sys
import types
from collections.abc import Iterator

from srcgrad.frontend.source.cells import cells, published

Lines = tuple[str, ...]
SESSIONS = ("<stdin>", "<console>")  # names that interactive sessions give to all that is typed
RECENT = 2000  # typed lines that are looked through


def texts(fun: types.FunctionType) -> Iterator[tuple[str, Lines]]:
    """The texts that may hold this function, each with its file's name, likely ones first. Only compiling a text tells
    whether it does."""
    seen = set()
    for file, lines in _possible(fun, fun.__code__):
        if lines and lines not in seen:
            seen.add(lines)
            yield file, lines


def _possible(fun: types.FunctionType, code: types.CodeType) -> Iterator[tuple[str, Lines]]:
    file = code.co_filename
    yield file, tuple(linecache.getlines(file, fun.__globals__))
    linecache.checkcache(file)  # the file may have been written anew since its lines were first asked for
    yield file, tuple(linecache.getlines(file, fun.__globals__))
    if not file.startswith("<") and linecache.getlines(file, fun.__globals__):
        return
    home = fun.__globals__.get("__file__")  # a function that came by pickle may have lost its file's name
    if isinstance(home, str):
        yield home, tuple(linecache.getlines(home))
    for lines in (*_of_command_line(), *_of_magics(), *(_typed(code) if file in SESSIONS else ())):
        yield file, lines
    for text in published():
        yield file, _split(text)
        for lines in _handed_over(text):
            yield file, lines


def _split(text: str) -> Lines:
    """The lines of a text, as a file has them."""
    lines = text.splitlines(keepends=True)
    return (*lines[:-1], lines[-1] if lines[-1].endswith("\n") else lines[-1] + "\n") if lines else ()


def _of_command_line() -> Iterator[Lines]:
    """What stands behind `python -c`."""
    if "-c" in sys.argv[:1]:
        for word in sys.orig_argv[1:]:
            yield _split(word)
            if word.startswith("-") and "c" in word:
                yield _split(word.partition("c")[2])


def _of_magics() -> Iterator[Lines]:
    """The Python that a notebook's cells hand to magics such as `%%time`: IPython compiles it without a name."""
    for lines in reversed(cells()):
        yield from _handed_over("".join(lines))


def _handed_over(text: str) -> Iterator[Lines]:
    if "_magic(" not in text:
        return
    try:
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    except SyntaxError:
        return
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("run_cell_magic", "run_line_magic"):
            words = [arg.value for arg in call.args[1:] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            for word in (*words[1:], *_without_options(words[0] if words else "")):
                inner = _without_magics(word)
                yield _split(inner)
                yield from _handed_over(inner)


def _without_options(line: str) -> Iterator[str]:
    """What stands behind a magic's name, and what is left of it behind the first few words, which may be options."""
    for _ in range(8):
        yield line
        line = line.partition(" ")[2].lstrip()


def _without_magics(text: str) -> str:
    """A cell's text as IPython hands it to Python."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return text if shell is None else str(shell.transform_cell(text))


def _typed(code: types.CodeType) -> Iterator[Lines]:
    """Statements from the lines typed in this session that may hold this code, the newest first."""
    readline = sys.modules.get("readline")
    if readline is None:
        return
    last: int = readline.get_current_history_length()
    lines = [readline.get_history_item(k) or "" for k in range(max(1, last - RECENT), last + 1)]
    word = "lambda" if code.co_name == "<lambda>" else f"def {code.co_name}"
    length = max((end or start or 1 for start, end, _, _ in code.co_positions()), default=1)
    for start in reversed(range(len(lines))):
        if any(word in line for line in lines[start : start + length]):
            for end in (length, length + 1, length + 2):  # brackets may be closed below
                yield _split("\n".join(lines[start : start + end]))
