"""What a command is about: a function of a file, the derivative that is asked for, and arguments."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import math
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from srcgrad import api
from srcgrad.derivatives.derivative import Derivative
from srcgrad.frontend.source.functions import signature_of
from srcgrad.terminal.samples import sampled

KINDS: dict[str, Callable[..., Any]] = {
    "grad": api.grad,
    "value_and_grad": api.value_and_grad,
    "forward": api.forward,
    "reverse": api.reverse,
    "jacobian": api.jacobian,
    "jacfwd": api.jacfwd,
    "jacrev": api.jacrev,
    "hessian": api.hessian,
    "hvp": api.hvp,
    "compiled": api.compiled,
}
MODES = {"grad", "value_and_grad", "jacobian"}  # of those above, what takes `mode`


class UsageError(Exception):
    """A command is given what it cannot work with; it says what to give instead."""


@dataclass(frozen=True)
class Given:
    """Arguments of a call."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """A function, by the name that it has in a file, and the arguments that were given for it, if any were."""

    fun: Any
    space: Mapping[str, Any]
    given: Given | None

    @property
    def primal(self) -> Any:
        """The function itself, of which the file may have a derivative alone."""
        return self.fun.primal if isinstance(self.fun, Derivative) else self.fun

    @property
    def name(self) -> str:
        return str(getattr(self.primal, "__name__", "f"))

    def arguments(self, seed: int = 0) -> Given:
        """Those that were given, else some that are drawn."""
        return self.given or Given(sampled(self.primal, np.random.default_rng(seed)))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that name a function and arguments."""
    parser.add_argument("function", metavar="FILE:FUNCTION", help="a function of a file or module: model.py:loss")
    parser.add_argument(
        "--args", metavar="VALUES", help="its arguments, as in a call: --args 'np.ones(3), n=2' (default: drawn)"
    )


def add_kind(parser: argparse.ArgumentParser, kind: str | None = "grad") -> None:
    """The options that say which derivative is meant."""
    parser.add_argument("--kind", choices=KINDS, default=kind, help=f"which derivative (default: {kind or 'all'})")
    parser.add_argument("--mode", choices=("forward", "reverse"), help="forward or reverse mode")
    parser.add_argument("--argnums", help="the parameters to differentiate by: names or places, as in 'w,b' or '0,2'")


def subject(options: argparse.Namespace) -> Subject:
    """The function that the options name.

    Raises
    ------
    UsageError
        If there is no such file or function, or the arguments cannot be read.
    """
    where, _, name = options.function.rpartition(":")
    if not where or not name:
        raise UsageError(f"`{options.function}` does not say which function: write FILE:FUNCTION, as in model.py:loss")
    module = _module(where)
    space = vars(module)
    return Subject(_named(module, name, where), space, given(options.args, space))


def derivative(about: Subject, options: argparse.Namespace) -> Derivative:
    """The derivative that the options ask for; where the file has one, and nothing is asked for, it is that."""
    if isinstance(about.fun, Derivative) and options.kind == "grad" and options.mode is options.argnums is None:
        return about.fun
    more: dict[str, Any] = {} if options.argnums is None else {"argnums": argnums(options.argnums)}
    if options.mode and options.kind not in MODES:
        raise UsageError(f"--mode says nothing for --kind {options.kind}: leave it out")
    if options.mode and options.kind == "jacobian":
        return KINDS["jacfwd" if options.mode == "forward" else "jacrev"](about.primal, **more)  # type: ignore[no-any-return]
    if options.mode:
        more["mode"] = options.mode
    return KINDS[options.kind](about.primal, **more)  # type: ignore[no-any-return]


def argnums(text: str) -> Any:
    """Names or places of parameters, as they are written with commas."""
    found = tuple(int(t) if t.lstrip("-").isdigit() else t for t in map(str.strip, text.split(",")) if t)
    return found if "," in text else found[0]


def _module(where: str) -> ModuleType:
    """The module of a file, or of a dotted name, run as an import runs it."""
    path = Path(where)
    if path.suffix != ".py" and not path.is_file():
        return _run(lambda: importlib.import_module(where), where)
    if not path.is_file():
        raise UsageError(f"there is no file {where}")
    sys.path.insert(0, str(path.resolve().parent))
    return _run(lambda: _of_file(path.resolve()), where)


def _of_file(path: Path) -> ModuleType:
    known = sys.modules.get(path.stem)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _run(load: Any, where: str) -> ModuleType:
    """What loading gives; an error of the user's code is shown from its first line on, without ours."""
    try:
        return load()  # type: ignore[no-any-return]
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if "importlib" not in f.filename and f.filename != __file__]
        shown = "".join([*traceback.format_list(own), *traceback.format_exception_only(error)])
        raise UsageError(f"{where} cannot be imported:\n{shown}".rstrip()) from None


def _named(module: ModuleType, name: str, where: str) -> Any:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None:
        names = sorted(n for n, v in vars(module).items() if inspect.isfunction(v) or isinstance(v, Derivative))
        has = f"; it has {', '.join(names)}" if names else ""
        raise UsageError(f"{where} has no function `{name}`{has}")
    if not callable(found):
        raise UsageError(f"`{name}` of {where} is no function")
    return found


def given(text: str | None, space: Mapping[str, Any]) -> Given | None:
    """Arguments as they stand in a call, with the file's names and `np` and `math` at hand."""
    if text is None:
        return None
    made: Given = evaluated(f"_given({text}\n)", {**space, "_given": _collected})
    return made


def evaluated(text: str, space: Mapping[str, Any]) -> Any:
    """What an expression gives, with these names at hand.

    Raises
    ------
    UsageError
        If it has no value.
    """
    try:
        return eval(text, {"np": np, "math": math, **space})
    except Exception as error:
        shown = text.removeprefix("_given(").removesuffix("\n)")
        raise UsageError(f"`{shown}` cannot be read: {type(error).__name__}: {error}") from None


def in_order(fun: Any, given: Given) -> tuple[Any, ...]:
    """Arguments by place, with the defaults of those that are left out."""
    try:
        call = signature_of(fun).bind(*given.args, **given.kwargs)
    except TypeError as error:
        raise UsageError(f"--args do not fit {fun.__name__}{signature_of(fun)}: {error}") from None
    call.apply_defaults()
    return call.args


def _collected(*args: Any, **kwargs: Any) -> Given:
    return Given(args, kwargs)


def names_of(values: Sequence[Any]) -> str:
    """Values, as a line of text."""
    return ", ".join(map(_shown, values))


def _shown(value: Any) -> str:
    return np.array2string(value, threshold=8, precision=4) if isinstance(value, np.ndarray) else repr(value)
