"""Control flow: loops, exits, branches, names that come out of them."""

import enum
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tests.hard.table import Table, matrix, scalar, vector
from tests.hard.table import const as number

CONTROL = Table("control flow")
case = CONTROL.case


@case(scalar(0.9), third=True)
def while_newton(x):
    y = x
    while abs(y * y - x) > 1e-3:
        y = 0.5 * (y + x / y)
    return y


@case(scalar(0.3), vector(6))
def while_memory(x, a):
    k = 0
    while a[k] < 2.0 and k < 5:
        a[k + 1] = a[k + 1] * a[k] + x + 0.8
        a[k] = a[k] * 1.5
        k += 1
    return a[k] * a[0]


@case(scalar(0.3), vector(4))
def while_same_cell(x, a):
    while a[0] < 3.0:
        a[0] = a[0] * (1.2 + a[1] * a[1]) + 0.3
        a[1] = math.sin(a[0]) * x
    return a[1] * a[0]


@case(scalar(0.3), vector(6), number(3))
def while_swapping(x, u, n):
    w = np.zeros(6)
    e = 1.0
    k = 0
    while e > 0.05 and k < 12:
        e = 0.0
        for i in range(6):
            w[i] = math.cos(u[i]) * 0.5 + x * u[0] * 0.1
            e += (w[i] - u[i]) * (w[i] - u[i])
        u, w = w, u
        k += 1
    return u[2] * u[3]


@case(scalar(0.3), number(40), third=True, jit=True)
def break_carried(x, n):
    s = x
    for _ in range(n):
        s = s * 1.3 + math.sin(s) * x
        if s > 2.0:
            break
        s = s + 0.1 * x
    return s * s


@case(scalar(0.3), vector(8))
def break_memory(x, a):
    s = 0.0
    for i in range(1, len(a)):
        a[i] = a[i] * a[i - 1] + x
        s += a[i]
        if s > 0.9:
            a[i] = a[i] * s
            break
        a[i - 1] = s * a[i]
    return s * a[2]


@case(scalar(0.3), vector(8))
def continue_memory(x, a):
    s = x
    for i in range(1, len(a)):
        if a[i] > 0.3:
            a[i] = a[i] * s
            continue
        s += a[i] * a[i - 1]
        a[i - 1] = s
    return s * a[2]


@case(scalar(0.3), vector(6), number(3))
def nested_while(x, a, n):
    s = x
    for t in range(n):
        k = 0
        while s < 2.0 + t:
            a[k % 6] = a[k % 6] * s + 0.2
            s = s + abs(a[k % 6]) + 0.3
            k += 1
        s = s * 0.4
    return s * a[1]


@case(scalar(0.3), vector(6), number(3), jit=True)
def early_return_loop(x, a, n):
    s = x
    for _ in range(n):
        for i in range(1, len(a)):
            a[i] = a[i] * a[i - 1] + s
            s += a[i] * a[i]
            if s > 2.0:
                a[0] = s
                return s * a[1]
        a[0] = s * x
    return s


@case(scalar(0.3), vector(6), number(0))
def zero_trip(x, a, n):
    s = x
    for t in range(n):
        s = s * a[t]
        a[t] = s
    while s > 10.0:
        s = s * 0.5
    return s * a[1]


@case(scalar(0.3), vector(6))
def assigned_in_branch(x, a):
    if x > 0.1:
        b = a[1:4]
        t = a[1] * x
    else:
        b = a[2:5]
        t = x
    b[0] = t * b[1]
    b[2] = b[0] * a[2]
    return a[1] * a[2] * a[3]


@case(scalar(0.3), vector(6), number(4), third=True)
def pair_swapped(x, a, n):
    p = x
    q = a[0]
    for t in range(n):
        p, q = q, p * a[t] + math.sin(q)
        a[t] = p
    return p * q


@case(scalar(0.3), vector(6), number(4))
def triangular(x, a, n):
    for i in range(6):
        for j in range(i):
            for k in range(j, i):
                a[k] = a[k] * math.sin(a[j]) + x * a[i]
    return a[2] * a[3]


@case(scalar(0.3), vector(6))
def down_step(x, a):
    for i in range(5, 0, -2):
        a[i] = a[i] * a[i - 1]
        for j in range(i, 6, 2):
            a[j] += a[i] * x * a[j - 1]
    return a[5] * a[3]


