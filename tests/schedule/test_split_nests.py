"""Loops that are split compute what array code does."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.compiler import find_or_make
from srcgrad.core.ir import Fun
from srcgrad.schedule import pipeline
from srcgrad.schedule.split_nests import split_nests
from tests.benchmarks.workloads import cases


@pytest.mark.parametrize("name", ["lstm", "lstm_loops", "burgers", "leapfrog_small", "hidden_markov"])
def test_loops_split_wherever_it_can_be(name, monkeypatch):
    split: list[Fun] = []

    def wherever(fun: Fun) -> Fun:
        new = split_nests(fun, most=2)
        split.extend([new] if new is not fun else [])
        return new

    passes = tuple(wherever if p is split_nests else p for p in pipeline.PASSES)
    monkeypatch.setattr(pipeline, "PASSES", passes)
    workload = cases.named(name)
    args = workload.args("tiny")
    monkeypatch.setitem(find_or_make.UNJITTED, "loops", True)
    own = {"fastmath": {"nsz"}}  # so that what is made here is no other test's
    value, grads = sg.value_and_grad(workload.fun, argnums=workload.argnums, jit=False, cache=False, **own)(*args)
    monkeypatch.undo()
    expected, wanted = sg.value_and_grad(workload.fun, argnums=workload.argnums, jit=False)(*args)
    assert split
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    for grad, want in zip(grads, wanted, strict=True):
        np.testing.assert_allclose(grad, want, rtol=1e-10, atol=1e-13)
