"""Functions that call themselves, and their adjoints, as pairs of sweeps: one keeps on tapes what the other reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from srcgrad.core import ir
from srcgrad.core.build import Builder, const
from srcgrad.core.ir import Atom, Const, Fun, FunFacts, Stmt, Var
from srcgrad.core.rewrite import rewrite_block
from srcgrad.core.walk import instantiate, used, used_inside, walk
from srcgrad.rules.scalar.arithmetic import add
from srcgrad.transform.program_edits import without_effects
from srcgrad.transform.sweeps.in_place import Signatures, is_adjoint, zeros_like
from srcgrad.transform.sweeps.joint import Tidy, joint
from srcgrad.transform.sweeps.on_tape import Cut
from srcgrad.transform.sweeps.paths import Fork, Path, Tree, ways
from srcgrad.transform.taped_calls import ADJOINT, TAPED

FORWARD, BACKWARD, COUNT = "_forward", "_backward", "_count"
Dtypes = Sequence[str]
Lengths = Mapping[str, int]  # of functions that keep no more than so much, by name


def is_taped(stmt: Stmt, signatures: Signatures) -> bool:
    """Whether the statement is a call that keeps something."""
    return isinstance(stmt, ir.Call) and stmt.callee.endswith(TAPED) and stmt.callee.removesuffix(TAPED) in signatures


def tapes_of(dtypes: Dtypes) -> dict[str, Var]:
    return {d: Var("tape" if d == "f8" else f"tape_{d}", ir.Type(d, 1, ref=True)) for d in dtypes}


def wanted_by(stmts: Sequence[Stmt], results: Sequence[Atom], signatures: Signatures) -> Iterator[tuple[str, int]]:
    """(function, the place among its float parameters, scalars first) of each adjoint that somebody reads."""
    read = {a for s in walk(stmts) for a in (*used(s), *used_inside(s))} | set(results)
    for stmt in walk(stmts):
        if is_adjoint(stmt, signatures):
            assert isinstance(stmt, ir.Call)
            arrays = [t for t in stmt.targets if t.type.ref]
            scalars = stmt.targets[: len(stmt.targets) - len(arrays)]
            given = stmt.args[len(stmt.args) - len(arrays) :]
            name = stmt.callee.removesuffix(ADJOINT)
            yield from ((name, k) for k, t in enumerate(scalars) if t in read)
            yield from ((name, len(scalars) + k) for k, a in enumerate(given) if isinstance(a, Var))


def float_places(fun: Fun) -> list[int]:
    """The places of the float parameters: scalars first, then arrays, as calls of adjoints give them."""
    places = [k for k, p in enumerate(fun.params) if p.type.is_float]
    return sorted(places, key=lambda k: (fun.params[k].type.ref, k))


@dataclass(eq=False)
class Pair:
    """One function as two sweeps. wanted: among its float parameters, whose adjoints are wanted."""

    fun: Fun
    wanted: frozenset[int]
    signatures: Signatures
    tidy: Tidy
    cuts: dict[Path, Cut] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tree = ways(self.fun)
        floats = float_places(self.fun)
        self.places = [floats[k] for k in sorted(self.wanted)]  # scalars first
        self._cut(self.tree, 0)

    def _cut(self, tree: Tree, above: int) -> None:
        if isinstance(tree, Path):
            made = joint(tree.fun, sorted(self.places), self.signatures, self.tidy)
            self.cuts[tree] = Cut(made, lambda s: is_taped(s, self.signatures), above)
            return
        below = above + (not computed_again(tree, self.tidy))
        self._cut(tree.then, below)
        self._cut(tree.orelse, below)

    @cached_property
    def dtypes(self) -> set[str]:
        kept = {"b1"} if any(not computed_again(f, self.tidy) for f in _forks(self.tree)) else set()
        return kept.union(*(cut.tapes for cut in self.cuts.values()))

    def wants(self) -> Iterator[tuple[str, int]]:
        for cut in self.cuts.values():
            yield from wanted_by(cut.joint.back, cut.joint.bars, self.signatures)

    def others(self) -> Iterator[str]:
        """The adjoints that it calls of functions that are no pairs."""
        for cut in self.cuts.values():
            for stmt in walk(cut.joint.back):
                if isinstance(stmt, ir.Call) and stmt.callee.endswith(ADJOINT):
                    if stmt.callee.removesuffix(ADJOINT) not in self.signatures:
                        yield stmt.callee

    # ---- the three functions

    def forward(self, dtypes: Dtypes, lengths: Lengths) -> Fun:
        """(arguments, mark, tapes) -> (values, the position behind what is kept unless that is known, tapes)."""
        args, mark, tapes = _like(self.fun.params), Var("pos", ir.I8), tapes_of(dtypes)

        def way(path: Path) -> tuple[Fun, Sequence[Atom]]:
            cut = self.cuts[path]
            return cut.forward(), (*args, *(tapes[d] for d in cut.tapes), mark)

        def fork(tree: Fork, above: int) -> tuple[Sequence[Stmt], Atom]:
            head, (cond,) = instantiate(tree.head, args)
            if computed_again(tree, self.tidy):
                return head, cond
            builder = Builder()
            builder.store(tapes["b1"], (_behind(builder, mark, above),), cond)
            return (*head, *builder.out), cond

        body, results = self._ways(self.tree, way, fork, 0)
        params = (*args, mark, *tapes.values())
        results = results[:-1] if self.fun.name in lengths else results
        made = Fun(self.fun.name + FORWARD, params, body, (*results, *tapes.values()), FunFacts(in_place=True))
        return with_tapes(made, tapes, self.signatures, lengths)

    def backward(self, dtypes: Dtypes, pairs: Mapping[str, Pair]) -> Fun:
        """(mark, arguments, tapes, cotangents, shadows) -> (adjoints of scalars, shadows)."""
        args, mark, tapes = _like(self.fun.params), Var("mark", ir.I8), tapes_of(dtypes)
        first = next(iter(self.cuts.values())).joint
        seeds, shadows = _like(first.seeds), _like(first.shadows)

        def way(path: Path) -> tuple[Fun, Sequence[Atom]]:
            cut = self.cuts[path]
            return cut.backward(), (mark, *args, *(tapes[d] for d in cut.tapes), *seeds, *shadows)

        def fork(tree: Fork, above: int) -> tuple[Sequence[Stmt], Atom]:
            if computed_again(tree, self.tidy):
                slice_, (cond,) = instantiate(_slice(tree, self.tidy), args)
                return slice_, cond
            builder = Builder()
            cond = builder.load(tapes["b1"], (_behind(builder, mark, above),), "chosen")
            return tuple(builder.out), cond

        body, bars = self._ways(self.tree, way, fork, 0)
        params = (mark, *args, *tapes.values(), *seeds, *shadows)
        arrays = [args[k] for k in sorted(self.places) if args[k].type.ref]
        facts = FunFacts(in_place=True, same_shapes=tuple(zip(shadows, arrays, strict=True)))
        made = Fun(self.fun.name + BACKWARD, params, body, (*bars, *shadows), facts)
        return with_adjoints(made, tapes, self.signatures, pairs)

    def count(self) -> Fun:
        """(arguments, mark) -> (values, the position behind what would be kept)."""
        args, mark = _like(self.fun.params), Var("pos", ir.I8)

        def way(path: Path) -> tuple[Fun, Sequence[Atom]]:
            return self.cuts[path].count(), (*args, mark)

        def fork(tree: Fork, above: int) -> tuple[Sequence[Stmt], Atom]:
            head, (cond,) = instantiate(tree.head, args)
            return head, cond

        body, results = self._ways(self.tree, way, fork, 0)
        return Fun(self.fun.name + COUNT, (*args, mark), body, results)

    def _ways(
        self,
        tree: Tree,
        way: Callable[[Path], tuple[Fun, Sequence[Atom]]],
        fork: Callable[[Fork, int], tuple[Sequence[Stmt], Atom]],
        above: int,
    ) -> tuple[tuple[Stmt, ...], tuple[Atom, ...]]:
        if isinstance(tree, Path):
            return instantiate(*way(tree))
        head, cond = fork(tree, above)
        below = above + (not computed_again(tree, self.tidy))
        then, a = self._ways(tree.then, way, fork, below)
        orelse, b = self._ways(tree.orelse, way, fork, below)
        outs = tuple(ir.Out(Var(_name(x, y), x.type), x, y) for x, y in zip(a, b, strict=True))
        return (*head, ir.If(cond, then, orelse, outs)), tuple(out.target for out in outs)


def _name(a: Atom, b: Atom) -> str:
    return next((x.name for x in (b, a) if isinstance(x, Var)), "t")


def _like(params: Sequence[Var]) -> tuple[Var, ...]:
    return tuple(Var(p.name, p.type) for p in params)


def _behind(builder: Builder, mark: Var, count: int) -> Atom:
    at: Atom = builder.let(add, mark, const(count), name="at") if count else mark
    return at


def _forks(tree: Tree) -> Iterator[Fork]:
    if isinstance(tree, Fork):
        yield tree
        yield from _forks(tree.then)
        yield from _forks(tree.orelse)


def _slice(fork: Fork, tidy: Tidy) -> Fun:
    """What computes by what the two ways part."""
    body = tuple(s for s in fork.head.body if not isinstance(s, (ir.Effect, ir.If)))
    return tidy(replace(fork.head, body=body))


def computed_again(fork: Fork, tidy: Tidy) -> bool:
    """Whether the sweep back finds out for itself which way was taken: of integers alone."""
    if any(
        not isinstance(s, (ir.Let, ir.Load, ir.View, ir.Alloc, ir.Remark, ir.Effect, ir.If)) for s in fork.head.body
    ):
        return False
    return all(isinstance(s, ir.Let) and not any(_is_float(a) for a in s.args) for s in _slice(fork, tidy).body)


def _is_float(atom: Atom) -> bool:
    return atom.type.is_float and not atom.type.ref


# ---- how much is kept


def fixed_lengths(pairs: Mapping[str, Pair], tidy: Tidy) -> Lengths:
    """Of those functions that keep no more than so much, whatever they are given, how much that is."""
    known: dict[str, int] = {}
    while True:
        new = {name: _fixed(pair, known, tidy) for name, pair in pairs.items() if name not in known}
        if all(length is None for length in new.values()):
            return known
        known.update((name, length) for name, length in new.items() if length is not None)


def _fixed(pair: Pair, known: Lengths, tidy: Tidy) -> int | None:
    lengths = [_fixed_way(cut.count(), pair.signatures, known, tidy) for cut in pair.cuts.values()]
    return None if None in lengths else max(n for n in lengths if n is not None)


def _fixed_way(count: Fun, signatures: Signatures, known: Lengths, tidy: Tidy) -> int | None:
    whole = with_plain_calls(replace(count, results=count.results[-1:]), signatures, known)
    match tidy(without_effects(whole)):
        case Fun(body=(ir.Let(op=op, args=(mark, Const(length))),), params=params) if op is add and mark is params[-1]:
            return int(length.real)
        case Fun(body=(), results=(end,), params=params) if end is params[-1]:
            return 0
    return None


def with_plain_calls(fun: Fun, signatures: Signatures, lengths: Lengths) -> Fun:
    """The function with calls that keep nothing of the functions that keep so much."""

    def one(stmt: Stmt) -> Sequence[Stmt] | Stmt:
        if not is_taped(stmt, signatures):
            return stmt
        assert isinstance(stmt, ir.Call)
        name = stmt.callee.removesuffix(TAPED)
        if name not in lengths:
            return stmt
        plain = replace(stmt, targets=stmt.targets[:-1], callee=name, args=stmt.args[:-1])
        return (plain, end_of(stmt, lengths[name]))

    return replace(fun, body=rewrite_block(fun.body, one))


def end_of(call: ir.Call, length: int) -> Stmt:
    """The position behind what a call keeps that is so much."""
    return ir.Let((call.targets[-1],), add, (call.args[-1], const(length)), span=call.span)


# ---- calls, as they are printed


def with_tapes(fun: Fun, tapes: Mapping[str, Var], signatures: Signatures, lengths: Lengths) -> Fun:
    """The function with tapes for the calls that keep something."""

    def one(stmt: Stmt) -> Sequence[Stmt] | Stmt:
        if not is_taped(stmt, signatures):
            return stmt
        assert isinstance(stmt, ir.Call)
        name = stmt.callee.removesuffix(TAPED)
        targets, end = stmt.targets, list[Stmt]()
        if name in lengths:
            targets, end = targets[:-1], [end_of(stmt, lengths[name])]
        targets = (*targets, *(Var(t.name, t.type) for t in tapes.values()))
        args = (*stmt.args, *tapes.values())
        made = replace(stmt, targets=targets, callee=name + FORWARD, args=args, loud=True, given=len(tapes))
        return (made, *end)

    return replace(fun, body=rewrite_block(fun.body, one))


def with_adjoints(fun: Fun, tapes: Mapping[str, Var], signatures: Signatures, pairs: Mapping[str, Pair]) -> Fun:
    """The function with tapes for the adjoints that it calls, which give what somebody wants and no more."""

    def one(stmt: Stmt) -> Sequence[Stmt] | Stmt:
        if not is_adjoint(stmt, signatures):
            return stmt
        assert isinstance(stmt, ir.Call)
        return _adjoint_call(stmt, tapes, pairs[stmt.callee.removesuffix(ADJOINT)])

    return replace(fun, body=rewrite_block(fun.body, one))


def _adjoint_call(stmt: ir.Call, tapes: Mapping[str, Var], pair: Pair) -> Sequence[Stmt]:
    count, builder = len(pair.fun.params), Builder()
    floats = float_places(pair.fun)
    given: Mapping[int, Atom] = dict(
        zip(
            [k for k in floats if pair.fun.params[k].type.ref], stmt.args[len(stmt.args) - _arrays(stmt) :], strict=True
        )
    )
    targets = {k: t for k, t in zip(floats, stmt.targets, strict=True) if k in pair.places}
    mark, *args = stmt.args[: 1 + count]
    seeds = stmt.args[1 + count : len(stmt.args) - _arrays(stmt)]
    shadows = []
    for k in sorted(k for k in pair.places if pair.fun.params[k].type.ref):
        shadow = given[k]
        shadows.append(zeros_like(builder, args[k], "unused") if isinstance(shadow, Const) else shadow)
    order = [k for k in pair.places if not pair.fun.params[k].type.ref]
    order += sorted(k for k in pair.places if pair.fun.params[k].type.ref)
    call = ir.Call(
        tuple(targets[k] for k in order),
        pair.fun.name + BACKWARD,
        (mark, *args, *tapes.values(), *seeds, *shadows),
        loud=True,
        given=len(shadows),
        span=stmt.span,
    )
    return (*builder.out, call)


def _arrays(stmt: ir.Call) -> int:
    return sum(1 for t in stmt.targets if t.type.ref)
