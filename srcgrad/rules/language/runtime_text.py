"""Functions that generated modules carry with them where neither NumPy nor Numba has one.

They are plain Python over NumPy, printed as they stand here (and compiled with the code that calls them).
"""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np


def sources(*functions: Callable[..., Any]) -> dict[str, str]:
    """What `helpers` of a rule takes: the text of each by its name."""
    return {f.__name__: textwrap.dedent(inspect.getsource(f)) for f in functions}


def int_power(a: int, n: int) -> int:
    if n < 0:
        raise ValueError("integers to negative integer powers are not allowed: make the base a float")
    return a**n


def int_power_array(a: np.ndarray, n: np.ndarray) -> np.ndarray:
    if (n < 0).any():
        raise ValueError("integers to negative integer powers are not allowed: make the base a float")
    return a**n


def outside(places: np.ndarray, n: int) -> bool:
    # whether some of the places are none of n
    for place in places.flat:
        if place >= n or place < -n:
            return True
    return False


def ieee_remainder(x: float, y: float) -> float:
    # x - n*y for the integer n nearest to x / y, the even one of two
    if np.isinf(y) and np.isfinite(x):
        return x
    size, step = abs(x), abs(y)
    rest = np.fmod(size, step)
    other = step - rest
    if rest > other or (rest == other and np.fmod(size - rest, 2.0 * step) != 0.0):
        rest = -other
    return np.copysign(1.0, x) * rest


def sigmoid(x: float) -> float:
    # 1 / (1 + exp(-x)), without overflow and with full accuracy in both tails
    tail = np.exp(-abs(x))
    return (1.0 if x >= 0.0 else tail) / (1.0 + tail)


def sigmoid_array(x: np.ndarray) -> np.ndarray:
    # 1 / (1 + exp(-x)), without overflow and with full accuracy in both tails
    tail = np.exp(-np.abs(x))
    return np.where(x >= 0.0, 1.0, tail) / (1.0 + tail)


def cot_pi(x: float) -> float:
    # cot(pi*x), exact about its poles and its zeros
    r = x - np.rint(x)
    if abs(r) < 0.25:
        return 1.0 / np.tan(np.pi * r)
    return np.copysign(np.tan(np.pi * (0.5 - abs(r))), r)


def digamma(x: float) -> float:
    # the derivative of log(abs(gamma(x)))
    if x < 0.0:
        return digamma_positive(1.0 - x) - np.pi * cot_pi(x) if x != np.rint(x) else np.nan
    return digamma_positive(x)


def digamma_positive(x: float) -> float:
    # by the distance from its root from 1 to 2; recurrence up to 10, the asymptotic series from there
    if 1.0 <= x <= 2.0:
        return digamma_by_root(x)
    total = 0.0
    while x < 10.0:
        total -= 1.0 / x
        x += 1.0
    if np.isinf(x):
        return x
    s = 1.0 / (x * x)
    series = 1.0 / 132.0 - s * (691.0 / 32760.0 - s * (1.0 / 12.0 - s * 3617.0 / 8160.0))
    series = s * (1.0 / 12.0 - s * (1.0 / 120.0 - s * (1.0 / 252.0 - s * (1.0 / 240.0 - s * series))))
    return total + np.log(x) - 0.5 / x - series


def digamma_by_root(x: float) -> float:
    # a quotient of polynomials (Boost), for x from 1 to 2; the root in three parts
    g, u = x - 1.4616321446374059 - 3.309564688275257e-10 - 9.01631209325869e-20, x - 1.0
    p = -0.28919126444774784 + u * (-0.045251321448739056 - u * 0.0020713321167745952)
    p = 0.25479851061131551 + u * (-0.32555031186804491 + u * (-0.65031853770896507 + u * p))
    q = 0.054151797245674225 + u * (0.0021284987017821144 - u * 5.5789841321675513e-7)
    q = 1.0 + u * (2.0767117023730469 + u * (1.4606242909763515 + u * (0.43593529692665969 + u * q)))
    return g * 0.99558162689208984 + g * (p / q)


