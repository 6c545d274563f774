from numba import cuda


@cuda.jit
def by_constant_adjoint(x, out, x_bar, out_bar):
    # i = cuda.threadIdx.x + 4 * cuda.blockIdx.x
    i = cuda.threadIdx.x + 4 * cuda.blockIdx.x
    # reverse
    if i < x.shape[0]:
        # out[i] = x[i] * x[i]
        t_bar = out_bar[i]
        out_bar[i] = 0.0
        cuda.atomic.add(x_bar, i, 2.0 * (t_bar * x[i]))
