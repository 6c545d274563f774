import math
import numpy as np


def product_rev(x, n, value_bar):
    if n > x.shape[0]:
        raise IndexError('x[i] is out of range (line 4 of product)')
    rows = max(n, 0)
    t_kept, s_kept = np.empty(rows), np.empty(rows)
    s = 1.0
    for i in range(n):
        s_kept[i] = s
        # s = s * math.sin(x[i])
        t = math.sin(x[i])
        t_kept[i] = t
        s = s * t
    # reverse
    x_bar = np.zeros_like(x)
    s_bar = value_bar
    for i in range(n - 1, -1, -1):
        # s = s * math.sin(x[i])
        x_bar[i] += s_bar * s_kept[i] * math.cos(x[i])
        s_bar = s_bar * t_kept[i]
    return s, x_bar
