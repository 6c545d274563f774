"""Random numbers inside functions: drawn once, in order, the same for value and derivative."""

from __future__ import annotations

import random

import numba
import numpy as np
import pytest

import srcgrad as sg
from srcgrad.testing import check_grads

X = np.array([0.3, 0.8, 1.4, 0.6])


# ---- programs that set the seed themselves: functions like any other, so that numerical derivatives tell


def straight(x):
    np.random.seed(1)
    z = np.random.standard_normal(4)
    return np.sum(x * z * np.random.uniform(1.0, x[0])) + np.random.normal(x[1], x[2]) ** 2


def loop(x):
    np.random.seed(2)
    s = 1.0
    for i in range(len(x)):
        z = np.random.normal(0.0, x[i])
        s = s * np.sin(z + 1.0) + x[i] * np.random.rand()
    return s


def nested(x):
    np.random.seed(3)
    y = x.copy()
    for i in range(3):
        for j in range(len(x)):
            if np.random.random() < 0.6:
                y[j] = y[j] * np.cos(y[j - 1]) * np.random.exponential(x[i])
            else:
                k = np.random.randint(0, len(x))
                y[j] = y[k] * x[j]
    return np.sum(y**2)


def random_walk(x):
    np.random.seed(4)
    s, k = x[0], 0
    while np.random.random() < 0.9 and k < 20:
        s = np.sin(s) + x[k % len(x)] * np.random.normal()
        if s > 2.0:
            break
        k += 1
    return s * s


def rows_in_a_loop(x):
    np.random.seed(5)
    s = np.ones(4)
    for _ in range(3):
        s = s * np.tanh(x * np.random.randn(4)) + np.random.gumbel(0.0, x[1], 4)
    return np.sum(s * s)


def arrays_of_unknown_length(x):
    np.random.seed(6)
    s = 0.0
    for i in range(5):
        z = np.random.rand(np.random.poisson(2.0), 2)
        s = s * np.cos(s) + np.sum(np.exp(z * x[i % 4]) * z)
    return s


def sampled(x):
    np.random.seed(7)
    order = np.random.permutation(len(x))
    batch = np.random.choice(x, 2, replace=False)
    y = x * 1.0
    np.random.shuffle(y)
    return x[order[0]] * np.sum(batch**2) * y[1] + np.random.choice(x) * np.sum(np.random.permutation(x)[:2] ** 3)


def dropout(x):
    np.random.seed(8)
    mask = np.random.random(x.shape) < 0.5
    return np.sum(np.where(mask, x, 0.0) ** 2) * np.random.binomial(4, 0.5)


def helper(x, scale):
    return x + scale * np.random.laplace(0.0, 1.0)


def through_helpers(x):
    np.random.seed(9)
    total = 0.0
    for v in x:
        total += helper(v, v) ** 2 if v > 0.5 else helper(v, 1.0)
    return total


def of_python(x):
    random.seed(3)
    s = random.random() * x[0]
    for i in range(3):
        s = s * random.uniform(x[0], x[i]) + random.gauss(x[1], x[2]) / random.expovariate(x[i])
        s += x[random.randint(0, 3)] * random.randrange(1, 5) + random.normalvariate(0.0, x[3])
    return s * random.lognormvariate(0.0, x[0])


def scaled(x):
    np.random.seed(10)
    a = np.random.gamma(2.0, x[0]) + np.random.rayleigh(x[1]) + np.random.logistic(x[2], x[3])
    return a * np.random.lognormal(x[0], x[1]) * np.random.uniform(x[0], x[2])


SEEDED = [
    straight,
    loop,
    nested,
    random_walk,
    rows_in_a_loop,
    arrays_of_unknown_length,
    sampled,
    dropout,
    through_helpers,
    scaled,
    of_python,
]


@pytest.mark.parametrize("fun", SEEDED, ids=lambda f: f.__name__)
def test_derivatives_are_those_of_the_drawn_numbers(fun):
    check_grads(fun, (X,), jit=False)
    made = sg.value_and_grad(fun, jit=False)
    assert made(X)[0] == fun(X)
    forth, back = made.source_for(X).split("    # reverse\n")
    assert "random." in forth
    assert not [line for line in back.splitlines() if "random." in line and not line.strip().startswith("#")]


