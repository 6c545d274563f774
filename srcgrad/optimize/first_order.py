"""Gradient descent and Adam: the state that they begin with, and how they advance, over numbers and over arrays.

`own` makes copies of what a step writes into.
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import math

import numpy as np


def begin_number(x0):
    """One velocity."""
    return 0.0 * x0


def own_number(x, velocity):
    return x, velocity


def descend_number(x, velocity, gradient, args, options):
    """velocity <- momentum * velocity - lr * gradient; x <- x + velocity."""
    lr, momentum = options
    velocity = momentum * velocity - lr * gradient
    return x + velocity, velocity


def begin_array(x0):
    return np.zeros_like(x0)


def own_array(x, velocity):
    return x.copy(), velocity.copy()


def descend_vector(x, velocity, gradient, args, options):
    lr, momentum = options
    for i in range(x.shape[0]):
        velocity[i] = momentum * velocity[i] - lr * gradient[i]
        x[i] += velocity[i]
    return x, velocity


def begin_plain(x0):
    """Without momentum there is no velocity."""
    return ()


def own_plain(x, state):
    return x.copy(), state


# With a length that is known, the point and its gradient are numbers in the compiled loop, not arrays.


def own_one(x, state):
    return np.array([x[0]]), state


def own_two(x, state):
    return np.array([x[0], x[1]]), state


def own_three(x, state):
    return np.array([x[0], x[1], x[2]]), state


def own_four(x, state):
    return np.array([x[0], x[1], x[2], x[3]]), state


SHORT = ("plain descent 1", "plain descent 2", "plain descent 3", "plain descent 4")
OWN_SHORT = dict(zip(SHORT, (own_one, own_two, own_three, own_four), strict=True))


def descend_plain(x, state, gradient, args, options):
    """x <- x - lr * gradient."""
    lr, _ = options
    for i in range(x.shape[0]):
        x[i] -= lr * gradient[i]
    return x, state


def descend_array(x, velocity, gradient, args, options):
    lr, momentum = options
    velocity *= momentum
    velocity -= lr * gradient
    x += velocity
    return x, velocity


def begin_adam(x0):
    """The decaying means of the gradient and of its square, and the decays' powers."""
    return np.zeros_like(x0), np.zeros_like(x0), np.ones(2)


def own_adam(x, state):
    mean, square, powers = state
    return x.copy(), (mean.copy(), square.copy(), powers.copy())


def adam(x, state, gradient, args, options):
    """Kingma & Ba (2015), algorithm 1."""
    lr, beta1, beta2, epsilon = options
    mean, square, powers = state
    powers[0] *= beta1
    powers[1] *= beta2
    for i in range(x.shape[0]):
        mean[i] = beta1 * mean[i] + (1.0 - beta1) * gradient[i]
        square[i] = beta2 * square[i] + (1.0 - beta2) * gradient[i] * gradient[i]
        x[i] -= lr * (mean[i] / (1.0 - powers[0])) / (math.sqrt(square[i] / (1.0 - powers[1])) + epsilon)
    return x, state
