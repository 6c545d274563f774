from numba import cuda


@cuda.jit
def saxpy_adjoint(a, x, y, x_bar, y_bar):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # reverse
    # no atomics for x_bar, y_bar: no other thread has the same i
    if i < x.shape[0]:
        # y[i] = a * x[i] + y[i]
        x_bar[i] += y_bar[i] * a
