import math


def product_fwd(x, n, x_dot):
    if n > x.shape[0]:
        raise IndexError('x[i] is out of range (line 4 of product)')
    s = 1.0
    s_dot = 0.0
    for i in range(n):
        # s = s * math.sin(x[i])
        t = math.sin(x[i])
        s_dot = s_dot * t + x_dot[i] * math.cos(x[i]) * s
        s = s * t
    return s, s_dot
