import numpy as np
from numba import cuda


@cuda.jit
def stencil_1d_adjoint(u, out, c, u_bar, out_bar):
    tile = cuda.shared.array(10, np.float64)
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # t = cuda.threadIdx.x
    t = cuda.threadIdx.x
    # n = u.shape[0]
    n = u.shape[0]
    # if i < n:
    t_2 = i < n
    if t_2:
        # tile[t + 1] = u[i]
        tile[t + 1] = u[i]
    else:
        # tile[t + 1] = 0.0
        tile[t + 1] = 0.0
    # if t == 0:
    t_3 = t == 0
    if t_3:
        # tile[0] = u[i - 1] if i > 0 and i - 1 < n else 0.0
        t_4 = i - 1
        tile[0] = u[t_4] if i > 0 and t_4 < n else 0.0
    # if t == BLOCK - 1:
    t_5 = t == 7
    if t_5:
        # tile[BLOCK + 1] = u[i + 1] if i + 1 < n else 0.0
        t_4 = i + 1
        tile[9] = u[t_4] if t_4 < n else 0.0
    # cuda.syncthreads()
    cuda.syncthreads()
    # reverse
    tile_bar = cuda.shared.array(10, np.float64)
    for k in range(t, 10, cuda.blockDim.x):
        tile_bar[k] = 0.0
    cuda.syncthreads()
    # if i < n:
    if t_2:
        # out[i] = tile[t + 1] + c * tile[t + 1] * (tile[t] - 2.0 * tile[t + 1] + tile[t + 2])
        t_bar = out_bar[i]
        out_bar[i] = 0.0
        t_6 = t_bar * (c * tile[t + 1])
        cuda.atomic.add(tile_bar, t + 2, t_6)
        cuda.atomic.add(tile_bar, t, t_6)
        t_7 = t_bar * (tile[t] - 2.0 * tile[t + 1] + tile[t + 2]) * c
        cuda.atomic.add(tile_bar, t + 1, t_bar - t_6 * 2.0 + t_7)
    # cuda.syncthreads()
    cuda.syncthreads()
    # if t == BLOCK - 1:
    if t_5:
        # tile[BLOCK + 1] = u[i + 1] if i + 1 < n else 0.0
        t_4 = i + 1
        value_bar = tile_bar[9]
        tile_bar[9] = 0.0
        if t_4 < n:
            cuda.atomic.add(u_bar, t_4, value_bar)
    # if t == 0:
    if t_3:
        # tile[0] = u[i - 1] if i > 0 and i - 1 < n else 0.0
        t_4 = i - 1
        value_bar = tile_bar[0]
        tile_bar[0] = 0.0
        if i > 0 and t_4 < n:
            cuda.atomic.add(u_bar, t_4, value_bar)
    # if i < n:
    if t_2:
        # tile[t + 1] = u[i]
        cuda.atomic.add(u_bar, i, tile_bar[t + 1])
