"""`try` and `with`: the derivative is that of the path that was taken; and `del`."""

from __future__ import annotations

import itertools
import math
import operator
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.errors import PowerError
from srcgrad.rules.language import registry
from tests.frontend.as_written import VECTOR, Programs, check

programs = Programs()


@programs.at(VECTOR)
def errstate(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.where(x > 0, np.log(x), 0.0)
        return np.sum(y * x)


@programs.at(VECTOR)
def definite(x):
    A = np.outer(x, x) + np.diag(x)
    try:
        L = np.linalg.cholesky(A)
    except np.linalg.LinAlgError:
        return 1e25
    return np.sum(np.log(np.diag(L)))


@programs.at(VECTOR)
def not_definite(x):
    A = np.outer(x, x) - 3 * np.eye(3)
    try:
        L = np.linalg.cholesky(A)
        v = np.sum(np.log(np.diag(L)))
    except np.linalg.LinAlgError:
        v = np.sum(x**2)
    return v * x[0]


@programs.at(1.7)
def divided_by_zero(x):
    try:
        y = 1.0 / (x - 2.5)
    except ZeroDivisionError:
        y = x * 3.0
    return y * x


@programs.at(1.7)
def continues(x):
    x = float(x)
    s = 0.0
    for i in range(4):
        try:
            s += x / (i - 2)
        except ZeroDivisionError:
            continue
    return s * x


@programs.at(1.7)
def with_else_and_finally(x):
    try:
        y = math.log(x - 3)
    except ValueError:
        y = -x
    else:
        y = y * 2
    finally:
        k = 2
    return y * k * x


@programs.at(VECTOR)
def until_it_is_definite(x):

    def chol(A):
        L = np.linalg.cholesky(A)
        return np.sum(np.log(np.diag(L)))

    jitter = 0.001
    while True:
        try:
            return chol(np.outer(x, x) + jitter * np.eye(3) - 0.5 * np.eye(3))
        except np.linalg.LinAlgError:
            jitter *= 10


@programs.at(1.7)
def raised_by_a_helper(x):

    def check(v):
        if v > 1:
            raise ValueError("too large")
        return v * v

    try:
        a = check(x)
    except ValueError as e:
        a = x + 1
    return a * x


@programs.at(1.7)
def raised_in_a_loop(x):
    try:
        for i in range(5):
            if i * x > 4:
                raise RuntimeError
            y = x * i
    except RuntimeError:
        y = y * 10
    return y


@programs.at(1.7)
def caught_further_out(x):
    try:
        try:
            a = 1 / (x - 2.5)
        except ValueError:
            a = 2.0
    except ZeroDivisionError:
        a = x * x
    return a


@programs.at(1.7)
def one_of_two(x):
    try:
        z = math.sqrt(1 - x)
        w = 1 / z
    except (ValueError, ZeroDivisionError):
        return 7 * x
    return z + w


@programs.at(1.7)
def overflow(x):
    try:
        q = math.exp(x * 1000)
    except OverflowError:
        q = x
    return q * x


@programs.at(1.7)
def an_assert(x):
    try:
        assert x < 1
        r = x
    except AssertionError:
        r = x**3
    return r


@programs.at(1.7)
def appended_either_way(x):
    x = float(x)
    out = []
    for i in range(3):
        try:
            out.append(x / (i - 1))
        except ZeroDivisionError:
            out.append(x)
    return out[0] * out[1] * out[2]


@programs.at(1.7)
def the_first_of_two(x):
    x = float(x)
    try:
        v = x / 0 + math.log(-x)
    except ValueError:
        v = x
    except ZeroDivisionError:
        v = 2 * x
    return v * x


@programs.at(1.7)
def catches_all(x):
    try:
        v = x * 2
    except Exception:
        v = 0.0
    return v * x


@programs.at(VECTOR)
def singular(x):
    A = np.array([[x[0], x[1]], [x[0], x[1]]])
    try:
        y = np.linalg.solve(A, x[:2])
    except np.linalg.LinAlgError:
        y = x[1:] * 2
    return np.sum(y**2)


@programs.at(VECTOR)
def behind_the_end(x):
    tot = 0.0
    for i in range(5):
        try:
            tot += x[i] * x[i + 1]
        except IndexError:
            break
    return tot


@programs.at(VECTOR)
def an_inverse(x):
    try:
        i = np.linalg.inv(np.diag(x))
    except Exception:
        return 0.0
    return i.sum()


@programs.at(VECTOR)
def in_each_turn(x):
    t = 0.0
    for i in range(3):
        A = np.outer(x, x) + (1 - i) * np.eye(3)
        try:
            L = np.linalg.cholesky(A)
            t += np.log(np.diag(L)).sum()
        except np.linalg.LinAlgError:
            t -= np.sum(x)
    return t


@programs.at(1.7)
def deleted_names(x):
    y = x * 2
    z = y * x
    del y
    y = z + x
    del z
    return y * y


@programs.at(1.7)
def deleted_items(x):
    d = {"a": x, "b": x * x}
    del d["a"]
    items = [x, 2 * x, 3 * x]
    del items[0]
    return d["b"] * items[0] * len(d)


@programs.at(VECTOR)
def numpy_divides_by_zero(x):
    try:
        y = 1.0 / (x[0] - 0.3)
    except ZeroDivisionError:
        y = 5.0
    return np.sum(x) + (0.0 if np.isinf(y) else y)


@programs.at(VECTOR)
def out_of_two_loops(x):
    s = 0.0
    try:
        for i in range(3):
            for j in range(3):
                if i + j > 2:
                    raise StopIteration
                s += x[i] * x[j]
    except StopIteration:
        s = s * 2
    return s


@programs.at(VECTOR)
def a_helper_with_its_own(x):

    def g(A, b):
        try:
            return np.linalg.solve(A, b)
        except np.linalg.LinAlgError:
            return b * 2

    return np.sum(g(np.outer(x, x), x) ** 2 if False else g(np.zeros((3, 3)), x) ** 2) + np.sum(g(np.diag(x), x * x))


@programs.at(VECTOR)
def the_last_that_is_definite(x):
    best = None
    for k in range(4):
        try:
            L = np.linalg.cholesky(np.diag(x) - 0.25 * k * np.eye(3))
        except np.linalg.LinAlgError:
            break
        best = np.sum(L)
    return best


@programs.at(VECTOR)
def one_of_two_matrices(x):
    try:
        L = np.linalg.cholesky(np.diag(x - 1))
        u = np.linalg.solve(L, x)
    except Exception:
        u = x
    finally:
        pass
    return u @ x


@pytest.mark.parametrize(("fun", "args"), programs.all, ids=programs.names)
def test_its_derivatives(fun: Any, args: tuple[Any, ...]) -> None:
    check(fun, args)


def test_compiled() -> None:
    check(not_definite, (VECTOR,), jit=True)


def test_where_python_divides_by_zero() -> None:
    """At the very point the handler's path is taken; where NumPy divides, there is nothing to catch."""
    assert sg.value_and_grad(divided_by_zero, jit=False)(2.5) == (18.75, 15.0)
    assert sg.value_and_grad(caught_further_out, jit=False)(2.5) == (6.25, 5.0)

    def of_numpy(x):
        try:
            y = 1.0 / x[0]
        except ZeroDivisionError:
            y = 5.0
        return x[1] + (1.0 if np.isinf(y) else y)

    got, grad = sg.value_and_grad(of_numpy, jit=False)(np.array([0.0, 2.0]))
    with np.errstate(divide="ignore"):
        assert got == of_numpy(np.array([0.0, 2.0])) == 3.0
    np.testing.assert_array_equal(grad, [0.0, 1.0])


def test_nothing_is_caught_that_no_handler_names() -> None:
    def f(x):
        try:
            y = np.linalg.cholesky(x)
        except ZeroDivisionError:
            y = x
        return np.sum(y)

    with pytest.raises(np.linalg.LinAlgError):
        sg.grad(f, jit=False)(-np.eye(2))


def test_what_cannot_be_foreseen_is_refused() -> None:
    def both(x):
        kept = []
        try:
            kept.append(kept.append(x) or 1.0 / x)
        except ZeroDivisionError:
            return x
        return kept[0]

    with pytest.raises(sg.UnsupportedError, match="does something before what may raise"):
        sg.grad(both, jit=False)(1.7)

    def in_a_part(x):
        try:
            y = 1.0 / x if x > 1.0 else x
        except ZeroDivisionError:
            y = x
        return y

    with pytest.raises(sg.UnsupportedError, match=r"(?s)around a part of a statement.*a statement of its own"):
        sg.grad(in_a_part, jit=False)(1.7)

    def loud(x):
        with np.errstate(divide="raise"):
            return 1.0 / x

    with pytest.raises(sg.UnsupportedError, match="makes NumPy raise"):
        sg.grad(loud, jit=False)(1.7)

    def finally_more(x):
        y = np.array([x, x])
        try:
            return 1.0 / x
        except ZeroDivisionError:
            return x
        finally:
            y[0] = 2.0

    with pytest.raises(sg.UnsupportedError, match="`finally` does more"):
        sg.grad(finally_more, jit=False)(1.7)


# ---- all that raises in Python is foreseen, or refused

CAUGHT = (ValueError, OverflowError, ZeroDivisionError)
FLOATS = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -2.5, -3.0, 1e308, -1e308, 1e-310, -1e-310, 800.0, -800.0),
    *(709.782712893384, 709.7827128933841, 710.4758600739439, 710.475860073944, 171.6, 171.7, 2.6e305),
    *(math.inf, -math.inf, math.nan, 1.0000000000000002, 1e154, 1.5e154),
]
INTEGERS = [0, 1, -1, 2, -2, 5, 19]
OPERATORS: list[Any] = [
    *(operator.truediv, operator.floordiv, operator.mod, operator.pow, operator.lshift, operator.rshift),
    *(operator.mul, operator.add, operator.sub, operator.neg, operator.abs, divmod, pow, abs, int, round, float),
]
FUNCTIONS = [f for f in registry.FUNCTIONS if getattr(f, "__module__", "") == "math" or f in OPERATORS]


