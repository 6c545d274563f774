"""Memory that is written: overwriting, aliases, buffers swapped and made in loops."""

import math

import numpy as np

from tests.hard.table import Table, matrix, scalar, spd, vector
from tests.hard.table import const as number

MUTATION = Table("mutation and aliasing")
case = MUTATION.case


@case(scalar(), vector(), number(4), jit=True, third=True)
def prefix_product(x, a, n):
    for i in range(1, len(a)):
        a[i] = a[i] * a[i - 1] + x
    return a[len(a) - 1]


@case(scalar(), vector())
def overwrite_after_read(x, a):
    t = a[0] * a[1]
    a[0] = t * x
    a[1] = math.sin(a[0]) * t
    return t * a[1]


@case(scalar(), vector())
def overwrite_argument(x, a):
    s = 0.0
    for i in range(len(a)):
        s += a[i] * a[i]
        a[i] = 0.0
    a[2] = s * x
    return s, a


@case(scalar(), vector())
def alias_write_either(x, a):
    b = a
    b[0] = a[1] * x
    a[1] = b[0] * b[2]
    b[2] = a[1] * a[0]
    return a[2] * b[1]


@case(scalar(), vector(), vector())
def inplace_add(x, a, b):
    c = a
    a += b * x
    a *= a
    return c[0] * c[1]


@case(scalar(), vector(), vector())
def rebinding_add(x, a, b):
    c = a
    a = a + b * x
    a[0] = a[0] * c[0]
    c[1] = a[1] * x
    return a[0] * a[1] * c[1]


@case(scalar(), vector())
def element_mul(x, a):
    for i in range(len(a)):
        a[i] *= x + a[0]
        a[i] /= 2.0 + a[i] * a[i]
    return a[0] * a[3]


@case(scalar(0.02), vector(7), number(4), jit=True)
def burgers_swapped(dt, u0, steps):
    u = u0.copy()
    w = np.zeros(len(u0))
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            w[i] = u[i] - dt * u[i] * (u[i + 1] - u[i - 1]) + 0.1 * (u[i + 1] - 2.0 * u[i] + u[i - 1])
        u, w = w, u
    s = 0.0
    for i in range(len(u)):
        s += u[i] * u[i]
    return s


@case(scalar(0.05), vector(7), number(4))
def burgers_inplace(dt, u, steps):
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            u[i] = u[i] - dt * u[i] * (u[i + 1] - u[i - 1]) + 0.1 * (u[i + 1] - 2.0 * u[i] + u[i - 1])
    return u[3]


@case(scalar(0.05), vector(6), vector(6), number(5), third=True)
def swapped_arguments(dt, u, w, steps):
    for _ in range(steps):
        for i in range(1, len(u)):
            w[i] = math.sin(u[i] * w[i - 1]) + u[i - 1] * dt
        u, w = w, u
    return u[2] * w[3]


@case(scalar(0.05), vector(4), vector(4), vector(4), number(5))
def rotate_three(dt, u, v, w, steps):
    for _ in range(steps):
        for i in range(len(u)):
            w[i] = 2.0 * v[i] - u[i] + dt * math.sin(v[i])
        u, v, w = v, w, u
    return u[1] * v[2]


@case(scalar(0.3), vector(5), vector(5), number(6))
def conditional_swap(x, u, w, steps):
    for _ in range(steps):
        for i in range(1, len(u)):
            w[i] = u[i] * x + math.sin(u[i - 1]) * w[i]
        if w[2] > u[1]:
            u, w = w, u
    return u[2] * w[1]


@case(scalar(0.3), vector(5), number(4))
def fresh_each_step(x, u0, steps):
    u = u0
    for _ in range(steps):
        w = np.zeros(len(u0))
        for i in range(1, len(u0)):
            w[i] = u[i] * x + math.sin(u[i - 1]) * u[i]
        w[0] = u[1]
        u = w
    return u[3] * u[4] * u0[2]


@case(scalar(0.3), vector(5), number(4))
def fresh_by_expression(x, u0, steps):
    u = u0
    for _ in range(steps):
        u = u + np.sin(u) * x
    u[1] = u[1] * u0[1]
    return u[3] * u[1]


