import math
import numpy as np


def leaves_early_rev(x, n, value_bar):
    rows = max(n, 0)
    t_kept, s_kept = np.empty(rows), np.empty(rows)
    s = x
    turn = 0
    for i in range(n):
        s_kept[i] = s
        turn += 1
        # s = s * 1.3 + math.sin(s) * x
        t = math.sin(s)
        t_kept[i] = t
        s = s * 1.3 + t * x
        if s > 2.0:
            break
        # s = s + 0.1 * x
        s = s + 0.1 * x
    # return s * s
    t = s * s
    # reverse
    # return s * s
    s_bar = 2.0 * (value_bar * s)
    x_bar = 0.0
    for i in range(turn - 1, -1, -1):
        s = s_kept[i]
        # s = s * 1.3 + math.sin(s) * x
        t_2 = t_kept[i]
        s_2 = s * 1.3 + t_2 * x
        # if s > 2.0:
        if s_2 > 2.0:
            x_bar_2 = 0.0
        else:
            # s = s + 0.1 * x
            x_bar_2 = s_bar * 0.1
        # s = s * 1.3 + math.sin(s) * x
        x_bar = x_bar + x_bar_2 + s_bar * t_2
        s_bar = s_bar * x * math.cos(s) + s_bar * 1.3
    return t, x_bar + s_bar
