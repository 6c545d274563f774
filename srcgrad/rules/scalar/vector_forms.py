"""Elementary functions in the form that a loop over an array takes, of which LLVM makes vector code.

They are made when derivatives are there already; the scalar functions stay in code that is no such loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from srcgrad.core import ir
from srcgrad.numeric.vector import circular, error_function, exponentials, logarithms, powers
from srcgrad.rules.language import by_numbers, registry
from srcgrad.rules.language.metadata import Info
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.scalar import elementwise
from srcgrad.rules.scalar.powers import power
from srcgrad.rules.special import normal


def _in_loops(primitive: ir.Primitive, numeric: Callable[..., float]) -> ir.Primitive:
    """The same primitive under another name, printing as a call of this function."""
    call, helpers = by_numbers.call_of(numeric), sources(numeric)
    template = by_numbers.each(numeric.__name__, lambda types, params: (call(types, params), helpers), primitive.infer)
    traits = replace(primitive.traits, takes_complex=False)
    made = replace(primitive, name=numeric.__name__, template=template, traits=traits, info=Info((), ()))
    registry.register(made)
    return made


_FORMS = {
    scalar.name: _in_loops(scalar, numeric)
    for scalar, numeric in (
        (elementwise.exp, exponentials.vector_exp),
        (elementwise.expm1, exponentials.vector_expm1),
        (elementwise.log, logarithms.vector_log),
        (elementwise.log1p, logarithms.vector_log1p),
        (elementwise.sin, circular.vector_sin),
        (elementwise.cos, circular.vector_cos),
        (elementwise.sinh, exponentials.vector_sinh),
        (elementwise.cosh, exponentials.vector_cosh),
        (elementwise.tanh, exponentials.vector_tanh),
        (normal.erf, error_function.vector_erf),
        (power, powers.vector_power),
    )
}


def vector_form(op: ir.Primitive, type: ir.Type, args: Sequence[ir.Atom] = ()) -> ir.Primitive | None:
    """What computes the same as `op` in a loop that is to be vector code, for elements of this type; None where there
    is nothing better than `op` itself. args: those of `op`, by which powers that are products stay what they are."""
    if type.dtype not in ("f8", "f4") or (op is power and any(map(_is_plain_exponent, args[1:]))):
        return None
    return _FORMS.get(op.name)


def _is_plain_exponent(n: ir.Atom) -> bool:
    return not n.type.is_float or (isinstance(n, ir.Const) and n.value in (-1.0, 0.0, 1.0, 2.0))
