def choices_rev(x, y, value_bar_0, value_bar_1):
    # z = x * y if x > 0 and y > 0 else -x
    t = x > 0 and y > 0
    z = x * y if t else -x
    # if z > 1.0:
    t_2 = z > 1.0
    if t_2:
        # w = z * z
        w = z * z
    elif z > 0.5 or y < 0:
        # w = z + y
        w = z + y
    else:
        w = 2.0
    # reverse
    # if z > 1.0:
    if t_2:
        # w = z * z
        z_bar = 2.0 * (value_bar_0 * z)
        y_bar = 0.0
    elif z > 0.5 or y < 0:
        z_bar = value_bar_0
        y_bar = value_bar_0
    else:
        z_bar = 0.0
        y_bar = 0.0
    z_bar = value_bar_1 + z_bar
    # z = x * y if x > 0 and y > 0 else -x
    if t:
        x_bar = z_bar * y
        y_bar_2 = z_bar * x
    else:
        x_bar = -z_bar
        y_bar_2 = 0.0
    return w, z, x_bar, y_bar + y_bar_2
