"""Views that are written through, slices, overlap, and array expressions in time loops."""

import math

import numpy as np

from tests.hard.table import Table, matrix, scalar, tensor, vector
from tests.hard.table import const as number

VIEWS = Table("views and slices")
case = VIEWS.case


@case(scalar(), matrix(4, 5))
def row_view(x, m):
    for i in range(m.shape[0]):
        r = m[i]
        for j in range(1, len(r)):
            r[j] = r[j] * r[j - 1] + x * m[0, j]
    return m[2, 3] * m[3, 4]


@case(scalar(), matrix(4))
def column_view(x, m):
    for j in range(m.shape[1]):
        c = m[:, j]
        for i in range(1, len(c)):
            c[i] = math.sin(c[i] * m[i, 0]) + c[i - 1] * x
    return m[3, 3]


@case(scalar(), vector(8), jit=True)
def strided_view(x, a):
    ev = a[::2]
    od = a[1::2]
    for i in range(len(ev)):
        ev[i] = ev[i] * od[i] + x
        od[i] = math.sin(ev[i]) * a[i]
    return a[5] * ev[3]


@case(scalar(), vector(6))
def reversed_view(x, a):
    r = a[::-1]
    for i in range(1, len(a)):
        r[i] = r[i] * a[i - 1] + x * r[i - 1]
    return a[0] * r[2]


@case(scalar(), matrix(3, 4))
def transposed_view(x, m):
    t = m.T
    for i in range(t.shape[0]):
        for j in range(t.shape[1]):
            t[i, j] = t[i, j] * m[0, 0] + x * m[j, i]
    return t[3, 2] * m[1, 1]


@case(scalar(), vector(6))
def overlap_slices(x, a):
    a[1:] = a[:-1] * 2
    a[:-1] = a[1:] * a[:-1] * x
    return a[2] * a[3]


@case(scalar(), vector(6))
def overlap_plain(x, a):
    a[1:] = a[:-1]
    a[:-2] += a[2:] * x
    return a[2] * a[3] * a[4]


@case(scalar(0.3), vector(7), number(4), jit=True, third=True)
def heat_slices(dt, u, steps):
    for _ in range(steps):
        u[1:-1] = u[1:-1] + dt * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return u


@case(scalar(0.05), vector(7), number(4))
def burgers_slices(dt, u, steps):
    for _ in range(steps):
        u[1:-1] -= dt * u[1:-1] * (u[2:] - u[:-2])
        u[0] = u[-2]
        u[-1] = u[1]
    return u[3] * u[0]


@case(scalar(0.1), matrix(5, 6), number(3))
def heat_slices_2d(c, u, steps):
    for _ in range(steps):
        lap = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * u[1:-1, 1:-1]
        u[1:-1, 1:-1] += c * lap * u[1:-1, 1:-1]
    return u


@case(scalar(0.1), vector(6), number(4))
def fresh_slices(dt, u0, steps):
    u = u0
    for _ in range(steps):
        v = u.copy()
        v[1:] = u[1:] - dt * u[1:] * (u[1:] - u[:-1])
        u = v
    return u


@case(scalar(0.1), vector(6), number(4))
def leapfrog_slices(dt, u, steps):
    old = u * 0.9
    for _ in range(steps):
        new = 2.0 * u - old
        new[1:-1] += dt * (u[2:] - 2.0 * u[1:-1] + u[:-2])
        old = u
        u = new
    return u * old


@case(scalar(), vector(6))
def shifted_by_step(x, a):
    a[::2] = a[1::2] * x
    a[1::2] += a[::2] * a[1::2]
    a[::-1] = a * a
    return a


@case(scalar(), vector(6))
def overlap_reversed(x, a):
    a[:] = a[::-1] * x
    a[1:] = a[:-1][::-1]
    return a


@case(scalar(), matrix(4, 5))
def rows_assigned(x, m):
    m[0] = m[1] * x
    m[2, :] = m[0] + m[3]
    m[:, 1] = m[:, 2] * m[:, 0]
    m[1:3, 2:] *= m[0:2, :3]
    return m


