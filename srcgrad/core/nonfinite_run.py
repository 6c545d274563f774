"""Executing a core program to find which statement made a NaN or an infinity that its results hold.

Every float has a mark: 0, or the number of the event that its NaN or infinity comes from. Marks go where values go:
through memory element by element, and through operations from an argument's element to the result's. What a selection
leaves out leaves no mark on the result, so that an infinity that is masked is not blamed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Fun, Program, Stmt, Var
from srcgrad.core.run import Env, Growing, Interpreter


@dataclass(frozen=True, slots=True)
class Event:
    """A NaN or an infinity made of finite values. span: of the user's line. op: what made it, of these (name, value)
    pairs; parameter: it came in by that, and nothing made it. loops: (index, value) of the loops around, outer first.
    """

    span: ir.Span | None
    op: str
    operands: tuple[tuple[str, Any], ...]
    result: Any
    loops: tuple[tuple[str, int], ...] = ()
    parameter: str = ""


def events(program: Program, args: Sequence[Any]) -> list[Event]:
    """Where the NaNs and infinities among the results come from, by the time at which they were made."""
    tracer = NonFiniteRun(program.callees)
    with np.errstate(all="ignore"):
        tracer.fun(program.main, tuple(args))
    found = {int(k) for mark in tracer.returned for k in np.unique(mark) if k}
    return [tracer.events[k - 1] for k in sorted(found)]


class NonFiniteRun(Interpreter):
    """An interpreter that marks what is not finite. Nothing is printed, and no generator is seeded."""

    def __init__(self, callees: Mapping[str, Fun]) -> None:
        super().__init__(callees)
        self.events: list[Event] = []
        self.marks: dict[Var, Any] = {}
        self.given: tuple[Any, ...] | None = None  # the marks of the arguments of a call that begins
        self.returned: tuple[Any, ...] = ()
        self.loops: list[tuple[str, int]] = []
        self.span: ir.Span | None = None

    # ---- functions, and what moves without being changed

    def fun(self, fun: Fun, args: tuple[Any, ...]) -> tuple[Any, ...]:
        given, around, self.given = self.given, self.marks, None
        if given is None:
            given = tuple(self.entering(p, a) for p, a in zip(fun.params, args, strict=True))
        self.marks = dict(zip(fun.params, given, strict=True))
        out = super().fun(fun, args)
        self.returned = tuple(_memory(self.mark(r)) for r in fun.results)
        self.marks = around
        return out

    def entering(self, param: Var, value: Any) -> Any:
        if not param.type.is_float:
            return _blank(value)
        bad = ~np.isfinite(value)
        if not np.any(bad):
            return _blank(value)
        first = value if np.ndim(value) == 0 else value[bad].flat[0]
        return np.where(bad, self.event(Event(None, "", (), first, parameter=param.name)), 0)

    def call(self, fun: Fun, targets: tuple[Var, ...], args: tuple[Atom, ...], env: Env) -> None:
        self.given = tuple(self.mark(a) for a in args)
        super().call(fun, targets, args, env)
        self.marks.update(zip(targets, self.returned, strict=True))

    def move(self, moves: Mapping[Var, Atom], env: Env) -> None:
        marks = {target: self.mark(atom) for target, atom in moves.items()}
        super().move(moves, env)
        self.marks.update(marks)

    def mark(self, atom: Atom) -> Any:
        return self.marks.get(atom, 0) if isinstance(atom, Var) else 0

    def event(self, event: Event) -> int:
        self.events.append(event)
        return len(self.events)

    # ---- statements

    def block(self, stmts: tuple[Stmt, ...], env: Env) -> None:
        around = self.span
        super().block(stmts, env)
        self.span = around

    def stmt(self, stmt: Stmt, env: Env) -> None:
        self.span = stmt.span or self.span
        match stmt:
            case ir.Store() | ir.Accumulate():
                self.stored(stmt, env)
                return
            case ir.Effect() if not isinstance(stmt, ir.Raise | ir.Assert):
                return
        super().stmt(stmt, env)
        match stmt:
            case ir.Let(targets, op, args):
                self.made(targets, str(op), args, env)
            case ir.Draw(target):
                self.made((target,), "a random number", (), env)
            case ir.Load(target, ref, index):
                self.marks[target] = _memory(self.mark(ref))[self.index(index, env)]
            case ir.Alloc(target, _, init):
                self.marks[target] = self.fresh(env[target], 0 if isinstance(init, ir.Init) else self.mark(init))
            case ir.View(target, base, how):
                self.marks[target] = self.view(_memory(self.mark(base)), how, env)
            case ir.NewList(target):
                self.marks[target] = []
            case ir.Append(refs, ref):
                self.marks[refs].append(self.mark(ref))
            case ir.RefAt(target, refs, at):
                self.marks[target] = self.marks[refs][self.atom(at, env)]

    def fresh(self, memory: Any, mark: Any) -> Any:
        """Marks of new memory, which grow where it grows."""
        if isinstance(memory, Growing):
            marks = Growing(tuple(None if k in memory.axes else n for k, n in enumerate(memory.array.shape)), "i8")
            return marks
        marks = _blank(memory)
        marks[...] = mark
        return marks

    def stored(self, stmt: ir.Store | ir.Accumulate, env: Env) -> None:
        index, mark = self.index(stmt.index, env), self.mark(stmt.value)
        value = self.atom(stmt.value, env)
        reach = self.marks[stmt.ref]
        if isinstance(reach, Growing):
            reach.reach(index, value)
        if isinstance(stmt, ir.Store):
            Interpreter.stmt(self, stmt, env)
            _memory(reach)[index] = mark
            return
        memory, marks = _memory(env[stmt.ref]), _memory(reach)
        if isinstance(env[stmt.ref], Growing):
            env[stmt.ref].reach(index, value)
            memory = env[stmt.ref].array
        before, marked = memory[index], marks[index]
        Interpreter.stmt(self, stmt, env)
        if not stmt.ref.type.is_float:
            return
        after = memory[index]
        operands = ((stmt.ref.name, before, marked), (_name(stmt.value), value, mark))
        marks[index] = self.marked(after, "adding up", operands)

    def made(self, targets: tuple[Var, ...], op: str, args: tuple[Atom, ...], env: Env) -> None:
        operands = tuple((_name(a), _memory(self.atom(a, env)), _memory(self.mark(a))) for a in args)
        for target in targets:
            value = env[target]
            self.marks[target] = self.marked(value, op, operands) if target.type.is_float else _blank(value)

    def marked(self, value: Any, op: str, operands: Sequence[tuple[str, Any, Any]]) -> Any:
        """The marks of a result: each element's from the same element of the operands, else from any of theirs."""
        bad = ~np.isfinite(value)
        if not np.any(bad):
            return _blank(value)
        marks, shape = _blank(value), np.shape(value)
        for _, _, mark in operands:
            if np.any(mark):
                mark = np.broadcast_to(mark, shape) if _fits(mark, shape) else _first(mark)
                marks = np.where(marks == 0, mark, marks)
        marks = np.where(bad, marks, 0)
        rest = bad & (marks == 0)
        if np.any(rest):
            marks = np.where(rest, self.from_operands(value, rest, op, operands), marks)
        return marks[()]

    def from_operands(self, value: Any, rest: Any, op: str, operands: Sequence[tuple[str, Any, Any]]) -> int:
        """The mark of what comes from another element of an operand; a new one where all of them are finite."""
        among = [_first(mark) for _, item, mark in operands if not _fits(item, np.shape(value)) and np.any(mark)]
        if among:
            return min(among)
        place = tuple(int(k) for k in np.argwhere(np.atleast_1d(rest))[0])[: np.ndim(value)]
        shown = tuple((name, _at(item, place, np.shape(value))) for name, item, _ in operands)
        made = Event(self.span, op, shown, np.asarray(value)[place][()], tuple(self.loops))
        return self.event(made)

    # ---- loops

    def for_(self, stmt: ir.For, env: Env) -> None:
        self.loops.append((stmt.index.name, 0))
        super().for_(stmt, env)
        self.loops.pop()

    def while_(self, stmt: ir.While, env: Env) -> None:
        self.loops.append(("", -1))
        super().while_(stmt, env)
        self.loops.pop()

    def turn(self, stmt: ir.For | ir.While, env: Env) -> bool:
        name, before = self.loops[-1]
        self.loops[-1] = name, env[stmt.index] if isinstance(stmt, ir.For) else before + 1
        return super().turn(stmt, env)


def _name(atom: Atom) -> str:
    return atom.name if isinstance(atom, Var) else ""


def _memory(ref: Any) -> Any:
    return ref.array if isinstance(ref, Growing) else ref


def _blank(value: Any) -> Any:
    return [] if isinstance(value, list) else np.zeros(np.shape(value), np.int64)


def _fits(item: Any, shape: tuple[int, ...]) -> bool:
    """Whether an operand lies beside a result element by element."""
    try:
        return np.broadcast_shapes(np.shape(item), shape) == shape
    except ValueError:
        return False


def _first(mark: Any) -> int:
    return int(np.min(np.asarray(mark)[np.asarray(mark) > 0]))


def _at(item: Any, place: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """What an operand has beside this element of the result; all of it where it has none."""
    if isinstance(item, np.ndarray) and item.ndim and _fits(item, shape):
        return np.broadcast_to(item, shape)[place]
    return item
