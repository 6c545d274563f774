"""Each kind of node of Python's syntax is known in all the places where it must be, or refused.

Whoever adds a construct gives a sample of it here; what it misses is named. See docs/adding-a-construct.md.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator

import pytest

from srcgrad.frontend.lowering.language import EXPRESSIONS, STATEMENTS
from srcgrad.frontend.lowering.paths import jumps, leaves
from srcgrad.frontend.source.fence import REFUSED
from srcgrad.frontend.source.liveness import assigned, liveness

# lowered by the node that they stand in
PARTS = {
    ast.Slice: "a subscript",
    ast.Starred: "a display, a call or an assignment",
    ast.FormattedValue: "an f-string",
}
# a statement each; `a` and `b` are what it reads, and blocks say `HERE`
SAMPLES: dict[type[ast.stmt], str] = {
    ast.Assign: "c, (d, *e) = a, b",
    ast.AnnAssign: "c: float = a + b",
    ast.AugAssign: "c += a + b",
    ast.Expr: "(c := a) + b",
    ast.If: "if (c := a) > b:\n    HERE\nelse:\n    HERE",
    ast.Match: "match a:\n case [b.x, c, *d]:\n  HERE\n case float(e) | {'k': _, **e}:\n  HERE\n case f:\n  HERE",
    ast.For: "for c, d in zip(a, b):\n    HERE\nelse:\n    HERE",
    ast.While: "while (c := a) > b:\n    HERE\nelse:\n    HERE",
    ast.Break: "break",
    ast.Continue: "continue",
    ast.Return: "return a + b",
    ast.Raise: "raise ValueError(a, b)",
    ast.Assert: "assert (c := a), b",
    ast.FunctionDef: "def c(d=a):\n    return d + b",
    ast.Import: "import math, os.path as c",
    ast.ImportFrom: "from math import pi, tau as c",
    ast.Try: "try:\n    HERE\nexcept a as c:\n    HERE\nelse:\n    HERE\nfinally:\n    b",
    ast.With: "with a(b) as c:\n    HERE",
    ast.Delete: "del c, a[b]",
    ast.Pass: "pass",
    ast.Global: "global a",
    ast.Nonlocal: "nonlocal a",
}
LEAVING = (ast.Break, ast.Continue, ast.Return)
LOOPS = (ast.For, ast.While)


def kinds(base: type[ast.AST]) -> list[type[ast.AST]]:
    return [kind for kind in base.__subclasses__() if kind.__module__ in ("ast", "_ast")]


@pytest.mark.parametrize("kind", kinds(ast.stmt), ids=lambda kind: kind.__name__)
def test_a_statement_is_refused_or_lowered(kind: type[ast.stmt]) -> None:
    places = {"fence.REFUSED": kind in REFUSED, "language.STATEMENTS": kind in STATEMENTS}
    assert sum(places.values()) == 1, f"{kind.__name__} must stand in one of {', '.join(places)}: {places}"
    assert (kind in SAMPLES) == (kind in STATEMENTS), (
        f"{kind.__name__}: SAMPLES has one sample for each that is lowered"
    )


@pytest.mark.parametrize("kind", kinds(ast.expr), ids=lambda kind: kind.__name__)
def test_an_expression_is_refused_or_lowered(kind: type[ast.expr]) -> None:
    places = {"fence.REFUSED": kind in REFUSED, "language.EXPRESSIONS": kind in EXPRESSIONS, "PARTS": kind in PARTS}
    assert sum(places.values()) == 1, f"{kind.__name__} must stand in one of {', '.join(places)}: {places}"


def sample(kind: type[ast.stmt], inside: str) -> ast.stmt:
    (node,) = ast.parse(SAMPLES[kind].replace("HERE", inside)).body
    assert type(node) is kind
    return node


def blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The blocks that belong to a statement and to the same function."""
    for _, value in ast.iter_fields(node) if not isinstance(node, ast.FunctionDef) else ():
        for item in value if isinstance(value, list) else ():
            if isinstance(item, ast.stmt):
                yield value
                break
            if isinstance(item, (ast.match_case, ast.ExceptHandler)):
                yield from blocks(item)


@pytest.mark.parametrize("kind", list(SAMPLES), ids=lambda kind: kind.__name__)
def test_names_that_it_binds_are_found(kind: type[ast.stmt]) -> None:
    """`assigned` of source/liveness.py, beside what Python makes local."""
    node = sample(kind, "pass")
    around = "while True:\n" if isinstance(node, (ast.Break, ast.Continue)) else "if True:\n"
    text = around + "".join(f"    {line}\n" for line in ast.unparse(node).splitlines())
    inner = "def f():\n" + "".join(f"    {line}\n" for line in text.splitlines())
    outer = "def g(a):\n" + "".join(f"    {line}\n" for line in inner.splitlines())
    table = symtable.symtable(outer, "<text>", "exec").get_children()[0].get_children()[0]
    local = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    assert set(assigned([node])) == local, "source/liveness.py: assigned"


@pytest.mark.parametrize("kind", list(SAMPLES), ids=lambda kind: kind.__name__)
def test_names_that_it_reads_are_live_before_it(kind: type[ast.stmt]) -> None:
    before, node = ast.parse("first").body[0], sample(kind, "pass")
    loads = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} & {"a", "b"}
    live = liveness([before, node])
    assert live.after[id(before)] | live.always >= loads, "source/liveness.py: _before"


@pytest.mark.parametrize("kind", list(SAMPLES), ids=lambda kind: kind.__name__)
def test_its_blocks_are_looked_into(kind: type[ast.stmt]) -> None:
    node = sample(kind, "d = z")
    before = ast.parse("first").body[0]
    live = liveness([before, node])
    for block in blocks(node):
        assert id(block[0]) in live.after, "source/liveness.py: _before looks into all blocks"
        assert "z" in live.after[id(before)]


@pytest.mark.parametrize("kind", list(SAMPLES), ids=lambda kind: kind.__name__)
def test_jumps_in_its_blocks_are_seen(kind: type[ast.stmt]) -> None:
    """`jumps` and `leaves` of lowering/paths.py."""
    for inside in ("return a", "break", "continue"):
        node = sample(kind, inside)
        expected = kind in LEAVING or any(True for _ in blocks(node))
        assert jumps([node], False) == expected, "lowering/paths.py: jumps"
        if kind not in LOOPS:
            assert leaves([node]) == expected, "lowering/paths.py: leaves"
    assert not jumps([sample(kind, "pass")]) or kind in LEAVING


def test_patterns_are_refused_or_lowered() -> None:
    """Those of `match`, in lowering/matching.py."""
    known = {
        ast.MatchValue, ast.MatchSingleton, ast.MatchAs, ast.MatchOr, ast.MatchSequence, ast.MatchClass, ast.MatchStar,
    }  # fmt: skip
    assert {kind for kind in kinds(ast.pattern) if kind not in REFUSED} == known
