"""A language model of long short-term memory, its weights elementwise, in loops."""

import math

import numpy as np

from srcgrad.numeric.vector.exponentials import vector_exp, vector_sigmoid, vector_tanh
from tests.benchmarks.workloads.table import Table, jnp, lax

TABLE = Table("models")


def _model(rng, steps, layers, d):
    return (
        rng.normal(size=(2 * layers, 4 * d)),
        rng.normal(size=(3, d)),
        rng.normal(size=(2 * layers, d)),
        (rng.random(size=(steps, d)) < 0.5) * 1.0,
    )


def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))


@TABLE.workload(_model, (4, 2, 3), (30, 2, 14), (100, 2, 14), argnums=(0, 1), kind="network")
def lstm_loops(weights, more, state0, sequence):
    """The mean log-likelihood of each next entry; a layer's rows are its weights and its biases."""
    steps, d = sequence.shape
    layers = len(state0) // 2
    state = state0.copy()
    x = np.zeros(d)
    y = np.zeros(d)
    total = 0.0
    for t in range(steps - 1):
        for i in range(d):
            x[i] = sequence[t, i] * more[0, i]
        for k in range(layers):
            w = weights[2 * k]
            b = weights[2 * k + 1]
            hidden = state[2 * k]
            cell = state[2 * k + 1]
            for i in range(d):
                forget = sigmoid(x[i] * w[i] + b[i])
                taken = sigmoid(hidden[i] * w[d + i] + b[d + i])
                given = sigmoid(x[i] * w[2 * d + i] + b[2 * d + i])
                change = math.tanh(hidden[i] * w[3 * d + i] + b[3 * d + i])
                cell[i] = cell[i] * forget + taken * change
                hidden[i] = given * math.tanh(cell[i])
                x[i] = hidden[i]
        s = 2.0
        for i in range(d):
            y[i] = x[i] * more[1, i] + more[2, i]
            s += math.exp(y[i])
        log = math.log(s)
        for i in range(d):
            total += sequence[t + 1, i] * (y[i] - log)
    return -total / ((steps - 1) * d)


def cells(x, w, b, hidden, cell, gates):
    """One layer's step; its gates are kept, with the hyperbolic tangent of the new cells, and the old states."""
    d = len(x)
    for i in range(d):
        gates[4, i], gates[5, i], gates[6, i] = hidden[i], cell[i], x[i]
        gates[0, i] = vector_sigmoid(x[i] * w[i] + b[i])
        gates[1, i] = vector_sigmoid(hidden[i] * w[d + i] + b[d + i])
        gates[2, i] = vector_sigmoid(x[i] * w[2 * d + i] + b[2 * d + i])
        gates[3, i] = vector_tanh(hidden[i] * w[3 * d + i] + b[3 * d + i])
    for i in range(d):
        cell[i] = cell[i] * gates[0, i] + gates[1, i] * gates[3, i]
        gates[7, i] = vector_tanh(cell[i])
        hidden[i] = gates[2, i] * gates[7, i]
        x[i] = hidden[i]


def cells_back(x_bar, w, w_bar, b_bar, hidden_bar, cell_bar, gates):
    d = len(x_bar)
    for i in range(d):
        forget, taken, given, change = gates[0, i], gates[1, i], gates[2, i], gates[3, i]
        h_bar = hidden_bar[i] + x_bar[i]
        c_bar = cell_bar[i] + h_bar * given * (1.0 - gates[7, i] * gates[7, i])
        f = c_bar * gates[5, i] * forget * (1.0 - forget)
        a = c_bar * change * taken * (1.0 - taken)
        o = h_bar * gates[7, i] * given * (1.0 - given)
        c = c_bar * taken * (1.0 - change * change)
        cell_bar[i] = c_bar * forget
        hidden_bar[i] = a * w[d + i] + c * w[3 * d + i]
        x_bar[i] = f * w[i] + o * w[2 * d + i]
        w_bar[i] += f * gates[6, i]
        w_bar[d + i] += a * gates[4, i]
        w_bar[2 * d + i] += o * gates[6, i]
        w_bar[3 * d + i] += c * gates[4, i]
        b_bar[i] += f
        b_bar[d + i] += a
        b_bar[2 * d + i] += o
        b_bar[3 * d + i] += c


