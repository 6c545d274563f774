from numba import cuda


@cuda.jit
def threads_alone_adjoint(x, out, x_bar, out_bar):
    # t = cuda.threadIdx.x
    t = cuda.threadIdx.x
    s = 0.0
    for k in range(3):
        # s += x[t] * k
        s += x[t] * k
    # reverse
    # cuda.atomic.add(out, t, s * x[t])
    t_2 = out_bar[t] * x[t]
    cuda.atomic.add(x_bar, t, out_bar[t] * s)
    x_bar_sum = 0.0
    for k in range(2, -1, -1):
        # s += x[t] * k
        x_bar_sum += t_2 * k
    cuda.atomic.add(x_bar, t, x_bar_sum)
