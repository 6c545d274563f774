import math
from numba import cuda


@cuda.jit
def relax_rows(x, steps, rows):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    if i < x.shape[0]:
        cuda.atomic.max(rows, 0, steps)


@cuda.jit
def relax_adjoint(x, steps, x_bar, x_kept):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # if i < x.shape[0]:
    t = i < x.shape[0]
    if t:
        for k in range(steps):
            # x[i] = x[i] - 0.1 * math.sin(x[i])
            x_i = x[i]
            x_kept[k, i] = x_i
            x[i] = x_i - 0.1 * math.sin(x_i)
    # reverse
    # no atomics for x_bar: no other thread has the same i
    # if i < x.shape[0]:
    if t:
        for k in range(steps - 1, -1, -1):
            # x[i] = x[i] - 0.1 * math.sin(x[i])
            x_bar[i] = x_bar[i] - x_bar[i] * 0.1 * math.cos(x_kept[k, i])
