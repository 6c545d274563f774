import math
from numba import cuda


@cuda.jit
def elementwise_adjoint(x, y, out, x_bar, y_bar, out_bar):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # reverse
    # no atomics for x_bar, y_bar: no other thread has the same i
    # if i >= out.shape[0]:
    if i < out.shape[0]:
        # r = math.sqrt(x[i] * x[i] + y[i] * y[i])
        x_i = x[i]
        y_i = y[i]
        r = math.sqrt(x_i * x_i + y_i * y_i)
        if r > 1.0:
            # out[i] = math.log(r)
            t_bar = out_bar[i]
            out_bar[i] = 0.0
            r_bar = t_bar / r
            x_bar_2 = 0.0
        else:
            # out[i] = r * math.sin(x[i])
            t_bar = out_bar[i]
            out_bar[i] = 0.0
            r_bar = t_bar * math.sin(x_i)
            x_bar_2 = t_bar * r * math.cos(x_i)
        # r = math.sqrt(x[i] * x[i] + y[i] * y[i])
        t = r_bar * (0.5 / r)
        y_bar[i] += 2.0 * (t * y_i)
        t = t * x_i
        x_bar[i] += x_bar_2 + t + t
