"""+ - * / ** // % and the rest of Python's arithmetic."""
from __future__ import annotations

import operator

import numpy as np

from srcgrad.rules.declare import elementwise
from srcgrad.rules.values import Val

reals = [(0.7,), (-1.3,), (2.0,)]
pairs = [(0.7, 1.9), (-1.3, 0.4), (2.0, -3.0)]

add = elementwise(
    "add", (np.add, operator.add), partials=lambda a, b, y: (1, 1), samples=pairs, scalar="_0 + _1", result="number"
)
subtract = elementwise(
    "subtract", (np.subtract, operator.sub), partials=lambda a, b, y: (1, -1), samples=pairs, scalar="_0 - _1", result="number"
)
multiply = elementwise(
    "multiply", (np.multiply, operator.mul), partials=lambda a, b, y: (b, a), samples=pairs, scalar="_0 * _1", result="number"
)
divide = elementwise(
    "divide", (np.divide, np.true_divide, operator.truediv), partials=lambda a, b, y: (1.0 / b, -y / b), samples=pairs,
    scalar="_0 / _1",
)  # fmt: skip
negative = elementwise(
    "negative", (np.negative, operator.neg), partials=lambda x, y: (-1,), samples=reals, scalar="-_0", result="number"
)

Val.operators.update(add=add, subtract=subtract, multiply=multiply, divide=divide, negative=negative)
