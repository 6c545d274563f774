"""The transformers: what a user calls."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from srcgrad.backend import callable as native
from srcgrad.compiler.find_or_make import Options
from srcgrad.compiler.request import Recipe
from srcgrad.derivatives import arguments
from srcgrad.derivatives.at_a_point import jvp_with, vjp_with
from srcgrad.derivatives.bound_arguments import adapted
from srcgrad.derivatives.derivative import Derivative
from srcgrad.derivatives.mapped_on_gpu import Mapped
from srcgrad.derivatives.one_call import Call
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source import hooks, wording
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.functions import behind, signature_of
from srcgrad.frontend.source.structure import leaves

OPTIONS = ("target", "jit", "cache", "fastmath", "parallel")
# What other libraries call something, and where it is here.
FOREIGN = {
    **dict.fromkeys(("argnum", "arg_nums", "argnames", "arg", "args", "wrt", "variables", "params"), "argnums"),
    **dict.fromkeys(("with_respect_to", "inputs", "x"), "argnums"),
    **dict.fromkeys(("aux", "hasaux", "return_aux"), "has_aux"),
    **dict.fromkeys(("method", "modes", "direction"), "mode"),
    **dict.fromkeys(("device", "gpu", "cuda", "backend", "platform"), "target"),
    **dict.fromkeys(("nopython", "compile", "jitted"), "jit"),
    **dict.fromkeys(("axes", "in_axis", "axis", "in_dims", "out_axes", "axis_size"), "in_axes"),
}
MODES = ("forward", "reverse")


FLAGS = ("afn", "arcp", "contract", "fast", "ninf", "nnan", "nsz", "reassoc")


def _options(given: dict[str, Any], own: Sequence[str] = ()) -> Options:
    """The options, each being one that there is. own: the names of those of this transformer's beside the usual."""
    for name, value in given.items():
        if name not in OPTIONS:
            names = (*own, *OPTIONS)
            alike = wording.close(name, names) or FOREIGN.get(name.lower(), "")
            hint = f"did you mean `{alike}`?" if alike in names else f"the options are {', '.join(names)}"
            raise ArgumentError(f"there is no option `{name}`", hint=hint)
        if name in ("jit", "cache", "parallel") and not isinstance(value, (bool, np.bool_)):
            raise ArgumentError(f"{name}={value!r} is no bool", hint=f"use {name}=True or {name}=False")
    return Options(**{**given, "fastmath": _fastmath(given.get("fastmath"))})


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


def _mode(mode: Any, modes: Sequence[str]) -> None:
    if mode not in modes:
        others = f"use mode={wording.joined([repr(m) for m in modes], 'or')}"
        raise ArgumentError(f"there is no mode={mode!r}", hint=wording.meant(str(mode), modes, others, "mode='{}'"))


def _transformer(kind: str, fun: Any, argnums: Any, options: dict[str, Any], **recipe: Any) -> Any:
    """A `Derivative`, or, without a function, the decorator that makes one."""
    if fun is None:
        return lambda f: _transformer(kind, f, argnums, options, **recipe)
    with speaking_of(None):
        _mode(recipe.get("mode", "reverse"), MODES)
        own = () if kind == "value" else ("argnums", *recipe)
        return Derivative(_plain(fun), Recipe(kind, **recipe), _options(options, own), argnums)


def grad(fun: Any = None, argnums: Any = 0, *, has_aux: bool = False, mode: str = "reverse", **options: Any) -> Any:
    """The gradient of a function that returns one number.

    Parameters
    ----------
    fun : the function; without it, a decorator is returned
    argnums : a parameter's place or name, or a tuple of those: with respect to what; a tuple gives a tuple
    has_aux : whether `fun` returns `(value, aux)`; then the derivative returns `(gradient, aux)`
    mode : 'reverse' or 'forward'
    target, jit, cache, fastmath, parallel : how the generated code is run

    Examples
    --------
    >>> from srcgrad import grad
    >>> def f(x):
    ...     return x * x
    >>> grad(f, cache=False)(3.0)
    6.0
    """
    return _transformer("grad", fun, argnums, options, has_aux=has_aux, mode=mode)


def compiled(fun: Any = None, **options: Any) -> Any:
    """The function itself, read, simplified and compiled like a derivative; derivatives that it calls stand in
    place."""
    return _transformer("value", fun, None, options)


def value_and_grad(
    fun: Any = None, argnums: Any = 0, *, has_aux: bool = False, mode: str = "reverse", **options: Any
) -> Any:
    """As `grad`, giving `(value, gradient)`; with `has_aux`, `((value, aux), gradient)`."""
    return _transformer("value_and_grad", fun, argnums, options, has_aux=has_aux, mode=mode)


