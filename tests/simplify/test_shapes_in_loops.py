"""Arrays that keep their shape round a loop are known to: nothing is summed back, cut off or kept for it."""

import numpy as np

import srcgrad as sg

RNG = np.random.default_rng(5)


def waves(u):
    v = np.zeros_like(u)
    for _ in range(3):
        v[1:-1, 1:-1] = np.tanh(u[:-2, 1:-1] + u[2:, 1:-1] - u[1:-1, 1:-1])
        v[:, 0] = v[:, -2]
        u, v = v, u
    return np.sum(u * u)


def grown(u):
    total = 0.0
    for _ in range(3):
        total += np.sum(u * u[0])
        u = np.concatenate((u, u[:1]))
    return total


def numerical(fun, u, step=1e-6):
    bar = np.zeros_like(u)
    for place in np.ndindex(u.shape):
        up, down = u.copy(), u.copy()
        up[place] += step
        down[place] -= step
        bar[place] = (fun(up) - fun(down)) / (2 * step)
    return bar


def test_swapped_buffers():
    u = RNG.normal(size=(4, 5))
    made = sg.grad(waves, jit=False)
    np.testing.assert_allclose(made(u), numerical(waves, u), rtol=1e-6, atol=1e-8)
    assert "unbroadcast" not in made.source
    assert made.source.count("_kept = ") == 1  # one snapshot a turn, of the array that tanh is of


def test_what_grows_does_not_stay():
    u = RNG.normal(size=3)
    np.testing.assert_allclose(sg.grad(grown, jit=False)(u), numerical(grown, u), rtol=1e-6)


def test_a_transposed_view_that_is_carried_is_compiled():
    def f(a, b):
        p, s = a.copy().T, b.copy()
        for _ in range(2):
            s[:] = p * 0.5
            p, s = s, p
        return np.sum(p * a)

    args = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3))
    np.testing.assert_allclose(sg.grad(f)(*args), sg.grad(f, jit=False)(*args), rtol=1e-15)
