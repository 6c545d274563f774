import math
import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model='numpy')
def option_tree_value_and_grad(spot, strike, rate, sigma, years, steps):
    # dt = years / steps
    dt = years / steps
    # up = math.exp(sigma * math.sqrt(dt))
    t = math.sqrt(dt)
    up = math.exp(sigma * t)
    # p = (math.exp(rate * dt) - 1.0 / up) / (up - 1.0 / up)
    t_2 = rate * dt
    t_3 = math.exp(t_2)
    t_4 = 1.0 / up
    t_5 = up - t_4
    p = (t_3 - t_4) / t_5
    # discount = math.exp(-rate * dt)
    discount = math.exp(-t_2)
    # values = np.empty(steps + 1)
    t_6 = steps + 1
    if t_6 < 0:
        raise ValueError('a length in np.empty(steps + 1) is negative (line 7 of option_tree)')
    values, t_kept = np.empty(t_6), np.empty(t_6)
    for i in range(t_6):
        # values[i] = max(strike - spot * up ** (2 * i - steps), 0.0)
        t_kept_i = up ** (2 * i - steps)
        t_kept[i] = t_kept_i
        values[i] = max(strike - spot * t_kept_i, 0.0)
    t_7 = steps - 1
    rows = max(steps, 0)
    t_kept_2, values_kept = np.empty((rows, rows)), np.empty((rows, rows))
    values_kept_2 = np.empty((rows, rows))
    for k in range(t_7, -1, -1):
        row = t_7 - k
        for i in range(k + 1):
            # held = discount * (p * values[i + 1] + (1.0 - p) * values[i])
            values_kept[row, i] = values[i + 1]
            values_kept_2[row, i] = values[i]
            held = discount * (p * values[i + 1] + (1.0 - p) * values[i])
            # values[i] = max(held, strike - spot * up ** (2 * i - k))
            t_kept_row_i = up ** (2 * i - k)
            t_kept_2[row, i] = t_kept_row_i
            values[i] = max(held, strike - spot * t_kept_row_i)
    if t_6 <= 0:
        raise IndexError('values[0] is out of range (line 14 of option_tree)')
    # return values[0]
    values_0 = values[0]
    # reverse
    values_bar = np.zeros(t_6)
    # return values[0]
    values_bar[0] = 1.0
    spot_bar = 0.0
    up_bar = 0.0
    discount_bar = 0.0
    p_bar = 0.0
    for k in range(steps):
        row = t_7 - k
        for i in range(k, -1, -1):
            # held = discount * (p * values[i + 1] + (1.0 - p) * values[i])
            at = np.uintp(i)
            t_2 = 1.0 - p
            t_8 = p * values_kept[row, at] + t_2 * values_kept_2[row, at]
            held = discount * t_8
            # values[i] = max(held, strike - spot * up ** (2 * i - k))
            t_6 = 2 * i - k
            t_9 = strike - spot * t_kept_2[row, at]
            t_bar = values_bar[at]
            t_10 = t_9 > held
            t_11 = held == t_9
            t_12 = 0.5 * t_bar
            held_bar = 0.0 if t_10 else t_12 if t_11 else t_bar
            t_13 = t_9 >= held
            t_9 = -(t_bar if t_10 else t_12 if t_11 else 0.0)
            spot_bar += t_9 * t_kept_2[row, at] if t_13 else 0.0
            up_bar += (t_9 * spot if t_13 else 0.0) * (t_6 * up ** (t_6 - 1 if t_6 != 0 else 0)) if t_13 else 0.0
            # held = discount * (p * values[i + 1] + (1.0 - p) * values[i])
            t_9 = 0.0 if t_10 else held_bar * discount
            discount_bar += 0.0 if t_10 else held_bar * t_8
            values_bar[at] = 0.0 if t_10 else t_9 * t_2
            p_bar -= 0.0 if t_10 else t_9 * values_kept_2[row, at]
            p_bar += 0.0 if t_10 else t_9 * values_kept[row, at]
            values_bar[np.uintp(i + 1)] += 0.0 if t_10 else t_9 * p
    for i in range(steps, -1, -1):
        # values[i] = max(strike - spot * up ** (2 * i - steps), 0.0)
        t_6 = 2 * i - steps
        at = np.uintp(i)
        t_2 = strike - spot * t_kept[at]
        t_bar = values_bar[at]
        values_bar[at] = 0.0
        t_10 = 0.0 > t_2
        t_2 = -(0.0 if t_10 else 0.5 * t_bar if t_2 == 0.0 else t_bar)
        spot_bar += 0.0 if t_10 else t_2 * t_kept[at]
        up_bar += 0.0 if t_10 else (0.0 if t_10 else t_2 * spot) * (t_6 * up ** (t_6 - 1 if t_6 != 0 else 0))
    # p = (math.exp(rate * dt) - 1.0 / up) / (up - 1.0 / up)
    t_2 = p_bar / t_5
    t_4 = (p_bar * (p / t_5) - t_2) * (0.0 if t_4 == 0.0 else t_4)
    t_bar = -(p_bar * (0.0 if p == 0.0 else p * (up / t_5))) - t_4
    t_bar_2 = (0.0 if t_2 == 0.0 else t_2 * t_3) - discount_bar * discount
    # up = math.exp(sigma * math.sqrt(dt))
    t_bar += 0.0 if up_bar == 0.0 else up_bar * up
    return values_0, spot_bar, 0.0 if t_bar_2 == 0.0 else t_bar_2 * dt, 0.0 if t_bar == 0.0 else t_bar * t
