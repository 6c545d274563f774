import numpy as np


def softmax_rev(x, m, value_bar):
    # z = np.exp(-((x - m) ** 2))
    t = x - m
    t2 = np.exp(-t ** 2)
    # y = z / np.sum(z)
    t3 = np.sum(t2)
    t4 = t2 / t3
    y = t4.copy()
    # reverse
    # z = np.exp(-((x - m) ** 2))
    t = (value_bar / t3 + np.sum(-(value_bar * (t4 / t3)))) * t2 * (2.0 * t)
    x_bar = -t
    return y, x_bar, np.sum(t)