def polygamma(n: int, x: float) -> float:
    # the n-th derivative of digamma, n > 0
    if x >= 0.0 or np.isnan(x):
        return polygamma_positive(n, x)
    # reflection; the n-th derivative of cot(u) is a polynomial in cot(u): p' becomes -(1 + c**2) p'
    c = cot_pi(x)
    p = np.zeros(n + 2)
    p[1] = 1.0
    for step in range(n):
        q = np.zeros(n + 2)
        for k in range(1, step + 2):
            q[k - 1] -= k * p[k]
            q[k + 1] -= k * p[k]
        p = q
    value = 0.0
    for k in range(n + 1, -1, -1):
        value = value * c + p[k]
    sign = 1.0 if n % 2 == 0 else -1.0
    return sign * polygamma_positive(n, 1.0 - x) - np.pi ** (n + 1) * value


def polygamma_positive(n: int, x: float) -> float:
    # all terms have one sign: n! / x**(n + 1) up to n + 15, the asymptotic series from there
    if np.isinf(x):
        return 0.0
    factorial = 1.0
    for k in range(2, n + 1):
        factorial *= k
    total = 0.0
    while x < n + 15.0:
        total += factorial / x ** (n + 1)
        x += 1.0
    total += factorial / n / x**n + 0.5 * factorial / x ** (n + 1)
    numbers = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
    term = factorial * (n + 1) / 2.0 / x ** (n + 2)
    for k in range(1, 11):
        total += numbers[k - 1] * term
        term *= (2 * k + n) * (2 * k + n + 1) / ((2 * k + 1.0) * (2 * k + 2.0)) / (x * x)
    return total if n % 2 == 1 else -total


def sinc_derivative(x: float, order: int) -> float:
    # of sin(pi*x) / (pi*x): its series near 0, elsewhere the recurrence u * s[n] = sin(u + n*pi/2) - n * s[n-1]
    u = np.pi * x
    if abs(u) < order + 3.0:
        k = (order + 1) // 2
        p = 2 * k - order
        term = (1.0 if k % 2 == 0 else -1.0) * (u if p == 1 else 1.0)
        value = 0.0
        for _ in range(30):
            value += term / (2 * k + 1)
            term *= -u * u / ((p + 1) * (p + 2))
            p += 2
            k += 1
        return np.pi**order * value
    turn = np.pi * (x - 2.0 * np.rint(0.5 * x))
    value = np.sin(turn) / u
    for n in range(1, order + 1):
        wave = np.sin(turn) if n % 2 == 0 else np.cos(turn)
        value = ((wave if n % 4 < 2 else -wave) - n * value) / u
    return np.pi**order * value


def sinc_derivative_array(x: np.ndarray, order: int) -> np.ndarray:
    out = np.empty(x.shape)
    for index, element in np.ndenumerate(x):
        out[index] = sinc_derivative(element, order)
    return out


def isqrt(n: int) -> int:
    if n < 0:
        raise ValueError("isqrt() takes integers from 0")
    root = int(np.sqrt(n))
    while root * root > n:
        root -= 1
    while (root + 1) * (root + 1) <= n:
        root += 1
    return root


def factorial(n: int) -> int:
    if n < 0 or n > 20:
        raise ValueError("factorial() takes 0 to 20 here: more does not fit an integer of 64 bits")
    product = 1
    for k in range(2, n + 1):
        product *= k
    return product


