"""The dtypes of NumPy's results, for every pair of dtypes and of a dtype with a Python number."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

import srcgrad as sg
from srcgrad.api import compiled
from srcgrad.errors import SrcgradError, UnsupportedError
from tests.rules.promotion_table import (
    CODES,
    LITERALS,
    NUMBERS,
    Case,
    alone,
    batch,
    by_numpy,
    compared,
    defined,
    differs,
    function,
    large,
    ours,
    small,
    told,
    wrong,
)

LARGE, SMALL = {c: large(c) for c in CODES}, {c: small(c) for c in CODES}
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>", "==", "<"]
UFUNCS = ["maximum", "fmin", "fmod", "divmod", "float_power", "hypot", "arctan2", "gcd", "lcm", "logical_xor"]
UFUNCS += ["heaviside"]
BINARY = {op: f"{{a}} {op} {{b}}" for op in OPERATORS} | {name: f"np.{name}({{a}}, {{b}})" for name in UFUNCS}
BINARY["where"] = "np.where(SMALL, {a}, {b})".replace("SMALL", "{b} == {b}")
# what has no meaning for complex numbers here, though NumPy orders them
ORDERED = {"<", "maximum", "fmin", "logical_xor"}


def complex_ones(args: Any) -> bool:
    return any(a.dtype.kind == "c" for a in args if isinstance(a, np.ndarray))


@pytest.mark.parametrize("name", BINARY)
def test_pairs_of_dtypes(name: str) -> None:
    text = BINARY[name]
    cases: list[Case] = [(text, (LARGE[a], SMALL[b])) for a in CODES for b in CODES]
    bad = wrong(cases, complex_ones if name in ORDERED else lambda args: False)
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("name", BINARY)
def test_dtypes_beside_literals(name: str) -> None:
    cases: list[Case] = []
    for literal in LITERALS:
        if literal == "0.5j" and name in ORDERED:
            continue
        cases += [(BINARY[name].replace("{b}", literal), (LARGE[c],)) for c in CODES]
        cases += [(BINARY[name].replace("{a}", literal).replace("{b}", "{a}"), (SMALL[c],)) for c in CODES]
    bad = wrong(cases, complex_ones if name in ORDERED else lambda args: False)
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("name", [n for n in BINARY if n != "**"])
def test_dtypes_beside_numbers(name: str) -> None:
    """Python's own, whose value is not known when the function is transformed."""
    text = BINARY[name]
    cases: list[Case] = [(text, (LARGE[c], n)) for c in CODES for n in NUMBERS]
    cases += [(text, (n, SMALL[c])) for c in CODES for n in NUMBERS]
    bad = wrong(cases, complex_ones if name in ORDERED else lambda args: False)
    assert not bad, "\n".join(bad)


# ---- functions of one array


