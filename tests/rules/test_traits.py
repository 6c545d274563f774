"""What the declarations say of primitives: the table of who has which trait, and that printed text bears it out."""

import ast
import itertools
from dataclasses import fields

import numpy as np
import pytest

from srcgrad.core import ir
from srcgrad.core.aliases import makes_fresh
from srcgrad.core.traits import Slope, Traits, always, in_no_way
from srcgrad.printer import kernels, templates
from srcgrad.rules.cuda_names import coordinate, grid, gridsize
from srcgrad.rules.language import registry
from srcgrad.transform.quotients import quotient

EVERY = [*registry.PRIMITIVES.values(), coordinate, grid, gridsize, quotient]
NUMBERED = [f"{start}_{n}" for start in ("max", "min") for n in range(2, 9)]
FLAGS = {
    "arithmetic": "add subtract multiply divide power negative floor_divide remainder",
    "commutative": "add multiply",
    "constant_slope": "add subtract negative cast",
    "folds": "add subtract multiply negative equal not_equal less less_equal greater greater_equal logical_and "
    "logical_or logical_not logical_xor trips nonnegative larger smaller",
    "in_order": "reshape",
    "is_length": "dim size nonnegative trips grid gridsize coordinate",
    "is_size": "absolute fabs",
    "keeps_dtype": "max min",
    "leaves_out": "part take_along diagonal triangle lower_half",
    "measures": "dim",
    "moves": "reshape transpose unsqueeze squeeze broadcast_to roll sum cumsum concatenate part take_along diagonal",
    "python_integer": "dim cast",
    "selects": f"where maximum minimum fmax fmin {' '.join(NUMBERED)} max min nanmax nanmin kth_smallest "
    "kth_smallest_of_each",
    "shaped": "reshape broadcast_to",
    "straight": "add subtract negative multiply divide broadcast_like reshape transpose",
}
EFFORTS = {
    "least": (
        "add subtract multiply negative cast where square equal not_equal less less_equal greater greater_equal"
        " is_nonzero"
    ),
    "little": "divide absolute maximum minimum",
}
SLOPES = {
    Slope.FLAT: "exp exp2 expm1 sigmoid tanh sech erf erfc logaddexp logaddexp2 log_expit quotient",
    Slope.FLATTER: "arctan",
    Slope.EXPONENTIAL: "exp exp2 expm1 quotient",
    Slope.GROWING: "exp exp2 expm1 sinh cosh",
    Slope.LOGARITHM: "log log2 log10 log1p logit xlogy xlog1py arctanh log_ratio entr rel_entr kl_div",
    Slope.ROOT: "sqrt arcsin arccos arccosh cbrt power",
    Slope.SQUARE_ROOT: "sqrt arcsin arccos arccosh",
}
# whole-array operations, other than element by element and of two linear arguments, whose result is new memory
FRESH = (
    "sum prod max min nanmax nanmin unbroadcast cumsum concatenate solve inv cholesky solve_triangular qr eigh eig svd "
    "pinv lstsq cofactors roll take_along add_along argsort triangle diagonal on_diagonal on_diagonal_of broadcast_to"
)
KINDS = [ir.Type(d, r) for d in ("f8", "i8", "c16") for r in range(3)]


@pytest.mark.parametrize("trait", FLAGS)
def test_who_has_a_trait(trait):
    assert {p.name for p in EVERY if getattr(p.traits, trait)} == set(FLAGS[trait].split())


@pytest.mark.parametrize("slope", Slope)
def test_who_has_a_slope(slope):
    assert {p.name for p in EVERY if slope in p.traits.slope} == set(SLOPES[slope].split())


@pytest.mark.parametrize("effort", EFFORTS)
def test_what_costs_little(effort):
    assert {p.name for p in EVERY if p.traits.effort == effort} == set(EFFORTS[effort].split())


def test_what_makes_new_memory():
    plain = {p.name for p in EVERY if p.traits.elementwise or p.traits.form == "bilinear"}
    parts = {"real", "imag", "stop_gradient"}
    assert {p.name for p in EVERY if p.traits.fresh} == plain | set(FRESH.split())
    assert {p.name for p in EVERY if p.traits.transparent is always} == parts


