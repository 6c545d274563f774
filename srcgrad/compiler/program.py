"""From a function to the core program of its derivative: lower, simplify, derive, simplify; and to source."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from srcgrad.backend import cache
from srcgrad.compiler.custom_program import custom_program
from srcgrad.compiler.deep_expressions import deep
from srcgrad.compiler.request import Long, Recipe, gradient_spec, jacobian_spec, tuple_of
from srcgrad.compiler.vmap_program import item_spec, map_program, mapped_spec
from srcgrad.core import ir, walk
from srcgrad.core.build import Builder
from srcgrad.core.ir import Atom, Const, Fun, Program, Var
from srcgrad.core.write_text import write
from srcgrad.errors import REPEATED, ArgumentError, NotDifferentiableError, SrcgradError, UnsupportedError
from srcgrad.frontend.lowering.called_helpers import calling_helpers as calling_helpers
from srcgrad.frontend.lowering.function import Lowered, lower, lower_with
from srcgrad.frontend.source import hooks, wording
from srcgrad.frontend.source.error_places import placed
from srcgrad.frontend.source.functions import signature_of
from srcgrad.frontend.source.origins import Origin
from srcgrad.frontend.source.read import python_function
from srcgrad.frontend.source.structure import Leaf, Node, Spec, Static, leaf_types
from srcgrad.rules.language import registry
from srcgrad.rules.shapes.shape import has_one, is_not_one, is_one
from srcgrad.simplify.memory.values_are_memory import name_values
from srcgrad.simplify.pipeline import simplify, simplify_fun
from srcgrad.transform import compositions as core
from srcgrad.transform.forward import forward
from srcgrad.transform.program_edits import expect_shape, reachable, select, with_own_results, without_effects
from srcgrad.transform.random_draws import check_none, once
from srcgrad.transform.reverse import keep_values as keep_values
from srcgrad.transform.reverse import reverse
from srcgrad.transform.where_guard import differentiated_again

LOG = logging.getLogger("srcgrad")
T = TypeVar("T")

# Called with the name of a pass and the program that it gave (to print, to time, to verify); tests add to it.
WATCHERS: list[Callable[[str, Program], None]] = []


# what is being derived, outer ones first
_DERIVING: ContextVar[tuple[tuple[Any, Recipe, tuple[Spec, ...]], ...]] = ContextVar("deriving", default=())


class Derived(NamedTuple):
    """A derived program: its results' structure, and the parameters that it has beside the primal's."""

    program: Program
    result: Spec
    extras: tuple[Var, ...] = ()


def run_pass(name: str, call: Callable[..., T], program: Program, *args: Any) -> T:
    """One pass over a program. What fails inside names the pass and a file with the program before it."""
    start = time.perf_counter()
    try:
        out = call(program, *args)
    except (SrcgradError, KeyboardInterrupt, MemoryError, RecursionError):
        raise
    except Exception as error:
        raise SrcgradError(
            f"internal error in the pass `{name}`: {type(error).__name__}: {error}",
            hint=f"please report it with the program before the pass: {_written(name, program)}",
        ) from error
    LOG.debug("pass %s of %s, %.3f s", name, program.main.name, time.perf_counter() - start)
    made = out.program if isinstance(out, Derived) else out
    for watcher in WATCHERS:
        assert isinstance(made, Program)
        watcher(name, made)
    return out


def _written(name: str, program: Program) -> Path:
    """The file that the program is written to, as text that reads back."""
    path = cache.temporary() / f"{program.main.name}_before_{name}.txt"
    path.write_text(write(program), encoding="utf-8")
    return path


def tidy(program: Program) -> Program:
    return run_pass("simplify", simplify, program)


def lowered(fun: Any, specs: Sequence[Spec], long: Long = False, again: bool = False) -> Lowered:
    """A function, or anything that gives its own program, in the core language."""
    if not hooks.gives_core(fun):
        return lower(python_function(fun), specs, long, again)
    made: Lowered = fun.__srcgrad_core__(specs)
    return made


def lowered_with(fun: Any, names: Sequence[str], specs: Sequence[Spec], origins: Mapping[str, Origin]) -> Lowered:
    """The program of a function with some parameters fixed, for structures of the others, which have these names."""
    return lower_with(python_function(fun), dict(zip(names, specs, strict=True)), origins)


def custom(primal: Any, jvp: Any, fwd: Any, bwd: Any, specs: Sequence[Spec], fixed: Sequence[int] = ()) -> Lowered:
    """The program of a function with the user's own rule. fixed: the arguments that have no derivative."""
    try:
        return custom_program(primal, jvp, fwd, bwd, specs, lowered, fixed)
    except SrcgradError as error:
        raise placed(error, primal) from error.__cause__


