import math
import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model='numpy')
def gaussian_process_value_and_grad(log_lengths, log_height, log_noise, x, y):
    n = log_lengths.shape[0]
    n_2, n_3 = x.shape
    n_4 = y.shape[0]
    if 1 in log_lengths.shape or 1 in x.shape or 1 in y.shape:
        raise ValueError('made for arrays with longer axes')
    if n_3 != n:
        raise ValueError('the shapes in x / np.exp(log_lengths) do not fit together (line 3 of gaussian_process)')
    t = np.empty(n_3)
    # z = x / np.exp(log_lengths)
    for i in range(n_3):
        t[i] = vector_exp(log_lengths[i])
    z, squares = np.empty_like(x), np.empty(n_2)
    for i in range(n_2):
        total = 0.0
        for j in range(n_3):
            z_ij = x[i, j] / t[j]
            z[i, j] = z_ij
            # squares = np.sum(z * z, axis=1)
            total += z_ij * z_ij
        squares[i] = total
    # distance = squares.reshape(-1, 1) + squares - 2.0 * (z @ z.T)
    t_2 = matmul(z, z.T)
    # k = np.exp(log_height) * np.exp(-0.5 * distance) + np.exp(log_noise) * np.eye(len(x))
    t_3 = math.exp(log_height)
    t_4 = np.empty((n_2, n_2))
    t_5 = math.exp(log_noise)
    a, t_6 = np.zeros((n_2, n_2)), np.empty((n_2, n_2))
    for i in range(n_2):
        a[i, i] = 1.0
        squares_i = squares[i]
        for j in range(n_2):
            t_7 = vector_exp(-0.5 * (squares_i + squares[j] - 2.0 * t_2[i, j]))
            t_4[i, j] = t_7
            # c = np.linalg.cholesky(k)
            t_6[i, j] = t_3 * t_7 + t_5 * a[i, j]
    c = cholesky(t_6)
    # w = np.linalg.solve(c, y)
    w = solve(c, y)
    total = 0.0
    # return 0.5 * np.sum(w * w) + np.sum(np.log(np.diag(c))) + 0.5 * len(x) * math.log(2.0 * math.pi)
    for i in range(n_2):
        total += vector_log(c[i, i])
    t_7 = 0.5 * n_2 * math.log(6.283185307179586)
    # reverse
    z_bar, squares_bar, t = np.empty_like(x), np.empty(n_2), np.empty_like(y)
    total_2 = 0.0
    # return 0.5 * np.sum(w * w) + np.sum(np.log(np.diag(c))) + 0.5 * len(x) * math.log(2.0 * math.pi)
    for i in range(n_4):
        w_i = w[i]
        total_2 += w_i * w_i
        # w = np.linalg.solve(c, y)
        t[i] = 2.0 * (0.5 * w_i)
    value = 0.5 * total_2 + total + t_7
    t = solve(c.T, t)
    # c = np.linalg.cholesky(k)
    for i in range(n_2):
        for j in range(n_2):
            t_6[i, j] = (1.0 / c[i, i] if i == j else 0.0) - t[i] * w[j]
    t_2 = solve_lower_transposed_columns(c, lower_half(matmul(c.T, t_6)))
    for i in range(n_2):
        for j in range(n_2):
            t_6[i, j] = t_2[j, i]
    t_2 = solve_lower_transposed_columns(c, t_6)
    squares_bar_2 = np.zeros(n_2)
    total_2 = 0.0
    total = 0.0
    # k = np.exp(log_height) * np.exp(-0.5 * distance) + np.exp(log_noise) * np.eye(len(x))
    for i in range(n_2):
        total_3 = 0.0
        for j in range(n_2):
            k_bar = 0.5 * (t_2[j, i] + t_2[i, j])
            total_2 += k_bar * a[i, j]
            total += k_bar * t_4[i, j]
            distance_bar = k_bar * t_3 * t_4[i, j] * -0.5
            # distance = squares.reshape(-1, 1) + squares - 2.0 * (z @ z.T)
            t_6[i, j] = distance_bar * -2.0
            squares_bar_2[j] += distance_bar
            total_3 += distance_bar
        squares_bar[i] = total_3
    log_noise_bar = total_2 * t_5
    log_height_bar = total * t_3
    z_bar_2 = matmul(t_6, z)
    z_bar_3 = matmul(z.T, t_6)
    for i in range(n_3):
        for j in range(n_2):
            z_bar[j, i] = z_bar_3[i, j]
    log_lengths_bar = np.zeros(n_3)
    # z = x / np.exp(log_lengths)
    for i in range(n_2):
        squares_bar_i = squares_bar_2[i]
        squares_bar_i_2 = squares_bar[i]
        for j in range(n_3):
            z_ij = z[i, j]
            t_3 = (squares_bar_i + squares_bar_i_2) * z_ij
            t_3 = -((z_bar_2[i, j] + t_3 + t_3 + z_bar[i, j]) * (0.0 if z_ij == 0.0 else z_ij))
            log_lengths_bar[j] += t_3
    return value, log_lengths_bar, log_height_bar, log_noise_bar
