import math
from numba import cuda


@cuda.jit
def iterated_rows(x, r, out, rows):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    if i < x.shape[0]:
        # v = x[i]
        v = x[i]
        turn = 0
        while v < 2.0:
            turn += 1
            # v = v * (1.0 + r[i] * math.cos(v) * math.cos(v)) + 0.1
            t = math.cos(v)
            v = v * (1.0 + r[i] * t * t) + 0.1
        cuda.atomic.max(rows, 0, turn)


@cuda.jit
def iterated_adjoint(x, r, out, x_bar, r_bar, out_bar, v_kept):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # reverse
    # no atomics for x_bar, r_bar: no other thread has the same i
    if i < x.shape[0]:
        # v = x[i]
        v = x[i]
        turn = 0
        while v < 2.0:
            v_kept[turn, i] = v
            turn += 1
            # v = v * (1.0 + r[i] * math.cos(v) * math.cos(v)) + 0.1
            t = math.cos(v)
            v = v * (1.0 + r[i] * t * t) + 0.1
        # out[i] = v * v
        t_bar = out_bar[i]
        out_bar[i] = 0.0
        v_bar = 2.0 * (t_bar * v)
        last = turn - 1
        r_bar_sum = 0.0
        for turn_2 in range(last, -1, -1):
            v = v_kept[turn_2, i]
            t = math.cos(v)
            t_2 = r[i] * t
            t_3 = v_bar * v
            t_4 = t_3 * t
            v_bar = v_bar * (1.0 + t_2 * t) - (t_3 * t_2 + t_4 * r[i]) * math.sin(v)
            r_bar_sum += t_4 * t
        if last > -1:
            # v = v * (1.0 + r[i] * math.cos(v) * math.cos(v)) + 0.1
            r_bar[i] += r_bar_sum
        # v = x[i]
        x_bar[i] += v_bar
