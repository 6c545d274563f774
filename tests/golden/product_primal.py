import math


def product(x, n):
    if n > x.shape[0]:
        raise IndexError('x[i] is out of range (line 4 of product)')
    s = 1.0
    for i in range(n):
        # s = s * math.sin(x[i])
        s = s * math.sin(x[i])
    return s
