"""Piecewise polynomials through points: the interpolants of `scipy.interpolate`."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "Akima1DInterpolator",
    "CubicSpline",
    "InterpolatedUnivariateSpline",
    "PPoly",
    "PchipInterpolator",
    "interp1d",
    "make_interp_spline",
]

Array = Any


def evaluated(c: Array, places: Array, x: Any, how: Any) -> Any:
    """At a number or a vector. how: whether the outer pieces go on, or "periodic"."""
    t = places[0] + (x - places[0]) % (places[-1] - places[0]) if how == "periodic" else x * 1.0
    i = np.minimum(np.maximum(np.searchsorted(places, t, side="right") - 1, 0), len(places) - 2)
    h = t - places[i]
    outside = (t < places[0]) | (t > places[-1])
    if np.ndim(t) == 1 and c.ndim == 3:
        h, outside = h[:, None], outside[:, None]
    total = c[0][i]
    for k in range(1, c.shape[0]):
        total = total * h + c[k][i]
    return total if how == "periodic" or how else np.where(outside, np.nan, total)


class PPoly:
    """Polynomials between places x: `c[k, i]` is the coefficient of `(t - x[i])**(order - k)`."""

    def __init__(self, c: Array, x: Array, extrapolate: Any = None, axis: int = 0) -> None:
        if axis != 0:
            raise ValueError("polynomials run along the first axis here")
        self.c, self.x, self.extrapolate = c, x, True if extrapolate is None else extrapolate

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        how = self.extrapolate if extrapolate is None else extrapolate
        c = self.derivative(nu).c if nu > 0 else self.c
        t = np.array(x) if isinstance(x, (list, tuple)) else x
        if np.ndim(t) > 1:
            return np.reshape(evaluated(c, self.x, np.ravel(t), how), (*t.shape, *c.shape[2:]))
        return evaluated(c, self.x, t, how)

    def derivative(self, nu: int = 1) -> PPoly:
        top = self.c.shape[0] - 1
        if nu > top:
            return PPoly(np.zeros_like(self.c[:1]), self.x, self.extrapolate)
        powers = np.arange(top, nu - 1, -1.0)
        factors = np.ones(len(powers))
        for j in range(nu):
            factors = factors * (powers - j)
        if self.c.ndim == 3:
            return PPoly(self.c[: top + 1 - nu] * factors[:, None, None], self.x, self.extrapolate)
        return PPoly(self.c[: top + 1 - nu] * factors[:, None], self.x, self.extrapolate)

    def antiderivative(self, nu: int = 1) -> PPoly:
        if nu != 1:
            raise ValueError("the antiderivative of an antiderivative is asked for one by one here")
        top = self.c.shape[0]
        out = np.zeros((top + 1, *self.c.shape[1:]))
        for k in range(top):
            out[k] = self.c[k] / (top - k)
        for i in range(self.c.shape[1] - 1):
            h = self.x[i + 1] - self.x[i]
            total = out[0, i]
            for k in range(1, top + 1):
                total = total * h + out[k, i]
            out[top, i + 1] = total
        how = True if self.extrapolate == "periodic" else self.extrapolate
        return PPoly(out, self.x, how)

    def integrate(self, a: Any, b: Any, extrapolate: Any = None) -> Any:
        if self.extrapolate == "periodic" or extrapolate == "periodic":
            raise ValueError("the integral of a periodic spline is not supported here")
        whole = self.antiderivative()
        return whole(b, 0, extrapolate) - whole(a, 0, extrapolate)


def asked(method: str, c: Array, x: Array, extrapolate: Any, *args: Any, **named: Any) -> Any:
    """A method of polynomials that were made outside."""
    made = PPoly(c, x, extrapolate)
    if method == "derivative":
        return made.derivative(*args, **named)
    if method == "antiderivative":
        return made.antiderivative(*args, **named)
    if method == "integrate":
        return made.integrate(*args, **named)
    return made(*args, **named)


def as_column(h: Array, values: Array) -> Array:
    """Numbers that stand beside rows of values."""
    return h if values.ndim == 1 else h[:, None]


def checked(x: Any, y: Any, least: int) -> tuple[Array, Array]:
    places, values = np.asarray(x) * 1.0, np.asarray(y) * 1.0
    if len(places) != len(values):
        raise ValueError("The length of `y` along `axis` doesn't match the length of `x`")
    if len(places) < least:
        raise ValueError("there are not enough points for this interpolant")
    if np.any(np.diff(places) <= 0.0):
        raise ValueError("`x` must be strictly increasing sequence.")
    return places, values


def through(x: Array, y: Array, slopes: Array, extrapolate: Any) -> PPoly:
    """Cubic polynomials with these values and slopes at the places."""
    h = as_column(np.diff(x), y)
    steepness = np.diff(y, axis=0) / h
    bend = (slopes[:-1] + slopes[1:] - 2.0 * steepness) / h
    return PPoly(np.stack((bend / h, (steepness - slopes[:-1]) / h - bend, slopes[:-1], y[:-1])), x, extrapolate)


def tridiagonal(low: Array, middle: Array, up: Array, right: Array) -> Array:
    """The solution of a system with three diagonals, of one right-hand side or of several in columns."""
    n = len(middle)
    pivot, out = np.empty(n), np.empty_like(right)
    pivot[0], out[0] = middle[0], right[0]
    for i in range(1, n):
        factor = low[i - 1] / pivot[i - 1]
        pivot[i] = middle[i] - factor * up[i - 1]
        out[i] = right[i] - factor * out[i - 1]
    out[n - 1] = out[n - 1] / pivot[n - 1]
    for i in range(n - 2, -1, -1):
        out[i] = (out[i] - up[i] * out[i + 1]) / pivot[i]
    return out


def condition(bc: Any) -> tuple[int, Any]:
    """The order of the derivative that is given at an end, and that; order 3 is not-a-knot."""
    if bc == "not-a-knot":
        return 3, 0.0
    if bc == "clamped":
        return 1, 0.0
    if bc == "natural":
        return 2, 0.0
    order, value = bc
    return order, value


def spline_slopes(x: Array, y: Array, left: tuple[int, Any], right: tuple[int, Any]) -> Array:
    n, h = len(x), np.diff(x)
    steepness = np.diff(y, axis=0) / as_column(h, y)
    low, middle, up, rest = np.empty(n - 1), np.empty(n), np.empty(n - 1), np.empty_like(y)
    middle[1:-1] = 2.0 * (h[:-1] + h[1:])
    up[1:], low[:-1] = h[:-1], h[1:]
    rest[1:-1] = 3.0 * (as_column(h[1:], y) * steepness[:-1] + as_column(h[:-1], y) * steepness[1:])
    kind, value = left
    if kind == 3:
        d = h[0] + h[1]
        middle[0], up[0] = h[1], d
        rest[0] = ((h[0] + 2.0 * d) * h[1] * steepness[0] + h[0] ** 2 * steepness[1]) / d
    elif kind == 1:
        middle[0], up[0], rest[0] = 1.0, 0.0, value
    else:
        middle[0], up[0] = 2.0 * h[0], h[0]
        rest[0] = 3.0 * h[0] * steepness[0] - 0.5 * value * h[0] ** 2
    kind, value = right
    if kind == 3:
        d = h[-1] + h[-2]
        middle[-1], low[-1] = h[-2], d
        rest[-1] = (h[-1] ** 2 * steepness[-2] + (2.0 * d + h[-1]) * h[-2] * steepness[-1]) / d
    elif kind == 1:
        middle[-1], low[-1], rest[-1] = 1.0, 0.0, value
    else:
        middle[-1], low[-1] = 2.0 * h[-1], h[-1]
        rest[-1] = 3.0 * h[-1] * steepness[-1] + 0.5 * value * h[-1] ** 2
    return tridiagonal(low, middle, up, rest)


def periodic_slopes(x: Array, y: Array) -> Array:
    """The last unknown is eliminated, which leaves two systems of three diagonals."""
    if np.any(np.abs(y[:1] - y[-1:]) > 1e-15 + 1e-15 * np.abs(y[-1:])):
        raise ValueError("The first and last `y` point must be identical when bc_type='periodic'.")
    n, h = len(x) - 1, np.diff(x)
    steepness = np.diff(y, axis=0) / as_column(h, y)
    before, behind = np.roll(h, 1), np.roll(steepness, 1, axis=0)
    middle, rest = 2.0 * (before + h), 3.0 * (as_column(h, y) * behind + as_column(before, y) * steepness)
    corner = np.zeros(n - 1)
    corner[0], corner[-1] = -h[0], corner[-1] - before[n - 2]
    first = tridiagonal(h[1 : n - 1], middle[:-1], before[: n - 2], rest[:-1])
    second = tridiagonal(h[1 : n - 1], middle[:-1], before[: n - 2], corner)
    last = (rest[-1] - before[-1] * first[0] - h[-1] * first[-1]) / (
        middle[-1] + before[-1] * second[0] + h[-1] * second[-1]
    )
    out = np.empty_like(y)
    out[: n - 1] = first + (second * last if y.ndim == 1 else second[:, None] * last)
    out[n - 1], out[n] = last, out[0]
    return out


def three_points(x: Array, y: Array) -> Array:
    """The slopes of a parabola."""
    h = np.diff(x)
    steepness = np.diff(y, axis=0) / as_column(h, y)
    bend = (steepness[1] - steepness[0]) / (h[0] + h[1])
    out = np.empty_like(y)
    out[0], out[1], out[2] = (
        steepness[0] - h[0] * bend, steepness[0] + h[0] * bend, steepness[1] + h[1] * bend,
    )  # fmt: skip
    return out


def CubicSpline(x: Any, y: Any, axis: int = 0, bc_type: Any = "not-a-knot", extrapolate: Any = None) -> PPoly:
    if axis != 0:
        raise ValueError("a spline runs along the first axis here")
    places, values = checked(x, y, 2)
    if bc_type == "periodic":
        if len(places) < 4:
            raise ValueError("a periodic spline needs four points here")
        return through(
            places, values, periodic_slopes(places, values), "periodic" if extrapolate is None else extrapolate
        )
    ends = bc_type if isinstance(bc_type, (tuple, list)) else (bc_type, bc_type)
    left, right = condition(ends[0]), condition(ends[1])
    slopes = np.empty_like(values)
    if left[0] == 3 and right[0] == 3 and len(places) == 3:
        slopes[:] = three_points(places, values)
    elif len(places) < 3:
        chord = (values[1] - values[0]) / (places[1] - places[0])
        slopes[:] = spline_slopes(
            places, values, left if left[0] < 3 else (1, chord), right if right[0] < 3 else (1, chord)
        )
    else:
        slopes[:] = spline_slopes(places, values, left, right)
    return through(places, values, slopes, extrapolate)


def edge_slope(h0: Any, h1: Any, m0: Any, m1: Any) -> Any:
    """Of three points at an end, without a bump."""
    d = ((2.0 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    steep = (np.sign(m0) != np.sign(m1)) & (np.abs(d) > 3.0 * np.abs(m0))
    return np.where(np.sign(d) != np.sign(m0), 0.0 * d, np.where(steep, 3.0 * m0, d))


def PchipInterpolator(x: Any, y: Any, axis: int = 0, extrapolate: Any = None) -> PPoly:
    """Slopes by Fritsch and Butland: nothing where the points turn."""
    if axis != 0:
        raise ValueError("an interpolant runs along the first axis here")
    places, values = checked(x, y, 2)
    h = as_column(np.diff(places), values)
    m = np.diff(values, axis=0) / h
    slopes = np.empty_like(values)
    if len(places) == 2:
        slopes[0], slopes[1] = m[0], m[0]
        return through(places, values, slopes, extrapolate)
    flat = (m[1:] * m[:-1] <= 0.0) | (np.sign(m[1:]) != np.sign(m[:-1]))
    first, second = 2.0 * h[1:] + h[:-1], h[1:] + 2.0 * h[:-1]
    before, behind = np.where(flat, 1.0, m[:-1]), np.where(flat, 1.0, m[1:])
    slopes[1:-1] = np.where(flat, 0.0, (first + second) / (first / before + second / behind))
    slopes[0] = edge_slope(h[0], h[1], m[0], m[1])
    slopes[-1] = edge_slope(h[-1], h[-2], m[-1], m[-2])
    return through(places, values, slopes, extrapolate)


def Akima1DInterpolator(x: Any, y: Any, axis: int = 0, *, method: Any = "akima", extrapolate: Any = None) -> PPoly:
    if axis != 0 or method != "akima":
        raise ValueError("Akima's interpolant runs along the first axis here, by its first method")
    places, values = checked(x, y, 2)
    n = len(places)
    m = np.empty((n + 3, *values.shape[1:]))
    m[2:-2] = np.diff(values, axis=0) / as_column(np.diff(places), values)
    if n == 2:
        m[:] = m[2] + 0.0 * m
    m[1] = 2.0 * m[2] - m[3]
    m[0] = 2.0 * m[1] - m[2]
    m[-2] = 2.0 * m[-3] - m[-4]
    m[-1] = 2.0 * m[-2] - m[-3]
    change = np.abs(np.diff(m, axis=0))
    both = change[2:] + change[:-2]
    turns = both > 1e-9 * np.max(both)
    mean = (change[2:] * m[1:-2] + change[:-2] * m[2:-1]) / np.where(turns, both, 1.0)
    slopes = np.where(turns, mean, 0.5 * (m[3:] + m[:-3]))
    return through(places, values, slopes, False if extrapolate is None else extrapolate)


def straight(x: Array, y: Array) -> PPoly:
    return PPoly(np.stack((np.diff(y, axis=0) / as_column(np.diff(x), y), y[:-1])), x)


def make_interp_spline(x: Any, y: Any, k: int = 3, t: Any = None, bc_type: Any = None, axis: int = 0) -> PPoly:
    if k == 1 and t is None:
        places, values = checked(x, y, 2)
        return straight(places, values)
    if k != 3 or t is not None:
        raise ValueError("make_interp_spline takes k=3 and k=1, and no knots, here")
    return CubicSpline(x, y, axis, "not-a-knot" if bc_type is None else bc_type, True)


def InterpolatedUnivariateSpline(x: Any, y: Any, *, k: int = 3) -> PPoly:
    return make_interp_spline(x, y, k)


class Interp1d:
    """What `interp1d` gives: `fill` where the polynomials do not reach, or an error if there is none."""

    def __init__(self, pieces: PPoly, fill: Any) -> None:
        self.pieces, self.fill = pieces, fill

    def __call__(self, x: Any) -> Any:
        t = np.array(x) if isinstance(x, (list, tuple)) else x
        if self.fill is None or isinstance(self.fill, str):
            places = self.pieces.x
            if self.fill is None and np.any(np.atleast_1d((t < places[0]) | (t > places[-1]))):
                raise ValueError("A value in x_new is outside the interpolation range.")
            return self.pieces(t)
        low, high = self.fill if isinstance(self.fill, tuple) else (self.fill, self.fill)
        places = self.pieces.x
        return np.where(t < places[0], low, np.where(t > places[-1], high, self.pieces(t)))


def interp1d(
    x: Any, y: Any, kind: Any = "linear", axis: int = -1, copy: bool = True, bounds_error: Any = None,
    fill_value: Any = np.nan, assume_sorted: bool = False,
) -> Interp1d:  # fmt: skip
    if np.ndim(y) != 1 or kind not in ("linear", "cubic"):
        raise ValueError("interp1d takes vectors, and kind='linear' or 'cubic', here")
    places, values = checked(x, y, 2)
    pieces = straight(places, values) if kind == "linear" else CubicSpline(places, values)
    if isinstance(fill_value, str):
        return Interp1d(pieces, fill_value)
    return Interp1d(pieces, None if bounds_error is None or bounds_error else fill_value)
