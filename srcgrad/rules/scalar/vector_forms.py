"""Elementary functions in the form that a loop over an array takes, of which LLVM makes vector code.

They are put in when derivatives are made already; the scalar functions stay in code that is no such loop. No function
of the user's stands for them, so that they are not among the registered primitives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from srcgrad.core import ir
from srcgrad.numeric.vector import circular, error_function, exponentials, logarithms, powers, single
from srcgrad.rules.language import by_numbers
from srcgrad.rules.language.metadata import Info
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.scalar import elementwise
from srcgrad.rules.scalar.powers import power
from srcgrad.rules.special import normal

Numeric = Callable[..., float]


def _in_loops(scalar: ir.Primitive, double: Numeric, single: Numeric | None = None) -> ir.Primitive:
    """The same primitive under another name, printing as a call of one of these functions."""
    texts = {"f8": (by_numbers.call_of(double), sources(double))}
    texts["f4"] = (by_numbers.call_of(single), sources(single)) if single else texts["f8"]

    def template(types: Sequence[ir.Type], params: Mapping[str, Any]) -> Any:
        def called(doubled: Sequence[ir.Type], _: Mapping[str, Any]) -> Any:
            call, helpers = texts[scalar.infer(types, params)[0].dtype]
            return call(tuple(doubled), params), helpers

        return by_numbers.each(double.__name__, called, scalar.infer)(types, dict(params))

    traits = replace(scalar.traits, takes_complex=False)
    return replace(scalar, name=double.__name__, template=template, traits=traits, info=Info((), ()))


FORMS: dict[str, ir.Primitive] = {
    scalar.name: _in_loops(scalar, *numeric)
    for scalar, *numeric in (
        (elementwise.exp, exponentials.vector_exp, single.vector_exp_single),
        (elementwise.expm1, exponentials.vector_expm1),
        (elementwise.log, logarithms.vector_log, single.vector_log_single),
        (elementwise.log1p, logarithms.vector_log1p),
        (elementwise.sin, circular.vector_sin, single.vector_sin_single),
        (elementwise.cos, circular.vector_cos, single.vector_cos_single),
        (elementwise.sinh, exponentials.vector_sinh),
        (elementwise.cosh, exponentials.vector_cosh),
        (elementwise.tanh, exponentials.vector_tanh),
        (elementwise.sech, exponentials.vector_sech),
        (elementwise.sigmoid, exponentials.vector_sigmoid),
        (normal.erf, error_function.vector_erf),
        (power, powers.vector_power, single.vector_power_single),
    )
}


def vector_form(op: ir.Primitive, type: ir.Type, args: Sequence[ir.Atom] = ()) -> ir.Primitive | None:
    """What computes the same as `op` in a loop that is to be vector code, for elements of this type and arguments up to
    its `reach`; None where there is nothing better than `op` itself. args: those of `op`, by which powers that are
    products stay what they are."""
    if type.dtype not in ("f8", "f4") or (op is power and any(map(_is_plain_exponent, args[1:]))):
        return None
    return FORMS.get(op.name)


def reach(form: ir.Primitive, type: ir.Type) -> float:
    """The largest size of an argument at which a vector form is right: beyond it, it is NaN."""
    if form not in (FORMS["sin"], FORMS["cos"]):
        return math.inf
    return 2.0**20 if type.dtype == "f8" else 2.0**26


def _is_plain_exponent(n: ir.Atom) -> bool:
    return not n.type.is_float or (isinstance(n, ir.Const) and n.value in (-1.0, 0.0, 1.0, 2.0))
