"""What a function prints is what its derivative prints, compiled or not."""

import numpy as np
import pytest

import srcgrad as sg


def with_format(x):
    y = x * x
    print(f"{y:.3f} is y, {y:>10.2e}|{y!r:>8}|{y!s}")
    return y


def with_text_around(x):
    print(f"x={x}, twice {2 * x}!")
    return x * x


def with_equals(x):
    print(f"{x=}", f"{x + 1.0=:.1f}")
    return x * x


def with_options(x):
    print(x, f"{x:+.1f}", "end", sep="|", end=".\n")
    return x * x


def with_integers(x):
    s = 0.0
    for k in range(3):
        s += x * k
        print(f"{k:03d}: {s:6.2f}", f"{k!r}", f"{k > 1}")
    return s * x


def with_braces(x):
    print(f"{{{x:.1f}}} 100%", "plain {}")
    return x * x


def with_an_array(x):
    a = np.arange(3.0)
    print(f"{a} {a[1]:.2f} {len(a):>3}")
    return x * np.sum(a)


def with_a_tuple(x):
    print(f"{(x, 2)}", "%", (1, 2))
    return x * x


CASES = [
    with_format,
    with_text_around,
    with_equals,
    with_options,
    with_integers,
    with_braces,
    with_an_array,
    with_a_tuple,
]


@pytest.mark.parametrize("fun", CASES)
def test_python_s_own_print(fun, capfd):
    fun(1.5)
    want = capfd.readouterr().out
    sg.grad(fun, jit=False)(1.5)
    got = capfd.readouterr().out
    assert got.replace("np.float64(1.5)", "1.5") == want
    assert "objmode" not in sg.grad(fun, jit=False).source_for(1.5)


@pytest.mark.parametrize("fun", [with_format, with_integers, with_options])
def test_compiled(fun, capfd, recwarn):
    fun(1.5)
    want = capfd.readouterr().out
    made = sg.grad(fun)
    made(1.5)
    assert capfd.readouterr().out == want
    assert "with objmode():" in made.source
    assert not [w for w in recwarn if "object mode" in str(w.message)]


def test_what_a_format_must_not_be():
    def by_value(x):
        print(f"{x:{int(x)}.1f}")
        return x

    def to_file(x):
        print(x, file=None if x > 0 else 1)
        return x

    for fun in (by_value, to_file):
        with pytest.raises(sg.UnsupportedError):
            sg.grad(fun, jit=False)(1.5)


def test_a_gpu_prints_no_formats():
    with pytest.raises(sg.UnsupportedError, match="a GPU prints numbers and literal texts alone"):
        sg.grad(with_format, target="cuda").source_for(1.5)
