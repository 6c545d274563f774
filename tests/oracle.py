"""An independent reference for derivatives: nested dual numbers run on the user's own Python function.

Arrays are object arrays, so that NumPy's own rules of views, aliases and overlap apply. The function is not
transformed: it runs with `math`, `numpy` and a few builtins replaced in its globals. Nothing here knows of srcgrad.
"""

from __future__ import annotations

import builtins
import dataclasses
import itertools
import math
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tests.duals import Array, Dual, F, array, is_int, maximum_rule, plain, prim, tangent_of, to_float, value_of

Path = frozenset[int]


def made(maker: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes arrays, making arrays that can hold duals."""

    def call(*args: Any, dtype: Any = None, **options: Any) -> Any:
        if dtype is not None:
            options["dtype"] = dtype if is_int(dtype) else object
        return array(maker(*map(_floats, args), **options)) if dtype is None else _typed(maker, args, options)

    return call


def _floats(x: Any) -> Any:
    return np.zeros(x.shape) if isinstance(x, Array) and x.dtype == object else x


def _typed(maker: Callable[..., Any], args: Sequence[Any], options: dict[str, Any]) -> Any:
    wanted = options.pop("dtype")
    result = maker(*map(_floats, args), **options)
    return array(result.astype(wanted) if wanted is not object else result.astype(float))


def full(shape: Any, value: Any, dtype: Any = None) -> Any:
    out = np.empty(shape, dtype=int if is_int(dtype) or (dtype is None and isinstance(value, int)) else object)
    out[...] = value
    return array(out)


def from_values(values: Any, dtype: Any = None, **_: Any) -> Any:
    out = np.array(values)
    out = out.astype(dtype) if is_int(dtype) else out if out.dtype.kind in "ib" and dtype is None else out * 1.0
    return array(out)


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None:
        return np.nonzero(plain(condition))
    result = array(np.where(plain(condition), plain(x), plain(y)))
    return result[()] if result.ndim == 0 else result


MAKERS = ("zeros", "ones", "zeros_like", "ones_like", "arange", "linspace", "eye", "identity")
CREATION: dict[str, Any] = {name: made(getattr(np, name)) for name in MAKERS}
CREATION |= {
    "empty": CREATION["zeros"],
    "empty_like": CREATION["zeros_like"],
    "full": full,
    "array": from_values,
    "full_like": lambda a, value: full(np.shape(a), to_float(value) if a.dtype == object else value),
    "asarray": lambda x, dtype=None: x if isinstance(x, Array) else from_values(x, dtype),
    "where": where,
    "float64": to_float,
    "float32": to_float,
    "copy": lambda x: x.copy(),
    "max": lambda x, axis=None, **o: array(x).max(axis, **o),
    "min": lambda x, axis=None, **o: array(x).min(axis, **o),
}
CREATION |= {"amax": CREATION["max"], "amin": CREATION["min"]}


class Namespace:
    """A module with some of its names replaced."""

    def __init__(self, module: types.ModuleType, names: Mapping[str, Any]) -> None:
        self.module, self.names = module, names

    def __getattr__(self, name: str) -> Any:
        return self.names[name] if name in self.names else getattr(self.module, name)


INTEGERS = {
    "floor": lambda x: math.floor(prim(x)),
    "ceil": lambda x: math.ceil(prim(x)),
    "trunc": lambda x: math.trunc(prim(x)),
}
NP, MATH = Namespace(np, F | CREATION), Namespace(math, F | INTEGERS)


def largest(values: Sequence[Any], sign: int) -> Any:
    """The largest of sign * values; integers stay integers."""
    if all(isinstance(v, (int, np.integer)) for v in values):
        return sign * max(sign * v for v in values)
    return sign * maximum_rule([sign * v for v in values])


BUILTINS: dict[str, Any] = {
    "float": to_float,
    "pow": lambda x, y: x**y,
    "max": lambda *xs: largest(xs if len(xs) > 1 else list(xs[0]), 1),
    "min": lambda *xs: largest(xs if len(xs) > 1 else list(xs[0]), -1),
}


class Translator:
    """Rebuilds functions with the replaced names in their globals and closures."""

    def __init__(self, extra: Mapping[Any, Any]) -> None:
        self.known: dict[int, Any] = {id(math): MATH, id(np): NP}
        self.known |= {id(old): new for old, new in extra.items()}
        for module, names in ((math, F | INTEGERS), (np, F | CREATION)):
            self.known |= {id(getattr(module, n)): new for n, new in names.items() if hasattr(module, n)}
        self.known |= {id(getattr(builtins, n)): new for n, new in BUILTINS.items()}
        self.globals: dict[int, dict[str, Any]] = {}
        self.alive: list[Any] = []

    def value(self, x: Any) -> Any:
        x = getattr(x, "py_func", x)
        if id(x) in self.known:
            return self.known[id(x)]
        if isinstance(x, types.FunctionType):
            return self.function(x)
        return array(x.copy()) if isinstance(x, np.ndarray) else x

    def function(self, f: types.FunctionType) -> Any:
        cells = tuple(types.CellType() for _ in f.__closure__ or ())
        new = types.FunctionType(f.__code__, self.namespace(f.__globals__), f.__name__, None, cells)
        self.known[id(f)] = new
        self.alive.append(f)
        new.__defaults__ = f.__defaults__ and tuple(map(self.value, f.__defaults__))
        new.__kwdefaults__ = f.__kwdefaults__ and {k: self.value(v) for k, v in f.__kwdefaults__.items()}
        for cell, old in zip(cells, f.__closure__ or (), strict=True):
            cell.cell_contents = self.value(old.cell_contents)
        return new

    def namespace(self, old: dict[str, Any]) -> dict[str, Any]:
        if id(old) not in self.globals:
            new = self.globals[id(old)] = dict(old) | BUILTINS
            for name, x in old.items():
                own = id(x) in self.known or getattr(getattr(x, "py_func", x), "__globals__", old) is old
                if own and not name.startswith("__"):
                    new[name] = self.value(x)
        return self.globals[id(old)]


def parts(x: Any) -> tuple[Callable[[list[Any]], Any], list[Any]] | None:
    """(maker, children) of a container, None of a leaf."""
    if isinstance(x, dict):
        return lambda c: dict(zip(x, c, strict=True)), list(x.values())
    if isinstance(x, tuple):
        return (lambda c: type(x)(*c)) if hasattr(x, "_fields") else tuple, list(x)
    if isinstance(x, list):
        return list, x
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        names = [f.name for f in dataclasses.fields(x)]
        return lambda c: type(x)(*c), [getattr(x, n) for n in names]
    return None


def leaves(x: Any) -> Iterator[Any]:
    found = parts(x)
    if found is None:
        yield x
    else:
        for child in found[1]:
            yield from leaves(child)


def is_float(x: Any) -> bool:
    return isinstance(x, (float, np.floating)) or (isinstance(x, np.ndarray) and x.dtype.kind == "f")


def float_leaves(x: Any) -> list[Any]:
    return [leaf for leaf in leaves(x) if is_float(leaf)]


def rebuild(x: Any, values: Iterator[Any]) -> Any:
    found = parts(x)
    return next(values) if found is None else found[0]([rebuild(child, values) for child in found[1]])


def seeded(x: Any, directions: Sequence[Any]) -> Any:
    """x with one nested ε a direction."""
    if isinstance(x, np.ndarray):
        if x.dtype.kind != "f":
            return array(x.copy())
        out = np.empty(x.shape, dtype=object)
        for i in np.ndindex(x.shape):
            out[i] = seeded(float(x[i]), [None if d is None else d[i] for d in directions])
        return array(out)
    if not isinstance(x, (float, np.floating)):
        return x
    value: Any = np.float64(x)
    for d in directions:
        value = Dual(value, 0.0 if d is None else np.float64(d))
    return value


def coefficient(x: Any, wanted: Path, depth: int) -> Any:
    for level in reversed(range(depth)):
        x = tangent_of(x) if level in wanted else value_of(x)
    return x


def evaluate(
    fun: Callable[..., Any],
    args: Sequence[Any],
    directions: Sequence[Sequence[Any]] = (),
    extra: Mapping[Any, Any] | None = None,
) -> dict[Path, list[Any]]:
    """Mixed derivatives of fun's result leaves: {S: the derivative along the directions in S}, for every subset S.

    A direction has one entry for each float leaf of args, in order: None for zero, or an array (a float) of its shape.
    """
    depth, translator = len(directions), Translator(extra or {})
    steps = [iter(d) for d in directions]

    def seed(x: Any) -> Any:
        x = translator.value(x) if isinstance(x, types.FunctionType) else x
        return seeded(x, [next(s) for s in steps] if is_float(x) else [])

    with np.errstate(all="ignore"):
        result = translator.value(fun)(*rebuild(tuple(args), map(seed, leaves(tuple(args)))))
    out = [r.view(np.ndarray) if isinstance(r, Array) else r for r in leaves(result)]
    subsets = itertools.chain.from_iterable(itertools.combinations(range(depth), k) for k in range(depth + 1))
    return {frozenset(s): [_collect(r, frozenset(s), depth) for r in out] for s in subsets}


def _collect(r: Any, wanted: Path, depth: int) -> Any:
    if not isinstance(r, np.ndarray):
        return coefficient(r, wanted, depth)
    if r.dtype.kind != "O":
        return np.zeros(r.shape) if wanted else r
    return np.array([coefficient(x, wanted, depth) for x in r.ravel()], dtype=float).reshape(r.shape)
