from numba import cuda


@cuda.jit
def plain_stencil_2d_adjoint(u, out, u_bar, out_bar):
    # i, j = cuda.grid(2)
    i, j = cuda.grid(2)
    # if i > 0 and j > 0 and i < u.shape[0] - 1 and j < u.shape[1] - 1:
    value = i > 0 and (j > 0 and (i < u.shape[0] - 1 and j < u.shape[1] - 1))
    # reverse
    # if i > 0 and j > 0 and i < u.shape[0] - 1 and j < u.shape[1] - 1:
    if value:
        # out[i, j] = u[i, j] * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1] - 4.0 * u[i, j])
        t = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]
        t_bar = out_bar[i, j]
        out_bar[i, j] = 0.0
        t_2 = t_bar * u[i, j]
        cuda.atomic.add(u_bar, (i, j + 1), t_2)
        cuda.atomic.add(u_bar, (i, j - 1), t_2)
        cuda.atomic.add(u_bar, (i + 1, j), t_2)
        cuda.atomic.add(u_bar, (i - 1, j), t_2)
        cuda.atomic.add(u_bar, (i, j), t_bar * (t - 4.0 * u[i, j]) - t_2 * 4.0)
