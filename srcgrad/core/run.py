"""Executing a core program with NumPy, slowly and plainly: the oracle that passes are checked against."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Fun, Program, Stmt, Type, Var

Env = dict[Var, Any]
# of an element, by what is atomic
UPDATES = {None: np.add, ir.Atomic.ADD: np.add, ir.Atomic.MAX: np.maximum, ir.Atomic.MIN: np.minimum}


class Growing:
    """Memory whose axes without a length grow when they are stored to."""

    def __init__(self, shape: tuple[int | None, ...], dtype: str) -> None:
        self.axes = tuple(k for k, n in enumerate(shape) if n is None)
        self.array = np.zeros([n or 0 for n in shape], dtype)

    def reach(self, index: tuple[Any, ...], value: Any) -> None:
        """Make room for what a store to this index writes."""
        shape = list(self.array.shape)
        for axis in self.axes:
            shape[axis] = max(shape[axis], self._extent(axis, index, value))
        if tuple(shape) != self.array.shape:
            bigger = np.zeros(shape, self.array.dtype)
            bigger[tuple(map(slice, self.array.shape))] = self.array
            self.array = bigger

    def _extent(self, axis: int, index: tuple[Any, ...], value: Any) -> int:
        item = index[axis]
        if not isinstance(item, slice):
            return int(np.max(item, initial=-1)) + 1
        if item.stop is not None:
            return int(item.stop)
        later = sum(isinstance(i, slice) for i in index[axis + 1 :])
        return (item.start or 0) + (np.shape(value)[-1 - later] if np.ndim(value) > later else 1)


def run(program: Program | Fun, *args: Any) -> tuple[Any, ...]:
    """The results for these arguments (arrays for references), as a tuple."""
    main, callees = (program.main, program.callees) if isinstance(program, Program) else (program, {})
    with np.errstate(all="ignore"):
        return Interpreter(callees).fun(main, args)


def _scalar(value: Any, type: Type) -> Any:
    """Integers and bools are Python's own (weak beside NumPy's), floats are NumPy's."""
    if type.dtype[0] in "iub":
        value = np.asarray(value).reshape(())
        return bool(value) if type.dtype[0] == "b" else int(value)
    return np.dtype(type.dtype).type(value)


def _typed(value: Any, type: Type, what: object) -> Any:
    if type.is_scalar:
        return _scalar(value, type)
    if not isinstance(value, np.ndarray) or value.ndim != type.rank or value.dtype != np.dtype(type.dtype):
        raise TypeError(f"{what} gives {value!r}, not {type}")
    return value


def _array(ref: Any) -> Any:
    return ref.array if isinstance(ref, Growing) else ref


