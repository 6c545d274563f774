"""Initial value problems: `scipy.integrate.solve_ivp` and `odeint`.

The steps are chosen first, of values alone, as SciPy chooses them. Then they are taken again, as fractions of the span
of time, and that is what is differentiated: where the steps end is a constant, how long they are follows the span's
ends. An attempt that was too long has no part in the derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from srcgrad.core.stop_gradient import stop_gradient
from srcgrad.scipy import tableaus
from srcgrad.scipy.tableaus import Tableau

__all__ = ["odeint", "solve_ivp"]

Fun = Callable[..., Any]
Array = Any


class OdeSolution:
    """What stands between the steps, as a function of time."""

    def __init__(self, method: Tableau, ts: Array, ys: Array, slopes: Array) -> None:
        self.method, self.ts, self.ys, self.slopes = method, ts, ys, slopes

    def __call__(self, t: Any) -> Array:
        if np.ndim(t) == 0:
            return self.at(t)
        out = np.empty((self.ys.shape[1], len(t)))
        for k in range(len(t)):
            out[:, k] = self.at(t[k])
        return out

    def at(self, t: float) -> Array:
        ts, last = self.ts, len(self.ts) - 2
        k = 0
        while k < last and (stop_gradient(t) > ts[k + 1] if ts[last + 1] >= ts[0] else stop_gradient(t) < ts[k + 1]):
            k += 1
        h = ts[k + 1] - ts[k]
        weights = between(self.method, (t - ts[k]) / h)
        return self.ys[k] + h * combined(self.slopes[k], weights, self.method.rows)


class OdeResult(NamedTuple):
    """What `solve_ivp` gives."""

    t: Array
    y: Array
    sol: Any
    t_events: Any
    y_events: Any
    nfev: int
    njev: int
    nlu: int
    status: int
    message: str
    success: bool


class Steps(NamedTuple):
    """Steps that were chosen: where they end, as fractions of the span, and how many times of output lie before."""

    ends: Array
    before: Array
    nfev: int
    reached: bool


def tableau(method: Any) -> Tableau:
    if method == "RK23":
        return tableaus.bogacki_shampine()
    if method == "DOP853":
        return tableaus.eighth_order()
    return tableaus.dormand_prince()


def combined(slopes: Array, weights: Array, count: int) -> Array:
    total = weights[0] * slopes[0]
    for j in range(1, count):
        total += weights[j] * slopes[j]
    return total


def between(method: Tableau, x: float) -> Array:
    """The weights of the slopes at a fraction of a step."""
    if method.stages < 12:
        powers = method.between
        weights = powers[:, -1] * x
        for k in range(powers.shape[1] - 2, -1, -1):
            weights = (weights + powers[:, k]) * x
        return weights
    step, start, end = np.zeros(16), np.zeros(16), np.zeros(16)
    step[:12] = method.weights[66:78]
    start[0], end[12] = 1.0, 1.0
    weights = method.between[3] * x
    weights = (weights + method.between[2]) * (1.0 - x)
    weights = (weights + method.between[1]) * x
    weights = (weights + method.between[0]) * (1.0 - x)
    weights = (weights + 2.0 * step - end - start) * x
    weights = (weights + start - step) * (1.0 - x)
    return (weights + step) * x


def fill(fun: Fun, method: Tableau, slopes: Array, first: int, last: int, t: float, y: Array, h: float) -> None:
    """The slopes of these rows, from those before."""
    for s in range(first, last):
        weights = method.weights[s * (s - 1) // 2 :]
        slopes[s] = fun(t + method.places[s] * h, y + h * combined(slopes, weights, s))


def after(method: Tableau, slopes: Array, y: Array, h: float) -> Array:
    """The state at the end of a step."""
    s = method.stages
    return y + h * combined(slopes, method.weights[s * (s - 1) // 2 :], s)


def size(x: Array) -> float:
    return math.sqrt(np.sum(x * x) / max(len(x), 1))


def error_of(method: Tableau, slopes: Array, h: float, scale: Array) -> float:
    count = method.stages + 1
    if method.stages < 12:
        return size(h * combined(slopes, method.error, count) / scale)
    fine = np.sum((combined(slopes, method.error, count) / scale) ** 2)
    coarse = np.sum((combined(slopes, method.other_error, count) / scale) ** 2)
    if fine == 0.0 and coarse == 0.0:
        return 0.0
    size_of_both = math.sqrt((fine + 0.01 * coarse) * len(scale))
    error: float = abs(h) * fine / size_of_both
    return error


def first_of(
    fun: Fun, t: float, y: Array, f: Array, end: float, order: int, rtol: Any, atol: Any, most: float
) -> float:
    """The length of the first step: Hairer, Nørsett, Wanner, II.4."""
    span = abs(end - t)
    if len(y) == 0:
        return math.inf
    if span == 0.0:
        return 0.0
    scale = atol + np.abs(y) * rtol
    d0, d1 = size(y / scale), size(f / scale)
    h0 = min(1e-6 if d0 < 1e-5 or d1 < 1e-5 else 0.01 * d0 / d1, span)
    signed = math.copysign(h0, end - t)
    d2 = size((fun(t + signed, y + signed * f) - f) / scale) / h0
    slow = d1 <= 1e-15 and d2 <= 1e-15
    h1 = max(1e-6, h0 * 1e-3) if slow else (0.01 / max(d1, d2)) ** (1.0 / (order + 1))
    return min(100.0 * h0, h1, span, most)


def factor_of(error: float, order: int, rejected: bool) -> float:
    """How much longer the next step is."""
    if error < 1.0:
        factor: float = 10.0 if error == 0.0 else min(10.0, 0.9 * error ** (-1.0 / (order + 1)))
        return min(1.0, factor) if rejected else factor
    factor = max(0.2, 0.9 * error ** (-1.0 / (order + 1)))
    return factor


def choose(
    fun: Fun,
    method: Tableau,
    t0: float,
    end: float,
    y: Array,
    times: Array,
    rtol: Any,
    atol: Any,
    most: float,
    first: Any,
    dense: bool,
) -> Steps:
    """The steps, of values alone."""
    f = fun(t0, y)
    nfev = 1
    if first is None:
        h_abs = first_of(fun, t0, y, f, end, method.order, rtol, atol, most)
        nfev = 2
    else:
        h_abs = first
    t, way = t0, math.copysign(1.0, end - t0)
    slopes = np.empty((method.stages + 1, len(y)))
    ends, before = [0.0], [0]
    count, reached, going = 0, False, True
    while going:
        least = 10.0 * 2.0**-52 * abs(t)
        h_abs = min(max(h_abs, least), most)
        rejected, accepted = False, False
        new, y_new = t, y
        while not accepted and h_abs >= least:
            new = t + way * h_abs
            if way * (new - end) > 0.0:
                new = end
            h = new - t
            slopes[0] = f
            fill(fun, method, slopes, 1, method.stages, t, y, h)
            y_new = after(method, slopes, y, h)
            slopes[method.stages] = fun(new, y_new)
            nfev += method.stages
            error = error_of(method, slopes, h, atol + np.maximum(np.abs(y), np.abs(y_new)) * rtol)
            h_abs = abs(h)
            accepted = error < 1.0
            h_abs *= factor_of(error, method.order, rejected)
            rejected = rejected or not accepted
        if accepted:
            t, y, f = new, y_new, slopes[method.stages].copy()
            reached = t == end
            ends.append(1.0 if reached else (t - t0) / (end - t0))
            known = count
            while count < len(times) and way * (times[count] - t) <= 0.0:
                count += 1
            before.append(count)
            if dense or count > known:
                nfev += method.rows - method.stages - 1
        going = accepted and not reached
    return Steps(np.array(ends), np.array(before), nfev, reached)


def take(
    fun: Fun, method: Tableau, steps: Steps, t_span: Any, y0: Array, times: Array, at_times: bool, dense: bool
) -> tuple[Array, Array, Array, Array]:
    """Times, the states there, in rows, and the slopes of each step if they are asked for."""
    n, count = len(y0), len(steps.ends) - 1
    t0, span = t_span[0], t_span[1] - t_span[0]
    ts = t0 + steps.ends * span
    ys, found = np.empty((count + 1, n)), np.empty((steps.before[count] if at_times else 0, n))
    rows = method.rows if at_times or dense else method.stages + 1
    kept = np.empty((count if dense else 0, rows, n))
    ys[0] = y0
    y, f = y0, fun(t0, y0)
    for k in range(count):
        t, h = ts[k], (steps.ends[k + 1] - steps.ends[k]) * span
        slopes = np.empty((rows, n))
        slopes[0] = f
        fill(fun, method, slopes, 1, method.stages, t, y, h)
        y_new = after(method, slopes, y, h)
        f = fun(ts[k + 1], y_new)
        slopes[method.stages] = f
        if dense or steps.before[k + 1] > steps.before[k]:
            fill(fun, method, slopes, method.stages + 1, rows, t, y, h)
        for i in range(steps.before[k], steps.before[k + 1] if at_times else 0):
            x = 1.0 if h == 0.0 else (times[i] - t) / h
            found[i] = y + h * combined(slopes, between(method, x), rows)
        if dense:
            kept[k] = slopes
        y = y_new
        ys[k + 1] = y
    return ts, ys, found, kept


def check(times: Array, t0: float, end: float) -> None:
    for k in range(len(times)):
        if times[k] < min(t0, end) or times[k] > max(t0, end):
            raise ValueError("Values in `t_eval` are not within `t_span`.")
        if k > 0 and (times[k] - times[k - 1]) * (end - t0) <= 0.0:
            raise ValueError("Values in `t_eval` are not properly sorted.")


def solve_ivp(
    fun: Fun, t_span: Any, y0: Any, method: Any = "RK45", t_eval: Any = None, dense_output: bool = False,
    events: Any = None, vectorized: bool = False, args: Any = None, *, rtol: Any = 1e-3, atol: Any = 1e-6,
    max_step: float = math.inf, first_step: Any = None,
) -> OdeResult:  # fmt: skip
    more = () if args is None else args
    start, end = float(t_span[0]), float(t_span[1])
    y = np.array(y0).astype(np.float64)
    n = len(y)

    def slope(t: float, at: Array) -> Array:
        out = np.empty(n)
        made = fun(t, at, *more)
        out[:] = np.array(made) if isinstance(made, (list, tuple)) else made
        return out

    def value(t: float, at: Array) -> Array:
        return stop_gradient(slope(t, at))

    chosen = tableau(method)
    times = np.empty(0) if t_eval is None else np.asarray(t_eval) * 1.0
    known = stop_gradient(times)
    t0, t1 = stop_gradient(start), stop_gradient(end)
    check(known, t0, t1)
    steps = choose(
        value, chosen, t0, t1, stop_gradient(y), known, stop_gradient(rtol), stop_gradient(atol),
        stop_gradient(max_step), stop_gradient(first_step), dense_output,
    )  # fmt: skip
    ts, ys, found, kept = take(slope, chosen, steps, (start, end), y, times, t_eval is not None, dense_output)
    reached = steps.reached
    status = 0 if reached else -1
    return OdeResult(
        ts if t_eval is None else times[: len(found)], (ys if t_eval is None else found).T,
        OdeSolution(chosen, ts, ys, kept) if dense_output else None, None, None, steps.nfev, 0, 0,
        status, f"Status {status}: 0 at the end of the interval, -1 where the steps became too small.", reached,
    )  # fmt: skip


def odeint(
    func: Fun, y0: Any, t: Any, args: Any = (), Dfun: Any = None, *, rtol: Any = 1.49012e-8, atol: Any = 1.49012e-8,
    h0: Any = 0.0, hmax: Any = 0.0, mxstep: int = 0, tfirst: bool = False,
) -> Array:  # fmt: skip
    """By the method of order 8, which keeps the tolerances too; times may be repeated."""
    more = args if isinstance(args, tuple) else (args,)
    y, times = np.array(y0).astype(np.float64), np.asarray(t) * 1.0
    n = len(y)

    def slope(at: float, state: Array) -> Array:
        out = np.empty(n)
        made = func(at, state, *more) if tfirst else func(state, at, *more)
        out[:] = np.array(made) if isinstance(made, (list, tuple)) else made
        return out

    def value(at: float, state: Array) -> Array:
        return stop_gradient(slope(at, state))

    known = stop_gradient(times)
    most = math.inf if hmax == 0.0 else stop_gradient(hmax)
    first = stop_gradient(h0)
    start = stop_gradient(y)
    t0, t1 = known[0], known[-1]
    if np.any(np.diff(known) * (t1 - t0) < 0.0):
        raise ValueError("The times must be in order.")
    chosen = tableau("DOP853")
    if first == 0.0:
        first = first_of(value, t0, start, value(t0, start), t1, 7, stop_gradient(rtol), stop_gradient(atol), most)
    steps = choose(
        value, chosen, t0, t1, start, known, stop_gradient(rtol), stop_gradient(atol), most, first, False
    )  # fmt: skip
    if not steps.reached:
        raise RuntimeError("The steps became too small.")
    return take(slope, chosen, steps, (times[0], times[-1]), y, times, True, False)[2]
