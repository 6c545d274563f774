"""What a user may choose, checked: options by their names, modes, LLVM's flags, the axes that are mapped."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, TypedDict

import numpy as np

from srcgrad.compiler.find_or_make import Options
from srcgrad.derivatives.checkpoint_option import limit_of
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import wording


class CompileOptions(TypedDict, total=False):
    """What all transformers take by name; `grad` says what each means."""

    target: Literal["cpu", "cuda"] | str
    jit: bool
    cache: bool
    fastmath: bool | Collection[str] | None
    parallel: bool | None
    debug_nans: bool


class DerivativeOptions(CompileOptions, total=False):
    """What transformers take, too, that may sweep back."""

    checkpoint: int | str | None


OPTIONS = tuple(DerivativeOptions.__annotations__)
# What other libraries call something, and where it is here.
FOREIGN = {
    **dict.fromkeys(("argnum", "arg_nums", "argnames", "arg", "args", "wrt", "variables", "params"), "argnums"),
    **dict.fromkeys(("with_respect_to", "inputs", "x"), "argnums"),
    **dict.fromkeys(("aux", "hasaux", "return_aux"), "has_aux"),
    **dict.fromkeys(("method", "modes", "direction"), "mode"),
    **dict.fromkeys(("device", "gpu", "cuda", "backend", "platform"), "target"),
    **dict.fromkeys(("checkpoints", "remat", "snapshots", "max_memory", "memory"), "checkpoint"),
    **dict.fromkeys(("check_nans", "detect_anomaly", "debug", "debug_infs"), "debug_nans"),
    **dict.fromkeys(("nopython", "compile", "jitted"), "jit"),
    **dict.fromkeys(("axes", "in_axis", "axis", "in_dims", "out_axes", "axis_size"), "in_axes"),
}
MODES = ("forward", "reverse")


FLAGS = ("afn", "arcp", "contract", "fast", "ninf", "nnan", "nsz", "reassoc")


def options_of(given: Mapping[str, Any], own: Sequence[str] = ()) -> Options:
    """The options, each being one that there is. own: the names of those of this transformer's beside the usual."""
    for name, value in given.items():
        if name not in OPTIONS:
            names = (*own, *OPTIONS)
            alike = wording.close(name, names) or FOREIGN.get(name.lower(), "")
            hint = f"did you mean `{alike}`?" if alike in names else f"the options are {', '.join(names)}"
            raise ArgumentError(f"there is no option `{name}`", hint=hint)
        if name in ("jit", "cache", "parallel", "debug_nans") and not isinstance(value, (bool, np.bool_)):
            raise ArgumentError(f"{name} must be True or False, not {value!r}", hint=f"use {name}=True or {name}=False")
    checkpoint = limit_of(given.get("checkpoint"))
    return Options(**{**given, "fastmath": _fastmath(given.get("fastmath")), "checkpoint": checkpoint})


def _fastmath(given: Any) -> bool | tuple[str, ...] | None:
    if given is None or isinstance(given, bool):
        return given
    if not isinstance(given, (set, frozenset, list, tuple)):
        raise ArgumentError(f"fastmath={given!r} is neither a bool nor a set of flags", hint='use {"reassoc", "nsz"}')
    for flag in given:
        if flag not in FLAGS:
            others = f"the flags are {', '.join(FLAGS)}"
            raise ArgumentError(f"fastmath has no flag {flag!r}", hint=wording.meant(str(flag), FLAGS, others, '"{}"'))
    return tuple(sorted(given))


def check_mode(mode: Any, modes: Sequence[str]) -> None:
    if mode not in modes:
        others = f"use mode={wording.joined([repr(m) for m in modes], 'or')}"
        raise ArgumentError(f"there is no mode={mode!r}", hint=wording.meant(str(mode), modes, others, "mode='{}'"))


def axes_of(in_axes: Any, names: Mapping[str, inspect.Parameter]) -> tuple[int | None, ...]:
    """The mapped axis of each parameter; those with a default that is no array are the same for all items."""
    optional = [p.default is not p.empty and not isinstance(p.default, np.ndarray) for p in names.values()]
    if isinstance(in_axes, (tuple, list)):
        axes = (*in_axes, *[None] * sum(optional[len(in_axes) :]))
    else:
        axes = tuple(None if free else in_axes for free in optional)
    if len(axes) != len(names):
        hint = f"give one entry for each of {wording.joined([f'`{n}`' for n in names])}"
        raise ArgumentError(f"in_axes={in_axes!r} has {len(axes)} entries for {len(names)} parameters", hint=hint)
    for axis in axes:
        if axis is not None and (isinstance(axis, bool) or not isinstance(axis, (int, np.integer))):
            raise ArgumentError(
                f"in_axes must hold integers or None, not {axis!r}", hint="give an axis, or None for what is not mapped"
            )
    if all(a is None for a in axes):
        raise ArgumentError(f"in_axes={in_axes!r} maps nothing", hint="give the axis of one argument at least")
    return axes


def check_sparse(sparse: bool, pattern: Any, options: Options) -> bool:
    """Whether a sparse matrix is asked for, and can be."""
    if not sparse and pattern is not None:
        raise ArgumentError("`pattern` is of sparse matrices", hint="give sparse=True, too")
    if sparse and options.on_device:
        raise ArgumentError("sparse matrices are made on the CPU", hint="leave target out, or use jvp and vjp")
    return bool(sparse)
