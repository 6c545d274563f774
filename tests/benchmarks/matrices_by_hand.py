"""Jacobians, Hessians and solves for the suite, each beside what an expert writes by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import srcgrad as sg
from tests.benchmarks import jacobians, newton
from tests.benchmarks.jacobians import chained, hand, projection, rosenbrock
from tests.benchmarks.table_of_suite import Case, jitted
from tests.benchmarks.workloads.clusters import k_means_loops
from tests.benchmarks.workloads.statistical import k_means

# ---- hand tracking: columns forward, of the bones alone that an angle moves


def turned(x, y, z, local, dx, dy, dz):
    """The tangent of the rotation by three angles."""
    cx, sx = math.cos(x), math.sin(x)
    cy, sy = math.cos(y), math.sin(y)
    cz, sz = math.cos(z), math.sin(z)
    local[0, 0] = -sy * cz * dy - cy * sz * dz
    local[0, 1] = sx * sz * dx - cx * cz * dz + cx * sy * cz * dx + sx * cy * cz * dy - sx * sy * sz * dz
    local[0, 2] = cx * sz * dx + sx * cz * dz - sx * sy * cz * dx + cx * cy * cz * dy - cx * sy * sz * dz
    local[1, 0] = -sy * sz * dy + cy * cz * dz
    local[1, 1] = -sx * cz * dx - cx * sz * dz + cx * sy * sz * dx + sx * cy * sz * dy + sx * sy * cz * dz
    local[1, 2] = -cx * cz * dx + sx * sz * dz - sx * sy * sz * dx + cx * cy * sz * dy + cx * sy * cz * dz
    local[2, 0] = -cy * dy
    local[2, 1] = cx * cy * dx - sx * sy * dy
    local[2, 2] = -sx * cy * dx - cx * sy * dy


def rotation(x, y, z, local):
    cx, sx = math.cos(x), math.sin(x)
    cy, sy = math.cos(y), math.sin(y)
    cz, sz = math.cos(z), math.sin(z)
    local[0, 0] = cy * cz
    local[0, 1] = -cx * sz + sx * sy * cz
    local[0, 2] = sx * sz + cx * sy * cz
    local[1, 0] = cy * sz
    local[1, 1] = cx * cz + sx * sy * sz
    local[1, 2] = -sx * cz + cx * sy * sz
    local[2, 0] = -sy
    local[2, 1] = sx * cy
    local[2, 2] = cx * cy


def composed(outer, local, pose, shift):
    """pose = outer @ local of affine maps; shift: whether the outer one's own shift is added."""
    for i in range(3):
        for j in range(4):
            s = outer[i, 3] if shift and j == 3 else 0.0
            for k in range(3):
                s += outer[i, k] * local[k, j]
            pose[i, j] = s


def hand_by_hand(theta, base, weights, parents, offsets, target):
    n = base.shape[0]
    local, pose = np.zeros((22, 3, 4)), np.zeros((22, 3, 4))
    for b in range(22):
        if b == 0:
            rotation(theta[20], theta[21], theta[22], local[b])
        elif b == 1:
            rotation(0.0, 0.0, 0.0, local[b])
        else:
            rotation(theta[b - 2], 0.3 * theta[b - 2], 0.0, local[b])
        for i in range(3):
            local[b, i, 3] = offsets[b, i]
        if b == 0:
            pose[0] = local[0]
        else:
            composed(pose[parents[b]], local[b], pose[b], True)
    out = np.zeros((n, 3, 26))
    dot, first = np.zeros((22, 3, 4)), np.zeros((3, 4))
    moved = np.zeros(22, np.bool_)
    column = np.zeros((n, 3))
    for p in range(23):
        moved[:] = False
        if p < 20:
            bone = p + 2
            turned(theta[p], 0.3 * theta[p], 0.0, first, 1.0, 0.3, 0.0)
            composed(pose[parents[bone]], first, dot[bone], False)
        else:
            bone = 0
            turned(theta[20], theta[21], theta[22], first, 1.0 * (p == 20), 1.0 * (p == 21), 1.0 * (p == 22))
            dot[0] = first
        moved[bone] = True
        for b in range(bone + 1, 22):
            if moved[parents[b]]:
                moved[b] = True
                composed(dot[parents[b]], local[b], dot[b], True)
        column[:] = 0.0
        for b in range(bone, 22):
            if moved[b]:
                add_skin(dot[b], base, weights, b, column)
        for v in range(n):
            for i in range(3):
                out[v, i, p] = column[v, i]
    for v in range(n):
        for i in range(3):
            out[v, i, 23 + i] = 1.0
    return out