@case(scalar(0.3), vector(5), number(5))
def fresh_sometimes(x, u, steps):
    for t in range(steps):
        if u[t] > 0.3:
            u = u * x
        else:
            u[t] = u[t] * u[0] + x
    return u[3] * u[1]


@case(scalar(0.3), vector(5), number(3))
def fresh_in_nested(x, u, steps):
    for t in range(steps):
        for k in range(t + 1):
            w = u * x
            w[k] = u[k + 1] * u[k]
            u = w
        u[t] = u[t] * u[4]
    return u[3] * u[1]


@case(scalar(), vector(), number(4))
def scratch_reused(x, a, n):
    tmp = np.zeros(len(a))
    s = 0.0
    for _ in range(n):
        for i in range(len(a)):
            tmp[i] = a[i] * x + s
        for i in range(1, len(a)):
            s += tmp[i] * tmp[i - 1] * math.sin(tmp[i])
    return s


@case(scalar(), vector(), number(4))
def scratch_local(x, a, n):
    s = 0.0
    for _ in range(n):
        tmp = np.zeros(len(a))
        for i in range(len(a)):
            tmp[i] = a[i] * x + s
        for i in range(1, len(a)):
            tmp[i] = 0.5 * tmp[i] * tmp[i - 1]
            s += 0.3 * math.sin(tmp[i])
    return s


@case(scalar(), vector(), number(4))
def constant_scratch_active(x, a, n):
    z = np.zeros(3)
    z[0] = 1.0
    z[1] = 2.0
    y = z[0] * a[0]
    z[0] = a[1] * y
    z[2] = z[0] * z[1]
    return z[2] * y + z[0]


@case(matrix(5), jit=True)
def lu_inplace(a):
    n = a.shape[0]
    for k in range(n):
        a[k, k] += 3.0
        for i in range(k + 1, n):
            a[i, k] = a[i, k] / a[k, k]
            for j in range(k + 1, n):
                a[i, j] = a[i, j] - a[i, k] * a[k, j]
    s = 0.0
    for k in range(n):
        s += math.log(abs(a[k, k]))
    return s


@case(spd(4), jit=True, third=True)
def cholesky_inplace(a):
    n = a.shape[0]
    for j in range(n):
        s = a[j, j]
        for k in range(j):
            s -= a[j, k] * a[j, k]
        a[j, j] = math.sqrt(s)
        for i in range(j + 1, n):
            t = a[i, j]
            for k in range(j):
                t -= a[i, k] * a[j, k]
            a[i, j] = t / a[j, j]
    return a[3, 3] * a[2, 1]


@case(scalar(0.3), vector(6), vector(6))
def array_by_branch(x, a, b):
    for i in range(5):
        if a[i] * b[i] > 0.05 * i:
            c = a
        else:
            c = b
        c[i] = c[i] * a[i + 1] + x * b[0]
    return a[2] * b[3]


@case(scalar(0.3), vector(6), vector(6))
def carried_choice(x, a, b):
    c = a
    for i in range(5):
        c[i] = c[i] * a[i + 1] + x * b[0]
        if c[i] > 0.2:
            c = b
        else:
            c = a
        c[i] += a[i] * b[i]
    return c[2] * b[3]


@case(scalar(0.3), vector(6))
def index_from_loop(x, a):
    j = 0
    for i in range(6):
        a[j] = a[j] * x + a[i]
        j = (j * 2 + 1) % 6
    return a[j] * a[i]


@case(vector(6))
def insertion_sort(a):
    for i in range(1, len(a)):
        v = a[i]
        j = i - 1
        while j >= 0 and a[j] > v:
            a[j + 1] = a[j]
            j -= 1
        a[j + 1] = v
    s = 0.0
    for i in range(len(a)):
        s += a[i] * a[i] * (i + 1)
    return s


