import math


def leaves_early(x, n):
    s = x
    for i in range(n):
        # s = s * 1.3 + math.sin(s) * x
        s = s * 1.3 + math.sin(s) * x
        if s > 2.0:
            break
        # s = s + 0.1 * x
        s = s + 0.1 * x
    return s * s
