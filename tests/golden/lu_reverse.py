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
    a_kept = np.empty((n, max(rows, 0)))
    for k in range(n):
        # a[k, k] += 3.0
        a_2[k, k] += 3.0
        for i in range(k + 1, n):
            # a[i, k] = a[i, k] / a[k, k]
            a_kept[k, i - (k + 1)] = a_2[i, k]
            a_2[i, k] = a_2[i, k] / a_2[k, k]
            for j in range(k + 1, n):
                # a[i, j] = a[i, j] - a[i, k] * a[k, j]
                a_2[i, j] = a_2[i, j] - a_2[i, k] * a_2[k, j]
    a_bar = np.zeros_like(a)
    s = 0.0
    for k in range(n):
        # s = s + math.log(abs(a[k, k]))
        a_kk = a_2[k, k]
        t = abs(a_kk)
        s = s + math.log(t)
        a_bar[k, k] += 0.0 if a_kk == 0.0 else value_bar / t * np.sign(a_kk)
    # reverse
    for k in range(rows, -1, -1):
        for i in range(rows, k, -1):
            # a[i, k] = a[i, k] / a[k, k]
            a_kk = a_2[k, k]
            t = a_kept[k, i - (k + 1)] / a_kk
            for j in range(rows, k, -1):
                # a[i, j] = a[i, j] - a[i, k] * a[k, j]
                t_bar = a_bar[i, j]
                a_bar[i, j] = 0.0
                t_2 = -t_bar
                a_bar[k, j] += t_2 * a_2[i, k]
                a_bar[i, k] += t_2 * a_2[k, j]
                a_bar[i, j] += t_bar
            # a[i, k] = a[i, k] / a[k, k]
            t_bar = a_bar[i, k]
            a_bar[i, k] = 0.0
            a_bar[k, k] -= t_bar * (t / a_kk)
            a_bar[i, k] += t_bar / a_kk
    return s, a_bar
