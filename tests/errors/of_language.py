"""Constructs of Python that srcgrad does not read."""

import math

import numpy as np

import srcgrad as sg
from tests.errors.table import Mistakes

mistake = Mistakes()
COUNT = 0


@mistake
def many_constructs_at_once():
    def f(x):
        with open("log"):
            z = y = math.sqrt(x)
        del z[0:1]
        raise ValueError from None

    sg.grad(f)(1.0)


@mistake
def what_an_exception_says():
    def f(x):
        try:
            y = 1.0 / x
        except ZeroDivisionError as e:
            y = len(e.args) * x
        return y

    sg.grad(f)(1.0)


@mistake
def a_part_of_a_statement_that_may_raise():
    def f(x):
        try:
            y = 1.0 / x if x < 2.0 else x
        except ZeroDivisionError:
            y = 0.0
        return y * x

    sg.grad(f)(1.0)


@mistake
def a_pattern_for_dicts():
    def f(x, options):
        match options:
            case {"kind": 0}:
                return x
            case _:
                return x * x

    sg.grad(f)(1.0, {"kind": 0})


@mistake
def a_pattern_for_a_boolean_of_numpy():
    def f(x):
        match x > 0.0:
            case True:
                return x
        return x * x

    sg.grad(f)(1.0)


@mistake
def a_global_that_is_written():
    def f(x):
        global COUNT
        COUNT = COUNT + 1
        return x * COUNT

    sg.grad(f)(1.0)


@mistake
def a_nonlocal_that_is_written():
    calls = 0

    def f(x):
        nonlocal calls
        calls += 1
        return x * calls

    sg.grad(f)(1.0)


@mistake
def a_class_inside():
    def f(x):
        class Point:
            y = 2.0

        return x * Point.y

    sg.grad(f)(1.0)


@mistake
def a_set_of_texts_in_order():
    def f(x):
        return sum([x * len(name) for name in {"a", "bc"}])

    sg.grad(f)(1.0)


@mistake
def a_text_with_values():
    def f(x, n):
        weights = {"w1": x, "w2": 2 * x}
        return weights[f"w{n}"]

    sg.grad(f)(1.0, 2)


@mistake
def a_text_and_a_number():
    def f(x):
        return "a" + x

    sg.grad(f)(1.0)


@mistake
def division_by_a_text():
    def f(x):
        return x / "2"

    sg.grad(f)(1.0)


@mistake
def a_method_of_a_text():
    def f(x, name):
        return x if name.encode() == name else 2.0 * x

    sg.grad(f)(1.0, "a")


@mistake
def a_slice_of_a_tuple_by_a_number():
    def f(weights, n):
        return sum(weights[:n])

    sg.grad(f)((1.0, 2.0, 3.0), 2)


@mistake
def a_dict_item_by_a_number():
    def f(p, k):
        return p[k]

    sg.grad(f)({"a": 1.0}, 0)


@mistake
def a_list_sorted_by_a_key():
    def f(x, n):
        xs = []
        for i in range(n):
            xs.append(x[i])
        xs.sort(key=abs)
        return xs[0]

    sg.grad(f)(np.ones(3), 2)


@mistake
def an_attribute_written():
    class Model:
        scale = 2.0

    model = Model()

    def f(x):
        model.scale = x
        return x * model.scale

    sg.grad(f)(1.0)


@mistake
def a_number_of_an_object():
    class Model:
        def __init__(self):
            self.layers = {1, 2}

    model = Model()

    def f(x):
        return x * model.layers

    sg.grad(f)(1.0)


@mistake
def a_slice_assigned_to_a_tuple():
    def f(p):
        p[0] = 2.0
        return p[0]

    sg.grad(f)((1.0, 2.0))


@mistake
def a_loop_over_a_number():
    def f(x, n):
        for i in n:
            x = x * 2.0
        return x

    sg.grad(f)(1.0, 3)


@mistake
def a_range_of_floats():
    def f(x, n):
        for i in range(n):
            x = x * 2.0
        return x

    sg.grad(f)(1.0, 3.0)


@mistake
def a_loop_over_itertools():
    import itertools

    def f(xs):
        total = 0.0
        for a in itertools.islice(xs, 1):
            total += a
        return total

    sg.grad(f)((1.0, 2.0))


@mistake
def a_number_called_by_mistake():
    def f(x, y):
        return x(y + 1.0)

    sg.grad(f)(1.0, 2.0)


@mistake
def the_truth_of_an_array():
    def f(x):
        if x > 0.0:
            return np.sum(x)
        return 0.0

    sg.grad(f)(np.ones(3))


@mistake
def arrays_beside_and():
    def f(x):
        return np.sum(np.where(x > 0.0 and x < 1.0, x, 0.0))

    sg.grad(f)(np.ones(3))


@mistake
def identity_of_numbers():
    def f(x, y):
        return x if x is y else 2.0 * x

    sg.grad(f)(1.0, 2.0)


@mistake
def a_decorated_function_inside():
    import functools

    def f(x):
        @functools.lru_cache
        def g(y):
            return y * y

        return g(x)

    sg.grad(f)(1.0)


@mistake
def an_error_of_ones_own():
    class TooSmall(Exception):
        pass

    def f(x):
        if x < 0.0:
            raise TooSmall("x")
        return x

    sg.grad(f)(1.0)


@mistake
def a_starred_call_of_an_array():
    def g(a, b=1.0):
        return a * b

    def f(x):
        return g(*x)

    sg.grad(f)(np.ones(2))


@mistake
def too_many_names():
    def f(p):
        a, b = p
        return a * b

    sg.grad(f)((1.0, 2.0, 3.0))


@mistake
def randomness():
    def f(x):
        return x * np.random.standard_gamma(x)

    sg.grad(f)(1.0)


@mistake
def numbers_by_input():
    def f(x):
        return x * float(input())

    sg.grad(f)(1.0)


@mistake
def a_file_opened():
    def f(x):
        table = open("numbers.txt").read()
        return x

    sg.grad(f)(1.0)


@mistake
def recursion_without_an_end():
    def down(x):
        return down(x - 1.0) * 2.0

    def f(x):
        return down(x)

    sg.grad(f)(1.0)


@mistake
def recursion_of_a_nested_function():
    def f(x):
        calls = 0

        def power(n):
            nonlocal calls
            calls += 1
            return 1.0 if n == 0 else x * power(n - 1)

        return power(3) * calls

    sg.grad(f)(1.0)
