"""Where an error is shown that has no line in a function's body: at the function's parameter, or at the user's call."""

from __future__ import annotations

import ast
import linecache
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from srcgrad.errors import Problem, SrcgradError
from srcgrad.frontend.source import hooks
from srcgrad.frontend.source.functions import behind
from srcgrad.frontend.source.read import Source, python_function, read

PACKAGE = str(Path(__file__).parents[2])


class speaking_of:
    """`with speaking_of(f)`: an error from inside gets the place of the function, or of the call, if it has none."""

    __slots__ = ("fun",)

    def __init__(self, fun: Any) -> None:
        self.fun = fun

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, SrcgradError) and not error.placed and not hooks.stands_inside(users_own(self.fun)):
            raise placed(error, self.fun) from error.__cause__


def placed(error: SrcgradError, fun: Any) -> SrcgradError:
    """The error at the function's parameter that it is about, or its head; at the user's call if there is no such."""
    own = users_own(fun)
    if error.placed or hooks.stands_inside(own):
        return error  # the function around it, which is being read, knows the place
    return error.at(lambda p: _at(p, own, error.about))


def users_own(fun: Any) -> Any:
    """The user's function behind a derivative, a dispatcher, or a function that this package has put around it."""
    while not hasattr(behind(fun), "__code__") or hooks.inside_of(fun) is not None:
        inner = hooks.inside_of(fun)
        inner = getattr(fun, "__wrapped__", None) if inner is None else inner
        if inner is None:
            return fun
        fun = inner
    return fun


def _at(problem: Problem, fun: Any, parameter: str) -> Problem:
    code = getattr(behind(fun), "__code__", None)
    if code is None:
        return at_call(problem)
    try:
        source = read(python_function(fun))
    except SrcgradError:  # its text is not there: the file and the line are
        return replace(problem, file=code.co_filename, line=code.co_firstlineno, column=None)
    node = _parameter(source, parameter) or source.node
    place = source.problem(node, problem.message, problem.hint)
    return replace(place, calls=problem.calls)


def _parameter(source: Source, name: str) -> ast.arg | None:
    given = source.node.args
    params = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return next((p for p in params if p is not None and p.arg == name), None)


def at_call(problem: Problem) -> Problem:
    """The problem at the line outside this package from which it was called."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    if frame is None:
        return problem
    code, line = frame.f_code, frame.f_lineno
    text = linecache.getline(code.co_filename, line, frame.f_globals)
    return replace(problem, file=code.co_filename, line=line, column=_column(code, frame.f_lasti, line), source=text)


def _column(code: CodeType, instruction: int, line: int) -> int | None:
    first, _, column, _ = next(islice(code.co_positions(), instruction // 2, None))
    return column if first == line else None
