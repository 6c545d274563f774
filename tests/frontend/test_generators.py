"""Functions that yield, looped over where they are called."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
from tests.frontend.as_written import VECTOR, Programs, check

programs = Programs()


def multiples(x, n):
    for i in range(n):
        yield x * i


def doublings(x):
    while True:
        yield x
        x = x * 2


def pairs(x):
    yield x[0], 1.0
    yield x[1], 2.0
    yield from zip(x, x, strict=True)


def walk(q, p, n):
    for _ in range(n):
        p = p - 0.1 * q
        q = q + 0.1 * p
        yield q, p


def positive(x):
    for v in x:
        if v < 0:
            return
        yield v


def overwritten(x, n):
    state = x.copy()
    for _ in range(n):
        state[0] = state[0] * state[1]
        yield state


def leaves(tree):
    if isinstance(tree, tuple):
        for part in tree:
            yield from leaves(part)
    else:
        yield tree


class Chain:
    def __init__(self, links):
        self.links = links

    def __iter__(self):
        for link in self.links:
            yield link * link

    def scaled(self, by):
        for link in self.links:
            yield link * by


@programs.at(2.0)
def plain(x):
    total = 0.0
    for v in multiples(x, 4):
        total += v * v
    return total


@programs.at(2.0)
def endless_left_by_break(x):
    total, count = 0.0, 0
    for v in doublings(x):
        if v > 100:
            break
        if count == 1:
            count += 1
            continue
        total += v * v
        count += 1
    else:
        total = 0.0
    return total * count


@programs.at(2.0)
def returned_from(x):
    for k, v in enumerate(doublings(x)):
        if v > 50:
            return v * k
    return x


@programs.at(VECTOR)
def several_yields(x):
    total = 0.0
    for a, b in pairs(x):
        total += a * b
    return total


@programs.at(0.4)
def states(start):
    energy, q = 0.0, start
    for t, (q, p) in enumerate(walk(start, 1.0, 5), 1):
        energy += q * q + p * p * t
    return energy * q


@programs.at(np.array([0.4, 0.6]))
def states_of_arrays(start):
    track = []
    for q, _ in walk(start, np.ones(2), 4):
        track.append(q)
    return np.sum(np.stack(track) ** 2)


@programs.at(VECTOR)
def made_inside(x):
    def powers(n):
        v = 1.0
        for _ in range(n):
            v = v * x[1]
            yield v

    total = 0.0
    for v in powers(4):
        total = total * x[0] + v
    return total


@programs.at(VECTOR)
def with_else(x):
    best = 0.0
    for v in positive(x):
        best = max(best, v)
    else:
        best = best * x[0]
    return best


@programs.at(np.array([0.7, 1.2, -0.4, 2.0]))
def ends_early(x):
    return sum(positive(x)) ** 2


@programs.at(VECTOR)
def changed_in_place(x):
    total = 0.0
    for state in overwritten(x, 3):
        total += np.sum(state)
    return total


@programs.at(VECTOR)
def in_a_comprehension(x):
    return sum([v * v for v in multiples(x[0], 3)]) + sum(np.sum(s) for s in overwritten(x, 3))


@programs.at(VECTOR)
def taken_whole(x):
    items = list(multiples(x[0], 4))
    first, second = pairs(x[:2])[0] if False else (x[0], x[1])
    top = max(multiples(x[1], 3)) + sum(multiples(x[2], len(x)))
    return items[1] * items[-1] + top * first * second


@programs.at(VECTOR)
def unpacked(x):
    a, b, c = multiples(x[1], 3)
    return (a + b) * c


@programs.at(2.0)
def zipped(x):
    total = 0.0
    for k, v in zip(range(3), multiples(x, 3), strict=True):
        total += k * v * v
    return total


@programs.at(1.5)
def of_a_tree(x):
    total = 1.0
    for v in leaves((x, (x * x, 3.0), (x,))):
        total = total * v + 1
    return total


@programs.at(VECTOR)
def of_an_object(x):
    chain = Chain(x)
    total = 0.0
    for v in chain:
        total += v
    for v in chain.scaled(x[0]):
        total += v * v
    return total


@programs.at(VECTOR)
def one_inside_another(x):
    total = 0.0
    for a in multiples(x[0], 3):
        for b in multiples(x[1], 3):
            if b > a:
                break
            total += a * b
    return total


@pytest.mark.parametrize(("fun", "args"), programs.all, ids=programs.names)
def test_generators_are_read(fun, args):
    check(fun, args)


@pytest.mark.parametrize("fun", [endless_left_by_break, returned_from, states, plain], ids=lambda f: f.__name__)
def test_compiled(fun):
    check(fun, (0.8,), jit=True)


def kept(x):
    made = multiples(x, 3)
    return next(made)


def whole(x):
    return sum(list(doublings(x)))


def sent(x):
    def asking():
        y = yield x
        yield y

    total = 0.0
    for v in asking():
        total += v
    return total


def aliased(x):
    first, second = overwritten(np.array([x, x]), 2)
    return first[0] * second[1]


@pytest.mark.parametrize(
    ("fun", "said"),
    [(kept, "list"), (whole, "never ends"), (sent, "yield"), (aliased, "copy"), (multiples, "array")],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_what_is_refused_says_what_to_write(fun, said):
    with pytest.raises(sg.UnsupportedError, match=said):
        sg.grad(fun, jit=False)(*((2.0, 3) if fun is multiples else (2.0,)))
