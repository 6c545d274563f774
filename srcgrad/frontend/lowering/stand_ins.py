"""Functions of libraries for which the package has Python text: that is read in their place, at the user's line."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Const, Var
from srcgrad.frontend.lowering import of_numba, of_scipy_hints
from srcgrad.frontend.lowering.construction import literal
from srcgrad.frontend.lowering.foreign_arrays import owner_of
from srcgrad.frontend.lowering.paths import Lowering
from srcgrad.frontend.lowering.values import Frozen, Known, Struct, Value, struct
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.classes import STAND_INS
from srcgrad.frontend.source.read import InPlace, Source
from srcgrad.numpy import functions
from srcgrad.python import bisect, statistics
from srcgrad.scipy import distance, ivp, linalg, samples, special, splines

CONTINUOUS = ("logpdf", "pdf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf")
DISCRETE = ("logpmf", "pmf", "cdf", "logcdf", "sf", "logsf")
POLYNOMIALS = ("derivative", "antiderivative", "integrate")
Args = Sequence[Value]
Named = Mapping[str, Value]
Called = tuple[Known, list[Value], Named]  # a function to read, and its arguments


def at_call(low: Lowering, source: Source, node: ast.AST) -> Source:
    """The source as it is, or as one whose places are the call's, if the function is the package's."""
    if not str(source.fun.__module__).startswith(STAND_INS) or low.frame is None:
        return source
    return InPlace(source.fun, source.node, source.file, source.lines, low.frame.source, node)


# by the beginning of the name of the module that a library's function is from
HOMES: tuple[tuple[str, Any], ...] = (
    ("numpy", functions),
    ("scipy.integrate", ivp),
    ("scipy.integrate", samples),
    ("scipy.interpolate", splines),
    ("scipy.linalg", linalg),
    ("scipy.spatial.distance", distance),
    ("scipy.special", special),
    ("statistics", statistics),
    ("_bisect", bisect),
)


def _text(name: str) -> Any:
    """A module for `scipy.stats`: it imports SciPy, as whoever calls a distribution has."""
    return importlib.import_module(f"srcgrad.scipy.{name}")


def _plain(target: Any) -> Any:
    """The text that stands for a library's function."""
    name = getattr(target, "__name__", None)
    module = "scipy.special" if isinstance(target, np.ufunc) else str(getattr(target, "__module__", ""))
    for start, home in HOMES:
        if isinstance(name, str) and name in home.__all__ and f"{module}.".startswith(f"{start}."):
            return getattr(home, name)
    return None


def _of_numpy(low: Lowering, target: Any, args: Args, named: Named) -> Called | None:
    """What np.vectorize gave, and methods of ufuncs."""
    if target is np.vectorize and len(args) == 1 and not named:
        return Known(functools.partial), [Known(functions.vectorized), *args], {}
    if (
        target is np.histogram
        and isinstance(weights := named.get("weights"), Var)
        and set(named) <= {"bins", "weights"}
    ):
        bins = args[1] if len(args) > 1 else named.get("bins", Const(10, ir.I8))
        return Known(functions.weighted_histogram), [args[0], bins, weights], {}
    if isinstance(target, np.vectorize):
        if target.signature is not None or target.excluded or named:
            low.refuse("np.vectorize with a signature, exclusions or names", "call it by place, on numbers")
        return Known(functions.vectorized), [Known(target.pyfunc), *args], {}
    ufunc = getattr(target, "__self__", None)
    if isinstance(ufunc, np.ufunc) and target.__name__ in ("outer", "accumulate") and not named:
        return Known(getattr(functions, target.__name__)), [Known(ufunc), *args], {}
    return None


def _of_polynomials(low: Lowering, function: Known, args: Args, named: Named) -> Called | None:
    """A call of a spline that was made outside, or of one of its methods."""
    owner, method, origin = function.value, "__call__", function.origin
    if isinstance(owner, types.MethodType) and owner.__name__ in ("__call__", *POLYNOMIALS):
        method = owner.__name__
        owner, origin = owner.__self__, owner_of(origin, method)
    kinds = [base.__module__.split(".")[:2] for base in type(owner).__mro__ if base.__name__ == "PPoly"]
    if ["scipy", "interpolate"] not in kinds or owner.axis != 0:
        return None
    if origin is None:
        low.refuse("a spline is an argument", "close over it, or pass its .c and .x, and call PPoly(c, x)")
    known = Known(owner, origin)
    parts = [low.captures.attribute(known, name) for name in ("c", "x", "extrapolate")]
    return Known(splines.asked), [Known(method), *parts, *args], named


