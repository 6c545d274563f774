"""What users ask for, made of the tangent and the adjoint program: gradients, Jacobians, Hessians, their products.

`leaves` are places of parameters. Results are flat: of a Jacobian, one for each pair of an output and a leaf, outputs
first. Between two differentiations `tidy` (a simplification) makes the program small again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from srcgrad.core import ir, walk
from srcgrad.core.build import FULL, Builder, const
from srcgrad.core.ir import Atom, Const, Fun, Program, Var
from srcgrad.core.rewrite import Renamed
from srcgrad.errors import ArgumentError, NotDifferentiableError
from srcgrad.printer.names import ANONYMOUS
from srcgrad.rules.language import registry
from srcgrad.rules.language.values import Val
from srcgrad.rules.shapes.shape import dim
from srcgrad.transform.directions import split
from srcgrad.transform.forward import forward
from srcgrad.transform.program_edits import bind, loud, reachable, rename, select, without_effects
from srcgrad.transform.reverse import reverse
from srcgrad.transform.zero_directions import skip_zeros

Tidy = Callable[[Program], Program]


def untouched(program: Program) -> Program:
    return program


def grad(program: Program, leaves: Sequence[int], aux: int = 0) -> Program:
    """Gradients of the first result with respect to the leaves; then the last `aux` results as they are."""
    made = _value_and_grad(program, leaves, aux)
    count = len(program.main.results)
    main = select(made.main, [*range(count, count + len(leaves)), *range(1, count)])
    return reachable(Program(rename(main, f"{program.main.name}_grad"), made.callees))


def value_and_grad(program: Program, leaves: Sequence[int], aux: int = 0) -> Program:
    """All results, then the gradients of the first with respect to the leaves."""
    made = _value_and_grad(program, leaves, aux)
    return reachable(Program(rename(made.main, f"{program.main.name}_value_and_grad"), made.callees))


def jacfwd(program: Program, leaves: Sequence[int], tidy: Tidy = untouched, last: bool = False) -> Program:
    """Jacobians by forward mode, one direction at a time. last: it is not differentiated again."""
    return _Jacobian(program, leaves, tidy, last).by_columns(f"{program.main.name}_jacfwd")


def jacrev(program: Program, leaves: Sequence[int], tidy: Tidy = untouched, last: bool = False) -> Program:
    """Jacobians by reverse mode, one output at a time. last: it is not differentiated again."""
    return _Jacobian(program, leaves, tidy, last).by_rows(f"{program.main.name}_jacrev")


def jacobian(program: Program, leaves: Sequence[int], tidy: Tidy = untouched, last: bool = False) -> Program:
    """Jacobians by forward mode where there are not more inputs than outputs: it is counted when the program runs."""
    builder, params = Builder(program.main), program.main.params
    quiet, outs = walk.instantiate(without_effects(program.main), params)
    for stmt in quiet:
        builder.put(stmt)
    counts = _count(builder, [params[k] for k in leaves]), _count(builder, outs)
    counting = tidy(reachable(Program(Fun("count", params, tuple(builder.out), counts), program.callees)))
    inputs, outputs = counting.main.results
    if inputs == outputs or (isinstance(inputs, Const) and isinstance(outputs, Const)):
        few = inputs == outputs or inputs.value <= outputs.value  # type: ignore[union-attr, operator]
        return (jacfwd if few else jacrev)(program, leaves, tidy, last)
    columns, rows = jacfwd(program, leaves, tidy, last), jacrev(program, leaves, tidy, last)
    sides = [walk.instantiate(without_effects(made.main), params) for made in (columns, rows)]
    first = walk.instantiate(program.main, params)[0] if loud(program.main) else ()
    builder.out = [*first, *counting.main.body]
    few_inputs = builder.let(registry.PRIMITIVES["less_equal"], inputs, outputs, name="few_inputs")
    pairs = list(zip(sides[0][1], sides[1][1], strict=True))
    chosen = tuple(ir.Out(Var("jacobian", a.type), a, b) for a, b in pairs)
    builder.put(ir.If(few_inputs, sides[0][0], sides[1][0], chosen))
    facts = replace(program.main.facts, plan=(*columns.main.facts.plan, *rows.main.facts.plan))
    results = tuple(out.target for out in chosen)
    fun = Fun(f"{program.main.name}_jacobian", params, tuple(builder.out), results, facts)
    return reachable(Program(fun, {**counting.callees, **columns.callees, **rows.callees}))


def _count(builder: Builder, atoms: Sequence[Atom]) -> Atom:
    """How many numbers these hold together."""
    total: Atom = Const(0, ir.I8)
    for atom in atoms:
        size: Atom = Const(1, ir.I8)
        for axis in range(atom.type.rank):
            length = dim(Val(builder, atom), axis=axis).atom
            size = length if size == Const(1, ir.I8) else builder.let(registry.PRIMITIVES["multiply"], size, length)
        total = size if total == Const(0, ir.I8) else builder.let(registry.PRIMITIVES["add"], total, size)
    return total


def hessian(program: Program, leaves: Sequence[int], tidy: Tidy = untouched, last: bool = False) -> Program:
    """Second derivatives of a scalar, forward over reverse: a block for each pair of leaves."""
    made = jacfwd(tidy(grad(program, leaves)), leaves, tidy, last)
    return Program(rename(made.main, f"{program.main.name}_hessian"), made.callees)


def hvp(program: Program, leaves: Sequence[int], tidy: Tidy = untouched) -> Program:
    """The Hessian times a vector, which comes in as one more parameter a leaf; one result a leaf."""
    gradient = tidy(grad(program, leaves))
    made = forward(gradient, frozenset(leaves))
    old, order = len(gradient.main.params), sorted(leaves)
    dots = made.main.params[old:]
    vectors = tuple(dots[order.index(leaf)] for leaf in leaves)
    main = select(made.main, range(len(leaves), 2 * len(leaves)))
    main = replace(main, params=(*gradient.main.params, *vectors), name=f"{program.main.name}_hvp")
    return reachable(Program(main, made.callees))


# ---- gradients


def _value_and_grad(program: Program, leaves: Sequence[int], aux: int) -> Program:
    """All results, then one gradient a leaf."""
    main = program.main
    if len(main.results) - aux != 1:
        message = f"{main.name} returns {len(main.results)} values where one scalar is differentiated"
        raise ArgumentError(message, hint="return one number, or use jacobian; has_aux=True for (value, aux)")
    _check_scalar(main)
    made = reverse(Program(_without_derivative(main, range(1, len(main.results))), program.callees), frozenset(leaves))
    seeds = made.main.params[len(main.params) :]
    fun = _with_derivatives(bind(made.main, {seeds[0]: Const(1.0, main.results[0].type)}))
    fun = replace(fun, params=main_params(fun, len(main.params)))
    order = sorted(set(leaves))
    results = [*range(len(main.results)), *(len(main.results) + order.index(leaf) for leaf in leaves)]
    value = fun.results[0]
    if isinstance(value, Var) and value.name == ANONYMOUS and value not in fun.params:
        fun = Renamed({value: Var("value", value.type)}).fun(fun)
    return Program(select(fun, results), made.callees)


def main_params(fun: Fun, count: int) -> tuple[Var, ...]:
    """The first parameters; the others (seeds of results that carry no derivative) are read by nobody."""
    return fun.params[:count]


def _check_scalar(main: Fun) -> None:
    kind = main.results[0].type
    if kind.rank or kind.ref:
        raise ArgumentError(f"{main.name} returns an array: a gradient is of a scalar; use jacobian")
    if not kind.is_float:
        raise NotDifferentiableError(f"{main.name} returns {_called(kind)}, which has no derivative; return floats")


def _called(kind: ir.Type) -> str:
    return "a bool" if kind.dtype == "b1" else "an integer"


def _without_derivative(main: Fun, places: Sequence[int]) -> Fun:
    """The function with these results cut off from this differentiation, until `_with_derivatives`."""
    builder = Builder(main)
    results = list(main.results)
    stop = registry.PRIMITIVES["stop_gradient"] if places else None
    for k in places:
        result = results[k]
        if stop is None or not isinstance(result, Var) or not result.type.is_float:
            continue
        if result.type.ref:
            copy = builder.let(stop, builder.load(result), name=result.name, once=True)
            results[k] = builder.alloc(result.type.dtype, (), copy, result.name)
        else:
            results[k] = builder.let(stop, result, name=result.name, once=True)
    return replace(main, body=(*main.body, *builder.out), results=tuple(results))


def _with_derivatives(fun: Fun) -> Fun:
    """The derivative with nothing cut off any more: it may be differentiated again, and what it returns as it is has a
    derivative."""
    env: dict[Var, Atom] = {}
    body: list[ir.Stmt] = []
    for stmt in fun.body:
        if isinstance(stmt, ir.Let) and stmt.params.get("once"):
            (arg,) = stmt.args
            env[stmt.targets[0]] = env.get(arg, arg) if isinstance(arg, Var) else arg
        else:
            body.append(stmt)
    if not env:
        return fun
    results = tuple(env.get(r, r) if isinstance(r, Var) else r for r in fun.results)
    return replace(fun, body=walk.substitute(body, env), results=results)


# ---- Jacobians


class _Jacobian:
    """Builds a function with the parameters of the program's main, a loop around a derivative for each direction."""

    def __init__(self, program: Program, leaves: Sequence[int], tidy: Tidy, last: bool) -> None:
        self.leaves, self.tidy, self.last = leaves, tidy, last
        self.callees = dict(program.callees)
        self.builder = Builder(program.main)
        self.kept = list(program.main.facts.plan)
        if loud(program.main):  # what it raises or prints happens once, however many directions there are
            self.put(*walk.instantiate(program.main, program.main.params))
        self.main = without_effects(program.main)
        self.program = reachable(replace(program, main=self.main))
        for result in self.main.results:
            if not result.type.is_float:
                what = _called(result.type)
                raise NotDifferentiableError(f"{self.main.name} returns {what}, which has no derivative; return floats")

    def finished(self, name: str, blocks: list[list[Atom]]) -> Program:
        results = tuple(block for row in blocks for block in row)
        facts = replace(self.main.facts, plan=tuple(dict.fromkeys(self.kept)))
        fun = Fun(name, self.main.params, tuple(self.builder.out), results, facts)
        return reachable(Program(fun, self.callees))

    # ---- forward: a leaf's directions, all outputs at once

    def by_columns(self, name: str) -> Program:
        columns = [self.column(leaf) for leaf in self.leaves]
        return self.finished(name, [list(row) for row in zip(*columns, strict=True)])

    def column(self, leaf: int) -> list[Atom]:
        made = self.tidy(forward(self.program, frozenset({leaf})))
        self.callees.update(made.callees)
        fun = select(made.main, range(len(self.main.results), 2 * len(self.main.results)))
        param = self.main.params[leaf]
        if not param.type.ref:
            return list(self.instantiate(fun, Const(1.0, param.type)))
        shapes = [self.shape(out) for out in self.outputs()]
        length = self.shape(param)
        blocks = [self.builder.alloc(param.type.dtype, (*shape, *length), name="jacobian") for shape in shapes]
        one = self.builder.alloc(param.type.dtype, length, name=f"{param.name}_dot")
        late, dots = self.in_front(fun, one)
        with self.each(length) as places:
            self.builder.store(one, places, Const(1.0, ir.Type(param.type.dtype)))
            self.put(late)
            for block, dot in zip(blocks, dots, strict=True):
                self.fill(block, dot, lambda inner: (*inner, *places))
            self.builder.store(one, places, Const(0.0, ir.Type(param.type.dtype)))
        return list(blocks)

    # ---- reverse: an output's elements, all leaves at once

    def by_rows(self, name: str) -> Program:
        return self.finished(name, [self.row(k) for k in range(len(self.main.results))])

    def row(self, place: int) -> list[Atom]:
        result = self.main.results[place]
        alone = self.tidy(Program(select(self.main, [place]), self.program.callees))
        made = self.tidy(reverse(alone, frozenset(self.leaves)))
        self.callees.update(made.callees)
        self.kept += made.main.facts.plan
        order = sorted(set(self.leaves))
        fun = select(made.main, [1 + order.index(leaf) for leaf in self.leaves])
        if not result.type.ref:
            return list(self.instantiate(fun, Const(1.0, result.type)))
        return self.rows(fun, self.shape(self.outputs()[place]), result.type.dtype)

    def rows(self, fun: Fun, length: Sequence[Atom], kind: str) -> list[Atom]:
        """Of an array: by its adjoint, for each element in turn."""
        params = [self.main.params[leaf] for leaf in self.leaves]
        blocks = [self.builder.alloc(p.type.dtype, (*length, *self.shape(p)), name="jacobian") for p in params]
        one = self.builder.alloc(kind, length, name="value_bar")
        late, bars = self.in_front(fun, one)
        with self.each(length) as places:
            self.builder.store(one, places, Const(1.0, ir.Type(kind)))
            rows = {bar: block for bar, block in zip(bars, blocks, strict=True) if _is_made_once(bar, late, bars)}
            self.put(_in_rows(late, rows, places))
            for block, bar in zip(blocks, bars, strict=True):
                if bar not in rows:
                    self.fill(block, bar, lambda inner: (*places, *inner))
            self.builder.store(one, places, Const(0.0, ir.Type(kind)))
        return list(blocks)

    # ---- parts

    def instantiate(self, fun: Fun, seed: Atom) -> tuple[Atom, ...]:
        return self.put(*walk.instantiate(fun, (*self.main.params, seed)))

    def in_front(self, fun: Fun, seed: Var) -> tuple[tuple[ir.Stmt, ...], tuple[Atom, ...]]:
        """Put what does not depend on the direction; what does, and the results."""
        body, results = walk.instantiate(fun, (*self.main.params, seed))
        made = split(replace(fun, params=(*self.main.params, seed), body=body, results=results), seed)
        self.put(made.early)
        self.kept += made.kept
        whole = replace(fun, body=(*made.early, *made.late))
        return skip_zeros(made.late, made.linear, whole) if self.last else made.late, made.results

    def put(self, body: tuple[ir.Stmt, ...], results: tuple[Atom, ...] = ()) -> tuple[Atom, ...]:
        for stmt in body:
            if not isinstance(stmt, ir.Remark):  # sweeps are not to be told apart where there are many
                self.builder.put(stmt)
        return results

    def outputs(self) -> tuple[Atom, ...]:
        """The results, for their shapes: the primal is run for them, as far as shapes need it."""
        return self.put(*walk.instantiate(self.main, self.main.params))

    def shape(self, atom: Atom) -> tuple[Atom, ...]:
        return tuple(dim(Val(self.builder, atom), axis=axis).atom for axis in range(atom.type.rank))

    def fill(self, block: Var, part: Atom, where: Callable[[ir.Index], ir.Index]) -> None:
        """Store a derivative into its part of the Jacobian; element by element, which Numba compiles far quicker."""
        if isinstance(part, Var) and part.type.ref:
            with self.each(self.shape(part)) as inner:
                self.builder.store(block, where(inner), self.builder.load(part, inner))
        else:
            self.builder.store(block, where((FULL,) * part.type.rank), part)

    @contextmanager
    def each(self, lengths: Sequence[Atom]) -> Iterator[ir.Index]:
        """A loop nest over the places of an array; what is emitted inside is its body."""
        places = tuple(Var("ijklmn"[k % 6], ir.I8) for k in range(len(lengths)))
        with self.builder.block() as inner:
            yield places
        for place, length in reversed(list(zip(places, lengths, strict=True))):
            inner = [ir.For(place, const(0), length, const(1), (), tuple(inner))]
        for stmt in inner:
            self.builder.put(stmt)


def _is_made_once(bar: Atom, late: tuple[ir.Stmt, ...], bars: Sequence[Atom]) -> bool:
    """Whether an adjoint is an array that each direction makes, zeros at first, and gives back once."""
    made = any(isinstance(s, ir.Alloc) and s.target is bar and s.init is ir.Init.ZEROS for s in late)
    return made and list(bars).count(bar) == 1


def _in_rows(late: tuple[ir.Stmt, ...], rows: Mapping[Atom, Var], places: ir.Index) -> tuple[ir.Stmt, ...]:
    """The statements with these arrays as rows of the Jacobian, which hold zeros at first."""

    def one(stmt: ir.Stmt) -> ir.Stmt:
        if not isinstance(stmt, ir.Alloc) or stmt.target not in rows:
            return stmt
        return ir.View(stmt.target, rows[stmt.target], (*places, *(FULL,) * stmt.target.type.rank), span=stmt.span)

    return tuple(map(one, late))