def add_skin(dot, base, weights, b, column):
    for v in range(base.shape[0]):
        w, x, y, z = weights[v, b], base[v, 0], base[v, 1], base[v, 2]
        for i in range(3):
            column[v, i] += w * (dot[i, 3] + dot[i, 0] * x + dot[i, 1] * y + dot[i, 2] * z)


# ---- bundle adjustment: one forward sweep, two reverse ones a block


def projections(cameras, points, weights, seen, feats):
    """All errors, two an observation."""
    p = np.zeros(15)
    out = np.zeros((len(seen), 2))
    for k in range(len(seen)):
        gather(cameras, points, weights, seen[k], k, p)
        out[k] = projection(p, feats[k])
    return out


def gather(cameras, points, weights, pair, k, p):
    for i in range(11):
        p[i] = cameras[pair[0], i]
    for i in range(3):
        p[11 + i] = points[pair[1], i]
    p[14] = weights[k]


def blocks_by_hand(cameras, points, weights, seen, feats):
    p = np.empty(15)
    out = np.empty((len(seen), 2, 15))
    for k in range(len(seen)):
        gather(cameras, points, weights, seen[k], k, p)
        projection_rows(p, feats[k], out[k])
    return out


def projection_rows(p, feat, rows):
    theta = math.sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2])
    x0, x1, x2 = p[11] - p[3], p[12] - p[4], p[13] - p[5]
    c, s = math.cos(theta), math.sin(theta)
    w0, w1, w2 = p[0] / theta, p[1] / theta, p[2] / theta
    d = w0 * x0 + w1 * x1 + w2 * x2
    t = d * (1.0 - c)
    a0, a1, a2 = w1 * x2 - w2 * x1, w2 * x0 - w0 * x2, w0 * x1 - w1 * x0
    y0, y1, y2 = x0 * c + a0 * s + w0 * t, x1 * c + a1 * s + w1 * t, x2 * c + a2 * s + w2 * t
    u, v = y0 / y2, y1 / y2
    r = u * u + v * v
    scale = 1.0 + p[9] * r + p[10] * r * r
    slope = p[9] + 2.0 * p[10] * r
    for row in range(2):
        own, e = u if row == 0 else v, p[14]
        scale_bar = e * own * p[6]
        r_bar = scale_bar * slope
        u_bar, v_bar = 2.0 * u * r_bar, 2.0 * v * r_bar
        if row == 0:
            u_bar += e * scale * p[6]
        else:
            v_bar += e * scale * p[6]
        b0, b1, b2 = u_bar / y2, v_bar / y2, -(u_bar * u + v_bar * v) / y2
        t_bar = b0 * w0 + b1 * w1 + b2 * w2
        d_bar = t_bar * (1.0 - c)
        c_bar = b0 * x0 + b1 * x1 + b2 * x2 - t_bar * d
        s_bar = b0 * a0 + b1 * a1 + b2 * a2
        # of the cross product of w and x, times b
        g0, g1, g2 = b1 * w2 - b2 * w1, b2 * w0 - b0 * w2, b0 * w1 - b1 * w0
        h0, h1, h2 = x1 * b2 - x2 * b1, x2 * b0 - x0 * b2, x0 * b1 - x1 * b0
        e0, e1, e2 = c * b0 + s * g0 + d_bar * w0, c * b1 + s * g1 + d_bar * w1, c * b2 + s * g2 + d_bar * w2
        f0, f1, f2 = s * h0 + t * b0 + d_bar * x0, s * h1 + t * b1 + d_bar * x1, s * h2 + t * b2 + d_bar * x2
        theta_bar = c * s_bar - s * c_bar - (f0 * w0 + f1 * w1 + f2 * w2) / theta
        rows[row, 0] = f0 / theta + theta_bar * w0
        rows[row, 1] = f1 / theta + theta_bar * w1
        rows[row, 2] = f2 / theta + theta_bar * w2
        rows[row, 3], rows[row, 4], rows[row, 5] = -e0, -e1, -e2
        rows[row, 6] = e * own * scale
        rows[row, 7], rows[row, 8] = (e, 0.0) if row == 0 else (0.0, e)
        rows[row, 9], rows[row, 10] = scale_bar * r, scale_bar * r * r
        rows[row, 11], rows[row, 12], rows[row, 13] = e0, e1, e2
        rows[row, 14] = own * scale * p[6] + p[7 + row] - feat[row]


