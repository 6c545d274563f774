import numpy as np
from numba import cuda


@cuda.jit
def block_product_adjoint(x, out, x_bar, out_bar):
    part = cuda.shared.array(8, np.float64)
    # t = cuda.threadIdx.x
    t = cuda.threadIdx.x
    # part[t] = x[cuda.grid(1)]
    i = cuda.grid(1)
    part[t] = x[i]
    # cuda.syncthreads()
    cuda.syncthreads()
    part_kept = cuda.local.array(64, np.float64)
    part_kept_2 = cuda.local.array(64, np.float64)
    half_kept = cuda.local.array(64, np.int64)
    half = 4
    turns = 0
    while half > 0:
        half_kept[turns] = half
        turn = turns + 1
        if t < half:
            # part[t] = part[t] * part[t + half]
            part_kept[turns] = part[t]
            part_kept_2[turns] = part[t + half]
            part[t] = part[t] * part[t + half]
        # cuda.syncthreads()
        cuda.syncthreads()
        # half //= 2
        half //= 2
        turns = turn
    # if t == 0:
    t_2 = t == 0
    # reverse
    # no atomics for x_bar: no other thread has the same i
    part_bar = cuda.shared.array(8, np.float64)
    for k in range(t, 8, cuda.blockDim.x):
        part_bar[k] = 0.0
    cuda.syncthreads()
    # if t == 0:
    if t_2:
        # out[cuda.blockIdx.x] = part[0]
        blockIdx_x = cuda.blockIdx.x
        part_bar_2 = out_bar[blockIdx_x]
        out_bar[blockIdx_x] = 0.0
        cuda.atomic.add(part_bar, 0, part_bar_2)
    for turn_2 in range(turns - 1, -1, -1):
        half = half_kept[turn_2]
        # if t < half:
        t_2 = t < half
        # cuda.syncthreads()
        cuda.syncthreads()
        # if t < half:
        if t_2:
            # part[t] = part[t] * part[t + half]
            t_bar = part_bar[t]
            part_bar[t] = 0.0
            cuda.atomic.add(part_bar, t + half, t_bar * part_kept[turn_2])
            cuda.atomic.add(part_bar, t, t_bar * part_kept_2[turn_2])
    # cuda.syncthreads()
    cuda.syncthreads()
    # part[t] = x[cuda.grid(1)]
    x_bar[i] += part_bar[t]