def goes_wrong(function: Any, args: tuple[Any, ...]) -> bool | None:
    """Whether it raises what is caught; None where these are no arguments."""
    try:
        function(*args)
    except CAUGHT:
        return True
    except TypeError:
        return None
    return False


def tried(function: Any, count: int) -> Any:
    """A program that says whether the handler was entered."""

    def one(x):
        try:
            function(x)
        except CAUGHT:
            return 1.0
        return 0.0

    def two(x, y):
        try:
            function(x, y)
        except CAUGHT:
            return 1.0
        return 0.0

    return one if count == 1 else two


def points(function: Any, count: int) -> list[tuple[Any, ...]]:
    """Arguments of one kind, that it takes: (all floats, or all integers, or a float and an integer)."""
    some: list[list[Any]] = [FLOATS[:12] + FLOATS[-7:] if count > 1 else FLOATS, INTEGERS]
    kinds = itertools.product(some, repeat=count)
    return [p for kind in kinds for p in itertools.product(*kind) if goes_wrong(function, p) is not None]


def name_of(function: Any) -> str:
    return f"{function.__module__.strip('_')}.{function.__name__}"


@pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
def test_what_raises_is_foreseen_or_refused(function: Any) -> None:
    """At special arguments the handler is entered just where Python enters it."""
    for count in (1, 2) if function is not int else (1,):
        given = points(function, count)
        if not any(goes_wrong(function, p) for p in given):
            continue
        by_kind: dict[tuple[type, ...], list[tuple[Any, ...]]] = {}
        for point in given:
            by_kind.setdefault(tuple(map(type, point)), []).append(point)
        for same in by_kind.values():
            _agrees(function, same)


