"""Random numbers of np.random: a derivative is that of the function with the numbers that it draws.

A location or a scale stands outside of the draw (`normal(mu, sigma)` is `mu + sigma * standard_normal()`, the same
number from the same stream), so that derivatives go through it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.traits import Traits
from srcgrad.errors import UnsupportedError
from srcgrad.rules.language import arguments, registry
from srcgrad.rules.language.declare import as_value, cast, static
from srcgrad.rules.language.values import Val, contents, value_of
from srcgrad.rules.shapes.shape import length

DRAW = Traits("draw")


def _draw(name: str, dtype: str = "f8", more: int = 0) -> ir.Primitive:
    """np.random.name(*its own arguments, lengths as one shape). more: axes that the numbers have besides."""
    function = getattr(np.random, name)

    def infer(types: Sequence[ir.Type], params: dict[str, Any]) -> tuple[ir.Type, ...]:
        return (ir.Type(dtype, params["rank"] + more),)

    def evaluate(*args: Any, rank: int) -> Any:
        own, shape = args[: len(args) - rank], args[len(args) - rank :]
        return function(*own, *((shape,) if rank else ()))

    def template(types: Sequence[ir.Type], params: dict[str, Any]) -> str:
        places = [f"_{k}" for k in range(len(types))]
        own, shape = places[: len(types) - params["rank"]], places[len(types) - params["rank"] :]
        size = [] if not shape else shape if len(shape) == 1 else [f"({', '.join(shape)})"]
        return f"np.random.{name}({', '.join([*own, *size])})"

    return ir.Primitive(name, infer, evaluate, template, traits=DRAW)


def _lengths(builder: Builder, size: Any) -> tuple[Val, ...]:
    return () if size is None else arguments.lengths(builder, size)


def _drawn(builder: Builder, op: ir.Primitive, own: Sequence[Val], size: Any = None) -> Val:
    lengths = _lengths(builder, size)
    return Val(builder, builder.draw(op, *(v.atom for v in (*own, *lengths)), rank=len(lengths)))


def _number(builder: Builder, value: Any, name: str, what: str) -> Val:
    given = as_value(builder, value)
    if not given.type.is_scalar:
        raise UnsupportedError(
            f"np.random.{name} is given an array as its {what}",
            hint="give it a number, or draw in a loop over the array",
        )
    if given.type.is_complex:
        raise UnsupportedError(f"np.random.{name} is given a complex number as its {what}", hint="give it a real one")
    known = static(given)
    return as_value(builder, float(known.real)) if known is not None else cast(given, "f8")


def _whole(builder: Builder, value: Any, name: str, what: str) -> Val:
    given = as_value(builder, int(value) if isinstance(value, np.integer) else value)
    if given.type != ir.I8:
        raise UnsupportedError(f"the {what} of np.random.{name} must be an integer", hint="write int(...)")
    return given


# ---- of a fixed distribution


def _fixed(name: str) -> ir.Primitive:
    op = _draw(name)

    @registry.adaptor(getattr(np.random, name))
    def call(builder: Builder, size: Any = None) -> Val:
        return _drawn(builder, op, (), size)

    return op


STANDARD_NORMAL = _fixed("standard_normal")
UNIFORM = _fixed("random")
EXPONENTIAL = _fixed("standard_exponential")
_fixed("standard_cauchy")
for _name in ("random_sample", "sample", "ranf"):
    registry.adaptor(getattr(np.random, _name))(registry.FUNCTIONS[np.random.random])


def _by_lengths(name: str, op: ir.Primitive) -> None:
    @registry.adaptor(getattr(np.random, name))
    def call(builder: Builder, *lengths: Any) -> Val:
        return _drawn(builder, op, (), lengths or None)


_by_lengths("rand", UNIFORM)
_by_lengths("randn", STANDARD_NORMAL)


# ---- shifted and scaled: through these a derivative goes


def _is(value: Val, number: float) -> bool:
    return static(value) == number


def _scaled(drawn: Val, scale: Val) -> Val:
    return drawn if _is(scale, 1.0) else scale * drawn


def _placed(place: Val, value: Val) -> Val:
    return value if _is(place, 0.0) else place + value


def _family(name: str, op: ir.Primitive, *own: float) -> Callable[..., Val]:
    """A distribution with a location and a scale, drawn with its own at 0 and 1."""

    @registry.adaptor(getattr(np.random, name))
    def call(builder: Builder, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Val:
        place, width = _number(builder, loc, name, "loc"), _number(builder, scale, name, "scale")
        drawn = _drawn(builder, op, [as_value(builder, v) for v in own], size)
        return _placed(place, _scaled(drawn, width))

    return call


_normal = _family("normal", STANDARD_NORMAL)
for _name in ("gumbel", "laplace", "logistic"):
    _family(_name, _draw(_name), 0.0, 1.0)


@registry.adaptor(np.random.uniform)
def _uniform(builder: Builder, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Val:
    first, last = _number(builder, low, "uniform", "low"), _number(builder, high, "uniform", "high")
    return _placed(first, _scaled(_drawn(builder, UNIFORM, (), size), last if _is(first, 0.0) else last - first))


@registry.adaptor(np.random.lognormal)
def _lognormal(builder: Builder, mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> Val:
    return value_of(np.exp, builder, _normal(builder, mean, sigma, size))


def _only_scaled(name: str, op: ir.Primitive, *own: float) -> None:
    @registry.adaptor(getattr(np.random, name))
    def call(builder: Builder, scale: Any = 1.0, size: Any = None) -> Val:
        drawn = _drawn(builder, op, [as_value(builder, v) for v in own], size)
        return _scaled(drawn, _number(builder, scale, name, "scale"))


_only_scaled("exponential", EXPONENTIAL)
_only_scaled("rayleigh", _draw("rayleigh"), 1.0)


# ---- of other distributions: their parameters are not differentiated

Kind = Callable[[Builder, Any, str, str], Val]


def _other(name: str, kinds: Sequence[tuple[str, Kind]], dtype: str = "f8") -> Callable[..., Val]:
    op = _draw(name, dtype)

    @registry.adaptor(getattr(np.random, name))
    def call(builder: Builder, *given: Any, size: Any = None, **named: Any) -> Val:
        values = [*given]
        if len(values) == len(kinds) + 1:
            size = values.pop()
        for what, _ in kinds[len(values) :]:
            if what not in named:
                raise UnsupportedError(
                    f"missing argument `{what}` in the call of np.random.{name}", hint=f"give {what}=..."
                )
            values.append(named.pop(what))
        if len(values) > len(kinds) or named:
            told = ", ".join(what for what, _ in kinds)
            raise UnsupportedError(f"np.random.{name} is given too much", hint=f"it takes {told} and size")
        own = [kind(builder, v, name, what) for v, (what, kind) in zip(values, kinds, strict=True)]
        return _drawn(builder, op, own, size)

    return call


for _name, _what in (("pareto", "a"), ("weibull", "a"), ("power", "a"), ("chisquare", "df"), ("standard_t", "df")):
    _other(_name, [(_what, _number)])
_other("beta", [("a", _number), ("b", _number)])
_other("f", [("dfnum", _number), ("dfden", _number)])
_other("noncentral_chisquare", [("df", _number), ("nonc", _number)])
_other("vonmises", [("mu", _number), ("kappa", _number)])
_other("wald", [("mean", _number), ("scale", _number)])
_other("triangular", [("left", _number), ("mode", _number), ("right", _number)])
_gamma_of_one = _other("standard_gamma", [("shape", _number)])


@registry.adaptor(np.random.gamma)
def _gamma(builder: Builder, shape: Any, scale: Any = 1.0, size: Any = None) -> Val:
    return _scaled(_gamma_of_one(builder, shape, size=size), _number(builder, scale, "gamma", "scale"))


# ---- integers

_other("binomial", [("n", _whole), ("p", _number)], "i8")
_other("negative_binomial", [("n", _whole), ("p", _number)], "i8")
_other("hypergeometric", [("ngood", _whole), ("nbad", _whole), ("nsample", _whole)], "i8")
for _name, _what in (("geometric", "p"), ("logseries", "p"), ("zipf", "a")):
    _other(_name, [(_what, _number)], "i8")
MULTINOMIAL, DIRICHLET = _draw("multinomial", "i8", 1), _draw("dirichlet", "f8", 1)


def _row(builder: Builder, value: Any, what: str) -> Val:
    given = arguments.array_value(builder, value, what)
    if given.type.rank != 1:
        raise UnsupportedError(f"{what} takes an array of one axis")
    return cast(given, "f8")


@registry.adaptor(np.random.multinomial)
def _multinomial(builder: Builder, n: Any, pvals: Any, size: Any = None) -> Val:
    row = _row(builder, pvals, "np.random.multinomial")
    return _drawn(builder, MULTINOMIAL, [_whole(builder, n, "multinomial", "n"), row], size)


@registry.adaptor(np.random.dirichlet)
def _dirichlet(builder: Builder, alpha: Any, size: Any = None) -> Val:
    return _drawn(builder, DIRICHLET, [_row(builder, alpha, "np.random.dirichlet")], size)


POISSON, RANDINT = _draw("poisson", "i8"), _draw("randint", "i8")


@registry.adaptor(np.random.poisson)
def _poisson(builder: Builder, lam: Any = 1.0, size: Any = None) -> Val:
    return _drawn(builder, POISSON, [_number(builder, lam, "poisson", "lam")], size)


@registry.adaptor(np.random.randint)
def _randint(builder: Builder, low: Any, high: Any = None, size: Any = None) -> Val:
    first, last = (0, low) if high is None else (low, high)
    ends = _whole(builder, first, "randint", "low"), _whole(builder, last, "randint", "high")
    return _drawn(builder, RANDINT, ends, size)


# ---- out of what is given

PERMUTATION = _draw("permutation", "i8")


def _order(builder: Builder, n: Val) -> Val:
    """0, 1, ... n - 1 in a random order."""
    return Val(builder, builder.draw(PERMUTATION, n.atom, rank=1))


@registry.adaptor(np.random.permutation)
def _permutation(builder: Builder, x: Any) -> Val:
    given = arguments.as_array(builder, x)
    if given.type.rank == 0:
        return _order(builder, _whole(builder, given, "permutation", "length"))
    return value_of(np.take, builder, given, _order(builder, length(given, 0)), 0)


@registry.adaptor(np.random.shuffle)
def _shuffle(builder: Builder, x: Any) -> None:
    if not isinstance(x, Val) or not isinstance(x.atom, ir.Var) or not x.type.ref:
        raise UnsupportedError("np.random.shuffle takes an array that has a name")
    builder.store(x.atom, None, contents(_permutation(builder, x)).atom)


@registry.adaptor(np.random.choice)
def _choice(builder: Builder, a: Any, size: Any = None, replace: Any = True, p: Any = None) -> Val:
    if p is not None:
        raise UnsupportedError(
            "np.random.choice is differentiated without its option `p`",
            hint="draw by np.searchsorted(np.cumsum(p), np.random.random())",
        )
    given = arguments.as_array(builder, a)
    if given.type.rank > 1:
        raise UnsupportedError("np.random.choice takes an integer or an array of one axis")
    n = length(given, 0) if given.type.rank else _whole(builder, given, "choice", "number")
    places = _places(builder, n, size, arguments.flag(replace, "replace"))
    if not given.type.rank:
        return places
    if places.type.rank:
        return value_of(np.take, builder, given, places)
    return _element(builder, given, places)


def _element(builder: Builder, given: Val, place: Val) -> Val:
    memory = given.atom if given.type.ref else builder.alloc(given.type.dtype, (), given.atom)
    assert isinstance(memory, ir.Var)
    return Val(builder, builder.load(memory, (place.atom,), "chosen"))


def _places(builder: Builder, n: Val, size: Any, replace: bool) -> Val:
    if size is None or replace:
        return _drawn(builder, RANDINT, (as_value(builder, 0), n), size)
    (count, *more) = arguments.lengths(builder, size)
    if more:
        raise UnsupportedError("np.random.choice without replacement draws a row", hint="give it a number as size")
    check_count(builder, count, n)
    order = builder.alloc("i8", (), _order(builder, n).atom, "order")
    return Val(builder, builder.load(order, (ir.Slice(None, count.atom),), "chosen"))


def check_count(builder: Builder, count: Val, n: Val) -> None:
    message = "Cannot take a larger sample than population when replace is False"
    raising = ir.Effect(f"raise ValueError({message!r})", span=builder.span)
    builder.put(ir.If((count > n).atom, (raising,), (), span=builder.span))


# ---- the stream


@registry.adaptor(np.random.seed)
def _seed(builder: Builder, seed: Any = None) -> None:
    if seed is None:
        raise UnsupportedError("np.random.seed is given no number", hint="compiled code needs one: np.random.seed(0)")
    number = _whole(builder, seed, "seed", "seed")
    builder.put(ir.Effect("np.random.seed(_0)", (number.atom,), span=builder.span))