class Interpreter:
    """Executes statements in an environment of variables; subclasses see what moves through it."""

    def __init__(self, callees: Mapping[str, Fun]) -> None:
        self.callees = callees

    def fun(self, fun: Fun, args: tuple[Any, ...]) -> tuple[Any, ...]:
        env: Env = {}
        for param, arg in zip(fun.params, args, strict=True):
            env[param] = _scalar(arg, param.type) if param.type.is_scalar else arg
        self.block(fun.body, env)
        return tuple(_array(self.atom(r, env)) for r in fun.results)

    def block(self, stmts: tuple[Stmt, ...], env: Env) -> None:
        for stmt in stmts:
            self.stmt(stmt, env)

    def atom(self, atom: Atom, env: Env) -> Any:
        return env[atom] if isinstance(atom, Var) else _scalar(atom.value, atom.type)

    def index(self, index: ir.Index, env: Env) -> tuple[Any, ...]:
        def part(atom: Atom | None) -> Any:
            return None if atom is None else self.atom(atom, env)

        return tuple(
            slice(part(i.start), part(i.stop), part(i.step)) if isinstance(i, ir.Slice) else part(i) for i in index
        )

    def stmt(self, stmt: Stmt, env: Env) -> None:
        match stmt:
            case ir.Let():
                self.let(stmt, env)
            case ir.Load(target, ref, index, copy):
                value = _array(env[ref])[self.index(index, env)]
                value = value.copy() if copy and target.type.rank else value
                env[target] = _typed(value, target.type, "a load")
            case ir.Store(ref, index, value):
                self.write(env[ref], self.index(index, env), self.atom(value, env), None)
            case ir.Accumulate(ref, index, value, atomic):
                self.write(env[ref], self.index(index, env), self.atom(value, env), UPDATES[atomic])
            case ir.Alloc():
                env[stmt.target] = self.alloc(stmt, env)
            case ir.View(target, base, how):
                env[target] = self.view(_array(env[base]), how, env)
            case ir.NewList(target):
                env[target] = []
            case ir.Append(refs, ref, pos):
                env[pos] = len(env[refs])
                env[refs].append(env[ref])
            case ir.RefAt(target, refs, at):
                env[target] = env[refs][self.atom(at, env)]
            case _:
                self.compound(stmt, env)

    def compound(self, stmt: Stmt, env: Env) -> None:
        match stmt:
            case ir.For():
                self.for_(stmt, env)
            case ir.While():
                self.while_(stmt, env)
            case ir.If(cond, then, orelse, outs):
                taken = self.atom(cond, env)
                self.block(then if taken else orelse, env)
                self.move({o.target: o.then if taken else o.orelse for o in outs}, env)
            case ir.Call(targets, callee, args):
                self.call(self.callees[callee], targets, args, env)
            case ir.Custom(targets, args, primal):
                self.call(primal, targets, args, env)
            case ir.Effect():
                self.effect(stmt, env)
            case ir.Draw(target, op, args, params):
                env[target] = _typed(op.evaluate(*(self.atom(a, env) for a in args), **params), target.type, op)
            case ir.Remark() | ir.Barrier():  # one thread alone has nobody to wait for
                pass
            case _:
                raise TypeError(type(stmt).__name__)

    def call(self, fun: Fun, targets: tuple[Var, ...], args: tuple[Atom, ...], env: Env) -> None:
        got = self.fun(fun, tuple(self.atom(a, env) for a in args))
        env.update(zip(targets, got, strict=True))

    def move(self, moves: Mapping[Var, Atom], env: Env) -> None:
        """Give variables the values that these atoms have now, all at once."""
        env.update({target: self.atom(atom, env) for target, atom in moves.items()})

    def effect(self, stmt: ir.Effect, env: Env) -> None:
        match stmt:
            case ir.Raise(module, name, parts, format):
                first = [] if format is None else [format]
                raise getattr(sys.modules[module], name)(*first, *(self.part(p, env) for p in parts))
            case ir.Assert(cond, message):
                if not self.atom(cond, env):
                    raise AssertionError(*([] if message is None else [self.part(message, env)]))
            case ir.Print(parts, (("into", into), *more)):
                tell(str(into), [self.part(p, env) for p in parts], dict(more))
            case ir.Print(parts, options):
                keywords: dict[str, Any] = dict(options)
                print(*(self.part(p, env) for p in parts), **keywords)
            case ir.Seed(stream, value):
                start = np.random.seed if stream is ir.Stream.NUMPY else random.seed
                start(self.atom(value, env))
            case _:
                raise TypeError(type(stmt).__name__)

    def part(self, part: ir.Part, env: Env) -> Any:
        """What is printed or raised."""
        match part:
            case Var() | ir.Const():
                return _array(self.atom(part, env))
            case ir.Literal(value):
                return value
            case ir.AsPython(number) if number.type.rank:
                return _array(self.atom(number, env)).copy()
            case ir.AsPython(number):
                return self.atom(number, env).item() if number.type.is_float else self.atom(number, env)
            case ir.Formatted(text, parts):
                return text.format(*(self.part(p, env) for p in parts))
            case tuple():
                return tuple(self.part(p, env) for p in part)
        return part

    def let(self, stmt: ir.Let, env: Env) -> None:
        got = stmt.op.evaluate(*(_array(self.atom(a, env)) for a in stmt.args), **stmt.params)
        values = (got,) if len(stmt.targets) == 1 else got
        for target, value in zip(stmt.targets, values, strict=True):
            env[target] = _typed(value, target.type, stmt.op)

    def write(self, ref: Any, index: tuple[Any, ...], value: Any, update: np.ufunc | None) -> None:
        if isinstance(ref, Growing):
            ref.reach(index, value)
        array = _array(ref)
        if update is None:
            array[index] = value
        elif any(isinstance(i, np.ndarray) for i in index):
            update.at(array, index, value)
        else:
            array[index] = update(array[index], value)

    def alloc(self, stmt: ir.Alloc, env: Env) -> Any:
        dtype = np.dtype(stmt.target.type.dtype)
        init = stmt.init if isinstance(stmt.init, ir.Init) else self.atom(stmt.init, env)
        if isinstance(init, np.ndarray):
            return np.array(init, dtype)
        if None in stmt.shape:
            return Growing(tuple(None if n is None else self.atom(n, env) for n in stmt.shape), dtype.str[1:])
        shape = tuple(self.atom(n, env) for n in stmt.shape if n is not None)
        if isinstance(init, ir.Init):
            # EMPTY is filled with something that no program can mistake for a result
            zeros = init is ir.Init.ZEROS or dtype.kind != "f"
            return np.zeros(shape, dtype) if zeros else np.full(shape, np.nan, dtype)
        return np.full(shape, init, dtype)

    def view(self, base: Any, how: ir.Index | ir.Transpose | ir.Reshape, env: Env) -> Any:
        if isinstance(how, ir.Transpose):
            return base.transpose(how.axes)
        if isinstance(how, ir.Reshape):
            shape = tuple(self.atom(n, env) for n in how.shape)
            return np.reshape(base, shape, copy=False)  # raises where it would copy
        return base[self.index(how, env)]

    def turn(self, stmt: ir.For | ir.While, env: Env) -> bool:
        """One iteration of a loop's body; whether the loop goes on."""
        self.block(stmt.body, env)
        leave = stmt.exit is not None and self.atom(stmt.exit, env)
        self.move({c.inner: c.next for c in stmt.carry}, env)
        return not leave

    def for_(self, stmt: ir.For, env: Env) -> None:
        bounds = [self.atom(a, env) for a in (stmt.start, stmt.stop, stmt.step)]
        self.move({c.inner: c.init for c in stmt.carry}, env)
        for i in range(*bounds):
            env[stmt.index] = i
            if not self.turn(stmt, env):
                break
        self.move({c.out: c.inner for c in stmt.carry}, env)

    def while_(self, stmt: ir.While, env: Env) -> None:
        self.move({c.inner: c.init for c in stmt.carry}, env)
        while True:
            self.block(stmt.test, env)
            if not self.atom(stmt.cond, env) or not self.turn(stmt, env):
                break
        self.move({c.out: c.inner for c in stmt.carry}, env)


def tell(into: str, parts: list[Any], options: dict[str, Any]) -> None:
    """What a function tells outside of it: a call, or an assignment."""
    names = {"sys": sys, "parts": parts, "options": options}
    exec(f"{into} parts[0]" if into.endswith("=") else f"{into}(*parts, **options)", names)
