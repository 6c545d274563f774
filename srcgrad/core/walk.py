"""Going over programs: what a statement uses, defines and contains; rebuilding it; copies with other variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from operator import is_
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from srcgrad.core import ir
from srcgrad.core.effect_statements import map_part, map_parts, part_atoms
from srcgrad.core.ir import Atom, Fun, Stmt, Var

AtomMap = Callable[[Atom], Atom]
BindMap = Callable[[Var], Var]
BlockMap = Callable[[tuple[Stmt, ...]], tuple[Stmt, ...]]
_T = TypeVar("_T")
_S = TypeVar("_S", bound=Stmt)
WITH_BLOCKS = frozenset({ir.For, ir.While, ir.If})
_ONE_TARGET = frozenset({ir.Load, ir.Alloc, ir.View, ir.NewList, ir.RefAt, ir.Draw})
_TARGETS = frozenset({ir.Let, ir.Call, ir.Custom})


def index_atoms(index: ir.Index) -> Iterator[Atom]:
    for item in index:
        if isinstance(item, ir.Slice):
            yield from (part for part in (item.start, item.stop, item.step) if part is not None)
        else:
            yield item


def kept(old: tuple[_T, ...], new: Iterable[_T]) -> tuple[_T, ...]:
    """The new items; the old tuple itself where they are the very same objects."""
    made = tuple(new)
    return old if len(made) == len(old) and all(map(is_, made, old)) else made


def changed(stmt: _S, **parts: Any) -> _S:
    """The statement with some of its parts replaced; itself where they are the very same objects."""
    for name, part in parts.items():
        if getattr(stmt, name) is not part:
            return replace(stmt, **parts)
    return stmt


def map_index(index: ir.Index, f: AtomMap) -> ir.Index:
    """The index with its atoms mapped; the same object if none changes."""
    return kept(index, (_map_slice(item, f) if isinstance(item, ir.Slice) else f(item) for item in index))


def _map_slice(item: ir.Slice, f: AtomMap) -> ir.Slice:
    start = item.start and f(item.start)
    stop = item.stop and f(item.stop)
    step = item.step and f(item.step)
    if start is item.start and stop is item.stop and step is item.step:
        return item
    return ir.Slice(start, stop, step)


def how_atoms(how: ir.Index | ir.Transpose | ir.Reshape) -> Iterator[Atom]:
    if isinstance(how, ir.Transpose):
        return
    yield from how.shape if isinstance(how, ir.Reshape) else index_atoms(how)


def map_how(how: ir.Index | ir.Transpose | ir.Reshape, f: AtomMap) -> ir.Index | ir.Transpose | ir.Reshape:
    if isinstance(how, ir.Transpose):
        return how
    if not isinstance(how, ir.Reshape):
        return map_index(how, f)
    shape = kept(how.shape, map(f, how.shape))
    return how if shape is how.shape else ir.Reshape(shape)


def used(stmt: Stmt) -> Iterable[Atom]:
    """The atoms that the statement itself reads in its own region (an inner block's uses are not among them).

    Of a loop: start, stop, step and the inits. Its nexts, cond and exit are read inside: see `used_inside`.
    """
    return stmt.args if isinstance(stmt, ir.Let) else _USED.get(type(stmt), _other)(stmt)


def _other(stmt: Stmt) -> tuple[Atom, ...]:
    return stmt.atoms() if isinstance(stmt, ir.Passing) else ()


def _used_assert(stmt: ir.Assert) -> tuple[Atom, ...]:
    return (stmt.cond, *part_atoms(() if stmt.message is None else (stmt.message,)))


def _used_alloc(stmt: ir.Alloc) -> tuple[Atom, ...]:
    shape = tuple(n for n in stmt.shape if n is not None)
    return shape if isinstance(stmt.init, ir.Init) else (*shape, stmt.init)


def _inits(stmt: ir.For | ir.While) -> tuple[Atom, ...]:
    return tuple(c.init for c in stmt.carry)


_USED: dict[type[Stmt], Callable[..., tuple[Atom, ...]]] = {
    ir.Let: lambda s: s.args,
    ir.Call: lambda s: s.args,
    ir.Custom: lambda s: s.args,
    ir.Raise: lambda s: (*part_atoms(s.parts),),
    ir.Assert: _used_assert,
    ir.Print: lambda s: (*part_atoms(s.parts),),
    ir.Seed: lambda s: (s.value,),
    ir.Draw: lambda s: s.args,
    ir.Load: lambda s: (s.ref, *index_atoms(s.index)),
    ir.Store: lambda s: (s.ref, *index_atoms(s.index), s.value),
    ir.Accumulate: lambda s: (s.ref, *index_atoms(s.index), s.value),
    ir.Alloc: _used_alloc,
    ir.View: lambda s: (s.base, *how_atoms(s.how)),
    ir.NewList: lambda s: (s.like,),
    ir.Append: lambda s: (s.refs, s.ref),
    ir.RefAt: lambda s: (s.refs, s.pos),
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
    if kind in _TARGETS:  # most
        return stmt.targets  # type: ignore[attr-defined, no-any-return]
    if kind in _ONE_TARGET:
        return (stmt.target,)  # type: ignore[attr-defined]
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
    if kind not in WITH_BLOCKS:
        return ()
    if isinstance(stmt, ir.If):
        return (("then", stmt.then), ("orelse", stmt.orelse))
    if isinstance(stmt, ir.For):
        return (("body", stmt.body),)
    assert isinstance(stmt, ir.While)
    return (("test", stmt.test), ("body", stmt.body))


def walk(stmts: Iterable[Stmt]) -> Iterator[Stmt]:
    """Every statement, an outer one before those inside it."""
    open_ = [iter(stmts)]
    while open_:
        for stmt in open_[-1]:
            yield stmt
            if type(stmt) in WITH_BLOCKS:
                open_.extend(iter(block) for _, block in reversed(blocks(stmt)))
                break
        else:
            open_.pop()


_KINDS: WeakKeyDictionary[Fun, frozenset[type[Stmt]]] = WeakKeyDictionary()


def kinds(fun: Fun) -> frozenset[type[Stmt]]:
    """The classes of a function's statements, found once: a pass over statements that there are not need not begin."""
    found = _KINDS.get(fun)
    if found is None:
        found = _KINDS[fun] = frozenset(map(type, walk(fun.body)))
    return found


def rebuild(stmt: Stmt, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    """The statement with its uses, its bindings and its blocks mapped, bindings before the blocks that see them; itself
    where nothing changes."""
    if isinstance(stmt, ir.Passing):
        return stmt.mapped(atom)
    return _REBUILD[type(stmt)](stmt, atom, bind, block)


def _itself(stmt: Stmt, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    return stmt


def _ref(atom: AtomMap, var: Var) -> Var:
    new = atom(var)
    assert isinstance(new, Var)
    return new


def _rebuild_let(stmt: ir.Let, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    args, targets = kept(stmt.args, map(atom, stmt.args)), kept(stmt.targets, map(bind, stmt.targets))
    if args is stmt.args and targets is stmt.targets:  # most statements: `changed` takes longer
        return stmt
    return ir.Let(targets, stmt.op, args, stmt.params, span=stmt.span)


def _rebuild_load(stmt: ir.Load, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    ref, index = _ref(atom, stmt.ref), map_index(stmt.index, atom)
    return changed(stmt, ref=ref, index=index, target=bind(stmt.target))


def _rebuild_write(stmt: ir.Store | ir.Accumulate, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    return changed(stmt, ref=_ref(atom, stmt.ref), index=map_index(stmt.index, atom), value=atom(stmt.value))


def _rebuild_alloc(stmt: ir.Alloc, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    shape = kept(stmt.shape, (None if n is None else atom(n) for n in stmt.shape))
    init = stmt.init if isinstance(stmt.init, ir.Init) else atom(stmt.init)
    return changed(stmt, shape=shape, init=init, target=bind(stmt.target))


def _rebuild_view(stmt: ir.View, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    return changed(stmt, base=_ref(atom, stmt.base), how=map_how(stmt.how, atom), target=bind(stmt.target))


def _rebuild_list(stmt: Stmt, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    match stmt:
        case ir.NewList():
            return changed(stmt, like=_ref(atom, stmt.like), target=bind(stmt.target))
        case ir.Append():
            return changed(stmt, refs=_ref(atom, stmt.refs), ref=_ref(atom, stmt.ref), pos=bind(stmt.pos))
    assert isinstance(stmt, ir.RefAt)
    return changed(stmt, refs=_ref(atom, stmt.refs), pos=atom(stmt.pos), target=bind(stmt.target))


def _rebuild_call(stmt: ir.Call | ir.Custom, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    args = kept(stmt.args, map(atom, stmt.args))
    return changed(stmt, args=args, targets=kept(stmt.targets, map(bind, stmt.targets)))


def _rebuild_said(stmt: ir.Raise | ir.Print, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    return changed(stmt, parts=map_parts(stmt.parts, atom))


def _rebuild_assert(stmt: ir.Assert, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    message = None if stmt.message is None else map_part(stmt.message, atom)
    return changed(stmt, cond=atom(stmt.cond), message=message)


def _rebuild_seed(stmt: ir.Seed, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    return changed(stmt, value=atom(stmt.value))


def _rebuild_draw(stmt: ir.Draw, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    return changed(stmt, args=kept(stmt.args, map(atom, stmt.args)), target=bind(stmt.target))


def _rebuild_for(stmt: ir.For, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    start, stop, step = atom(stmt.start), atom(stmt.stop), atom(stmt.step)
    heads = [(bind(c.inner), atom(c.init)) for c in stmt.carry]
    index, body = bind(stmt.index), block(stmt.body)
    carry, end = _leave(stmt, heads, atom, bind)
    return changed(stmt, index=index, start=start, stop=stop, step=step, body=body, carry=carry, exit=end)


def _rebuild_while(stmt: ir.While, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    heads = [(bind(c.inner), atom(c.init)) for c in stmt.carry]
    test = block(stmt.test)
    cond, body = atom(stmt.cond), block(stmt.body)
    carry, end = _leave(stmt, heads, atom, bind)
    return changed(stmt, test=test, cond=cond, body=body, carry=carry, exit=end)


def _rebuild_if(stmt: ir.If, atom: AtomMap, bind: BindMap, block: BlockMap) -> Stmt:
    cond, then, orelse = atom(stmt.cond), block(stmt.then), block(stmt.orelse)
    outs = kept(stmt.outs, (_map_out(out, atom, bind) for out in stmt.outs))
    return changed(stmt, cond=cond, then=then, orelse=orelse, outs=outs)


def _map_out(out: ir.Out, atom: AtomMap, bind: BindMap) -> ir.Out:
    target, then, orelse = bind(out.target), atom(out.then), atom(out.orelse)
    return out if target is out.target and then is out.then and orelse is out.orelse else ir.Out(target, then, orelse)


_REBUILD: dict[type[Stmt], Callable[[Any, AtomMap, BindMap, BlockMap], Stmt]] = {
    ir.Let: _rebuild_let,
    ir.Load: _rebuild_load,
    ir.Store: _rebuild_write,
    ir.Accumulate: _rebuild_write,
    ir.Alloc: _rebuild_alloc,
    ir.View: _rebuild_view,
    ir.NewList: _rebuild_list,
    ir.Append: _rebuild_list,
    ir.RefAt: _rebuild_list,
    ir.Call: _rebuild_call,
    ir.Custom: _rebuild_call,
    ir.Raise: _rebuild_said,
    ir.Assert: _rebuild_assert,
    ir.Print: _rebuild_said,
    ir.Seed: _rebuild_seed,
    ir.Return: _itself,
    ir.Draw: _rebuild_draw,
    ir.Remark: _itself,
    ir.Barrier: _itself,
    ir.For: _rebuild_for,
    ir.While: _rebuild_while,
    ir.If: _rebuild_if,
}


def _leave(
    loop: ir.For | ir.While, heads: list[tuple[Var, Atom]], atom: AtomMap, bind: BindMap
) -> tuple[tuple[ir.Carry, ...], Atom | None]:
    """The carry and the exit of a rebuilt loop, whose body is mapped already."""
    carry = kept(
        loop.carry, (_carried(c, *head, atom(c.next), bind(c.out)) for c, head in zip(loop.carry, heads, strict=True))
    )
    return carry, None if loop.exit is None else atom(loop.exit)


def _carried(old: ir.Carry, inner: Var, init: Atom, next: Atom, out: Var) -> ir.Carry:
    if inner is old.inner and init is old.init and next is old.next and out is old.out:
        return old
    return ir.Carry(inner, init, next, out)


def substitute(stmts: Iterable[Stmt], env: Mapping[Var, Atom]) -> tuple[Stmt, ...]:
    """The statements with variables replaced where they are used; bindings stay as they are."""

    def atom(a: Atom) -> Atom:
        return env.get(a, a) if isinstance(a, Var) else a

    def block(inner: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        return kept(inner, (rebuild(stmt, atom, lambda v: v, block) for stmt in inner))

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