def outer(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    out = np.empty((a.size, b.size), a.dtype)
    for i in range(a.size):
        for j in range(b.size):
            out[i, j] = a[i] * b[j]
    return out


def edge_places(n: int, before: int, after: int) -> np.ndarray:
    out = np.empty(before + n + after, np.int64)
    for k in range(out.size):
        out[k] = min(max(k - before, 0), n - 1)
    return out


def wrap_places(n: int, before: int, after: int) -> np.ndarray:
    out = np.empty(before + n + after, np.int64)
    for k in range(out.size):
        out[k] = (k - before) % n
    return out


def reflect_places(n: int, before: int, after: int) -> np.ndarray:
    out = np.empty(before + n + after, np.int64)
    period = max(2 * (n - 1), 1)
    for k in range(out.size):
        place = (k - before) % period
        out[k] = min(place, period - place) if n > 1 else 0
    return out


def symmetric_places(n: int, before: int, after: int) -> np.ndarray:
    out = np.empty(before + n + after, np.int64)
    for k in range(out.size):
        place = (k - before) % (2 * n)
        out[k] = min(place, 2 * n - 1 - place)
    return out


def kth_smallest(x: np.ndarray, k: int) -> float:
    # by Hoare's selection; NaN if there is one
    rest = x.copy()
    for value in rest:
        if value != value:
            return value
    low, high = 0, rest.size - 1
    if high < 0:
        return np.nan
    while low < high:
        pivot = rest[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while rest[i] < pivot:
                i += 1
            while rest[j] > pivot:
                j -= 1
            if i <= j:
                rest[i], rest[j] = rest[j], rest[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return rest[k]


def index_of_largest(x: np.ndarray) -> int:
    # the first of those that tie, or the first NaN
    if x.size == 0:
        raise ValueError("attempt to get argmax of an empty sequence")
    best = 0
    for i in range(1, x.size):
        if x[best] == x[best] and (x[i] > x[best] or x[i] != x[i]):
            best = i
    return best


def index_of_smallest(x: np.ndarray) -> int:
    # the first of those that tie, or the first NaN
    if x.size == 0:
        raise ValueError("attempt to get argmin of an empty sequence")
    best = 0
    for i in range(1, x.size):
        if x[best] == x[best] and (x[i] < x[best] or x[i] != x[i]):
            best = i
    return best


def diagonalised(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    # m, n, d and the product of the determinants of m and n, 1 or -1, with m @ a @ n = diag(d): complete pivoting
    size = a.shape[0]
    u, m, n = a.copy(), np.zeros(a.shape, a.dtype), np.zeros(a.shape, a.dtype)
    for k in range(size):
        m[k, k] = n[k, k] = 1.0
    sign = a.dtype.type(1)
    for k in range(size):
        row, column = k, k
        for i in range(k, size):
            for j in range(k, size):
                if abs(u[i, j]) > abs(u[row, column]):
                    row, column = i, j
        if row != k:
            sign = -sign
            for j in range(size):
                u[k, j], u[row, j] = u[row, j], u[k, j]
                m[k, j], m[row, j] = m[row, j], m[k, j]
        if column != k:
            sign = -sign
            for i in range(size):
                u[i, k], u[i, column] = u[i, column], u[i, k]
                n[i, k], n[i, column] = n[i, column], n[i, k]
        if u[k, k] == 0.0:
            break
        for i in range(k + 1, size):
            factor = u[i, k] / u[k, k]
            for j in range(k, size):
                u[i, j] -= factor * u[k, j]
            for j in range(size):
                m[i, j] -= factor * m[k, j]
        for j in range(k + 1, size):
            factor = u[k, j] / u[k, k]
            for i in range(size):
                n[i, j] -= factor * n[i, k]
            u[k, j] = 0.0
    d = np.empty(size, a.dtype)
    for k in range(size):
        d[k] = u[k, k]
    return m, n, d, sign


def cofactors(a: np.ndarray) -> np.ndarray:
    # the derivative of det(a), finite where a is singular: that of diag(d) is the product of the other pivots
    m, n, d, sign = diagonalised(a)
    size = d.size
    others = np.zeros(a.shape, a.dtype)
    for i in range(size):
        others[i, i] = sign
        for k in range(size):
            if k != i:
                others[i, i] *= d[k]
    return m.T @ others @ n.T


def cofactors_along(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    # the derivative of cofactors(a) along x: of diag(d) it is made of the products of all pivots but two
    m, n, d, sign = diagonalised(a)
    size = d.size
    z, out = m @ x @ n, np.zeros(a.shape, a.dtype)
    for i in range(size):
        for j in range(size):
            if i != j:
                rest = sign
                for k in range(size):
                    if k != i and k != j:
                        rest *= d[k]
                out[i, i] += z[j, j] * rest
                out[i, j] -= z[j, i] * rest
    return m.T @ out @ n.T


def reduced_qr(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if a.shape[0] < a.shape[1]:
        raise ValueError("np.linalg.qr is differentiated for matrices with at least as many rows as columns")
    return np.linalg.qr(a)


def real_eig(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    w, v = np.linalg.eig(a)
    if np.any(np.imag(w) != 0.0):  # NumPy gives complex arrays in any case since 2.5
        raise ValueError("np.linalg.eig is differentiated for matrices with real eigenvalues; these are complex")
    return np.ascontiguousarray(np.real(w)), np.ascontiguousarray(np.real(v))


def largest(x: np.ndarray) -> float:
    out = x.dtype.type(0)
    for value in x.ravel():
        out = max(out, abs(value))
    return out


def over_gaps(u: np.ndarray, w: np.ndarray, size: float) -> np.ndarray:
    # u[i, j] / (w[j] - w[i]); where the two are equal 0 if u is (to the rounding of numbers of this size), else NaN
    return over_pairs(u, w, size, -1.0)


def over_sums(u: np.ndarray, w: np.ndarray, size: float) -> np.ndarray:
    # u[i, j] / (w[j] + w[i]) off the diagonal; where both are 0, 0 if u is (to its rounding), else NaN
    return over_pairs(u, w, size, 1.0)


def over_pairs(u: np.ndarray, w: np.ndarray, size: float, sign: float) -> np.ndarray:
    out = np.zeros(u.shape, u.dtype)
    rounding = w.size * np.finfo(w.dtype).eps
    close, none = 0.0, 64.0 * rounding * size
    for k in range(w.size):
        close = max(close, 8.0 * rounding * abs(w[k]))
    for i in range(w.size):
        for j in range(w.size):
            both = w[j] - w[i] if sign < 0.0 else w[j] + w[i]
            if i != j and abs(both) > close:
                out[i, j] = u[i, j] / both
            elif i != j and not abs(u[i, j]) <= none:
                out[i, j] = np.nan
    return out


def over_columns(u: np.ndarray, w: np.ndarray, size: float) -> np.ndarray:
    # u[i, j] / w[j]; where w[j] is 0 (beside the others) 0 if u is (to its rounding), else NaN
    out = np.zeros(u.shape, u.dtype)
    rounding = (u.shape[0] + w.size) * np.finfo(w.dtype).eps
    close, none = 0.0, 64.0 * rounding * size
    for k in range(w.size):
        close = max(close, 8.0 * rounding * abs(w[k]))
    for i in range(u.shape[0]):
        for j in range(w.size):
            if abs(w[j]) > close:
                out[i, j] = u[i, j] / w[j]
            elif not abs(u[i, j]) <= none:
                out[i, j] = np.nan
    return out


def eliminate(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    # the solution of a @ x = b for a small matrix, by Gauss's elimination with partial pivoting
    n = a.shape[0]
    if a.shape[1] != n or b.shape[0] != n:
        raise ValueError("a linear system needs a square matrix and as many rows on the right")
    u, x = a.copy(), b.copy()
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(u[i, k]) > abs(u[p, k]):
                p = i
        if u[p, k] == 0.0:
            raise np.linalg.LinAlgError("Singular matrix")
        if p != k:
            for j in range(k, n):
                u[k, j], u[p, j] = u[p, j], u[k, j]
            x[k], x[p] = x[p], x[k]
        for i in range(k + 1, n):
            factor = u[i, k] / u[k, k]
            for j in range(k + 1, n):
                u[i, j] -= factor * u[k, j]
            x[i] -= factor * x[k]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= u[i, j] * x[j]
        x[i] /= u[i, i]
    return x


def eliminate_columns(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    # the solution of a @ x = b for a small matrix, by Gauss's elimination with partial pivoting
    n = a.shape[0]
    if a.shape[1] != n or b.shape[0] != n:
        raise ValueError("a linear system needs a square matrix and as many rows on the right")
    u, x = a.copy(), b.copy()
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(u[i, k]) > abs(u[p, k]):
                p = i
        if u[p, k] == 0.0:
            raise np.linalg.LinAlgError("Singular matrix")
        if p != k:
            for j in range(k, n):
                u[k, j], u[p, j] = u[p, j], u[k, j]
            for m in range(b.shape[1]):
                x[k, m], x[p, m] = x[p, m], x[k, m]
        for i in range(k + 1, n):
            factor = u[i, k] / u[k, k]
            for j in range(k + 1, n):
                u[i, j] -= factor * u[k, j]
            for m in range(b.shape[1]):
                x[i, m] -= factor * x[k, m]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            for m in range(b.shape[1]):
                x[i, m] -= u[i, j] * x[j, m]
        for m in range(b.shape[1]):
            x[i, m] /= u[i, i]
    return x


def squarings(a: np.ndarray) -> int:
    # how often to halve a matrix until its 1-norm is at most 5.37
    norm = 0.0
    for j in range(a.shape[1]):
        column = 0.0
        for i in range(a.shape[0]):
            column += abs(a[i, j])
        norm = max(norm, column)
    times = 0
    while 5.37 < norm < np.inf:
        norm *= 0.5
        times += 1
    return times
