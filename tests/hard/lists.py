"""Comprehensions, and lists of known and of unknown length."""

import math

import numpy as np

from tests.hard.table import Table, matrix, scalar, vector
from tests.hard.table import const as number

LISTS = Table("lists and comprehensions")
case = LISTS.case


@case(vector(4), scalar())
def lc_array(a, x):
    return sum([v * v * x for v in a])


@case(vector(4), scalar())
def lc_range_len(a, x):
    ys = [a[i] * x for i in range(len(a))]
    return np.sum(np.array(ys) ** 2)


@case(scalar(), number(4))
def nparray_dynamic(x, n):
    return np.array([math.sin(x * i) for i in range(n)])


@case(vector(4))
def nparray_over_array(a):
    return np.array([v * v + 1.0 for v in a])


@case(matrix(3))
def nparray_rows(m):
    return np.array([np.sum(row * row) for row in m])


@case(matrix(3))
def nparray_of_rows(m):
    return np.array([row * 2.0 for row in m])


@case(scalar(), number(4))
def nparray_2d(x, n):
    return np.array([[math.sin(x * i + j) for j in range(n)] for i in range(n)])


@case(vector(4), scalar())
def sum_gen_cond(a, x):
    return sum(v * x for v in a if v > 0.2)


@case(vector(4), scalar())
def max_gen(a, x):
    return max(v * x for v in a)


@case(vector(4), scalar())
def min_gen_idx(a, x):
    return min((a[i] - x) ** 2 for i in range(len(a)))


@case(scalar())
def dict_comp(x):
    d = {k: x * len(k) for k in ("a", "bb", "ccc")}
    return d["a"] * d["bb"] + d["ccc"]


@case(lambda rng: {"w": 0.4, "b": 0.7}, lambda rng: {"w": 0.1, "b": 0.2})
def dict_comp_items(p, g):
    q = {k: v - 0.1 * g[k] for k, v in p.items()}
    return q


@case(scalar(), number(4))
def nested_sum(x, n):
    return sum(math.sin(x * i * j) for i in range(n) for j in range(i))


@case(vector(4), scalar())
def comp_cond_dyn(a, x):
    return np.array([v * x for v in a if v > 0.3])


@case(vector(4), scalar())
def list_then_index(a, x):
    ls = [v * x for v in a]
    s = 0.0
    for i in range(len(ls)):
        s += ls[i] * ls[i - 1]
    return s


@case(vector(4))
def any_all(a):
    if any(v > 0.5 for v in a) and all(v > -10.0 for v in a):
        return np.sum(a * a)
    return np.sum(a)


@case(scalar(), number(4))
def append_loop(x, n):
    ls = []
    for i in range(n):
        ls.append(math.sin(x * i))
    s = 0.0
    for v in ls:
        s += v * v
    return s


@case(scalar(), number(4))
def append_nparray(x, n):
    ls = [x]
    for i in range(n):
        ls.append(ls[-1] * x + i)
    return np.array(ls)


@case(scalar(), number(4))
def append_static_range(x, n):
    ls = []
    for i in range(3):
        ls.append(x * i)
    return ls[0] + ls[1] * ls[2]


@case(scalar(), number(5))
def append_cond(x, n):
    ls = []
    for i in range(n):
        v = math.sin(x * i)
        if v > 0.0:
            ls.append(v * x)
    return sum(ls) * len(ls)


@case(vector(4), scalar())
def append_while(a, x):
    ls = []
    t = x
    while t < 5.0:
        ls.append(t * t)
        t = t * 1.5
    return np.sum(np.array(ls))


@case(scalar(), number(3))
def history_tuples(x, n):
    h = []
    p, v = x, 0.5
    for _ in range(n):
        p, v = p + 0.1 * v, v - 0.1 * p
        h.append((p, v))
    s = 0.0
    for q, w in h:
        s += q * q * w
    return s


@case(vector(3), number(3))
def rows_append(a, n):
    rows = []
    for i in range(n):
        a = a * 0.5 + i
        rows.append(a)
    return np.array(rows)


@case(vector(3), number(3))
def rows_sum(a, n):
    rows = [a * i for i in range(n)]
    s = 0.0
    for r in rows:
        s += np.sum(r * r)
    return s


@case(scalar(), number(4))
def list_times_n(x, n):
    ls = [0.0] * n
    for i in range(n):
        ls[i] = x * i
    return sum(ls) * ls[n - 1]


@case(scalar())
def list_dynamic_index_fixed(x):
    ls = [x, x * x, 2.0 * x]
    s = 0.0
    for i in range(3):
        s += ls[i] * i
    return s


def sq(v):
    return v * v


def cube(v):
    return v**3


