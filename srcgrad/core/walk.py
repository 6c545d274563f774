"""Going over programs: what a statement uses, defines and contains; rebuilding it; copies with other variables."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Fun, Stmt, Var

AtomMap = Callable[[Atom], Atom]
_WITH_BLOCKS = frozenset({ir.For, ir.While, ir.If})
_ONE_TARGET = frozenset({ir.Load, ir.Alloc, ir.View, ir.NewList, ir.RefAt})
_TARGETS = frozenset({ir.Let, ir.Call, ir.Custom})


def index_atoms(index: ir.Index) -> Iterator[Atom]:
    for item in index:
        if isinstance(item, ir.Slice):
            yield from (part for part in (item.start, item.stop, item.step) if part is not None)
        else:
            yield item


def map_index(index: ir.Index, f: AtomMap) -> ir.Index:
    def part(atom: Atom | None) -> Atom | None:
        return None if atom is None else f(atom)

    return tuple(
        ir.Slice(part(item.start), part(item.stop), part(item.step)) if isinstance(item, ir.Slice) else f(item)
        for item in index
    )


def how_atoms(how: ir.Index | ir.Transpose | ir.Reshape) -> Iterator[Atom]:
    if isinstance(how, ir.Transpose):
        return
    yield from how.shape if isinstance(how, ir.Reshape) else index_atoms(how)


def map_how(how: ir.Index | ir.Transpose | ir.Reshape, f: AtomMap) -> ir.Index | ir.Transpose | ir.Reshape:
    if isinstance(how, ir.Transpose):
        return how
    return ir.Reshape(tuple(map(f, how.shape))) if isinstance(how, ir.Reshape) else map_index(how, f)


def measured(measure: ir.Measure) -> Atom:
    """What a measure is read from."""
    return measure.of if isinstance(measure, ir.Length) else measure


def _map_measure(measure: ir.Measure, f: AtomMap) -> ir.Measure:
    if not isinstance(measure, ir.Length):
        return f(measure)
    of = f(measure.of)
    assert isinstance(of, Var)
    return ir.Length(of, measure.axis)


def used(stmt: Stmt) -> Iterable[Atom]:
    """The atoms that the statement itself reads in its own region (an inner block's uses are not among them).

    Of a loop: start, stop, step and the inits. Its nexts, cond and exit are read inside: see `used_inside`.
    """
    kind = type(stmt)
    return stmt.args if kind is ir.Let else _USED.get(kind, _nothing)(stmt)  # type: ignore[attr-defined]


def _nothing(stmt: Stmt) -> tuple[Atom, ...]:
    return ()


def _used_alloc(stmt: ir.Alloc) -> tuple[Atom, ...]:
    shape = tuple(n for n in stmt.shape if n is not None)
    return shape if isinstance(stmt.init, str) else (*shape, stmt.init)


def _inits(stmt: ir.For | ir.While) -> tuple[Atom, ...]:
    return tuple(c.init for c in stmt.carry)


_USED: dict[type[Stmt], Callable[..., tuple[Atom, ...]]] = {
    ir.Let: lambda s: s.args,
    ir.Call: lambda s: s.args,
    ir.Custom: lambda s: s.args,
    ir.Effect: lambda s: s.args,
    ir.Load: lambda s: (s.ref, *index_atoms(s.index)),
    ir.Store: lambda s: (s.ref, *index_atoms(s.index), s.value),
    ir.Accumulate: lambda s: (s.ref, *index_atoms(s.index), s.value),
    ir.Alloc: _used_alloc,
    ir.View: lambda s: (s.base, *how_atoms(s.how)),
    ir.NewList: lambda s: (s.like,),
    ir.Append: lambda s: (s.refs, s.ref),
    ir.RefAt: lambda s: (s.refs, s.pos),
    ir.Check: lambda s: (measured(s.left), measured(s.right)),
    ir.For: lambda s: (s.start, s.stop, s.step, *_inits(s)),
    ir.While: _inits,
    ir.If: lambda s: (s.cond,),
}


def used_inside(stmt: Stmt) -> Iterator[Atom]:
    """The atoms read at the end of inner blocks: nexts, cond and exit of a loop, both sides of a branch's outs."""
    match stmt:
        case ir.For():
            yield from (c.next for c in stmt.carry)
            if stmt.exit is not None:
                yield stmt.exit
        case ir.While():
            yield stmt.cond
            yield from (c.next for c in stmt.carry)
            if stmt.exit is not None:
                yield stmt.exit
        case ir.If():
            for out in stmt.outs:
                yield from (out.then, out.orelse)


def defined(stmt: Stmt) -> tuple[Var, ...]:
    """The variables that the statement binds in its own region."""
    kind = type(stmt)
    if kind in _ONE_TARGET:
        return (stmt.target,)  # type: ignore[attr-defined]
    if kind in _TARGETS:
        return stmt.targets  # type: ignore[attr-defined, no-any-return]
    match stmt:
        case ir.Append():
            return (stmt.pos,)
        case ir.For() | ir.While():
            return tuple(c.out for c in stmt.carry)
        case ir.If():
            return tuple(out.target for out in stmt.outs)
    return ()


def defined_inside(stmt: Stmt) -> tuple[Var, ...]:
    """The variables that a loop binds at the head of its blocks."""
    match stmt:
        case ir.For():
            return (stmt.index, *(c.inner for c in stmt.carry))
        case ir.While():
            return tuple(c.inner for c in stmt.carry)
    return ()


def blocks(stmt: Stmt) -> tuple[tuple[str, tuple[Stmt, ...]], ...]:
    kind = type(stmt)  # asked of every statement at every pass: much faster than patterns
    if kind not in _WITH_BLOCKS:
        return ()
    if isinstance(stmt, ir.If):
        return (("then", stmt.then), ("orelse", stmt.orelse))
    if isinstance(stmt, ir.For):
        return (("body", stmt.body),)
    assert isinstance(stmt, ir.While)
    return (("test", stmt.test), ("body", stmt.body))


def walk(stmts: Iterable[Stmt]) -> Iterator[Stmt]:
    """Every statement, an outer one before those inside it."""
    for stmt in stmts:
        yield stmt
        if type(stmt) in _WITH_BLOCKS:
            for _, block in blocks(stmt):
                yield from walk(block)


def rebuild(
    stmt: Stmt,
    atom: AtomMap,
    bind: Callable[[Var], Var],
    block: Callable[[tuple[Stmt, ...]], tuple[Stmt, ...]],
) -> Stmt:
    """The statement with its uses, its bindings and its blocks mapped, bindings before the blocks that see them."""

    def ref(var: Var) -> Var:
        new = atom(var)
        assert isinstance(new, Var)
        return new

    match stmt:
        case ir.Let():
            args = tuple(map(atom, stmt.args))
            return replace(stmt, args=args, targets=tuple(map(bind, stmt.targets)))
        case ir.Load():
            return replace(stmt, ref=ref(stmt.ref), index=map_index(stmt.index, atom), target=bind(stmt.target))
        case ir.Store() | ir.Accumulate():
            return replace(stmt, ref=ref(stmt.ref), index=map_index(stmt.index, atom), value=atom(stmt.value))
        case ir.Alloc():
            shape = tuple(None if n is None else atom(n) for n in stmt.shape)
            init = stmt.init if isinstance(stmt.init, str) else atom(stmt.init)
            return replace(stmt, shape=shape, init=init, target=bind(stmt.target))
        case ir.View():
            return replace(stmt, base=ref(stmt.base), how=map_how(stmt.how, atom), target=bind(stmt.target))
        case ir.NewList():
            return replace(stmt, like=ref(stmt.like), target=bind(stmt.target))
        case ir.Append():
            return replace(stmt, refs=ref(stmt.refs), ref=ref(stmt.ref), pos=bind(stmt.pos))
        case ir.RefAt():
            return replace(stmt, refs=ref(stmt.refs), pos=atom(stmt.pos), target=bind(stmt.target))
        case ir.Call() | ir.Custom():
            args = tuple(map(atom, stmt.args))
            return replace(stmt, args=args, targets=tuple(map(bind, stmt.targets)))
        case ir.Effect():
            return replace(stmt, args=tuple(map(atom, stmt.args)))
        case ir.Check():
            return replace(stmt, left=_map_measure(stmt.left, atom), right=_map_measure(stmt.right, atom))
        case ir.Remark():
            return stmt
        case ir.For():
            bounds = atom(stmt.start), atom(stmt.stop), atom(stmt.step)
            heads = [(bind(c.inner), atom(c.init)) for c in stmt.carry]
            index, body = bind(stmt.index), block(stmt.body)
            carry, end = _leave(stmt, heads, atom, bind)
            start, stop, step = bounds
            return replace(stmt, index=index, start=start, stop=stop, step=step, body=body, carry=carry, exit=end)
        case ir.While():
            heads = [(bind(c.inner), atom(c.init)) for c in stmt.carry]
            test = block(stmt.test)
            cond, body = atom(stmt.cond), block(stmt.body)
            carry, end = _leave(stmt, heads, atom, bind)
            return replace(stmt, test=test, cond=cond, body=body, carry=carry, exit=end)
        case ir.If():
            cond, then, orelse = atom(stmt.cond), block(stmt.then), block(stmt.orelse)
            outs = tuple(ir.Out(bind(o.target), atom(o.then), atom(o.orelse)) for o in stmt.outs)
            return replace(stmt, cond=cond, then=then, orelse=orelse, outs=outs)
    raise TypeError(type(stmt).__name__)


def _leave(
    loop: ir.For | ir.While, heads: list[tuple[Var, Atom]], atom: AtomMap, bind: Callable[[Var], Var]
) -> tuple[tuple[ir.Carry, ...], Atom | None]:
    """The carry and the exit of a rebuilt loop, whose body is mapped already."""
    tails = [(atom(c.next), bind(c.out)) for c in loop.carry]
    carry = tuple(ir.Carry(*head, *tail) for head, tail in zip(heads, tails, strict=True))
    return carry, None if loop.exit is None else atom(loop.exit)


def substitute(stmts: Iterable[Stmt], env: Mapping[Var, Atom]) -> tuple[Stmt, ...]:
    """The statements with variables replaced where they are used; bindings stay as they are."""

    def atom(a: Atom) -> Atom:
        return env.get(a, a) if isinstance(a, Var) else a

    def block(inner: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        return tuple(rebuild(stmt, atom, lambda v: v, block) for stmt in inner)

    return block(tuple(stmts))


def instantiate(fun: Fun, args: Iterable[Atom]) -> tuple[tuple[Stmt, ...], tuple[Atom, ...]]:
    """A copy of the body with fresh variables, and its results, for these arguments: what inlining puts in place."""
    env: dict[Var, Atom] = dict(zip(fun.params, args, strict=True))

    def atom(a: Atom) -> Atom:
        return env[a] if isinstance(a, Var) else a

    def bind(var: Var) -> Var:
        fresh = Var(var.name, var.type)
        env[var] = fresh
        return fresh

    def block(stmts: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        return tuple(rebuild(stmt, atom, bind, block) for stmt in stmts)

    body = block(fun.body)
    return body, tuple(map(atom, fun.results))
