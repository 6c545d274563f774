import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'})
def lstm_value_and_grad(wx, wh, b, xs, ys):
    n, n2 = wx.shape
    n3, n4 = wh.shape
    n5 = b.shape[0]
    n6, n7 = xs.shape
    n8, n9 = ys.shape
    t2 = 3 * n3
    t3 = 1 in wx.shape or 1 in wh.shape or 1 in b.shape or 1 in xs.shape or 1 in ys.shape
    if t3 or n2 < t2 + 2:
        raise ValueError('made for arrays with longer axes')
    h, c = np.zeros(n3), np.zeros(n3)
    t3 = n6 > 0
    if n7 != n and t3:
        raise ValueError('the shapes in xs[t] @ wx do not fit together (line 7 of lstm)')
    if n2 != n4 and t3:
        raise ValueError('the shapes in xs[t] @ wx + h @ wh do not fit together (line 7 of lstm)')
    if n2 != n5 and t3:
        raise ValueError('the shapes in xs[t] @ wx + h @ wh + b do not fit together (line 7 of lstm)')
    if 4 * n3 != n2 and t3:
        raise ValueError('the shapes in i * np.tanh(z[3 * n:]) do not fit together (line 11 of lstm)')
    z_kept, h_kept, c_kept = np.empty((n6, n2)), np.empty((n6, n3)), np.empty((n6, n3))
    t4 = 2 * n3
    t5 = 1.0 / n6
    hs_bar = np.empty((n6, n3))
    t3 = n3 != n9
    t6, t7, z = np.empty(n2), np.empty(n4), np.empty(n2)
    loss = 0.0
    for t in range(n6):
        # z = xs[t] @ wx + h @ wh + b
        vector_by_matrix_into(xs[t], wx, t6)
        vector_by_matrix_into(h, wh, t7)
        for i in range(n2):
            z_kept[t, i] = t6[i] + t7[i] + b[i]
        for i in range(n2):
            z[i] = t6[i] + t7[i] + b[i]
        if t >= n8:
            raise IndexError('ys[t] is out of range (line 16 of lstm)')
        if t3:
            raise ValueError('made for arrays with longer axes')
        total = 0.0
        # c = f * c + i * np.tanh(z[3 * n :])
        for i in range(n3):
            h_kept[t, i] = h[i]
            c_kept[t, i] = c[i]
            t8 = 1.0 / (1.0 + vector_exp(-z[i])) * vector_tanh(z[np.uintp(i + t2)])
            c_i = 1.0 / (1.0 + vector_exp(-z[np.uintp(i + n3)])) * c[i] + t8
            c[i] = c_i
            # h = o * np.tanh(c)
            h_i = 1.0 / (1.0 + vector_exp(-z[np.uintp(i + t4)])) * vector_tanh(c_i)
            h[i] = h_i
            # loss += np.sum((hs[t] - ys[t]) ** 2)
            t8 = h_i - ys[t, i]
            total += t8 * t8
            hs_bar[t, i] = t5 * (2.0 * t8)
        loss += total
    # return loss / len(xs)
    value = loss / n6
    # reverse
    wx_bar, wh_bar, b_bar = np.zeros_like(wx), np.zeros_like(wh), np.zeros_like(b)
    c_bar, h_bar, h_bar2 = np.zeros(n3), np.zeros(n3), np.empty(n3)
    z, t6, i2 = np.empty(n4), np.empty(n3), np.empty(n3)
    t7, f, t9 = np.empty(n3), np.empty(n3), np.empty(n3)
    o, t10, z_bar = np.empty(n3), np.empty(n3), np.empty(n4)
    c_bar2 = np.empty(n3)
    for t in range(n6 - 1, -1, -1):
        # z = xs[t] @ wx + h @ wh + b
        for i in range(n4):
            z[i] = z_kept[t, i]
        z_bar[:] = 0.0
        # return 1.0 / (1.0 + np.exp(-x))
        for i in range(n3):
            t5 = vector_exp(-z[i])
            t6[i] = t5
            i2[i] = 1.0 / (1.0 + t5)
            t5 = vector_exp(-z[np.uintp(i + n3)])
            t7[i] = t5
            f[i] = 1.0 / (1.0 + t5)
            t5 = vector_exp(-z[np.uintp(i + t4)])
            t9[i] = t5
            o[i] = 1.0 / (1.0 + t5)
            # c = f * c + i * np.tanh(z[3 * n :])
            t10[i] = vector_tanh(z[np.uintp(i + t2)])
        for i in range(n3):
            at = np.uintp(i + t2)
            c_i = f[i] * c_kept[t, i] + i2[i] * t10[i]
            c[i] = c_i
            # hs.append(h)
            hs_bar_ti = hs_bar[t, i]
            hs_bar[t, i] = 0.0
            h_bar[i] += hs_bar_ti
            # c = f * c + i * np.tanh(z[3 * n :])
            t5 = vector_sech(c_i)
            c_bar3 = (0.0 if h_bar[i] == 0.0 else h_bar[i] * o[i]) * (t5 * t5)
            c_bar_i = c_bar3 + c_bar[i]
            c_bar2[i] = c_bar_i
            t3 = c_bar_i == 0.0
            t5 = vector_sech(z[at])
            z_bar[at] = (0.0 if t3 else c_bar_i * i2[i]) * (t5 * t5)
            c_bar[i] = 0.0 if t3 else c_bar_i * f[i]
        # return 1.0 / (1.0 + np.exp(-x))
        for i in range(n3):
            o_bar = 0.0 if h_bar[i] == 0.0 else h_bar[i] * vector_tanh(c[i])
            t5 = o_bar * (0.0 if o[i] == 0.0 else o[i] * (t9[i] / (1.0 + t9[i])))
            z_bar[np.uintp(i + t4)] += t5
        for i in range(n3):
            f_bar = 0.0 if c_bar2[i] == 0.0 else c_bar2[i] * c_kept[t, i]
            t5 = f_bar * (0.0 if f[i] == 0.0 else f[i] * (t7[i] / (1.0 + t7[i])))
            z_bar[np.uintp(i + n3)] += t5
        for i in range(n3):
            t5 = 0.0 if i2[i] == 0.0 else i2[i] * (t6[i] / (1.0 + t6[i]))
            z_bar[i] += (0.0 if c_bar2[i] == 0.0 else c_bar2[i] * t10[i]) * t5
        # z = xs[t] @ wx + h @ wh + b
        for i in range(n4):
            b_bar[i] += z_bar[i]
        matrix_by_vector_into(wh, z_bar, h_bar2)
        for i in range(n3):
            h_kept_ti = h_kept[t, i]
            for j in range(n4):
                wh_bar[i, j] += h_kept_ti * z_bar[j]
        for i in range(n3):
            h_bar[i] = h_bar2[i]
        for i in range(n7):
            for j in range(n4):
                wx_bar[i, j] += xs[t, i] * z_bar[j]
    return value, wx_bar, wh_bar, b_bar
