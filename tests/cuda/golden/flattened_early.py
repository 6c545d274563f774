from numba import cuda


@cuda.jit
def flattened_early_adjoint(x, out, width, height, x_bar, out_bar):
    # i, j = cuda.grid(2)
    i, j = cuda.grid(2)
    # reverse
    # no atomics for x_bar, out_bar: no other thread has the same k
    # if i >= width or j >= height:
    if not (i >= width or j >= height):
        # k = j * width + i
        k = j * width + i
        # out[k] = out[k] * x[k]
        x_bar[k] += out_bar[k] * out[k]
        out_bar[k] = out_bar[k] * x[k]
