"""The transformers: their options, tangents and cotangents, axes, rules of the user's own, check_grads."""

import numpy as np

import srcgrad as sg
from srcgrad.testing import check_grads
from tests.errors.table import Mistakes

mistake = Mistakes()


def square(x):
    return x * x


def total(params):
    return params["a"] * np.sum(params["b"])


@mistake
def a_target_that_is_none():
    sg.grad(square, target="gpu")


@mistake
def a_misspelt_mode():
    sg.grad(square, mode="revers")


@mistake
def a_misspelt_mode_of_a_jacobian():
    sg.jacobian(square, mode="fwd")


@mistake
def an_option_that_is_none():
    sg.grad(square, jitt=False)


@mistake
def an_option_of_jax():
    sg.grad(square, holomorphic=True)


@mistake
def fastmath_of_another_kind():
    sg.grad(square, fastmath=1)


@mistake
def a_fastmath_flag_that_is_none():
    sg.grad(square, fastmath={"arcp", "reasoc"})


@mistake
def jit_of_another_kind():
    sg.grad(square, jit="yes")


@mistake
def several_argnums_as_a_set():
    sg.grad(square, argnums={0})


@mistake
def primals_that_are_no_tuple():
    sg.jvp(square, 2.0, 1.0)


@mistake
def fewer_tangents_than_primals():
    def f(x, y):
        return x * y

    sg.jvp(f, (1.0, 2.0), (1.0,))


@mistake
def fewer_primals_than_parameters():
    def f(x, y):
        return x * y

    sg.jvp(f, (1.0,), (1.0,))


@mistake
def a_tangent_of_another_shape():
    sg.jvp(square, (np.ones(3),), (np.ones(4),))


@mistake
def a_tangent_of_another_structure():
    p = {"a": 1.0, "b": np.ones(3)}
    sg.jvp(total, (p,), ({"a": 1.0},))


@mistake
def a_tangent_of_another_dtype():
    x = np.ones(3, dtype=np.float32)
    sg.jvp(square, (x,), (np.ones(3),))


@mistake
def a_tangent_of_an_integer_array():
    def f(x, k):
        return np.sum(x * k)

    sg.jvp(f, (2.0, np.arange(3)), (1.0, np.arange(3)))


@mistake
def a_tangent_deep_inside():
    p = {"a": 1.0, "b": np.ones(3)}
    sg.jvp(total, (p,), ({"a": 1.0, "b": np.ones(4)},))


@mistake
def a_text_as_tangent():
    sg.jvp(square, (2.0,), ("1",))


@mistake
def a_cotangent_of_another_shape():
    _, pullback = sg.vjp(square, np.ones(3), jit=False)
    pullback(1.0)


@mistake
def a_cotangent_of_another_structure():
    def f(x):
        return x, {"y": x * x}

    _, pullback = sg.vjp(f, 2.0, jit=False)
    pullback((1.0, 1.0))


@mistake
def a_pullback_of_two_arguments():
    _, pullback = sg.vjp(square, 2.0, jit=False)
    pullback(1.0, 2.0)


@mistake
def primals_as_a_tuple_for_vjp():
    sg.vjp(square, 2.0, 3.0)


@mistake
def a_tangent_left_out():
    sg.forward(square)(2.0)


@mistake
def a_dot_of_another_rank():
    sg.forward(square)(np.ones(3), 1.0)


@mistake
def a_dot_of_another_shape():
    sg.forward(square, jit=False)(np.ones(3), np.ones(4))


@mistake
def a_bar_of_another_rank():
    sg.reverse(square)(np.ones(3), 1.0)


@mistake
def a_vector_of_another_shape():
    def f(x):
        return np.sum(x * x)

    sg.hvp(f, jit=False)(np.ones(3), np.ones(4))


@mistake
def a_vector_of_another_structure():
    sg.hvp(total)({"a": 1.0, "b": np.ones(3)}, np.ones(4))


@mistake
def too_few_in_axes():
    def f(x, y):
        return x * y

    sg.vmap(f, in_axes=(0,))


@mistake
def in_axes_that_map_nothing():
    sg.vmap(square, in_axes=None)


@mistake
def in_axes_of_another_kind():
    sg.vmap(square, in_axes="rows")


@mistake
def an_axis_that_an_argument_does_not_have():
    sg.vmap(square, in_axes=1)(np.ones(3))


@mistake
def a_number_mapped():
    def f(x, rate):
        return x * rate

    sg.vmap(f)(np.ones(3), 2.0)


@mistake
def mapped_axes_of_different_lengths():
    def f(x, y):
        return x * y

    sg.vmap(f, jit=False)(np.ones(3), np.ones(4))


@mistake
def a_custom_function_without_a_rule():
    @sg.custom_jvp
    def g(x):
        return x * x

    def f(x):
        return g(x) + 1.0

    sg.grad(f)(2.0)


@mistake
def too_few_cotangents():
    @sg.custom_vjp
    def g(x, y):
        return x * y

    g.defvjp(lambda x, y: (x * y, (x, y)), lambda residuals, bar: (bar * residuals[1],))

    def f(x, y):
        return g(x, y)

    sg.grad(f)(2.0, 3.0)


@mistake
def a_forward_rule_without_residuals():
    @sg.custom_vjp
    def g(x):
        return x * x

    g.defvjp(lambda x: x * x, lambda residuals, bar: (bar,))

    def f(x):
        return g(x)

    sg.grad(f)(2.0)


@mistake
def a_tangent_rule_of_one_value():
    @sg.custom_jvp
    def g(x):
        return x * x

    @g.defjvp
    def g_jvp(primals, tangents):
        return 2.0 * primals[0] * tangents[0]

    def f(x):
        return g(x)

    sg.grad(f)(2.0)


@mistake
def a_rule_with_other_parameters():
    @sg.custom_jvp
    def g(x):
        return x * x

    @g.defjvp
    def g_jvp(x, x_dot, more):
        return x * x, 2.0 * x * x_dot

    def f(x):
        return g(x)

    sg.grad(f)(2.0)


@mistake
def a_rule_that_is_no_function():
    @sg.custom_vjp
    def g(x):
        return x * x

    g.defvjp(square, None)


@mistake
def check_grads_of_one_argument_bare():
    check_grads(square, 2.0)


@mistake
def check_grads_in_no_mode():
    check_grads(square, (2.0,), modes=("backward",))


@mistake
def check_grads_of_order_none():
    check_grads(square, (2.0,), order=0)


@mistake
def check_grads_by_an_unknown_name():
    check_grads(square, (2.0,), argnums="y")


@mistake
def check_grads_of_too_many_arguments():
    check_grads(square, (2.0, 3.0))


@mistake
def a_gradient_of_a_gradient_of_an_array():
    def f(x):
        return np.sum(x * x)

    sg.grad(sg.grad(f))(np.ones(3))


@mistake
def a_derivative_called_wrongly_inside():
    slope = sg.grad(square)

    def f(x, y):
        return slope(x, y)

    sg.grad(f)(1.0, 2.0)


@mistake
def a_derivative_of_an_integer_inside():
    def g(k):
        return k[0] * 2.0

    slope = sg.grad(g)

    def f(x, k):
        return x * slope(k)

    sg.grad(f)(1.0, np.arange(3))


@mistake
def a_device_function_called_from_python():
    sg.grad(square, target="cuda")(2.0)


@mistake
def flags_of_fastmath_on_cuda():
    sg.grad(square, target="cuda", fastmath={"nnan"})
