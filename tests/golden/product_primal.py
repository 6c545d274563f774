import math


def product(x, n):
    s = 1.0
    for i in range(n):
        # s = s * math.sin(x[i])
        s = s * math.sin(x[i])
    return s
