from numba import cuda


@cuda.jit
def reversed_places_adjoint(x, out, x_bar, out_bar):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # if i < x.shape[0]:
    n = x.shape[0]
    # reverse
    # if i < x.shape[0]:
    if i < n:
        # out[i] = x[x.shape[0] - 1 - i] * x[i]
        t = n - 1 - i
        t_bar = out_bar[i]
        out_bar[i] = 0.0
        cuda.atomic.add(x_bar, i, t_bar * x[t])
        cuda.atomic.add(x_bar, t, t_bar * x[i])
