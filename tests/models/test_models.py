"""Each model's gradient against numerical derivatives, in both modes."""

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.testing import check_grads
from tests.models import learning, physics, statistics

RNG = np.random.default_rng(7)


def normal(*shape):
    return RNG.standard_normal(shape)


X = normal(5, 3)
LABELS = np.array([0, 2, 1, 2, 0])
NETWORK = {"w1": normal(3, 4), "b1": normal(4), "w2": normal(4, 2), "b2": normal(2)}
MIXTURE = (normal(3), normal(3, 2), 0.3 * normal(3, 2), normal(4, 2))
CAMERA = physics.Camera(0.3 * normal(3), np.array([0.1, -0.2, -6.0]), 1.3, np.array([0.05, -0.01]))
EMIT = np.log(np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]]))
MOVE = np.log(np.array([[0.7, 0.3], [0.4, 0.6]]))
LSTM = (0.5 * normal(8, 3), 0.5 * normal(2, 8), 0.1 * normal(8), normal(2))

MODELS = {
    "two_layers": (learning.two_layers, (NETWORK, X, normal(5, 2))),
    "softmax_regression": (learning.softmax_regression, (normal(3, 3), normal(3), X, LABELS)),
    "softmax_vectorised": (learning.softmax_vectorised, (normal(3, 3), normal(3), X, LABELS)),
    "k_means": (learning.k_means, (normal(2, 3), X)),
    "k_means_vectorised": (learning.k_means_vectorised, (normal(2, 3), X)),
    "mixture_in_loops": (learning.mixture_in_loops, MIXTURE),
    "mixture_vectorised": (learning.mixture_vectorised, MIXTURE),
    "lstm": (learning.lstm, (LSTM, X, 0.4)),
    "gaussian_process": (statistics.gaussian_process, (np.array([0.1, -0.3, -1.0]), normal(5), normal(5))),
    "kalman_filter": (statistics.kalman_filter, (0.5 * normal(2, 2), 0.3, 0.7, normal(5))),
    "hidden_markov": (statistics.hidden_markov, (np.log(np.array([0.6, 0.4])), MOVE, EMIT, np.array([0, 2, 1, 1]))),
    "black_scholes": (statistics.black_scholes, (1.1, 1.0, 0.03, 0.2, 0.5)),
    "lotka_volterra": (
        physics.lotka_volterra,
        (np.array([1.1, 0.4, 0.1, 0.4]), np.array([2.0, 1.0]), 1 + 0.1 * normal(4, 2), 0.1),
    ),
    "lennard_jones": (physics.lennard_jones, (np.arange(12.0).reshape(4, 3) % 5 + 0.2 * normal(4, 3), 0.8, 1.1)),
    "reprojection": (physics.reprojection, (CAMERA, normal(3, 3), 0.3 * normal(3, 2))),
    "bone_chain": (
        physics.bone_chain,
        (0.5 * normal(4, 3), np.array([1.0, 0.8, 0.6, 0.9]), np.array([-1, 0, 1, 0]), normal(4, 3)),
    ),
}
ALIKE = [("mixture_in_loops", "mixture_vectorised"), ("k_means", "k_means_vectorised")]
COMPILED = ["two_layers", "hidden_markov", "reprojection"]


@pytest.mark.parametrize("name", MODELS)
def test_gradient(name):
    fun, args = MODELS[name]
    check_grads(fun, args, jit=False, cache=False)


@pytest.mark.parametrize("pair", ALIKE, ids=[a for a, _ in ALIKE])
def test_loops_and_arrays_agree(pair):
    (one, args), (other, _) = (MODELS[name] for name in pair)
    by_loops, by_arrays = (sg.grad(fun, jit=False, cache=False)(*args) for fun in (one, other))
    np.testing.assert_allclose(by_loops, by_arrays, rtol=1e-11)


@pytest.mark.parametrize("name", COMPILED)
def test_compiled(name):
    fun, args = MODELS[name]
    expected, got = (sg.grad(fun, jit=jit)(*args) for jit in (False, True))
    for one, other in zip(leaves(got), leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)


def leaves(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, tuple):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]
