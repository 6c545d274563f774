import math


def lu(a):
    # n = a.shape[0]
    n = a.shape[0]
    # a = a.copy()
    a = a.copy()
    if n > a.shape[1]:
        raise IndexError('a[k, k] is out of range (line 5 of lu)')
    for k in range(n):
        # a[k, k] += 3.0
        a[k, k] += 3.0
        for i in range(k + 1, n):
            # a[i, k] = a[i, k] / a[k, k]
            a[i, k] = a[i, k] / a[k, k]
            for j in range(k + 1, n):
                # a[i, j] = a[i, j] - a[i, k] * a[k, j]
                a[i, j] = a[i, j] - a[i, k] * a[k, j]
    s = 0.0
    for k in range(n):
        # s = s + math.log(abs(a[k, k]))
        s = s + math.log(abs(a[k, k]))
    return s
