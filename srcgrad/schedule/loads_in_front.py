"""What a long loop reads at places that it does not go over is read once, in front of it.

    for v in range(n):                            p_00, p_01 = p[b, 0], p[b, 1]
        for i in range(2):                        for v in range(n):
            for k in range(2):            ->          out[v, 0] += p_00 * x[v, 0] + p_01 * x[v, 1]
                out[v, i] += p[b, i, k] * x[v, k]     ...

A compiler that does not know that `out` is other memory than `p` reads p again in each iteration, and gives up on the
loop where there is too much that it would have to compare. Short loops inside are written out where that makes
such places of what they read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from srcgrad.core import ir, walk
from srcgrad.core.ir import Const, For, Fun, Stmt, Var
from srcgrad.core.rewrite import Rewriter, Rewritten
from srcgrad.printer.names import ANONYMOUS, element_name
from srcgrad.schedule.dependences import Dependences
from srcgrad.schedule.integers import number
from srcgrad.schedule.unroll import written_out

MOST = 16  # values that a loop keeps
ITERATIONS, STATEMENTS = 16, 96  # of what is written out: iterations of the innermost body, statements in all
_SIMPLE = (ir.Let, ir.Load, ir.Store, ir.Accumulate, ir.Remark, For)


def short_loops_written_out(fun: Fun) -> Fun:
    """The function without the short loops that keep places from being the same in all iterations of a long one."""
    long = [loop for loop in _loops(fun.body) if _holds_short_loops_alone(loop)]
    if not long or fun.facts.kernel is not None:
        return fun
    known = Dependences(fun)
    chosen = {inner for loop in long if _Fixed(loop, known).by_short_loops() for inner in _loops(loop.body)}
    return written_out(fun, frozenset(chosen))


def loads_in_front(fun: Fun) -> Fun:
    """The function with such loads in front of its innermost loops; the same object if there are none."""
    if fun.facts.kernel is not None or not any(map(_is_innermost, _loops(fun.body))):
        return fun
    return _Mover(fun).fun(fun)


def _loops(stmts: Iterable[Stmt]) -> Iterator[For]:
    return (stmt for stmt in walk.walk(stmts) if isinstance(stmt, For))


def _is_innermost(loop: For) -> bool:
    """Whether it is one loop over simple statements, which reads memory and writes into some."""
    inner = list(walk.walk(loop.body))
    if loop.parallel or loop.exit is not None or not all(isinstance(s, _SIMPLE) for s in inner):
        return False
    writes = any(isinstance(s, (ir.Store, ir.Accumulate)) for s in inner)
    return writes and any(isinstance(s, ir.Load) for s in inner) and not any(isinstance(s, For) for s in inner)


def _holds_short_loops_alone(loop: For) -> bool:
    """Whether it goes over a length that is not known, and all loops in it are short."""
    if isinstance(loop.stop, Const) and isinstance(loop.start, Const):
        return False
    inner = list(walk.walk(loop.body))
    if loop.parallel or loop.exit is not None or not all(isinstance(s, _SIMPLE) for s in inner):
        return False
    times, statements = _size(loop.body)
    return 1 < times <= ITERATIONS and statements <= STATEMENTS


def _size(stmts: Iterable[Stmt]) -> tuple[int, int]:
    """How often the innermost body is run, and of how many statements it is then; large if that is not known."""
    times, statements = 1, 0
    for stmt in stmts:
        statements += not isinstance(stmt, ir.Remark)
        if isinstance(stmt, For):
            turns, inner = _turns(stmt), _size(stmt.body)
            times, statements = max(times, turns * inner[0]), statements + turns * inner[1]
    return times, statements


def _turns(loop: For) -> int:
    if loop.exit is not None or loop.parallel or not number(loop.step):
        return ITERATIONS + 1
    if not (isinstance(loop.start, Const) and isinstance(loop.stop, Const)):
        return ITERATIONS + 1
    return len(range(number(loop.start), number(loop.stop), number(loop.step)))


class _Fixed:
    """Loads of a loop at places that it does not go over, in memory that it does not write."""

    def __init__(self, loop: For, known: Dependences) -> None:
        self.loop, self.known = loop, known
        self.touched = known.touched(loop)

    def by_short_loops(self) -> bool:
        """Whether there are such that the indices of short loops stand in the way of, and not too many."""
        lengths = {inner.index: _turns(inner) for inner in _loops(self.loop.body)}
        counts: dict[tuple[Var, ir.Index], int] = {}
        for load in walk.walk(self.loop.body):
            if isinstance(load, ir.Load) and self.holds(load, lengths):
                counts[load.ref, load.index] = _product(lengths[i] for i in load.index if i in lengths)
        return any(n > 1 for n in counts.values()) and sum(counts.values()) <= MOST

    def holds(self, load: ir.Load, free: Iterable[Var] = ()) -> bool:
        """free: indices that are literals once loops are written out."""
        if not load.target.type.is_scalar or self.touched.opaque or load.ref in self.touched.binds:
            return False
        if self.known.classes.of(load.ref) in self.touched.writes:
            return False
        fixed = all(isinstance(i, Const) or (i not in self.touched.binds or i in free) for i in load.index)
        return fixed and self.is_there(load)

    def is_there(self, load: ir.Load) -> bool:
        """Whether the place is one of the memory even where the loop has no iteration."""
        root, place = self.known.place_in_root(load.ref, load.index)
        shape, integers = self.known.integers.shape_of(root), self.known.integers
        if shape is None or len(shape) != len(place):
            return False
        ends = zip(shape, place, strict=True)
        return all(n is not None and p is not None and integers.at_least(integers.of(n) - p, 1) for n, p in ends)


def _product(numbers: Iterable[int]) -> int:
    total = 1
    for n in numbers:
        total *= n
    return total


class _Mover(Rewriter):
    def __init__(self, fun: Fun) -> None:
        super().__init__()
        self.known = Dependences(fun)

    def one(self, stmt: Stmt) -> Rewritten:
        if not isinstance(stmt, For) or not _is_innermost(stmt):
            return self.inside(stmt)
        fixed = _Fixed(stmt, self.known)
        loads = [s for s in stmt.body if isinstance(s, ir.Load) and fixed.holds(s)]
        if not 0 < len(loads) <= MOST:
            return stmt
        names = _names(loads)
        self.env.update(names)
        for load in loads:
            self.put(ir.Load(names[load.target], load.ref, load.index, load.copy, span=load.span))
        left = tuple(s for s in stmt.body if s not in loads)
        return self.inside(walk.changed(stmt, body=left))


def _names(loads: list[ir.Load]) -> dict[Var, Var]:
    """Variables for what is read, called after its place where it has no name of its own."""
    count = Counter(load.target.name for load in loads)
    names = {}
    for load in loads:
        own = load.target.name if count[load.target.name] == 1 else ANONYMOUS
        name = element_name(load.ref.name, load.index) if own == ANONYMOUS else own
        names[load.target] = Var(name, load.target.type)
    return names
