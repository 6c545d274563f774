"""Several printed lines as one: checks that raise the same, the lengths of one array, memory that is made at once."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from srcgrad.printer.templates import name

Body = list[ast.stmt]

MOST = 3  # a tuple of more is built and taken apart when the line runs
WIDEST = 92  # characters of a line, without its indentation
MAKERS = frozenset({"empty", "zeros", "empty_like", "zeros_like"})


def checks_at_once(body: Iterable[ast.stmt]) -> Body:
    """One check in the place of several, one behind the other, that raise the same."""
    out: Body = []
    for stmt in body:
        raised = _raised(stmt)
        if out and raised is not None and raised == _raised(out[-1]):
            assert isinstance(stmt, ast.If) and isinstance(out[-1], ast.If)
            tests = [
                t.values if isinstance(t, ast.BoolOp) and isinstance(t.op, ast.Or) else [t]
                for t in (out[-1].test, stmt.test)
            ]
            out[-1] = ast.If(ast.BoolOp(ast.Or(), [*tests[0], *tests[1]]), stmt.body, [])
        else:
            out.append(stmt)
    return out


def _raised(stmt: ast.stmt) -> str | None:
    """The text of the error that a check raises, which does no more."""
    match stmt:
        case ast.If(body=[ast.Raise() as raised], orelse=[]):
            return ast.dump(raised)
    return None


def shapes_at_once(body: Body, ranks: Mapping[str, int]) -> Body:
    """`m, n = a.shape` in the place of `m = a.shape[0]` and `n = a.shape[1]`. ranks: of the arrays that have one
    shape all through."""
    out: Body = []
    lengths: list[tuple[str, ast.expr]] = []  # of the last lines: the array, and what has its length
    for stmt in body:
        array = _measured(stmt)
        if array is None:
            lengths = []
            out.append(stmt)
            continue
        of, axis = array
        assert isinstance(stmt, ast.Assign)
        lengths = lengths if lengths and lengths[0][0] == of else []
        out.append(stmt)
        if axis != len(lengths):
            lengths = []
            continue
        lengths = [*lengths, (of, stmt.targets[0])]
        if len(lengths) == ranks.get(of) and axis:
            shape = ast.Attribute(name(of), "shape", ast.Load())
            out[-len(lengths) :] = [ast.Assign([ast.Tuple([n for _, n in lengths], ast.Store())], shape)]
    return out


def _measured(stmt: ast.stmt) -> tuple[str, int] | None:
    """The array and the axis of which the statement takes the length."""
    match stmt:
        case ast.Assign([ast.Name()], ast.Subscript(ast.Attribute(ast.Name(of), "shape"), ast.Constant(int() as axis))):
            return of, axis
    return None


def allocations_at_once(body: Sequence[ast.stmt]) -> Body:
    """`a, b = np.empty(n), np.empty(n)` in the place of two lines, one behind the other."""
    out: Body = []
    group: list[tuple[str, ast.expr]] = []
    for stmt in (*body, None):
        made = None if stmt is None else _allocated(stmt)
        if made is None or not _fits(made, group):
            out.extend(_at_once(group))
            group = []
        if made is not None:
            group.append(made)
        elif stmt is not None:
            out.append(stmt)
    return out


def _fits(made: tuple[str, ast.expr], group: Sequence[tuple[str, ast.expr]]) -> bool:
    """Whether the line goes on; what is made like what stands on the line itself comes after it."""
    names = {target for target, _ in group}
    reads = {n.id for n in ast.walk(made[1]) if isinstance(n, ast.Name)}
    width = sum(len(target) + len(ast.unparse(value)) + 4 for target, value in (*group, made))
    return len(group) < MOST and not names & {*reads, made[0]} and width <= WIDEST


def _at_once(group: Sequence[tuple[str, ast.expr]]) -> Body:
    if not group:
        return []
    targets: list[ast.expr] = [ast.Name(target, ast.Store()) for target, _ in group]
    if len(group) == 1:
        return [ast.Assign(targets, group[0][1])]
    values = [value for _, value in group]
    return [ast.Assign([ast.Tuple(targets, ast.Store())], ast.Tuple(values, ast.Load()))]


def _allocated(stmt: ast.stmt) -> tuple[str, ast.expr] | None:
    """The name and the expression of a line that makes memory."""
    match stmt:
        case ast.Assign([ast.Name(target)], ast.Call(ast.Attribute(ast.Name("np"), made)) as value) if made in MAKERS:
            return target, value
    return None
