from numba import cuda


@cuda.jit
def search_rows(x, y, out, rows):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    if i < x.shape[0]:
        # s = x[i]
        s = x[i]
        s_2 = s
        turn = 0
        for k in range(y.shape[0]):
            turn += 1
            # s = s * y[k] + x[i]
            s_2 = s_2 * y[k] + s
            # if s > 3.0:
            t = s_2 > 3.0
            if t:
                break
        cuda.atomic.max(rows, 0, turn)


@cuda.jit
def search_adjoint(x, y, out, x_bar, y_bar, out_bar, s_kept):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # reverse
    # no atomics for x_bar: no other thread has the same i
    if i < x.shape[0]:
        # s = x[i]
        s = x[i]
        s_2 = s
        turn = 0
        for k in range(y.shape[0]):
            s_kept[k, i] = s_2
            turn += 1
            # s = s * y[k] + x[i]
            s_2 = s_2 * y[k] + s
            # if s > 3.0:
            t = s_2 > 3.0
            if t:
                break
        # out[i] = s * s
        t_bar = out_bar[i]
        out_bar[i] = 0.0
        s_bar = 2.0 * (t_bar * s_2)
        s_bar_2 = 0.0
        for k in range(turn - 1, -1, -1):
            # s = s * y[k] + x[i]
            s_bar_2 += s_bar
            cuda.atomic.add(y_bar, k, s_bar * s_kept[k, i])
            s_bar = s_bar * y[k]
        # s = x[i]
        x_bar[i] += s_bar_2 + s_bar