@deep
def derive(fun: Any, recipe: Recipe, specs: Sequence[Spec]) -> Lowered:
    """The program of a derivative for parameters of these structures (the primal's, and those that the recipe adds)."""
    asked = fun, recipe, tuple(specs)
    token = _DERIVING.set((*_DERIVING.get(), asked))
    try:
        if asked in _DERIVING.get()[:-1]:
            message = f"`{getattr(fun, '__name__', 'f')}` is differentiated inside of itself, again and again"
            hint = "differentiate another function there, or in a loop: for _ in range(3): f = grad(f)"
            raise UnsupportedError(message, hint=hint)
        return _derive(fun, recipe, specs)
    except SrcgradError as error:
        raise placed(error, fun) from error.__cause__
    finally:
        _DERIVING.reset(token)


def _derive(fun: Any, recipe: Recipe, specs: Sequence[Spec]) -> Lowered:
    if recipe.kind == "value":
        return _value(lowered(fun, specs, recipe.long, bool(recipe.long)), fun, specs)
    if recipe.kind == "vmap":
        return refuse_unit_axes(_mapped(fun, recipe, specs))
    count = len(specs) - extra_parameters(recipe)
    primal, casts = _as_floats(specs[:count], recipe)
    check_active(fun, primal, recipe)
    base = lowered(fun, primal, recipe.long, recipe.checkpoint is None)
    base = replace(base, program=_checkpointed(tidy(name_values(base.program)), recipe))
    with differentiated_again(not recipe.last or recipe.kind in ("hessian", "hvp")):
        made: Derived = run_pass(recipe.kind, KINDS[recipe.kind], base.program, base, recipe, primal)
    main = _ordered(made, base, sum(1 for s in primal for _ in leaf_types(s)))
    program = tidy(Program(_cast_at_head(main, casts), made.program.callees))
    names = (*base.params, *(v.name for v in made.extras))
    return refuse_unit_axes(replace(base, program=program, params=names, result=made.result))


def _checkpointed(program: Program, recipe: Recipe) -> Program:
    """The program with what is asked for of its loops (for that of a derivative may say what was asked there)."""
    facts, limit = program.main.facts, recipe.checkpoint
    if limit is None and facts.checkpoint is None:
        return program
    first = not facts.plan  # what a derivative does is not the user's to change
    made = limit and ir.Checkpoints(limit.snapshots, limit.bytes, limit.strict and first, simplify_fun)
    return replace(program, main=replace(program.main, facts=replace(facts, checkpoint=made)))


def _value(base: Lowered, fun: Any, specs: Sequence[Spec]) -> Lowered:
    """The function itself; the arrays that it returns are its own, not the caller's."""
    main = base.program.main
    if base.result == Static(None) and (main.facts.overwritten or main.facts.changed):
        owners = [name for name, spec in zip(parameters_of(fun), specs, strict=True) for _ in leaf_types(spec)]
        about = next((n for n, p in zip(owners, main.params, strict=False) if p.name in main.facts.overwritten), "")
        what = f"writes into `{about}`" if about else "changes an argument in place"
        message = f"the function {what} and returns nothing, but a call never changes its caller's arguments"
        raise ArgumentError(message, hint=f"return what is to be seen: return {about or '...'}", about=about)
    program = replace(base.program, main=with_own_results(main))
    return refuse_unit_axes(replace(base, program=tidy(name_values(program))))


def _mapped(fun: Any, recipe: Recipe, specs: Sequence[Spec]) -> Lowered:
    """The function for each item of its arguments."""
    items = [item_spec(s, axis, n) for s, axis, n in zip(specs, recipe.axes, parameters_of(fun), strict=True)]
    base = lowered(fun, items, recipe.long)
    check_none(base.program, "a function that is mapped", "draw in front of vmap, and map over what was drawn")
    program = map_program(tidy(name_values(base.program)), specs, recipe.axes, bool(recipe.long))
    return replace(base, program=tidy(program), result=mapped_spec(base.result))


