import math
from numba import cuda


@cuda.jit
def nbody_adjoint(positions, masses, forces, positions_bar, masses_bar, forces_bar):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # n = positions.shape[0]
    n = positions.shape[0]
    # reverse
    # if i >= n:
    if i < n:
        fx = 0.0
        fy = 0.0
        fz = 0.0
        for j in range(n):
            # dx = positions[j, 0] - positions[i, 0]
            dx = positions[j, 0] - positions[i, 0]
            # dy = positions[j, 1] - positions[i, 1]
            dy = positions[j, 1] - positions[i, 1]
            # dz = positions[j, 2] - positions[i, 2]
            dz = positions[j, 2] - positions[i, 2]
            # r2 = dx * dx + dy * dy + dz * dz + softening
            r2 = dx * dx + dy * dy + dz * dz + 0.01
            # s = masses[j] * attraction(dx, dy, dz, 0.01)
            s = masses[j] * (1.0 / (r2 * math.sqrt(r2)))
            # fx += s * dx
            fx += s * dx
            # fy += s * dy
            fy += s * dy
            # fz += s * dz
            fz += s * dz
        # forces[i, 0] = masses[i] * fx
        masses_i = masses[i]
        # forces[i, 2] = masses[i] * fz
        t_bar = forces_bar[i, 2]
        forces_bar[i, 2] = 0.0
        t = t_bar * masses_i
        # forces[i, 1] = masses[i] * fy
        t_bar_2 = forces_bar[i, 1]
        forces_bar[i, 1] = 0.0
        t_2 = t_bar_2 * masses_i
        # forces[i, 0] = masses[i] * fx
        t_bar_3 = forces_bar[i, 0]
        forces_bar[i, 0] = 0.0
        t_3 = t_bar_3 * masses_i
        cuda.atomic.add(masses_bar, i, t_bar * fz + t_bar_2 * fy + t_bar_3 * fx)
        last = n - 1
        positions_bar_sum_3 = 0.0
        positions_bar_sum_2 = 0.0
        positions_bar_sum = 0.0
        for j in range(last, -1, -1):
            dx = positions[j, 0] - positions[i, 0]
            dy = positions[j, 1] - positions[i, 1]
            dz = positions[j, 2] - positions[i, 2]
            r2 = dx * dx + dy * dy + dz * dz + 0.01
            # return 1.0 / (r2 * math.sqrt(r2))
            t_4 = math.sqrt(r2)
            t_5 = r2 * t_4
            t_6 = 1.0 / t_5
            s = masses[j] * t_6
            # fx += s * dx
            s_bar = t * dz + t_2 * dy + t_3 * dx
            # return 1.0 / (r2 * math.sqrt(r2))
            t_5 = -(s_bar * masses[j] * (t_6 / t_5))
            r2_bar = t_5 * t_4 + t_5 * r2 * (0.5 / t_4)
            # r2 = dx * dx + dy * dy + dz * dz + softening
            t_4 = r2_bar * dz
            dz_bar = t * s + t_4 + t_4
            t_4 = r2_bar * dy
            dy_bar = t_2 * s + t_4 + t_4
            t_4 = r2_bar * dx
            dx_bar = t_3 * s + t_4 + t_4
            # s = masses[j] * attraction(dx, dy, dz, 0.01)
            cuda.atomic.add(masses_bar, j, s_bar * t_6)
            # dz = positions[j, 2] - positions[i, 2]
            positions_bar_sum_3 -= dz_bar
            cuda.atomic.add(positions_bar, (j, 2), dz_bar)
            # dy = positions[j, 1] - positions[i, 1]
            positions_bar_sum_2 -= dy_bar
            cuda.atomic.add(positions_bar, (j, 1), dy_bar)
            # dx = positions[j, 0] - positions[i, 0]
            positions_bar_sum -= dx_bar
            cuda.atomic.add(positions_bar, (j, 0), dx_bar)
        if last > -1:
            cuda.atomic.add(positions_bar, (i, 2), positions_bar_sum_3)
            cuda.atomic.add(positions_bar, (i, 1), positions_bar_sum_2)
            cuda.atomic.add(positions_bar, (i, 0), positions_bar_sum)
