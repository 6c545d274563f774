"""Objects and their classes: special methods, comparisons, what is made inside the function."""

from dataclasses import dataclass

import numpy as np

import srcgrad as sg
from tests.errors.table import Mistakes

mistake = Mistakes()


class Pair:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __iter__(self):
        yield self.x
        yield self.y

    def __lt__(self, other):
        return NotImplemented


@dataclass
class Point:
    x: float
    y: float


@dataclass(frozen=True)
class Frozen:
    x: float


class Abstracted:
    def __new__(cls, x):
        return super().__new__(cls)


@mistake
def a_rule_made_inside():
    def square(x):
        return x * x

    def f(x):
        own = sg.custom_vjp(square)
        own.defvjp(lambda x: (x * x, x), lambda x, bar: (2.0 * x * bar,))
        return own(x)

    sg.grad(f)(1.0)


@mistake
def a_generator_that_is_kept():
    def f(x):
        pair = iter_of(Pair(x, x))
        return next(pair)

    def iter_of(pair):
        yield from pair

    sg.grad(f)(1.0)


@mistake
def a_loop_over_fields():
    def f(x):
        total = 0.0
        for v in Point(x, x):
            total += v
        return total

    sg.grad(f)(1.0)


@mistake
def objects_in_numpy():
    def f(p):
        return np.sum(p)

    sg.grad(f)(Point(1.0, 2.0))


@mistake
def an_order_that_no_class_knows():
    def f(x):
        return x if Pair(x, x) < Pair(x, 2.0 * x) else 0.0

    sg.grad(f)(1.0)


@mistake
def whether_it_is_the_same_object():
    def f(p, q):
        return p.x if p is q else q.x

    sg.grad(f)(Point(1.0, 2.0), Point(1.0, 2.0))


@mistake
def a_frozen_object_is_assigned_to():
    def f(x):
        p = Frozen(x)
        p.x = 2.0 * x
        return p.x

    sg.grad(f)(1.0)


@mistake
def a_class_with_a_new():
    def f(x):
        return Abstracted(x).x

    sg.grad(f)(1.0)


@mistake
def an_attribute_that_is_no_field():
    def f(p):
        return p.x * p.z

    sg.grad(f)(Point(1.0, 2.0))


@mistake
def no_operator_for_objects():
    def f(x):
        return (Point(x, x) + Point(x, x)).x

    sg.grad(f)(1.0)
