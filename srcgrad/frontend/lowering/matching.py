"""`match`: the structure of the subject is known when the function is read, so that most patterns are decided there;
what is left are comparisons of numbers, and the cases are branches, one in the other."""

from __future__ import annotations

import ast
import collections.abc
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Var
from srcgrad.frontend.lowering import values
from srcgrad.frontend.lowering.attributes import attribute, has
from srcgrad.frontend.lowering.builtins import class_of, is_instance
from srcgrad.frontend.lowering.comparisons import is_same, rich, truth_of
from srcgrad.frontend.lowering.expressions import choose, short_circuit
from srcgrad.frontend.lowering.paths import Lowering, leaves
from srcgrad.frontend.lowering.special_methods import contains_items, is_sequence
from srcgrad.frontend.lowering.values import FALSE, TRUE, Known, Rows, Struct, Value
from srcgrad.frontend.source import classes

Captured = dict[str, Value]
Test = tuple[Atom, Captured]  # whether a pattern fits, and what it gives names to if it does
# the classes whose pattern takes one positional pattern, which the whole subject must fit
WHOLE = (bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple)
PYTHONS = ("f8", "i8", "b1", "c16")  # the numbers that count as Python's own


@dataclass(frozen=True, eq=False, slots=True)
class Matching:
    """booleans: those that are surely Python's own, so that `True` and `False` fit them as Python says: NumPy's, which
    comparisons of NumPy's numbers give, fit neither."""

    low: Lowering
    booleans: frozenset[Atom] = frozenset()


def match_(low: Lowering, node: ast.Match, rest: Sequence[ast.stmt] = ()) -> None:
    """The cases in order; `rest` is what follows in the block, if a case may leave it."""
    subject = low.settle(low.ex(node.subject), "subject")
    _cases(Matching(low, _booleans(low, node.subject, subject)), node, node.cases, subject, rest)


def _booleans(low: Lowering, node: ast.expr, value: Value) -> frozenset[Atom]:
    """What `not` and `bool(...)` in a subject give, or in the tuple that it is."""
    parts = [(node, value)]
    if isinstance(node, ast.Tuple) and isinstance(value, Struct) and len(value.held) == len(node.elts):
        parts = list(zip(node.elts, value.held, strict=True))

    def own(part: ast.expr) -> bool:
        match part:
            case ast.UnaryOp(op=ast.Not()):
                return True
            case ast.Call(func=ast.Name(id="bool") as name):
                return values.identical(low.ex(name), Known(bool))
        return False

    atoms = [(own(part), v) for part, v in parts if isinstance(v, Var)]
    return frozenset(v for sure, v in atoms if sure) - frozenset(v for sure, v in atoms if not sure)


def _cases(m: Matching, node: ast.Match, cases: list[ast.match_case], subject: Value, rest: Sequence[ast.stmt]) -> None:
    low = m.low
    if not cases:
        return low.block(rest)
    case, *others = cases
    # what follows goes into the side that does not leave
    moves = leaves(case.body) or (bool(others) and leaves([ast.Match(node.subject, others)]))
    inner = rest if moves else ()
    with low.b.at(low.frame.source.span(case)), low.placing(case.pattern):
        fits, captured = _fits(m, case.pattern, subject)
        if case.guard is not None:
            guard = case.guard
            fits = low.atom(short_circuit(low, fits, lambda: _guarded(low, captured, guard), True))

        def then() -> None:
            _bind(low, captured)
            low.block([*case.body, *inner])

        live = low.live_after(inner[-1] if inner else node)
        low.branch(fits, then, lambda: _cases(m, node, others, subject, inner), live)
    if not moves:
        low.block(rest)


def _bind(low: Lowering, captured: Captured) -> None:
    for name, value in captured.items():
        low.bind(name, value)


def _guarded(low: Lowering, captured: Captured, guard: ast.expr) -> Atom:
    """The guard of a pattern that fits; the names keep what they have got, even if the guard is false."""
    _bind(low, captured)
    return low.truth(low.ex(guard))


