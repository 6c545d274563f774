import math


def newton(x):
    k = 0
    while abs(math.cos(x) - x) > 1e-12 and k < 50:
        # x = x - (math.cos(x) - x) / (-math.sin(x) - 1)
        x = x - (math.cos(x) - x) / (-math.sin(x) - 1)
        # k += 1
        k += 1
    return x
