import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'})
def k_means_value_and_grad(centers, points):
    n, n_2 = centers.shape
    n_3, n_4 = points.shape
    if 1 in centers.shape or 1 in points.shape:
        raise ValueError('made for arrays with longer axes')
    t = n_3 > 0
    if n_2 != n_4 and t:
        raise ValueError('the shapes in centers - points[i] do not fit together (line 4 of k_means)')
    centers_bar = np.zeros_like(centers)
    if n == 0 and t:
        raise ValueError('the largest or smallest of no elements')
    square = np.empty(n)
    cost = 0.0
    for i in range(n_3):
        # square = np.sum((centers - points[i]) ** 2, axis=1)
        for j in range(n):
            total = 0.0
            for k in range(n_2):
                total += (centers[j, k] - points[i, k]) ** 2
            square[j] = total
        # cost += np.min(square)
        best = square[0]
        for j in range(n):
            square_j = square[j]
            best = square_j if square_j < best or square_j != square_j else best
        cost += best
        count = 0
        for j in range(n):
            square_j = square[j]
            count += 1 if square_j == best or square_j != square_j and best != best else 0
        t_2 = 1.0 / np.float64(count)
        # square = np.sum((centers - points[i]) ** 2, axis=1)
        for j in range(n):
            square_j = square[j]
            square_bar = t_2 if square_j == best or square_j != square_j and best != best else 0.0
            for k in range(n_2):
                centers_bar[j, k] += square_bar * (2.0 * (centers[j, k] - points[i, k]))
    return cost, centers_bar
