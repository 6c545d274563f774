from numba import cuda


@cuda.jit
def flattened_adjoint(x, out, width, height, x_bar, out_bar):
    # i, j = cuda.grid(2)
    i, j = cuda.grid(2)
    # reverse
    # no atomics for x_bar: no other thread has the same index
    if i < width and j < height:
        # out[i + j * width] += x[j * width + i] * x[j * width + i]
        t = i + j * width
        x_bar[t] += 2.0 * (out_bar[t] * x[t])
