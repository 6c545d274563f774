import numpy as np


def softmax_rev(x, m, value_bar):
    # z = np.exp(-((x - m) ** 2))
    t = x - m
    t_2 = np.exp(-t ** 2)
    # y = z / np.sum(z)
    t_3 = np.sum(t_2)
    t_4 = t_2 / t_3
    y = t_4.copy()
    # reverse
    # z = np.exp(-((x - m) ** 2))
    x_bar = (value_bar / t_3 + np.sum(-(value_bar * (t_4 / t_3)))) * t_2 * (2.0 * t)
    x_bar_2 = -x_bar
    return y, x_bar_2, np.sum(x_bar)
