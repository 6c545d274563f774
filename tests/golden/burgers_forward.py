import numpy as np


def burgers_fwd(dt, u0, steps, dt_dot, u0_dot):
    # n = u0.shape[0]
    n = u0.shape[0]
    u, u_dot = np.zeros_like(u0), np.zeros_like(u0)
    for i in range(n):
        # u[i] = u0[i]
        u[i] = u0[i]
        u_dot[i] = u0_dot[i]
    w, w_dot = np.zeros_like(u0), np.zeros_like(u0)
    for t in range(steps):
        for i in range(1, n - 1):
            # w[i] = u[i] - dt * u[i] * (u[i + 1] - u[i - 1]) + 0.1 * (u[i + 1] - 2.0 * u[i] + u[i - 1])
            u_i = u[i]
            u_dot_i = u_dot[i]
            t_2 = dt * u_i
            t_3 = u[i + 1] - u[i - 1]
            t_dot = (dt_dot * u_i + u_dot_i * dt) * t_3 + (u_dot[i + 1] - u_dot[i - 1]) * t_2
            t_dot_2 = (u_dot[i + 1] - u_dot_i * 2.0 + u_dot[i - 1]) * 0.1
            w[i] = u_i - t_2 * t_3 + 0.1 * (u[i + 1] - 2.0 * u_i + u[i - 1])
            w_dot[i] = u_dot_i - t_dot + t_dot_2
        u, w, u_dot, w_dot = w, u, w_dot, u_dot
    s = 0.0
    s_dot = 0.0
    for i in range(n):
        # s += u[i] * u[i]
        u_i = u[i]
        s += u_i * u_i
        s_dot += 2.0 * (u_dot[i] * u_i)
    return s, s_dot
