"""Elementary functions in loops over arrays take the form of which LLVM makes vector code; the others keep libm's.

    for i in range(n):                                    far = 0
        out[i] = math.sin(x[i])                           for i in range(n):
                                                              far += abs(x[i]) > 1048576.0
                                                          if far:
                                                              ...  # the loop as it was
                                                          else:
                                                              for i in range(n):
                                                                  out[i] = vector_sin(x[i])

Those that are right for numbers of any size need no such test.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from srcgrad.core import ir
from srcgrad.core.aliases import aliases_of
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Const, For, Fun, Let, Load, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.core.walk import rebuild, used
from srcgrad.printer.templates import expanded
from srcgrad.rules.language import registry
from srcgrad.rules.scalar.arithmetic import add, multiply, subtract
from srcgrad.rules.scalar.compare import greater
from srcgrad.rules.scalar.elementwise import absolute
from srcgrad.rules.scalar.powers import power
from srcgrad.rules.scalar.vector_forms import reach, vector_form

FEW = 8  # iterations that are no matter
MOST_ANGLES = 2  # that are tested in front of a loop
FOLDS = (add, subtract, multiply)
INSTRUCTIONS = frozenset({"float32", "float64", "sqrt", "floor", "ceil", "trunc", "fabs", "maximum", "minimum"})
STRAIGHT = (Let, Load, ir.Store, ir.Accumulate, ir.Remark)


def use_vector_functions(fun: Fun) -> Fun:
    """The function with vector forms in its innermost loops that may become vector code; the same object if there are
    none. It may run only when all derivatives are made, and once."""
    return _Vectors(fun).fun(fun)


class _Vectors(Rewriter):
    def __init__(self, fun: Fun) -> None:
        super().__init__()
        self._classes = aliases_of(fun)

    def one(self, stmt: Stmt) -> Rewritten:
        new = self.inside(stmt)
        if not isinstance(new, For) or not _may_be_vector_code(new) or not self._apart(new):
            return new
        formed = replace(new, body=tuple(map(_formed, new.body)))
        far = [s for s, old in zip(formed.body, new.body, strict=True) if s is not old and _reach(s) < math.inf]
        others = [s for s, old in zip(formed.body, new.body, strict=True) if s is old]
        if len(others) == len(new.body) or any(map(_calls_a_library, others)):
            return new
        formed = replace(formed, body=tuple(map(_multiplied, formed.body)))
        return self._guarded(new, formed, far) if far else formed

    def _apart(self, loop: For) -> bool:
        """Whether no turn reads what another one writes: memory that is written is reached at one index alone."""
        written = {self._classes.of(s.ref) for s in loop.body if isinstance(s, (ir.Store, ir.Accumulate))}
        places: dict[Var, tuple[Var, ir.Index]] = {}
        for s in loop.body:
            if isinstance(s, (Load, ir.Store, ir.Accumulate)) and (memory := self._classes.of(s.ref)) in written:
                if places.setdefault(memory, (s.ref, s.index)) != (s.ref, s.index):
                    return False
        return True

    def _guarded(self, loop: For, formed: For, far: list[Stmt]) -> Rewritten:
        """Both loops, and one in front that counts the arguments which are too large; the old loop where it would have
        to read what the loop writes, or might fail."""
        needed = tuple(_needed(loop, {a for s in far for a in used(s)}))
        written = {self._classes.of(s.ref) for s in loop.body if isinstance(s, (ir.Store, ir.Accumulate))}
        if len(far) > MOST_ANGLES or not all(_may_go_in_front(s) for s in needed):
            return loop
        if any(isinstance(s, Load) and self._classes.of(s.ref) in written for s in needed):
            return loop
        builder = Builder()
        builder.span = loop.span
        count = _counted(builder, loop, needed, far)
        too_far = builder.let(greater, count, const(0), name="too_far")
        one, other = _copied(loop), _copied(formed)
        outs = (ir.Out(c.out, a.out, b.out) for c, a, b in zip(loop.carry, one.carry, other.carry, strict=True))
        return [*builder.out, ir.If(too_far, (one,), (other,), tuple(outs), span=loop.span)]


def _formed(stmt: Stmt) -> Stmt:
    """The statement with a vector form in the place of a function of numbers."""
    if not isinstance(stmt, Let) or len(stmt.targets) != 1:
        return stmt
    form = vector_form(stmt.op, stmt.target.type, stmt.args)
    return stmt if form is None or stmt.target.type.rank else replace(stmt, op=form)


def _multiplied(stmt: Stmt) -> Stmt:
    """A square as a product: Numba makes a loop of a power, which LLVM does not always get rid of in time."""
    if not isinstance(stmt, Let) or stmt.op is not power or stmt.target.type != stmt.args[0].type:
        return stmt
    base, exponent = stmt.args
    if not base.type.is_float or base.type.rank or not isinstance(exponent, Const) or exponent.value != 2:
        return stmt
    return replace(stmt, op=multiply, args=(base, base))


def _reach(stmt: Stmt) -> float:
    return reach(stmt.op, stmt.target.type) if isinstance(stmt, Let) else math.inf


def _calls_a_library(stmt: Stmt) -> bool:
    """Whether it prints as a call of which LLVM makes no vector code: then the loop is none, whatever else is in it."""
    if not isinstance(stmt, Let):
        return False
    text, helpers = expanded(stmt.op, tuple(a.type for a in stmt.args), dict(stmt.params))
    return bool(helpers) or not INSTRUCTIONS.issuperset(re.findall(r"\.(\w+)\(", text))


def _may_be_vector_code(loop: For) -> bool:
    """An innermost loop over elements, of straight lines, of which no turn waits for another, but for sums."""
    if loop.exit is not None or not all(isinstance(s, STRAIGHT) for s in loop.body):
        return False
    ends = loop.start, loop.stop, loop.step
    if all(isinstance(a, Const) for a in ends) and len(range(*(int(a.value.real) for a in ends))) < FEW:  # type: ignore[union-attr]
        return False
    if not any(loop.index in s.index for s in loop.body if isinstance(s, (Load, ir.Store, ir.Accumulate))):
        return False
    return all(_is_fold(c, loop.body) for c in loop.carry)


def _is_fold(carry: ir.Carry, body: tuple[Stmt, ...]) -> bool:
    """Whether what is carried is only added to, subtracted from or multiplied, and not looked at on the way."""
    at: Atom = carry.inner
    while at is not carry.next:
        users = [s for s in body for a in used(s) if a is at]
        if len(users) != 1 or not isinstance(user := users[0], Let) or user.op not in FOLDS:
            return False
        if user.op is subtract and user.args[0] is not at:
            return False
        at = user.target
    return not any(a is at for s in body for a in used(s))


def _needed(loop: For, wanted: set[Atom]) -> Iterator[Stmt]:
    """The statements of the body, in order, of which the wanted values are made."""
    found = []
    for stmt in reversed(loop.body):
        if isinstance(stmt, (Let, Load)) and not wanted.isdisjoint(
            stmt.targets if isinstance(stmt, Let) else (stmt.target,)
        ):
            wanted |= set(used(stmt))
            found.append(stmt)
    return reversed(found)


def _may_go_in_front(stmt: Stmt) -> bool:
    if isinstance(stmt, Load):
        return True
    if not isinstance(stmt, Let) or stmt.op.traits.effort == "much":
        return False
    return not stmt.op.traits.may_raise([a.type for a in stmt.args], stmt.params)


def _counted(builder: Builder, loop: For, needed: Iterable[Stmt], far: Iterable[Stmt]) -> Var:
    """How many arguments are too large, by a loop of its own."""
    env: dict[Var, Atom] = {}
    inner, out = Var("far", ir.I8), Var("far", ir.I8)
    index = env[loop.index] = Var(loop.index.name, ir.I8)
    count: Atom = inner
    with builder.block() as body:
        for stmt in needed:
            builder.put(_fresh(stmt, env))
        for stmt in far:
            (x,) = (env.get(a, a) if isinstance(a, Var) else a for a in used(stmt))
            size = builder.let(absolute, x)
            beyond = builder.let(greater, size, const(_reach(stmt), x.type))
            count = builder.let(add, count, builder.let(registry.PRIMITIVES["cast"], beyond, dtype="i8"), name="far")
    carry = ir.Carry(inner, const(0), count, out)
    builder.put(For(index, loop.start, loop.stop, loop.step, (carry,), tuple(body), span=loop.span))
    return out


def _copied(loop: For) -> For:
    """The loop with other variables in the place of those that it binds."""
    made = _fresh(loop, {})
    assert isinstance(made, For)
    return made


def _fresh(stmt: Stmt, env: dict[Var, Atom]) -> Stmt:
    def atom(a: Atom) -> Atom:
        return env.get(a, a) if isinstance(a, Var) else a

    def bind(var: Var) -> Var:
        env[var] = made = Var(var.name, var.type)
        return made

    return rebuild(stmt, atom, bind, lambda block: tuple(_fresh(s, env) for s in block))
