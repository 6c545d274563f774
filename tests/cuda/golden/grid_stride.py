import math
from numba import cuda


@cuda.jit
def grid_stride_adjoint(x, w, out, x_bar, w_bar, out_bar):
    # start = cuda.grid(1)
    start = cuda.grid(1)
    # stride = cuda.gridsize(1)
    stride = cuda.gridsize(1)
    # reverse
    # no atomics for x_bar: no other thread has the same i
    last = len(range(start, x.shape[0], stride)) - 1
    w_bar_sum_2 = 0.0
    w_bar_sum = 0.0
    for turn in range(last, -1, -1):
        i = start + turn * stride
        # t = math.tanh(x[i] * w[0])
        t = x[i] * w[0]
        t_2 = math.tanh(t)
        # out[i] += t * t + w[1]
        w_bar_sum_2 += out_bar[i]
        # t = math.tanh(x[i] * w[0])
        t = 2.0 * (out_bar[i] * t_2) * (1.0 / math.cosh(t)) ** 2
        w_bar_sum += t * x[i]
        x_bar[i] += t * w[0]
    if last > -1:
        cuda.atomic.add(w_bar, 1, w_bar_sum_2)
        cuda.atomic.add(w_bar, 0, w_bar_sum)
