"""Pictures, where Matplotlib is installed."""

from __future__ import annotations

from typing import Any

from srcgrad import optional
from srcgrad.errors import ArgumentError


def new_axes() -> Any:
    """The axes of a new figure."""
    if optional.package("matplotlib") is None:
        raise ArgumentError("there is no Matplotlib to draw with", hint="pip install matplotlib")
    return optional.package("matplotlib.pyplot").subplots()[1]