def scene(size: tuple[int, ...]) -> tuple[Any, ...]:
    """Cameras, points, weights, and which camera sees which point where."""
    cameras, points, observations = size
    rng = np.random.default_rng(3)
    places = rng.normal(size=(points, 3))
    places[:, 2] += 10.0
    pairs = np.stack([rng.integers(0, cameras, observations), rng.integers(0, points, observations)], axis=1)
    feats = rng.normal(size=(observations, 2))
    return rng.normal(size=(cameras, 11)), places, rng.normal(size=observations), pairs, feats


def generated_blocks(jit: bool) -> Any:
    """The generated Jacobian of one error, called in a loop of the user's."""
    rows = sg.jacrev(projection, jit=jit)

    def blocks(cameras, points, weights, seen, feats):  # type: ignore[no-untyped-def]
        p = np.empty(15)
        out = np.empty((len(seen), 2, 15))
        for k in range(len(seen)):
            gather_(cameras, points, weights, seen[k], k, p)
            out[k] = rows(p, feats[k])
        return out

    gather_: Any = gather
    if not jit:
        return blocks
    import numba

    gather_ = numba.njit(gather)
    return numba.njit(blocks)


def residuals(x, cameras, points, seen, feats):
    """The errors as a vector, of all parameters as a vector."""
    p = np.zeros(15)
    out = np.zeros(2 * len(seen))
    for k in range(len(seen)):
        for i in range(11):
            p[i] = x[11 * seen[k, 0] + i]
        for i in range(3):
            p[11 + i] = x[11 * cameras + 3 * seen[k, 1] + i]
        p[14] = x[11 * cameras + 3 * points + k]
        errors = projection(p, feats[k])
        out[2 * k] = errors[0]
        out[2 * k + 1] = errors[1]
    return out


def residuals_by_hand(x, cameras, points, seen, feats):
    """The rows of the sparse matrix: data, columns, and where each row begins. Each error has one centre, not both."""
    n = len(seen)
    data, columns, starts = np.empty(28 * n), np.empty(28 * n, np.int32), np.empty(2 * n + 1, np.int32)
    p, rows, places = np.empty(15), np.empty((2, 15)), np.empty(15, np.int32)
    for k in range(n):
        for i in range(11):
            places[i] = 11 * seen[k, 0] + i
        for i in range(3):
            places[11 + i] = 11 * cameras + 3 * seen[k, 1] + i
        places[14] = 11 * cameras + 3 * points + k
        for i in range(15):
            p[i] = x[places[i]]
        projection_rows(p, feats[k], rows)
        at = 28 * k
        starts[2 * k], starts[2 * k + 1] = at, at + 14
        for row in range(2):
            for i in range(15):
                if i != 8 - row:
                    data[at], columns[at] = rows[row, i], places[i]
                    at += 1
    starts[2 * n] = 28 * n
    return data, columns, starts


def flat_scene(size: tuple[int, ...]) -> tuple[Any, ...]:
    cameras, points, weights, seen, feats = scene(size)
    x = np.concatenate([cameras.ravel(), points.ravel(), weights])
    return x, size[0], size[1], seen, feats


# ---- chains of neighbours


def hessian_by_hand(x):
    n = len(x)
    h = np.zeros((n, n))
    for i in range(n - 1):
        h[i, i] += 1200.0 * x[i] * x[i] - 400.0 * x[i + 1] + 2.0
        h[i, i + 1] = -400.0 * x[i]
        h[i + 1, i] = -400.0 * x[i]
        h[i + 1, i + 1] = 200.0
    return h


