import math
import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'})
def gaussian_mixture_value_and_grad(alphas, means, logs, x):
    n = alphas.shape[0]
    n_2, n_3 = means.shape
    n_4, n_5 = logs.shape
    n_6, n_7 = x.shape
    if 1 in alphas.shape or 1 in means.shape or 1 in logs.shape or 1 in x.shape:
        raise ValueError('made for arrays with longer axes')
    scale = np.empty_like(logs)
    # scale = np.exp(logs)
    for i in range(n_4):
        for j in range(n_5):
            scale[i, j] = vector_exp(logs[i, j])
    if n != n_4:
        raise ValueError('the shapes in alphas + np.sum(logs, axis=1) do not fit together (line 4 of gaussian_mixture)')
    weights = np.empty_like(alphas)
    # weights = alphas + np.sum(logs, axis=1)
    for i in range(n):
        alphas_i = alphas[i]
        total = 0.0
        for j in range(n_5):
            total += logs[i, j]
        weights[i] = alphas_i + total
    t = n_6 > 0
    if n_7 != n_3 and t:
        raise ValueError('the shapes in x[i] - means do not fit together (line 7 of gaussian_mixture)')
    if n_7 != n_5 and t or n_2 != n and t:
        raise ValueError('the shapes in (x[i] - means) * scale do not fit together (line 7 of gaussian_mixture)')
    means_bar, scale_bar = np.zeros_like(means), np.zeros((n, n_5))
    weights_bar = np.zeros_like(alphas)
    if n_2 == 0 and t:
        raise ValueError('the largest or smallest of no elements')
    terms, t_2 = np.empty(n_2), np.empty(n_2)
    total = 0.0
    for i in range(n_6):
        # terms = weights - 0.5 * square
        for j in range(n_2):
            weights_j = weights[j]
            total_2 = 0.0
            for k in range(n_7):
                total_2 += ((x[i, k] - means[j, k]) * scale[j, k]) ** 2
            terms[j] = weights_j - 0.5 * total_2
        # m = np.max(terms)
        m = terms[0]
        for j in range(n_2):
            terms_j = terms[j]
            m = terms_j if terms_j > m or terms_j != terms_j else m
        total_2 = 0.0
        # total += m + np.log(np.sum(np.exp(terms - m)))
        for j in range(n_2):
            t_3 = vector_exp(terms[j] - m)
            t_2[j] = t_3
            total_2 += t_3
        total += m + math.log(total_2)
        t_3 = 1.0 / total_2
        total_2 = 0.0
        count = 0
        for j in range(n_2):
            total_2 -= t_3 * t_2[j]
            # m = np.max(terms)
            terms_j = terms[j]
            count += 1 if terms_j == m or terms_j != terms_j and m != m else 0
        t_4 = (1.0 + total_2) / np.float64(count)
        for j in range(n_2):
            terms_j = terms[j]
            terms_bar = t_3 * t_2[j] + (t_4 if terms_j == m or terms_j != terms_j and m != m else 0.0)
            # terms = weights - 0.5 * square
            weights_bar[j] += terms_bar
            # square = np.sum(((x[i] - means) * scale) ** 2, axis=1)
            for k in range(n_7):
                t_5 = x[i, k] - means[j, k]
                t_6 = -(terms_bar * 0.5 * (2.0 * (t_5 * scale[j, k])))
                t = t_6 == 0.0
                scale_bar[j, k] += 0.0 if t else t_6 * t_5
                means_bar[j, k] -= 0.0 if t else t_6 * scale[j, k]
    if n == 0:
        raise ValueError('the largest or smallest of no elements')
    # top = np.max(alphas)
    top = alphas[0]
    for i in range(n):
        alphas_i = alphas[i]
        top = alphas_i if alphas_i > top or alphas_i != alphas_i else top
    t_2 = np.empty_like(alphas)
    total_2 = 0.0
    # return total - len(x) * (top + np.log(np.sum(np.exp(alphas - top))))
    for i in range(n):
        t_3 = vector_exp(alphas[i] - top)
        t_2[i] = t_3
        total_2 += t_3
    value = total - n_6 * (top + math.log(total_2))
    # reverse
    # return total - len(x) * (top + np.log(np.sum(np.exp(alphas - top))))
    top_bar = -1.0 * n_6
    t_3 = top_bar / total_2
    total = 0.0
    count = 0
    for i in range(n):
        total -= t_3 * t_2[i]
        # top = np.max(alphas)
        alphas_i = alphas[i]
        count += 1 if alphas_i == top or alphas_i != alphas_i and top != top else 0
    t_4 = (top_bar + total) / np.float64(count)
    alphas_bar = np.empty_like(alphas)
    # weights = alphas + np.sum(logs, axis=1)
    for i in range(n):
        alphas_i = alphas[i]
        alphas_bar_2 = t_3 * t_2[i] + (t_4 if alphas_i == top or alphas_i != alphas_i and top != top else 0.0)
        alphas_bar[i] = alphas_bar_2 + weights_bar[i]
    logs_bar = np.empty((n, n_5))
    # scale = np.exp(logs)
    for i in range(n):
        weights_bar_i = weights_bar[i]
        for j in range(n_5):
            t_3 = scale_bar[i, j] * scale[i, j]
            logs_bar[i, j] = weights_bar_i + (0.0 if scale_bar[i, j] == 0.0 else t_3)
    return value, alphas_bar, means_bar, logs_bar
