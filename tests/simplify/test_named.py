"""What array code reads like once it is simplified: the user's names, no copies, sums where sums are meant."""

import numpy as np

import srcgrad as sg
from srcgrad.testing import check_grads

X = np.array([[0.3, -1.2, 2.0], [1.5, 0.7, -0.4]])
W = np.array([[0.4, -0.3], [0.1, 0.5], [-0.2, 0.3]])
OPTIONS = {"jit": False, "cache": False}


def source(fun, *args, **options):
    return sg.grad(fun, **options, **OPTIONS).source_for(*args)


def softmax(w, x):
    s = x @ w
    s = s - np.max(s, axis=1, keepdims=True)
    p = np.exp(s) / np.sum(np.exp(s), axis=1, keepdims=True)
    return np.sum(p[:, 0] * p[0, 1])


def test_sums_over_axes_that_are_known():
    text = source(softmax, W, X)
    assert "unbroadcast" not in text
    assert "sum_2_over_1_keepdims(-" in text
    check_grads(softmax, (W, X), **OPTIONS)


def test_a_value_and_the_memory_that_holds_it_are_one():
    text = source(softmax, W, X)
    assert "p = t_2 / t_3" in text
    assert "copy()" not in text.split("def softmax_grad")[1].split("\n\n\n")[0]


def test_memory_that_is_written_stays_a_copy():
    def f(x):
        y = np.sin(x)
        z = y * 2.0
        z[0] = y[0] * y[1]
        y[1] = 3.0
        return np.sum(z * y) + np.sum(z)

    check_grads(f, (X[0],), order=2, **OPTIONS)


def test_both_results_are_memory_of_their_own():
    def f(x):
        y = np.sin(x)
        return y, y.copy(), y * 2.0

    one, two, _ = sg.forward(f, **OPTIONS)(X[0], X[0])[0]
    assert not np.shares_memory(one, two)
    np.testing.assert_array_equal(one, two)


def test_arrays_that_became_values_keep_their_names():
    def f(x, y):
        slope = x * y
        height = slope * slope + slope
        return np.sum(np.exp(height) * height)

    text = source(f, X[0], X[1], argnums=(0, 1))
    assert "slope = x * y" in text
    assert "height_bar" in text


def test_a_length_is_read_off_the_simplest_array():
    def f(x, k):
        return np.mean(np.log(np.exp(x[k]) + 1.0))

    lines = source(f, X[0], np.array([0, 2, 2])).splitlines()
    assert not any("np.log" in line for line in lines if "#" not in line)
