"""Inverses, determinants and solutions of linear systems of few equations, written out: Gauss's elimination in scalars.

The rows change places as in LAPACK: the largest entry of a column comes to the pivot's place, the first of equal ones.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

from srcgrad.core import ir
from srcgrad.core.build import const, scalar_of
from srcgrad.core.ir import Atom, Const
from srcgrad.schedule.cpu_expansions import Made, lying
from srcgrad.schedule.elements import Elements, Operand, Writer

LARGEST = 4  # rows; a call of a kernel takes 1.5 to 15 times as long, and is not compiled faster
MOST_STEPS = 512  # of elimination, in all systems of a function that are written out
SYSTEMS: dict[str, Made] = {}
Row = list[Atom]


def small_system(name: str) -> Callable[[Made], Made]:
    def enter(function: Made) -> Made:
        SYSTEMS[name] = function
        return function

    return enter


class SmallSystems:
    """Which systems of a function are written out: those of few equations, while there are few of them. never: names of
    operations that stay calls."""

    def __init__(self, never: Container[str]) -> None:
        self.never, self.steps = never, 0

    def written_out(self, name: str, args: Sequence[Operand]) -> Made | None:
        """What writes out this operation; None for a call."""
        made = SYSTEMS.get(name)
        if made is None or name in self.never or not _fits(args) or self.steps + _steps(args) > MOST_STEPS:
            return None
        self.steps += _steps(args)
        return made


def _fits(args: Sequence[Operand]) -> bool:
    """Whether a real matrix is small and square, and what stands on the right as long as that."""
    first = args[0]
    arrays = [a for a in args if isinstance(a, Elements)]
    if not isinstance(first, Elements) or first.dtype[0] != "f" or any(a.dtype != first.dtype for a in arrays):
        return False
    known = [n for a in arrays for n in a.dims]
    if not all(isinstance(n, Const) for n in known) or first.dims[0] != first.dims[1]:
        return False
    heights = [a.dims[0] for a in arrays[1:]]
    return 0 < _size(first) <= LARGEST and all(h == first.dims[0] for h in heights) and _columns(args) <= _size(first)


def _steps(args: Sequence[Operand]) -> int:
    """About how many steps elimination takes."""
    assert isinstance(args[0], Elements)
    return _size(args[0]) ** 2 * (_size(args[0]) + _columns(args))


def _columns(args: Sequence[Operand]) -> int:
    return sum(_length(a.dims[-1]) for a in args[1:] if isinstance(a, Elements) and a.rank == 2)


def _size(matrix: Elements) -> int:
    return _length(matrix.dims[0])


def _length(n: Atom) -> int:
    assert isinstance(n, Const)
    return int(n.value.real)


def _rows(value: Elements, turned: bool = False) -> list[Row]:
    """The elements of a matrix, or those of a vector, one a row."""
    if value.rank == 1:
        return [[value.at((const(i),))] for i in range(_size(value))]
    columns = range(_length(value.dims[1]))
    rows = [[value.at((const(i), const(j))) for j in columns] for i in range(_size(value))]
    return [list(row) for row in zip(*rows, strict=True)] if turned else rows


def _in_memory(writer: Writer, stmt: ir.Let, dims: Sequence[Atom], rows: Sequence[Row]) -> Elements:
    ref = writer.builder.alloc(stmt.target.type.dtype, dims, ir.Init.EMPTY, stmt.target.name)
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            writer.builder.store(ref, (const(i), const(j))[: len(dims)], value)
    return lying(writer, ref, dims)


def _eliminated(writer: Writer, u: list[Row], x: list[Row], singular: bool) -> Atom:
    """Make u triangular and x what it is then; gives what the determinant's sign is multiplied by.

    singular: whether to raise where a pivot is 0; else its column, which is 0, stays as it is.
    """
    size, kind = len(u), scalar_of(u[0][0].type)
    sign: Atom = Const(1.0, kind)
    for k in range(size):
        for i in range(k + 1, size):
            larger = writer.op("greater", _abs(writer, u[i][k]), _abs(writer, u[k][k]))
            for rows, first in ((u, k), (x, 0)):
                pairs = zip(rows[k][first:], rows[i][first:], strict=True)
                chosen = [(writer.op("where", larger, b, a), writer.op("where", larger, a, b)) for a, b in pairs]
                rows[k][first:], rows[i][first:] = [c[0] for c in chosen], [c[1] for c in chosen]
            if not singular:
                sign = writer.op("where", larger, writer.op("negative", sign), sign)
        zero = writer.op("equal", u[k][k], Const(0.0, kind)) if singular or k < size - 1 else None
        if singular and zero is not None:
            raised = ir.Raise("numpy.linalg", "LinAlgError", ("Singular matrix",), span=writer.builder.span)
            writer.builder.put(ir.If(zero, (raised,), (), span=writer.builder.span))
        for i in range(k + 1, size):
            factor = writer.op("divide", u[i][k], u[k][k])
            if not singular and zero is not None:
                factor = writer.op("where", zero, Const(0.0, kind), factor)
            for rows, first in ((u, k + 1), (x, 0)):
                for j in range(first, len(rows[i])):
                    rows[i][j] = writer.op("subtract", rows[i][j], writer.op("multiply", factor, rows[k][j]))
    return sign


def _abs(writer: Writer, value: Atom) -> Atom:
    return writer.op("absolute", value)


def _back(writer: Writer, u: list[Row], x: list[Row]) -> None:
    for i in range(len(u) - 1, -1, -1):
        for c in range(len(x[i])):
            value = x[i][c]
            for j in range(i + 1, len(u)):
                value = writer.op("subtract", value, writer.op("multiply", u[i][j], x[j][c]))
            x[i][c] = writer.op("divide", value, u[i][i])


@small_system("solve")
def _solve(writer: Writer, stmt: ir.Let, args: Sequence[Operand]) -> Operand:
    a, b = args
    assert isinstance(a, Elements) and isinstance(b, Elements)
    u, x = _rows(a, stmt.params["transposed"]), _rows(b)
    _eliminated(writer, u, x, True)
    _back(writer, u, x)
    return _in_memory(writer, stmt, b.dims, x)


@small_system("inv")
def _inv(writer: Writer, stmt: ir.Let, args: Sequence[Operand]) -> Operand:
    (a,) = args
    assert isinstance(a, Elements)
    u, kind, size = _rows(a), ir.Type(a.dtype), range(_size(a))
    x: list[Row] = [[Const(float(i == j), kind) for j in size] for i in size]
    _eliminated(writer, u, x, True)
    _back(writer, u, x)
    return _in_memory(writer, stmt, a.dims, x)


@small_system("det")
def _det(writer: Writer, stmt: ir.Let, args: Sequence[Operand]) -> Operand:
    (a,) = args
    assert isinstance(a, Elements)
    u = _rows(a)
    value = _eliminated(writer, u, [[] for _ in u], False)
    for k in range(len(u)):
        value = writer.op("multiply", value, u[k][k], called=stmt.target.name)
    return value


@small_system("cofactors")
def _cofactors(writer: Writer, stmt: ir.Let, args: Sequence[Operand]) -> Operand:
    """Determinants of what is left without a row and a column."""
    (a,) = args
    assert isinstance(a, Elements)
    rows, size = _rows(a), range(_size(a))
    made = [
        [_signed(writer, _minor(writer, _without(rows, i, j)), i + j, ir.Type(a.dtype)) for j in size] for i in size
    ]
    return _in_memory(writer, stmt, a.dims, made)


def _without(rows: Sequence[Row], i: int, j: int) -> list[Row]:
    return [[value for c, value in enumerate(row) if c != j] for r, row in enumerate(rows) if r != i]


def _signed(writer: Writer, value: Atom | None, place: int, kind: ir.Type) -> Atom:
    if value is None:
        return Const(1.0, kind)
    return writer.op("negative", value) if place % 2 else value


def _minor(writer: Writer, rows: Sequence[Row]) -> Atom | None:
    """The determinant of at most three rows, by the first row; None for 1."""
    if not rows:
        return None
    total: Atom | None = None
    for j, value in enumerate(rows[0]):
        rest = _minor(writer, _without(rows, 0, j))
        part = value if rest is None else writer.op("multiply", value, rest)
        total = part if total is None else writer.op("subtract" if j % 2 else "add", total, part)
    return total
