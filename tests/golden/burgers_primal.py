import numpy as np


def burgers(dt, u0, steps):
    # n = u0.shape[0]
    n = u0.shape[0]
    u = np.zeros_like(u0)
    for i in range(n):
        # u[i] = u0[i]
        u[i] = u0[i]
    w = np.zeros_like(u0)
    for t in range(steps):
        for i in range(1, u.shape[0] - 1):
            # w[i] = u[i] - dt * u[i] * (u[i + 1] - u[i - 1]) + 0.1 * (u[i + 1] - 2.0 * u[i] + u[i - 1])
            t_2 = u[i] - dt * u[i] * (u[i + 1] - u[i - 1])
            w[i] = t_2 + 0.1 * (u[i + 1] - 2.0 * u[i] + u[i - 1])
        u, w = w, u
    s = 0.0
    for i in range(u.shape[0]):
        # s += u[i] * u[i]
        s += u[i] * u[i]
    return s
