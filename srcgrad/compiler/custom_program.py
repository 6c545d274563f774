"""The core program of a function with the user's own rule: one `ir.Custom` statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from srcgrad.compiler.request import gradient_spec, tuple_of
from srcgrad.core import ir, walk
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Const, Fun, FunFacts, Program, Type, Var
from srcgrad.errors import ArgumentError, UnsupportedError
from srcgrad.frontend.lowering.capture import Captured, Local
from srcgrad.frontend.lowering.function import Lowered
from srcgrad.frontend.source import wording
from srcgrad.frontend.source.functions import signature_of
from srcgrad.frontend.source.structure import Node, Spec, Static, leaf_types
from srcgrad.rules.language import registry

Lower = Callable[[Any, Sequence[Spec]], Lowered]
Reading = ContextVar[tuple[Any, ...]]

# the functions of whose rules, and of which themselves, parts are being read
_RULES: Reading = ContextVar("rules", default=())
_BODIES: Reading = ContextVar("bodies", default=())
# A rule may call its own function, as in JAX: each derivative of it takes the rule once more. So many are at hand.
DEPTH = 3


@contextmanager
def _reading(of: Reading, primal: Any) -> Iterator[None]:
    token = of.set((*of.get(), primal))
    try:
        yield
    finally:
        of.reset(token)


class Rule:
    """What the parts of a rule have in common: the arguments' leaves, and all that any part captures."""

    def __init__(
        self, primal: Lowered, specs: Sequence[Spec], parts: Iterable[Lowered], fixed: Sequence[int] = ()
    ) -> None:
        """fixed: the places of arguments by which there is no derivative."""
        self.primal, self.specs, self.fixed = primal, specs, fixed
        self.parts = [primal, *parts]
        for part in self.parts:
            if part.program.callees:
                message = "a rule of the user's own calls a recursive function"
                raise UnsupportedError(message, hint="write it as a loop")
        self.captured: dict[Any, Captured] = {c.origin.key: c for part in self.parts for c in part.captured}
        self.leaves = [t for spec in specs for t in leaf_types(spec)]
        local = [c.name for c in self.captured.values() if isinstance(c.origin, Local) and c.param.type.is_float]
        if local:
            message = f"a function with a rule of its own is handed one that takes `{local[0]}` from around it"
            raise UnsupportedError(message, hint=f"make `{local[0]}` an argument")

    def arguments(self) -> list[Var]:
        """Fresh parameters: the leaves of the arguments, then what is captured."""
        own = self.primal.program.main.params[: len(self.leaves)]
        return [Var(p.name, p.type) for p in (*own, *(c.param for c in self.captured.values()))]

    def run(self, part: Lowered, leaves: Sequence[Atom], arguments: Sequence[Var]) -> tuple[Any, tuple[Atom, ...]]:
        """A part's body in place, for these leaves of its own arguments."""
        captured = dict(zip(self.captured, arguments[len(self.leaves) :], strict=True))
        given = [captured[c.origin.key] for c in part.captured]
        return walk.instantiate(part.program.main, [*leaves, *given])

    @property
    def fixed_leaves(self) -> tuple[int, ...]:
        """The places of the leaves of those arguments by which there is no derivative."""
        owners = [k for k, spec in enumerate(self.specs) for _ in leaf_types(spec)]
        return tuple(k for k, owner in enumerate(owners) if owner in self.fixed)

    def primal_fun(self, name: str) -> Fun:
        params = self.arguments()
        body, results = self.run(self.primal, params[: len(self.leaves)], params)
        return Fun(name, tuple(params), body, results)

    def jvp_fun(self, jvp: Lowered) -> Fun:
        params = self.arguments()
        each = {p: Var(p.name + "_dot", p.type) for p in params if p.type.is_float}
        dots = [*each.values()]
        fixed = [params[k] for k in self.fixed_leaves]
        moving = [p for p in params[: len(self.leaves)] if p not in fixed]
        body, results = self.run(jvp, [*fixed, *moving, *(each[p] for p in moving if p in each)], params)
        want = tuple_of([self.primal.result, gradient_spec(self.primal.result)])
        _agree(jvp.result, want, "the rule given with defjvp returns")
        return Fun("jvp", (*params, *dots), body, results)

    def fwd_fun(self, fwd: Lowered) -> Fun:
        """(*values, *residuals, *all arguments): residuals that are an argument or a value are copied."""
        params = self.arguments()
        body, results = self.run(fwd, params[: len(self.leaves)], params)
        count = len(self.primal.program.main.results)
        builder = Builder()
        shared = {*params, *results[:count]}
        kept = [_own(builder, r) if r in shared else r for r in results[count:]]
        rest = [_own(builder, p) for p in params]
        return Fun("fwd", tuple(params), (*body, *builder.out), (*results[:count], *kept, *rest))

    def bwd_fun(self, bwd: Lowered, residuals: Spec) -> Fun:
        kept = [Var("residual", t) for t in leaf_types(residuals)]
        rest = self.arguments()
        bars = [Var("value_bar", t) for t in leaf_types(gradient_spec(self.primal.result))]
        fixed = [rest[k] for k in self.fixed_leaves]
        body, results = self.run(bwd, [*fixed, *kept, *bars], rest)
        given = iter(results)
        builder = Builder()
        out = [self._cotangents(builder, bwd.result, k, given, rest) for k in range(len(self.specs))]
        zeros = [_zero(builder, p) for p in rest[len(self.leaves) :] if p.type.is_float]
        return Fun("bwd", (*kept, *rest, *bars), (*body, *builder.out), (*(b for part in out for b in part), *zeros))

    def _cotangents(self, builder: Builder, result: Spec, place: int, given: Any, rest: Sequence[Var]) -> list[Atom]:
        """The cotangents of one argument: what the rule returned, or zeros for None."""
        spec = self.specs[place]
        start = sum(1 for s in self.specs[:place] for _ in leaf_types(s))
        params = [p for p in rest[start : start + sum(1 for _ in leaf_types(spec))] if p.type.is_float]
        moving = [k for k in range(len(self.specs)) if k not in self.fixed]
        if not isinstance(result, Node) or len(result.children) != len(moving):
            message = "the rule given with defvjp must return a tuple of one cotangent an argument"
            others = ", but of those in nondiff_argnums" if self.fixed else ""
            raise ArgumentError(message + others, hint=f"return {len(moving)} of them: None stands for zero")
        if place in self.fixed or result.children[moving.index(place)] == Static(None):
            return [_zero(builder, p) for p in params]
        found = result.children[moving.index(place)]
        _agree(found, gradient_spec(spec), "the rule given with defvjp returns, for one argument,")
        return [next(given) for _ in params]


