"""A program whose functions that call themselves are pairs of sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from srcgrad.core import ir
from srcgrad.core.build import const
from srcgrad.core.ir import Atom, Fun, Program, Stmt, Var
from srcgrad.core.rewrite import rewrite
from srcgrad.core.walk import instantiate, walk
from srcgrad.transform.program_edits import function, reachable
from srcgrad.transform.sweeps.counting import Counts
from srcgrad.transform.sweeps.in_place import Signatures, add_in_place, is_adjoint
from srcgrad.transform.sweeps.joint import NotPairedError, Tidy, keeping_nothing
from srcgrad.transform.sweeps.on_tape import behind
from srcgrad.transform.sweeps.pairs import (
    Lengths,
    Pair,
    fixed_lengths,
    is_taped,
    tapes_of,
    wanted_by,
    with_adjoints,
    with_tapes,
)
from srcgrad.transform.sweeps.positions import Positions
from srcgrad.transform.taped_calls import TAPED, without_marks

SMALL = 6  # statements that count, which may stand at the head of the function itself


def in_sweeps(program: Program, tidy: Tidy) -> Program:
    """The program with pairs of sweeps, and without marks where there are none; the same object if it has no calls."""
    taped = {s.callee for s in walk(program.main.body) if isinstance(s, ir.Call) and s.callee.endswith(TAPED)}
    if not taped or _refused(program):
        return without_marks(program)
    plain = replace(program, main=keeping_nothing(program.main))
    pairs = _paired(plain, tidy)
    if not pairs:
        return without_marks(program)
    signatures = {name: len(pair.fun.params) for name, pair in pairs.items()}
    dtypes = sorted({d for p in pairs.values() for d in p.dtypes}, key=lambda d: (d != "f8", d))
    backward = {p.backward(dtypes, pairs) for p in pairs.values()}
    lengths = fixed_lengths(pairs, tidy)
    forward = {p.forward(dtypes, lengths) for p in pairs.values()}
    says = any(isinstance(s, ir.Print) for fun in (program.main, *program.callees.values()) for s in walk(fun.body))
    main, counting = _main(
        add_in_place(plain.main, (), signatures), pairs, lengths, dtypes, Counts(pairs, lengths, tidy, says)
    )
    made = {fun.name: fun for fun in (*forward, *backward, *counting)}
    return reachable(without_marks(Program(main, {**program.callees, **made})))


def _refused(program: Program) -> bool:
    """Whether a run that counts first would be seen: it draws other numbers, or raises before something is printed; or
    the memory that may be used is bounded."""
    if program.main.facts.checkpoint is not None:
        return True
    found = [s for fun in (program.main, *program.callees.values()) for s in walk(fun.body)]
    if any(isinstance(s, (ir.Draw, ir.Seed)) for s in found):
        return True
    says = any(isinstance(s, ir.Print) for s in found)
    return says and any(isinstance(s, (ir.Raise, ir.Assert)) for s in found)


def _paired(program: Program, tidy: Tidy) -> dict[str, Pair]:
    """The functions that can be paired, by name, with the adjoints that are wanted of each."""
    funs = _candidates(program)
    signatures = {name: len(fun.params) for name, fun in funs.items()}
    wanted: dict[str, set[int]] = {name: set() for name in signatures}
    while signatures:
        main = add_in_place(program.main, (), signatures)
        for name, place in wanted_by(main.body, main.results, signatures):
            wanted[name].add(place)
        pairs: dict[str, Pair] = {}
        for name in list(signatures):
            try:
                pairs[name] = Pair(funs[name], frozenset(wanted[name]), signatures, tidy)
                if any(called not in program.callees for called in pairs[name].others()):
                    raise NotPairedError
            except NotPairedError:
                del signatures[name]
        if len(pairs) < len(wanted):
            wanted = {name: set() for name in signatures}
            continue
        more = [(name, k) for pair in pairs.values() for name, k in pair.wants() if k not in wanted[name]]
        if not more:
            return pairs
        for name, place in more:
            wanted[name].add(place)
    return {}


def _candidates(program: Program) -> dict[str, Fun]:
    """The functions whose adjoints follow, and those that they call, by name."""
    todo = [n.removesuffix(TAPED) for n in program.callees if n.endswith(TAPED)]
    funs: dict[str, Fun] = {}
    while todo:
        name = todo.pop(0)
        if name not in funs:
            funs[name] = function(program.callees, name)
            todo += [s.callee for s in walk(funs[name].body) if isinstance(s, ir.Call) and s.callee in program.callees]
    return funs


def _main(
    main: Fun, pairs: Mapping[str, Pair], lengths: Lengths, dtypes: Sequence[str], counts: Counts
) -> tuple[Fun, list[Fun]]:
    """The function that makes the tapes, and those that count how long they are."""
    signatures = {name: len(pair.fun.params) for name, pair in pairs.items()}
    positions = Positions(lambda s: is_taped(s, signatures), behind)
    body, end = positions.block(main.body, const(0))
    results = tuple(map(positions.atom, main.results))
    if not dtypes:
        return _finished(replace(main, body=tuple(body), results=results), {}, lengths, pairs), []
    counting = Fun(f"{main.name}_count", main.params, tuple(_unheard(body, signatures)), (end,))
    count, funs = counts.made(counting, positions.joined)
    total, made = _total(count, main.params)
    tapes = tapes_of(dtypes)
    allocs = [ir.Alloc(t, (total,), ir.Init.EMPTY) for t in tapes.values()]
    checks = _checks(body)
    whole = replace(main, body=(*body[:checks], *made, *allocs, *body[checks:]), results=results)
    called = [count] if any(isinstance(s, ir.Call) and s.callee == count.name for s in made) else []
    return _finished(whole, tapes, lengths, pairs), [*funs.values(), *called]


def _checks(body: Sequence[Stmt]) -> int:
    """How many statements in front are checks of what is given, and lengths: they come before anything is counted."""
    last = 0
    for k, stmt in enumerate(body, 1):
        match stmt:
            case ir.If(then=(ir.Raise(),), orelse=()):
                last = k
            case ir.Let(targets=(Var(type=kind),)) if kind.is_scalar:
                pass
            case _:
                break
    return last


def _finished(fun: Fun, tapes: Mapping[str, Var], lengths: Lengths, pairs: Mapping[str, Pair]) -> Fun:
    signatures = {name: len(pair.fun.params) for name, pair in pairs.items()}
    return with_adjoints(with_tapes(fun, tapes, signatures, lengths), tapes, signatures, pairs)


def _unheard(stmts: Sequence[Stmt], signatures: Signatures) -> Sequence[Stmt]:
    """The statements with adjoints that may be left out."""

    def one(stmt: Stmt) -> Stmt:
        return replace(stmt, loud=False) if isinstance(stmt, ir.Call) and is_adjoint(stmt, signatures) else stmt

    return rewrite(Fun("body", (), tuple(stmts), ()), one).body


def _total(count: Fun, params: Sequence[Var]) -> tuple[Atom, tuple[Stmt, ...]]:
    """What a run counts: by statements that stand here, if they are few."""
    if sum(1 for _ in walk(count.body)) <= SMALL and not any(isinstance(s, ir.Effect) for s in walk(count.body)):
        body, (total,) = instantiate(count, params)
        return total, body
    total = Var("total", ir.I8)
    loud = any(isinstance(s, ir.Effect) or (isinstance(s, ir.Call) and s.loud) for s in walk(count.body))
    return total, (ir.Call((total,), count.name, tuple(params), loud=loud),)
