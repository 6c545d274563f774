# ruff: noqa: UP031, UP032, RUF034, RUF010
"""Texts made of numbers that are not known: printed, raised and kept, and never numbers again."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
from tests.frontend.as_written import VECTOR, Programs, check

programs = Programs()


@programs.at(1.2, 3.0)
def unused_label(x, y):
    label = f"value {x:.3f} of {y!r}"
    title = label + ", " + str(x * y)
    return x * y if isinstance(title, str) else x


@programs.at(1.2, 3.0)
def kept_in_a_list(x, y):
    names = []
    for i in range(3):
        names.append(f"{i}: {x:g}")
        x = x * y
    return x * len(names)


@programs.at(VECTOR)
def kept_in_a_list_of_unknown_length(x):
    names = []
    for i in range(len(x)):
        names.append("x[%d] = %.2f" % (i, x[i]))
    return np.sum(x**2) * len(names)


@programs.at(1.2, 3.0)
def on_two_paths(x, y):
    if x > 1:
        state = f"above by {x - 1}"
    else:
        state = f"above by {1 - x}"
    note = " and ".join([state, "{:>8.3f} {}".format(y, "kg"), "end".upper()])
    return x * y**2 if note else x


@programs.at(1.2, 3.0)
def in_a_dict(x, y):
    table = {"name": f"{x}", "value": x * y}
    table["name"] = table["name"] + "!"
    return table["value"] ** 2


@pytest.mark.parametrize(("fun", "args"), programs.all, ids=programs.names)
def test_texts_carry_nothing(fun, args):
    check(fun, args)


def test_compiled():
    check(kept_in_a_list_of_unknown_length, (VECTOR,), jit=True)


def talking(x):
    head = f"x = {x:.2f}"
    print(head + ", twice %g" % (2 * x), "|", str(x > 1), f"{x!r:>8}", end=".\n")
    print(", ".join(["a", "{0} {0:.1f}".format(x)]))
    return x * x


@pytest.mark.parametrize("jit", [False, True])
def test_what_is_printed_is_what_python_prints(jit, capfd):
    talking(1.25)
    said = capfd.readouterr().out
    assert sg.grad(talking, jit=jit)(1.25) == 2.5
    assert capfd.readouterr().out == said


@pytest.mark.parametrize("jit", [False, True])
def test_a_text_can_be_raised(jit):
    def checked(x):
        said = f"x = {x:.1f} is negative"
        if x < 0:
            raise ValueError(said)
        return x * x

    assert sg.grad(checked, jit=jit)(2.0) == 4.0
    with pytest.raises(ValueError, match=r"x = -3\.0 is negative"):
        sg.grad(checked, jit=jit)(-3.0)


def compared(x):
    return x if f"{x}" == "2.0" else 2 * x


def back_to_a_number(x):
    return float(f"{x}") * x


def returned(x):
    return f"{x}"


def length(x):
    return x * len(str(x))


def formatted_twice(x):
    return x if f"{str(x):>10}" else x


def cut_off(x):
    return x if "%d" % x else x


def upper(x):
    return x if str(x).upper() else x


@pytest.mark.parametrize(
    ("fun", "hint"),
    [
        (compared, "numbers"), (back_to_a_number, "hint"), (returned, "numbers"), (length, "hint"),
        (formatted_twice, "numbers"), (cut_off, "%g"), (upper, "hint"),
    ],
    ids=lambda f: getattr(f, "__name__", ""),
)  # fmt: skip
def test_what_is_refused_says_what_to_write(fun, hint):
    with pytest.raises(sg.SrcgradError, match=hint):
        sg.grad(fun, jit=False)(1.5)
