"""Models that are fitted by gradients, as users write them: networks, softmax regression, mixtures, k-means."""

import math

import numpy as np


def two_layers(params, x, y):
    """Mean squared error of a network with one hidden layer."""
    hidden = np.tanh(x @ params["w1"] + params["b1"])
    out = hidden @ params["w2"] + params["b2"]
    return np.mean((out - y) ** 2)


def softmax_regression(w, b, x, labels):
    """Mean cross-entropy; labels are integers."""
    scores = x @ w + b
    scores = scores - np.max(scores, axis=1, keepdims=True)
    normaliser = np.log(np.sum(np.exp(scores), axis=1))
    loss = 0.0
    for i in range(labels.shape[0]):
        loss += normaliser[i] - scores[i, labels[i]]
    return loss / labels.shape[0]


def softmax_vectorised(w, b, x, labels):
    scores = x @ w + b
    scores -= np.max(scores, axis=1, keepdims=True)
    log_p = scores - np.log(np.sum(np.exp(scores), axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(labels.shape[0]), labels])


def k_means(centres, points):
    """The mean squared distance to the nearest centre."""
    total = 0.0
    for i in range(points.shape[0]):
        best = np.inf
        for k in range(centres.shape[0]):
            d = 0.0
            for j in range(points.shape[1]):
                d += (points[i, j] - centres[k, j]) ** 2
            if d < best:
                best = d
        total += best
    return total / points.shape[0]


def k_means_vectorised(centres, points):
    d = np.sum((points[:, None, :] - centres[None, :, :]) ** 2, axis=2)
    return np.mean(np.min(d, axis=1))


def mixture_in_loops(weights, means, log_sds, x):
    """The log-likelihood of a Gaussian mixture, by logsumexp in loops."""
    top = np.max(weights)
    norm = top + math.log(np.sum(np.exp(weights - top)))
    total = 0.0
    for i in range(x.shape[0]):
        terms = np.empty(means.shape[0])
        for k in range(means.shape[0]):
            q = 0.0
            for j in range(x.shape[1]):
                z = (x[i, j] - means[k, j]) / math.exp(log_sds[k, j])
                q += 0.5 * z * z + log_sds[k, j] + 0.5 * math.log(2 * math.pi)
            terms[k] = weights[k] - norm - q
        m = max(terms)
        total += m + math.log(np.sum(np.exp(terms - m)))
    return total


def mixture_vectorised(weights, means, log_sds, x):
    log_w = weights - np.log(np.sum(np.exp(weights)))
    z = (x[:, None, :] - means) / np.exp(log_sds)
    terms = log_w - np.sum(0.5 * z**2 + log_sds + 0.5 * np.log(2 * np.pi), axis=-1)
    m = terms.max(axis=1, keepdims=True)
    return np.sum(m[:, 0] + np.log(np.sum(np.exp(terms - m), axis=1)))


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def lstm(params, xs, target):
    """A long short-term memory cell run over a sequence; squared error of its last output."""
    w, u, b, v = params
    n = u.shape[0]
    h = np.zeros(n)
    c = np.zeros(n)
    for t in range(xs.shape[0]):
        gates = w @ xs[t] + u.T @ h + b
        i = sigmoid(gates[:n])
        f = sigmoid(gates[n : 2 * n])
        o = sigmoid(gates[2 * n : 3 * n])
        g = np.tanh(gates[3 * n :])
        c = f * c + i * g
        h = o * np.tanh(c)
    return (np.dot(v, h) - target) ** 2
