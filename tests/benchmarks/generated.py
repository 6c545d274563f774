"""Figures of a generated module's text: its lines, and what it allocates in loops."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
import types
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKERS = {
    *("empty", "zeros", "ones", "full", "empty_like", "zeros_like", "ones_like", "full_like", "copy", "array", "eye"),
    *("identity", "arange", "linspace", "concatenate", "stack", "vstack", "hstack", "outer", "ascontiguousarray"),
    *("append", "extend", "tile", "repeat", "roll", "pad", "clear"),
    *("solve", "inv", "pinv", "lstsq", "cholesky", "qr", "svd", "eigh", "dot", "matmul"),
}
LOOPS = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp)


def lines(tree: ast.AST) -> int:
    """Of code, as CPython prints it: no comments, docstrings, blank lines or imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            node.decorator_list = []
    text = (line for line in ast.unparse(tree).splitlines() if line.strip())
    return sum(not line.startswith(("import ", "from ")) for line in text)


def primal_lines(fun: types.FunctionType) -> int:
    """Of the function and the functions of its module that it calls."""
    return sum(lines(ast.parse(textwrap.dedent(inspect.getsource(f)))) for f in reached(fun))


def reached(fun: types.FunctionType) -> list[types.FunctionType]:
    """The function, and the functions of its module that it calls, itself or through others."""
    found = [fun]
    for f in found:
        callees = (f.__globals__.get(name) for name in f.__code__.co_names)
        functions = (c for c in callees if isinstance(c, types.FunctionType) and c.__module__ == fun.__module__)
        found += [c for c in functions if c not in found]
    return found


@functools.cache
def library() -> frozenset[str]:
    """The names of the library's own functions, whose text a generated module carries."""
    files = (ROOT / "srcgrad" / "numeric").rglob("*.py")
    trees = (ast.parse(file.read_text()) for file in files)
    return frozenset(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def generated_lines(source: str) -> int:
    """Of a generated module, without the library's functions that it carries."""
    tree = ast.parse(source)
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name not in library()]
    return sum(map(lines, functions))


def allocations_in_loops(source: str) -> int:
    """The places in loops that make an array or let a list grow, there or in a function of the module called there.

    What is named NAME_into makes none where matrices are small.
    """
    tree = ast.parse(source)
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef) and not n.name.endswith("_into")}
    makers = set(MAKERS)
    while more := {name for name, f in functions.items() if name not in makers and any(_calls(f, makers))}:
        makers |= more
    loops = (loop for f in functions.values() if f.name not in library() for loop in ast.walk(f))
    return len({id(call) for loop in loops if isinstance(loop, LOOPS) for call in _calls(loop, makers)})


def _calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in names:
                yield node