def forward(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The generated tangent function: `(*args, *dots) -> (value, value_dot)`, one dot a differentiated parameter."""
    return _transformer("forward", fun, argnums, options)


def reverse(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The generated adjoint function: `(*args, value_bar) -> (value, arg_bars)`."""
    return _transformer("reverse", fun, argnums, options)


def jacfwd(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Jacobian by forward mode, of shape `output.shape + input.shape`: for few inputs."""
    return _transformer("jacfwd", fun, argnums, options)


def jacrev(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Jacobian by reverse mode, of shape `output.shape + input.shape`: for few outputs."""
    return _transformer("jacrev", fun, argnums, options)


def jacobian(fun: Any = None, argnums: Any = 0, mode: str = "auto", **options: Any) -> Any:
    """The Jacobian, of shape `output.shape + input.shape`; `mode` is 'forward', 'reverse', or 'auto' by their sizes."""
    if fun is None:
        return lambda f: jacobian(f, argnums, mode, **options)
    with speaking_of(None):
        _mode(mode, ("auto", *MODES))
        chosen = _options(options, ("argnums", "mode"))
        if mode == "auto":
            return Jacobian(_plain(fun), Recipe("jacobian"), chosen, argnums)
    return (jacfwd if mode == "forward" else jacrev)(fun, argnums, **options)


def hessian(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Hessian of a function that returns one number, forward over reverse: shape `input.shape + input.shape`."""
    return _transformer("hessian", fun, argnums, options)


def hvp(fun: Any = None, argnums: Any = 0, **options: Any) -> Any:
    """The Hessian times a vector: `(*args, vector)`, in the structure of the argument."""
    return _transformer("hvp", fun, argnums, options)


class Jacobian(Derivative):
    """The Jacobian in the cheaper mode: forward where there are not more inputs than outputs, at each call's sizes."""

    def __init__(self, fun: Any, recipe: Recipe, options: Options, argnums: Any = None) -> None:
        super().__init__(fun, recipe, options, argnums)
        places, single = self._recipe.argnums, self._recipe.single
        self._by_mode = {m: Derivative(fun, Recipe(f"jac{m}", places, single), options) for m in ("fwd", "rev")}
        self._value = Derivative(fun, Recipe("value", places, leaves=()), options)
        self._modes: dict[Any, str] = {}

    def _lookup(self, values: Sequence[Any]) -> Call:
        specs = self._specs(values)
        items = list(arguments.flat(values, specs))
        key = (specs, tuple(map(np.shape, items)))
        if key not in self._modes:
            inputs = sum(np.size(items[k]) for k in self._recipe.active(specs))
            call = self._value._lookup(values)
            outputs = sum(np.size(out) for out in leaves(call.run(values), call.meta.result))
            self._modes[key] = "fwd" if inputs <= outputs else "rev"
        self._last = self._by_mode[self._modes[key]]._lookup(values)
        return self._last

    def _remember(self, call: Call, args: Sequence[Any]) -> None:
        """The mode depends on the sizes: nothing is remembered by type alone."""


native.register(Jacobian, Derivative._resolve)


def jvp(fun: Any, primals: Any, tangents: Any, **options: Any) -> tuple[Any, Any]:
    """`(value, tangent)` of `fun` at `primals` along `tangents`, tuples of one structure; a tangent of None means zero.

    Examples
    --------
    >>> from srcgrad import jvp
    >>> def f(x, y):
    ...     return x * y
    >>> jvp(f, (3.0, 4.0), (1.0, None), jit=False)
    (12.0, 4.0)
    """
    with speaking_of(None):
        fun, chosen = _plain(fun), _options(options)
    return jvp_with(fun, primals, tangents, chosen)


def vjp(fun: Any, *primals: Any, **options: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """`(value, pullback)` of `fun` at `primals`; `pullback(cotangent)` gives a tuple, one cotangent an argument.

    Examples
    --------
    >>> from srcgrad import vjp
    >>> def f(x, y):
    ...     return x * y
    >>> value, pullback = vjp(f, 3.0, 4.0, jit=False)
    >>> value, pullback(1.0)
    (12.0, (4.0, 3.0))
    """
    with speaking_of(None):
        fun, chosen = _plain(fun), _options(options)
    return vjp_with(fun, primals, chosen)


def vmap(fun: Any = None, in_axes: Any = 0, *, target: str = "cpu", **options: Any) -> Any:
    """`fun` for each item along an axis, compiled; with target="cuda" in one kernel, one item a thread.

    Parameters
    ----------
    fun : a function, a derivative, or a function that calls a solver
    in_axes : an int, None (not mapped), or a tuple, one an argument
    target : 'cpu' or 'cuda'; on CUDA, what comes in on the device goes out on it
    """
    if fun is None:
        return lambda f: vmap(f, in_axes, target=target, **options)
    with speaking_of(None):
        fun, chosen = _plain(fun), _options({"target": target, **options}, ("in_axes",))
    with speaking_of(fun):
        axes = _axes(in_axes, signature_of(fun).parameters)
        kind = Mapped if chosen.on_device else Derivative
        return kind(fun, Recipe("vmap", (), axes=axes, leaves=()), chosen)


def _axes(in_axes: Any, names: Mapping[str, inspect.Parameter]) -> tuple[int | None, ...]:
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
            raise ArgumentError(f"in_axes={in_axes!r} holds {axis!r}, which is no axis", hint="give ints or None")
    if all(a is None for a in axes):
        raise ArgumentError(f"in_axes={in_axes!r} maps nothing", hint="give the axis of one argument at least")
    return axes


def _plain(fun: Any) -> Any:
    """The function; what comes with arguments of its own (a bound method, a partial) without those."""
    if not callable(fun):
        raise ArgumentError(f"{fun!r} is not a function", hint="give the function itself: grad(f)(x), not grad(f(x))")
    made = adapted(fun)
    if not hooks.gives_core(made) and not isinstance(behind(made), types.FunctionType):
        raise ArgumentError(f"{_called(fun)} is not a Python function", hint=_instead(fun))
    return made


def _called(fun: Any) -> str:
    name = getattr(fun, "__name__", None)
    return wording.of_object(fun) if isinstance(fun, type) or not isinstance(name, str) else f"`{name}`"


def _instead(fun: Any) -> str:
    """What to give in the place of something that can be called but is no Python function."""
    if hasattr(fun, "__wrapped__"):
        return "give the function that the decorator wraps: its attribute `__wrapped__`"
    if isinstance(fun, type) or not hasattr(fun, "__name__"):
        return "wrap what it computes in a function: lambda x: ..."
    return f"wrap it: lambda x: {fun.__name__}(x)"