@pytest.mark.parametrize("fun", [straight, nested, arrays_of_unknown_length, sampled], ids=lambda f: f.__name__)
def test_second_derivatives_and_many_runs(fun):
    hessian = sg.hessian(fun, jit=False)(X)
    v = np.array([1.0, -0.5, 2.0, 0.25])
    product = sg.hvp(fun, jit=False)(X, v)
    np.testing.assert_allclose(hessian @ v, product, rtol=1e-12, atol=1e-13)
    gradient, h = sg.grad(fun, jit=False), 1e-5
    np.testing.assert_allclose(product, (gradient(X + h * v) - gradient(X - h * v)) / (2 * h), rtol=1e-6, atol=1e-7)
    columns = sg.jacfwd(fun, jit=False)(X)
    np.testing.assert_allclose(columns, sg.jacrev(fun, jit=False)(X), rtol=1e-12, atol=1e-13)


# ---- the stream


def dead_draws(x):
    np.random.rand(3)
    for _ in range(2):
        _ = np.random.normal()
    return x * x


def by_seed_outside(x):
    s = x
    for _ in range(3):
        s = np.sin(s * np.random.normal(1.0, x)) + np.random.rand()
    return s


TRANSFORMERS = {
    "grad": lambda f: sg.value_and_grad(f, jit=False),
    "forward": lambda f: sg.value_and_grad(f, mode="forward", jit=False),
    "second": lambda f: sg.grad(sg.grad(f, jit=False), jit=False),
    "hessian": lambda f: sg.hessian(f, jit=False),
    "jacfwd": lambda f: sg.jacfwd(f, jit=False),
}


@pytest.mark.parametrize("fun", [dead_draws, by_seed_outside])
@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_the_stream_moves_on_as_that_of_the_function_does(fun, kind):
    np.random.seed(11)
    value, after = fun(0.7), np.random.random()
    np.random.seed(11)
    got = TRANSFORMERS[kind](fun)(0.7)
    assert np.random.random() == after
    if kind in ("grad", "forward"):
        assert got[0] == value


DRAWN = """
    random() random_sample(3) sample(2) ranf(2) rand() rand(2,3) randn() randn(2) standard_normal((2,2))
    normal() normal(2.0) normal(1.0,0.5,4) uniform() uniform(1.0,4.0) uniform(-1.0,2.0,(2,2)) exponential()
    exponential(2.0,3) standard_exponential() standard_exponential(2) gamma(2.5) gamma(2.5,3.0,2)
    standard_gamma(0.5,3) beta(2.0,3.0) beta(2.0,3.0,2) chisquare(3.0) f(2.0,7.0,2) standard_t(4.0)
    standard_cauchy() standard_cauchy(2) gumbel(1.0,2.0) gumbel(1.0,2.0,3) laplace() laplace(1.0,2.0,3)
    logistic(1.0,0.5) logistic(1.0,0.5,2) lognormal(0.5,0.3) lognormal(0.5,0.3,2) pareto(3.0) pareto(3.0,2)
    power(2.5) power(2.5,2) rayleigh(2.0) rayleigh(2.0,3) weibull(1.5) weibull(1.5,2) triangular(0.0,0.3,1.0)
    vonmises(0.0,2.0,2) wald(1.0,2.0) wald(1.0,2.0,2) poisson(3.5) poisson(3.5,4) binomial(10,0.3)
    binomial(10,0.3,3) negative_binomial(3,0.4) geometric(0.2) hypergeometric(5,6,4) logseries(0.4) zipf(3.0)
    multinomial(9,np.array([0.2,0.5,0.3])) multinomial(9,np.array([0.4,0.6]),2) dirichlet(np.ones(3)) randint(5)
    randint(2,9) randint(0,4,(2,3)) permutation(6) choice(7) choice(7,3) choice(7,3,False)
""".split()


def test_every_distribution_gives_the_numbers_that_numpy_gives(tmp_path):
    text = "import numpy as np\n" + "".join(
        f"def draw_{k}(x):\n    return x * np.random.{call}, np.random.random()\n" for k, call in enumerate(DRAWN)
    )
    path = tmp_path / "drawing.py"
    path.write_text(text)
    space = {}
    exec(compile(text, str(path), "exec"), space)
    for k, call in enumerate(DRAWN):
        fun = space[f"draw_{k}"]
        np.random.seed(k)
        want = fun(2.0)
        np.random.seed(k)
        got, dots = sg.jvp(fun, (2.0,), (1.0,), jit=False)
        for a, b in zip(got, want, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=call)
        np.testing.assert_array_equal(dots[0], np.asarray(want[0]) / 2.0, err_msg=call)


