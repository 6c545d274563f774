"""What is outside the language, found before anything is lowered: all of a function's refusals are shown at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from srcgrad.errors import Problem, UnsupportedError
from srcgrad.frontend.source.liveness import outside_scopes, yields
from srcgrad.frontend.source.read import Source

REFUSED: dict[type[ast.AST], tuple[str, str]] = {
    ast.TryStar: ("`except*` is outside the language", "use `except`"),
    ast.AsyncWith: ("`async with` is outside the language", "do it outside the function"),
    ast.AsyncFor: ("`async for` is outside the language", "use a plain loop"),
    ast.AsyncFunctionDef: ("an async function is outside the language", "use a plain function"),
    ast.Await: ("`await` is outside the language", "use a plain function"),
    ast.MatchMapping: ("a pattern for dicts is outside the language", "use `if` and `elif`"),
    ast.ClassDef: ("a class inside a function is outside the language", "define it outside"),
}
# of later versions of Python
NEWER: dict[str, tuple[str, str]] = {
    "TypeAlias": ("a type alias inside a function is outside the language", "define it outside"),
    "TemplateStr": ("a template string is outside the language", "make it outside the function"),
    "Interpolation": ("a template string is outside the language", "make it outside the function"),
}
REFUSED |= {getattr(ast, name): told for name, told in NEWER.items() if hasattr(ast, name)}


def check(source: Source) -> None:
    """Raise one error with all that is refused in this function."""
    problems = list(_problems(source))
    if problems:
        raise UnsupportedError(problems[0].message, problems=sorted(problems, key=lambda p: (p.line, p.column)))


def _problems(source: Source) -> Iterator[Problem]:
    nodes = list(ast.walk(source.node))
    if yields(source.node):
        yield source.problem(source.node, "a function that yields is differentiated", "fill an array and return it")
    for node in nodes:
        if type(node) in REFUSED:
            yield source.problem(node, *REFUSED[type(node)])
        elif isinstance(node, ast.Global):
            yield from _outer_writes(source, nodes, node, "global")
    if not isinstance(source.node, ast.Lambda):
        for node in outside_scopes(source.node.body):
            if isinstance(node, ast.Nonlocal):  # of a function around that is not read with this one
                yield from _outer_writes(source, nodes, node, "nonlocal")


def _outer_writes(
    source: Source, nodes: list[ast.AST], node: ast.Global | ast.Nonlocal, word: str
) -> Iterator[Problem]:
    written = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    written |= {n.name for n in nodes if isinstance(n, (ast.MatchAs, ast.MatchStar)) and n.name is not None}
    recorded = {n.target.id for n in nodes if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)}
    recorded |= {t.id for n in nodes if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    for name in node.names:
        if word == "global" and name in recorded - read:
            continue  # it is a counter, or a record
        if name in written:
            yield source.problem(node, f"the {word} name `{name}` is written to", "return the value instead")
