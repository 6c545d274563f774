"""Arrays of integers and masks as indices: reads, and writes where places may come twice."""

import math

import numpy as np

from tests.hard.table import Table, matrix, scalar, vector
from tests.hard.table import const as number

PLACES = Table("integer arrays and masks as indices")
case = PLACES.case
K = np.array([2, 0, 2, 1])
NEGATIVE = np.array([-1, 4, 0, -5])
ROWS, COLUMNS = np.array([0, 3, 0, 2]), np.array([1, 4, 1, 0])
SQUARE = np.array([[0, 1], [1, 3]])


@case(vector(5), number(K), matrix(4, 5), number(ROWS), number(COLUMNS))
def read_with_repeats(a, k, m, i, j):
    return a[k] * a[0], m[i, j] ** 2, m[k, :] * m[0], m[:, k] ** 2, m[2, k] * a[k]


@case(matrix(4, 5), number(SQUARE))
def read_by_arrays_of_two_axes(m, k):
    return m[k] ** 2, m[k, k + 1] * m[0, 0], m[:, k] * 2.0


@case(matrix(4, 5), number(np.array([0, 2, 1])), number(np.array([1])))
def read_with_broadcast_places(m, i, j):
    return m[i, j] ** 2, m[j, i] * m[0, 0], m[i[:, None], i] ** 2


@case(matrix(4, 5))
def read_by_lists(m):
    a = m[0]
    return m[[2, 3]] * m[0, 0], m[[0, 1], [3, 3]] ** 2, a[[0, 2, 2]], m[(1, 2)] * a[0], m[:, [1, 1]]


@case(vector(5), number(K), vector(4), jit=True)
def last_one_stays(a, k, v):
    a[k] = v * v
    return a * a


@case(vector(5), number(NEGATIVE), vector(4))
def places_from_the_end(a, k, v):
    a[k] = v * a[0]
    return a * a


@case(vector(5), number(K), vector(4))
def augmented_counts_one(a, k, v):
    a[k] += v * a[0]
    a[k] *= v
    a[k] **= 2
    a[k] %= 0.7
    return a * a


@case(vector(5), number(K), vector(4))
def added_at(a, k, v):
    np.subtract.at(a, k, v * a[0])
    np.add.at(a, [2, 2], 1.5)
    np.divide.at(a, k, v)
    return a * a


@case(matrix(4, 5), number(ROWS), number(COLUMNS), vector(4))
def added_at_of_matrix(m, i, j, v):
    np.multiply.at(m, (i, j), v)
    np.add.at(m, i, m[0])
    return m * m


@case(matrix(4, 5), number(K), vector(5), scalar())
def rows_and_columns_by_places(m, k, v, x):
    m[k] = v * m[0]
    m[1:, k] = m[1:, k] * v[:4]
    m[k, 1:3] *= x
    return m * m


@case(matrix(4, 5), number(ROWS), number(COLUMNS), vector(4))
def elements_by_two_arrays(m, i, j, v):
    m[i, j] = v * m[j % 4, i]
    m[2, j] -= v
    return m * m


@case(matrix(4, 5), number(np.array([0, 2])), number(np.array([1, 3, 1])), vector(3), scalar())
def written_with_broadcast_places(m, i, j, v, x):
    m[i[:, None], j] = v * x
    m[i, 2] = v[:2]
    return m * m


@case(matrix(4, 5), number(SQUARE), vector(5))
def written_by_arrays_of_two_axes(m, k, v):
    m[k] = v[:2, None] * m[0]
    m[k, k] += v[:2]
    return m * m


@case(vector(5), number(K), scalar())
def one_number_at_many_places(a, k, x):
    a[k] = x * a[0]
    a[[3, 3]] += x
    return a * a


@case(vector(5), number(K), scalar())
def by_places_of_itself(a, k, x):
    a[k] = a[k[::-1]] * x
    a[k] += a[:4]
    return a


@case(vector(6), scalar())
def masked_by_number(a, x):
    a[a > 0.5] = x
    a[~(a > 0.1) | (a < 0.2)] *= a[0]
    return a * a


@case(vector(6), vector(6), jit=True)
def masked_by_array(a, b):
    m = a > 0.3
    a[m] += b[m] * 2.0
    a[m] = a[m] * b[m]
    return a * a, a[m] * b[m]


@case(matrix(4, 5), scalar())
def masked_matrix(m, x):
    m[m > 0.3] = m[m > 0.3] * x
    m[m[:, 0] > 0.0, :] *= x
    m[1, m[0] > 0.1] *= m[0, 0]
    return m, m[:, m[0] > 0.0]


@case(vector(6), scalar())
def where_true(a, x):
    a[np.where(a > 0.3)] = a[np.where(a > 0.3)] * x
    k = np.flatnonzero(a > 0.2)
    (j,) = np.nonzero(a < 0.2)
    return a * a, len(k) * x, a[j] * x


@case(vector(6), scalar())
def mask_true_nowhere(a, x):
    a[a > 100.0] = x
    a[a > 100.0] += a[a > 100.0]
    return a * x


@case(vector(5), number(K), scalar(0.3), number(3))
def places_in_loop(a, k, x, n):
    for t in range(n):
        a[k] = a[k] * x + a[t]
        a[a > 0.5] = np.sin(a[a > 0.5]) * a[0]
    return a * a


@case(matrix(3, 5), scalar(), number(K))
def places_of_views(m, x, k):
    r = m[1]
    t = m.T
    r[::-1][k] *= x
    t[k, 1] = r[k] * r[0]
    return m * m


@case(vector(6), number(K), number(3))
def permuted_each_step(a, k, n):
    p = np.array([3, 1, 4, 0, 5, 2])
    for t in range(n):
        a = a[p] * a
        a[k] -= 0.1 * a[k + 1]
        p[k] = t + k
    return a


@case(number(np.array([0.4, 0.7, -0.3, 1.1], dtype=np.float32)), number(K), tolerance=2e-4)
def single_precision_places(a, k):
    a[k] = a[k] * 2
    a[a > 0.5] += 1.0
    np.add.at(a, k, 0.5)
    return a * a


@case(vector(6), number(K))
def histogram_by_places(a, k):
    h = np.zeros(3)
    count = np.zeros(3, dtype=np.int64)
    np.add.at(h, k, a[:4] * math.pi)
    np.add.at(count, k, 1)
    count[k] += 1
    return h * count


def scatters(out, k, v):
    out[k] = v
    out[out > 0.5] *= 0.5


@case(matrix(3, 5), number(K), vector(4))
def helper_writes_places(m, k, v):
    scatters(m[0], k, v)
    return m * m


@case(vector(6), number(np.array([True, False, True, True, False, False])), scalar())
def mask_argument(a, mask, x):
    a[mask] *= x
    b = a[mask] + a[~mask]
    a[mask] = b
    return a * b[0]


@case(vector(6), scalar(0.4))
def length_by_values_carried(a, x):
    b = a
    for _ in range(3):
        b = b[b > -0.5] * x + 0.1
    return np.sum(b * b)


@case(matrix(4, 5), number(K))
def rows_and_columns_exchanged(m, k):
    m[[0, 1]] = m[[1, 0]]
    m[:, [0, 2]] = m[:, [2, 0]] * 2.0
    return m * m[k[0]]


@case(vector(6), number(np.array([True, False, True, True, False, False])), scalar())
def masks_combined_and_changed(a, m, x):
    n = m & (a > 0.0)
    a[n] = x
    a[~n] = a[~n][::-1] * x
    m[0] = False
    a[m] *= 2.0
    return a * a
