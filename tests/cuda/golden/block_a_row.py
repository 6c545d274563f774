from numba import cuda


@cuda.jit
def block_a_row_adjoint(x, out, x_bar, out_bar):
    # b = cuda.blockIdx.x
    b = cuda.blockIdx.x
    threadIdx_x = cuda.threadIdx.x
    blockDim_x = cuda.blockDim.x
    # reverse
    # no atomics for x_bar: no other thread has the same b and k
    for turn in range(len(range(threadIdx_x, x.shape[1], blockDim_x)) - 1, -1, -1):
        k = threadIdx_x + turn * blockDim_x
        # out[b, k] = x[b, k] * x[b, k]
        t_bar = out_bar[b, k]
        out_bar[b, k] = 0.0
        x_bar[b, k] += 2.0 * (t_bar * x[b, k])
