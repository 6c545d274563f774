"""Functions that print, raise and assert; apart from their tests, since pytest rewrites assertions there."""

from __future__ import annotations

import math

import numpy as np

WORDS = ("a", 'the "b"', "c\\d", b"bytes")


class OwnError(Exception):
    pass


def says_it(x):
    print("x is", x)
    return x * x


def says_awkward_texts(x):
    print("a 'quote', a \"double one\", a \\ and {braces}\n", x)
    return x * x


def says_no_text(x):
    print()
    print(None, True, x > 1.0)
    return x * x


def says_infinities(x):
    print(math.inf, -math.inf, math.nan, -0.0, 2.5)
    return x * x


def says_known_values(x):
    print(WORDS, WORDS[1])
    return x * x


def says_tuples(x):
    n = 2
    print((n, (1, "one")), ("alone",), x)
    return x * x


def says_it_twice(x):
    y = x * 2.0
    print(y, y, y + x)
    return y * y


def says_formatted(x):
    n = 3
    print(f"{x:.2f} of {n} {x!r:>8} {{}}", "and", sep=" | ", end=".\n")
    return x * x


def says_array(x):
    a = np.array([x, 2.0])
    print(a, a[0])
    return x * x


SAYING = (
    says_it,
    says_awkward_texts,
    says_no_text,
    says_infinities,
    says_known_values,
    says_tuples,
    says_it_twice,
    says_formatted,
    says_array,
)


def raises_nothing_said(x):
    if x > 1.0:
        raise ValueError
    return x * x


def raises_text(x):
    if x > 1.0:
        raise ValueError('it\'s "too" large \\')
    return x * x


def raises_values(x):
    if x > 1.0:
        raise KeyError("x", x, (1, x), None, -2.5, math.inf)
    return x * x


def raises_formatted(x):
    if x > 1.0:
        raise RuntimeError(f"{x:.3f} is {'too'} large", x)
    return x * x


def raises_its_own(x):
    if x > 1.0:
        raise OwnError("own", x)
    return x * x


def asserts(x):
    assert x < 1.0
    return x * x


def asserts_with_text(x):
    assert x < 1.0, "x is 'large'"
    return x * x


def asserts_with_number(x):
    assert x < 1.0, 3  # noqa: RUF040
    return x * x


def asserts_with_none(x):
    assert x < 1.0, None  # noqa: RUF040
    return x * x


def asserts_formatted(x):
    assert x < 1.0, f"x is {x:.1f}"
    return x * x


def never_gets_there(x):
    assert False, "not yet"  # noqa: B011
    return x * x


RAISING = (
    raises_nothing_said,
    raises_text,
    raises_values,
    raises_formatted,
    raises_its_own,
    asserts,
    asserts_with_text,
    asserts_with_number,
    asserts_with_none,
    asserts_formatted,
    never_gets_there,
)


def says_a_function(x):
    print(says_it)
    return x * x


def says_a_module(x):
    print(math)
    return x * x


def says_a_class(x):
    print(np.float64)
    return x * x


def raises_with_a_function(x):
    if x > 1.0:
        raise ValueError(says_it)
    return x * x


WITHOUT_LITERAL = (says_a_function, says_a_module, says_a_class, raises_with_a_function)