def refuse_unit_axes(made: Lowered) -> Lowered:
    """The program with a look at the arrays that come in, if it was made for such without axes of length 1, or with
    longer ones."""
    main, builder = made.program.main, Builder()
    arrays = [p for p in main.params if p in main.facts.no_unit_axes]
    if not arrays:
        return made
    either = registry.PRIMITIVES["logical_or"]
    facts = main.facts
    tests = [t for a in arrays for t in _too_short(builder, a, facts.least.get(a, ()), facts.unit_axes.get(a, ()))]
    tests += [_too_short_beside(builder, longer) for longer in main.facts.longer]
    found = functools.reduce(lambda a, b: builder.let(either, a, b), tests)
    failure = ir.Failure("ValueError", REPEATED, REPEATED, "", None)
    body = (*builder.out, ir.If(found, (ir.failing(failure),), ()), *main.body)
    return replace(made, program=replace(made.program, main=replace(main, body=body)))


def _too_short(builder: Builder, array: Var, least: Sequence[int], units: Sequence[int]) -> Iterator[Atom]:
    """Whether an axis has length 1, or one is not as long as it is to be."""
    dim, less = registry.PRIMITIVES["dim"], registry.PRIMITIVES["less"]
    if units:
        for axis in range(array.type.rank):
            yield builder.let(is_not_one if axis in units else is_one, array, axis=axis)
    elif not least or 2 in least:
        yield builder.let(has_one, array)
    for axis, n in enumerate(least):
        if n > 2:
            yield builder.let(less, builder.let(dim, array, name="n", axis=axis), Const(n, ir.I8))


def _too_short_beside(builder: Builder, longer: ir.Longer) -> Atom:
    """Whether an axis is not as long as it is to be beside another one."""
    dim, multiply = registry.PRIMITIVES["dim"], registry.PRIMITIVES["multiply"]
    whole, other = (
        builder.let(dim, array, name="n", axis=axis)
        for array, axis in ((longer.array, longer.axis), (longer.other, longer.other_axis))
    )
    part = other if longer.times == 1 else builder.let(multiply, Const(longer.times, ir.I8), other)
    least = builder.let(registry.PRIMITIVES["add"], part, Const(longer.by, ir.I8)) if longer.by else part
    return builder.let(registry.PRIMITIVES["less"], whole, least)


def guarded(made: Lowered, pairs: Sequence[tuple[int, int]]) -> Lowered:
    """The program with a look at the shapes of what comes in: (tangent, what it belongs to), by place."""
    main, builder = made.program.main, Builder()
    for tangent, like in pairs if all(main.params[a].type.rank == main.params[b].type.rank for a, b in pairs) else ():
        expect_shape(builder, main.params[tangent], main.params[like], "a tangent has not the shape of its argument")
    if not builder.out:
        return made
    return replace(made, program=replace(made.program, main=replace(main, body=(*builder.out, *main.body))))


def extra_parameters(recipe: Recipe) -> int:
    """How many parameters the derivative has beside those of the primal."""
    if recipe.kind == "forward":
        return len(recipe.argnums)
    return 1 if recipe.kind in ("jvp", "hvp", "reverse", "pullback") else 0


def _as_floats(specs: Sequence[Spec], recipe: Recipe) -> tuple[list[Spec], list[int]]:
    """Integers that are differentiated count as floats; and the places of those leaves."""
    out, casts, place = list(specs), [], 0
    for k, spec in enumerate(specs):
        if spec == Leaf(ir.I8) and k in recipe.argnums and recipe.leaves is None:
            out[k] = Leaf(ir.F8)
            casts.append(place)
        place += sum(1 for _ in leaf_types(spec))
    return out, casts


def _cast_at_head(main: Fun, places: Sequence[int]) -> Fun:
    params, builder = list(main.params), Builder()
    env: dict[Var, Atom] = {}
    for k in places:
        params[k] = Var(main.params[k].name, ir.I8)
        env[main.params[k]] = builder.let(registry.PRIMITIVES["cast"], params[k], name=params[k].name, dtype="f8")
    if not env:
        return main
    results = tuple(env.get(r, r) if isinstance(r, Var) else r for r in main.results)
    return replace(main, params=tuple(params), body=(*builder.out, *walk.substitute(main.body, env)), results=results)


def parameters_of(fun: Any) -> tuple[str, ...]:
    return tuple(signature_of(fun).parameters)


