"""What generated kernels take of a GPU, beside those written by hand: compiled and assembled, which needs no GPU."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from numba import typeof

import srcgrad as sg
from srcgrad.backend import launch
from srcgrad.derivatives.mapped_on_gpu import Mapped
from srcgrad.frontend.source.structure import leaf_types
from tests.benchmarks import ptx
from tests.optimize.test_batch import CASES

LOG = """\
ptxas info    : Used 30 registers, used 1 barriers, 464 bytes cmem[0]
info    : Function properties for '_ZN1fE':
info    : used 32 registers, used 1 barriers, 800 stack, 512 bytes smem, 464 bytes cmem[0], 8 bytes lmem
"""


def test_the_linkers_words():
    assert ptx.of_log(LOG) == ptx.Resources(registers=32, local=808, shared=512)


compiles = pytest.mark.skipif(bool(ptx.missing()), reason=f"no kernel can be compiled: {ptx.missing()[:80]}")


@compiles
def test_solvers_take_no_more_than_those_by_hand():
    resources = importlib.import_module("tests.benchmarks.resources")
    rows = list(resources.solvers())
    assert len(rows) == 2
    for name, written, generated in rows:
        assert generated.local == written.local and generated.shared == 0, name
        assert generated.registers <= 1.25 * written.registers, name


class Compiled(Exception):
    """The PTX of the kernels that a call would launch."""


@pytest.fixture
def instead(monkeypatch):
    """A call of a mapped function compiles, and launches nothing."""

    def call(self, args, kwargs):
        made = self._lookup(values := self._bind(args, kwargs))
        items, kernel = made.leaves(values), made.bound.unit.function
        leaf, axis = made.mapped[0]
        pairs = zip(made.outs, leaf_types(made.meta.result), strict=True)
        more = [np.zeros((items[leaf].shape[axis], *shape), kind.dtype) for shape, kind in pairs]
        more += [np.zeros((1,) * (rank + 1), dtype) for dtype, rank in made.works.kinds]
        told = np.zeros(1, np.int64)
        launches = [(kernel, [*items, *more, *([told] if made.raised else [])])]
        if made.works.kinds:
            launches.append((launch.sibling(kernel, made.meta.facts.launch.count), [*items, told]))
        raise Compiled(*(ptx.compiled(kernel, [typeof(a) for a in given]) for kernel, given in launches))

    monkeypatch.setattr(Mapped, "_call", call)


@compiles
@pytest.mark.parametrize(("solve", "fun", "starts", "args", "options"), CASES)
def test_batches_compile(instead, solve, fun, starts, args, options):
    with pytest.raises(Compiled) as made:
        solve(fun, starts, args, batch=True, target="cuda", **options)
    (kernel,) = made.value.args
    most = 512 if options.get("method") == "lbfgs" else 40  # which keeps ten steps; else what sines take
    assert ptx.resources(kernel).local <= most


@compiles
@pytest.mark.parametrize("kind", ["SCALARS", "ARRAYS", "KEEPING"])
def test_mapped_functions_compile(instead, kind):
    for fun, axes, args in getattr(importlib.import_module("tests.cuda.sim.test_vmap"), kind):
        with pytest.raises(Compiled) as made:
            sg.vmap(fun, axes, target="cuda")(*args)
        for text in made.value.args:
            assert ptx.resources(text).registers < 128


@compiles
def test_long_results_keep_no_more_than_a_column(instead):
    """Their loops are unrolled as far as registers go."""
    ((fun, axes, args),) = importlib.import_module("tests.cuda.sim.test_vmap").LONGER
    with pytest.raises(Compiled) as made:
        sg.vmap(fun, axes, target="cuda")(*args)
    assert ptx.resources(made.value.args[0]).local <= 70 * 8


@compiles
def test_single_precision_stays(instead):
    def f(x, a):
        return x**3 * np.exp(-a * x) + 2.0 * np.sqrt(x) / (1 + x)

    with pytest.raises(Compiled) as made:
        sg.vmap(sg.grad(f), target="cuda")(np.ones(2, np.float32), np.ones(2, np.float32))
    assert ".f32" in made.value.args[0] and ".f64" not in made.value.args[0]