def sparse_hessian_by_hand(x):
    n = len(x)
    data, columns, starts = np.empty(3 * n - 2), np.empty(3 * n - 2, np.int32), np.empty(n + 1, np.int32)
    data[0], data[1] = 1200.0 * x[0] * x[0] - 400.0 * x[1] + 2.0, -400.0 * x[0]
    columns[0], columns[1] = 0, 1
    starts[0] = 0
    for i in range(1, n - 1):
        at = 3 * i - 1
        starts[i] = at
        columns[at], columns[at + 1], columns[at + 2] = i - 1, i, i + 1
        data[at] = -400.0 * x[i - 1]
        data[at + 1] = 1200.0 * x[i] * x[i] - 400.0 * x[i + 1] + 202.0
        data[at + 2] = -400.0 * x[i]
    starts[n - 1], starts[n] = 3 * n - 4, 3 * n - 2
    columns[3 * n - 4], columns[3 * n - 3] = n - 2, n - 1
    data[3 * n - 4], data[3 * n - 3] = -400.0 * x[n - 2], 200.0
    return data, columns, starts


def chained_by_hand(x):
    n = len(x)
    data, columns, starts = np.empty(3 * n - 3), np.empty(3 * n - 3, np.int32), np.empty(n + 1, np.int32)
    starts[0], columns[0], data[0] = 0, 0, 1.0
    for i in range(1, n - 1):
        at = 3 * i - 2
        starts[i] = at
        columns[at], columns[at + 1], columns[at + 2] = i - 1, i, i + 1
        data[at] = math.cos(x[i - 1]) * x[i]
        data[at + 1] = math.sin(x[i - 1])
        data[at + 2] = 2.0 * x[i + 1]
    starts[n - 1], starts[n] = 3 * n - 5, 3 * n - 3
    columns[3 * n - 5], columns[3 * n - 4] = 0, n - 1
    data[3 * n - 5], data[3 * n - 4] = x[n - 1], x[0]
    return data, columns, starts


def parts_of(matrix: Callable[..., Any]) -> Callable[..., Any]:
    """The sparse matrix as its arrays."""

    def parts(*args: Any) -> Any:
        made = matrix(*args).tocsr()
        made.sort_indices()
        return made.data, made.indices, made.indptr

    return parts


# ---- clusters: the gradient and the diagonal of the Hessian, of which a Newton step is made


def k_means_newton_by_hand(centers, points, ones):
    gradient, curvature = np.zeros(centers.shape), np.zeros(centers.shape)
    for i in range(points.shape[0]):
        point = points[i]
        nearest, best = np.inf, 0
        for k in range(centers.shape[0]):
            square = 0.0
            for j in range(len(point)):
                square += (point[j] - centers[k, j]) ** 2
            if square < nearest:
                nearest, best = square, k
        for j in range(len(point)):
            gradient[best, j] += 2.0 * (centers[best, j] - point[j])
            curvature[best, j] += 2.0 * ones[best, j]
    return gradient, curvature


def clusters(size: tuple[int, ...]) -> tuple[Any, ...]:
    n, k, d = size
    rng = np.random.default_rng(5)
    return rng.normal(size=(k, d)), rng.normal(size=(n, d)), np.ones((k, d))


# ---- solves


def system(x):
    return np.array(
        [3.0 * x[0] - math.cos(x[1] * x[2]) - 0.5, x[0] ** 2 - 81.0 * (x[1] + 0.1) ** 2, math.exp(-x[0]) + 20.0 * x[2]]
    )


def system_by_hand(x0):
    """Five steps, the Jacobian and the elimination written out."""
    x, y, z = x0[0], x0[1], x0[2]
    for _ in range(5):
        s, c, e = math.sin(y * z), math.cos(y * z), math.exp(-x)
        f, g, h = 3.0 * x - c - 0.5, x * x - 81.0 * (y + 0.1) ** 2, e + 20.0 * z
        # rows (3, z s, y s), (2 x, b, 0), (-e, 0, 20)
        b = -162.0 * (y + 0.1)
        p, q = z * s / b, y * s / 20.0
        dx = (f - p * g - q * h) / (3.0 - p * 2.0 * x + q * e)
        dy, dz = (g - 2.0 * x * dx) / b, (h + e * dx) / 20.0
        x, y, z = x - dx, y - dy, z - dz
    return np.array([x, y, z])


