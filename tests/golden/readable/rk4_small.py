import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'})
def rk4_small_value_and_grad(y0, dt, steps):
    n = y0.shape[0]
    if 1 in y0.shape:
        raise ValueError('made for arrays with longer axes')
    y = y0.copy()
    rows = max(steps, 0)
    y_kept, y_kept_2, y_kept_3 = np.empty(rows), np.empty(rows), np.empty(rows)
    y_kept_4, y_kept_5, y_kept_6 = np.empty(rows), np.empty(rows), np.empty(rows)
    y_kept_7, y_kept_8 = np.empty(rows), np.empty(rows)
    t = steps > 0
    if n <= 1 and t:
        raise IndexError('y[1] is out of range (line 2 of oscillator)')
    if n != 2 and t:
        raise ValueError('the shapes in y + 0.5 * dt * k1 do not fit together (line 5 of rk4_small)')
    for it in range(steps):
        # return np.array([y[1], (1.0 - y[0] * y[0]) * y[1] - y[0]])
        y_1 = y[1]
        y_kept[it] = y_1
        y_0 = y[0]
        y_kept_2[it] = y_0
        t_2 = (1.0 - y_0 * y_0) * y_1 - y_0
        # k2 = oscillator(y + 0.5 * dt * k1)
        t_3 = 0.5 * dt
        y_2 = y_0 + t_3 * y_1
        y_3 = y_1 + t_3 * t_2
        y_kept_3[it] = y_3
        y_kept_4[it] = y_2
        t_4 = (1.0 - y_2 * y_2) * y_3 - y_2
        # k3 = oscillator(y + 0.5 * dt * k2)
        y_2 = y_0 + t_3 * y_3
        y_4 = y_1 + t_3 * t_4
        y_kept_5[it] = y_4
        y_kept_6[it] = y_2
        t_3 = (1.0 - y_2 * y_2) * y_4 - y_2
        # k4 = oscillator(y + dt * k3)
        y_2 = y_0 + dt * y_4
        y_5 = y_1 + dt * t_3
        y_kept_7[it] = y_5
        y_kept_8[it] = y_2
        # y = y + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        t_5 = dt / 6.0
        y[0] = y_0 + t_5 * (y_1 + 2.0 * y_3 + 2.0 * y_4 + y_5)
        y[1] = y_1 + t_5 * (t_2 + 2.0 * t_4 + 2.0 * t_3 + ((1.0 - y_2 * y_2) * y_5 - y_2))
    # reverse
    y_bar = np.empty_like(y0)
    value = 0.0
    # return np.sum(y * y)
    for i in range(n):
        y_i = y[i]
        value += y_i * y_i
        y_bar[i] = 2.0 * y_i
    for it in range(steps - 1, -1, -1):
        # return np.array([y[1], (1.0 - y[0] * y[0]) * y[1] - y[0]])
        at = np.uintp(it)
        y_2 = y_kept_2[at]
        # k2 = oscillator(y + 0.5 * dt * k1)
        t_2 = 0.5 * dt
        y_3 = y_kept_4[at]
        y_4 = y_kept_6[at]
        y_5 = y_kept_8[at]
        # y = y + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        t_3 = dt / 6.0
        a_bar = y_bar[0] * t_3
        a_bar_2 = y_bar[1] * t_3
        # return np.array([y[1], (1.0 - y[0] * y[0]) * y[1] - y[0]])
        y_bar_2 = a_bar + a_bar_2 * (1.0 - y_5 * y_5)
        t_3 = a_bar_2 * y_kept_7[at] * y_5
        y_bar_3 = -t_3 - a_bar_2 - t_3
        # k4 = oscillator(y + dt * k3)
        a_bar_3 = a_bar * 2.0
        a_bar_4 = a_bar_2 * 2.0
        a_bar_5 = a_bar_4 + y_bar_2 * dt
        y_bar_4 = a_bar_3 + y_bar_3 * dt + a_bar_5 * (1.0 - y_4 * y_4)
        t_3 = a_bar_5 * y_kept_5[at] * y_4
        y_bar_5 = -t_3 - a_bar_5 - t_3
        # k3 = oscillator(y + 0.5 * dt * k2)
        a_bar_4 += y_bar_4 * t_2
        y_bar_6 = a_bar_3 + y_bar_5 * t_2 + a_bar_4 * (1.0 - y_3 * y_3)
        t_3 = a_bar_4 * y_kept_3[at] * y_3
        y_bar_7 = -t_3 - a_bar_4 - t_3
        # k2 = oscillator(y + 0.5 * dt * k1)
        y_bar_2 = y_bar[1] + y_bar_2 + y_bar_4 + y_bar_6
        a_bar_2 += y_bar_6 * t_2
        t_3 = a_bar_2 * y_kept[at] * y_2
        t_3 = y_bar[0] + y_bar_3 + y_bar_5 + y_bar_7 + (-t_3 - a_bar_2 - t_3)
        y_bar[0] = t_3
        y_bar[1] = y_bar_2 + (a_bar + y_bar_7 * t_2 + a_bar_2 * (1.0 - y_2 * y_2))
    return value, y_bar
