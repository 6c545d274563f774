import math
import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'})
def running_products_value_and_grad(x):
    n = x.shape[0]
    # y = x.copy()
    y = x.copy()
    y_kept = np.empty_like(x)
    for i in range(1, n):
        # y[i] = y[i] * y[i - 1] + math.sin(y[i])
        y_i = y[i]
        y_kept[i] = y_i
        y[i] = y_i * y[i - 1] + math.sin(y_i)
    value = 0.0
    # return np.sum(y)
    for i in range(n):
        value += y[i]
    # reverse
    # return np.sum(y)
    y_bar = np.full(n, 1.0)
    for i in range(n - 1, 0, -1):
        # y[i] = y[i] * y[i - 1] + math.sin(y[i])
        at = np.uintp(i)
        at_2 = np.uintp(i - 1)
        t_bar = y_bar[at]
        y_bar[at_2] += t_bar * y_kept[at]
        y_bar[at] = t_bar * math.cos(y_kept[at]) + t_bar * y[at_2]
    return value, y_bar
