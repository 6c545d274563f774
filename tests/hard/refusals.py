"""What is outside the language, or has no derivative: refused, never guessed."""

from typing import Any

import numpy as np

from srcgrad.errors import NotDifferentiableError, UnsupportedError
from tests.hard.table import Table, matrix, scalar, vector
from tests.hard.table import const as number

REFUSALS = Table("refused")
case = REFUSALS.case
LOG: list[Any] = []
BOX = {"x": 0.0}
SETTINGS = {"gain": 2.0}


@case(scalar(), number(np.array([1, 2, 3])), refused=UnsupportedError)
def active_into_int_array(x, k):
    k[0] = x
    return k[0] * x


@case(scalar(), vector(4), matrix(3), refused=UnsupportedError)
def ranks_disagree(x, a, m):
    if x > 0.0:
        b = a
    else:
        b = m
    return np.sum(b) * x


@case(scalar())
def writes_a_global_container(x):
    LOG.append(x)
    return x * x


@case(scalar())
def global_statement(x):
    global BOX
    BOX = x
    return x * x


@case(scalar(), refused=UnsupportedError)
def generator(x):
    yield x


@case(scalar(), refused=UnsupportedError)
def comprehension_over_set(x):
    return sum(v for v in {x, 2.0 * x})


@case(scalar(), vector(3), refused=UnsupportedError)
def attribute_written(x, a):
    a.extra = x
    return a[0] * x


@case(scalar(), refused=UnsupportedError)
def imports_what_is_not_there(x):
    import tabnanny

    return tabnanny.check(x)


@case(vector(3), refused=NotDifferentiableError)
def unknown_function(a):
    return np.roots(a)[0]


@case(vector(3), refused=NotDifferentiableError)
def unknown_method(a):
    a.partition(1)
    return a[0]


@case(vector(3), refused=UnsupportedError)
def bool_as_index(a):
    return np.sum(a[a[0] > 0])


@case(vector(3), refused=UnsupportedError)
def bool_as_index_written(a):
    a[a[0] > 0] = 2.0
    return a[0] * a[1]


def shifts(a, b, n):
    if n > 0:
        a[n] = b[n - 1] * 2.0
        shifts(a, b, n - 1)


@case(vector(4), refused=UnsupportedError)
def recursion_that_writes_into_what_it_reads(a):
    shifts(a, a, 3)
    return a[0] * a[2]


def returns_its_argument(a, n):
    if n == 0:
        return a
    a[n] *= 2.0
    return returns_its_argument(a, n - 1)


@case(vector(4), refused=UnsupportedError)
def recursion_that_returns_what_it_writes_into(a):
    return np.sum(returns_its_argument(a, 3))


@case(scalar(2.5), refused=UnsupportedError)
def dtype_changes_in_loop(x):
    w = np.zeros(3)
    for i in range(3):
        w[i] = x
        w = np.array([1, 2, 3])
    return w[0] * x


@case(scalar(), number(4), refused=UnsupportedError)
def list_of_unknown_length_returned(x, n):
    values = []
    for i in range(n):
        values.append(x**i)
    return values


@case(scalar(), number(4))
def list_shortened_at_its_head(x, n):
    values = [x] * n
    for _ in range(2):
        x *= values.pop(0)
    return x


@case(scalar(), refused=UnsupportedError)
def one_of_two_lists_changed(x):
    a, b = [x, 1.0], [2.0, x]
    c = a if x > 0.5 else b
    c[0] = 7.0 * x
    return c[0] * a[0] * b[0]


@case(scalar(), refused=UnsupportedError)
def one_of_two_lists_changed_by_its_own_name(x):
    a, b = [x, 1.0], [2.0, x]
    c = a if x > 0.5 else b
    a[0] = 7.0 * x
    return c[0] * a[0] * b[0]


@case(scalar(), number(4), refused=UnsupportedError)
def swapped_lists_changed(x, n):
    a, b = [x, 1.0], [0.5, x]
    for _ in range(n):
        a[0] = b[1] * x
        a, b = b, a
    return a[0] * b[1] + b[0]


@case(scalar(), number(4), refused=UnsupportedError)
def list_longer_in_its_own_loop(x, n):
    values = [x * i for i in range(n)]
    for v in values:
        if v > 1.0:
            values.append(v)
    return sum(values)


@case(scalar(), refused=UnsupportedError)
def captured_dict_changed(x):
    SETTINGS["gain"] = x
    return x * SETTINGS["gain"]


@case(scalar(), number(4), refused=UnsupportedError)
def items_unlike(x, n):
    values = []
    for i in range(n):
        values.append(x if i else (x, x))
    return x


@case(scalar(), refused=UnsupportedError)
def walrus_in_comprehension(x):
    y = 0.0
    values = [(y := y + x * k) for k in range(3)]
    return values[0] * y


@case(matrix(3), refused=UnsupportedError)
def column_that_may_be_a_view(a):
    c = a[:, 1][:, None]
    for i in range(3):
        a[i] = a[i] * c[i]
    return a[0, 0]


@case(vector(4), number(np.array([0.0, 1.0])), refused=UnsupportedError)
def floats_as_places(a, k):
    a[k] = 2.0
    return a[0]


@case(vector(4), number(np.array([1, 2])), matrix(3), refused=UnsupportedError)
def values_of_too_many_axes(a, k, m):
    a[k] = m
    return a[0]


@case(matrix(3), number(np.array([1, 2])), refused=UnsupportedError)
def slice_between_places(m, k):
    t = m.reshape((3, 3, 1))
    t[k, :, k * 0] = 1.0
    return m[0, 0]


@case(scalar(), vector(4), refused=UnsupportedError)
def array_kept_in_a_global(x, a):
    BOX["x"] = a
    return a[0] * x
