"""Which functions can be differentiated, where their text is, and what they return."""

import functools
import linecache
import math

import numpy as np

import srcgrad as sg
from tests.errors.table import Mistakes

mistake = Mistakes()


@mistake
def no_function():
    sg.grad(3.0)


@mistake
def a_name_of_a_function():
    sg.grad("loss")


@mistake
def a_function_of_numpy():
    sg.grad(np.sin)(1.0)


@mistake
def a_function_of_math():
    sg.grad(math.sin)(1.0)


@mistake
def a_builtin():
    sg.grad(abs)(1.0)


@mistake
def a_class():
    class Model:
        def __init__(self, x):
            self.x = x

    sg.grad(Model)(1.0)


@mistake
def a_function_made_by_exec():
    space = {}
    exec("def f(x):\n    return x * x", space)
    sg.grad(space["f"])(1.0)


@mistake
def a_lambda_made_by_eval():
    sg.grad(eval("lambda x: x * x"))(1.0)


@mistake
def a_file_that_has_changed():
    name = "changed.py"
    old, new = "def f(x):\n    return x * 2.0\n", "def f(x):\n    return x * 3.0\n"
    space = {"__name__": "changed"}
    exec(compile(old, name, "exec"), space)
    linecache.cache[name] = (len(new), None, new.splitlines(True), name)
    try:
        sg.grad(space["f"])(1.0)
    finally:
        del linecache.cache[name]


@mistake
def a_generator():
    def f(x):
        for k in range(3):
            yield x * k

    sg.grad(f)(1.0)


@mistake
def an_async_function():
    async def f(x):
        return x * x

    sg.grad(f)(1.0)


@mistake
def a_cached_function():
    @functools.lru_cache
    def f(x):
        return x * x

    sg.grad(f)(1.0)


@mistake
def a_gradient_of_an_array():
    def f(x):
        return x * x

    sg.grad(f)(np.ones(3))


@mistake
def a_gradient_of_a_pair():
    def f(x):
        return x * x, x

    sg.grad(f)(1.0)


@mistake
def a_gradient_of_an_integer():
    def f(x):
        return int(x)

    sg.grad(f)(1.0)


@mistake
def a_gradient_of_a_bool():
    def f(x):
        return x > 0.0

    sg.grad(f)(1.0)


@mistake
def a_gradient_of_nothing():
    def f(x):
        y = x * x

    sg.grad(f)(1.0)


@mistake
def a_return_without_a_value():
    def f(x):
        if x > 0.0:
            return x * x

    sg.grad(f)(1.0)


@mistake
def a_gradient_of_a_string():
    def f(x):
        return "x"

    sg.grad(f)(1.0)


@mistake
def aux_without_a_pair():
    def f(x):
        return x * x

    sg.grad(f, has_aux=True)(1.0)


@mistake
def aux_in_front():
    def f(x):
        y = x * x
        return y, np.sum(y)

    sg.value_and_grad(f, has_aux=True)(np.ones(3))


@mistake
def results_of_two_kinds():
    def f(x, flag):
        if flag > 0:
            return x, 2.0 * x
        return x

    sg.jacobian(f)(1.0, 1)


@mistake
def a_jacobian_of_integers():
    def f(x):
        return np.argsort(x)

    sg.jacobian(f, jit=False)(np.ones(3))


@mistake
def a_jacobian_of_an_index():
    def f(x):
        return np.argmax(x)

    sg.jacobian(f, jit=False)(np.ones(3))


@mistake
def a_hessian_of_an_array():
    def f(x):
        return x * x

    sg.hessian(f)(np.ones(3))