def compiled(x, n):
    np.random.seed(12)
    random.seed(4)
    s = 0.5
    z = np.random.standard_normal(n)
    for i in range(n):
        s = np.sin(s * x[i % 4] + z[i]) * np.random.normal(1.0, x[0])
        if np.random.random() < 0.5:
            s += np.random.exponential(x[1])
        s -= x[np.random.randint(0, 4)] * np.random.poisson(2.0) + random.uniform(0.5, x[2]) + random.gauss(0.0, 1.0)
    return s


def test_compiled_derivatives_draw_what_the_compiled_function_draws():
    value, gradient = sg.value_and_grad(compiled)(X, 6)
    primal = numba.njit(error_model="numpy")(compiled)
    np.testing.assert_allclose(value, primal(X, 6), rtol=1e-13)
    h = 1e-6
    steps = [(primal(X + h * e, 6) - primal(X - h * e, 6)) / (2 * h) for e in np.eye(4)]
    np.testing.assert_allclose(gradient, steps, rtol=1e-6)


def test_compiled_code_seeds_and_calls_a_derivative():
    def noisy(x):
        return x * np.random.normal() + np.random.rand()

    slope = sg.value_and_grad(noisy)

    @numba.njit
    def both(x):
        np.random.seed(3)
        a = x * np.random.normal() + np.random.rand()
        np.random.seed(3)
        return a, slope(x)

    value, (again, gradient) = both(0.5)
    assert value == again
    np.testing.assert_allclose(gradient * 0.5, value - (again - gradient * 0.5), rtol=1e-12)


# ---- what is refused


def active_shape(x):
    return np.random.gamma(x, 1.0)


def active_chance(x):
    return x * np.random.binomial(5, x)


def recursive(x, n):
    return x if n == 0 else recursive(x * np.random.rand(), n - 1)


def calls_recursive(x):
    return recursive(x, 3)


@sg.custom_jvp
def own_rule(x):
    return x * np.random.rand()


own_rule.defjvp(lambda primals, tangents: (primals[0] * 0.5, tangents[0]))


def arrays_as_parameters(x):
    return x * np.sum(np.random.normal(np.zeros(3), 1.0))


def weighted_choice(x):
    return x * np.random.choice(3, p=[0.2, 0.3, 0.5])


def noise(x):
    return x * np.random.rand()


REFUSED = {
    "the shape of a gamma": (lambda: sg.grad(active_shape, jit=False)(2.0), "depends on what is differentiated by"),
    "a chance": (lambda: sg.grad(active_chance, mode="forward", jit=False)(0.3), "stop_gradient"),
    "recursion": (lambda: sg.grad(calls_recursive, jit=False)(2.0), "recursive function"),
    "a rule of its own": (lambda: sg.grad(lambda x: own_rule(x), jit=False)(2.0), "own rule"),
    "arrays": (lambda: sg.grad(arrays_as_parameters, jit=False)(2.0), "draw in a loop"),
    "weights": (lambda: sg.grad(weighted_choice, jit=False)(2.0), "np.searchsorted"),
    "vmap": (lambda: sg.vmap(sg.grad(noise, jit=False), jit=False)(X), "in front of vmap"),
    "a GPU": (lambda: sg.grad(noise, target="cuda").source_for(1.0), "on the host"),
    "a pullback": (lambda: sg.vjp(noise, 2.0, jit=False)[1](1.0), "value_and_grad"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_right_is_refused(what):
    call, told = REFUSED[what]
    with pytest.raises(sg.UnsupportedError, match=told):
        call()


def test_a_chance_that_is_held_fixed():
    def fixed(x):
        np.random.seed(0)
        return x * np.random.binomial(5, sg.stop_gradient(x))

    np.random.seed(0)
    assert sg.grad(fixed, jit=False)(0.7) == np.random.binomial(5, 0.7)


def dead_recursion(x):
    recursive(x, 2)
    return x * x


def test_a_recursive_function_that_nobody_needs_draws_all_the_same():
    np.random.seed(13)
    dead_recursion(0.5)
    after = np.random.random()
    np.random.seed(13)
    assert sg.vjp(dead_recursion, 0.5, jit=False)[0] == 0.25
    assert np.random.random() == after