def check_active(fun: Any, specs: Sequence[Spec], recipe: Recipe) -> None:
    """Refuse to differentiate with respect to what has no derivative."""
    for place, _, spec in recipe.chosen(specs) if recipe.leaves is None else ():
        if not any(t.is_float for t in leaf_types(spec)):
            name = parameters_of(fun)[place]
            array = isinstance(spec, Leaf) and any(t.rank for t in leaf_types(spec))
            hint = f"pass floats ({name}.astype(float)), or" if array else "pass floats, or"
            message = f"`{name}` is {wording.of_spec(spec)}: it holds no float to differentiate by"
            raise ArgumentError(message, hint=f"{hint} name another parameter in argnums", about=name)


def _ordered(made: Derived, base: Lowered, leaves: int) -> Fun:
    """Parameters in the order: those of the primal, those that were added, those that are captured."""
    main = made.program.main
    kept = main.params[: leaves + len(base.captured)]
    return replace(main, params=(*kept[:leaves], *made.extras, *kept[leaves:]))


# ---- the kinds: (program, its Lowered, recipe, specs) -> Derived


def _scalar_result(base: Lowered, recipe: Recipe) -> tuple[Spec, int]:
    """The structure of auxiliary results and the number of their leaves; the rest must be one float."""
    value, aux = base.result, None
    if recipe.has_aux:
        if not isinstance(value, Node) or not issubclass(value.kind, tuple) or len(value.children) != 2:
            message = f"with has_aux=True the function must return a pair (value, aux), not {wording.of_spec(value)}"
            raise ArgumentError(message, hint="return a pair, or leave has_aux out")
        value, aux = value.children
    if not isinstance(value, Leaf):
        hint = "return one number; for several results use jacobian, or has_aux=True for (value, aux)"
        if value == Static(None):
            hint = "end the function with a return statement"
        message = f"the function returns {wording.of_spec(value)}, a gradient is of one number"
        raise ArgumentError(message, hint=hint)
    if value.type.rank or value.type.ref:
        hint = "use jacobian, or return a number: a sum or mean of the array"
        message = f"the function returns {wording.of_type(value.type)}, a gradient is of one number"
        raise ArgumentError(message, hint=hint)
    if not value.type.is_float:
        hint = "return a float; int, round, comparisons, argmax and len have no derivative"
        message = f"the function returns {wording.of_type(value.type)}, which has no derivative"
        raise NotDifferentiableError(message, hint=hint)
    if value.type.is_complex:
        hint = "return its .real, .imag or abs, or use vjp and jvp"
        raise ArgumentError("the function returns a complex number, a gradient is of a real one", hint=hint)
    return (aux or value), 0 if aux is None else sum(1 for _ in leaf_types(aux))


def _check_real(program: Program, leaves: Sequence[int], what: str) -> None:
    """A matrix of numbers stands for a derivative between real vectors only."""
    kinds = [program.main.params[k].type for k in leaves] + [r.type for r in program.main.results]
    if any(kind.is_complex for kind in kinds):
        hint = "use grad, vjp, jvp, forward or reverse, or pass real and imaginary parts"
        raise ArgumentError(f"{what} is of real arguments and results, some are complex", hint=hint)


def _gradient(program: Program, base: Lowered, recipe: Recipe, specs: Sequence[Spec]) -> Derived:
    aux_spec, aux = _scalar_result(base, recipe)
    shape = recipe.per_argument(specs, gradient_spec)
    leaves = recipe.active(specs)
    if recipe.mode == "forward":
        _check_real(program, leaves, "a gradient in forward mode")
    value = recipe.kind == "value_and_grad"
    if recipe.mode == "forward":
        made = once(program, leaves, lambda p: _forward_gradient(p, leaves, value, aux))
    else:
        made = (core.value_and_grad if value else core.grad)(program, leaves, aux)
    if value:
        return Derived(made, tuple_of([base.result, shape]))
    return Derived(made, tuple_of([shape, aux_spec]) if recipe.has_aux else shape)


def _forward_gradient(program: Program, leaves: Sequence[int], value: bool, aux: int) -> Program:
    """By forward mode: the Jacobian of the first result, beside the results that are asked for."""
    first = Program(select(program.main, [0]), program.callees)
    jacobian = core.jacfwd(first, leaves, tidy)
    count = len(program.main.results)
    if value:
        name = f"{program.main.name}_value_and_grad"
        return beside(program, jacobian, name, range(count + len(leaves)))
    name = f"{program.main.name}_grad"
    return beside(program, jacobian, name, [*range(count, count + len(leaves)), *range(1, count)])


