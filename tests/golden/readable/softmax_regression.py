import math
import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'})
def softmax_regression_value_and_grad(w, x, y):
    n, n_2 = w.shape
    n_3, n_4 = x.shape
    n_5, n_6 = y.shape
    if 1 in w.shape or 1 in x.shape or 1 in y.shape:
        raise ValueError('made for arrays with longer axes')
    if n_4 != n:
        raise ValueError('the shapes in x @ w do not fit together (line 2 of softmax_regression)')
    # z = x @ w
    z = matmul(x, w)
    if n_3 == 0 or n_2 == 0:
        raise ValueError('the largest or smallest of no elements')
    # m = np.max(z)
    m = z[0, 0]
    for i in range(n_3):
        for j in range(n_2):
            z_ij = z[i, j]
            m = z_ij if z_ij > m or z_ij != z_ij else m
    e, t, t_2 = np.empty((n_3, n_2)), np.empty(n_3), np.empty((n_3, 1))
    # e = np.exp(z - m)
    for i in range(n_3):
        total = 0.0
        for j in range(n_2):
            e_ij = vector_exp(z[i, j] - m)
            e[i, j] = e_ij
            # log_p = z - m - np.log(np.sum(e, axis=1)).reshape(-1, 1)
            total += e_ij
        t[i] = total
        t_2[i, 0] = math.log(total)
    if n_6 != n_2 or n_5 != n_3:
        raise ValueError('the shapes in y * log_p do not fit together (line 6 of softmax_regression)')
    # reverse
    # return -np.sum(y * log_p) / len(x)
    t_3 = -1.0 / n_5
    t_bar = np.empty_like(y)
    total = 0.0
    m_bar = 0.0
    count = 0
    for i in range(n_5):
        total_2 = 0.0
        for j in range(n_6):
            total += y[i, j] * (z[i, j] - m - t_2[i, 0])
            # e = np.exp(z - m)
            total_2 -= t_3 * y[i, j]
        t_4 = total_2 / t[i]
        for j in range(n_6):
            t_bar_ij = t_3 * y[i, j] + t_4 * e[i, j]
            t_bar[i, j] = t_bar_ij
            m_bar -= t_bar_ij
            # m = np.max(z)
            z_ij = z[i, j]
            count += 1 if z_ij == m or z_ij != z_ij and m != m else 0
    value = -(total / n_5)
    t_3 = m_bar / np.float64(count)
    t_2 = np.empty_like(y)
    # z = x @ w
    for i in range(n_5):
        for j in range(n_6):
            z_ij = z[i, j]
            t_2[i, j] = t_bar[i, j] + (t_3 if z_ij == m or z_ij != z_ij and m != m else 0.0)
    w_bar = matmul(x.T, t_2)
    return value, w_bar
