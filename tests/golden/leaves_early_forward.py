import math


def leaves_early_fwd(x, n, x_dot):
    s = x
    s_dot = x_dot
    for i in range(n):
        # s = s * 1.3 + math.sin(s) * x
        t = math.sin(s)
        t_dot = s_dot * math.cos(s) * x + x_dot * t
        s = s * 1.3 + t * x
        s_dot = s_dot * 1.3 + t_dot
        if s > 2.0:
            break
        # s = s + 0.1 * x
        s = s + 0.1 * x
        s_dot = s_dot + x_dot * 0.1
    # return s * s
    return s * s, 2.0 * (s_dot * s)
