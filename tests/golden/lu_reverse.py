import math
import numpy as np


def lu_rev(a, value_bar):
    # n = a.shape[0]
    n = a.shape[0]
    # a = a.copy()
    a_2 = a.copy()
    if n > a.shape[1]:
        raise IndexError('a[k, k] is out of range (line 5 of lu)')
    rows = n - 1
    rows_2 = max(rows, 0)
    a_kept = np.empty((n, rows_2))
    a_kept_2 = np.empty((n, rows_2))
    a_kept_3 = np.empty((n, rows_2, rows_2))
    a_kept_4 = np.empty((n, rows_2, rows_2))
    for k in range(n):
        # a[k, k] += 3.0
        a_2[k, k] += 3.0
        t = k + 1
        for i in range(t, n):
            row = i - t
            # a[i, k] = a[i, k] / a[k, k]
            a_kept[k, row] = a_2[i, k]
            a_kept_2[k, row] = a_2[k, k]
            a_2[i, k] = a_2[i, k] / a_2[k, k]
            for j in range(t, n):
                row_2 = j - t
                # a[i, j] = a[i, j] - a[i, k] * a[k, j]
                a_kept_3[k, row, row_2] = a_2[i, k]
                a_kept_4[k, row, row_2] = a_2[k, j]
                a_2[i, j] = a_2[i, j] - a_2[i, k] * a_2[k, j]
    s = 0.0
    for k in range(n):
        # s = s + math.log(abs(a[k, k]))
        s = s + math.log(abs(a_2[k, k]))
    # reverse
    # a = a.copy()
    a_bar = np.zeros_like(a)
    for k in range(rows, -1, -1):
        # s = s + math.log(abs(a[k, k]))
        t_2 = value_bar / abs(a_2[k, k]) * np.sign(a_2[k, k])
        a_bar[k, k] += t_2
    for k in range(rows, -1, -1):
        t = k + 1
        for i in range(rows, k, -1):
            row = i - t
            # a[i, k] = a[i, k] / a[k, k]
            a_3 = a_kept_2[k, row]
            t_2 = a_kept[k, row] / a_3
            for j in range(rows, k, -1):
                row_2 = j - t
                # a[i, j] = a[i, j] - a[i, k] * a[k, j]
                t_bar = a_bar[i, j]
                a_bar[i, j] = 0.0
                t_3 = -t_bar
                a_bar[k, j] += t_3 * a_kept_3[k, row, row_2]
                a_bar[i, k] += t_3 * a_kept_4[k, row, row_2]
                a_bar[i, j] += t_bar
            # a[i, k] = a[i, k] / a[k, k]
            t_bar = a_bar[i, k]
            a_bar[i, k] = 0.0
            a_bar[k, k] -= t_bar * (t_2 / a_3)
            a_bar[i, k] += t_bar / a_3
    return s, a_bar
