"""What cannot be differentiated inside, and what is said to write instead, at the user's line."""

# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad import grad, jacobian, jvp, vjp


def writes(x):
    buffer = np.zeros(3)

    def f(y):
        buffer[0] = y * y
        return buffer[0] * x

    return grad(f)(x)  # here


def appends(x):
    seen = []

    def f(y):
        seen.append(y)
        return y * y * x

    return grad(f)(x)  # here


def rebinds(x):
    count = 0

    def f(y):
        nonlocal count
        count += 1
        return y * y * x

    return grad(f)(x)  # here


def itself(x, n=1):  # here
    return x**3 if n == 0 else grad(itself)(x, n - 1)


def unknown(x, k=1):
    return grad(lambda a, b: a * b * x, argnums=k)(x, x)  # here


def sparse(x):
    return jacobian(lambda y: y * x, sparse=True)(x)  # here


def arrays_in_a_list(x, n=3):
    xs = []
    for i in range(n):
        xs.append(np.array([x, x * i]))
    return grad(lambda y: y * y * sum([v[1] for v in xs]))(x)  # here


def no_function(x):
    return grad(x)(x)  # here


def no_scalar(x):
    return grad(lambda y: np.array([y, y]))(x)  # here


def no_option(x):
    return grad(lambda y: y * x, argnum=0)(x)  # here


def too_many(x):
    return grad(lambda y: y * x)(x, x)  # here


def tangents_too_many(x):
    return jvp(lambda y: y * x, (x,), (x, x))[1]  # here


def a_tangent_of_another_kind(x):
    return jvp(lambda y: y * x, (x,), (np.ones(2),))[1]  # here


def a_cotangent_of_another_kind(x):
    return vjp(lambda y: y * x, x)[1]((1.0, 2.0))[0]  # here


def sweeps_without_end(x):
    return sg.vmap(lambda y: y, in_axes=3)(np.array([x]))[0]  # here


REFUSED: list[tuple[Callable[..., Any], str, str]] = [
    (writes, "writes into `buffer`, which it has not made", "make the array inside"),
    (appends, "changes `seen`, which it has not made", "return it"),
    (rebinds, "changes `count`, which it has not made", "return it"),
    (itself, "`itself` is differentiated inside of itself", "differentiate another function there"),
    (unknown, "`argnums` is not known where", "write it as a literal"),
    (sparse, "a sparse Jacobian is called", "sparse=False"),
    (arrays_in_a_list, "takes `xs` from around it, a list of arrays", "make it an array"),
    (no_function, "a float stands where a function must be", "give the function itself"),
    (no_scalar, "a gradient is of one number", "use jacobian"),
    (no_option, "there is no option `argnum`", "did you mean `argnums`?"),
    (too_many, "too many arguments are given by place", "it takes `y`"),
    (tangents_too_many, "there are 1 primals and 2 tangents", "None stands for zero"),
    (a_tangent_of_another_kind, "the tangent of `y` is a 1-dimensional array", "give a float"),
    (a_cotangent_of_another_kind, "the cotangent is a tuple of", "give it the structure of the value"),
    (sweeps_without_end, "is mapped along axis 3", "in_axes"),
]


@pytest.mark.parametrize(("program", "message", "hint"), REFUSED, ids=lambda a: getattr(a, "__name__", ""))
def test_refused(program: Callable[..., Any], message: str, hint: str) -> None:
    with pytest.raises(sg.SrcgradError) as caught:
        sg.grad(program, jit=False)(2.0)
    (problem,) = caught.value.problems
    lines, first = inspect.getsourcelines(program)
    here = first + next(k for k, line in enumerate(lines) if line.rstrip().endswith("# here"))
    assert message in problem.message and hint in problem.hint and problem.line == here
    assert problem.file == __file__


def test_a_cotangent_of_another_shape():
    with pytest.raises(sg.ShapeError, match="a cotangent has not the shape of the value"):
        sg.grad(lambda x: np.sum(vjp(lambda y: y * x, x)[1](np.ones(2))[0]), jit=False)(np.ones(3))
    with pytest.raises(sg.ShapeError, match="a tangent has not the shape of its argument"):
        sg.grad(lambda x: np.sum(jvp(lambda y: y * x, (x,), (np.ones(2),))[1]), jit=False)(np.ones(3))


def test_random_numbers_are_drawn_once():
    def f(x):
        return grad(lambda y: y * y * np.random.normal())(x)

    np.random.seed(1)
    got = sg.grad(f, jit=False)(3.0)
    np.random.seed(1)
    assert got == 2.0 * np.random.normal()


def test_one_stop_is_for_all():
    """As in JAX: what is a constant for the inner derivative by itself is one for the outer, too."""
    assert sg.grad(lambda x: grad(lambda y: sg.stop_gradient(y) * y * x)(x), jit=False)(2.0) == 2.0


def test_auxiliary_results_have_derivatives_around():
    def f(x):
        gradient, aux = grad(lambda y: (y**2, y**3), has_aux=True)(x)
        return gradient + aux

    def g(x):
        (value, aux), gradient = sg.value_and_grad(lambda y: (y**2, {"a": np.array([y, y**3])}), has_aux=True)(x)
        return value + gradient + np.sum(aux["a"])

    for mode in ("forward", "reverse"):
        assert sg.grad(f, mode=mode, jit=False)(2.0) == 2.0 + 12.0
        assert sg.grad(g, mode=mode, jit=False)(2.0) == 4.0 + 2.0 + 13.0
        outside = sg.grad(lambda y: (y**2, y**3), has_aux=True, mode=mode, jit=False)
        assert sg.grad(lambda x, d=outside: d(x)[1], jit=False)(2.0) == 12.0


def test_compiled():
    def f(x, k):
        v = np.zeros(3)
        for _ in range(5):
            v = v - 0.1 * grad(lambda y: k * np.sum(y**4) + np.sum(y * x))(x)  # noqa: B023
            x = x + 0.1 * v
        return np.sum(x * v)

    x = np.array([0.3, -0.2, 0.5])
    np.testing.assert_allclose(sg.grad(f)(x, 0.7), sg.grad(f, jit=False)(x, 0.7), rtol=1e-12)
    np.testing.assert_allclose(sg.hessian(f)(x, 0.7), sg.hessian(f, jit=False)(x, 0.7), rtol=1e-12)
