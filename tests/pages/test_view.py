"""A derivative beside its function: which lines belong together, and what is kept."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import srcgrad as sg
from srcgrad import optional
from srcgrad.derivatives import shown
from srcgrad.pages import html
from srcgrad.pages.view import Mark, Pane, Statement, View, marks_of, matched


def product(x, n):
    s = 1.0
    for i in range(n):
        s = s * math.sin(x[i])
    return s


def helper(a, b):
    return a * b


def branches(x):
    # a comment
    if x > 1.0:
        y = helper(
            x,
            3.0,
        )
    else:
        y = x * x
    return y


def keeps_a_list(x):
    rows = []
    while x < 100.0:
        rows.append(np.ones(3) * x)
        x = x * 1.5
    return sum([np.sum(r * r) for r in rows])


def lit(view: View, statement: str) -> list[list[str]]:
    """The lines of each pane that are lit with a statement."""
    panes = (*view.primal, view.generated)
    return [[line.strip() for line, of in zip(p.lines, p.belongs, strict=True) if statement in of] for p in panes]


def test_lines_follow_their_comments():
    lines = ["def g(x):", "    # y = f(x)", "    t = f(x)", "    y = t", "", "    z = 3", "    # reverse", "    w = 2"]
    groups = matched(lines, [Statement("a", "y = f(x)"), Statement("b", "z = 3")])
    assert [sorted(g) for g in groups] == [[], ["a"], ["a"], ["a"], [], ["b"], [], []]


def test_a_block_that_ends_ends_what_its_comment_says():
    lines = ["for i in range(n):", "    # y = f(x)", "    t = f(x)", "return y"]
    assert [sorted(g) for g in matched(lines, [Statement("a", "y = f(x)")])] == [[], ["a"], ["a"], []]


def test_statements_that_read_alike_are_all_meant():
    groups = matched(["# y = 0", "y = 1"], [Statement("a", "y = 0"), Statement("b", "y = 0")])
    assert [sorted(g) for g in groups] == [["a", "b"], ["a", "b"]]


def test_memory_is_marked_where_it_is_made_first():
    lines = ["s_kept = np.empty(n)", "s_kept[i] = s", "a = b_kept = np.empty(n)", "my_s_kept = 3"]
    marks = marks_of(lines, {"s_kept": Mark("one", ""), "b_kept": Mark("two", "")})
    assert {place: mark.label for place, mark in marks.items()} == {0: "one", 2: "two"}


def test_both_sweeps_of_a_line_are_lit_with_it():
    view = shown.view(sg.grad(product), (np.ones(500), 500))
    first = view.primal[0].first
    assert [p.title for p in view.primal] == ["product"] and first is not None
    own, generated = lit(view, f"0-{first + 3}")
    assert own == ["s = s * math.sin(x[i])"]
    assert generated.count("# s = s * math.sin(x[i])") == 2
    assert any("math.cos(x[i])" in line for line in generated) and "s_bar = 1.0" not in generated
    assert view.title == "the gradient of product"


def test_what_is_kept_has_its_bytes():
    made = sg.grad(product)
    view = shown.view(made, (np.ones(500), 500))
    labels = {view.generated.lines[k].split()[0]: mark.label for k, mark in view.generated.marks.items()}
    assert labels == {"t_kept,": "t_kept: kept, 4000 bytes; s_kept: kept, 4000 bytes"}
    assert "to compute it again costs" in next(iter(view.generated.marks.values())).more
    assert view.notes == ["kept for the reverse sweep: t_kept, s_kept, 8000 bytes a call"]


def test_after_a_call_its_shapes_tell_the_bytes():
    made = sg.grad(product, jit=False)
    made(np.ones(700), 700)
    assert view_labels(made) == {"t_kept: kept, 5600 bytes; s_kept: kept, 5600 bytes"}


def test_one_of_several_names_on_a_line_is_marked_alone():
    line, mark = ["    a, b_kept = np.zeros(n), np.empty(n)", "    d = c_kept, a"], Mark("kept", "why")
    assert marks_of(line, {"b_kept": mark, "c_kept": mark}) == {0: mark}


def view_labels(made) -> set[str]:
    return {mark.label for mark in shown.view(made).generated.marks.values()}


def test_where_only_the_run_tells_nothing_is_run():
    made = sg.grad(keeps_a_list, jit=False)
    made(1.0)
    assert all("bytes" not in label for label in view_labels(made))
    assert any("bytes" in m.label for m in shown.view(made, (1.0,)).generated.marks.values())


def test_helpers_are_shown_too():
    view = shown.view(sg.grad(branches, jit=False), (2.0,))
    assert [p.title for p in view.primal] == ["branches", "helper"]
    own, inner, generated = lit(view, f"0-{view.primal[0].first + 2}")
    assert own[0] == "if x > 1.0:" and not inner
    assert "if x > 1.0:" in " ".join(generated)
    several = lit(view, f"0-{view.primal[0].first + 3}")[0]
    assert several == ["y = helper(", "x,", "3.0,", ")"]


@pytest.mark.parametrize("make", [sg.grad, sg.value_and_grad, sg.hessian, sg.jacobian, sg.compiled, sg.reverse])
def test_every_kind_has_a_page(make):
    made = make(lambda x: x * x * x, jit=False)
    page = html.page(shown.view(made, (2.0, 1.0) if make is sg.reverse else (2.0,)))
    assert page.startswith("<!DOCTYPE html>") and page.count("srcgrad-line") > 3


def test_derivatives_of_derivatives_show_the_function():
    view = shown.view(sg.grad(sg.grad(lambda x: x**3, jit=False), jit=False), (2.0,))
    assert "x**3" in view.primal[0].lines[0]


def test_a_notebook_is_given_html():
    made = sg.grad(product, jit=False)
    assert made._repr_html_() is None  # its types are not known yet
    made(np.ones(3), 3)
    shown_twice = made._repr_html_(), made._repr_html_()
    names = [re.search(r'id="(srcgrad-\d+)"', text).group(1) for text in shown_twice]
    assert len(set(names)) == 2  # rules of one cell are not those of another


def test_nothing_of_the_user_is_taken_for_html():
    pane = Pane("<f>", ["a < b  # <script>"], [frozenset()], marks={0: Mark("<kept>", '"&"')})
    page = html.page(View("</title><b>", [pane], pane, ["<note>"]))
    assert not re.search(r"<(script|f|kept|note|b)>", page)
    assert "&lt;kept&gt;" in page and "&quot;&amp;&quot;" in page


def test_it_needs_no_pygments(monkeypatch):
    monkeypatch.setattr(optional, "package", lambda name: None)
    page = html.page(shown.view(sg.grad(product), (np.ones(3), 3)))
    assert "s = s * math.sin(x[i])" in page and 'class="sg-' not in page


def test_lines_stay_lines():
    view = shown.view(sg.grad(product), (np.ones(3), 3))
    page = html.page(view)
    rows = page.count('class="srcgrad-line')
    assert rows == sum(len(p.lines) for p in (*view.primal, view.generated))