@case(vector(3))
def list_of_array(a):
    ls = list(a)
    return ls[0] * ls[1] + sum(ls)


@case(vector(3))
def tolist(a):
    ls = a.tolist()
    s = 0.0
    for v in ls:
        s += v * v
    return s


@case(vector(5), scalar())
def stack_pop(a, x):
    st = [x]
    s = 0.0
    k = 0
    while len(st) > 0 and k < 6:
        v = st.pop()
        s += v * v
        k += 1
        if k < 4:
            st.append(v * 0.5)
            st.append(v * a[0])
    return s


@case(vector(3))
def tuple_gen(a):
    t = tuple(v * v for v in a[:2])
    x, y = [v * 2.0 for v in (a[0], a[1])]
    return x * y * a[2]


@case(lambda rng: [rng.standard_normal(3), rng.standard_normal(3)])
def list_arg_comp(ws):
    zs = [np.tanh(w) for w in ws]
    return sum(np.sum(z * z) for z in zs)


@case(scalar(), number(4))
def dyn_list_alias(x, n):
    ls = []
    m = ls
    for i in range(n):
        m.append(x * i)
    ls[0] = x
    return m[0] * ls[n - 1] * len(m)


@case(scalar(), number(4))
def dyn_two_lists(x, n):
    a, b = [], [1.0]
    for i in range(n):
        a.append(x * i)
        b.append(a[i] * b[i])
    return sum(b) + a[-1] * a[-2]


@case(scalar(), number(4))
def dyn_list_fib(x, n):
    ls = [x, 1.0]
    for i in range(2, n + 2):
        ls.append(ls[i - 1] * x + ls[i - 2])
    return ls[-1] * ls[n]


@case(scalar(), number(4))
def dyn_negative(x, n):
    ls = [x]
    for i in range(n):
        ls.append(ls[-1] * x)
    s = 0.0
    for i in range(n):
        s += ls[-i - 1] * ls[i]
    return s


@case(scalar(), number(3))
def dyn_nested_append(x, n):
    ls = []
    for i in range(n):
        for j in range(i + 1):
            ls.append(x * i + j)
    s = 0.0
    for k, v in enumerate(ls):
        s += v * v * k
    return s


@case(scalar(), number(3))
def dyn_append_two(x, n):
    ls = [0.5]
    for i in range(n):
        ls.append(x * i)
        ls.append(x + i)
    return np.array(ls)


@case(scalar(), number(6))
def dyn_step_range(x, n):
    ls = []
    for i in range(1, n, 2):
        ls.append(x**i)
    return np.array(ls)


@case(scalar(), number(0))
def dyn_empty(x, n):
    ls = []
    for i in range(n):
        ls.append(x * i)
    return sum(ls) + x * len(ls)


@case(scalar(), number(5))
def dyn_reversed(x, n):
    ls = []
    for i in reversed(range(n)):
        ls.append(x * i)
    s = 0.0
    for v in reversed(ls):
        s = s * x + v
    return s


@case(vector(4), scalar())
def dyn_zip_list(a, x):
    ls = [v * x for v in a]
    s = 0.0
    for u, v in zip(ls, a):
        s += u * v
    for i, (u, v) in enumerate(zip(a, ls)):
        s += u * v * i
    return s


@case(scalar(), number(4))
def dyn_break_append(x, n):
    ls = []
    for i in range(n):
        if x * i > 1.5:
            break
        ls.append(x * i + 1.0)
    return np.sum(np.array(ls)) * ls[-1]


@case(scalar(), number(4))
def dyn_continue_append(x, n):
    ls = []
    for i in range(n):
        if i == 1:
            continue
        ls.append(x * i + 1.0)
    return np.array(ls)


@case(scalar(), number(4))
def dyn_len_cond(x, n):
    ls = []
    for i in range(n):
        if len(ls) < 2:
            ls.append(x * i + 1.0)
        else:
            ls.append(ls[-1] * ls[-2])
    return np.array(ls)


@case(scalar(), number(4))
def dyn_ints(x, n):
    ls = []
    for i in range(n):
        ls.append(i * i)
    s = 0.0
    for k in ls:
        s += x**k
    return s


@case(scalar(), number(4))
def dyn_int_then_float(x, n):
    ls = [0, 1]
    for i in range(n):
        ls.append(x * i)
    return sum(ls) * x


@case(vector(4), number(4))
def dyn_int_index(a, n):
    idx = [(i * 2) % 4 for i in range(n)]
    s = 0.0
    for k in idx:
        s += a[k] * a[k]
    return s


@case(scalar(), number(4))
def dyn_store_in_branch(x, n):
    ls = [0.0] * n
    for i in range(n):
        if i % 2 == 0:
            ls[i] = x * i
        else:
            ls[i] = ls[i - 1] * x
    return sum(ls)


