"""On a GPU: batched solvers beside hand-written kernels and JAX, and the adjoints of kernels beside the kernels.

    python tests/benchmarks/cuda.py              measure
    python tests/benchmarks/cuda.py --write      measure, and write docs/cuda-benchmarks.md
    python tests/benchmarks/cuda.py --tiny       the same at sizes for Numba's simulator (NUMBA_ENABLE_CUDASIM=1)
    python tests/benchmarks/cuda.py --ptx        registers, local and shared bytes of each kernel; needs no GPU

Candidates take turns in one run; each line is the median of the turns.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# in the place of this folder, where this file would be taken for NVIDIA's package
sys.path[:] = [str(ROOT), *(p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent)]

import numpy as np  # noqa: E402
from numba import config, cuda, float64  # noqa: E402

import srcgrad as sg  # noqa: E402
import srcgrad.cuda  # noqa: E402

PAGE = ROOT / "docs" / "cuda-benchmarks.md"
TOLERANCE, STEPS = 1e-12, 50  # the defaults of newton
THREADS = 128
SIMULATED = bool(config.ENABLE_CUDASIM)


@dataclass(frozen=True)
class Sizes:
    """scalars, systems: numbers of solves.   grid: points along an edge of the stencil.   bodies: of the n-body force.
    copied: numbers copied to measure the memory.   turns: of each candidate."""

    scalars: int = 10**7
    systems: int = 10**6
    grid: int = 8192
    bodies: int = 16384
    copied: int = 2**27
    turns: int = 21


TINY = Sizes(scalars=6, systems=5, grid=6, bodies=5, copied=16, turns=1)


# ---- x = a cos x


def fixed_point(x: float, a: float) -> float:
    return x - a * math.cos(x)


def solve_scalar(x0: float, a: float) -> Any:
    return sg.newton(fixed_point, x0, (a,))


@cuda.jit
def scalars_by_hand(x0, a, x, value, nit, success):
    i = cuda.grid(1)
    if i < x0.shape[0]:
        at = x0[i]
        steps = 0
        done = False
        while steps < STEPS and not done:
            step = (at - a[i] * math.cos(at)) / (1.0 + a[i] * math.sin(at))
            at -= step
            steps += 1
            done = abs(step) <= TOLERANCE * (1.0 + abs(at)) and abs(at) < math.inf
        x[i] = at
        value[i] = at - a[i] * math.cos(at)
        nit[i] = steps
        success[i] = done


# ---- systems of three unknowns


def three(x: Any, a: float) -> Any:
    y = np.empty(3)
    y[0] = 3.0 * x[0] - math.cos(x[1] * x[2]) - 0.5
    y[1] = x[0] ** 2 - 81.0 * (x[1] + 0.1) ** 2 + math.sin(x[2]) + 1.06
    y[2] = math.exp(-x[0] * x[1]) + 20.0 * x[2] + a
    return y


def solve_system(x0: Any, a: float) -> Any:
    return sg.newton(three, x0, (a,))


@cuda.jit(device=True)
def three_by_hand(x, a, y):
    y[0] = 3.0 * x[0] - math.cos(x[1] * x[2]) - 0.5
    y[1] = x[0] ** 2 - 81.0 * (x[1] + 0.1) ** 2 + math.sin(x[2]) + 1.06
    y[2] = math.exp(-x[0] * x[1]) + 20.0 * x[2] + a


@cuda.jit(device=True)
def eliminate(m, y):
    for k in range(3):
        for i in range(k + 1, 3):
            if abs(m[i, k]) > abs(m[k, k]):
                for j in range(k, 3):
                    m[k, j], m[i, j] = m[i, j], m[k, j]
                y[k], y[i] = y[i], y[k]
        for i in range(k + 1, 3):
            factor = m[i, k] / m[k, k]
            for j in range(k + 1, 3):
                m[i, j] -= factor * m[k, j]
            y[i] -= factor * y[k]
    for k in range(2, -1, -1):
        for j in range(k + 1, 3):
            y[k] -= m[k, j] * y[j]
        y[k] /= m[k, k]


@cuda.jit
def systems_by_hand(x0, a, x, value, nit, success):
    i = cuda.grid(1)
    if i < x0.shape[0]:
        at = cuda.local.array(3, float64)
        y = cuda.local.array(3, float64)
        m = cuda.local.array((3, 3), float64)
        for k in range(3):
            at[k] = x0[i, k]
        steps = 0
        done = False
        while steps < STEPS and not done:
            three_by_hand(at, a[i], y)
            sine = math.sin(at[1] * at[2])
            decay = math.exp(-at[0] * at[1])
            m[0, 0] = 3.0
            m[0, 1] = at[2] * sine
            m[0, 2] = at[1] * sine
            m[1, 0] = 2.0 * at[0]
            m[1, 1] = -162.0 * (at[1] + 0.1)
            m[1, 2] = math.cos(at[2])
            m[2, 0] = -at[1] * decay
            m[2, 1] = -at[0] * decay
            m[2, 2] = 20.0
            eliminate(m, y)
            steps += 1
            done = True
            for k in range(3):
                at[k] -= y[k]
                if not abs(y[k]) <= TOLERANCE * (1.0 + abs(at[k])) or not abs(at[k]) < math.inf:
                    done = False
        three_by_hand(at, a[i], y)
        for k in range(3):
            x[i, k] = at[k]
            value[i, k] = y[k]
        nit[i] = steps
        success[i] = done


# ---- kernels for their adjoints


@cuda.jit
def stencil(a, b):
    """Five points of a grid."""
    i, j = cuda.grid(2)
    if 0 < i < a.shape[0] - 1 and 0 < j < a.shape[1] - 1:
        b[i, j] = 0.5 * a[i, j] + 0.125 * (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1])


@cuda.jit
def forces(x, f):
    """On each body, of all the others."""
    i = cuda.grid(1)
    if i < x.shape[0]:
        fx, fy, fz = 0.0, 0.0, 0.0
        for j in range(x.shape[0]):
            dx = x[j, 0] - x[i, 0]
            dy = x[j, 1] - x[i, 1]
            dz = x[j, 2] - x[i, 2]
            square = dx * dx + dy * dy + dz * dz + 1e-3
            weight = 1.0 / (square * math.sqrt(square))
            fx += weight * dx
            fy += weight * dy
            fz += weight * dz
        f[i, 0] = fx
        f[i, 1] = fy
        f[i, 2] = fz


@cuda.jit
def copy(a, b):
    i = cuda.grid(1)
    if i < a.shape[0]:
        b[i] = a[i]


# ---- measuring

Call = Callable[[], object]


def turns(candidates: dict[str, Call], count: int) -> dict[str, float]:
    """The median seconds of each, of interleaved runs; each is warmed up, and waited for."""
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(count + 1):
        for name, call in candidates.items():
            cuda.synchronize()
            start = time.perf_counter()
            call()
            cuda.synchronize()
            if turn:
                found[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in found.items()}


def grid_of(count: int, block: int) -> int:
    return -(-count // block)


def block_of(count: int) -> int:
    return min(count, 8) if SIMULATED else THREADS


def agree(name: str, got: Any, want: Any) -> None:
    """The two candidates must have solved the same problems."""
    np.testing.assert_allclose(got.copy_to_host(), want.copy_to_host(), rtol=1e-9, atol=1e-9, err_msg=name)


def solves(title: str, solve: Any, by_hand: Any, jax_solve: Any, x0: Any, a: Any, count: int) -> str:
    """One line of the first table."""
    n = len(x0)
    there = [cuda.to_device(x0), cuda.to_device(a)]
    mapped = sg.vmap(solve, target="cuda")
    agree(title, mapped(*there).x, _run(by_hand, n, there, _outs(x0))[0])
    candidates: dict[str, Call] = {
        "srcgrad": lambda: mapped(*there),
        "hand-written": lambda: _run(by_hand, n, there, _outs(x0)),
    }
    if jax_solve is not None:
        candidates["JAX"] = jax_solve(x0, a)
    times = turns(candidates, count)
    ratio = times["srcgrad"] / times["hand-written"]
    jax = f"{n / times['JAX']:.3g}" if "JAX" in times else "not installed"
    rates = f"{n / times['srcgrad']:.3g} | {n / times['hand-written']:.3g}"
    return f"| {title} | {n:,} | {rates} | {ratio:.2f} | {jax} |"


def _outs(x0: Any) -> list[Any]:
    """Memory for x, fun, nit, success."""
    kinds = (x0.shape, np.float64), (x0.shape, np.float64), (len(x0), np.int64), (len(x0), np.bool_)
    return [cuda.device_array(shape, dtype) for shape, dtype in kinds]


def _run(kernel: Any, count: int, args: list[Any], outs: list[Any]) -> list[Any]:
    block = block_of(count)
    kernel[grid_of(count, block), block](*args, *outs)
    return outs


def jax_newton(residual: Callable[..., Any], slope_solve: Callable[..., Any]) -> Callable[..., Call] | None:
    """The same solves by JAX: jit(vmap(while_loop))."""
    if SIMULATED or importlib.util.find_spec("jax") is None:
        return None
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def solve(x0: Any, a: Any) -> Any:
        def step(state: Any) -> Any:
            x, nit, _ = state
            change = slope_solve(residual, x, a)
            x = x - change
            return x, nit + 1, jnp.all(jnp.abs(change) <= TOLERANCE * (1.0 + jnp.abs(x)))

        x, nit, done = jax.lax.while_loop(lambda s: (s[1] < STEPS) & ~s[2], step, (x0, 0, False))
        return x, residual(x, a), nit, done

    mapped = jax.jit(jax.vmap(solve))

    def prepared(x0: Any, a: Any) -> Call:
        there = jax.device_put(x0), jax.device_put(a)
        return lambda: jax.block_until_ready(mapped(*there))

    return prepared


def jax_scalar() -> Any:
    def step(residual: Any, x: Any, a: Any) -> Any:
        import jax

        value, slope = jax.jvp(lambda x: residual(x, a), (x,), (1.0,))
        return value / slope

    def residual(x: Any, a: Any) -> Any:
        import jax.numpy as jnp

        return x - a * jnp.cos(x)

    return jax_newton(residual, step)


def jax_system() -> Any:
    def step(residual: Any, x: Any, a: Any) -> Any:
        import jax
        import jax.numpy as jnp

        return jnp.linalg.solve(jax.jacfwd(residual)(x, a), residual(x, a))

    def residual(x: Any, a: Any) -> Any:
        import jax.numpy as jnp

        return jnp.array(
            [
                3.0 * x[0] - jnp.cos(x[1] * x[2]) - 0.5,
                x[0] ** 2 - 81.0 * (x[1] + 0.1) ** 2 + jnp.sin(x[2]) + 1.06,
                jnp.exp(-x[0] * x[1]) + 20.0 * x[2] + a,
            ]
        )

    return jax_newton(residual, step)


def bandwidth(count: int, repeat: int) -> float:
    """Bytes a second that a copy moves: what the device's memory does at best."""
    a, b = cuda.to_device(np.zeros(count)), cuda.device_array(count)
    block = block_of(count)
    return 16 * count / turns({"copy": lambda: copy[grid_of(count, block), block](a, b)}, repeat)["copy"]


