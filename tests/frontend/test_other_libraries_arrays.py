"""Arrays and tables of other libraries, given or captured: classes that stand for theirs, and pandas where it is."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
from tests.frontend.as_written import Programs, check


class Tensor:
    """An array as JAX, xarray and torch have it."""

    __module__ = "xarray.core.dataarray"

    def __init__(self, numbers):
        self.numbers = np.asarray(numbers)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.numbers, dtype)

    def __getattr__(self, name):
        return getattr(self.numbers, name)

    def __getitem__(self, index):
        return self.numbers[index]

    def __len__(self):
        return len(self.numbers)

    def __mul__(self, other):
        return self.numbers * other

    __rmul__ = __mul__

    def to_numpy(self):
        return self.numbers


class DataFrame:
    """A table of columns with names."""

    __module__ = "pandas.core.frame"
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, columns):
        self.columns = columns

    def __getitem__(self, name):
        return Tensor(self.columns[name])

    def __contains__(self, name):
        return name in self.columns

    def __array__(self, dtype=None, copy=None):
        return np.stack(list(self.columns.values()), axis=1)

    def to_numpy(self):
        return np.asarray(self)


class Followed(Tensor):
    """One that its library follows: there is no array of it."""

    __module__ = "torch"

    def __getattr__(self, name):
        raise AttributeError(name)

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("detach it first")


DATA, WEIGHTS = Tensor([1.0, 2.0, 3.0]), Tensor(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32))
TABLE = DataFrame({"time": [1.0, 2.0], "count": [3, 4]})
FOLLOWED = Followed([1.0])
programs = Programs()


@programs.at(1.3)
def captured(x):
    return np.sum(DATA * x * x) + np.sum(np.sin(DATA.to_numpy() * x))


@programs.at(1.3)
def elements(x):
    return DATA[0] * x + DATA[-1] * x**2 + len(DATA) * DATA.sum()


@programs.at(np.array([0.4, 0.5]))
def matrix(x):
    return np.sum((np.asarray(WEIGHTS) @ x) ** 2)


@programs.at(1.3)
def columns(x):
    return np.sum(TABLE["time"] * x + np.sin(x * TABLE["count"].to_numpy()))


@programs.at(1.3)
def whole_table(x):
    return np.sum(np.asarray(TABLE) * x * x) + np.sum(TABLE.to_numpy() * x)


@programs.at(1.3)
def in_a_loop(x):
    total = 0.0
    for v in DATA:
        total += v * x * x
    return total


@pytest.mark.parametrize(("fun", "args"), programs.all, ids=programs.names)
def test_captured_arrays_are_taken_as_numpys(fun, args):
    check(fun, args)


def weighted(x, data):
    return np.sum(data * x * x)


def test_given_arrays_are_taken_as_numpys():
    assert sg.grad(weighted, jit=False)(2.0, DATA) == 24.0
    assert sg.grad(weighted)(2.0, DATA) == 24.0
    assert np.array_equal(sg.grad(weighted, "data", jit=False)(2.0, DATA), [4.0, 4.0, 4.0])


def test_what_is_captured_is_read_at_each_call():
    table = DataFrame({"time": [1.0, 2.0]})

    def summed(x):
        return np.sum(table["time"] * x)

    derivative = sg.grad(summed, jit=False)
    assert derivative(1.0) == 3.0
    table.columns["time"] = [10.0, 20.0]
    assert derivative(1.0) == 30.0


def followed(x):
    return np.sum(FOLLOWED * x)


def deviation(x):
    return x * DATA.std()


@pytest.mark.parametrize(
    ("fun", "args", "hint"),
    [
        (followed, (1.0,), "to_numpy"),
        (deviation, (1.0,), "ddof"),
        (weighted, (1.0, FOLLOWED), "to_numpy"),
        (weighted, (1.0, TABLE), "to_numpy"),
    ],
)
def test_the_hint_says_how_to_take_an_array(fun, args, hint):
    with pytest.raises(sg.SrcgradError, match=hint):
        sg.grad(fun, jit=False)(*args)


def test_series_and_frames_of_pandas():
    pandas = pytest.importorskip("pandas")
    series, frame = pandas.Series([1.0, 2.0, 3.0]), pandas.DataFrame({"a": [1.0, 2.0], "b": [3, 4]})
    labelled = pandas.Series([1.0, 2.0], index=[5, 6])

    def of_both(x):
        return np.sum(series * x * x) + np.sum(frame["a"].values * x) + series.iloc[1] * np.sum(frame.b * x)

    check(of_both, (1.3,))
    assert sg.grad(weighted, jit=False)(2.0, series) == 24.0
    with pytest.raises(sg.SrcgradError, match="to_numpy"):
        sg.grad(weighted, jit=False)(2.0, labelled)


def spread(x, data):
    return x * data.std()


def spread_in_a_helper(x, data):
    return spread(x, data) + x


def spread_of_a_structure(x, data):
    return x * data["a"].var()


@pytest.mark.parametrize(
    ("fun", "make"),
    [(spread, lambda a: a), (spread_in_a_helper, lambda a: a), (spread_of_a_structure, lambda a: {"a": a})],
    ids=["method", "helper", "structure"],
)
def test_a_deviation_of_another_librarys_array_that_is_given_is_refused(fun, make):
    with pytest.raises(sg.ArgumentError, match="may divide by n - 1"):
        sg.grad(fun, jit=False)(2.0, make(Tensor([1.0, 2.0, 4.0])))
    given = make(np.array([1.0, 2.0, 4.0]))
    assert sg.grad(fun, jit=False)(2.0, given) == pytest.approx((fun(3.0, given) - fun(1.0, given)) / 2.0)
