"""Mistakes in kernels, and in launches of their derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda, float64

import srcgrad as sg
import srcgrad.cuda
from tests.errors.table import Mistakes

mistake = Mistakes()
x = np.ones(8)
k = np.zeros(8, np.int64)


@mistake
def reads_what_other_threads_write() -> Any:
    @cuda.jit
    def smooth(x):
        i = cuda.grid(1)
        if i > 0 and i < x.shape[0] - 1:
            x[i] = 0.5 * (x[i - 1] + x[i + 1])

    return srcgrad.cuda.adjoint(smooth).source_for(x)


@mistake
def waits_in_a_branch() -> Any:
    @cuda.jit
    def scaled(x, out):
        part = cuda.shared.array(8, float64)
        t = cuda.threadIdx.x
        i = cuda.grid(1)
        if i >= x.shape[0]:
            return
        part[t] = x[i]
        cuda.syncthreads()
        out[i] = part[t] * part[0]

    return srcgrad.cuda.adjoint(scaled).source_for(x, x)


@mistake
def shuffles_a_warp() -> Any:
    @cuda.jit
    def shuffled(x, out):
        i = cuda.grid(1)
        out[i] = cuda.shfl_down_sync(0xFFFFFFFF, x[i], 1)

    return srcgrad.cuda.adjoint(shuffled).source_for(x, x)


@mistake
def exchanges_atomically() -> Any:
    @cuda.jit
    def exchanged(x, out):
        i = cuda.grid(1)
        cuda.atomic.exch(out, i, x[i])

    return srcgrad.cuda.tangent(exchanged).source_for(x, x)


@sg.custom_jvp
def with_a_rule_of_its_own(v: Any) -> Any:
    return v * v


@with_a_rule_of_its_own.defjvp
def _slope(primals: Any, tangents: Any) -> Any:
    return primals[0] * primals[0], 5.0 * tangents[0]


@mistake
def calls_a_function_with_a_rule_of_its_own() -> Any:
    @cuda.jit
    def squared(x, out):
        i = cuda.grid(1)
        out[i] = with_a_rule_of_its_own(x[i])

    return srcgrad.cuda.adjoint(squared).source_for(x, x)


@mistake
def takes_dynamic_shared_memory() -> Any:
    @cuda.jit
    def staged(x, out):
        part = cuda.shared.array(0, float64)
        i = cuda.grid(1)
        part[i] = x[i]
        out[i] = part[i]

    return srcgrad.cuda.adjoint(staged).source_for(x, x)


@mistake
def takes_shared_memory_in_a_branch() -> Any:
    @cuda.jit
    def staged(x, out):
        i = cuda.grid(1)
        if i < x.shape[0]:
            part = cuda.shared.array(8, float64)
            part[i] = x[i]
            out[i] = part[i]

    return srcgrad.cuda.adjoint(staged).source_for(x, x)


@mistake
def uses_what_an_atomic_update_gives() -> Any:
    @cuda.jit
    def numbered(x, count, out):
        i = cuda.grid(1)
        place = cuda.atomic.add(count, 0, 1)
        out[place] = x[i]

    return srcgrad.cuda.adjoint(numbered).source_for(x, k, x)


@mistake
def all_threads_write_one_place() -> Any:
    @cuda.jit
    def last(x, out):
        i = cuda.grid(1)
        out[0] = x[i]

    return srcgrad.cuda.adjoint(last).source_for(x, x)


@mistake
def adds_without_an_atomic() -> Any:
    @cuda.jit
    def histogram(x, bins, out):
        i = cuda.grid(1)
        out[bins[i]] += x[i]

    return srcgrad.cuda.tangent(histogram).source_for(x, k, x)


@mistake
def reads_a_sum_before_it_is_done() -> Any:
    @cuda.jit
    def normalised(x, total, out):
        i = cuda.grid(1)
        cuda.atomic.add(total, 0, x[i])
        out[i] = x[i] / total[0]

    return srcgrad.cuda.adjoint(normalised).source_for(x, x, x)


@mistake
def makes_an_array() -> Any:
    @cuda.jit
    def buffered(x, out):
        i = cuda.grid(1)
        a = np.zeros(3)
        a[0] = x[i]
        out[i] = a[0]

    return srcgrad.cuda.adjoint(buffered).source_for(x, x)


@mistake
def sums_a_whole_array() -> Any:
    @cuda.jit
    def total(x, out):
        i = cuda.grid(1)
        out[i] = np.sum(x)

    return srcgrad.cuda.adjoint(total).source_for(x, x)


@mistake
def a_shared_maximum() -> Any:
    @cuda.jit
    def largest(x, out):
        top = cuda.shared.array(1, float64)
        i = cuda.grid(1)
        cuda.atomic.max(top, 0, x[i])
        cuda.syncthreads()
        out[i] = top[0]

    return srcgrad.cuda.adjoint(largest).source_for(x, x)


@cuda.jit
def double(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = 2.0 * x[i]


@mistake
def too_few_bars() -> Any:
    return srcgrad.cuda.adjoint(double)[1, 8](x, x.copy(), x.copy())


@mistake
def a_bar_of_another_shape() -> Any:
    return srcgrad.cuda.adjoint(double)[1, 8](x, x.copy(), np.zeros(7), x.copy())


@mistake
def one_bar_for_two() -> Any:
    bar = np.ones(8)
    return srcgrad.cuda.adjoint(double)[1, 8](x, x.copy(), bar, bar)


@mistake
def one_array_read_and_written() -> Any:
    return srcgrad.cuda.adjoint(double)[1, 8](x, x[:], x.copy(), x.copy())


@mistake
def one_array_after_a_number() -> Any:
    @cuda.jit
    def scaled(a, x, out):
        i = cuda.grid(1)
        out[i] = a * x[i]
        out[i] = out[i] * x[i]

    return srcgrad.cuda.adjoint(scaled)[1, 8](2.0, x, x[:], x.copy(), x.copy())


@mistake
def one_name_for_own_and_others_memory() -> Any:
    @cuda.jit
    def squared(x, out, own):
        i = cuda.grid(1)
        a = cuda.local.array(8, float64)
        a[i] = 2.0
        if not own:
            a = x
        out[i] = a[i] * a[i]

    return srcgrad.cuda.adjoint(squared).source_for(x, x, True)


def power(a, n):
    s = 1.0
    for _ in range(n):
        s = s * a + a
    return s


slope = sg.grad(power, target="cuda")


@mistake
def calls_a_derivative_that_keeps() -> Any:
    @cuda.jit
    def slopes(x, out, n):
        i = cuda.grid(1)
        out[i] = slope(x[i], n)

    return srcgrad.cuda.adjoint(slopes).source_for(x, x, 3)


@mistake
def half_a_block() -> Any:
    return srcgrad.cuda.adjoint(double)[8 / 16, 16](x, x.copy(), x.copy(), x.copy())


@mistake
def no_launch_shape() -> Any:
    return srcgrad.cuda.adjoint(double)(x, x.copy(), x.copy(), x.copy())


@mistake
def a_grid_outside_a_kernel() -> Any:
    def f(x):
        return x * cuda.grid(1)

    return sg.grad(f, jit=False)(1.0)


@mistake
def a_derivative_of_a_kernels_derivative() -> Any:
    return srcgrad.cuda.tangent(srcgrad.cuda.adjoint(double))


@mistake
def draws_in_a_kernel() -> Any:
    @cuda.jit
    def noisy(x, out):
        i = cuda.grid(1)
        out[i] = x[i] * np.random.normal()

    return srcgrad.cuda.adjoint(noisy).source_for(x, x)


@mistake
def all_threads_write_one_place_of_shared_memory() -> Any:
    @cuda.jit
    def scaled(x, out):
        top = cuda.shared.array(1, float64)
        i = cuda.grid(1)
        top[0] = x[i]
        cuda.syncthreads()
        out[i] = x[i] / top[0]

    return srcgrad.cuda.adjoint(scaled).source_for(x, x)
