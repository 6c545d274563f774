"""Functions that move elements about: their derivatives beside numerical ones, as the user writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from srcgrad import grad, jacrev
from srcgrad.errors import NotDifferentiableError, UnsupportedError
from srcgrad.testing import check_grads

x, y = np.array([0.7, -1.3, 2.0, 0.2]), np.array([0.4, 1.1, -0.6, 0.9])
m, s = np.array([[0.3, -1.2, 2.0], [1.5, 0.7, -0.4]]), np.array([2.0, 0.5])
q, t = np.arange(9.0).reshape(3, 3) / 7 - 0.3, np.stack([m, -2 * m, m * m])
i, i2 = np.array([2, 0, 0, -1]), np.array([[1, 0], [2, 1]])


def copied_into(m: Any) -> Any:
    z = np.zeros_like(m)
    np.copyto(z, m * m)
    return z * m


def diagonal_filled(q: Any) -> Any:
    z = q * q
    np.fill_diagonal(z, q[0, 1])
    return z * q


def sorted_in_place(x: Any) -> Any:
    z = x * x
    z.sort()
    return z * x


def written_through(x: Any) -> Any:
    z = x * 1.0
    f = np.flip(z)
    f[0] = x[1] * x[1]
    np.expand_dims(z, 0)[0, 1] = x[2] ** 3
    np.atleast_2d(z)[0, 2] = x[0] ** 2
    return z * x


def written_through_matrices(m: Any) -> Any:
    z = m * 1.0
    a = np.swapaxes(z, 0, 1)
    a[0, 1] = m[0, 0] ** 2
    p = np.split(z, 2)[0]
    p[0, 2] = m[1, 1] ** 2
    r = np.rot90(z)
    r[1, 0] = m[0, 2] ** 3
    return z * m


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "swapaxes": (lambda t: np.swapaxes(t, 0, 2) * 2, (t,)),
    "swap_m": (lambda t: t.swapaxes(0, -1) * t.swapaxes(0, -1), (t,)),
    "moveaxis": (lambda t: np.moveaxis(t, 0, -1) ** 2, (t,)),
    "moveaxis2": (lambda t: np.moveaxis(t, (0, 1), (-1, 0)) ** 2, (t,)),
    "rollaxis": (lambda t: np.rollaxis(t, 2) ** 2, (t,)),
    "rollaxis2": (lambda t: np.rollaxis(t, 0, 3) ** 2, (t,)),
    "flip": (lambda x: np.flip(x) * x, (x,)),
    "flip2": (lambda m: np.flip(m, 1) * m, (m,)),
    "flipall": (lambda t: np.flip(t) * t, (t,)),
    "fliplr": (lambda m: np.fliplr(m) ** 2, (m,)),
    "flipud": (lambda m: np.flipud(m * m), (m,)),
    "rot": (lambda m: np.rot90(m) ** 2, (m,)),
    "rot2": (lambda m: np.rot90(m, 2) ** 2, (m,)),
    "rot3": (lambda m: np.rot90(m, -1) ** 2, (m,)),
    "rot_axes": (lambda t: np.rot90(t, 1, (1, 2)) ** 2, (t,)),
    "at1": (lambda x: np.atleast_1d(x * x) ** 2, (0.7,)),
    "at2": (lambda x: np.atleast_2d(x) ** 2, (x,)),
    "at3": (lambda x: np.atleast_3d(x * x) ** 2, (x,)),
    "at3b": (lambda m: np.atleast_3d(m) ** 2, (m,)),
    "bto": (lambda x: np.broadcast_to(x, (2, 4)) * np.array([[1.0], [2.0]]) * x, (x,)),
    "bar": (lambda x, m: np.broadcast_arrays(x[:3], m)[0] * m, (x, m)),
    "expand": (lambda x: np.expand_dims(x, (0, 2)) ** 2, (x,)),
    "squeeze_ax": (lambda q: np.squeeze(q[:, :1], 1) ** 2, (q,)),
    "cat": (lambda x, y: np.concatenate((x, y * y, x * 2)) ** 2, (x, y)),
    "cat1": (lambda m, q: np.concatenate([m, q[:2] * m], axis=1) ** 2, (m, q)),
    "catnone": (lambda m, x: np.concatenate((m, m * m), axis=None) ** 2, (m, x)),
    "stack": (lambda x, y: np.stack((x, y)) ** 2, (x, y)),
    "stack1": (lambda x, y: np.stack([x, y * x], axis=-1) ** 2, (x, y)),
    "stack2": (lambda m: np.stack([m, m * m], 1) ** 2, (m,)),
    "stackcomp": (lambda x, y: np.stack([x * k for k in range(3)]) * y, (x, y)),
    "hstack": (lambda x, y: np.hstack((x, y, 0.5)) * 2, (x, y)),
    "hstack2": (lambda m: np.hstack([m, m**2]) ** 2, (m,)),
    "vstack": (lambda x, y: np.vstack((x, y)) ** 2, (x, y)),
    "vstack2": (lambda m, x: np.vstack((m, x[:3])) ** 2, (m, x)),
    "dstack": (lambda m: np.dstack((m, m * m)) ** 2, (m,)),
    "dstack1": (lambda x, y: np.dstack((x, y)) ** 2, (x, y)),
    "colstack": (lambda x, y: np.column_stack((x, y)) ** 2, (x, y)),
    "colstack2": (lambda m, s: np.column_stack((m, s)) ** 2, (m, s)),
    "append": (lambda x, m: np.append(x, m) ** 2, (x, m)),
    "append_s": (lambda x: np.append(x, 3.0) ** 2, (x,)),
    "delete": (lambda x: np.delete(x, 1) ** 2, (x,)),
    "delete2": (lambda m: np.delete(m, -1, axis=1) ** 2, (m,)),
    "split": (lambda x: np.split(x, 2)[0] * np.split(x, 2)[1], (x,)),
    "split_at": (lambda x: np.split(x, [1, 3])[1] ** 2, (x,)),
    "asplit": (lambda x: np.concatenate(np.array_split(x, 3)) * x, (x,)),
    "hsplit": (lambda m: np.hsplit(m, 3)[1] * m, (m,)),
    "vsplit": (lambda m: np.vsplit(m, 2)[1] * m, (m,)),
    "dsplit": (lambda t: np.dsplit(t, 3)[1] * t, (t,)),
    "take": (lambda x: np.take(x, i) ** 2, (x,)),
    "take2": (lambda m: np.take(m, i2) ** 2, (m,)),
    "takeax": (lambda m: np.take(m, i2, axis=1) ** 2, (m,)),
    "take_s": (lambda m: np.take(m, 1, axis=1) ** 2, (m,)),
    "takewrap": (lambda x: np.take(x, [5, -9], mode="wrap") ** 2, (x,)),
    "takeclip": (lambda x: x.take(np.array([5, -9, 1]), mode="clip") ** 2, (x,)),
    "tal": (lambda m: np.take_along_axis(m, i2, axis=1) ** 2, (m,)),
    "tal0": (lambda m: np.take_along_axis(m, np.argsort(m, 0), 0) ** 2, (m,)),
    "sort": (lambda x: np.sort(x) * np.array([1.0, 2, 3, 4]), (x,)),
    "sort0": (lambda m: np.sort(m, 0) ** 2, (m,)),
    "sort1": (lambda t: np.sort(t) ** 2, (t,)),
    "sortnone": (lambda m: np.sort(m, axis=None) ** 2, (m,)),
    "argsort": (lambda x: x[np.argsort(x)] ** 2, (x,)),
    "partition": (lambda x: np.partition(x, 2)[2] * x, (x,)),
    "search": (lambda x: x[np.searchsorted(np.sort(x), 0.5)] * x, (x,)),
    "dig": (lambda x: x[np.digitize(x, np.array([0.0, 1.0]))] * x, (x,)),
    "repeat": (lambda x: np.repeat(x, 2) ** 2, (x,)),
    "repeat2": (lambda m: np.repeat(m, np.array([2, 0, 1]), axis=1) ** 2, (m,)),
    "repeatflat": (lambda m: m.repeat(2) ** 2, (m,)),
    "tile": (lambda x: np.tile(x, 2) ** 2, (x,)),
    "tile2": (lambda m: np.tile(m, (2, 1, 2)) ** 2, (m,)),
    "tile3": (lambda m: np.tile(m, 2) ** 2, (m,)),
    "roll": (lambda x: np.roll(x, 1) * x, (x,)),
    "roll2": (lambda m: np.roll(m, -1, axis=1) * m, (m,)),
    "rollflat": (lambda m: np.roll(m, 1) * m, (m,)),
    "roll3": (lambda m: np.roll(m, (1, 1), axis=(0, 1)) * m, (m,)),
    "pad": (lambda x: np.pad(x, 1) ** 2, (x,)),
    "pad2": (lambda m: np.pad(m, ((1, 0), (0, 2))) ** 2, (m,)),
    "padc": (lambda x: np.pad(x, (1, 2), constant_values=3.0) ** 2, (x,)),
    "pade": (lambda x: np.pad(x, 2, mode="edge") ** 2, (x,)),
    "padw": (lambda m: np.pad(m, 1, "wrap") ** 2, (m,)),
    "padr": (lambda m: np.pad(m, 1, "reflect") ** 2, (m,)),
    "pads": (lambda x: np.pad(x, (0, 3), "symmetric") ** 2, (x,)),
    "select": (lambda x: np.select([x > 1, x > 0], [x * x, x * 3], -x), (x,)),
    "choose": (lambda x: np.choose(np.array([0, 1, 1, 0]), [x * x, x * 3]), (x,)),
    "tril": (lambda q: np.tril(q, -1) * q, (q,)),
    "triu": (lambda m: np.triu(m) * m, (m,)),
    "triuT": (lambda t: np.triu(t, 1) ** 2, (t,)),
    "tri": (lambda q: np.tri(3) * q, (q,)),
    "tril1": (lambda x: np.tril(x) ** 2, (x,)),
    "diag": (lambda x: np.diag(x, 1) ** 2, (x,)),
    "diag2": (lambda m: np.diag(m, 1) ** 2, (m,)),
    "diagonal": (lambda t: np.diagonal(t, 0, 1, 2) ** 2, (t,)),
    "diagonal_k": (lambda t: t.diagonal(1, 2, 0) ** 2, (t,)),
    "trace": (lambda m: np.trace(m, 1) * m, (m,)),
    "trace3": (lambda t: np.trace(t * t), (t,)),
    "diagflat": (lambda m: np.diagflat(m, -1) ** 2, (m,)),
    "eye": (lambda q: np.eye(3, k=1) * q, (q,)),
    "eye2": (lambda m: np.eye(2, 3, k=-1) * m, (m,)),
    "vander": (lambda x: np.vander(x, 3) ** 2, (x,)),
    "vander2": (lambda x: np.vander(x, 3, increasing=True), (x,)),
    "mesh": (lambda x, s: np.meshgrid(x, s)[0] * np.meshgrid(x, s)[1], (x, s)),
    "meshij": (lambda x, s: np.meshgrid(x, s, indexing="ij")[0] ** 2, (x, s)),
    "meshsp": (lambda x, s: np.meshgrid(x, s, sparse=True)[0] * s[:, None], (x, s)),
    "logspace": (lambda a, b: np.logspace(a, b, 5), (0.2, 1.3)),
    "geomspace": (lambda a, b: np.geomspace(a, b, 4), (0.2, 1.3)),
    "linspace": (lambda a, b: np.linspace(a, b, 4) ** 2, (0.2, 1.3)),
    "interp": (
        lambda v, xp, fp: np.interp(v, xp, fp) ** 2,
        (np.array([-3.0, 0.1, 0.55, 9.0]), np.array([0.0, 0.5, 2.0]), np.array([1.0, 3.0, -1.0])),
    ),
    "interps": (
        lambda v, fp: np.interp(v, np.array([0.0, 0.5, 2.0]), fp, left=2.0) ** 2,
        (0.7, np.array([1.0, 3.0, -1.0])),
    ),
    "conv": (lambda x, s: np.convolve(x, s) ** 2, (x, s)),
    "convs": (lambda x, s: np.convolve(s, x, "same") ** 2, (x, s)),
    "convv": (lambda x, s: np.convolve(x, s, "valid") ** 2, (x, s)),
    "corr": (lambda x, s: np.correlate(x, s) ** 2, (x, s)),
    "corrs": (lambda x, s: np.correlate(s, x, "same") ** 2, (x, s)),
    "corrf": (lambda x, s: np.correlate(x, s, "full") ** 2, (x, s)),
    "filld": (lambda q: diagonal_filled(q), (q,)),
    "sortin": (lambda x: sorted_in_place(x), (x,)),
    "wt": (lambda x: written_through(x), (x,)),
    "wt2": (lambda m: written_through_matrices(m), (m,)),
    "indices": (lambda m: np.indices((2, 3))[1] * m, (m,)),
    "copyto": (lambda m: copied_into(m), (m,)),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name: str) -> None:
    fun, args = CASES[name]
    check_grads(fun, args, jit=False)


SECOND = ["cat1", "stack1", "take2", "sort0", "roll2", "pade", "triu", "diag2", "interp", "convs"]


@pytest.mark.parametrize("name", SECOND)
def test_second_order(name: str) -> None:
    fun, args = CASES[name]
    check_grads(fun, args, order=2, jit=False)


def test_nothing_in_nothing_out() -> None:
    none = np.zeros(0)
    for fun in (
        lambda x: np.sum(np.concatenate((x, x)) ** 2),
        lambda x: np.sum(np.roll(x, 1) * x) + np.sum(np.flip(x)),
        lambda x: np.sum(np.sort(x) ** 2) + np.sum(np.repeat(x, 3)) + np.sum(np.tile(x, 2)),
        lambda x: np.sum(np.diag(x)) + np.sum(np.triu(np.diag(x))) + np.sum(np.pad(x, 2)),
    ):
        assert grad(fun, jit=False)(none).shape == (0,)


def test_equal_elements_keep_their_order() -> None:
    w = np.array([1.0, 2.0, 3.0, 4.0])
    got = grad(lambda x: np.sum(np.sort(x) * w), jit=False)(np.array([2.0, 1.0, 2.0, 1.0]))
    np.testing.assert_array_equal(got, [3.0, 1.0, 4.0, 2.0])


def test_single_precision_stays() -> None:
    for name in ("cat", "stack1", "sort", "roll", "pad", "padc", "triu", "diag", "convs", "interps", "tile"):
        fun, args = CASES[name]
        narrow = tuple(a.astype("f4") if isinstance(a, np.ndarray) else np.float32(a) for a in args)
        got = grad(_summed(fun, len(args)), jit=False)(*narrow)
        assert got.dtype == np.float32, name


def _summed(fun: Callable[..., Any], count: int) -> Callable[..., Any]:
    return (lambda a: np.sum(fun(a))) if count == 1 else (lambda a, b: np.sum(fun(a, b)))


def stale_diagonal(m: Any) -> Any:
    z = m * 2.0
    d = np.diag(z)
    z[0, 0] = 1.0
    return d


def stale_broadcast(x: Any) -> Any:
    z = x * 2.0
    b = np.broadcast_to(z, (2, 4))
    z[0] = 1.0
    return b


REFUSED = {
    "a diagonal is a view": (stale_diagonal, m),
    "a broadcast is a view": (stale_broadcast, x),
    "uneven": (lambda x: np.split(x, 3)[0], x),
    "one rank": (lambda x: np.concatenate((x, x[None])), x),
    "unique": (lambda x: np.unique(x), x),
    "histogram": (lambda x: np.histogram(x)[0], x),
    "order": (lambda m: m.ravel("F"), m),
    "places": (lambda x: np.take(x, x), x),
    "mode": (lambda x: np.pad(x, 1, mode="linear_ramp"), x),
    "squeeze": (lambda m: np.squeeze(m), m),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    fun, arg = REFUSED[name]
    with pytest.raises((UnsupportedError, NotDifferentiableError, ValueError)):
        jacrev(fun, jit=False)(arg)