@TABLE.by_hand(lstm_loops, bar=1.3, more=((1_000, 2, 14),))
def lstm_loops_by_hand(weights, more, state0, sequence):
    steps, d = sequence.shape
    layers = len(state0) // 2
    state = state0.copy()
    gates = np.empty((steps - 1, layers, 8, d))
    errors = np.empty((steps - 1, d))
    ends = np.empty((steps - 1, d))
    x = np.empty(d)
    scale = -1.0 / ((steps - 1) * d)
    total = 0.0
    for t in range(steps - 1):
        for i in range(d):
            x[i] = sequence[t, i] * more[0, i]
        for k in range(layers):
            cells(x, weights[2 * k], weights[2 * k + 1], state[2 * k], state[2 * k + 1], gates[t, k])
        total += prediction(x, more, sequence[t + 1], errors[t], ends[t], scale)
    weights_bar = np.zeros(weights.shape)
    more_bar = np.zeros(more.shape)
    state_bar = np.zeros(state0.shape)
    for t in range(steps - 2, -1, -1):
        for i in range(d):
            more_bar[1, i] += errors[t, i] * ends[t, i]
            more_bar[2, i] += errors[t, i]
            x[i] = errors[t, i] * more[1, i]
        for k in range(layers - 1, -1, -1):
            w, w_bar, b_bar = weights[2 * k], weights_bar[2 * k], weights_bar[2 * k + 1]
            cells_back(x, w, w_bar, b_bar, state_bar[2 * k], state_bar[2 * k + 1], gates[t, k])
        for i in range(d):
            more_bar[0, i] += x[i] * sequence[t, i]
    return total * scale, (weights_bar, more_bar)


def prediction(x, more, wanted, error, end, scale):
    """The likelihood of what is wanted; its derivatives by the outputs are put in `error`."""
    s, count = 2.0, 0.0
    for i in range(len(x)):
        end[i] = x[i]
        error[i] = vector_exp(x[i] * more[1, i] + more[2, i])
        s += error[i]
        count += wanted[i]
    log = math.log(s)
    r = count / s
    total = 0.0
    for i in range(len(x)):
        total += wanted[i] * (x[i] * more[1, i] + more[2, i] - log)
        error[i] = scale * (wanted[i] - error[i] * r)
    return total


@TABLE.in_jax(lstm_loops)
def lstm_loops_in_jax(weights, more, state0, sequence):
    d = sequence.shape[1]
    layers = len(state0) // 2

    def gate(x):
        return 1.0 / (1.0 + jnp.exp(-x))

    def step(state, pair):
        now, following = pair
        x = now * more[0]
        new = []
        for k in range(layers):
            w, b, hidden, cell = weights[2 * k], weights[2 * k + 1], state[2 * k], state[2 * k + 1]
            forget, given = gate(x * w[:d] + b[:d]), gate(x * w[2 * d : 3 * d] + b[2 * d : 3 * d])
            taken, change = gate(hidden * w[d : 2 * d] + b[d : 2 * d]), jnp.tanh(hidden * w[3 * d :] + b[3 * d :])
            cell = cell * forget + taken * change
            x = given * jnp.tanh(cell)
            new += [x, cell]
        y = x * more[1] + more[2]
        return jnp.stack(new), jnp.sum(following * (y - jnp.log(2.0 + jnp.sum(jnp.exp(y)))))

    _, totals = lax.scan(step, state0, (sequence[:-1], sequence[1:]))
    return -jnp.sum(totals) / ((len(sequence) - 1) * d)
