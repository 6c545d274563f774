import math
import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'})
def kalman_value_and_grad(a, h, q, r, ys):
    n, n2 = a.shape
    n3, n4 = h.shape
    n5, n6 = q.shape
    n7, n8 = r.shape
    n9, n10 = ys.shape
    if 1 in a.shape or 1 in h.shape or 1 in q.shape or 1 in r.shape or 1 in ys.shape:
        raise ValueError('made for arrays with longer axes')
    x = np.zeros(n)
    a2 = np.zeros((n, n))
    # p = np.eye(len(a))
    for i in range(n):
        a2[i, i] = 1.0
    t2 = n9 > 0
    if n2 != n and t2:
        raise ValueError('the shapes in a @ x do not fit together (line 7 of kalman)')
    if n2 != n6 and t2 or n2 != n5 and t2:
        raise ValueError('the shapes in a @ p @ a.T + q do not fit together (line 8 of kalman)')
    if n4 != n2 and t2:
        raise ValueError('the shapes in h @ x do not fit together (line 9 of kalman)')
    if n10 != n3 and t2:
        raise ValueError('the shapes in ys[t] - h @ x do not fit together (line 9 of kalman)')
    if n10 != n8 and t2 or n10 != n7 and t2:
        raise ValueError('the shapes in h @ p @ h.T + r do not fit together (line 10 of kalman)')
    x_kept = np.empty((n9, n))
    e_kept = np.empty_like(ys)
    t_kept = np.empty((n9, n3, n3))
    t_kept2 = np.empty(n9)
    t_kept3 = np.empty_like(ys)
    x_kept2 = np.empty((n9, n))
    a_kept = np.empty((n9, n, n))
    p = np.empty((n4, n4))
    e = np.empty(n10)
    s = np.empty((n10, n10))
    cost = 0.0
    for t in range(n9):
        # x = a @ x
        x2 = matrix_by_vector(a, x)
        for i in range(n4):
            x_kept2[t, i] = x[i]
            x_kept[t, i] = x2[i]
        # p = a @ p @ a.T + q
        t3 = matmul(matmul(a, a2), a.T)
        for i in range(n4):
            for j in range(n4):
                p[i, j] = t3[i, j] + q[i, j]
        # e = ys[t] - h @ x
        t4 = matrix_by_vector(h, x2)
        for i in range(n10):
            e_i = ys[t, i] - t4[i]
            e[i] = e_i
            e_kept[t, i] = e_i
        # s = h @ p @ h.T + r
        t3 = matmul(matmul(h, p), h.T)
        for i in range(n10):
            for j in range(n10):
                s[i, j] = t3[i, j] + r[i, j]
        # gain = p @ h.T @ np.linalg.inv(s)
        t5 = matmul(p, h.T)
        t3 = inv(s)
        for i in range(n10):
            for j in range(n10):
                t_kept[t, i, j] = t3[i, j]
        gain = matmul(t5, t3)
        # cost += 0.5 * (np.log(np.linalg.det(s)) + e @ np.linalg.solve(s, e))
        t_kept_t = det(s)
        t_kept2[t] = t_kept_t
        t6 = math.log(t_kept_t)
        t4 = solve(s, e)
        total = 0.0
        for i in range(n10):
            t_kept3[t, i] = t4[i]
            total += e[i] * t4[i]
        cost += 0.5 * (t6 + total)
        # x = x + gain @ e
        t4 = matrix_by_vector(gain, e)
        for i in range(n4):
            x[i] = x2[i] + t4[i]
        # p = p - gain @ h @ p
        t3 = matmul(matmul(gain, h), p)
        for i in range(n4):
            for j in range(n4):
                a_kept[t, i, j] = a2[i, j]
                a2[i, j] = p[i, j] - t3[i, j]
    # reverse
    a_bar = np.zeros_like(a)
    h_bar = np.zeros_like(h)
    q_bar = np.zeros_like(q)
    r_bar = np.zeros_like(r)
    x_bar = np.zeros(n)
    a_bar2 = np.zeros((n, n))
    t3 = np.empty((n4, n4))
    gain_bar = np.empty((n4, n10))
    t4 = np.empty(n10)
    s_bar = np.empty((n10, n10))
    p_bar = np.empty((n4, n4))
    t7 = np.empty(n10)
    x_bar2 = np.empty(n4)
    for t in range(n9 - 1, -1, -1):
        # p = a @ p @ a.T + q
        a_kept2 = a_kept[t]
        t5 = matmul(a, a_kept2)
        t8 = matmul(t5, a.T)
        for i in range(n4):
            for j in range(n4):
                p[i, j] = t8[i, j] + q[i, j]
        # s = h @ p @ h.T + r
        t9 = matmul(h, p)
        t8 = matmul(t9, h.T)
        for i in range(n10):
            for j in range(n10):
                s[i, j] = t8[i, j] + r[i, j]
        # gain = p @ h.T @ np.linalg.inv(s)
        t10 = matmul(p, h.T)
        t11 = t_kept[t]
        gain = matmul(t10, t11)
        # cost += 0.5 * (np.log(np.linalg.det(s)) + e @ np.linalg.solve(s, e))
        t6 = t_kept2[t]
        # p = p - gain @ h @ p
        t12 = matmul(gain, h)
        for i in range(n4):
            for j in range(n4):
                t3[i, j] = -a_bar2[i, j]
        t13 = matmul(t3, p.T)
        t8 = matmul(t12.T, t3)
        gain_bar2 = matmul(t13, h.T)
        h_bar2 = matmul(gain.T, t13)
        # x = x + gain @ e
        e_bar = vector_by_matrix(x_bar, gain)
        for i in range(n4):
            for j in range(n10):
                gain_bar[i, j] = gain_bar2[i, j] + x_bar[i] * e_kept[t, j]
        # cost += 0.5 * (np.log(np.linalg.det(s)) + e @ np.linalg.solve(s, e))
        for i in range(n10):
            t4[i] = 0.5 * e_kept[t, i]
        t14 = solve(s.T, t4)
        t6 = 0.5 / t6
        t15 = cofactors(s)
        # gain = p @ h.T @ np.linalg.inv(s)
        t12 = matmul(gain_bar, t11.T)
        t16 = matmul(matmul(t11.T, matmul(t10.T, gain_bar)), t11.T)
        t17 = matmul(t12, h)
        h_bar3 = matmul(p.T, t12)
        for i in range(n10):
            for j in range(n10):
                s_bar_ij = t6 * t15[i, j] - t14[i] * t_kept3[t, j] - t16[i, j]
                s_bar[i, j] = s_bar_ij
                # s = h @ p @ h.T + r
                r_bar[i, j] += s_bar_ij
        t10 = matmul(s_bar, h)
        t15 = matmul(t9.T, s_bar)
        for i in range(n4):
            for j in range(n10):
                h_bar[j, i] += h_bar3[i, j] + t15[i, j]
        t15 = matmul(t10, p.T)
        t16 = matmul(h.T, t10)
        # e = ys[t] - h @ x
        for i in range(n10):
            t6 = -(e_bar[i] + 0.5 * t_kept3[t, i] + t14[i])
            t7[i] = t6
            for j in range(n4):
                h_bar[i, j] += h_bar2[i, j] + t15[i, j] + t6 * x_kept[t, j]
        t14 = vector_by_matrix(t7, h)
        for i in range(n4):
            x_bar2[i] = x_bar[i] + t14[i]
        for i in range(n4):
            for j in range(n4):
                p_bar[i, j] = a_bar2[i, j] + t8[i, j] + t17[i, j] + t16[i, j]
            # p = a @ p @ a.T + q
            for j in range(n4):
                q_bar[i, j] += p_bar[i, j]
        t9 = matmul(p_bar, a)
        a_bar3 = matmul(t5.T, p_bar)
        for i in range(n4):
            for j in range(n4):
                a_bar[j, i] += a_bar3[i, j]
        a_bar3 = matmul(t9, a_kept2.T)
        a_bar4 = matmul(a.T, t9)
        for i in range(n4):
            for j in range(n4):
                a_bar2[i, j] = a_bar4[i, j]
        # x = a @ x
        x_bar3 = vector_by_matrix(x_bar2, a)
        for i in range(n4):
            x_bar[i] = x_bar3[i]
        for i in range(n4):
            x_bar_i = x_bar2[i]
            for j in range(n4):
                a_bar[i, j] += a_bar3[i, j] + x_bar_i * x_kept2[t, j]
    return cost, a_bar, h_bar, q_bar, r_bar