@case(scalar(0.1), matrix(5), number(3))
def heat_swapped(c, u, steps):
    w = u.copy()
    for _ in range(steps):
        for i in range(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                lap = u[i + 1, j] + u[i - 1, j] + u[i, j + 1] + u[i, j - 1] - 4.0 * u[i, j] * u[i, j]
                w[i, j] = u[i, j] + c * lap
        u, w = w, u
    return u[2, 2] * u[1, 3]


@case(scalar(0.1), matrix(4), number(3))
def rows_swapped(c, m, steps):
    p = m[0]
    q = m[1]
    for t in range(steps):
        for i in range(1, 4):
            q[i] = p[i] * q[i - 1] + m[2, i] * c
        m[0, t] = q[1] * p[2]
        p, q = q, p
    return m[0, 1] * m[1, 2] * p[3]


@case(scalar(0.3), vector(6), number(3))
def list_of_steps(x, a, n):
    h = np.zeros((n + 1, 6))
    for j in range(6):
        h[0, j] = a[j]
    for t in range(n):
        old = h[t]
        new = h[t + 1]
        for j in range(1, 6):
            new[j] = old[j] * old[j - 1] + x
        new[0] = old[5]
    return h[n, 2] * h[n - 1, 3]


@case(scalar(0.3), vector(6), number(4))
def swap_elements(x, a, n):
    for t in range(n):
        a[t], a[t + 1] = a[t + 1] * x, a[t] * a[t + 1]
    return a[2] * a[3]


@case(scalar(0.3), vector(6), number(5))
def ring_of_fresh(x, a, n):
    p = a * x
    q = a * a
    for t in range(n):
        r = np.zeros(6)
        for i in range(6):
            r[i] = p[i] * q[i] + math.sin(a[i])
        q[t] = r[0] * p[1]
        p, q = q, r
    return p[1] * q[2]


@case(scalar(), vector())
def returns_its_argument(x, a):
    a[1] = a[0] * x
    return a


@case(scalar(), vector())
def returns_argument_untouched(x, a):
    return a, x * a[0]


@case(scalar(), vector())
def returns_array_twice(x, a):
    b = a * x
    b[0] = b[1] * a[2]
    return b, b


@case(scalar(), vector())
def returns_view_and_base(x, a):
    b = a * x
    c = b[1:3]
    c[0] = b[4] * x
    return b, c


@case(scalar(0.4), vector(), number(6))
def chosen_index_overwritten(x, a, n):
    for i in range(n):
        k = (3 * i) % 5
        a[k] = a[k] * a[(k + 2) % 5] + x
        if a[k] > 0.6:
            a[k] = a[k] - 0.5 * a[0]
    return a[0] * a[3]


@case(scalar(0.4), vector(5))
def index_from_value(x, a):
    s = 0.0
    for i in range(5):
        k = int(abs(a[i]) * 3.0) % 5
        a[k] = a[k] * x + a[i]
        s += a[k] * a[i]
    return s


@case(scalar(0.4), vector(6), vector(6))
def store_then_store(x, a, b):
    a[0] = b[0] * x
    a[0] = b[1] * b[1]
    a[0] = a[0] * a[1]
    a[1] = a[0]
    a[0] = 1.0
    return a[0] * a[1] + b[0]


@case(scalar(0.4), vector(6))
def accumulate_same_cell(x, a):
    h = np.zeros(2)
    for i in range(6):
        h[i % 2] += a[i] * h[(i + 1) % 2] + x
        h[0] *= a[i]
        h[1] -= h[0] * 0.2
    return h[0] * h[1]


@case(scalar(0.4), vector(6))
def histogram_of_products(x, a):
    h = np.ones(3)
    for i in range(6):
        k = i % 3
        h[k] = h[k] * (a[i] + x)
    return h


@case(scalar(0.4), vector(4), number(3))
def alias_from_carry(x, a, n):
    b = a
    c = a.copy()
    for i in range(n):
        b[i] = c[i] * a[i + 1]
        b, c = c, b
    return b[0] * c[1] * a[2] * x


@case(scalar(0.4), vector(4), number(4))
def last_kept_of_many(x, a, n):
    best = a
    for t in range(n):
        trial = a * (0.5 + t * x)
        if trial[1] > best[1]:
            best = trial
    best[0] = best[0] * best[2]
    return best[0] * best[1] + a[0]


@case(scalar(0.4), vector(4), number(3))
def made_in_branch_in_loop(x, a, n):
    s = 0.0
    for t in range(n):
        if a[t] > 0.0:
            w = a * x
            w[t] = w[t] * w[0]
            s += w[t] * w[1]
        else:
            a[t] = a[t] * s + x
    return s * a[0]


@case(scalar(0.4), matrix(3, 5))
def history_of_recurrence(x, h):
    for t in range(2, 5):
        for i in range(3):
            h[i, t] = h[i, t - 1] * x + math.tanh(h[(i + 1) % 3, t - 2])
    return h[0, 4] * h[1, 4] + h[2, 3]


@case(scalar(0.4), vector(5))
def copy_is_separate(x, a):
    b = a.copy()
    b[0] = x * a[1]
    a[0] = b[0] * b[1]
    c = np.copy(b)
    b[1] = c[0] * a[0]
    return a[0] * b[1] * c[1]


@case(scalar(0.4), vector(5))
def fill_then_overwrite(x, a):
    w = np.full(5, x)
    w[2] = a[2] * w[1]
    v = np.full_like(a, 2.0)
    v[0] = w[2] * v[1]
    w[1] = v[0]
    return w, v


@case(scalar(0.4), vector(5))
def empty_filled(x, a):
    w = np.empty(5)
    for i in range(5):
        w[i] = a[i] * x
    z = np.empty_like(a)
    z[:] = w
    z[1:] *= w[:-1]
    return z


@case(scalar(0.4), vector(6))
def while_with_fresh(x, a):
    k = 0
    u = a
    while u[0] < 3.0:
        v = u * 1.3 + 0.4
        v[1] = u[2] * x
        u = v
        k += 1
    return u[1] * u[0] * k


@case(scalar(0.4), vector(6), number(9))
def swap_and_break(x, u, n):
    w = np.zeros(6)
    for _ in range(n):
        for i in range(1, 6):
            w[i] = u[i] * 1.2 + 0.1 * u[i - 1] * x
        u, w = w, u
        if u[5] > 1.0:
            break
    return u[5] * w[3]


@case(scalar(0.4), vector(6), vector(6), number(3))
def return_amid_swaps(x, u, w, n):
    for t in range(n):
        for i in range(1, 6):
            w[i] = u[i] * u[i - 1] + x
            if w[i] > 0.9 + t:
                return w[i] * u[0]
        u, w = w, u
    return u[1] * w[1]


@case(matrix(4), vector(4), third=True)
def triangular_solve(m, b):
    x = np.zeros(4)
    for i in range(4):
        s = b[i]
        for j in range(i):
            s -= m[i, j] * x[j]
        x[i] = s / (2.0 + m[i, i])
    return x


@case(scalar(0.3), vector(4))
def thomas_like(x, d):
    c = np.zeros(4)
    for i in range(4):
        c[i] = x / (2.0 + d[i] - (x * c[i - 1] if i > 0 else 0.0))
    for i in range(2, -1, -1):
        d[i] = d[i] - c[i] * d[i + 1]
    return d


@case(scalar(0.2), vector(4), number(5))
def runge_kutta(dt, y, n):
    k1 = np.zeros(4)
    k2 = np.zeros(4)
    for _ in range(n):
        for i in range(4):
            k1[i] = math.sin(y[(i + 1) % 4]) - y[i]
        for i in range(4):
            k2[i] = math.sin(y[(i + 1) % 4] + dt * k1[(i + 1) % 4]) - (y[i] + dt * k1[i])
        for i in range(4):
            y[i] += 0.5 * dt * (k1[i] + k2[i])
    return y[0] * y[1] + y[2] * y[3]


@case(scalar(), vector(4), vector(4), number(2))
def kept_for_its_shape(x, a, b, n):
    """Of a kept copy in a branch, second derivatives read the shape alone."""
    if a[n - 2] < 2.0:
        a[n - 2] = np.mean(np.cumsum(a) * 0.4)
        b[n - 1] = a[2] * x
    return x * a[0], b


@case(scalar(0.4), vector(4), vector(4))
def inactive_carried_and_measured(x, a, b):
    """a reaches no result; its length is read in a loop that is run again."""
    for _ in range(2):
        for _ in a:
            for i in range(min(len(a), 3)):
                a[i] = x
            b = b * x
        a = np.full(4, b[2])
    return b


@case(scalar(0.4), vector(4), vector(4))
def inactive_with_snapshots(x, a, b):
    """a reaches no result, but decides one."""
    for i in range(3):
        c = a * a
        c[i] = a[i] * 1.5
        a = c
        if a[i] > 0.1:
            b[i] = b[i] * x
    return b
