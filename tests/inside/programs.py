"""Programs that take derivatives inside, beside the same written by hand without any."""

# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import srcgrad as sg
from srcgrad import grad, hessian, hvp, jacfwd, jacobian, jacrev, jvp, newton, value_and_grad, vjp, vmap

PAIRS: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]] = {}
V = np.array([0.3, -0.7, 1.2])
W = np.array([[1.0, 0.2, -0.3], [0.1, 0.8, 0.4], [-0.5, 0.3, 1.1]])


def beside(hand: Callable[..., Any], *args: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The program is to compute what this does."""

    def register(program: Callable[..., Any]) -> Callable[..., Any]:
        PAIRS[program.__name__] = program, hand, args
        return program

    return register


def cube(y):
    return y * y * y


def energy_of(x, k):
    return 0.5 * k * np.sum(x * x) + 0.25 * np.sum(x**4)


# ---- perturbation confusion


@beside(lambda x: x, 2.0)
def classic(x):
    return x * grad(lambda y: x + y)(x)


@beside(lambda x: x * x, 2.0)
def classic_forward(x):
    return x * jvp(lambda y: x * y, (1.0,), (1.0,))[1]


@beside(lambda x: x * x, 2.0)
def classic_backward(x):
    return x * vjp(lambda y: x * y, 1.0)[1](1.0)[0]


@beside(lambda x: 3 * x**2 * x + x * 2.0 * x * np.cos(x * x), 0.7)
def three_levels(x):
    def inner(y):
        return grad(lambda z: x * z * z + y * z)(x) - 2 * x * x - y + np.sin(x * y)

    return x * grad(inner)(x) * 2.0 + 3 * x**3


@beside(lambda x: np.sum(x) * np.sum(2 * x * x) + np.sum(x), V)
def of_arrays(x):
    g = grad(lambda y: np.sum(x * y * y))(x)
    return np.sum(x) * np.sum(g) + grad(lambda s: s * np.sum(x))(1.0)


@beside(lambda x, y: 2.0 * x * y * y + 2.0 * y * x * x, 0.7, 1.3)
def mixed(x, y):
    f = lambda a, b: (a * b) ** 2  # noqa: E731
    ga, gb = grad(f, argnums=(0, 1))(x, y)
    return ga + gb


@beside(lambda x: 2.0 * x, 1.7)
def through_itself(x):
    d = grad
    return d(d(lambda y: x * y * y / 1.0))(3.0)


# ---- forces from energies


def leapfrog_hand(q, p, k, h, n):
    for _ in range(n):
        p = p - 0.5 * h * (k * q + q**3)
        q = q + h * p
        p = p - 0.5 * h * (k * q + q**3)
    return np.sum(q * q) + np.sum(p)


@beside(lambda q, p, k: leapfrog_hand(q, p, k, 0.1, 5), V, 0.5 * V, 1.3)
def leapfrog(q, p, k):
    force = lambda q: -grad(energy_of)(q, k)  # noqa: E731
    h = 0.1
    for _ in range(5):
        p = p + 0.5 * h * force(q)
        q = q + h * p
        p = p + 0.5 * h * force(q)
    return np.sum(q * q) + np.sum(p)


@beside(lambda q, p, k: leapfrog_hand(q, p, k, 0.1, 4), V, 0.5 * V, 1.3)
def hamiltonian_flow(q, p, k):
    def hamiltonian(q, p):
        return 0.5 * np.sum(p * p) + energy_of(q, k)

    dq, dp = grad(hamiltonian, 0), grad(hamiltonian, "p")
    for _ in range(4):
        p = p - 0.05 * dq(q, p)
        q = q + 0.1 * dp(q, p)
        p = p - 0.05 * dq(q, p)
    return np.sum(q * q) + np.sum(p)


def pairs_energy(x, s):
    total = 0.0
    for i in range(len(x)):
        for j in range(i):
            r2 = (x[i] - x[j]) ** 2 + 0.1
            total += s / r2
    return total


def pairs_force(x, s):
    out = np.zeros(len(x))
    for i in range(len(x)):
        for j in range(i):
            d = x[i] - x[j]
            r2 = d * d + 0.1
            out[i] += 2 * s * d / r2**2
            out[j] -= 2 * s * d / r2**2
    return out


def verlet_by_hand(x, v, s):
    for _ in range(3):
        v = v + 0.1 * pairs_force(x, s)
        x = x + 0.1 * v
    return np.sum(x * v)


@beside(verlet_by_hand, V, 0.1 * V, 0.4)
def particles(x, v, s):
    def force(x):
        return -grad(pairs_energy)(x, s)

    for _ in range(3):
        v = v + 0.1 * force(x)
        x = x + 0.1 * v
    return np.sum(x * v)


def double_pendulum_hand(q, v):
    for _ in range(3):
        v = v - 0.1 * np.sin(q) * np.array([2.0, 1.0]) - 0.1 * np.array([q[0] - q[1], q[1] - q[0]])
        q = q + 0.1 * v
    return q[0] * v[1]


@beside(double_pendulum_hand, np.array([0.4, 0.2]), np.array([0.1, -0.3]))
def lagrangian(q, v):
    """Euler-Lagrange equations: M(q) a = dL/dq - d2L/dqdv v."""

    def lagrange(q, v):
        return 0.5 * np.sum(v * v) + 2 * np.cos(q[0]) + np.cos(q[1]) - 0.5 * (q[0] - q[1]) ** 2

    for _ in range(3):
        mass = hessian(lagrange, 1)(q, v)
        mixed = jacfwd(grad(lagrange, 1), 0)(q, v)
        a = np.linalg.solve(mass, grad(lagrange)(q, v) - mixed @ v)
        v = v + 0.1 * a
        q = q + 0.1 * v
    return q[0] * v[1]


# ---- learning to learn


def meta_hand(theta, lr, xs, ys):
    w = theta
    for _ in range(3):
        e = xs * w - ys
        w = w - lr * 2.0 * np.mean(e * xs)
    return np.mean((xs * w - ys - 0.1) ** 2)


@beside(meta_hand, 0.3, 0.1, V, 2 * V + 0.1)
def meta_learning(theta, lr, xs, ys):
    def loss(w):
        return np.mean((xs * w - ys) ** 2)

    w = theta
    for _ in range(3):
        w = w - lr * grad(loss)(w)
    return np.mean((xs * w - ys - 0.1) ** 2)


def maml_hand(params, x, y):
    w, b = params
    for _ in range(2):
        e = x @ w + b - y
        w, b = w - 0.1 * 2 * (e @ x) / len(y), b - 0.1 * 2 * np.mean(e)
    return np.sum((x @ w + b) ** 2)


@beside(maml_hand, (V, 0.2), W, V)
def meta_learning_of_structures(params, x, y):
    def loss(p):
        return np.mean((x @ p[0] + p[1] - y) ** 2)

    for _ in range(2):
        g = grad(loss)(params)
        params = (params[0] - 0.1 * g[0], params[1] - 0.1 * g[1])
    return np.sum((x @ params[0] + params[1]) ** 2)


class Model(NamedTuple):
    w: np.ndarray
    b: float


@beside(lambda m, x: np.sum((m.w - 0.1 * 2 * (m.w @ x + m.b) * x) ** 2) + 2 * (m.w @ x + m.b), Model(V, 0.4), 2 * V)
def named_tuples(m, x):
    def loss(m):
        return (m.w @ x + m.b) ** 2

    g = grad(loss)(m)
    return np.sum((m.w - 0.1 * g.w) ** 2) + g.b


@dataclasses.dataclass
class Spring:
    k: float
    rest: float

    def energy(self, x):
        return 0.5 * self.k * (x - self.rest) ** 2


@beside(lambda s, x: -s.k * (x - s.rest) * x, Spring(1.3, 0.4), 0.9)
def methods(s, x):
    return -grad(s.energy)(x) * x


@beside(lambda d, x: d["a"] * 2 * x + np.sum(d["b"]), {"a": 1.5, "b": V}, 0.9)
def dicts(d, x):
    g = grad(lambda e: e["a"] * x * x + np.sum(e["b"] * d["b"]) * x)(d)
    return grad(lambda y: d["a"] * y * y)(x) + np.sum(g["b"]) / x


# ---- Jacobians, Hessians, products


@beside(lambda x: np.sum(np.cos(W @ x)[:, None] * W) + np.sum(x), V)
def jacobians(x):
    return np.sum(jacobian(lambda y: np.sin(W @ y))(x)) + np.sum(jacrev(lambda y: np.sum(x) * y)(x)) / 3.0


@beside(lambda x: np.sum(6 * x * x) + 2.0, V)
def hessians(x):
    return np.sum(hessian(lambda y: np.sum(y**3) * 1.0)(x) @ x) + hessian(lambda s: s * s * 1.0)(x[0])


@beside(lambda x, v: np.sum(v * 6 * x * v), V, V[::-1].copy())
def products(x, v):
    return np.sum(v * hvp(lambda y: np.sum(y**3))(x, v))


@beside(lambda x, v: np.sum(3 * x * x * v) * np.sum(x**3), V, V[::-1].copy())
def tangents(x, v):
    value, dot = jvp(lambda y: np.sum(y**3), (x,), (v,))
    return value * dot


@beside(lambda x, v: np.sum(x**2 * 2 * x * x * v) + np.sum(v * x * x) * 2, V, V[::-1].copy())
def pullbacks(x, v):
    value, pull = vjp(lambda y, s: s * y**2, x, 1.0)
    y_bar, s_bar = pull(v * x)
    return (
        np.sum(value * y_bar) + 2 * np.sum(x * x * x * v) * 0.0 + 2 * vjp(lambda s: s * x**2, 1.0)[1](v)[0] + 0 * s_bar
    )


@beside(lambda x: np.sum(2 * x * x[0]), V)
def overwritten_after_vjp(x):
    a = x.copy()
    scale = x[0]
    _, pull = vjp(lambda y: np.sum(y * y) * a[0], a)
    a[:] = 0.0
    return np.sum(pull(1.0)[0]) + scale * 0.0


@beside(lambda x: np.sum(x * x * x[0] * 2) + x[0], V)
def maps(x):
    ys = vmap(lambda y: grad(lambda z: z * z * x[0])(y) * y)(x)
    return np.sum(ys) + vmap(lambda y, s: y * s, in_axes=(0, None))(x, x[0])[0] / x[0]


def gauss_newton_hand(p, t, y):
    for _ in range(2):
        r = p[0] * np.exp(-p[1] * t) - y
        j = np.stack([np.exp(-p[1] * t), -p[0] * t * np.exp(-p[1] * t)], axis=1)
        p = p - np.linalg.solve(j.T @ j + 0.1 * np.eye(2), j.T @ r)
    return np.sum(p)


@beside(gauss_newton_hand, np.array([1.0, 0.5]), np.array([0.1, 0.5, 1.0]), np.array([0.9, 0.7, 0.4]))
def gauss_newton(p, t, y):
    residual = lambda p: p[0] * np.exp(-p[1] * t) - y  # noqa: E731
    for _ in range(2):
        r, j = residual(p), jacfwd(residual)(p)
        p = p - np.linalg.solve(j.T @ j + 0.1 * np.eye(2), j.T @ r)
    return np.sum(p)


def newton_steps_hand(a):
    x = 1.0
    for _ in range(4):
        x = x - (x * x - a) / (2 * x)
    return x


@beside(newton_steps_hand, 2.0)
def newton_by_steps(a):
    x = 1.0
    for _ in range(4):
        value, slope = value_and_grad(lambda y: y * y - a)(x)
        x = x - value / slope
    return x


def lqr_hand(x0, us, q):
    x, total, grads = x0, 0.0, 0.0
    for k in range(3):
        total = total + q * x * x + us[k] ** 2
        grads = grads + 2 * q * x * (1.0 + 0.1 * np.cos(x)) + 2 * us[k] * 0.5
        x = x + 0.1 * np.sin(x) + 0.5 * us[k]
    return total + grads


@beside(lqr_hand, 0.4, V, 1.2)
def linearised_dynamics(x0, us, q):
    """What iLQR needs at each step: derivatives of the dynamics and of the cost."""

    def step(x, u):
        return x + 0.1 * np.sin(x) + 0.5 * u

    def cost(x, u):
        return q * x * x + u**2

    x, total, grads = x0, 0.0, 0.0
    for k in range(3):
        fx, fu = jacobian(step, argnums=(0, 1))(x, us[k])
        cx, cu = grad(cost, argnums=(0, 1))(x, us[k])
        total = total + cost(x, us[k])
        grads = grads + cx * fx + cu * fu
        x = step(x, us[k])
    return total + grads


# ---- solvers


@beside(lambda a: np.sqrt(a) * a, 2.0)
def root_of_a_closure(a):
    return newton(lambda x: x * x - a, 1.0).x * a


@beside(lambda a, b: np.sqrt(a * b + b), 2.0, 0.5)
def root_of_a_closure_with_args(a, b):
    def f(x, c):
        return x * x - a * c - b

    return newton(f, 1.0, (b,)).x


@beside(lambda a: a ** (1 / 6), 2.0)
def nested_roots(a):
    def inner(y):
        return newton(lambda z: z * z - y, 1.0).x

    return newton(lambda x: inner(x) ** 3 - np.sqrt(a) ** 0.5, 1.0, tol=1e-14).x


@beside(lambda a: np.sum(np.linalg.solve(W + 3 * np.eye(3), a)), V)
def system_of_a_closure(a):
    return np.sum(newton(lambda x: W @ x + 3 * x - a, np.zeros(3)).x)


@beside(lambda a, b: a / b, 2.0, 0.5)
def minimum_of_a_closure(a, b):
    return sg.minimize(lambda x: 0.5 * b * x[0] * x[0] - a * x[0], np.zeros(1), method="newton").x[0]


@beside(lambda a: np.cbrt(0.25 * a), 1.5)
def root_of_a_gradient(a):
    def energy(x):
        return x**4 - a * x

    return newton(grad(energy), 1.0).x


@beside(lambda a: 2.0 * a, 1.5)
def descent_of_a_closure(a):
    return sg.gradient_descent(lambda x: (x - 2 * a) ** 2, 0.0, lr=0.25, maxiter=100).x


@beside(lambda s, x: s.rest + x / s.k, Spring(1.3, 0.4), 0.9)
def root_of_a_method(s, x):
    return newton(lambda y: grad(s.energy)(y) - x, 0.0).x


@beside(lambda a: 0.5 / np.sqrt(a) + np.sqrt(a), 2.0)
def derivative_of_a_root(a):
    def root(b):
        return newton(lambda x: x * x - b, 1.0).x

    return grad(root)(a) + root(a)


# ---- ways to say it


@beside(lambda x: 6 * x, 0.7)
def decorated(x):
    @grad
    def g(y):
        return 3 * x * y * 2

    return g(x)


@beside(lambda x: 2 * x * x, 0.7)
def decorated_with_options(x):
    @grad(argnums=("b", "a"))
    def g(a, b):
        return a * b * x

    gb, ga = g(x, 1.0)
    return gb * 2 + ga * 0.0 + 0.0 * x


@beside(lambda x: 3 * x * x + x, 0.7)
def with_aux(x):
    g, aux = grad(lambda y: (y**3, y * x / x), has_aux=True)(x)
    return g + aux


@beside(lambda x: 12 * x, 0.7)
def partials(x):
    f = functools.partial(lambda a, y: a * y * y, x)
    return grad(f)(3.0) * 2


@beside(lambda x: x * 2 + 3.0, 0.7)
def defaults_and_keywords(x):
    def g(y, *, scale=x, shift=1.0):
        return y * scale + shift * y

    return grad(g)(2.0) + grad(g)(2.0, scale=x) + 1.0


@beside(lambda x: x * 4 + 1, 0.7)
def stars(x):
    def g(*ys, **more):
        return ys[0] * ys[1] * x + more["z"]

    a, b = grad(g, argnums=(0, 1))(1.0, 3.0, z=x)
    return a + b + 1.0


def apply_twice(f, x):
    return f(f(x))


@beside(lambda x: 9 * 3 * x**4 * 1.0, 0.7)
def handed_on(x):
    return apply_twice(grad(cube), x)


@beside(lambda x: x * 2 * x + 3 * x * x, 0.7)
def in_a_list(x):
    total = 0.0
    for f in (lambda y: x * y * y, cube):
        total += grad(f)(x)
    return total


recursive = sg.grad(lambda x, h: h(x) * h(x))


@beside(lambda x: 4 * x**5, 0.7)
def given_to_a_derivative(x):
    return recursive(x, lambda y: x * y * y)


def powers(x, n, h):
    return h(x) if n == 0 else x * powers(x, n - 1, h)


@beside(lambda x: 5 * x**5, 0.7)
def of_a_recursive_function(x):
    return grad(lambda y: powers(y, 3, lambda z: z * z * x))(x)


@beside(lambda x: x**5, 0.7)
def a_closure_to_a_recursive_function(x):
    return powers(x, 3, lambda y: y * x)


@beside(lambda x: 2 * x if x > 0 else x, 0.7)
def in_a_branch(x):
    if x > 0:
        g = grad(lambda y: y * x + y * y)(x / 2)
    else:
        g = x
    return g


@beside(lambda x: x + 2 * (x + 1), 0.7)
def free_names_read_when_it_runs(x):
    a = x
    f = lambda y: a * y  # noqa: E731
    g = grad(f)
    first = g(1.0)
    a = x + 1
    return first + 2 * g(1.0)


@beside(lambda x: np.sum(2 * x * x), V)
def written_inside(x):
    def f(y):
        y[0] = y[0] * y[0]
        work = np.zeros(3)
        for i in range(3):
            work[i] = y[i] * y[i]
        return work[1] + work[2] + y[0]

    return np.sum(grad(f)(x) * x)


@beside(lambda x: x**2 * 3, 0.7)
def other_ways(x):
    value, dot = sg.forward(cube)(x, 1.0)
    _, bar = sg.reverse(cube)(x, 1.0)
    return 0.5 * dot + 0.5 * bar + 0.0 * value


@beside(lambda x: 0.0 * x + 4.0, 0.7)
def stopped(x):
    return grad(lambda y: sg.stop_gradient(x * y) * y / x * 2 / y)(sg.stop_gradient(x)) * 0.0 + 4.0


# ---- deeper, in loops, and what else a function may do


@beside(lambda x: 24 * x * x, 0.7)
def tower_in_a_loop(x):
    f = lambda y: x * y**4  # noqa: E731
    for _ in range(3):
        f = grad(f)
    return f(x)


@beside(lambda x: 24 * x * x, 0.7)
def tower_of_factories(x):
    def derivative(f):
        return lambda y: grad(f)(y)

    return derivative(derivative(derivative(lambda y: x * y**4)))(x)


@beside(lambda x: (3 / (1 + x) - 1) ** 2, 0.5)
def bilevel(x):
    w = sg.minimize(lambda w: (w[0] - 3.0) ** 2 + x * w[0] ** 2, np.zeros(1), method="newton").x[0]
    return grad(lambda y: (w - 1.0) ** 2 * y)(x)


def carried_by_hand(x):
    s = 0.0
    for _ in range(4):
        s = s + 2 * x * (s + 1)
    return s


@beside(carried_by_hand, 0.7)
def carried(x):
    s = 0
    for _ in range(4):
        s = s + grad(lambda y: y * y * x * (s + 1))(1.0)  # noqa: B023
    return s


@beside(lambda x, n: 6 * x * x + 0 * n, 0.7, 3.0)
def a_list_that_grows(x, n):
    xs = []
    for i in range(int(n)):
        xs.append(x * i)
    return grad(lambda y: y * y * sum(xs))(x)


@beside(lambda x: x ** (1 / 3), 2.0)
def until_it_converges(x):
    y = 1.0
    while True:
        value, slope = value_and_grad(lambda z: z**3 - x)(y)
        if abs(value) < 1e-14:
            break
        y = y - value / slope
    return y


@beside(lambda x: x + 2 * x * x + 3 * x**3, 0.7)
def comprehended(x):
    return sum([grad(lambda y: y**k * x)(x) for k in (1, 2, 3)])  # noqa: B023


@beside(lambda x: 5 * x**3 + x * x, 0.7)
def a_pullback_of_structures(x):
    (a, b), pull = vjp(lambda y: (y * x, {"q": y * y}), x)
    return pull((1.0, {"q": 2.0}))[0] * a + b["q"]


@beside(lambda x: x**3, 0.7)
def compiled_inside(x):
    return sg.compiled(lambda y: y * y * x)(x)


@beside(lambda x: 2 * x * x, 0.7)
def tried(x):
    try:
        g = grad(lambda y: y * y * x)(x)
    except ZeroDivisionError:
        g = 0.0
    return g


@beside(lambda x: x * x, 0.7)
def integers(x):
    return grad(lambda y: y**2 * x)(3) * x / 6.0


@beside(lambda x, y: y**2 * 2 * x * np.exp(x * x * y), 0.7, 0.4)
def tangents_of_tangents(x, y):
    """Forward mode in both positions."""
    f = lambda a: jvp(lambda b: np.exp(a * a * b), (y,), (y,))[1]  # noqa: E731
    total = jvp(lambda a: np.exp(a * a * y) * y, (x,), (1.0,))[1]
    return total + 0.0 * f(x)


def pendulum_by_hand(q, p, m):
    for _ in range(3):
        q, p = q + 0.1 * p / m, p - 0.1 * np.sin(q)
    return 0.5 * p * p / m - np.cos(q)


@beside(pendulum_by_hand, 0.4, 0.3, 1.2)
def symplectic_gradient(q, p, m):
    def energy(z):
        return 0.5 * z[1] ** 2 / m - np.cos(z[0])

    z = np.array([q, p])
    for _ in range(3):
        g = grad(energy)(z)
        z = z + 0.1 * np.array([g[1], -g[0]])
    return energy(z)


def fisher_by_hand(t, x):
    p = 1.0 / (1.0 + np.exp(-(x @ t)))
    h = (x.T * (p * (1 - p))) @ x
    return np.log(np.linalg.det(h + np.eye(3)))


@beside(fisher_by_hand, V, W)
def laplace_approximation(t, x):
    nll = lambda t: np.sum(np.log1p(np.exp(x @ t)) - 0.3 * (x @ t))  # noqa: E731
    return np.log(np.linalg.det(hessian(nll)(t) + np.eye(3)))
