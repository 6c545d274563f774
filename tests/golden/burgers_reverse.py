import numpy as np


def burgers_rev(dt, u0, steps, value_bar):
    # n = u0.shape[0]
    n = u0.shape[0]
    u, u_bar = np.zeros_like(u0), np.zeros_like(u0)
    for i in range(n):
        # u[i] = u0[i]
        u[i] = u0[i]
    w, w_bar, u_kept = np.zeros_like(u0), np.zeros_like(u0), np.empty((max(steps, 0), n))
    u_bar_2 = u_bar
    for t in range(steps):
        u_kept[t] = u
        for i in range(1, n - 1):
            # w[i] = u[i] - dt * u[i] * (u[i + 1] - u[i - 1]) + 0.1 * (u[i + 1] - 2.0 * u[i] + u[i - 1])
            u_i = u[i]
            w[i] = u_i - dt * u_i * (u[i + 1] - u[i - 1]) + 0.1 * (u[i + 1] - 2.0 * u_i + u[i - 1])
        u, u_bar_2, w, w_bar = w, w_bar, u, u_bar_2
    s = 0.0
    for i in range(n):
        # s += u[i] * u[i]
        s += u[i] * u[i]
    # reverse
    u0_bar = np.zeros_like(u0)
    last = n - 1
    for i in range(last, -1, -1):
        # s += u[i] * u[i]
        u_bar_2[i] += 2.0 * (value_bar * u[i])
    dt_bar = 0.0
    for t in range(steps - 1, -1, -1):
        u = u_kept[t]
        for i in range(n - 2, 0, -1):
            # w[i] = u[i] - dt * u[i] * (u[i + 1] - u[i - 1]) + 0.1 * (u[i + 1] - 2.0 * u[i] + u[i - 1])
            t_bar = u_bar_2[i]
            u_bar_2[i] = 0.0
            u_bar_3 = t_bar * 0.1
            t_2 = -t_bar
            t_3 = t_2 * (u[i + 1] - u[i - 1])
            t_2 = t_2 * (dt * u[i])
            w_bar[i - 1] += u_bar_3 - t_2
            w_bar[i + 1] += u_bar_3 + t_2
            dt_bar += t_3 * u[i]
            w_bar[i] += t_bar - u_bar_3 * 2.0 + t_3 * dt
        u_bar_2, w_bar = w_bar, u_bar_2
    for i in range(last, -1, -1):
        # u[i] = u0[i]
        u0_bar_2 = u_bar[i]
        u_bar[i] = 0.0
        u0_bar[i] += u0_bar_2
    return s, dt_bar, u0_bar
