"""The hard cases as a GPU's thread runs them, in Python with the simulator's stand-ins: as on the CPU, or refused.

A seventh of them at each run, all if SRCGRAD_COMPILE_ALL is set.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable

import pytest

import srcgrad as sg
from tests import oracle
from tests.gpu.test_device_arrays import check, run
from tests.hard.cases import RIGHT
from tests.hard.public import Public
from tests.hard.table import Case

CHOSEN = RIGHT if os.environ.get("SRCGRAD_COMPILE_ALL") else RIGHT[::7]
# what no thread can do, in the words of the refusals
REFUSALS = (
    "a list of arrays",
    "memory of a length that is not known",
    "calls itself",
    "a view is chosen or carried",
    "is made anew in a loop",
)


@pytest.mark.parametrize("case", CHOSEN, ids=lambda c: c.name)
def test_hard_case(case: Case, record_property: Callable[[str, object], None]) -> None:
    public = Public(case)
    ones = [leaf * 0 + 0.7 for leaf in oracle.float_leaves(public.args)]
    bars = public.per_result([leaf * 0 + 0.7 for leaf in oracle.float_leaves(public.result)])
    for derivative, more in ((public.r, [bars]), (public.f, public.per_argument(ones))):
        args = (*copy.deepcopy(public.args), *more)
        try:
            _, got, wanted = run(derivative, args, True)
        except sg.UnsupportedError as error:
            assert any(words in str(error) for words in REFUSALS), error
            record_property("hard case, on a GPU", "refused")
        else:
            check(got, wanted)
            record_property("hard case, on a GPU", "right")
