import math
from numba import cuda


@cuda.jit
def device_dimensions_adjoint(x, out, x_bar, out_bar):
    # i, j, k = cuda.grid(3)
    i, j, k = cuda.grid(3)
    # reverse
    # no atomics for x_bar: no other thread has the same i and j and k
    # if i < x.shape[0] and j < x.shape[1] and k < x.shape[2]:
    if i < x.shape[0] and (j < x.shape[1] and k < x.shape[2]):
        # out[i, j, k] = math.exp(x[i, j, k])
        t_bar = out_bar[i, j, k]
        out_bar[i, j, k] = 0.0
        x_bar[i, j, k] += t_bar * math.exp(x[i, j, k])
