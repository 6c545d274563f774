"""Control flow is lowered with Python's meaning: the core program gives what the function gives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.core.walk import walk
from srcgrad.errors import UnsupportedError
from tests.frontend.lowering import lowered, run_lowered, same

A = np.array([0.3, -0.7, 1.1, 0.4, 2.0, -1.5])
B = np.array([1.3, 0.2, -0.4, 0.9, 0.1, 0.6])
M = np.arange(12.0).reshape(3, 4) / 7 - 0.5


def elif_chain(x, k):
    if k == 0:
        y = x
    elif k == 1:
        y = x * x
    elif k == 2 and x > 0:
        return -1.0
    else:
        y = math.sin(x)
        k = 7
    return y + k


def early_return_from_two_loops(a, limit):
    s = 0.0
    for i in range(len(a)):
        for j in range(i, len(a)):
            s += a[i] * a[j]
            if s > limit:
                return s * 10 + j
            if a[j] > 1.9:
                break
        else:
            s += 0.5
        if i == 4:
            return s
    return -s


def for_else(a, wanted):
    for i in range(len(a)):
        if a[i] > wanted:
            found = i
            break
    else:
        found = -1
    return found


def while_else(n):
    k, s = 0, 0.0
    while k < n:
        k += 1
        if k % 7 == 0:
            break
        s += k
    else:
        s = -s
    return s, k


def break_in_else_of_inner_loop(n):
    s = 0
    for i in range(n):
        for j in range(i):
            if j == 3:
                break
        else:
            s += 1
            if i == 2:
                break
        s += 10
    return s


def continues(a):
    s = 0.0
    for i in range(len(a)):
        if a[i] < 0:
            continue
        if a[i] > 1.0:
            if i == 4:
                continue
            s += 1.0
        s += a[i]
    return s


def walrus_in_while(x):
    n = 0
    while (step := x / 2 + 0.1) > 0.3 and n < 50:
        x = step
        n += 1
    return x, n, step


def walrus_in_condition(a):
    s = 0.0
    for v in a:
        if (w := v * v) > 0.5:
            s += w
    return s


def while_true(x):
    n = 0
    while True:
        x = x * 0.7
        if x < 0.1:
            break
        n += 1
        if n > 100:
            return -1.0
    return x + n


def loop_variable_after(n):
    i = 100
    for i in range(2, n, 3):
        pass
    return i


def reassigned_loop_variable(n):
    s = 0
    for i in range(n):
        i = i * 2
        s += i
    return s, i


def steps(start, stop, step):
    s = 0.0
    for i in range(start, stop, step):
        s = s * 1.5 + i
    return s


def negative_step(a):
    s = 0.0
    for i in range(len(a) - 1, -1, -2):
        s = s * 0.5 + a[i]
    return s


def over_arrays(a, m):
    s = 0.0
    for v in a:
        s = s * 0.9 + v
    for row in m:
        for v in row:
            s += v * v
    return s


def reversed_enumerate_zip(a, b):
    s = 0.0
    for i, v in enumerate(a):
        s = s * 0.5 + i * v
    for i, (v, w) in enumerate(zip(a, b[:4], strict=False), 2):
        s = s * 0.5 + i * v * w
    for v in reversed(a):
        s = s * 0.5 + v
    for i in reversed(range(1, 9, 3)):
        s = s * 0.5 + i
    for i in reversed(range(4)):
        s = s * 0.5 + i
    for i, v in zip(range(10, 0, -3), a, strict=False):
        s = s * 0.5 + i * v
    for k, i in enumerate(range(3, 11, 2), start=1):
        s += k * i
    return s


def chained(x, a):
    k = 0
    if 0 <= k < len(a) <= 6 and a[k] > 0:
        k = 3
    return 1.0 if 0.1 < x <= 0.5 else 2.0 if x != 0.7 else k


def short_circuit_guards(a, i):
    if (i < len(a) and a[i] > 0.5) or i > 100:
        return 1.0
    return 0.0


def logic_of_values(x, y):
    return (x and y) + (x or y) + (0.0 or y) + (not x)


def swaps(x, y):
    x, y = y, x + y
    (x, z), y = (y, x), x
    x = y = x + z
    return x, y, z


def counts(a):
    n = 0
    for v in a:
        n += v > 0
    return n


def int_becomes_float(a):
    s = 0
    for v in a:
        s = s + v
    return s


def two_branches_bind(x):
    if x > 0.5:
        t = x
        u = 1
    else:
        u = 2.5
        t = -x
    return t * u


def rebinding(m):
    x = m
    x = x[1]
    x = x[2]
    return x * 2


def temporaries_in_two_loops(a):
    s = 0.0
    for i in range(len(a)):
        t = a[i] * 2
        s += t
    for i in range(len(a)):
        t = a[: i + 1]
        s += t[i]
    return s


def guard_then_value(x):
    if x < 0:
        raise ValueError("negative")
    y = math.sqrt(x)
    if y > 100.0:
        raise ValueError(f"too big: {y}")
    else:
        z = y * 2
    assert z >= 0, "never"
    return z


def raise_at_the_end(x, k):
    if k == 0:
        return x
    elif k == 1:
        return x * x
    raise ValueError("k")


def no_result(a):
    a[0] = 1.0


def unrolled(x):
    s = 0.0
    for w, b in ((1.0, 2.0), (0.5, x), (x, x)):
        if w > 0.9:
            continue
        s = s * w + b
        if s > 5.0:
            break
    else:
        s += 100.0
    return s


def unrolled_return(x):
    for k in (1, 2, 3):
        if x * k > 1.0:
            return k * x
    return -1.0


def nested_ternaries(x):
    y = x * x if x > 0.5 else math.sin(x)
    return y if y > 1.0 else y * x if y < 0.7 else x


def flag_in_while(a):
    done = False
    i = 0
    while not done:
        i += 1
        done = a[i] > 1.0
    return i


def return_inside_while_inside_for(a, n):
    for i in range(n):
        k = 0
        while k < 5:
            if a[k] * i > 2.0:
                return a[k], i
            k += 1
    return 0.0, -1


def returns_array_from_loop(a, n):
    for i in range(n):
        b = a * i
        if b[0] > 0.5:
            return b
    return a


def while_that_is_never_entered(x, n):
    k = 0
    while k < n and 1.2 < 0.1:
        k += 1
        x = x * 2.0
    while k > n or not True:
        x = x + 1.0
    return x + k


PROGRAMS = [
    (while_that_is_never_entered, 0.4, 3),
    *[(elif_chain, x, k) for x in (0.3, -0.4) for k in range(4)],
    *[(early_return_from_two_loops, A, limit) for limit in (-5.0, 0.1, 1.0, 100.0)],
    *[(for_else, A, wanted) for wanted in (0.0, 1.5, 3.0)],
    (while_else, 3), (while_else, 20), *[(break_in_else_of_inner_loop, n) for n in range(8)], (continues, A),
    (walrus_in_while, 5.0), (walrus_in_while, 0.1), (walrus_in_condition, A), (while_true, 3.0), (while_true, 0.01),
    *[(loop_variable_after, n) for n in (0, 2, 3, 9)], (reassigned_loop_variable, 4),
    *[(steps, *r) for r in ((0, 5, 1), (5, 0, -1), (7, -3, -4), (3, 3, 1), (2, 11, 3))],
    (negative_step, A), (over_arrays, A, M), (reversed_enumerate_zip, A, B), (chained, 0.3, A),
    (chained, 0.7, A), (chained, 0.9, A),
    (short_circuit_guards, A, 2), (short_circuit_guards, A, 6), (short_circuit_guards, A, 101),
    (logic_of_values, 0.0, 0.7),
    (logic_of_values, 0.5, 0.7), (swaps, 0.5, 0.7), (counts, A), (int_becomes_float, A), (two_branches_bind, 0.2),
    (two_branches_bind, 0.7), (rebinding, M), (temporaries_in_two_loops, A), (guard_then_value, 2.0),
    (raise_at_the_end, 0.3, 0),
    (raise_at_the_end, 0.3, 1), (no_result, A), (unrolled, 0.3), (unrolled, 9.0), (unrolled_return, 0.3),
    (unrolled_return, 0.4),
    (unrolled_return, 2.0), (nested_ternaries, 0.3), (nested_ternaries, 0.9), (nested_ternaries, 3.0),
    (flag_in_while, A),
    (return_inside_while_inside_for, A, 3), (return_inside_while_inside_for, A, 1), (returns_array_from_loop, A, 4),
    (returns_array_from_loop, -A, 4),
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p[0].__name__)
def test_runs_as_the_function_does(program) -> None:
    same(*program)


def test_a_single_loop_carries_only_what_goes_round() -> None:
    def f(x, n):
        s = 1.0
        for i in range(n):
            t = x[i] * 2.0
            s = s * math.sin(t)
        return s

    (loop,) = [s for s in walk(lowered(f, A, 3).program.main.body) if isinstance(s, ir.For)]
    assert [c.inner.name for c in loop.carry] == ["s"] and loop.exit is None


def test_swapped_buffers_are_carried_and_invariant_ones_are_not() -> None:
    def f(u, w, n):
        for _ in range(n):
            w += u
            u, w = w, u
        return u

    (loop,) = [s for s in walk(lowered(f, A, B, 3).program.main.body) if isinstance(s, ir.For)]
    assert [c.inner.name for c in loop.carry] == ["w", "u"] or [c.inner.name for c in loop.carry] == ["u", "w"]


def test_a_jump_that_stays_constant_needs_no_flag() -> None:
    def f(x):
        if x > 1.0:
            return x
        if x > 0.5:
            return x * x
        return -x

    ifs = [s for s in walk(lowered(f, 0.3).program.main.body) if isinstance(s, ir.If)]
    assert [[out.target.type for out in s.outs] for s in ifs] == [[ir.F8], [ir.F8]]


def test_guards_raise_as_the_function_does() -> None:
    got = lowered(guard_then_value, 2.0)
    with pytest.raises(ValueError, match="negative"):
        run_lowered(got, -1.0)
    guard = got.program.main.body[1]
    assert isinstance(guard, ir.If) and guard.outs == () and guard.orelse == ()
    with pytest.raises(ValueError, match="k"):
        run_lowered(lowered(raise_at_the_end, 0.3, 0), 0.3, 5)


def test_a_name_bound_on_some_paths_raises_at_run_time_only_if_it_is_read_there() -> None:
    def after_loop(n):
        for i in range(n):
            y = i * 2.0
        return y

    def after_branch(x):
        if x > 0.5:
            y = x
        if x > 0.4:
            return y
        return 0.0

    for fun, good, bad in ((after_loop, 3, 0), (after_branch, 0.7, 0.45)):
        got = lowered(fun, good)
        assert run_lowered(got, good) == fun(good)
        with pytest.raises(UnboundLocalError):
            fun(bad)
        with pytest.raises(UnboundLocalError):
            run_lowered(got, bad)
    assert run_lowered(lowered(after_branch, 0.7), 0.1) == 0.0


def test_a_loop_that_surely_turns_needs_no_guard() -> None:
    def f(x):
        for i in range(3):
            y = x * i
        return y

    assert not [s for s in walk(same(f, 0.3).program.main.body) if isinstance(s, ir.Effect)]


def test_print_passes_through(capsys) -> None:
    def f(x, a):
        print("x is", x, a, 1)
        print(f"twice {x * 2}")
        return x

    got = lowered(f, 0.5, A[:2])
    f(0.5, A[:2])
    first = capsys.readouterr().out.splitlines()[0]
    run_lowered(got, 0.5, A[:2])
    assert capsys.readouterr().out.splitlines() == [first, "twice 1.0"]


def test_every_statement_carries_the_line_it_came_from() -> None:
    def f(x, n):
        for i in range(n):
            x = x * 2.0  # doubled
        return x

    loop = next(s for s in lowered(f, 0.5, 2).program.main.body if isinstance(s, ir.For))
    assert loop.span is not None and loop.span.text == "for i in range(n):"
    assert loop.body[0].span is not None and loop.body[0].span.text == "x = x * 2.0"
    assert loop.body[0].span.line == loop.span.line + 1 and loop.span.file == __file__


def test_a_deep_nest_is_lowered_in_linear_time() -> None:
    depth = 12
    lines = ["def deep(x, n):", "    s = 0"]
    for k in range(depth):
        lines.append("    " * (k + 1) + f"for i{k} in range(n):")
    lines += ["    " * (depth + 1) + "s = s + x", "    return s"]
    import linecache

    text = "\n".join(lines) + "\n"
    linecache.cache["<deep>"] = (len(text), None, text.splitlines(True), "<deep>")
    space: dict[str, Any] = {}
    exec(compile(text, "<deep>", "exec"), space)
    same(space["deep"], 0.5, 1)


def test_kinds_that_cannot_be_one_are_refused_where_they_are_read() -> None:
    def ranks(x, a, m):
        b = a if x > 0 else m
        return b

    def returns(x, a):
        if x > 0:
            return a
        return x

    def some_paths(x):
        if x > 0:
            return x

    for fun, args in ((ranks, (0.3, A, M)), (returns, (0.3, A)), (some_paths, (0.3,))):
        with pytest.raises(UnsupportedError) as caught:
            lowered(fun, *args)
        assert caught.value.placed
