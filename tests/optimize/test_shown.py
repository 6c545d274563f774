"""What a person sees of a solve: its progress, and its history as a picture."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

import srcgrad as sg
from srcgrad import optional
from srcgrad.optimize import OptimizeHistory, Progress
from srcgrad.testing import check_grads

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def no_figures():
    yield
    pyplot.close("all")


def history(values):
    return OptimizeHistory(np.zeros(1), 0.0, 3, True, "", 4, np.asarray(values))


@pytest.mark.parametrize(
    ("values", "scale"), [([4.0, 1.0, 0.25], "log"), ([4.0, -1.0], "linear"), ([np.nan, 2.0], "log"), ([], "linear")]
)
def test_a_history_is_drawn_by_steps(values, scale):
    ax = history(values).plot()
    assert ax.get_yscale() == scale
    assert list(ax.lines[0].get_xdata()) == list(range(len(values)))
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), values)


def test_it_is_drawn_where_one_says():
    ax = pyplot.subplots()[1]
    assert history([1.0]).plot(ax) is ax and len(ax.lines) == 1


def test_a_result_without_history_says_how_to_get_one():
    result = sg.newton(lambda x: x * x - 2.0, 1.0, jit=False)
    with pytest.raises(sg.ArgumentError, match="history=True"):
        result.plot()


def test_without_matplotlib(monkeypatch):
    monkeypatch.setattr(optional, "package", lambda name: None)
    with pytest.raises(sg.ArgumentError, match="pip install matplotlib"):
        history([1.0]).plot()


def test_progress_is_one_line_of_text_without_tqdm(monkeypatch, capsys):
    monkeypatch.setattr(optional, "package", lambda name: None)
    show = Progress(10, "fit")
    sg.gradient_descent(lambda x: x * x, 1.0, lr=0.25, maxiter=10, callback=show, callback_every=5, jit=False)
    show(np.zeros(2), np.array([-3.0, 1.0]), 7)
    show.close()
    lines = ["fit: 5 of 10, fun = 0.000976562", "fit: 10 of 10, fun = 9.53674e-07", "fit: 7 of 10, fun = 3"]
    assert [line.rstrip() for line in capsys.readouterr().err.split("\r")] == ["", *lines]


class Bar:
    """What is used of tqdm's bar."""

    made: ClassVar[list[Bar]] = []

    def __init__(self, **options):
        self.options, self.n, self.shown, self.closed = options, 0, "", False
        Bar.made.append(self)

    def set_postfix_str(self, text, refresh):
        self.shown = text

    def update(self, steps):
        self.n += steps

    def close(self):
        self.closed = True


def test_progress_is_a_bar_of_tqdm_where_that_is_installed_and_a_new_one_for_the_next_solve(monkeypatch):
    monkeypatch.setattr(Bar, "made", [])
    tqdm = type("tqdm", (), {"tqdm": Bar})
    monkeypatch.setattr(optional, "package", lambda name: tqdm)
    show = Progress(10)
    for nit in (5, 10, 3):
        show(1.0, 0.5, nit)
    first, second = Bar.made
    assert (first.n, first.closed, first.options["total"]) == (10, True, 10)
    assert (second.n, second.closed, second.shown) == (3, False, "fun = 0.5")


def test_a_check_is_drawn_also_where_it_fails():
    @sg.custom_jvp
    def wrong(x):
        return x * x

    wrong.defjvp(lambda primals, tangents: (primals[0] * primals[0], 3.0 * tangents[0]))
    with pytest.raises(AssertionError, match="differ"):
        check_grads(wrong, (2.0,), plot=True, jit=False)
    check_grads(lambda x: np.sin(x) * x[0], (np.array([1.0, 2.0]),), plot=True, jit=False)
    figures = [pyplot.figure(number).axes[0] for number in pyplot.get_fignums()]
    assert [ax.get_title() for ax in figures] == ["derivatives of wrong", "derivatives of <lambda>"]
    points = figures[1].containers[0].lines[0]
    np.testing.assert_allclose(points.get_xdata(), points.get_ydata(), atol=1e-8)
