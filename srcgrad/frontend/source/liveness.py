"""Which of a function's names may still be read after each statement, and at the head of each loop."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

Names = frozenset[str]
NONE: Names = frozenset()
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Loop = ast.For | ast.While


@dataclass
class Liveness:
    """Statements are found by identity."""

    after: dict[int, Names] = field(default_factory=dict)
    head: dict[int, Names] = field(default_factory=dict)
    always: Names = NONE

    def leaving(self, loop: Loop) -> Names:
        """The names that an iteration of the loop may hand on: to the next iteration, or to what follows."""
        return self.head[id(loop)] | self.after[id(loop)] | self.always


def reads(node: ast.AST | None) -> Names:
    """The names that a statement's own expressions, or an expression, may read."""
    return NONE if node is None else _names(node, ast.Load)


def _names(node: ast.AST, use: type[ast.expr_context]) -> Names:
    return frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, use))


def outside_scopes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All the nodes that belong to this scope (a nested function is given, its inside is not)."""
    for node in nodes:
        yield node
        if not isinstance(node, SCOPES):
            yield from outside_scopes(ast.iter_child_nodes(node))
        else:
            yield from outside_scopes(n for n in ast.walk(node) if isinstance(n, ast.NamedExpr))


def yields(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    """Whether this is a function that gives its items one by one."""
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    return any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in outside_scopes(body))


def assigned(nodes: Iterable[ast.AST]) -> list[str]:
    """The names that these nodes bind, in order."""
    names: dict[str, None] = {}
    for node in outside_scopes(nodes):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names[name] = None
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.ExceptHandler(name=str(name)):
                names[name] = None
            case ast.Name(id=name, ctx=ast.Del()):
                names[name] = None
            case ast.alias():
                names[(node.asname or node.name).split(".")[0]] = None
    return list(names)


def liveness(body: list[ast.stmt]) -> Liveness:
    live = Liveness()
    inner = [n for n in outside_scopes(body) if isinstance(n, SCOPES)]
    live.always = frozenset().union(*(reads(n) for n in inner))
    _block(live, body, NONE, (NONE, NONE))
    return live


def _block(live: Liveness, stmts: Iterable[ast.stmt], out: Names, jumps: tuple[Names, Names]) -> Names:
    """What is live before the statements; `jumps`: what is live where a break and a continue go."""
    for stmt in reversed(list(stmts)):
        live.after[id(stmt)] = out
        out = _before(live, stmt, out, jumps)
    return out


def _before(live: Liveness, stmt: ast.stmt, out: Names, jumps: tuple[Names, Names]) -> Names:
    match stmt:
        case ast.If():
            return reads(stmt.test) | _block(live, stmt.body, out, jumps) | _block(live, stmt.orelse, out, jumps)
        case ast.Match(subject=subject, cases=cases):
            return out | reads(subject) | frozenset().union(*(_case(live, case, out, jumps) for case in cases))
        case ast.For() | ast.While():
            return _loop(live, stmt, out, jumps)
        case ast.Try():
            return _try(live, stmt, out, jumps)
        case ast.With(items=items):
            return frozenset().union(*map(reads, items)) | _block(live, stmt.body, out, jumps)
        case ast.Return() | ast.Raise():
            return reads(stmt)
        case ast.Break():
            return jumps[0]
        case ast.Continue():
            return jumps[1]
        case ast.FunctionDef():
            defaults = [*stmt.args.defaults, *stmt.args.kw_defaults]
            return (out - {stmt.name}) | frozenset().union(*map(reads, defaults))
        case ast.Assign():
            return (out - frozenset().union(*(_names(t, ast.Store) for t in stmt.targets))) | reads(stmt)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            return (out - {name}) | reads(stmt.value)
        case ast.AugAssign(target=ast.Name(id=name)):
            return out | reads(stmt) | {name}
    return out | reads(stmt)


def _try(live: Liveness, stmt: ast.Try, out: Names, jumps: tuple[Names, Names]) -> Names:
    """Any statement of the body may be the last before a handler."""
    out = _block(live, stmt.finalbody, out, jumps)
    inside = [_block(live, h.body, out, jumps) | reads(h.type) for h in stmt.handlers]
    handlers: Names = frozenset().union(*inside)
    before = _block(live, stmt.body, _block(live, stmt.orelse, out, jumps), jumps)
    for node in outside_scopes(stmt.body):
        if id(node) in live.after:
            live.after[id(node)] |= handlers
        if id(node) in live.head:
            live.head[id(node)] |= handlers
    return before | handlers


def _case(live: Liveness, case: ast.match_case, out: Names, jumps: tuple[Names, Names]) -> Names:
    inside = reads(case.guard) | _block(live, case.body, out, jumps)
    return reads(case.pattern) | (inside - frozenset(assigned([case.pattern])))


def _loop(live: Liveness, loop: Loop, out: Names, jumps: tuple[Names, Names]) -> Names:
    ended = _block(live, loop.orelse, out, jumps)
    bound = frozenset(assigned([loop.target])) if isinstance(loop, ast.For) else NONE
    turn = reads(loop.target) if isinstance(loop, ast.For) else reads(loop.test)
    head = ended | turn
    while True:
        again = head | (_block(live, loop.body, head, (out, head)) - bound)
        if again == head:
            break
        head = again
    live.head[id(loop)] = head
    return head | (reads(loop.iter) if isinstance(loop, ast.For) else NONE)
