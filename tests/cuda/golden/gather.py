import math
from numba import cuda


@cuda.jit
def gather_adjoint(x, places, out, x_bar, out_bar):
    # i = cuda.grid(1)
    i = cuda.grid(1)
    # reverse
    if i < places.shape[0]:
        # out[i] = math.sin(x[places[i]]) * x[places[i]]
        x_places = x[places[i]]
        t_bar = out_bar[i]
        out_bar[i] = 0.0
        cuda.atomic.add(x_bar, places[i], t_bar * math.sin(x_places) + t_bar * x_places * math.cos(x_places))