UNARY = ["-{a}", "+{a}", "~{a}", "abs({a})", "{a}.copy()", "{a} ** 2", "2 ** {a}", "{a} // 2", "{a} % 2", "{a} / 2"]
UNARY += ["{a} << 1"]
UNARY += [
    f"np.{name}({{a}})"
    for name in (
        "negative positive invert abs sign sqrt square exp log1p sin arctan floor ceil trunc rint isnan signbit "
        "logical_not conj real imag angle sinc deg2rad sum prod mean std var max ptp median cumsum cumprod any all "
        "argmax count_nonzero nansum nanmean average diff sort argsort flip"
    ).split()
]
REDUCED = [
    "{a}.sum()", "{a}.real.sum(dtype=np.float64)",
    "np.sum({a}.real, dtype=np.int32)", "np.sum({b}, axis=0)", "np.prod({b}, axis=1)",
    "np.mean({b}, axis=0)", "np.max({b}, axis=0)", "np.cumsum({b}, axis=1)", "np.cumprod({b}, axis=1)",
    "np.std({b}, axis=0)", "np.var({b}, axis=1)", "np.median({b}, axis=0)", "np.sum({a}, initial=2)",
    "np.sum({a}, where={a} == 1)", "np.add.reduce({a})", "np.multiply.reduce({a})", "np.average({a}, weights={a})",
    "sum([{a} == 1, {a} == 2])", "sum([{a} == 1])", "sum(({a} == 1, {a} == 2), 1)",
]  # fmt: skip
MADE = [
    "np.full(3, 2)", "np.full(3, True)", "np.full(3, 2, np.float32)", "np.arange(3)", "np.arange(3.0)", "np.eye(2)",
    "np.arange(0, 3, 0.5)", "np.linspace(0, 1, 3)", "np.zeros_like({a})", "np.ones_like({a})", "np.full_like({a}, 2)",
    "np.full_like({a}, True)", "np.zeros(3, np.int8)", "np.zeros(3, bool)", "np.zeros(3, int)", "np.ones(3, 'f4')",
    "np.array([1, 2])", "np.array([1, 2.5])", "np.array([True, 2])", "np.array([True, False])", "np.array([1j, 2])",
    "np.array([1, 2], np.float32)", "np.array([[1, 2], [3, 4.5]])", "np.array([{a}, {a}])", "np.array([{a}[0], 2.5])",
    "{a}.astype(int)", "{a}.astype(np.int8)", "{a}.astype(np.float32)", "{a}.astype(bool)",
]  # fmt: skip
JOINED = [
    "np.stack(({a}, {a} * 2))", "np.stack(({a}, {a} == 1))", "np.concatenate(({a}, {a} == 1))",
    "np.concatenate(({a}, np.zeros(2)))", "np.concatenate(({a}, np.arange(2)))", "np.hstack(({a}, {a}))",
    "np.concatenate(({a}, np.zeros(2, np.float32)))", "np.vstack(({a}, {a} == 1))", "np.append({a}, 2)",
    "np.append({a}, 2.5)", "np.append({a}, True)", "np.block([{a}, {a}])", "np.pad({a}, 1)", "np.tile({a}, 2)",
    "np.where({a} == 1, {a}, 2)", "np.where({a} == 1, {a}, 2.5)", "np.where({a} == 1, 2, {a})", "np.repeat({a}, 2)",
    "np.where({a} == 1, {a}, True)", "np.where({a} == 1, 1, 2)", "np.where({a} == 1, 1, 2.5)",
    "np.where({a} == 1, True, False)", "np.where({a} == 1, {a}, 0 * {a})", "np.where({a} == 1, {a}, np.arange(5))",
    "np.select([{a} == 1], [{a}], 2)", "np.clip({a}, 0, 2)", "np.clip({a}, -1, 300)", "np.clip({a}, 0.5, 2)",
]  # fmt: skip
PRODUCTS = [
    "np.dot({a}, {a})",
    "{a} @ {a}",
    "{b} @ {a}",
    "np.outer({a}, {a})",
    "np.cross({a}[:3], {a}[:3])",
    "np.dot({a}, 2)",
    "np.dot({a}, 2.5)",
    "np.dot({a}, np.arange(5))",
    "np.matmul({a}, np.arange(5))",
    "np.kron({a}, {a})",
    "np.einsum('i,i', {a}, {a})",
    "np.trace({b})",
]
BESIDE = [
    "{a} * {a}[0]", "{a} + {a}.sum()", "{a} - {a}.mean()", "{a} + len({a})", "{a} * {a}.shape[0]",
    "{a} * int({a}[0] == 1)",
    "{a} * (1 / 3)", "{a} + 1 / 2", "{a} * (2 * np.pi)", "{a} * -(0.5)", "{a} * math.sqrt(2)", "{a} / math.sqrt(2.0)",
    "{a} * HALF", "{a} * (2 * HALF)", "{a} - HALF / 3", "{a} * np.float32(2)", "{a} * float(2)", "{a} * int(2.5)",
    "np.maximum({a}, {a}[0])",
]  # fmt: skip
BOOLEANS = [
    "({a} == 1) + ({a} == 2)", "({a} == 1) * ({a} == 2)", "({a} == 1) - ({a} == 2)", "-({a} == 1)", "~({a} == 1)",
    "({a} == 1) + 1", "({a} == 1) - 1", "1 - ({a} == 1)", "({a} == 1) % 2", "({a} == 1) * 2.5", "({a} == 1) / 2",
    "(({a} == 1) * 2).sum()", "np.maximum({a} == 1, 2)", "np.stack((({a} == 1) * 2, ({a} == 1) * 3))", "({a} == 1) & 2",
    "({a} == 1) << 1", "({a} == 1) @ {a}", "np.sum(({a} == 1) * {a})", "({a} == 1) < 1",
    "np.arange(5.0)[({a} == 1) * 1]", "np.arange(5.0)[{a} == 1]", "np.arange(5.0)[({a} == 1) + ({a} == 2)]",
    "np.arange(5.0)[np.where({a} == 1, 1, 0)]", "np.arange(5.0)[({a} == 1).astype(int)]", "{a}[[0, 1]]",
    "{a}[{a} == 1]",
]  # fmt: skip

