"""Makes a failing program small: statements and parameters dropped, blocks put in place, expressions replaced by their
parts, as long as it fails in the same way."""

from __future__ import annotations

import ast
import copy
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.fuzz.programs import Fuzzed

Fails = Callable[[Fuzzed], bool]
BLOCKS = ("body", "orelse")


def shrink(p: Fuzzed, fails: Fails, seconds: float = 60.0) -> Fuzzed:
    """The smallest program found in this time by single steps, none of which can be repeated."""
    best, end = normal(p), time.perf_counter() + seconds
    if not fails(best):
        return p
    progress = True
    while progress:
        progress = False
        for change in CHANGES:
            again = True
            while again:
                again = False
                for number, (text, args) in enumerate(change(best)):
                    if time.perf_counter() > end:
                        return best
                    candidate = replace(best, text=text, args=args, name=f"{p.name}_{change.__name__}_{number}")
                    if size(candidate) < size(best) and fails(candidate):
                        best, progress, again = candidate, True, True
                        break
    return best


def normal(p: Fuzzed) -> Fuzzed:
    return replace(p, text=ast.unparse(ast.parse(p.text)) + "\n", name=f"{p.name}_small")


def size(p: Fuzzed) -> tuple[int, int]:
    tree = ast.parse(p.text)
    return sum(1 for _ in ast.walk(tree)), len(p.text)


Candidates = Iterator[tuple[str, tuple]]  # type: ignore[type-arg]


def edited(tree: ast.Module, edit: Callable[[list[ast.AST]], None]) -> str | None:
    """The text after an edit of a copy, whose nodes come in the order of `ast.walk`."""
    new = copy.deepcopy(tree)
    edit(list(ast.walk(new)))
    try:
        text = ast.unparse(ast.fix_missing_locations(new)) + "\n"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<small>", "exec")
    except (SyntaxError, ValueError, AttributeError):
        return None
    return text


def drop_statements(p: Fuzzed) -> Candidates:
    """Runs of statements of a block, longer runs first."""
    tree = ast.parse(p.text)
    places = [
        (k, field, len(block))
        for k, node in enumerate(ast.walk(tree))
        for field in BLOCKS
        if isinstance(block := getattr(node, field, None), list)
    ]
    for run in (4, 2, 1):
        for k, field, length in places:
            for start in range(0, length - run + 1):

                def drop(
                    nodes: list[ast.AST], k: int = k, field: str = field, start: int = start, run: int = run
                ) -> None:
                    block = getattr(nodes[k], field)
                    del block[start : start + run]
                    if not block and field == "body":
                        block.append(ast.Pass())

                if (text := edited(tree, drop)) is not None:
                    yield text, p.args


def open_blocks(p: Fuzzed) -> Candidates:
    """A branch or loop replaced by what is in it."""
    tree = ast.parse(p.text)
    for k, node in enumerate(ast.walk(tree)):
        for field in BLOCKS:
            for place, stmt in enumerate(
                getattr(node, field, None) or () if not isinstance(node, ast.IfExp | ast.Lambda) else ()
            ):
                if not isinstance(stmt, ast.If | ast.For | ast.While):
                    continue
                for inner in BLOCKS:

                    def put(
                        nodes: list[ast.AST], k: int = k, field: str = field, place: int = place, inner: str = inner
                    ) -> None:
                        block = getattr(nodes[k], field)
                        block[place : place + 1] = getattr(block[place], inner) or [ast.Pass()]

                    if (text := edited(tree, put)) is not None:
                        yield text, p.args


def drop_parameters(p: Fuzzed) -> Candidates:
    tree = ast.parse(p.text)
    (main,) = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "f"]
    for place in range(len(main.args.args)):
        if len(main.args.args) == 1 or main.args.defaults or place >= len(p.args):
            break

        def drop(nodes: list[ast.AST], place: int = place) -> None:
            (fun,) = [n for n in nodes if isinstance(n, ast.FunctionDef) and n.name == "f"]
            del fun.args.args[place]

        if (text := edited(tree, drop)) is not None:
            yield text, p.args[:place] + p.args[place + 1 :]


def replace_expressions(p: Fuzzed) -> Candidates:
    """An expression by one of its parts, or by a number."""
    tree = ast.parse(p.text)
    for k, node in enumerate(ast.walk(tree)):
        for field, value in ast.iter_fields(node):
            items = value if isinstance(value, list) else [value]
            for place, item in enumerate(items):
                if not isinstance(item, ast.expr) or isinstance(getattr(item, "ctx", ast.Load()), ast.Store):
                    continue
                for part in [
                    *parts(item),
                    *([ast.Constant(0.5)] if not isinstance(item, ast.Constant | ast.Name) else []),
                ]:

                    def put(
                        nodes: list[ast.AST],
                        k: int = k,
                        field: str = field,
                        place: int = place,
                        part: ast.expr = part,
                        many: bool = isinstance(value, list),
                    ) -> None:
                        if many:
                            getattr(nodes[k], field)[place] = copy.deepcopy(part)
                        else:
                            setattr(nodes[k], field, copy.deepcopy(part))

                    if (text := edited(tree, put)) is not None:
                        yield text, p.args


def parts(node: ast.expr) -> list[ast.expr]:
    return [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]


CHANGES = (drop_statements, open_blocks, drop_parameters, replace_expressions)
