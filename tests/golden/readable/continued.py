import math
import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'})
def continued_value_and_grad(x, depth):
    tape = np.empty(continued_inner_count(x, depth, np.int64(0)))
    continued_inner, pos = continued_inner_forward(x, depth, np.int64(0), tape)
    # reverse
    return continued_inner, continued_inner_backward(np.int64(0), x, depth, tape, 1.0)


@njit(nogil=True, cache=True, error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'})
def continued_inner_backward(mark, x, depth, tape, value_bar):
    if depth == 0:
        # return math.sin(x)
        x_bar = value_bar * math.cos(x)
    else:
        # return x + 1.0 / (1.0 + inner * inner)
        inner_bar = 2.0 * (value_bar * (tape[mark] / tape[mark + 1]) * tape[mark + 2])
        # inner = continued(x, depth - 1)
        x_bar = value_bar + continued_inner_backward(mark + 3, x, depth - 1, tape, -inner_bar)
    return x_bar


@njit(nogil=True, cache=True, error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'})
def continued_inner_forward(x, depth, pos, tape):
    if depth == 0:
        # return math.sin(x)
        t = math.sin(x)
    else:
        # inner = continued(x, depth - 1)
        inner, pos2 = continued_inner_forward(x, depth - 1, pos + 3, tape)
        tape[pos + 2] = inner
        # return x + 1.0 / (1.0 + inner * inner)
        tape_at = 1.0 + inner * inner
        tape[pos + 1] = tape_at
        tape_pos = 1.0 / tape_at
        tape[pos] = tape_pos
        t = x + tape_pos
        pos = pos2
    return t, pos


@njit(nogil=True, cache=True, error_model='numpy', fastmath={'arcp', 'contract', 'nsz', 'reassoc'})
def continued_inner_count(x, depth, pos):
    if depth != 0:
        # inner = continued(x, depth - 1)
        pos = continued_inner_count(x, depth - 1, pos + 3)
    return pos