def adjoints(sizes: Sizes) -> Iterator[str]:
    """The lines of the second table."""
    best = bandwidth(sizes.copied, sizes.turns)
    rng = np.random.default_rng(0)
    edge = 2 if SIMULATED else 16
    n = sizes.grid
    block = (1, edge) if SIMULATED else (edge // 2, 2 * edge)
    grid = (grid_of(n, block[0]), grid_of(n, block[1]))
    a = [cuda.to_device(rng.standard_normal((n, n))) for _ in range(4)]
    # the least that must be moved: a is read and b written; b_bar read and zeroed, a_bar read and written
    yield _adjoint("2-D stencil", f"{n} x {n}", stencil, (grid, block), a, (16 * n * n, 32 * n * n), best, sizes.turns)
    m = sizes.bodies
    one = block_of(m)
    x = [cuda.to_device(rng.standard_normal((m, 3))) for _ in range(4)]
    yield _adjoint("n-body force", f"{m}", forces, (grid_of(m, one), one), x, None, best, sizes.turns)


def _adjoint(
    title: str, size: str, kernel: Any, shape: Any, arrays: list[Any], moved: Any, best: float, repeat: int
) -> str:
    a, b, a_bar, b_bar = arrays
    adjoint = sg.cuda.adjoint(kernel)
    times = turns(
        {"primal": lambda: kernel[shape](a, b), "adjoint": lambda: adjoint[shape](a, b, a_bar, b_bar)}, repeat
    )
    ratio = times["adjoint"] / times["primal"]
    parts = [f"{title}", size, f"{times['primal'] * 1e3:.3g} ms", f"{times['adjoint'] * 1e3:.3g} ms", f"{ratio:.2f}"]
    parts += [f"{b / t / best:.0%}" for b, t in zip(moved, times.values(), strict=True)] if moved else ["-", "-"]
    return f"| {' | '.join(parts)} |"


def measured(sizes: Sizes) -> str:
    """The page."""
    rng = np.random.default_rng(0)
    name = "Numba's simulator" if SIMULATED else cuda.get_current_device().name
    name = name.decode() if isinstance(name, bytes) else name
    scalars = rng.uniform(0.2, 1.2, sizes.scalars), rng.uniform(0.5, 1.5, sizes.scalars)
    systems = rng.uniform(0.0, 0.3, (sizes.systems, 3)), rng.uniform(9.0, 10.0, sizes.systems)
    lines = [
        f"# CUDA benchmarks: {name}",
        "",
        "`python tests/benchmarks/cuda.py --write`",
        "",
        "| batched Newton | problems | solves a second | hand-written | time over hand-written's | JAX |",
        "| --- | --- | --- | --- | --- | --- |",
        solves("x = a cos x", solve_scalar, scalars_by_hand, jax_scalar(), *scalars, sizes.turns),
        solves("3 equations", solve_system, systems_by_hand, jax_system(), *systems, sizes.turns),
        "",
        "| kernel | size | primal | adjoint | adjoint over primal | bandwidth of a copy: primal | adjoint |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *adjoints(sizes),
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--ptx", action="store_true")
    chosen = parser.parse_args()
    if chosen.ptx:
        from tests.benchmarks import resources

        print(resources.table())
        return
    page = measured(TINY if chosen.tiny else Sizes())
    print(page)
    if chosen.write:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
