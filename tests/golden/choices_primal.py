def choices(x, y):
    # z = x * y if x > 0 and y > 0 else -x
    z = x * y if x > 0 and y > 0 else -x
    if z > 1.0:
        # w = z * z
        w = z * z
    elif z > 0.5 or y < 0:
        # w = z + y
        w = z + y
    else:
        w = 2.0
    return w, z
