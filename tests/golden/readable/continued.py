import math
from numba import njit


@njit(nogil=True, cache=True, error_model='numpy')
def continued_value_and_grad(x, depth):
    value = continued_inner(x, depth)
    # reverse
    return value, continued_inner_rev(x, depth, 1.0)


@njit(nogil=True, cache=True, error_model='numpy')
def continued_inner_rev(x, depth, value_bar):
    if depth == 0:
        # return math.sin(x)
        x_bar = value_bar * math.cos(x)
    else:
        # inner = continued(x, depth - 1)
        t = depth - 1
        inner = continued_inner(x, t)
        # return x + 1.0 / (1.0 + inner * inner)
        t_2 = 1.0 + inner * inner
        inner_bar = 2.0 * ((0.0 if value_bar == 0.0 else -(value_bar * (1.0 / t_2 / t_2))) * inner)
        # inner = continued(x, depth - 1)
        x_bar = value_bar + continued_inner_rev(x, t, inner_bar)
    return x_bar


@njit(nogil=True, cache=True, error_model='numpy')
def continued_inner(x, depth):
    if depth == 0:
        # return math.sin(x)
        result = math.sin(x)
    else:
        # inner = continued(x, depth - 1)
        inner = continued_inner(x, depth - 1)
        # return x + 1.0 / (1.0 + inner * inner)
        result = x + 1.0 / (1.0 + inner * inner)
    return result