def beside(a: Program, b: Program, name: str, places: Sequence[int]) -> Program:
    """Two programs of the same parameters as one, with these of all their results; a raises and prints for both."""
    body_a, results_a = walk.instantiate(a.main, a.main.params)
    body_b, results_b = walk.instantiate(without_effects(b.main), a.main.params)
    results = (*results_a, *results_b)
    fun = Fun(name, a.main.params, (*body_a, *body_b), tuple(results[k] for k in places), b.main.facts)
    return reachable(Program(fun, {**a.callees, **b.callees}))


def _tangent(program: Program, base: Lowered, recipe: Recipe, specs: Sequence[Spec]) -> Derived:
    """(value, value_dot); what is returned has its tangent's structure."""
    leaves = recipe.active(specs)
    made = forward(program, frozenset(leaves))
    old, order = len(program.main.params), sorted(leaves)
    extras = tuple(made.main.params[old + order.index(leaf)] for leaf in leaves)
    made = replace(made, main=with_own_results(made.main))
    return Derived(made, tuple_of([base.result, gradient_spec(base.result)]), extras)


def _cotangent(program: Program, base: Lowered, recipe: Recipe, specs: Sequence[Spec]) -> Derived:
    """(value, arg_bars), or the bars alone (`pullback`)."""
    leaves = recipe.active(specs)
    if recipe.kind == "pullback":
        hint = "use value_and_grad, jvp or reverse, or pass the numbers as an argument"
        check_none(program, "a function given to vjp, whose pullback would draw others", hint)
    if not any(r.type.is_float for r in program.main.results):
        hint = "return a float or an array of floats"
        raise NotDifferentiableError(f"the function returns {wording.of_spec(base.result)}: no float", hint=hint)
    made = reverse(program, frozenset(leaves), checked=True)
    old, count, order = len(program.main.params), len(program.main.results), sorted(leaves)
    bars = [count + order.index(leaf) for leaf in leaves]
    shape = recipe.per_argument(specs, gradient_spec)
    whole = recipe.kind == "reverse"
    main = with_own_results(select(made.main, [*range(count), *bars] if whole else bars))
    result = tuple_of([base.result, shape]) if whole else shape
    return Derived(reachable(Program(main, made.callees)), result, made.main.params[old:])


def _jacobian(program: Program, base: Lowered, recipe: Recipe, specs: Sequence[Spec]) -> Derived:
    if not program.main.results:
        message = f"the function returns {wording.of_spec(base.result)}, which has no derivative"
        raise NotDifferentiableError(message, hint="return a float or an array of floats")
    _check_real(program, recipe.active(specs), "a Jacobian")
    make = {"jacfwd": core.jacfwd, "jacrev": core.jacrev, "jacobian": core.jacobian}[recipe.kind]
    made = once(program, recipe.active(specs), lambda p: make(p, recipe.active(specs), tidy, recipe.last))
    return Derived(made, jacobian_spec(base.result, lambda change: recipe.per_argument(specs, change)))


def _hessian(program: Program, base: Lowered, recipe: Recipe, specs: Sequence[Spec]) -> Derived:
    _scalar_result(base, recipe)
    _check_real(program, recipe.active(specs), "a Hessian")
    made = once(program, recipe.active(specs), lambda p: core.hessian(p, recipe.active(specs), tidy, recipe.last))
    gradient = recipe.per_argument(specs, gradient_spec)
    return Derived(made, jacobian_spec(gradient, lambda change: recipe.per_argument(specs, change)))


def _hvp(program: Program, base: Lowered, recipe: Recipe, specs: Sequence[Spec]) -> Derived:
    _scalar_result(base, recipe)
    made = core.hvp(program, recipe.active(specs), tidy)
    extras = made.main.params[len(program.main.params) :]
    return Derived(made, recipe.per_argument(specs, gradient_spec), extras)


KINDS: dict[str, Callable[..., Derived]] = {
    "grad": _gradient,
    "value_and_grad": _gradient,
    "forward": _tangent,
    "jvp": _tangent,
    "reverse": _cotangent,
    "pullback": _cotangent,
    "jacfwd": _jacobian,
    "jacrev": _jacobian,
    "jacobian": _jacobian,
    "hessian": _hessian,
    "hvp": _hvp,
}
