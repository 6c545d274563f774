import math
import numpy as np


def newton(x0, tol, maxiter):
    # status = UNMET if abs(x) < math.inf else NOT_FINITE
    status = 2 if abs(x0) < np.inf else 3
    x = x0
    nit = 0
    # while nit < maxiter and status == UNMET:
    while nit < maxiter and status == 2:
        # step = value / slope
        step = (x - math.cos(x)) / (1.0 + math.sin(x))
        # x = x - step
        x = x - step
        # nit += 1
        nit += 1
        # if not abs(x) < math.inf:
        t = abs(x)
        if not t < np.inf:
            status = 3
        else:
            # elif abs(step) <= tol * (1.0 + abs(x)):
            if abs(step) <= tol * (1.0 + t):
                status = 0
    # return x - math.cos(x)
    value = x - math.cos(x)
    # message = status if finite else NOT_FINITE
    message = status if abs(value) < np.inf else 3
    # if message == UNMET and not tol > 0.0:
    t_2 = not tol > 0.0
    if message == 2 and t_2:
        message = 1
    # return message <= MADE or (message == NO_LOWER and not tol > 0.0), message
    return x, value, nit, message <= 1 or message == 4 and t_2, message, nit + 1
