"""Whether a text is what a function was compiled from: it is compiled again, and compared."""

from __future__ import annotations
import __future__

import ast
import functools
import hashlib
import types
from collections.abc import Iterable, Iterator
from typing import Union

FunctionNode = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda]
Lines = tuple[str, ...]
_FUTURE = functools.reduce(
    lambda bits, name: bits | getattr(__future__, name).compiler_flag, __future__.all_feature_names, 0
)


@functools.lru_cache(maxsize=64)
def tree_of(lines: Lines) -> ast.Module | None:
    """The syntax tree of a text, if it is Python."""
    try:
        return ast.parse("".join(lines))
    except (SyntaxError, ValueError):
        return None


def agrees(lines: Lines, node: FunctionNode, code: types.CodeType, exactly: bool = False) -> bool:
    """Whether the function at this node of a text gives this code; `exactly`: at these columns too.

    What stands beside a function decides how it is compiled (an import, say), and a text may be compiled as a whole,
    by statements as in a notebook, or inside a function (`%%timeit`): each of these is tried.
    """
    return any(_same(other, code, exactly) for unit in _units(lines, node, code) for other in codes(unit))


def moved(lines: Lines, node: FunctionNode, code: types.CodeType) -> bool:
    """Whether the function at this node gives this code, if it stood on other lines: the text above it has changed, or
    it was compiled by itself from what `ast.unparse` makes of it, as notebooks do that reload edited modules."""
    flags, file = code.co_flags & _FUTURE, code.co_filename
    heads = (node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ())))
    whole = None if isinstance(node, ast.Lambda) else _whole(lines, file, flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    made = [] if whole is None else [c for c in codes(whole) if c.co_name == code.co_name and c.co_firstlineno in heads]
    module, body = tree_of(lines), ast.parse(ast.unparse(node)).body
    imports = [s for s in module.body if isinstance(s, (ast.Import, ast.ImportFrom))] if module else []
    for alone in (body, [*imports, *body], [*imports, _function(body, code.co_freevars)]):
        unit = compile(ast.Module(alone, []), file, "exec", flags, dont_inherit=True)
        made.append(next(c for c in codes(unit) if c.co_name == code.co_name))
    return any(content(other, lines=False) == content(code, lines=False) for other in made)


def _units(lines: Lines, node: FunctionNode, code: types.CodeType) -> Iterator[types.CodeType]:
    flags = code.co_flags & _FUTURE | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    whole = _whole(lines, code.co_filename, flags)
    if whole is not None:
        yield whole
    module = tree_of(lines)
    assert module is not None
    around = [stmt for stmt in ast.walk(module) if isinstance(stmt, ast.stmt) and _within(node, stmt)]
    bodies = [[stmt] for stmt in around] + [_cell(stmt) for stmt in around if stmt is not node]
    for body in (*bodies, [_function(module.body, code.co_freevars)]):
        try:
            yield compile(ast.Module(body, []), code.co_filename, "exec", flags, dont_inherit=True)
        except SyntaxError:  # such as `return` or `nonlocal` outside of a function
            continue


def _cell(outer: ast.stmt) -> list[ast.stmt]:
    """The statements of a cell that stands in a notebook's file as a function."""
    body = outer.body if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef)) else []
    return [stmt for stmt in body if not isinstance(stmt, ast.Return)]


def _function(body: list[ast.stmt], free: Iterable[str]) -> ast.stmt:
    """A function with this body, in which these names are its own."""
    (outer,) = ast.parse(f"def outer({', '.join(free)}): pass").body
    assert isinstance(outer, ast.FunctionDef)
    outer.body = body
    return outer


def _within(node: ast.AST, stmt: ast.stmt) -> bool:
    return any(inner is node for inner in ast.walk(stmt))


@functools.lru_cache(maxsize=16)
def _whole(lines: Lines, file: str, flags: int) -> types.CodeType | None:
    try:
        code: types.CodeType = compile("".join(lines), file, "exec", flags=flags, dont_inherit=True)
        return code
    except SyntaxError:
        return None


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """A code object and all that stand in it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from codes(const)


def _same(a: types.CodeType, b: types.CodeType, exactly: bool) -> bool:
    if (a.co_name, a.co_firstlineno) != (b.co_name, b.co_firstlineno):
        return False
    return _alike(a, b) and (not exactly or list(a.co_positions()) == list(b.co_positions()))


def _alike(a: types.CodeType, b: types.CodeType) -> bool:
    # test runners rewrite `assert`, with names of this form: then only the user's names can be compared
    inner, other = _inner(a), _inner(b)
    own = _own(a) == _own(b) or (_rewritten(b) and _names(a) == _names(b))
    return own and len(inner) == len(other) and all(map(_alike, inner, other))


def _inner(code: types.CodeType) -> list[types.CodeType]:
    return [const for const in code.co_consts if isinstance(const, types.CodeType)]


def _rewritten(code: types.CodeType) -> bool:
    return any(name.startswith("@") for name in (*code.co_varnames, *code.co_names))


def _names(code: types.CodeType) -> tuple[object, ...]:
    return code.co_name, code.co_firstlineno, tuple(v for v in code.co_varnames if not v.startswith("@"))


def content(code: types.CodeType, lines: bool = True) -> tuple[object, ...]:
    """All of a code object but where it stands in its line, in what file, and in what else: one in all processes.
    Without `lines`, its first line is left out too."""
    return (*_own(code, lines), *(content(inner, lines) for inner in _inner(code)))


def digest(code: types.CodeType) -> str:
    """A text that tells a function's code from all other code, in any process."""
    return hashlib.blake2b(repr(content(code)).encode(), digest_size=20).hexdigest()


def _own(code: types.CodeType, lines: bool = True) -> tuple[object, ...]:
    return (
        code.co_name,
        code.co_firstlineno if lines else 0,
        code.co_code,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_argcount,
        code.co_kwonlyargcount,
        code.co_posonlyargcount,
        tuple(_constant(const) for const in code.co_consts if not isinstance(const, types.CodeType)),
    )


def _constant(value: object) -> object:
    """A constant told apart from all others (0.0 from -0.0 and from False), whatever the order of a set."""
    if isinstance(value, tuple):
        return tuple(map(_constant, value))
    if isinstance(value, frozenset):
        return "frozenset", tuple(sorted(repr(_constant(item)) for item in value))
    return type(value).__name__, repr(value)
