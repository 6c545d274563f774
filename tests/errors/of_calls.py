"""What is given to a derivative: structure, shape, dtype, number of arguments, argnums."""

import numpy as np

import srcgrad as sg
from tests.errors.table import Mistakes

mistake = Mistakes()


@mistake
def an_array_of_strings():
    def loss(params, x):
        return params["w"][1][0] * x

    sg.grad(loss)({"w": [1.0, np.array(["a", "b"])]}, 2.0)


@mistake
def a_string_for_a_number():
    def f(x):
        return x * x

    sg.grad(f)("2.0")


@mistake
def none_for_a_number():
    def f(x):
        return x * x

    sg.grad(f)(None)


@mistake
def an_object_array():
    def f(x, y):
        return x[0] * y

    sg.grad(f)(np.array([1.0, 2.0], dtype=object), 2.0)


@mistake
def a_half_precision_array():
    def f(x):
        return np.sum(x)

    sg.grad(f)(np.zeros(3, dtype=np.float16))


@mistake
def a_structured_array():
    def f(rows):
        return np.sum(rows)

    sg.grad(f)(np.zeros(3, dtype=[("a", float), ("b", int)]))


@mistake
def dates():
    def f(times):
        return np.sum(times)

    sg.grad(f)(np.array(["2020-01-01"], dtype="datetime64[D]"))


@mistake
def an_integer_array():
    def f(x):
        return np.sum(x * x)

    sg.grad(f)(np.arange(3))


@mistake
def a_bool():
    def f(x):
        return 2.0 if x else 1.0

    sg.grad(f)(True)


@mistake
def a_list_of_integers_only():
    def f(xs):
        return xs[0] * 2.0

    sg.grad(f)([1, 2])


@mistake
def an_integer_that_does_not_fit():
    def f(x, n):
        return x * n

    sg.grad(f)(2.0, 2**70)


@mistake
def a_ragged_list():
    def f(rows):
        return np.sum(rows)

    sg.grad(f)([[1.0, 2.0], [3.0]])


@mistake
def a_set():
    def f(xs):
        return sum(xs)

    sg.grad(f)({1.0, 2.0})


@mistake
def a_dict_with_other_keys():
    def f(p):
        return p[0] * 2.0

    sg.grad(f)({0: 1.0})


@mistake
def a_key_that_is_missing():
    def f(p):
        return p["weights"] * 2.0

    sg.grad(f)({"weight": 1.0, "bias": 2.0})


@mistake
def a_tuple_too_short():
    def f(p):
        a, b, c = p
        return a * b * c

    sg.grad(f)((1.0, 2.0))


@mistake
def a_number_for_an_array():
    def f(x):
        return x[0] + x[1]

    sg.grad(f)(2.0)


@mistake
def a_list_for_an_array():
    def f(x):
        return np.sum(x) + x.mean()

    sg.grad(f)([1.0, 2.0])


@mistake
def an_array_of_another_rank():
    def f(m):
        return m[0, 1] * 2.0

    sg.grad(f)(np.ones(3))


@mistake
def a_masked_array():
    def f(x):
        return np.sum(x)

    sg.grad(f)(np.ma.masked_array([1.0, 2.0], [True, False]))


@mistake
def too_few_arguments():
    def f(x, y):
        return x * y

    sg.grad(f)(1.0)


@mistake
def too_many_arguments():
    def f(x, y):
        return x * y

    sg.grad(f)(1.0, 2.0, 3.0)


@mistake
def an_unknown_keyword():
    def f(x, rate=1.0):
        return x * rate

    sg.grad(f)(1.0, rat=2.0)


@mistake
def argnums_out_of_range():
    def f(x, y):
        return x * y

    sg.grad(f, argnums=2)


@mistake
def argnums_of_an_unknown_name():
    def f(weights, bias):
        return weights * bias

    sg.grad(f, argnums="weigths")


@mistake
def argnums_twice_the_same():
    def f(x, y):
        return x * y

    sg.grad(f, argnums=(0, "x"))


@mistake
def argnums_of_another_kind():
    def f(x, y):
        return x * y

    sg.grad(f, argnums=1.0)


@mistake
def argnums_of_an_integer_array():
    def f(x, k):
        return x * k[0]

    sg.grad(f, argnums=("x", "k"))(2.0, np.array([1, 2]))


@mistake
def arguments_that_share_memory():
    def f(x, y):
        x[0] = 3.0 * y[1]
        return np.sum(x * y)

    x = np.ones(4)
    sg.grad(f)(x[:3], x[1:])


@mistake
def an_object_with_fields():
    class Point:
        def __init__(self, x):
            self.x = x

    def f(point):
        return point.x * 2.0

    sg.grad(f)(Point(1.0))


@mistake
def a_function_of_nothing():
    def f():
        return 1.0

    sg.grad(f)()


@mistake
def a_list_that_holds_itself():
    def f(xs):
        return xs[0]

    xs = [1.0]
    xs.append(xs)
    sg.grad(f)(xs)
