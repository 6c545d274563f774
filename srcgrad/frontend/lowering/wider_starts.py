"""What a loop starts with where a turn makes something wider of it: a number that becomes an array, an array of
integers that becomes one of floats. Where each use of it would give the same, it is that from the start."""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterable

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.walk import defined, used, used_inside, walk
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.loop_domains import Domain, trips
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Env, Maybe, Poison, Value

OPERATIONS = (ast.BinOp, ast.UnaryOp, ast.AugAssign, ast.Compare)


def started(
    low: Lowering, node: ast.AST, name: str, before: Env, last: Value, head: Value | None, body: Iterable[Stmt]
) -> Value | None:
    """What a name may be before the loop in the place of what it is, emitted here; None if it must stay that.
    head, body: of a trial in which it was that."""
    first = before[name]
    model = _model(last)
    if not isinstance(head, Var) or model is None or not model.type.ref:
        return None
    if (
        isinstance(first, Const)
        and not _handed_on(node, name)
        and all(_keeps_shape(low, stmt, head, model) for stmt in walk(body))
    ):
        shape = low.shape_of(model, before)
        if shape is not None:
            init = low.converted(first, model.type) if first.value else ir.Init.ZEROS
            return low.b.alloc(model.type.dtype, shape, init, name)
    if isinstance(first, Var) and first.type.ref and first.type.dtype == "i8" and model.type.rank == first.type.rank:
        floats = model.type.dtype in ("f8", "c16")
        if floats and not _writes_integers(body):
            value = low.converted(low.b.load(first), model.type.value())
            return low.memory(value, name)
    return None


def _model(last: Value) -> Var | None:
    """The array that a turn makes of it."""
    match last:
        case Maybe(value=Var() as array):
            return array
        case Poison(pair=(Var() as x, Var() as y)):
            return x if x.type.rank and (not y.type.rank or x.type.is_float or x.type.is_complex) else y
        case Poison(pair=(_, Var() as array)) | Poison(pair=(Var() as array, _)):
            return array
        case Var():
            return last
    return None


def _keeps_shape(low: Lowering, stmt: Stmt, head: Var, model: Var) -> bool:
    """Whether a statement would give the same if the number were an array of the model's shape."""
    if head in used_inside(stmt):
        return False
    if head not in used(stmt):
        return True
    return isinstance(stmt, ir.Let) and bool(stmt.op.traits.elementwise) and low.b.same_shape(stmt.target, model)


def _handed_on(loop: ast.AST, name: str) -> bool:
    """Whether others may hold what the name holds, and see it change in place if it is an array."""
    nodes = [n for n in ast.walk(loop) if not isinstance(n, OPERATIONS)]
    return any(isinstance(n, ast.Name) and n.id == name for m in nodes for n in ast.iter_child_nodes(m) if _loaded(n))


def _loaded(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def _writes_integers(body: Iterable[Stmt]) -> bool:
    """Whether the body writes into an array of integers that is older than the turn."""
    stmts = list(walk(body))
    own = {v for stmt in stmts if isinstance(stmt, ir.Alloc) for v in defined(stmt)}
    writes = [stmt for stmt in stmts if isinstance(stmt, (ir.Store, ir.Accumulate))]
    return any(stmt.ref.type.dtype == "i8" and stmt.ref not in own for stmt in writes)


def any_turn(low: Lowering, over: Domain) -> Atom:
    """Whether there is a turn at all."""
    if over.known is not None:
        return values.TRUE if over.surely else values.FALSE
    return low.atom(low.apply(operator.gt, trips(low, over), Const(0, ir.I8)))