def stand_in(low: Lowering, function: Known, args: Args, named: Named) -> Called | None:
    """The function to read in the place of this one, with its arguments."""
    target = function.value
    pieces = _of_polynomials(low, function, args, named)
    if pieces is not None:
        return pieces
    plain = _plain(target)
    if plain is not None:
        of_scipy_hints.check_steps(low, plain, args, named)
        return Known(plain), list(args), named
    made = _of_numpy(low, target, args, named) or of_numba.ufunc(low, target, args, dict(named))
    if made is not None:
        return made
    owner = getattr(target, "__self__", None)
    if owner is None or not type(owner).__module__.startswith("scipy.stats"):
        return None
    method = target.__name__
    frozen = getattr(owner, "dist", None)
    if frozen is not None and hasattr(owner, "kwds"):
        bound = [literal(low, a) for a in owner.args]
        keywords = {k: literal(low, v) for k, v in owner.kwds.items()}
        return _of_distribution(low, frozen, method, [*args[:1], *bound, *args[1:]], {**keywords, **named})
    if type(owner).__name__ == "multivariate_normal_gen" and method in ("logpdf", "pdf"):
        given = _bound(low, f"multivariate_normal.{method}", ("x", "mean", "cov"), {}, args, named)
        return Known(getattr(_text("stats"), f"multivariate_normal_{method}")), given, {}
    return _of_distribution(low, owner, method, args, named)


def frozen(low: Lowering, target: Any, args: Args, named: Named) -> Struct | None:
    """A distribution with its parameters, if it is one that is called."""
    if not type(target).__module__.startswith("scipy.stats") or not callable(target):
        return None
    given = {"@distribution": Known(target), **{str(k): low.settle(a, "a") for k, a in enumerate(args)}}
    given |= {key: low.settle(value, key) for key, value in named.items()}
    return Struct(Frozen, tuple(given), tuple(given.values()), value=True, locked="it is a distribution")


def of_frozen(low: Lowering, owner: Struct, name: str, args: Args, named: Named) -> Called:
    """The function to read in the place of a frozen distribution's method, with its arguments."""
    given = dict(zip(owner.keys, owner.items, strict=True))
    distribution = given.pop("@distribution")
    assert isinstance(distribution, Known)
    method = getattr(distribution.value, name, None)
    first = [given.pop(key) for key in owner.keys if key.isdigit()]
    found = None if method is None else stand_in(low, Known(method), [*args, *first], {**given, **named})
    if found is None:
        low.refuse(f"there is no rule for the method `{name}` of a distribution", "write it out")
    return found


def _of_distribution(low: Lowering, owner: Any, method: str, args: Args, named: Named) -> Called | None:
    name = getattr(owner, "name", "")
    for module, methods, prefix, first, more in (
        (_text("continuous"), CONTINUOUS, "", "x", ("loc", "scale")),
        (_text("discrete"), DISCRETE, "discrete_", "k", ("loc",)),
    ):
        kind: Any = getattr(module, name, None)
        if not inspect.isclass(kind):
            continue
        if method not in methods or not (prefix or hasattr(kind, method)):
            there = [m for m in methods if prefix or hasattr(kind, m)]
            low.refuse(f"`{name}.{method}` is not supported", f"there are {wording.joined(there)}")
        if method in ("ppf", "isf"):
            first = "q"
        shapes_of: tuple[str, ...] = vars(kind)["shapes"]
        defaults = {"loc": literal(low, 0.0), "scale": literal(low, 1.0)}
        x, *others = _bound(low, f"{name}.{method}", (first, *shapes_of, *more), defaults, args, named)
        shapes = others[: len(shapes_of)]
        function = Known(getattr(_text("stats"), prefix + method))
        return function, [Known(kind), x, struct(shapes), *others[len(shapes) :]], {}
    return None


def _bound(low: Lowering, name: str, names: Sequence[str], defaults: Named, args: Args, named: Named) -> list[Value]:
    """The arguments in the order of these names."""
    if len(args) > len(names):
        low.refuse(f"`{name}` takes {len(names)} arguments, not {len(args)}", f"it takes {wording.joined(names)}")
    given = dict(zip(names, args, strict=False))
    for key, value in named.items():
        if key in given or key not in names:
            hint = wording.meant(key, names, f"it takes {wording.joined(names)}")
            low.refuse(f"`{name}` has no argument `{key}` left to give", hint)
        given[key] = value
    missing = [key for key in names if key not in given and key not in defaults]
    if missing:
        low.refuse(f"missing argument `{missing[0]}` in the call of `{name}`", f"it takes {wording.joined(names)}")
    return [low.settle(given[key] if key in given else defaults[key], key) for key in names]
