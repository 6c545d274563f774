"""The solvers: objectives, starting points, methods, tolerances."""

import numpy as np

import srcgrad as sg
from tests.errors.table import Mistakes

mistake = Mistakes()


def bowl(x):
    return np.sum((x - 1.0) ** 2)


def residual(x):
    return x * x - 2.0


@mistake
def an_objective_that_gives_an_array():
    sg.gradient_descent(residual, np.ones(3))


@mistake
def a_residual_of_another_length():
    def f(x):
        return np.array([x[0] * x[1], x[0], x[1]])

    sg.newton(f, np.ones(2), jit=False)


@mistake
def a_residual_that_gives_a_number():
    sg.newton(bowl, np.ones(3))


@mistake
def a_residual_that_gives_an_array():
    def f(x):
        return np.array([x, x])

    sg.newton(f, 1.0)


@mistake
def a_text_to_start_from():
    sg.newton(residual, "1.0")


@mistake
def integers_of_an_array_of_objects():
    sg.minimize(bowl, np.array([None, 1.0]))


@mistake
def a_complex_start():
    sg.newton(residual, 1.0 + 1.0j)


@mistake
def a_matrix_to_start_from():
    sg.newton(residual, np.ones((2, 2)))


@mistake
def a_method_that_is_none():
    sg.minimize(bowl, np.ones(3), method="bgfs")


@mistake
def an_option_of_another_method():
    sg.minimize(bowl, np.ones(3), method="bfgs", lr=0.1)


@mistake
def a_matrix_for_newton():
    sg.newton(residual, np.ones((2, 2)))


@mistake
def a_negative_tolerance():
    sg.newton(residual, 1.0, tol=-1e-8)


@mistake
def a_tolerance_that_is_no_number():
    sg.newton(residual, 1.0, tol="tight")


@mistake
def a_rate_of_zero():
    sg.gradient_descent(bowl, np.ones(3), lr=0.0)


@mistake
def a_negative_rate():
    sg.minimize(bowl, np.ones(3), method="adam", lr=-0.1)


@mistake
def too_much_momentum():
    sg.gradient_descent(bowl, np.ones(3), momentum=1.5)


@mistake
def steps_that_are_no_integer():
    sg.newton(residual, 1.0, maxiter=10.5)


@mistake
def a_solver_mode_that_is_none():
    sg.newton(residual, 1.0, mode="fwd")


@mistake
def a_solver_target_that_is_none():
    sg.newton(residual, 1.0, target="gpu")


@mistake
def a_batch_of_one_number():
    sg.newton(residual, 1.0, batch=True)


@mistake
def a_batch_with_history():
    sg.gradient_descent(bowl, np.ones((2, 3)), batch=True, history=True)


@mistake
def an_objective_that_is_no_function():
    sg.newton(3.0, 1.0)


@mistake
def an_objective_of_two_arguments():
    def f(x, a):
        return x * x - a

    sg.newton(f, 1.0)


@mistake
def too_many_args():
    sg.newton(residual, 1.0, args=(2.0,))


@mistake
def args_of_texts():
    def f(x, name):
        return x * name

    sg.newton(f, 1.0, args=("a",))


@mistake
def an_objective_with_a_mistake():
    def f(x):
        return np.sinn(x) - 0.5

    sg.newton(f, 1.0)


@mistake
def an_objective_that_gives_an_integer():
    def f(x):
        return int(x)

    sg.gradient_descent(f, 1.0)


@mistake
def a_solver_inside_with_a_method_that_is_none():
    def f(a):
        return sg.minimize(bowl, np.ones(3), method="bgfs").fun * a

    sg.grad(f)(1.0)


@mistake
def a_solver_inside_of_a_number():
    def f(a):
        return sg.newton(a, 1.0).x

    sg.grad(f)(2.0)


@mistake
def a_solver_inside_with_an_unknown_method():
    def f(a, method):
        return sg.minimize(bowl, a, method=method).fun

    sg.grad(f)(np.ones(3), 1)


@mistake
def a_solver_differentiated_too_often():
    def f(a):
        return sg.newton(lambda x, a: x * x - a, 1.0, (a,)).x

    sg.grad(sg.grad(sg.grad(f)))(2.0)