# what is refused though NumPy computes it, and of which kinds of dtypes
REFUSED = {
    "np.max({a})": "bc", "np.max({b}, axis=0)": "bc", "np.diff({a})": "b", "np.dot({a}, {a})": "b", "{a} @ {a}": "b",
    "{b} @ {a}": "b", "np.outer({a}, {a})": "b", "np.kron({a}, {a})": "b", "np.einsum('i,i', {a}, {a})": "b",
    "({a} == 1) @ {a}": "b", "{a}.astype(int)": "c", "{a}.astype(np.int8)": "c", "{a}.astype(np.float32)": "c",
    "{a}.astype(bool)": "c",
    **{
        f"np.{name}({{a}})": "c" for name in (
            "sign floor ceil trunc rint signbit logical_not ptp median argmax sort argsort std sinc prod cumprod"
        ).split()
    },
    **{text: "c" for text in (
        "np.std({b}, axis=0)", "np.median({b}, axis=0)", "np.clip({a}, 0, 2)", "np.clip({a}, -1, 300)",
        "np.clip({a}, 0.5, 2)", "np.maximum({a}, {a}[0])", "np.prod({b}, axis=1)", "np.cumprod({b}, axis=1)",
        "np.multiply.reduce({a})",
    )},
}  # fmt: skip


@pytest.mark.parametrize("texts", [UNARY, REDUCED, MADE, JOINED, PRODUCTS, BESIDE, BOOLEANS])
def test_functions_of_each_dtype(texts: list[str]) -> None:
    bad = []
    for text in texts:
        refused = [c for c in CODES if LARGE[c].dtype.kind in REFUSED.get(text, "")]
        cases: dict[str, Case] = {c: (text, (LARGE[c], np.stack([SMALL[c], LARGE[c]]))) for c in CODES}
        bad += wrong([cases[c] for c in CODES if c not in refused], lambda args: False)
        bad += wrong([cases[c] for c in refused], lambda args: True)
    assert not bad, "\n".join(bad)


# ---- in place


IN_PLACE = {f"{op}=": f"out {op}= {{b}}" for op in ("+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>")}
IN_PLACE |= {"[:] =": "out[:] = {b}", "[1:3] +=": "out[1:3] += {b}[1:3]", "[0] =": "out[0] = {b}[1]"}
LOSSES = {"b": "fc", "i": "fc", "u": "fc", "f": "c"}  # what is not stored into memory of these dtypes or kinds


def changing(statement: str, first: np.ndarray[Any, Any], second: Any) -> Any:
    """A function that does this to a copy of its first argument."""
    text = f"def f(a, b):\n    out = a.copy()\n    {statement.format(b='b')}\n    return out\n"
    return defined(text), (first, second)


@pytest.mark.parametrize("statement", IN_PLACE.values(), ids=IN_PLACE)
def test_arrays_changed_in_place(statement: str) -> None:
    """NumPy casts back what stays of a kind, and refuses the rest."""
    bad = []
    for a in CODES:
        for second in (*SMALL.values(), 2, -1, 300):
            fun, args = changing(statement, LARGE[a], second)
            want = by_numpy(fun, args)
            try:
                types, got = ours(fun, args)
            except (OverflowError, ValueError) as error:  # what depends on the number is raised when it is run
                if not isinstance(want, (OverflowError, ValueError)):
                    bad.append(f"{told(args)} raises {error!r}, where NumPy gives {want!r}")
                continue
            except SrcgradError:
                if not isinstance(want, Exception) and np.asarray(second).dtype.kind not in LOSSES.get(a[0], ""):
                    bad.append(f"{told(args)} is refused, where NumPy gives {want}")
                continue
            if isinstance(want, Exception) or differs(types[0], got, want, partial(np.asarray, want)):
                bad.append(f"{told(args)} gives {got}, where NumPy gives {want!r}")
    assert not bad, "\n".join(bad)


# ---- compiled, and numbers


COMPILED = ("b1", "u1", "i8", "f4")


