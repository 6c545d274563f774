import math
import numpy as np


def lu_fwd(a, a_dot):
    # n = a.shape[0]
    n = a.shape[0]
    # a = a.copy()
    a_2 = a.copy()
    a_dot = a_dot.copy()
    if n > a.shape[1]:
        raise IndexError('a[k, k] is out of range (line 5 of lu)')
    for k in range(n):
        # a[k, k] += 3.0
        a_2[k, k] += 3.0
        for i in range(k + 1, n):
            # a[i, k] = a[i, k] / a[k, k]
            a_kk = a_2[k, k]
            t = a_2[i, k] / a_kk
            a_2[i, k] = t
            a_dot[i, k] = a_dot[i, k] / a_kk - a_dot[k, k] * (t / a_kk)
            for j in range(k + 1, n):
                # a[i, j] = a[i, j] - a[i, k] * a[k, j]
                t_dot = a_dot[i, k] * a_2[k, j] + a_dot[k, j] * a_2[i, k]
                a_2[i, j] = a_2[i, j] - a_2[i, k] * a_2[k, j]
                a_dot[i, j] = a_dot[i, j] - t_dot
    s = 0.0
    s_dot = 0.0
    for k in range(n):
        # s = s + math.log(abs(a[k, k]))
        a_kk = a_2[k, k]
        t = abs(a_kk)
        s = s + math.log(t)
        s_dot = s_dot + (a_dot[k, k] * np.sign(a_kk) / t if a_kk != 0.0 else 0.0)
    return s, s_dot
