import numpy as np
from numba import cuda


@cuda.jit
def polynomial_adjoint(x, coefficients, out, x_bar, coefficients_bar, out_bar):
    powers = cuda.local.array(4, np.float64)
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # if i < x.shape[0]:
    t = i < x.shape[0]
    if t:
        # powers[0] = 1.0
        powers[0] = 1.0
        for k in range(1, 4):
            # powers[k] = powers[k - 1] * x[i]
            powers[k] = powers[k - 1] * x[i]
    # reverse
    # no atomics for x_bar: no other thread has the same i
    powers_bar = cuda.local.array(4, np.float64)
    for k in range(4):
        powers_bar[k] = 0.0
    # if i < x.shape[0]:
    if t:
        s = 0.0
        for k in range(4):
            # s += coefficients[k] * powers[k]
            s += coefficients[k] * powers[k]
        # out[i] = s * s
        t_bar = out_bar[i]
        out_bar[i] = 0.0
        s_bar = 2.0 * (t_bar * s)
        for k in range(3, -1, -1):
            # s += coefficients[k] * powers[k]
            powers_bar[k] += s_bar * coefficients[k]
            cuda.atomic.add(coefficients_bar, k, s_bar * powers[k])
        x_bar_sum = 0.0
        for k in range(3, 0, -1):
            # powers[k] = powers[k - 1] * x[i]
            t_bar = powers_bar[k]
            powers_bar[k] = 0.0
            x_bar_sum += t_bar * powers[k - 1]
            powers_bar[k - 1] += t_bar * x[i]
        x_bar[i] += x_bar_sum
