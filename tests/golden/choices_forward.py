def choices_fwd(x, y, x_dot, y_dot):
    # z = x * y if x > 0 and y > 0 else -x
    if x > 0 and y > 0:
        z = x * y
        t_dot = x_dot * y + y_dot * x
    else:
        z = -x
        t_dot = -x_dot
    if z > 1.0:
        # w = z * z
        w = z * z
        w_dot = 2.0 * (t_dot * z)
    elif z > 0.5 or y < 0:
        # w = z + y
        w = z + y
        w_dot = t_dot + y_dot
    else:
        w = 2.0
        w_dot = 0.0
    return w, z, w_dot, t_dot
