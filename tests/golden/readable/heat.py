import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'})
def heat_value_and_grad(u0, alpha, steps):
    n, n2 = u0.shape
    u = u0.copy()
    u_bar, u2, u_bar2 = np.zeros_like(u0), np.empty_like(u0), np.zeros_like(u0)
    t = max(n - 2, 0)
    t2 = max(n2 - 2, 0)
    u_bar3 = u_bar
    for _ in range(steps):
        # un = u.copy()
        for i in range(n):
            for j in range(n2):
                u2[i, j] = u[i, j]
        # un[1:-1, 1:-1] = u[1:-1, 1:-1] + alpha * ( u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * u[1:-1, 1:-1] )
        for i in range(t):
            for j in range(t2):
                t3 = alpha * (u[i + 2, j + 1] + u[i, j + 1] + u[i + 1, j + 2] + u[i + 1, j] - 4.0 * u[i + 1, j + 1])
                u2[i + 1, j + 1] = u[i + 1, j + 1] + t3
        u, u_bar3, u2, u_bar2 = u2, u_bar2, u, u_bar3
    # reverse
    value = 0.0
    # return np.sum(u * u)
    for i in range(n):
        for j in range(n2):
            u_ij = u[i, j]
            value += u_ij * u_ij
            u_bar3[i, j] += 2.0 * u_ij
    t_bar = np.empty(t2)
    for _ in range(steps - 1, -1, -1):
        # un[1:-1, 1:-1] = u[1:-1, 1:-1] + alpha * ( u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * u[1:-1, 1:-1] )
        for i in range(t):
            for j in range(t2):
                u_bar_tt = u_bar3[i + 1, j + 1]
                t_bar[j] = u_bar_tt
                u_bar3[i + 1, j + 1] = 0.0
                u_bar2[i + 1, j + 1] += u_bar_tt - u_bar_tt * alpha * 4.0
            for j in range(t2):
                u_bar2[i + 1, j] += t_bar[j] * alpha
            for j in range(t2):
                u_bar2[i + 1, j + 2] += t_bar[j] * alpha
            for j in range(t2):
                u_bar2[i, j + 1] += t_bar[j] * alpha
            for j in range(t2):
                u_bar2[i + 2, j + 1] += t_bar[j] * alpha
        # un = u.copy()
        for i in range(n):
            for j in range(n2):
                t3 = u_bar3[i, j]
                u_bar3[i, j] = 0.0
                u_bar2[i, j] += t3
        u_bar3, u_bar2 = u_bar2, u_bar3
    return value, u_bar
