from numba import cuda


@cuda.jit
def neighbours_adjoint(x, out, x_bar, out_bar):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # reverse
    if i < x.shape[0] - 1:
        # out[i] = x[i] * x[i + 1]
        t_bar = out_bar[i]
        out_bar[i] = 0.0
        cuda.atomic.add(x_bar, i + 1, t_bar * x[i])
        cuda.atomic.add(x_bar, i, t_bar * x[i + 1])