def test_compiled_code_has_the_same_dtypes() -> None:
    """One function for all, as a compilation takes long."""
    pairs = [(LARGE[a], SMALL[b]) for a, b in zip(COMPILED, (*COMPILED[1:], COMPILED[0]), strict=True)]
    cases: list[Case] = [(BINARY[name], args) for name in ("+", "//", "**", "maximum", "fmod") for args in pairs]
    cases += [(text, (LARGE["f8"],)) for text in BOOLEANS[5::2]]
    cases += [(text, (LARGE[c],)) for text in ("np.sign({a})", "{a} * (1 / 3)", "{a} * 2") for c in COMPILED[1:]]
    cases += [("{a} + {a}.sum()", (LARGE["u1"],)), ("{a} * HALF", (LARGE["f4"],))]
    texts, values = batch(cases)
    fun = function(texts, [f"x{k}" for k in range(len(values))])
    types, _ = ours(fun, values)
    bad = compared(cases, types, compiled(fun, cache=False)(*values))
    assert not bad, "\n".join(bad)


TRUTHS = [
    "({a} > 0.5) + ({b} > 0.5)", "({a} > 0.5) + ({b} > 0.5) - ({a} > 2)", "-({a} > 0.1)", "+({a} > 0.1) + ({b} > 0.1)",
    "({a} > 0.1) * ({b} > 0.1) + ({a} > 0.2) * ({b} > 0.2)", "(({a} > 0.1) << 3) + ({a} > 0.1) // ({b} > 0.1)",
    "sum([{a} > 0.1, {b} > 0.1])", "sum([{a} > 0.1]) + sum([{b} > 0.1])", "True + ({a} > 0.1)", "({a} > 0.1) == 1",
    "sum(v > 0.1 for v in ({a}, {b}))", "max({a} > 0.1, {b} > 0.1) + ({a} > 0.1)", "abs({a} > 0.1) + abs({b} > 0.1)",
    "(({a} > 0.1) ^ ({b} > 0.1)) + ({a} > 0.1)", "({a} > 0.1) / ({b} > 0.1) + 1",
    "({a} > 0.1) ** ({b} > 0) + ({b} > 0)", "divmod({a} > 0.1, {b} > 0.1)[0] + ({a} > 0.1)",
]  # fmt: skip


def test_numbers_that_are_true_or_false_count() -> None:
    """As Python's, also where they are NumPy's, whose sums are true or false."""
    numbers = (0.7, 0.9)
    texts, _ = batch([(text, numbers) for text in TRUTHS])
    fun = function(texts, ["x0", "x1"])
    want = tuple(map(float, fun(*numbers)))
    assert tuple(map(float, ours(fun, numbers)[1])) == want
    assert tuple(map(float, compiled(fun, cache=False)(*numbers))) == want


@pytest.mark.parametrize("jit", [False, True])
def test_masks_count_in_a_function_of_the_users(jit: bool) -> None:
    def f(x: Any) -> Any:
        m = x > 0
        both = np.stack((m * 2, m * 3))
        return np.sum(x) * ((m * 2).sum() + (m + 1).sum() + (m % 2).sum() + np.maximum(m, 2).sum() + both.sum())

    def g(x: Any) -> Any:
        return np.sum(x[(x > 0) * 1] * x[0])

    x = np.array([0.3, 0.8, -0.4])
    ones = np.ones(3)
    for fun, want in ((f, ones * f(x) / np.sum(x)), (g, np.array([2.2, 0.6, 0.0]))):
        np.testing.assert_allclose(sg.grad(fun, jit=jit, cache=False)(x), want, rtol=1e-14)


def test_what_numpy_and_python_mean_otherwise_is_refused() -> None:
    for text in ("~({a} > 0.5)", "({a} > 0.5) & 0.5"):
        with pytest.raises(UnsupportedError):
            ours(alone(text, (0.7,)), (0.7,))


@pytest.mark.parametrize("jit", [False, True])
def test_a_number_from_an_array_widens_smaller_integers(jit: bool) -> None:
    """Its dtype is its array's, where Python's own integers take that of what they stand beside."""

    def f(x: Any, image: Any, weights: Any) -> Any:
        return np.sum(x) * (np.sum(image * weights[0]) + np.sum(image * int(weights[0])) + np.sum(image * 3))

    image, weights = np.array([200, 100], "u1"), np.array([3, 4])
    want = np.ones(2) * f(np.array([0.5, 0.5]), image, weights)
    np.testing.assert_array_equal(sg.grad(f, jit=jit, cache=False)(np.ones(2), image, weights), want)
