"""Every function of a module that is called by others in it is called with the same types everywhere.

Numba compiles a recursive function once for each list of argument types, takes the literal `0`, an integer and arrays
of other layouts for other types, and crashes where it loads code from its cache in which two such versions call one
another. So literals are given a type, and arrays a layout where the calls of a recursive function would differ in it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Fun, Program, Stmt, Var
from srcgrad.core.walk import defined, walk
from srcgrad.printer import templates

# as they come; all contiguous, copied where they are not; all strided, where a copy would be seen
Mode = Literal["plain", "contiguous", "strided"]
TYPED = {"i8": "np.int64", "b1": "np.bool_"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where an array that is given comes from: new and contiguous, or a parameter of the caller's by number.

    moved: it is part of that parameter, contiguous where the parameter is.
    """

    fresh: bool = False
    param: int | None = None
    moved: bool = False


@dataclass(eq=False)
class Site:
    """A call, in this function."""

    fun: Fun
    call: ir.Call
    defs: Mapping[Var, Stmt]


@dataclass(eq=False)
class Overloads:
    """How the arguments of the calls in a program are written."""

    program: Program
    modes: dict[str, list[Mode]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sites = [site for fun in (self.program.main, *self.program.callees.values()) for site in _sites(fun)]
        for name, callee in self.program.callees.items():
            own = [site for site in sites if site.call.callee == name]
            self.modes[name] = [_mode(callee, k, own) for k in range(len(callee.params))]

    def written(self, fun: Fun, call: ir.Call, defs: Mapping[Var, Stmt], atom: Callable[[Atom], ast.expr]) -> ast.expr:
        """The call as Python."""
        args = [self._argument(Site(fun, call, defs), k, atom(arg)) for k, arg in enumerate(call.args)]
        return templates.call(call.callee, *args)

    def _argument(self, site: Site, place: int, tree: ast.expr) -> ast.expr:
        arg, mode = site.call.args[place], self.modes[site.call.callee][place]
        if not arg.type.ref:
            return templates.call(TYPED[arg.type.dtype], tree) if _is_literal(arg, site.defs) else tree
        if mode == "strided":
            return ast.Subscript(tree, ast.Slice(None, None, ast.Constant(1)), ast.Load())
        return tree if mode == "plain" or self._contiguous(site, arg) else templates.call("np.ascontiguousarray", tree)

    def _contiguous(self, site: Site, arg: Atom) -> bool:
        found = _source(arg, site)
        modes = self.modes.get(site.fun.name)
        return found.fresh or (found.param is not None and modes is not None and modes[found.param] == "contiguous")


def _sites(fun: Fun) -> Iterator[Site]:
    defs = {v: s for s in walk(fun.body) for v in defined(s)}
    return (Site(fun, stmt, defs) for stmt in walk(fun.body) if isinstance(stmt, ir.Call))


def _mode(callee: Fun, place: int, sites: Sequence[Site]) -> Mode:
    param = callee.params[place]
    if not param.type.ref or not param.type.rank:
        return "plain"
    inner = [(s, _source(s.call.args[place], s)) for s in sites if s.fun.name == callee.name]
    outer = [s for s in sites if s.fun.name != callee.name]
    if all(found.fresh or found.param == place for _, found in inner):
        if all(_source(s.call.args[place], s).fresh for s in outer):
            return "plain"
    moved = any(found.moved for _, found in inner)
    if all(found.param == place for _, found in inner):
        # A part of an array in Fortran's order has another layout than the whole. Arrays of one axis have no order.
        if not moved or param.type.rank == 1 or all(_source(s.call.args[place], s).fresh for s in outer):
            return "plain"
    return "strided" if any(site.call.shares for site in sites) else "contiguous"


def _source(arg: Atom, site: Site) -> Source:
    stmt = site.defs.get(arg) if isinstance(arg, Var) else None
    if arg in site.fun.params:
        return Source(param=next(k for k, p in enumerate(site.fun.params) if p is arg))
    if isinstance(stmt, ir.Alloc):
        like = _like(stmt, site.defs)
        return Source(fresh=_new_in_order(stmt) and (like is None or _source(like, site).fresh))
    if isinstance(stmt, ir.View) and isinstance(stmt.how, tuple) and _keeps(stmt.how):
        base = _source(stmt.base, site)
        return Source(base.fresh, base.param, moved=True)
    return Source()


def _new_in_order(alloc: ir.Alloc) -> bool:
    return isinstance(alloc.init, ir.Init) or not alloc.init.type.rank


def _like(alloc: ir.Alloc, defs: Mapping[Var, Stmt]) -> Var | None:
    """The array whose lengths new memory of several axes has, and whose order it may have."""
    lengths = [defs.get(n) if isinstance(n, Var) else None for n in alloc.shape]
    measured = {s.args[0] for s in lengths if isinstance(s, ir.Let) and s.op.traits.measures}
    one = next(iter(measured), None)
    return one if len(lengths) > 1 and len(measured) == 1 and isinstance(one, Var) else None


def _keeps(index: ir.Index) -> bool:
    """Whether Numba takes this part of what is contiguous for that, too: integers, a slice without step, whole axes."""
    rest = [item for k, item in enumerate(index) if any(isinstance(i, ir.Slice) for i in index[: k + 1])]
    first = rest[0] if rest else None
    plain = isinstance(first, ir.Slice) and first.step is None
    return plain and all(item == ir.Slice() for item in rest[1:])


def _is_literal(atom: Atom, defs: Mapping[Var, Stmt]) -> bool:
    """Whether Numba may take this integer or bool for a literal."""
    if atom.type.dtype not in TYPED:
        return False
    if isinstance(atom, Const):
        return True
    match defs.get(atom):
        case ir.If() as branch:
            out = next(o for o in branch.outs if o.target is atom)
            return _is_literal(out.then, defs) and _is_literal(out.orelse, defs)
        case ir.For() | ir.While() as loop:
            carry = next((c for c in loop.carry if c.out is atom), None)
            return carry is not None and _is_literal(carry.init, defs) and _is_literal(carry.next, defs)
    return False