# ---- patterns


def _fits(m: Matching, pattern: ast.pattern, subject: Value) -> Test:
    with m.low.placing(pattern):
        match pattern:
            case ast.MatchValue(value=node):
                return m.low.truth(rich(m.low, operator.eq, subject, m.low.ex(node))), {}
            case ast.MatchSingleton(value=literal):
                return _singleton(m, subject, literal), {}
            case ast.MatchAs(pattern=inner, name=name):
                fits, captured = (TRUE, {}) if inner is None else _fits(m, inner, subject)
                return fits, captured if name is None else {**captured, name: subject}
            case ast.MatchOr(patterns=patterns):
                return _any(m, patterns, subject)
            case ast.MatchSequence(patterns=patterns):
                return _sequence(m, patterns, subject)
            case ast.MatchClass():
                return _class(m, pattern, subject)
    return m.low.refuse(f"the pattern `{ast.unparse(pattern)}` is outside the language", "use `if` and `elif`")


def _singleton(m: Matching, subject: Value, literal: bool | None) -> Atom:
    """subject is None, True or False"""
    if literal is None or not isinstance(subject, (Var, Const)):
        return truth_of(is_same(m.low, subject, Known(None) if literal is None else truth_of(literal)))
    if subject.type != ir.B1:
        return FALSE
    if isinstance(subject, Var) and subject not in m.booleans:
        what = f"`{literal}` does not fit NumPy's booleans, and whether this is one of them is not known here"
        m.low.refuse(what, "match bool(...), or use `if`")
    return m.low.truth(subject) if literal else m.low.negated(subject)


def _any(m: Matching, patterns: list[ast.pattern], subject: Value) -> Test:
    """One of several patterns, which give the same names."""
    fits, captured = _fits(m, patterns[0], subject)
    for pattern in patterns[1:]:
        if fits == TRUE:
            return fits, captured
        first, names, others = fits, captured, dict(captured)
        fits = m.low.atom(short_circuit(m.low, first, _noting(_test(m, pattern, subject), others), False))
        captured = {name: _either(m, first, names.get(name), value) for name, value in others.items()}
    return fits, captured


def _noting(test: Callable[[], Test], captured: Captured) -> Callable[[], Atom]:
    """The test as a condition; what it gives names to is noted."""

    def run() -> Atom:
        cond, names = test()
        captured.update(names)
        return cond

    return run


def _giving(value: Value) -> Callable[[], Value]:
    return lambda: value


def _either(m: Matching, first: Atom, one: Value | None, other: Value) -> Value:
    if one is None or first == FALSE or values.identical(one, other):
        return other
    return choose(m.low, first, _giving(one), _giving(other))


def _all(m: Matching, tests: Sequence[Callable[[], Test]]) -> Test:
    """All of several patterns. One is looked at only where those before it fit."""
    fits: Atom = TRUE
    captured: Captured = {}
    for test in tests:
        if fits == FALSE:
            return FALSE, {}
        fits = m.low.atom(short_circuit(m.low, fits, _noting(test, captured), True))
    return fits, captured


# ---- sequences