@case(scalar(), vector(9), jit=True)
def state_machine(x, a):
    state = 0
    acc = x
    h = np.zeros(3)
    for i in range(len(a)):
        h[state] = h[state] * acc + a[i]
        if state == 0:
            if h[0] > 0.4:
                state = 1
                acc = acc * a[i]
        elif state == 1:
            acc = acc + math.sin(h[1])
            state = 2
        else:
            state = 0
    return acc * h[0] + h[1] * h[2]


@case(scalar(), vector(6))
def for_else_taken(x, a):
    s = x
    for i in range(len(a)):
        s = s * a[i] + 0.3
        if s > 50.0:
            break
    else:
        s = s * s + x
    return s


@case(scalar(), vector(6))
def for_else_broken(x, a):
    s = x
    for i in range(len(a)):
        s = s + a[i] * a[i]
        if s > 1.0:
            t = s * x
            break
    else:
        t = s * s + x
    return t * s


@case(scalar(0.4), number(6))
def while_else(x, n):
    k = 0
    s = x
    while k < n:
        s = s * 1.4 + math.cos(s)
        k += 1
        if s > 100.0:
            break
    else:
        s = math.log(s) * x
    return s


@case(scalar(), vector(6))
def read_after_loop(x, a):
    for i in range(len(a)):
        t = a[i] * x
        last = t * t
    return last * t + i * x


@case(scalar(), vector(6))
def before_and_after(x, a):
    p = a[0] * x
    q = math.sin(p)
    for i in range(len(a)):
        a[i] = a[i] * p + q
    return p * q * a[3] + a[0]


@case(scalar(1.3), number(5))
def retyped_int_then_float(x, n):
    s = 0
    for i in range(n):
        s = s + x * i
    return s * s


@case(scalar(1.3), vector(4))
def retyped_scalar_then_array(x, a):
    y = x * x
    y = a * y
    y = y[1] * y[2]
    return y * x


@case(scalar(1.3), vector(4))
def retyped_in_branch(x, a):
    if x > 0.0:
        y = 2
    else:
        y = x
    return y * x * a[0]


@case(scalar(0.8), third=True)
def ternaries(x):
    y = x * x if x > 0.5 else math.sin(x)
    z = y if y > 1.0 else y * x if y < 0.7 else x
    return z * y


@case(scalar(0.8), scalar(0.3))
def boolean_logic(x, y):
    s = x * y
    if x > 0.5 and (y > 0.5 or x * y > 0.2) and not y > 0.9:
        s = s * x
    if 0.1 < y < 0.5 and s != 0.0:
        s = s + math.exp(y)
    if not (x < y) or s > 3.0:
        s *= y
    return s


@case(scalar(0.8))
def short_circuit(x):
    k = 0
    if k > 0 and 1.0 / k > x:
        return x
    return x * x


@case(scalar(0.5), vector(6))
def walrus(x, a):
    s = 0.0
    for i in range(len(a)):
        if (t := a[i] * x) > 0.1:
            s += t * t
    while (u := s * 1.5) < 4.0:
        s = u + x
    return s * u


@case(scalar(0.5), number(7), third=True, jit=True)
def nested_loop_with_branch(x, n):
    s = x
    for i in range(n):
        for j in range(i):
            if s > 1.0:
                s = s * 0.6 + math.sin(x * j)
            else:
                s = s + x * math.exp(-s)
    return s


@case(scalar(0.5), vector(5))
def for_over_array(x, a):
    s = 0.0
    for v in a:
        s = s * x + v * v
    return s


@case(scalar(0.5), vector(5), vector(5))
def enumerate_and_zip(x, a, b):
    s = x
    for i, v in enumerate(a):
        s += v * i * x
    for i, (p, q) in enumerate(zip(a, b)):
        s = s + p * q * i
    for p, q in zip(a, b):
        s = s * 0.9 + p / (2.0 + q * q)
    return s


@case(scalar(0.5), vector(6))
def reversed_range(x, a):
    s = 1.0
    for i in reversed(range(1, 6, 2)):
        s = s * a[i] + x
        a[i] = s
    for v in reversed(a):
        s += v * s
    return s


@case(scalar(0.5), matrix(3, 4))
def for_over_rows(x, m):
    s = x
    for row in m:
        row[0] = row[1] * s
        for v in row:
            s = s + v * v * 0.5
    return s * m[1, 0]


