import math
import numpy as np


def newton(x0, tol, maxiter):
    x = x0
    nit = 0
    success = False
    while nit < maxiter and not success:
        # step = value / slope
        step = (x - math.cos(x)) / (1.0 + math.sin(x))
        # x = x - step
        x = x - step
        # nit += 1
        nit += 1
        # success = abs(step) <= tol * (1.0 + abs(x)) and abs(x) < math.inf
        t = abs(x)
        success = abs(step) <= tol * (1.0 + t) and t < np.inf
    # return x - math.cos(x)
    return x, x - math.cos(x), nit, success