@pytest.mark.parametrize(("given", "made", "fresh"), [("c16", "f8", False), ("f8", "i8", True), ("f8", "c16", True)])
def test_a_cast_makes_new_memory_but_of_a_part(given, made, fresh):
    x, y = ir.Var("x", ir.Type(given, 1)), ir.Var("y", ir.Type(made, 1))
    assert makes_fresh(ir.Let((y,), registry.PRIMITIVES["cast"], (x,), {"dtype": made})) is fresh


def test_every_trait_is_listed_or_is_what_a_declaration_computes():
    told = {*FLAGS, "effort", "slope", "fresh", "transparent", "may_raise", "steep", "chooses"}
    told |= {"kernel", "kernel_texts", "into", "scratch"}
    assert {f.name for f in fields(Traits)} - told == {
        *("form", "elementwise", "takes_complex", "dims", "demands", "partials", "refuses")
    }


def _kinds(rule):
    """(types, params): those of the rule's samples, and others."""
    for params in (*rule.info.params, *({**p, "checked": True} for p in rule.info.params if rule.name == "power")):
        for args in rule.info.samples:
            values = [np.asarray(getattr(a, "value", a)) for a in args]
            yield tuple(ir.Type(v.dtype.str[1:], v.ndim) for v in values), {**params, **getattr(args, "params", {})}
        for first, rest in itertools.product(KINDS, KINDS[:6]):
            yield (first, *(rest,) * (len(rule.info.samples[0]) - 1)), params


def _let(rule, types, params):
    outs = rule.infer(types, params)
    x, y = (tuple(ir.Var(name, t) for t in kinds) for name, kinds in (("x", types), ("y", outs)))
    return ir.Let(y, rule, x, params)


def _printed(rule, types, params):
    template = templates.of_let(_let(rule, types, params))
    return [ast.unparse(template.tree), *template.helpers.values()]


KERNELS = """
    argsort cholesky det dft digitize eigh inv irdft lstsq matmul matrix_rank pinv rdft repeated_places searchsorted
    slogdet solve svd transpose
"""


def test_the_name_of_a_kernel_stands_for_its_text():
    texts, rules = {}, set()
    for rule in (p for p in registry.PRIMITIVES.values() if p.info.samples):
        for types, params in _kinds(rule):
            try:
                made = kernels.template_of(_let(rule, types, params))
                plain = templates.of_let(_let(rule, types, params))
            except (LookupError, ValueError, TypeError, AttributeError, AssertionError, SyntaxError):
                continue  # of these types the rule has no meaning
            if made.helpers != plain.helpers:
                name, *_ = made.helpers
                assert all(texts.setdefault(*item) == item[1] for item in made.helpers.items())
                assert ast.unparse(made.tree).startswith(f"{name}(_0")
                rules.add(rule.name)
    assert rules == set(KERNELS.split())
    assert texts["matmul"] == "def matmul(a, b):\n    return a @ b\n"


def test_the_name_of_what_computes_into_memory_stands_for_its_text():
    texts, rules = {}, set()
    for rule in (p for p in registry.PRIMITIVES.values() if p.info.samples and p.traits.into is not in_no_way):
        for types, params in _kinds(rule):
            try:
                made = kernels.template_into(_let(rule, types, params))
            except (LookupError, ValueError, TypeError, AttributeError, AssertionError, SyntaxError):
                continue  # of these types the rule has no meaning
            if made is not None:
                assert all(texts.setdefault(*item) == item[1] for item in made.helpers.items())
                assert ast.unparse(made.tree).startswith(f"{next(iter(made.helpers))}(_0")
                rules.add(rule.name)
    assert rules == {"matmul", "solve", "inv", "cofactors"}


@pytest.mark.parametrize("rule", [p for p in registry.PRIMITIVES.values() if p.info.samples], ids=str)
def test_what_may_raise_is_what_is_printed_with_a_raise(rule):
    seen = 0
    for types, params in _kinds(rule):
        try:
            texts = _printed(rule, types, params)
        except (LookupError, ValueError, TypeError, AttributeError, AssertionError, SyntaxError):
            continue  # of these types the rule has no meaning
        seen += 1
        raises = any(word in text for text in texts for word in ("raise ", "linalg", "fft"))
        assert rule.traits.may_raise(types, params) is raises, (types, params, texts)
    assert seen