def _newton(jit: bool) -> Any:
    return lambda x: sg.newton(newton.f, x, tol=0.0, maxiter=5, jit=jit).x


def _system(jit: bool) -> Any:
    return lambda x: sg.newton(system, x, tol=0.0, maxiter=5, jit=jit).x


def _descent(jit: bool) -> Any:
    return lambda x: sg.gradient_descent(newton.rosenbrock, x, lr=newton.RATE, maxiter=newton.STEPS, jit=jit).x


def _vector(size: tuple[int, ...]) -> tuple[Any, ...]:
    return jacobians.vector(*size)


def _two(fun: Any) -> Callable[[], Any]:
    """The function of centers and points, with one argument more."""

    def make() -> Any:
        made = jitted(fun)()
        return lambda centers, points, ones: made(centers, points)

    return make


CASES = (
    Case("hand_tracking", hand, [(300,)], lambda size: jacobians.hand_args(), lambda jit: sg.jacobian(hand, jit=jit),
         jitted(hand), hand_by_hand, 6.0, what="Jacobian"),
    Case("bundle_blocks", projections, [(5, 20, 100), (20, 500, 10_000)], scene, generated_blocks,
         jitted(projections), blocks_by_hand, 2.5, what="Jacobian, 2 by 15 each", tiny=(2, 3, 4)),
    Case("bundle_sparse", residuals, [(5, 20, 100), (20, 500, 10_000)], flat_scene,
         lambda jit: parts_of(sg.jacobian(residuals, sparse=True, jit=jit)),
         jitted(residuals), residuals_by_hand, None, what="sparse Jacobian", tiny=(2, 3, 4)),
    Case("rosenbrock_hessian", rosenbrock, [(50,), (500,)], _vector, lambda jit: sg.hessian(rosenbrock, jit=jit),
         jitted(rosenbrock), hessian_by_hand, None, what="Hessian", tiny=(5,)),
    Case("rosenbrock_sparse", rosenbrock, [(50,), (1_000,), (100_000,)], _vector,
         lambda jit: parts_of(sg.hessian(rosenbrock, sparse=True, jit=jit)),
         jitted(rosenbrock), sparse_hessian_by_hand, None, what="sparse Hessian", tiny=(6,)),
    Case("chained_sparse", chained, [(50,), (1_000,), (100_000,)], _vector,
         lambda jit: parts_of(sg.jacobian(chained, sparse=True, jit=jit)),
         jitted(chained), chained_by_hand, None, what="sparse Jacobian", tiny=(6,)),
    Case("k_means_newton_loops", k_means_loops, [(200, 5, 3), (2_000, 10, 4), (20_000, 50, 8)], clusters,
         lambda jit: sg.forward(sg.grad(k_means_loops, jit=jit), jit=jit),
         _two(k_means_loops), k_means_newton_by_hand, 1.3, what="gradient and Hessian's diagonal", tiny=(5, 2, 2)),
    Case("k_means_newton_numpy", k_means, [(200, 5, 3), (2_000, 10, 4), (20_000, 50, 8)], clusters,
         lambda jit: sg.forward(sg.grad(k_means, jit=jit), jit=jit),
         _two(k_means), k_means_newton_by_hand, 1.5, what="gradient and Hessian's diagonal", tiny=(5, 2, 2)),
    Case("newton_one", newton.f, [(1,)], lambda size: (1.0,), _newton, jitted(newton.f),
         newton.newton_by_hand.py_func, None, what="5 steps, called from Python", tiny=(1,)),
    Case("newton_three", system, [(3,)], lambda size: (np.array([0.1, 0.1, -0.1]),), _system, jitted(system),
         system_by_hand, None, what="5 steps, called from Python", tiny=(3,)),
    Case("descent", newton.rosenbrock, [(2,)], lambda size: (newton.START,), _descent, jitted(newton.rosenbrock),
         newton.descent_by_hand.py_func, None, what="1,000 steps, called from Python", tiny=(2,)),
)  # fmt: skip
