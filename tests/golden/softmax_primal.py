import numpy as np


def softmax(x, m):
    # z = np.exp(-((x - m) ** 2))
    z = np.exp(-(x - m) ** 2)
    # y = z / np.sum(z)
    y = z / np.sum(z)
    return y
