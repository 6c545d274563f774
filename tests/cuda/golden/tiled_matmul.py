import numpy as np
from numba import cuda


@cuda.jit
def tiled_matmul_adjoint(a, b, c, a_bar, b_bar, c_bar):
    left = cuda.shared.array((4, 4), np.float64)
    right = cuda.shared.array((4, 4), np.float64)
    # x, y = cuda.threadIdx.x, cuda.threadIdx.y
    x = cuda.threadIdx.x
    y = cuda.threadIdx.y
    # j, i = cuda.grid(2)
    j, i = cuda.grid(2)
    n = a.shape[1]
    t = (n + 3) // 4
    # if i < c.shape[0] and j < c.shape[1]:
    value = i < c.shape[0] and j < c.shape[1]
    # reverse
    left_bar = cuda.shared.array((4, 4), np.float64)
    step = cuda.blockDim.y
    for k in range(y, 4, step):
        for k_2 in range(x, 4, cuda.blockDim.x):
            left_bar[k, k_2] = 0.0
    right_bar = cuda.shared.array((4, 4), np.float64)
    for k in range(y, 4, step):
        for k_2 in range(x, 4, cuda.blockDim.x):
            right_bar[k, k_2] = 0.0
    cuda.syncthreads()
    # if i < c.shape[0] and j < c.shape[1]:
    if value:
        # c[i, j] = s
        s_bar = c_bar[i, j]
        c_bar[i, j] = 0.0
    else:
        s_bar = 0.0
    for tile in range(t - 1, -1, -1):
        # left[y, x] = 0.0
        left[y, x] = 0.0
        # right[y, x] = 0.0
        right[y, x] = 0.0
        # if i < a.shape[0] and tile * ROWS + x < a.shape[1]:
        value = i < a.shape[0] and tile * 4 + x < n
        if value:
            # left[y, x] = a[i, tile * ROWS + x]
            left[y, x] = a[i, tile * 4 + x]
        # if j < b.shape[1] and tile * ROWS + y < b.shape[0]:
        value_2 = j < b.shape[1] and tile * 4 + y < b.shape[0]
        if value_2:
            # right[y, x] = b[tile * ROWS + y, j]
            right[y, x] = b[tile * 4 + y, j]
        # cuda.syncthreads()
        cuda.syncthreads()
        for k in range(3, -1, -1):
            # s += left[y, k] * right[k, x]
            cuda.atomic.add(right_bar, (k, x), s_bar * left[y, k])
            cuda.atomic.add(left_bar, (y, k), s_bar * right[k, x])
        # cuda.syncthreads()
        cuda.syncthreads()
        # if j < b.shape[1] and tile * ROWS + y < b.shape[0]:
        if value_2:
            # right[y, x] = b[tile * ROWS + y, j]
            b_bar_2 = right_bar[y, x]
            right_bar[y, x] = 0.0
            cuda.atomic.add(b_bar, (tile * 4 + y, j), b_bar_2)
        # if i < a.shape[0] and tile * ROWS + x < a.shape[1]:
        if value:
            # left[y, x] = a[i, tile * ROWS + x]
            a_bar_2 = left_bar[y, x]
            left_bar[y, x] = 0.0
            cuda.atomic.add(a_bar, (i, tile * 4 + x), a_bar_2)
        # right[y, x] = 0.0
        right_bar[y, x] = 0.0
        # left[y, x] = 0.0
        left_bar[y, x] = 0.0
