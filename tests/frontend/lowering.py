"""Running what was lowered beside the function itself."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

import srcgrad.rules  # noqa: F401
from srcgrad.core.run import run
from srcgrad.core.verify import verify
from srcgrad.frontend.lowering.function import Lowered, lower
from srcgrad.frontend.source.structure import assemble, describe, leaves


def lowered(fun: Callable[..., Any], *args: Any) -> Lowered:
    got = lower(fun, [describe(a) for a in args])
    verify(got.program)
    return got


def run_lowered(got: Lowered, *args: Any) -> Any:
    flat = [leaf for a in args for leaf in leaves(a, describe(a))]
    return assemble(got.result, iter(run(got.program, *flat, *(c.read() for c in got.captured))))


def close(got: Any, want: Any) -> None:
    """Equal in structure, type of container and value."""
    if isinstance(want, dict):
        assert list(got) == list(want)
        for key in want:
            close(got[key], want[key])
    elif dataclasses.is_dataclass(want):
        assert type(got) is type(want)
        close(vars(got), vars(want))
    elif isinstance(want, (tuple, list)):
        assert type(got) is type(want) and len(got) == len(want)
        for a, b in zip(got, want, strict=True):
            close(a, b)
    elif want is None or isinstance(want, str):
        assert got == want
    else:
        assert np.shape(got) == np.shape(want)
        np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-15)


def same(fun: Callable[..., Any], *args: Any) -> Lowered:
    """The lowered program gives what the function gives, and leaves its arguments as they were."""
    want = fun(*copy.deepcopy(args))
    given = copy.deepcopy(args)
    got = lowered(fun, *given)
    close(run_lowered(got, *given), want)
    for a, b in zip(given, args, strict=True):
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
    return got