@case(scalar(), matrix(4, 4))
def transpose_assigned(x, m):
    m[:, :] = m.T * x
    m[0] = m[:, 1].copy()
    m += m.T * 0.5
    return m


@case(scalar(), vector(6))
def view_of_view(x, a):
    b = a[1:5]
    c = b[::2]
    d = c[1:]
    d[0] = c[0] * x
    b[0] = d[0] * a[3]
    c[0] = b[3] * b[0]
    return a


@case(scalar(), vector(8), number(2))
def slice_bounds_from_arguments(x, a, k):
    b = a[k : k + 3]
    b[0] = a[k + 1] * x
    a[-k:] = a[:k] * b[0]
    c = a[: -k - 1]
    c[k] *= c[0]
    return a


@case(scalar(), vector(6))
def scalar_broadcast_store(x, a):
    a[1:3] = x * a[0]
    a[3:] += a[1]
    a[:2] *= x
    return a


@case(scalar(), matrix(3, 4), vector(4))
def broadcast_store(x, m, v):
    m[:] = v
    m[1:] *= v * x
    m[:, 0:1] = m[:, 1:2] * m[:, 2:3]
    return m


@case(scalar(), vector(6), number(5))
def moving_window(x, a, n):
    s = 0.0
    for i in range(n - 2):
        w = a[i : i + 3]
        s += np.sum(w * w) * x
        w[1] = s
    return s * a[2]


@case(scalar(), matrix(3, 6))
def block_update(x, m):
    for k in range(3):
        m[k, k:] = m[k, k:] / (2.0 + m[k, k])
        for i in range(3):
            if i != k:
                m[i, k:] -= m[i, k] * m[k, k:] * x
    return m


@case(scalar(), tensor(2, 3, 4))
def third_rank_views(x, t):
    p = t[1]
    q = t[:, 2, :]
    r = t[0, :, 1:3]
    p[0] = q[0] * x
    r[1] *= p[1, :2]
    q[1, 3] = r[0, 0] * p[2, 2]
    return t


@case(scalar(), matrix(3, 4))
def reshaped_view(x, m):
    m = m.copy()
    f = m.reshape(12)
    for i in range(1, 12):
        f[i] = f[i] * m[0, i % 4] + x
    return m[2, 3] * f[5]


@case(scalar(), vector(6))
def raveled_and_reshaped(x, a):
    m = (a * x).copy().reshape(2, 3)
    m[0, 1] = m[1, 2] * a[0]
    f = m.ravel()
    return f * a


@case(scalar(), vector(5))
def negative_indices(x, a):
    a[-1] = a[-2] * x
    for i in range(1, 4):
        a[-i] = a[-i] * a[-i - 1]
    return a


@case(scalar(), vector(5), vector(5))
def view_chosen_by_branch(x, a, b):
    v = a[1:4] if x > 0.5 else b[:3]
    v *= x
    v[1] = v[0] * v[2]
    return a, b


@case(scalar(), matrix(4, 3))
def row_carried(x, m):
    r = m[0]
    for i in range(1, 4):
        m[i] = m[i] * r + x
        r = m[i]
    return r


@case(scalar(), vector(6))
def in_place_expression_of_self(x, a):
    b = a[1:]
    b *= a[:-1]
    a[:3] -= a[3:] / (2.0 + a[:3] * a[:3])
    a **= 2
    return a * x


@case(scalar(0.3), vector(6), number(3))
def slices_of_swapped(x, u, n):
    w = u.copy()
    for _ in range(n):
        w[1:-1] = u[:-2] * u[2:] + x * u[1:-1]
        u, w = w, u
    return u[1:] * w[:-1]


@case(scalar(0.3), matrix(4, 5), vector(5))
def copied_row(x, m, v):
    r = m[1].copy()
    m[1] = v * x
    r[2:] += m[1, 2:] * r[:3]
    m[3, :3] = r[2:]
    return m, r


@case(scalar(), matrix(3, 4))
def reshaped_argument_written(x, m):
    f = m.reshape(12)
    f[1] = f[0] * x
    return m[0, 1] * f[5]
