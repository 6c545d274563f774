import math
import numpy as np


def newton_rev(x, value_bar):
    x_kept = np.empty(0)
    k = 0
    while abs(math.cos(x) - x) > 1e-12 and k < 50:
        if k >= x_kept.shape[0]:
            x_kept = grow(x_kept, k)
        x_kept[k] = x
        # x = x - (math.cos(x) - x) / (-math.sin(x) - 1)
        x = x - (math.cos(x) - x) / (-math.sin(x) - 1)
        # k += 1
        k += 1
    # reverse
    x_bar = value_bar
    for k_2 in range(k - 1, -1, -1):
        x_2 = x_kept[k_2]
        # x = x - (math.cos(x) - x) / (-math.sin(x) - 1)
        t = math.cos(x_2)
        t_2 = math.sin(x_2)
        t_3 = -t_2 - 1
        t_4 = x_bar / t_3
        x_bar = x_bar - x_bar * ((t - x_2) / t_3 / t_3) * t + t_4 + t_4 * t_2
    return x, x_bar


def grow(kept, i):
    # the same numbers with room for more: twice as long when it is full
    if i < kept.shape[0]:
        return kept
    bigger = np.empty((max(2 * kept.shape[0], i + 1),) + kept.shape[1:], kept.dtype)
    bigger[:kept.shape[0]] = kept
    return bigger
