import math
from numba import cuda


@cuda.jit
def maxima_left(x, groups, largest, smallest):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    if i < x.shape[0]:
        # cuda.atomic.max(largest, groups[i], math.sin(x[i]) * x[i])
        x_i = x[i]
        cuda.atomic.max(largest, groups[i], math.sin(x_i) * x_i)
        # cuda.atomic.min(smallest, (groups[i], 0), x[i] * x[i])
        cuda.atomic.min(smallest, (groups[i], 0), x_i * x_i)


@cuda.jit
def maxima_ties(x, groups, largest, smallest, largest_left, smallest_left, largest_ties, smallest_ties):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    if i < x.shape[0]:
        # cuda.atomic.max(largest, groups[i], math.sin(x[i]) * x[i])
        groups_i = groups[i]
        x_i = x[i]
        if math.sin(x_i) * x_i == largest_left[groups_i]:
            cuda.atomic.add(largest_ties, groups_i, 1.0)
        # cuda.atomic.min(smallest, (groups[i], 0), x[i] * x[i])
        if x_i * x_i == smallest_left[groups_i, 0]:
            cuda.atomic.add(smallest_ties, (groups_i, 0), 1.0)


@cuda.jit
def maxima_adjoint(x, groups, largest, smallest, x_bar, largest_bar, smallest_bar, largest_left, smallest_left, largest_ties, smallest_ties, largest_won, smallest_won):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # reverse
    # no atomics for x_bar: no other thread has the same i
    if i < x.shape[0]:
        # cuda.atomic.max(largest, groups[i], math.sin(x[i]) * x[i])
        groups_i = groups[i]
        x_i = x[i]
        t = math.sin(x_i)
        won = t * x_i == largest_left[groups_i]
        # cuda.atomic.min(smallest, (groups[i], 0), x[i] * x[i])
        if x_i * x_i == smallest_left[groups_i, 0]:
            cuda.atomic.add(smallest_won, (groups_i, 0), 1)
            t_bar = smallest_bar[groups_i, 0] / smallest_ties[groups_i, 0]
        else:
            t_bar = 0.0
        x_bar_2 = 2.0 * (t_bar * x_i)
        # cuda.atomic.max(largest, groups[i], math.sin(x[i]) * x[i])
        if won:
            cuda.atomic.add(largest_won, groups_i, 1)
            t_bar = largest_bar[groups_i] / largest_ties[groups_i]
        else:
            t_bar = 0.0
        x_bar[i] += x_bar_2 + t_bar * t + t_bar * x_i * math.cos(x_i)
