import math


def newton_fwd(x, x_dot):
    k = 0
    while abs(math.cos(x) - x) > 1e-12 and k < 50:
        # x = x - (math.cos(x) - x) / (-math.sin(x) - 1)
        t = math.cos(x)
        t_2 = math.sin(x)
        t_3 = -t_2 - 1
        t_4 = (t - x) / t_3
        x = x - t_4
        x_dot = x_dot - ((-(x_dot * t_2) - x_dot) / t_3 + x_dot * t * (t_4 / t_3))
        # k += 1
        k += 1
    return x, x_dot