def _sequence(m: Matching, patterns: list[ast.pattern], subject: Value) -> Test:
    """A tuple or a list, of as many items as there are patterns; a star takes all that is left. An array is none."""
    kind = class_of(subject)
    if not isinstance(subject, Struct) or not issubclass(kind, (tuple, list)):
        if issubclass(kind, collections.abc.Sequence) and not issubclass(kind, (str, bytes, bytearray)):
            m.low.refuse(f"{values.describe(subject)} is matched with a sequence", "make it a tuple or a list")
        return FALSE, {}
    if not is_sequence(subject):
        m.low.refuse(f"a {kind.__name__} says itself what its items are", "match a plain tuple of them")
    if isinstance(subject.rows, Rows):
        m.low.refuse("a list of unknown length is matched with a sequence", "ask for its length with `if`")
    items, star = list(subject.items), next((k for k, p in enumerate(patterns) if isinstance(p, ast.MatchStar)), None)
    if star is None:
        pairs = list(zip(patterns, items, strict=False))
        return _all(m, [_test(m, *pair) for pair in pairs]) if len(items) == len(patterns) else (FALSE, {})
    behind = len(patterns) - star - 1
    if len(items) < star + behind:
        return FALSE, {}
    middle, last = items[star : len(items) - behind], items[len(items) - behind :]
    pairs = [*zip(patterns[:star], items, strict=False), *zip(patterns[star + 1 :], last, strict=True)]
    fits, captured = _all(m, [_test(m, *pair) for pair in pairs])
    name = getattr(patterns[star], "name", None)
    return fits, captured if name is None else {**captured, name: values.struct(middle, list)}


def _test(m: Matching, pattern: ast.pattern, value: Value) -> Callable[[], Test]:
    return lambda: _fits(m, pattern, value)


# ---- classes


def _class(m: Matching, pattern: ast.MatchClass, subject: Value) -> Test:
    """Class(a, b, name=c): an object of the class, whose attributes fit."""
    found = m.low.ex(pattern.cls)
    kind = found.value if isinstance(found, Known) else None
    if not isinstance(kind, type):
        m.low.refuse(f"`{ast.unparse(pattern.cls)}` is no class", "write the name of a class")
    if not is_instance(m.low, subject, kind):
        _surely(m, subject, kind, False)
        return FALSE, {}
    _surely(m, subject, kind, True)
    if kind in WHOLE and pattern.patterns:
        if len(pattern.patterns) > 1:
            m.low.refuse(f"`{kind.__name__}` takes one positional pattern", "match its items with a tuple")
        tests = [_test(m, pattern.patterns[0], subject)]
    else:
        names = _match_args(m, kind, len(pattern.patterns))
        tests = [_attribute_test(m, p, subject, n) for n, p in zip(names, pattern.patterns, strict=True)]
    pairs = zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True)
    return _all(m, [*tests, *(_attribute_test(m, p, subject, name) for name, p in pairs)])


def _surely(m: Matching, subject: Value, kind: type, answer: bool) -> None:
    """Refuse to ask for the class of a number that may be NumPy's, if that makes a difference."""
    if not isinstance(subject, (Var, Const)) or subject.type.rank:
        return
    of_array = subject.type.dtype not in PYTHONS or subject in m.low.b.numbers
    of_array |= isinstance(subject, Var) and subject.type == ir.B1 and subject not in m.booleans
    if issubclass(np.dtype(subject.type.dtype).type, kind) != answer and (of_array or issubclass(kind, np.generic)):
        what = f"whether {values.describe(subject)} is of NumPy's class or of Python's is not known here"
        m.low.refuse(what, "convert it before: float(x), int(x)")


def _match_args(m: Matching, kind: type, count: int) -> Sequence[str]:
    """The attributes that positional patterns stand for."""
    found = classes.found(kind, "__match_args__") if count else None
    names: Any = () if found is None else found.value
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names) or count > len(names):
        few = len(names) if isinstance(names, tuple) else 0
        m.low.refuse(f"`{kind.__name__}` takes {few} positional patterns, not {count}", "name the attributes: a=x")
    return names[:count]


def _attribute_test(m: Matching, pattern: ast.pattern, subject: Value, name: str) -> Callable[[], Test]:
    def test() -> Test:
        found = classes.found(class_of(subject), name)
        plain = isinstance(subject, Struct) and (name in subject.keys or not contains_items(subject))
        if not plain or (found is not None and isinstance(found.value, property)):
            m.low.refuse(
                f"the attribute `{name}` of {values.describe(subject)} is computed", "read it before: v = a.name"
            )
        return _fits(m, pattern, attribute(m.low, subject, name)) if has(m.low, subject, name) else (FALSE, {})

    return test
