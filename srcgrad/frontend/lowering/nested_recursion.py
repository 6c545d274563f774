"""A function inside a function that calls itself: what it takes from around it becomes further arguments.

A function of the program (`recursion`) sees nothing of the function in which it stands. So what its text names of the
frames around, and what the texts of nested functions that it names do, is handed over at each call, and stands in one
frame around its body there.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from srcgrad.core.ir import Const
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.recursion import emit_call, made_callee
from srcgrad.frontend.lowering.values import Absent, Closure, Env, Frame, Known, Maybe, Poison, Struct, Value

Run = Callable[[Lowering, dict[str, Value], Frame], Value]
SPELLED = "_around"  # behind the name of what an argument of the function hides from others


def call_itself(low: Lowering, name: str, closure: Closure, key: Any, env: dict[str, Value], run: Run) -> Value:
    """The call of a function of the program. run: (lowering, arguments, frame around) -> what the body gives."""
    around = _around(low, closure)
    given = {n: v for n, v in around.items() if not isinstance(v, (Closure, Known, Const, Poison, Absent))}
    spelled = {n: n + SPELLED if n in env else n for n in given}

    def body(other: Lowering, handed: dict[str, Value]) -> Value:
        frame = replace(closure.frame, env={}, outer=None, loops=[], bound=set(), stands_for=identity(closure.frame))
        held: Env = {n: _moved(v, frame) for n, v in around.items()}
        frame.env.update(held | {n: handed[spelled[n]] for n in given})
        frame.locals = frozenset(frame.env)
        return run(other, {n: handed[n] for n in env}, frame)

    everything = {**env, **{spelled[n]: v for n, v in given.items()}}
    whole = (key, tuple((n, values.spec_of(values.seen(v))) for n, v in given.items()))
    return emit_call(low, made_callee(low, name, whole, everything, body), everything)


def identity(frame: Frame) -> int:
    """What tells a frame from others, also where another one stands for it."""
    return frame.stands_for or id(frame)


def _moved(value: Value | Poison | Absent | Maybe, frame: Frame) -> Any:
    return replace(value, frame=frame) if isinstance(value, Closure) else value


def _around(low: Lowering, closure: Closure) -> dict[str, Any]:
    """What the function, and nested functions that it names, find in frames around them."""
    found: dict[str, Any] = {}
    waiting = [closure]
    while waiting:
        one = waiting.pop()
        if any(not isinstance(d, (Known, Const)) for d in (*one.defaults, *one.kw_defaults) if d is not None):
            low.refuse(*_beyond("a default that is computed"))
        for name, value in _named(one):
            if name in found:
                if found[name] is not value:
                    low.refuse(*_beyond(f"two things that are called `{name}`"))
                continue
            if isinstance(value, Maybe) or (isinstance(value, Struct) and value.kind is values.Cell):
                low.refuse(*_beyond(f"`{name}`, which changes around it"))
            found[name] = value
            if isinstance(value, Closure):
                waiting.append(value)
    return found


def _beyond(what: str) -> tuple[str, str]:
    return f"a nested function that calls itself uses {what}", "define it at the top of the file, and hand it over"


def _named(closure: Closure) -> Iterator[tuple[str, Any]]:
    for name in _names(closure.node):
        frame: Frame | None = closure.frame
        while frame is not None:
            if name in frame.env:
                yield name, frame.env[name]
            if name in frame.locals or name in frame.env:
                break
            frame = frame.outer


@functools.lru_cache(maxsize=512)
def _names(node: ast.FunctionDef | ast.Lambda) -> tuple[str, ...]:
    """The names that are read in a nested function, but for its own parameters."""
    own = {arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)}
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    read = [n.id for part in body for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    stored = {n.id for part in body for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return tuple(dict.fromkeys(name for name in read if name not in own | stored))