@case(scalar(0.5), number(20), vector(6))
def return_in_while_in_for(x, n, a):
    for i in range(1, 6):
        s = a[i] * a[i] + 0.2
        while s < 5.0:
            s = s * (1.5 + x)
            if s * a[i - 1] > 2.0:
                return s * x
        a[i] = s
    return a[2] * x


@case(scalar(0.5), matrix(4))
def break_inner_only(x, m):
    total = 0.0
    for i in range(4):
        s = x
        for j in range(4):
            if m[i, j] < 0.0:
                break
            s = s * m[i, j] + 0.5
        total += s * s
    return total


@case(scalar(0.5), vector(8), number(4))
def continue_in_nested(x, a, n):
    s = x
    for t in range(n):
        for i in range(8):
            if i % 2 == t % 2:
                continue
            if a[i] < 0.1:
                s += 0.3 * a[i]
                continue
            s = s * 0.9 + a[i] * x
    return s


@case(scalar(2.0), jit=True, third=True)
def early_returns(x):
    if x < 0.0:
        return -x
    if x > 3.0:
        return x * x
    y = math.sqrt(x)
    if y > 1.0:
        return y * x
    return y


@case(scalar(0.5), number(5))
def loop_variable_reassigned(x, n):
    s = x
    for i in range(n):
        i = i * 2
        s = s + x * i
    return s * i


@case(scalar(0.5), vector(5))
def float_trip_count(x, a):
    n = int(a[0] * 0.0 + x * 9.0)
    s = x
    for i in range(n):
        s = s * a[i] + x
    return s


@case(scalar(0.7), number(3), number(11), number(2))
def range_with_arguments(x, lo, hi, step):
    s = x
    for i in range(lo, hi, step):
        s = s * 0.5 + math.sin(i * x)
    for i in range(hi, lo, -step):
        s += s * x / i
    return s


@case(scalar(0.3), vector(6))
def asserted(x, a):
    assert x > 0.0, "positive"
    s = 0.0
    for i in range(len(a)):
        s += a[i] * x
    if s > 1e9:
        raise ValueError("too large")
    return s * s


@case(scalar(1.1), number(12))
def collatz_like(x, n):
    k = n
    s = x
    while k != 1:
        if k % 2 == 0:
            k = k // 2
            s = s * x
        else:
            k = 3 * k + 1
            s = s + math.log(s * s + 1.0)
    return s


@case(scalar(0.5), vector(6), number(3))
def deep_nest(x, a, n):
    s = x
    for i in range(n):
        for j in range(n):
            for k in range(n):
                for m in range(2):
                    s = s * 0.8 + a[i] * a[j + k] * x
                    a[m] = s
    return s * a[0]


@case(scalar(0.9), vector(4))
def pass_and_unused(x, a):
    unused = math.sin(x) * a[0]
    if x > 0.5:
        pass
    else:
        a[0] = x
    for _ in range(3):
        pass
    return a[0] * x


# ---- match


class Kind(enum.Enum):
    SINE = 1
    SQUARE = 2


class Scales:
    half = 0.5
    three = 3


@dataclass
class Circle:
    r: Any


@dataclass
class Box:
    w: Any
    h: Any


class Pair(NamedTuple):
    a: Any
    b: Any


@case(scalar(0.6), number(2), third=True, jit=True)
def match_numbers(x, k):
    match k:
        case 0:
            return x
        case 1 | 2:
            y = math.sin(x) * x
        case n if n > 5:
            y = x * n
        case _:
            y = x
    return y * x


@case(scalar(0.6), vector(6), number(9), jit=True)
def match_in_a_loop(x, a, n):
    s = x
    for i in range(n):
        match i % 4:
            case 0:
                s = s * a[i % 6] + x
            case 1 if s > 0.5:
                a[i % 6] = s * s
            case 2:
                continue
            case k:
                s = math.cos(s) * a[k]
                if s > 3.0:
                    break
        a[i % 6] = a[i % 6] * s
    return s * a[1]


@case(scalar(0.6), vector(6))
def match_returns_in_a_loop(x, a):
    s = x
    for i, v in enumerate(a):
        match (i, bool(v > 0.9)):
            case (0, _):
                s = s * v
            case (_, True):
                return s * v * x
            case (j, False) if j > 3:
                break
            case _:
                s = s + v * v
        a[i] = s
    return s * a[0]


