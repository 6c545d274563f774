import numpy as np
from numba import cuda


@cuda.jit
def stencil_2d_adjoint(u, out, u_bar, out_bar):
    tile = cuda.shared.array((6, 6), np.float64)
    # j, i = cuda.grid(2)
    j, i = cuda.grid(2)
    # x, y = cuda.threadIdx.x, cuda.threadIdx.y
    x = cuda.threadIdx.x
    y = cuda.threadIdx.y
    # rows, columns = u.shape
    rows, columns = u.shape
    for a in range(y, 6, 4):
        for b in range(x, 6, 4):
            # r = cuda.blockIdx.y * ROWS + a - 1
            r = cuda.blockIdx.y * 4 + a - 1
            # s = cuda.blockIdx.x * COLUMNS + b - 1
            s = cuda.blockIdx.x * 4 + b - 1
            if r >= 0 and r < rows and s >= 0 and s < columns:
                # tile[a, b] = u[r, s]
                tile[a, b] = u[r, s]
            else:
                # tile[a, b] = 0.0
                tile[a, b] = 0.0
    # cuda.syncthreads()
    cuda.syncthreads()
    # if i < rows and j < columns:
    t = i < rows and j < columns
    # reverse
    tile_bar = cuda.shared.array((6, 6), np.float64)
    for k in range(y, 6, cuda.blockDim.y):
        for k_2 in range(x, 6, cuda.blockDim.x):
            tile_bar[k, k_2] = 0.0
    cuda.syncthreads()
    # if i < rows and j < columns:
    if t:
        # around = tile[y, x + 1] + tile[y + 2, x + 1] + tile[y + 1, x] + tile[y + 1, x + 2]
        t_2 = tile[y, x + 1] + tile[y + 2, x + 1] + tile[y + 1, x]
        around = t_2 + tile[y + 1, x + 2]
        # out[i, j] = 0.25 * around * tile[y + 1, x + 1]
        t_bar = out_bar[i, j]
        out_bar[i, j] = 0.0
        cuda.atomic.add(tile_bar, (y + 1, x + 1), t_bar * (0.25 * around))
        t_2 = t_bar * tile[y + 1, x + 1] * 0.25
        # around = tile[y, x + 1] + tile[y + 2, x + 1] + tile[y + 1, x] + tile[y + 1, x + 2]
        cuda.atomic.add(tile_bar, (y + 1, x + 2), t_2)
        cuda.atomic.add(tile_bar, (y + 1, x), t_2)
        cuda.atomic.add(tile_bar, (y + 2, x + 1), t_2)
        cuda.atomic.add(tile_bar, (y, x + 1), t_2)
    # cuda.syncthreads()
    cuda.syncthreads()
    for turn in range(len(range(y, 6, 4)) - 1, -1, -1):
        a_2 = y + turn * 4
        for turn_2 in range(len(range(x, 6, 4)) - 1, -1, -1):
            b_2 = x + turn_2 * 4
            # r = cuda.blockIdx.y * ROWS + a - 1
            r = cuda.blockIdx.y * 4 + a_2 - 1
            # s = cuda.blockIdx.x * COLUMNS + b - 1
            s = cuda.blockIdx.x * 4 + b_2 - 1
            if r >= 0 and r < rows and s >= 0 and s < columns:
                # tile[a, b] = u[r, s]
                u_bar_2 = tile_bar[a_2, b_2]
                tile_bar[a_2, b_2] = 0.0
                cuda.atomic.add(u_bar, (r, s), u_bar_2)
            else:
                # tile[a, b] = 0.0
                tile_bar[a_2, b_2] = 0.0
