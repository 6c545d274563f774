"""Sparse Jacobians and Hessians: as many sweeps as there are colours of columns or rows, and one that checks them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse

from srcgrad.backend import callable as native
from srcgrad.compiler import lazy
from srcgrad.compiler.find_or_make import Options
from srcgrad.compiler.request import VALUE, Recipe
from srcgrad.derivatives.derivative import Derivative
from srcgrad.derivatives.patterns import (
    Pattern,
    Product,
    colour,
    find_pattern,
    random_direction,
    sorted_pattern,
    star_colour,
    union,
)
from srcgrad.errors import ArgumentError, UnsupportedError
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.transform.random_draws import check_none

TRIED, MOST_OF_COLUMN = 8, 16  # columns, and the part of one beyond which a matrix is a dense one
OUTSIDE = "has entries outside of the pattern that was given"


class Compressed:
    """A way to compute all entries: the directions of the sweeps, and where each entry is found in their results."""

    def __init__(self, pattern: Pattern, colours: Any, symmetric: bool = False) -> None:
        self.pattern, self.colours = pattern, colours
        self.at, self.sweep = pattern.rows, colours[pattern.columns]
        if symmetric:  # an entry whose row has two of its colour is alone at the mirrored place
            key = pattern.rows * (colours.max(initial=0) + 1) + self.sweep
            _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
            twice = counts[inverse] > 1
            self.at = np.where(twice, pattern.columns, pattern.rows)
            self.sweep = np.where(twice, colours[pattern.rows], self.sweep)
        self.count = int(self.sweep.max(initial=-1)) + 1

    def entries(self, product: Product) -> Any:
        swept = [product((self.colours == c).astype(float)) for c in range(self.count)]
        return np.stack(swept)[self.sweep, self.at] if swept else np.zeros(0)


class Sparse:
    """A sparse Jacobian or Hessian: called like the function, it gives a `scipy.sparse.csr_array`.

    Its rows are the numbers that the function returns (of a Hessian, the inputs), its columns the numbers of the
    argument, in C order. The pattern is found at the first call for arguments of these shapes; each call checks by one
    more product with a vector that it still holds, and looks for what is missing if it does not.
    """

    kind, products = "jacobian", "jvp and vjp"

    def __init__(self, fun: Any, argnums: Any, options: Options, pattern: Any = None, mode: str = "auto") -> None:
        self.primal, self._options, self._mode = fun, options, mode
        functools.update_wrapper(self, fun, updated=())
        self._value = Derivative(fun, VALUE, options)
        (place, *more), single = self._value._places(argnums)
        if more or not single or not isinstance(place, int):
            with speaking_of(fun):
                message = f"a sparse {self.name} is by one argument"
                raise ArgumentError(message, hint="give argnums one place or name, and concatenate the arguments")
        self._place = place
        self._given = None if pattern is None else _as_pattern(pattern)
        self._known: dict[Any, Compressed] = {}
        self._make()

    def __repr__(self) -> str:
        return f"<srcgrad sparse {self.kind} of {getattr(self.primal, '__qualname__', self.primal)}>"

    @property
    def name(self) -> str:
        return self.kind.capitalize()

    def _make(self) -> None:
        recipe = (self._place,), True
        self._forward = Derivative(self.primal, Recipe("forward", *recipe), self._options)
        self._reverse = Derivative(self.primal, Recipe("reverse", *recipe), self._options)

    def _refuse(self, *_: Any) -> Any:
        """Inside of what is differentiated, or of compiled code."""
        what = f"a sparse {self.name} is called from Python, not inside of compiled code or of what is differentiated"
        raise UnsupportedError(what, hint=f"use sparse=False there, or {self.products}, its products with vectors")

    __srcgrad_core__ = _refuse

    def __srcgrad_parts__(self) -> tuple[Any, ...]:
        return self.kind, self.primal

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        values = self._value._bind(args, kwargs)
        x = self._argument(values)
        shape, product, transposed = self._products(values, x)
        known = self._known.get((shape, x.shape))
        if known is None:
            self._refuse_draws(values)
            known = self._planned(self._start(shape, product, transposed))
        data = self._entries(known, product, transposed)
        if not _agree(known.pattern, data, product, x):
            found = union(known.pattern, find_pattern(product, transposed, shape))
            if len(found.rows) > len(known.pattern.rows):
                self._refuse_outside()
                known = self._planned(found)
                data = self._entries(known, product, transposed)
        self._known[shape, x.shape] = known
        rows, columns, _ = known.pattern
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
        return scipy.sparse.csr_array((data.astype(x.dtype), columns, starts), shape=shape)

    def seems_dense(self, *args: Any) -> bool:
        """Whether some of its columns have entries in more than a few of their rows, or it is not square."""
        values = self._value._bind(args, {})
        x = self._argument(values)
        self._refuse_draws(values)
        (rows, columns), product, _ = self._products(values, x)
        if rows != columns:
            return True
        chosen = np.unique(np.linspace(0, columns - 1, TRIED).astype(np.int64))
        entries = sum(np.count_nonzero(product(1.0 * (np.arange(columns) == k))) for k in chosen)
        return bool(entries > rows // MOST_OF_COLUMN * len(chosen))

    def _refuse_draws(self, values: Sequence[Any]) -> None:
        """Each sweep would draw others."""
        with speaking_of(self.primal):
            program = lazy.program.lowered(self.primal, self._value._specs(values)).program
            check_none(program, f"a function whose sparse {self.name} is asked for", "pass them as an argument")

    def _refuse_outside(self) -> None:
        if self._given is not None:
            with speaking_of(self.primal):
                raise ArgumentError(f"the {self.name} {OUTSIDE}", hint="leave `pattern` out, and it is found")

    def _argument(self, values: Sequence[Any]) -> Any:
        x = values[self._place]
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            name = self._value._parameters.names[self._place]
            what = f"an array of {x.dtype}" if isinstance(x, np.ndarray) else wording.of_object(x)
            with speaking_of(self.primal):
                message = f"`{name}` is {what}: a sparse {self.name} is by an array of floats"
                raise ArgumentError(message, hint=f"pass np.array(..., float) for {name}", about=name)
        return x

    def _start(self, shape: tuple[int, int], product: Product, transposed: Product | None) -> Pattern:
        if self._given is None:
            return find_pattern(product, transposed, shape)
        if self._given.shape != shape:
            with speaking_of(self.primal):
                message = f"`pattern` has the shape {self._given.shape}, the {self.name} {shape}"
                raise ArgumentError(message, hint="give it one row an output, and one column an input")
        return self._given

    # ---- what a Jacobian and a Hessian differ in

    def _products(self, values: Sequence[Any], x: Any) -> tuple[tuple[int, int], Product, Product | None]:
        out = self._output(values)

        def product(v: Any) -> Any:
            dot = self._forward.at([*values, v.reshape(x.shape).astype(x.dtype)])[1]
            return np.ravel(dot)

        def transposed(w: Any) -> Any:
            seed = w.reshape(out.shape).astype(out.dtype) if out.ndim else float(w[0])
            return np.ravel(self._reverse.at([*values, seed])[1])

        return (out.size, x.size), product, transposed

    def _output(self, values: Sequence[Any]) -> Any:
        """The value, an array."""
        value = self._value.at(values)
        with speaking_of(self.primal):
            if not isinstance(value, (np.ndarray, float, np.floating)):
                message = (
                    f"the function returns {wording.of_object(value)}: a sparse Jacobian is of one array of floats"
                )
                raise ArgumentError(message, hint="return one array: np.concatenate of several")
            out = np.asarray(value)
            if out.dtype.kind != "f":
                message = f"the function returns an array of {out.dtype}: a sparse Jacobian is of one of floats"
                raise ArgumentError(message, hint="return floats; of complex numbers, .real and .imag")
        return out

    def _planned(self, pattern: Pattern) -> Any:
        """By columns or by rows, as fewer colours do."""
        longest = [int(np.bincount(p, minlength=1).max()) if len(p) else 0 for p in (pattern.rows, pattern.columns)]
        if longest[0] <= longest[1] if self._mode == "auto" else self._mode == "forward":
            return Compressed(pattern, colour(pattern))
        return ByRows(pattern)

    def _entries(self, known: Any, product: Product, transposed: Product | None) -> Any:
        return known.entries(transposed if isinstance(known, ByRows) else product)


class ByRows(Compressed):
    """The same of the transposed matrix, by reverse sweeps."""

    def __init__(self, pattern: Pattern) -> None:
        turned = pattern.transposed()
        super().__init__(turned, colour(turned))
        self.pattern = pattern
        self._order = np.lexsort((turned.rows, turned.columns))

    def entries(self, product: Product) -> Any:
        return super().entries(product)[self._order]


class SparseHessian(Sparse):
    """Of a function that returns one number."""

    kind, products = "hessian", "hvp"

    def _make(self) -> None:
        self._hvp = Derivative(self.primal, Recipe("hvp", (self._place,), True), self._options)

    def _products(self, values: Sequence[Any], x: Any) -> tuple[tuple[int, int], Product, Product | None]:
        def product(v: Any) -> Any:
            return np.ravel(self._hvp.at([*values, v.reshape(x.shape).astype(x.dtype)]))

        return (x.size, x.size), product, None

    def _planned(self, pattern: Pattern) -> Compressed:
        whole = union(pattern, pattern.transposed())
        return Compressed(whole, star_colour(whole), symmetric=True)


for each in (Sparse, SparseHessian):
    native.register(each, each._refuse)


def _as_pattern(given: Any) -> Pattern:
    """The places that a sparse matrix holds, or where an array is not 0."""
    matrix = given if scipy.sparse.issparse(given) else scipy.sparse.csr_array(np.asarray(given))
    if matrix.ndim != 2:
        raise ArgumentError("`pattern` is not a matrix", hint="give it one row an output, and one column an input")
    coo = matrix.tocoo()
    return sorted_pattern(coo.row, coo.col, (int(coo.shape[0]), int(coo.shape[1])))


def _agree(pattern: Pattern, data: Any, product: Callable[[Any], Any], x: Any) -> bool:
    """Whether the matrix of these entries gives what the product with a random vector gives."""
    v = random_direction(pattern.shape[1], np.random.default_rng(1))
    with np.errstate(invalid="ignore", over="ignore"):
        terms = data * v[pattern.columns]
        got = np.bincount(pattern.rows, terms, pattern.shape[0])
        size = np.bincount(pattern.rows, np.abs(terms), pattern.shape[0])
        wanted = product(v)
        near = np.abs(got - wanted) <= 1e4 * np.finfo(x.dtype).eps * size
        return bool(np.all(near | (got == wanted) | (np.isnan(got) & np.isnan(wanted))))
