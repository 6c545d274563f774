import math
from numba import cuda


@cuda.jit
def powers_rows(x, counts, out, rows):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    if i < x.shape[0]:
        cuda.atomic.max(rows, 0, counts[i])


@cuda.jit
def powers_adjoint(x, counts, out, x_bar, out_bar, p_kept):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # reverse
    # no atomics for x_bar: no other thread has the same i
    if i < x.shape[0]:
        counts_i = counts[i]
        p = 1.0
        for k in range(counts_i):
            p_kept[k, i] = p
            # p = p * math.sin(x[i] + k)
            p = p * math.sin(x[i] + k)
        # out[i] = p
        p_bar = out_bar[i]
        out_bar[i] = 0.0
        last = counts_i - 1
        x_bar_sum = 0.0
        for k in range(last, -1, -1):
            t = x[i] + k
            x_bar_sum += p_bar * p_kept[k, i] * math.cos(t)
            p_bar = p_bar * math.sin(t)
        if last > -1:
            # p = p * math.sin(x[i] + k)
            x_bar[i] += x_bar_sum
