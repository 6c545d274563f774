"""Functions of small arrays, mapped: a thread an item, arrays in its own memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from tests.cuda.arrays import CASES


def flat(value: Any) -> list[Any]:
    return [leaf for item in value for leaf in flat(item)] if isinstance(value, tuple) else [value]


@pytest.mark.parametrize(("kind", "fun", "options", "args"), CASES)
def test_as_on_the_cpu(kind: str, fun: Callable[..., Any], options: dict[str, Any], args: tuple[Any, ...]) -> None:
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 2e-4)):
        items = [np.stack([a, 0.9 * a]).astype(dtype) for a in args]
        derivative = getattr(sg, kind)(fun, jit=False, **options)
        got = sg.vmap(derivative, target="cuda")(*items)
        expected = [derivative(*(a[k] for a in items)) for k in (0, 1)]
        for place, result in enumerate(flat(got)):
            want = np.stack([flat(e)[place] for e in expected])
            assert result.dtype == want.dtype
            np.testing.assert_allclose(result, want, rtol=tolerance, atol=tolerance)
