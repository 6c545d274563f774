from numba import cuda


@cuda.jit
def shifted_adjoint(x, out, x_bar, out_bar):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # reverse
    # no atomics for x_bar: no other thread has the same index
    if i < x.shape[0] - 1:
        # out[i + 1] = x[i + 1] * x[i + 1] + x[i + 1]
        t_bar = out_bar[i + 1]
        out_bar[i + 1] = 0.0
        t = t_bar * x[i + 1]
        x_bar[i + 1] += t_bar + t + t
