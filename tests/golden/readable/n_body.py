import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model='numpy')
def n_body_value_and_grad(pos0, v0, mass, dt, steps):
    n, n_2 = pos0.shape
    n_3, n_4 = v0.shape
    n_5 = mass.shape[0]
    if 1 in pos0.shape or 1 in v0.shape or 1 in mass.shape:
        raise ValueError('made for arrays with longer axes')
    t = steps > 0
    if n_5 != n and t:
        raise ValueError('the shapes in mass / square ** 1.5 do not fit together (line 7 of n_body)')
    if n_4 != n_2 and t or n_3 != n_5 and t:
        raise ValueError('the shapes in v + dt * np.sum(weight[:, :, np.newaxis] * apart, axis=1) do not fit together (line 8 of n_body)')
    v = v0.copy()
    pos = pos0.copy()
    pos_kept, t_2, pos_2 = np.empty((max(steps, 0), n, n_2)), np.empty(n_4), np.empty_like(v0)
    for it in range(steps):
        for i in range(n_3):
            t_2[:] = 0.0
            # weight = mass / square**1.5
            for j in range(n_3):
                mass_j = mass[j]
                total = 0.0
                for k in range(n_4):
                    apart = pos[j, k] - pos[i, k]
                    total += apart * apart
                weight = mass_j / (total + 0.05) ** 1.5
                # v = v + dt * np.sum(weight[:, :, np.newaxis] * apart, axis=1)
                for k in range(n_4):
                    t_2[k] += weight * (pos[j, k] - pos[i, k])
            for j in range(n_4):
                pos_kept[it, i, j] = pos[i, j]
                v_ij = v[i, j] + dt * t_2[j]
                v[i, j] = v_ij
                # pos = pos + dt * v
                pos_2[i, j] = pos[i, j] + dt * v_ij
        for i in range(n_3):
            for j in range(n_4):
                pos[i, j] = pos_2[i, j]
    # reverse
    v_bar, pos_bar = np.zeros_like(v0), np.empty_like(pos0)
    value = 0.0
    # return np.sum(pos * pos)
    for i in range(n):
        for j in range(n_2):
            pos_ij = pos[i, j]
            value += pos_ij * pos_ij
            pos_bar[i, j] = 2.0 * pos_ij
    v_bar_2, pos_bar_2 = np.empty(n_4), np.empty((1, n_3, n_4))
    pos_bar_3 = np.empty((n_3, 1, n_4))
    for it in range(steps - 1, -1, -1):
        # apart = pos[np.newaxis, :, :] - pos[:, np.newaxis, :]
        pos_bar_2[0] = 0.0
        for i in range(n_3):
            for j in range(n_4):
                pos_bar_3[i, 0, j] = 0.0
                # v = v + dt * np.sum(weight[:, :, np.newaxis] * apart, axis=1)
                v_bar_j = pos_bar[i, j] * dt + v_bar[i, j]
                v_bar_2[j] = v_bar_j
                v_bar[i, j] = v_bar_j
            for j in range(n_3):
                # weight = mass / square**1.5
                mass_j = mass[j]
                total_2 = 0.0
                total = 0.0
                # square = np.sum(apart * apart, axis=2) + 0.05
                for k in range(n_4):
                    apart = pos_kept[it, j, k] - pos_kept[it, i, k]
                    total_2 += apart * apart
                    total += v_bar_2[k] * dt * apart
                square = total_2 + 0.05
                t_3 = square ** 1.5
                weight = mass_j / t_3
                # square = np.sum(apart * apart, axis=2) + 0.05
                t_3 = total * (weight / t_3) * (1.5 * square ** 0.5)
                for k in range(n_4):
                    t_4 = t_3 * (pos_kept[it, j, k] - pos_kept[it, i, k])
                    apart_bar = v_bar_2[k] * dt * weight - t_4 - t_4
                    pos_bar_2[0, j, k] += apart_bar
                    pos_bar_3[i, 0, k] -= apart_bar
        for i in range(n_3):
            for j in range(n_4):
                t_3 = pos_bar[i, j] + pos_bar_3[i, 0, j] + pos_bar_2[0, i, j]
                pos_bar[i, j] = t_3
    return value, pos_bar, v_bar
