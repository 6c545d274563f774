from numba import cuda


@cuda.jit
def along_rows_rows(x, rows):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    if i < x.shape[0]:
        cuda.atomic.max(rows, 0, x.shape[1])


@cuda.jit
def along_rows_adjoint(x, x_bar, x_kept):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # if i < x.shape[0]:
    t = i < x.shape[0]
    if t:
        for k in range(1, x.shape[1]):
            # x[i, k] = x[i, k] + 0.5 * x[i, k - 1] * x[i, k - 1]
            x_it = x[i, k - 1]
            x_kept[k, i] = x_it
            x[i, k] = x[i, k] + 0.5 * x_it * x_it
    # reverse
    # no atomics for x_bar: no other thread has the same i
    # if i < x.shape[0]:
    if t:
        for k in range(x.shape[1] - 1, 0, -1):
            # x[i, k] = x[i, k] + 0.5 * x[i, k - 1] * x[i, k - 1]
            t_bar = x_bar[i, k]
            x_bar[i, k] = 0.0
            x_bar[i, k - 1] += t_bar * (0.5 * x_kept[k, i]) + t_bar * x_kept[k, i] * 0.5
            x_bar[i, k] += t_bar