@case(scalar(), number(4))
def dyn_rebound_each_step(x, n):
    u = [x * i for i in range(n)]
    for t in range(3):
        u = [0.5 * (u[i] + u[(i + 1) % n]) for i in range(n)]
    return u[0] * u[n - 1]


@case(scalar(), number(4))
def dyn_extend_static(x, n):
    ls = [x]
    for i in range(n):
        ls.extend([x * i, 1.0])
        ls += [x]
    return np.array(ls)


@case(scalar(), number(3))
def dyn_pass_helper(x, n):
    ls = []
    for i in range(n):
        push(ls, x * i)
    return total(ls)


def push(ls, v):
    ls.append(v * v)


def total(ls):
    s = 0.0
    for v in ls:
        s += v
    return s


@case(scalar(), number(4))
def dyn_list_of_lists(x, n):
    rows = []
    for i in range(n):
        row = []
        for j in range(n):
            row.append(x * i + j)
        rows.append(row)
    s = 0.0
    for i in range(n):
        for j in range(n):
            s += rows[i][j] * rows[j][i]
    return s


@case(scalar(), number(3))
def dyn_list_of_dicts(x, n):
    h = []
    for i in range(n):
        h.append({"a": x * i, "b": i})
    s = 0.0
    for r in h:
        s += r["a"] * r["b"]
    return s


@case(vector(3), number(4))
def dyn_rows_index(a, n):
    rows = []
    for i in range(n):
        rows.append(a * i)
    return rows[1] * rows[n - 1] + rows[-1]


@case(vector(3), number(4))
def dyn_rows_alias_mutated(a, n):
    rows = []
    for i in range(n):
        rows.append(a)
        a[0] = a[0] * 1.5
    return rows[0] * rows[1]


@case(vector(3), number(4))
def dyn_rows_copy(a, n):
    rows = []
    for i in range(n):
        rows.append(a.copy())
        a[0] = a[0] * 1.5
    return np.array(rows)


@case(vector(3), number(4))
def dyn_rows_written(a, n):
    rows = [np.zeros(3) for _ in range(n)]
    for i in range(n):
        rows[i][1] = a[0] * i
        rows[i][:] += a
    s = 0.0
    for r in rows:
        s += np.sum(r * r)
    return s


@case(vector(3), number(4))
def dyn_rows_recurrence(a, n):
    xs = [a]
    for i in range(n):
        xs.append(np.sin(xs[i]) * 0.9 + xs[-1])
    return np.sum(xs[-1] * xs[1])


@case(scalar(), number(5))
def dyn_slice_list(x, n):
    ls = [x * i for i in range(n)]
    return sum(ls[1:]) * sum(ls[:-1])


@case(scalar(), number(5))
def list_comp_filter_nested(x, n):
    return sum([x * i * j for i in range(n) for j in range(n) if (i + j) % 2 == 0])


@case(matrix(3))
def comp_2d_rows(m):
    return np.array([[v * v for v in row] for row in m])


@case(vector(4), vector(4))
def comp_outer(a, b):
    return np.array([[u * v for v in b] for u in a])


@case(vector(5))
def comp_pairs(a):
    n = len(a)
    return sum((a[i] - a[j]) ** 2 for i in range(n) for j in range(i + 1, n))


@case(vector(5))
def comp_shadow(a):
    a = [a * 2.0 for a in a]
    return sum(a)


@case(vector(5), scalar())
def comp_lambda(a, x):
    fs = [lambda v, k=k: v * k for k in (1.0, 2.0, x)]
    return sum(f(a[0]) for f in fs)


@case(vector(5), scalar())
def comp_ternary(a, x):
    return np.array([v if v > x else x * v for v in a])


@case(vector(5), scalar())
def max_of_list(a, x):
    ls = [v * x for v in a]
    return max(ls) * min(ls) + max(ls[0], ls[1])


class Base:
    def f(self, v):
        return v * self.k

    @classmethod
    def make(cls, k):
        return cls(k)

    @staticmethod
    def sq(v):
        return v * v


@case(scalar(), matrix(3, 4))
def views_in_a_list_written_through(x, m):
    rows = []
    for i in range(m.shape[0]):
        rows.append(m[i])
    for j in range(m.shape[1]):
        rows.append(m[:, j])
    for r in rows:
        r *= x + r[0]
    return m[1, 1] * m[2, 3]


@case(scalar(), vector(6))
def windows_in_a_list_written_through(x, a):
    parts = []
    n = 0
    while n < 4:
        parts.append(a[n : n + 2])
        n += 1
    for p in parts:
        p[0], p[1] = p[1] * x, p[0] + a[5]
    return a[1] * a[2] * a[4]
