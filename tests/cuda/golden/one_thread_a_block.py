from numba import cuda


@cuda.jit
def one_thread_a_block_adjoint(x, out, x_bar, out_bar):
    # b = cuda.blockIdx.x
    b = cuda.blockIdx.x
    # reverse
    # no atomics for x_bar: no other thread has the same b (one thread of those that share it)
    if cuda.threadIdx.x == 0:
        # out[b] = s
        s_bar = out_bar[b]
        out_bar[b] = 0.0
        for k in range(x.shape[1] - 1, -1, -1):
            # s += x[b, k] * x[b, k]
            x_bar[b, k] += 2.0 * (s_bar * x[b, k])
