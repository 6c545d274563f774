import math
import numpy as np
from numba import cuda


@cuda.jit
def tree_sum_adjoint(x, total, x_bar, total_bar):
    part = cuda.shared.array(8, np.float64)
    # t = cuda.threadIdx.x
    t = cuda.threadIdx.x
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # if i < x.shape[0]:
    t_2 = i < x.shape[0]
    if t_2:
        # part[t] = math.exp(x[i])
        part[t] = math.exp(x[i])
    else:
        # part[t] = 0.0
        part[t] = 0.0
    # cuda.syncthreads()
    cuda.syncthreads()
    half_kept = cuda.local.array(64, np.int64)
    half = 4
    turn = 0
    while half > 0:
        half_kept[turn] = half
        turn += 1
        if t < half:
            # part[t] += part[t + half]
            part[t] += part[t + half]
        # cuda.syncthreads()
        cuda.syncthreads()
        # half //= 2
        half //= 2
    # if t == 0:
    t_3 = t == 0
    # reverse
    # no atomics for x_bar: no other thread has the same i
    part_bar = cuda.shared.array(8, np.float64)
    for k in range(t, 8, cuda.blockDim.x):
        part_bar[k] = 0.0
    cuda.syncthreads()
    # if t == 0:
    if t_3:
        # cuda.atomic.add(total, 0, math.log(part[0]))
        cuda.atomic.add(part_bar, 0, total_bar[0] / part[0])
    for turn_2 in range(turn - 1, -1, -1):
        half = half_kept[turn_2]
        # if t < half:
        t_3 = t < half
        # cuda.syncthreads()
        cuda.syncthreads()
        # if t < half:
        if t_3:
            # part[t] += part[t + half]
            cuda.atomic.add(part_bar, t + half, part_bar[t])
    # cuda.syncthreads()
    cuda.syncthreads()
    # if i < x.shape[0]:
    if t_2:
        # part[t] = math.exp(x[i])
        x_bar[i] += part_bar[t] * math.exp(x[i])
