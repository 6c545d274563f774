"""Arguments whose layout decides what the function means."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg


def written_through_a_reshape(x, m):
    f = m.reshape(12)
    for i in range(1, 12):
        f[i] = f[i] * m[0, i % 4] + x
    return m[2, 3] * f[5]


def test_an_argument_that_is_reshaped_and_written_comes_in_order() -> None:
    m = np.arange(12.0).reshape(3, 4) / 7
    gradient = sg.grad(written_through_a_reshape, jit=False)
    high, low = (written_through_a_reshape(0.5 + h, m.copy()) for h in (1e-6, -1e-6))
    assert gradient(0.5, m) == pytest.approx((high - low) / 2e-6, rel=1e-6)
    with pytest.raises(sg.ArgumentError, match="C order"):
        gradient(0.5, np.asfortranarray(m))
