"""What passes know of a primitive beyond what it computes. A rule's declaration says it, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import Any, Literal

Form = Literal["", "elementwise", "linear", "bilinear", "general", "zero", "draw"]
Effort = Literal["much", "little", "least"]
# of the arguments, or of their types, and the params
Condition = Callable[[Sequence[Any], Mapping[str, Any]], bool]
Naming = Callable[[Sequence[Any], Mapping[str, Any]], str]
Into = Callable[[Sequence[Any], Mapping[str, Any]], tuple[str, Mapping[str, Any]] | None]


class Slope(Flag):
    """Where a function of numbers, or its slope, has no bounds, and where the slope vanishes."""

    PLAIN = 0
    FLAT = auto()  # the slope vanishes at an infinity, faster than any power or as the inverse of one
    FLATTER = auto()  # it vanishes there as slowly as a power does
    EXPONENTIAL = auto()
    GROWING = auto()  # the slope overflows where the function does
    LOGARITHM = auto()
    ROOT = auto()  # at an end, it goes with a root of the distance from there
    SQUARE_ROOT = auto()  # with the square root


def never(types: Sequence[Any], params: Mapping[str, Any]) -> bool:
    return False


def no_name(types: Sequence[Any], params: Mapping[str, Any]) -> str:
    return ""


def in_no_way(types: Sequence[Any], params: Mapping[str, Any]) -> None:
    return None


def named(name: str) -> Naming:
    return lambda types, params: name


def always(types: Sequence[Any], params: Mapping[str, Any]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Traits:
    """Facts of a primitive, each with the default that claims the least.

    How it is declared, and what it makes:

    form: the function of `rules.language.declare` that made it.   elementwise: it works element by element, and
    broadcasts.   takes_complex: it means the same for complex numbers, derivatives included.   fresh: its results are
    new memory, but where it is transparent.   transparent: (types, params) -> whether its result is its operand, or a
    part of that.   in_order: its result is in C order, whatever its operand is.   may_raise: (types, params) ->
    whether compiled code of it may raise an error.

    Integers:

    is_length: a length, a count or a place, which is not negative.   measures: it is the length of its operand along
    the axis `params["axis"]`.   python_integer: it makes Python's own integer, which has no dtype to keep.
    arithmetic: of floats of Python's own it makes one.   keeps_dtype: of an array of integers it gives one as it is.
    folds: of literals it is computed when the program is made.

    Lengths:

    dims: (the arguments' dims, params) -> the result's (of several results a list); None: a new length.
    demands: (the arguments' dims, params) -> pairs of dims that must be equal.   shaped: the arguments after the first
    are the lengths of its result.

    Cost, and what may be done with it:

    kernel: (types, params) -> where it is no loop over elements and dear to compile, the name of the function that
    compiled code calls it by, which is compiled once a machine. Two texts have two names.   kernel_texts: by their
    names, those that are more than a call of the template.   into: (types, params) -> the function
    of compiled code that computes it into memory, which it is given last: its name, and texts by their names. scratch:
    (the arguments' dims) -> the dims of what this works in, which it is given before.   commutative: its two arguments
    may change places.   effort: 'little' where it costs less than the line that it would take, 'least' where that holds
    on a GPU, too.

    Derivatives:

    partials: (args, result, params) -> the partial derivatives of an elementwise function.   refuses: the arguments
    that it has no derivative by, and what to say.   selects: its result is some of what it is given, and the rest has
    no part in it.   leaves_out: some of what it is given may have no part in its result.   chooses: which of its
    arguments it is, element by element.   moves: its adjoint moves elements about and adds them up, none being
    subtracted.   is_size: the size of a number, whose derivative is 0 at 0 by definition.   slope: see `Slope`.
    steep: (args, params) -> whether a slope may be infinite at a finite argument.   constant_slope: its partial
    derivatives are numbers other than 0.   straight: what is large stays so, as in sums, products and new shapes.
    """

    form: Form = ""
    elementwise: bool = False
    takes_complex: bool = False
    fresh: bool = False
    transparent: Condition = never
    in_order: bool = False
    may_raise: Condition = never

    is_length: bool = False
    measures: bool = False
    python_integer: bool = False
    arithmetic: bool = False
    keeps_dtype: bool = False
    folds: bool = False

    dims: Callable[..., Any] | None = None
    demands: Callable[..., Any] | None = None
    shaped: bool = False

    kernel: Naming = no_name
    kernel_texts: Mapping[str, str] = field(default_factory=dict)
    into: Into = in_no_way
    scratch: Callable[..., Any] | None = None
    commutative: bool = False
    effort: Effort = "much"

    partials: Callable[..., Any] | None = None
    refuses: Mapping[int, str] = field(default_factory=dict)
    selects: bool = False
    leaves_out: bool = False
    chooses: Literal["", "larger", "smaller"] = ""
    moves: bool = False
    is_size: bool = False
    slope: Slope = Slope.PLAIN
    steep: Condition = never
    constant_slope: bool = False
    straight: bool = False