@case(scalar(0.6), number("square"), number(None))
def match_what_is_known(x, name, nothing):
    y = x
    for word in (name, "cube", True, nothing):
        match word:
            case "sine":
                y = math.sin(y)
            case "square" | "cube" as found if found != "cube":
                y = y * y * x
            case "cube":
                y = y * x
            case True | False:
                y = y + x
            case None:
                y = y * 1.5
    return y * x


@case(number((0.5, (0.7, 0.9))), scalar(0.3), third=True)
def match_tuples(p, x):
    match p:
        case (a, b, c):
            return a * b * c
        case (a, [b, c]) if b > c:
            return a * x
        case [a, (b, c) as inner]:
            return a * b * inner[1] * x * x
    return x


@case(number((0.5, 0.7, 0.9, 1.1)), scalar(0.3))
def match_stars(p, x):
    match p:
        case (a, *_, b) if a > b:
            return x
        case (a, *middle, b):
            s = x
            for m in middle:
                s = s * m + a
            return s * b
    return x


@case(scalar(0.7), vector(4), number(2))
def match_classes(x, a, k):
    s = x
    for shape in (Circle(x * a[0]), Box(a[1], x), Box(h=a[2] * x, w=2.0), Pair(a[3], x), a):
        match shape:
            case Circle(r):
                s += math.pi * r * r
            case Box(w=2.0, h=h):
                s *= h + 1.0
            case Box(w, h):
                s += w * h * s
            case Pair(a=p, b=q) | (p, q):
                s += p * q * s
            case np.ndarray():
                s *= shape[k]
    return s


@case(scalar(0.7), number(3), number(Kind.SINE))
def match_names_of_values(x, k, kind):
    match k:
        case Scales.half:
            y = x
        case Scales.three:
            y = x * x
        case _:
            y = 2.0 * x
    match kind:
        case Kind.SQUARE:
            return y * y
        case Kind.SINE:
            return math.sin(y) * x


@case(scalar(0.7), number(-1.0))
def match_floats(x, v):
    match x * v:
        case -0.5:
            y = x * 3.0
        case 0.0 | -0.0:
            y = x
        case w if w < 0.0:
            y = w * w
    return y * x


@case(scalar(0.7), number(2))
def match_keeps_what_a_guard_refused(x, k):
    n = x
    match k:
        case 1 | 2 as n if x > 1.0:
            return n * x
    return n * x * x


@case(scalar(0.7), number(0), number(3))
def match_one_of_two_places(x, i, j):
    match (i, j):
        case (0, n) | (n, 0):
            return x**n
    return x


@case(scalar(0.7), vector(4))
def match_writes(x, a):
    b = a
    match len(a), not x < 0.0:
        case 4, True:
            b = a[::-1]
            b[0] = x * a[1]
        case _:
            a[0] = x
    b[1] = b[1] * b[0]
    return a[3] * a[2] * b[1]


@case(scalar(), vector(4), number(3))
def array_bound_only_in_loop(x, a, n):
    for i in range(n):
        w = a * i
    return np.sum(w) * x


@case(scalar(), vector(4))
def array_bound_in_one_branch(x, a):
    if x > 0.0:
        w = a * x
    return w[0]


@case(scalar())
def try_except(x):
    try:
        return math.sqrt(x)
    except ValueError:
        return 0.0


@case(scalar(2.5))
def deletes(x):
    y = x * x
    del y
    return x


@case(scalar(2.5))
def with_statement(x):
    with np.errstate(all="ignore"):
        return x * x


def root(v):
    if v < 0.0:
        raise ValueError("negative")
    return math.sqrt(v)


@case(scalar(0.4), vector(4))
def root_or_penalty(x, a):
    total = 0.0
    for k in range(4):
        try:
            r = root(a[k] * x - 0.1 * k)
        except ValueError:
            total -= x * k
        else:
            total += r * a[k]
    return total


@case(scalar(0.4), vector(3))
def sum_from_zero(x, a):
    total = 0
    for k in range(3):
        if a[k] < 5.0:
            total = total + np.sin(a * x) * k
    return np.sum(total * total)


@case(scalar(0.4), vector(4))
def best_or_none(x, a):
    best = None
    for v in a:
        if best is None or math.sin(v * x) > best:
            best = math.sin(v * x)
    return best * x


@case(scalar(1.3))
def returns_from_within(x):
    y = x
    while True:
        y = 0.5 * (y + x / y)
        if abs(y * y - x) < 1e-10:
            return y * x
