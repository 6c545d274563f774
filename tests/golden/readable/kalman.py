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
    x, a2 = np.zeros(n), np.zeros((n, n))
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
    x_kept, e_kept, t_kept = np.empty((n9, n)), np.empty_like(ys), np.empty((n9, n3, n3))
    t_kept2, t_kept3, x_kept2 = np.empty(n9), np.empty_like(ys), np.empty((n9, n))
    a_kept, x2, t3 = np.empty((n9, n, n)), np.empty(n), np.empty((n, n))
    t4, t5, t6 = np.empty((n, n)), np.empty(n3), np.empty((n3, n))
    t7, t8, t9 = np.empty((n3, n3)), np.empty((n, n3)), np.empty((n10, n10))
    gain, work, t10 = np.empty((n, n10)), np.empty((n3, n3)), np.empty(n)
    p, e, s = np.empty((n4, n4)), np.empty(n10), np.empty((n10, n10))
    cost = 0.0
    for t in range(n9):
        # x = a @ x
        matrix_by_vector_into(a, x, x2)
        for i in range(n4):
            x_kept2[t, i] = x[i]
            x_kept[t, i] = x2[i]
        # p = a @ p @ a.T + q
        matmul_into(a, a2, t3)
        matmul_into(t3, a.T, t4)
        for i in range(n4):
            for j in range(n4):
                p[i, j] = t4[i, j] + q[i, j]
        # e = ys[t] - h @ x
        matrix_by_vector_into(h, x2, t5)
        for i in range(n10):
            e_i = ys[t, i] - t5[i]
            e[i] = e_i
            e_kept[t, i] = e_i
        # s = h @ p @ h.T + r
        matmul_into(h, p, t6)
        matmul_into(t6, h.T, t7)
        for i in range(n10):
            for j in range(n10):
                s[i, j] = t7[i, j] + r[i, j]
        # gain = p @ h.T @ np.linalg.inv(s)
        matmul_into(p, h.T, t8)
        inv_into(s, t9)
        for i in range(n10):
            for j in range(n10):
                t_kept[t, i, j] = t9[i, j]
        matmul_into(t8, t9, gain)
        # cost += 0.5 * (np.log(np.linalg.det(s)) + e @ np.linalg.solve(s, e))
        t_kept_t = det(s)
        t_kept2[t] = t_kept_t
        t11 = math.log(t_kept_t)
        solve_into(s, e, work, t5)
        total = 0.0
        for i in range(n10):
            t_kept3[t, i] = t5[i]
            total += e[i] * t5[i]
        cost += 0.5 * (t11 + total)
        # x = x + gain @ e
        matrix_by_vector_into(gain, e, t10)
        for i in range(n4):
            x[i] = x2[i] + t10[i]
        # p = p - gain @ h @ p
        matmul_into(gain, h, t3)
        matmul_into(t3, p, t4)
        for i in range(n4):
            for j in range(n4):
                a_kept[t, i, j] = a2[i, j]
                a2[i, j] = p[i, j] - t4[i, j]
    # reverse
    a_bar, h_bar, q_bar = np.zeros_like(a), np.zeros_like(h), np.zeros_like(q)
    r_bar, x_bar, a_bar2 = np.zeros_like(r), np.zeros(n), np.zeros((n, n))
    t12, t13, gain = np.empty_like(h), np.empty((n4, n3)), np.empty((n4, n3))
    t14, t15, t16 = np.empty((n4, n4)), np.empty((n4, n4)), np.empty((n4, n4))
    gain_bar, h_bar2, e_bar = np.empty((n4, n3)), np.empty_like(h), np.empty(n3)
    work, t5, work2 = np.empty((n10, n10)), np.empty(n10), np.empty((3, n10, n10))
    t17, h_bar3, t18 = np.empty((n3, n3)), np.empty((n, n3)), np.empty((n3, n))
    t19, a_bar3, a_bar4 = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    a_bar5, x_bar2, t20 = np.empty((n, n)), np.empty(n), np.empty((n4, n4))
    gain_bar2, t21, s_bar = np.empty((n4, n10)), np.empty(n10), np.empty((n10, n10))
    p_bar, t22, x_bar3 = np.empty((n4, n4)), np.empty(n10), np.empty(n4)
    for t in range(n9 - 1, -1, -1):
        # p = a @ p @ a.T + q
        a_kept2 = a_kept[t]
        matmul_into(a, a_kept2, t3)
        matmul_into(t3, a.T, t4)
        for i in range(n4):
            for j in range(n4):
                p[i, j] = t4[i, j] + q[i, j]
        # s = h @ p @ h.T + r
        matmul_into(h, p, t12)
        matmul_into(t12, h.T, t7)
        for i in range(n10):
            for j in range(n10):
                s[i, j] = t7[i, j] + r[i, j]
        # gain = p @ h.T @ np.linalg.inv(s)
        matmul_into(p, h.T, t13)
        t23 = t_kept[t]
        matmul_into(t13, t23, gain)
        # cost += 0.5 * (np.log(np.linalg.det(s)) + e @ np.linalg.solve(s, e))
        t11 = t_kept2[t]
        # p = p - gain @ h @ p
        matmul_into(gain, h, t14)
        for i in range(n4):
            for j in range(n4):
                t20[i, j] = -a_bar2[i, j]
        matmul_into(t20, p.T, t15)
        matmul_into(t14.T, t20, t16)
        matmul_into(t15, h.T, gain_bar)
        matmul_into(gain.T, t15, h_bar2)
        # x = x + gain @ e
        vector_by_matrix_into(x_bar, gain, e_bar)
        for i in range(n4):
            for j in range(n10):
                gain_bar2[i, j] = gain_bar[i, j] + x_bar[i] * e_kept[t, j]
        # cost += 0.5 * (np.log(np.linalg.det(s)) + e @ np.linalg.solve(s, e))
        for i in range(n10):
            t21[i] = 0.5 * e_kept[t, i]
        solve_into(s.T, t21, work, t5)
        t11 = 0.5 / t11
        cofactors_into(s, work2, t9)
        # gain = p @ h.T @ np.linalg.inv(s)
        matmul_into(gain_bar2, t23.T, t8)
        matmul_into(t13.T, gain_bar2, t7)
        matmul_into(t23.T, t7, t17)
        matmul_into(t17, t23.T, t7)
        matmul_into(t8, h, t4)
        matmul_into(p.T, t8, h_bar3)
        for i in range(n10):
            for j in range(n10):
                s_bar_ij = t11 * t9[i, j] - t5[i] * t_kept3[t, j] - t7[i, j]
                s_bar[i, j] = s_bar_ij
                # s = h @ p @ h.T + r
                r_bar[i, j] += s_bar_ij
        matmul_into(s_bar, h, t6)
        matmul_into(t12.T, s_bar, t8)
        for i in range(n4):
            for j in range(n10):
                h_bar[j, i] += h_bar3[i, j] + t8[i, j]
        matmul_into(t6, p.T, t18)
        matmul_into(h.T, t6, t19)
        # e = ys[t] - h @ x
        for i in range(n10):
            t11 = -(e_bar[i] + 0.5 * t_kept3[t, i] + t5[i])
            t22[i] = t11
            for j in range(n4):
                h_bar[i, j] += h_bar2[i, j] + t18[i, j] + t11 * x_kept[t, j]
        vector_by_matrix_into(t22, h, t10)
        for i in range(n4):
            x_bar3[i] = x_bar[i] + t10[i]
        for i in range(n4):
            for j in range(n4):
                p_bar[i, j] = a_bar2[i, j] + t16[i, j] + t4[i, j] + t19[i, j]
            # p = a @ p @ a.T + q
            for j in range(n4):
                q_bar[i, j] += p_bar[i, j]
        matmul_into(p_bar, a, t4)
        matmul_into(t3.T, p_bar, a_bar3)
        for i in range(n4):
            for j in range(n4):
                a_bar[j, i] += a_bar3[i, j]
        matmul_into(t4, a_kept2.T, a_bar4)
        matmul_into(a.T, t4, a_bar5)
        for i in range(n4):
            for j in range(n4):
                a_bar2[i, j] = a_bar5[i, j]
        # x = a @ x
        vector_by_matrix_into(x_bar3, a, x_bar2)
        for i in range(n4):
            x_bar[i] = x_bar2[i]
        for i in range(n4):
            x_bar_i = x_bar3[i]
            for j in range(n4):
                a_bar[i, j] += a_bar4[i, j] + x_bar_i * x_kept2[t, j]
    return cost, a_bar, h_bar, q_bar, r_bar