REFUSED = (round,)  # to digits that are not known


def _agrees(function: Any, given: list[tuple[Any, ...]]) -> None:
    fun = sg.compiled(tried(function, len(given[0])), jit=False)
    for point in given:
        try:
            entered = fun(*point)
        except PowerError:  # integers to negative powers are refused everywhere
            assert all(type(n) is int for n in point)
            assert point[1] < 0
        except sg.UnsupportedError:
            assert function in REFUSED
        else:
            assert entered == float(bool(goes_wrong(function, point))), point


def values_of(fun: Any, *points: Any) -> None:
    """The function's own values, whatever path is taken."""
    compiled = sg.compiled(fun, jit=False)
    for point in points:
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(compiled(point), fun(point), equal_nan=True)


def test_places_and_shapes_are_foreseen_whoever_catches_them() -> None:
    def an_index(x):
        try:
            y = x[1] * 2
        except Exception:
            y = x[0]
        return y

    def lengths(x):
        b = np.array([1.0, 2.0, 3.0])
        try:
            y = np.sum(x * b)
        except ValueError:
            y = 5.0 * x[0]
        return y

    def unpacked(x):
        try:
            a, b, c = x
        except ValueError:
            return x[0]
        return a * b * c

    def places(x):
        try:
            y = x[np.array([0, 2])].sum()
        except IndexError:
            y = 1.0
        return y

    def assigned(x):
        y = x.copy()
        try:
            y[2] = 5.0
        except:  # noqa: E722
            y[0] = 1.0
        return y.sum()

    def stacked(x):
        try:
            y = np.vstack([x, np.ones(3)]).sum()
        except ValueError:
            return 1.0
        return y

    def in_rows(x):
        try:
            y = x.reshape(3, -1).sum()
        except ValueError:
            return 4.0
        return y

    for fun in (an_index, lengths, unpacked, places, assigned, stacked, in_rows):
        values_of(fun, VECTOR, VECTOR[:1] if fun is an_index else VECTOR[:2])


