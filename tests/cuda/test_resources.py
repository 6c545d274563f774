"""What generated kernels take of a GPU, beside those written by hand: compiled and assembled, which needs no GPU."""

from __future__ import annotations

import importlib

import pytest

from tests.benchmarks import ptx

LOG = """\
ptxas info    : Used 30 registers, used 1 barriers, 464 bytes cmem[0]
info    : Function properties for '_ZN1fE':
info    : used 32 registers, used 1 barriers, 800 stack, 512 bytes smem, 464 bytes cmem[0], 8 bytes lmem
"""


def test_the_linkers_words():
    assert ptx.of_log(LOG) == ptx.Resources(registers=32, local=808, shared=512)


@pytest.mark.skipif(bool(ptx.missing()), reason=f"no kernel can be compiled: {ptx.missing()[:80]}")
def test_solvers_take_no_more_than_those_by_hand():
    resources = importlib.import_module("tests.benchmarks.resources")
    rows = list(resources.solvers())
    assert len(rows) == 2
    for name, written, generated in rows:
        assert generated.local == written.local and generated.shared == 0, name
        assert generated.registers <= 1.25 * written.registers, name