def _agree(got: Spec, want: Spec, what: str) -> None:
    if got != want:
        raise ArgumentError(
            f"{what} {wording.of_spec(got)}, where {wording.of_spec(want)} must be", hint="return that structure"
        )


def _own(builder: Builder, atom: Atom) -> Atom:
    """A copy of memory; a scalar as it is."""
    if isinstance(atom, Var) and atom.type.ref:
        return builder.alloc(atom.type.dtype, (), builder.load(atom), atom.name)
    return atom


def _zero(builder: Builder, param: Var) -> Atom:
    if not param.type.ref:
        return Const(0.0, Type(param.type.dtype))
    dim = registry.PRIMITIVES["dim"]
    shape = [builder.let(dim, param, name="n", axis=axis) for axis in range(param.type.rank)]
    return builder.alloc(param.type.dtype, shape, name=f"{param.name}_bar")


def _pair(specs: Sequence[Spec], fixed: Sequence[int]) -> list[Spec]:
    """What a rule for tangents takes: what has none, primals and tangents."""
    moving = [spec for k, spec in enumerate(specs) if k not in fixed]
    return [*(specs[k] for k in fixed), tuple_of(moving), tuple_of([gradient_spec(s) for s in moving])]


def _collected(fwd: Any, primal: Any, specs: Sequence[Spec]) -> list[Spec]:
    """The arguments' structures for the parameters of `fwd`, which may collect with a star those that the function
    itself names."""
    star, own = ([p.kind is p.VAR_POSITIONAL for p in signature_of(f).parameters.values()] for f in (fwd, primal))
    if True not in star or True in own:
        return list(specs)
    return [*specs[: star.index(True)], tuple_of(specs[star.index(True) :])]


def _residuals(forth: Lowered, base: Lowered) -> Spec:
    if not isinstance(forth.result, Node) or len(forth.result.children) != 2:
        raise ArgumentError(
            "the first rule given with defvjp must return a pair (value, residuals)",
            hint="return value, (what bwd needs)",
        )
    _agree(forth.result.children[0], base.result, "the first rule given with defvjp returns a value of")
    return forth.result.children[1]


def custom_program(
    primal: Any, jvp: Any, fwd: Any, bwd: Any, specs: Sequence[Spec], lower: Lower, fixed: Sequence[int] = ()
) -> Lowered:
    """The program whose main is one `Custom`."""
    if primal in _BODIES.get():
        message = f"`{primal.__name__}` has a rule of its own and calls itself"
        raise UnsupportedError(message, hint="write it as a loop, or let it call a function without a rule")
    with _reading(_BODIES, primal):
        base = lower(primal, specs)
    tangent = forth = back = None
    residuals: Spec = tuple_of([])
    if _RULES.get().count(primal) < DEPTH:
        with _reading(_RULES, primal):
            tangent = None if jvp is None else lower(jvp, _pair(specs, fixed))
            if fwd is not None:
                forth = lower(fwd, _collected(fwd, primal, specs))
                residuals = _residuals(forth, base)
                back = lower(bwd, [*(specs[k] for k in fixed), residuals, gradient_spec(base.result)])
    rule = Rule(base, specs, [part for part in (tangent, forth, back) if part is not None], fixed)
    params = rule.arguments()
    targets = tuple(Var("y", r.type) for r in base.program.main.results)
    stmt = ir.Custom(
        targets,
        tuple(params),
        rule.primal_fun(base.program.main.name),
        None if tangent is None else rule.jvp_fun(tangent),
        None if forth is None else rule.fwd_fun(forth),
        None if back is None else rule.bwd_fun(back, residuals),
        tuple(k for k in rule.fixed_leaves if rule.leaves[k].is_float),
    )
    if base.program.main.facts.overwritten:
        message = f"`{primal.__name__}` has a rule of its own and writes into its argument"
        raise UnsupportedError(message, hint="let it work on a copy: x = x.copy()")
    captured = tuple(c.name for c in rule.captured.values())
    told = base.program.main.facts
    facts = FunFacts(captured=captured, shares=told.shares, together=told.together)
    main = Fun(base.program.main.name, tuple(params), (stmt,), targets, facts)
    statics = {s.origin.key: s for part in rule.parts for s in part.statics}
    return Lowered(Program(main), base.params, base.result, tuple(rule.captured.values()), tuple(statics.values()))