def test_empty_arrays_missing_keys_and_unbound_names_are_foreseen() -> None:
    def largest(x):
        try:
            y = np.max(x)
        except ValueError:
            y = 5.0
        return y + 1.0

    def keys(x):
        d = {"a": x}
        try:
            y = d["b"]
        except KeyError:
            y = 3 * x
        try:
            y = [x, y][2]
        except LookupError:
            y = 2 * y
        return y

    def names(x):
        if x > 0:
            b = x
        try:
            y = b * 2
        except NameError:
            y = 9.0
        return y

    values_of(largest, VECTOR, np.zeros(0))
    values_of(keys, 2.0)
    values_of(names, 2.0, -1.0)


def test_numbers_of_python_and_of_numpy_are_told_apart() -> None:
    def by_the_larger(x):
        try:
            y = 1.0 / max(x, 0.0)
        except ZeroDivisionError:
            y = 7.0
        return y

    def integers(n):
        try:
            y = 1 / n
        except ZeroDivisionError:
            y = 7.0
        return y

    def of_an_array(x):
        try:
            y = 1.0 / abs(x[0]) + x[0] ** -1.0
        except ArithmeticError:
            y = 2.0
        return 1.0 if np.isinf(y) else y

    def complex_numbers(x):
        try:
            w = 1 / complex(x, 0.0)
        except ZeroDivisionError:
            return 4.0
        return abs(w)

    values_of(by_the_larger, 2.0, 0.0, -1.0)
    values_of(integers, 2, 0)
    values_of(of_an_array, VECTOR, 0 * VECTOR)
    values_of(complex_numbers, 2.0, 0.0)


def test_what_raises_and_is_not_foreseen_is_refused() -> None:
    def spectrum(x):
        try:
            w = np.linalg.eigvalsh(np.outer(x, x))
        except np.linalg.LinAlgError:
            return 5.0
        return w[0]

    def nothing(x):
        b = None
        if x[0] > 0:
            b = x[0]
        try:
            y = b * 2
        except TypeError:
            y = 9.0
        return y

    def drawn(x):
        try:
            y = np.random.normal(x[0], -1.0)
        except ValueError:
            return 1.0
        return y

    def summed(x):
        try:
            y = math.fsum(x)
        except OverflowError:
            return 1.0
        return y

    for fun in (spectrum, nothing, drawn, summed):
        with pytest.raises(sg.UnsupportedError, match=r"(?s)may be raised here|may raise .*cannot be foreseen"):
            sg.compiled(fun, jit=False)(VECTOR)
