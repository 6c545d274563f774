"""Edge values: ties, singular points, powers, the side that is not taken."""

import math

import numpy as np

from tests.hard.table import Table, scalar, vector
from tests.hard.table import const as number

EDGES = Table("edge values")
case = EDGES.case


@case(scalar(0.0), third=True)
def powers_at_zero(x):
    return x**0 + 2.0 * x**1 + 3.0 * x**2 + x**3


@case(scalar(-1.3), third=True)
def powers_of_negative(x):
    return x**0 + x**3 + x**2 + x**-1 + x**-2 + x**5.0


@case(scalar(-0.8), number(5))
def exponent_from_loop(x, n):
    s = 0.0
    for k in range(n):
        s += x**k / (k + 1)
    return s


@case(scalar(-0.8), number(3))
def exponent_argument(x, n):
    return x**n + x ** (-n) + x ** (n - 3)


@case(number(np.array([-0.5, 0.0, 1.2])), third=True)
def array_powers(a):
    return a**0 + a**1 + a**2 + a**3


@case(scalar(0.0), scalar(1.5), orders=1)
def zero_to_active_power(x, y):
    return x**y


@case(scalar(1.3), scalar(2.5), third=True)
def active_exponent(x, y):
    return x**y + y**x + 2.0**y


@case(scalar(0.0))
def abs_at_zero(x):
    return abs(x) + x * x


@case(number(np.array([-0.5, 0.0, 1.2])))
def array_abs_at_zero(a):
    return np.abs(a) * 2.0 + a


@case(scalar(0.7), scalar(0.7))
def scalar_ties(x, y):
    return max(x, y) + 3.0 * min(x, y)


@case(scalar(0.7), scalar(0.2))
def builtin_max_min(x, y):
    return max(x, y, 0.5) * min(x, y) + max(x * y, 0.1) + min(x, 2)


@case(number(np.array([0.5, 0.7, 0.2])), number(np.array([0.5, 0.1, 0.2])))
def array_ties(a, b):
    return np.maximum(a, b) + 3.0 * np.minimum(a, b)


@case(number(np.array([0.5, 0.7, 0.7])))
def reduction_ties(a):
    return np.max(a) * 2.0 + np.min(-a)


@case(number(np.array([[0.5, 0.5], [0.1, 0.7]])))
def axis_reduction_ties(m):
    return np.max(m, axis=1) + np.min(m, axis=0)


@case(scalar(0.0), scalar(0.0), orders=1)
def hypot_at_zero(x, y):
    return math.hypot(x, y) + 2.0 * x + y


@case(number(np.zeros(3)), number(np.array([0.0, 1.0, 2.0])), orders=1)
def array_hypot_at_zero(a, b):
    return np.hypot(a, b)


@case(number(np.array([-1.0, 0.0, 2.0])), orders=1)
def where_guards_sqrt(a):
    return np.where(a > 0.0, np.sqrt(a), 0.0)


@case(number(np.array([-1.0, 0.0, 2.0])))
def where_guards_log(a):
    return np.where(a > 0.0, np.log(a) * a, a)


@case(number(np.array([-1.0, 0.0, 2.0])))
def where_guards_division(a):
    b = 1.0 / a
    return np.where(a == 0.0, a, b * np.sqrt(np.abs(a)))


@case(scalar(0.0))
def where_of_scalars(x):
    return np.where(x > 0.0, np.sqrt(x) / x, 2.0 * x) + x


@case(scalar(0.0))
def branch_not_taken(x):
    if x > 0.0:
        y = math.sqrt(x) / x
    else:
        y = x * 3.0
    return y * y + y


@case(scalar(0.0))
def ternary_not_taken(x):
    return math.log(x) if x > 0.0 else x * x + x


@case(scalar(2.7))
def floor_and_round(x):
    return x * math.floor(x) + round(x) * x + (x // 1.0) * x + int(x) * x + math.ceil(x) * math.trunc(x) * x


@case(scalar(2.7), scalar(-1.2))
def modulo(x, y):
    return x % 1.0 + (x % y) * x + y % 2.0 + math.fmod(x, y)


@case(scalar(2.7))
def sign_copied(x):
    return math.copysign(x * x, -1.0) + math.copysign(x, x) + np.sign(x) * x


@case(number(np.array([-2.5, 0.5, 1.5])))
def array_steps(a):
    return a * np.floor(a) + np.ceil(a) * a + np.sign(a) * a * a + np.round(a) * a


@case(scalar(30.0))
def saturated(x):
    return math.tanh(x) + 1.0 / (1.0 + math.exp(-x)) + math.erf(x) + x


@case(scalar(0.5), vector(4))
def compared_actives(x, a):
    s = 0.0
    for i in range(4):
        if a[i] > x and a[i] != a[0]:
            s += a[i] * x
        elif a[i] == a[0]:
            s += 2.0 * x
    return s * s


@case(scalar(0.0))
def double_zero_product(x):
    return x * x * math.exp(x) + math.sin(x) * x


@case(scalar(1.0), orders=1)
def at_the_end_of_the_domain(x):
    return math.asin(x * 0.5) + math.sqrt(x - 0.5) + math.acosh(x + 1.0)


@case(scalar(0.5))
def clamped(x):
    return min(max(x, 0.0), 1.0) * x + min(max(2.0 * x, 0.0), 0.7) * x


@case(vector(4), number(np.array([0.9, 0.2, 0.8, 1.1])), scalar(0.3))
def where_and_stored(a, b, x):
    """What a side of where is made of is stored elsewhere as well."""
    b = b / 2.0
    x = x / 3.0
    a[2] = b[2]
    a[1] = x
    c = np.where(b > 0.3, b, a)
    c[a > 5.0] = x
    return c
