from numba import cuda


@cuda.jit
def histogram_adjoint(x, weights, bins, x_bar, weights_bar, bins_bar):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # reverse
    # no atomics for x_bar, weights_bar: no other thread has the same i
    if i < x.shape[0]:
        # at = (x[i] - 0.0) * (bins.shape[0] - 1)
        at = x[i] * (bins.shape[0] - 1)
        # k = int(at)
        k = int(at)
        # f = at - k
        f = at - k
        # cuda.atomic.add(bins, k + 1, weights[i] * f)
        t = bins_bar[k + 1] * weights[i]
        # cuda.atomic.add(bins, k, weights[i] * (1.0 - f))
        weights_bar[i] += bins_bar[k + 1] * f + bins_bar[k] * (1.0 - f)
        # at = (x[i] - 0.0) * (bins.shape[0] - 1)
        x_bar[i] += (t - bins_bar[k] * weights[i]) * (bins.shape[0] - 1)
