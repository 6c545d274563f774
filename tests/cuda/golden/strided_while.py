from numba import cuda


@cuda.jit
def strided_while_adjoint(x, out, x_bar, out_bar):
    # i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    blockDim_x = cuda.blockDim.x
    i = cuda.blockIdx.x * blockDim_x + cuda.threadIdx.x
    # step = cuda.blockDim.x * cuda.gridDim.x
    step = blockDim_x * cuda.gridDim.x
    # reverse
    # no atomics for x_bar: no other thread has the same i
    for turn in range(len(range(i, x.shape[0], step)) - 1, -1, -1):
        i_2 = i + turn * step
        # out[i] = x[i] * x[i]
        t_bar = out_bar[i_2]
        out_bar[i_2] = 0.0
        x_bar[i_2] += 2.0 * (t_bar * x[i_2])
