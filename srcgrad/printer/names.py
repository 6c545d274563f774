"""The spelling of variables: the user's names, made unique with `_2`, `_3`, and shared where nothing interferes."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count

from srcgrad.core import ir
from srcgrad.core.ir import Fun, Stmt, Type, Var
from srcgrad.core.walk import defined, defined_inside, used_inside, walk
from srcgrad.core.walk import used as used_by
from srcgrad.printer.coalesce import Classes

MODULES = {"np", "math", "random", "njit", "numba", "prange", "cuda"}
RESERVED = frozenset({*dir(builtins), *keyword.kwlist, *keyword.softkwlist, *MODULES}) - {"_"}
ANONYMOUS = "t"
UNNAMED, COUNTER = "_", "it"  # the index of a loop that only counts, and what it is called where adjoints need it
Kind = tuple[Type, bool, Stmt | None]


def spelled(name: str) -> str:
    """A wish for a name as an identifier."""
    text = "".join(c if f"a{c}".isidentifier() else "_" for c in unicodedata.normalize("NFKC", name)).strip("_")
    return text if text.isidentifier() else f"{ANONYMOUS}_{text}" if text else ANONYMOUS


def name_variables(
    fun: Fun, classes: Classes, defs: Mapping[Var, Stmt], taken: Collection[str], apart: bool = False
) -> Mapping[Var, str]:
    """A name for every variable that is printed. `taken`: of functions and helpers of the module; apart: no name is
    another's with `_2`, as beside parallel loops."""
    namer = _Namer(classes, RESERVED.union(taken), _homes(fun), apart)
    for param in fun.params:
        namer.name(classes.find(param), namer.plain(spelled(param.name)))
    wishes = _wishes(fun, classes, defs)
    # the user's names first, an index `t` among them: temporaries take what is left
    for root in sorted(wishes, key=lambda r: wishes[r] == ANONYMOUS and r not in classes.alone):
        if root not in namer.chosen:
            wish = wishes[root] if wishes[root] == UNNAMED else namer.plain(wishes[root])
            namer.name(root, "value" if wish in taken else wish)
    return {v: namer.chosen[classes.find(v)] for v in classes.order}


def _wishes(fun: Fun, classes: Classes, defs: Mapping[Var, Stmt]) -> dict[Var, str]:
    """What each class of variables, by its root, wants to be called."""
    used = {a for s in walk(fun.body) for a in (*used_by(s), *used_inside(s))}
    out: dict[Var, str] = {}
    for var in classes.order:
        root = classes.find(var)
        if root in out:
            continue
        if root in classes.alone and root.name == UNNAMED:
            out[root] = COUNTER if root in used else UNNAMED
        else:
            out[root] = _wish([_element(v, defs.get(v)) for v in classes.group(root)])
    return out


def _element(var: Var, stmt: Stmt | None) -> str:
    """What a variable wants to be called: `x_i` is x[i]."""
    if isinstance(stmt, ir.Load) and not var.type.rank and var.name == stmt.ref.name:
        return spelled(element_name(var.name, stmt.index))
    return spelled(var.name)


def element_name(name: str, index: ir.Index) -> str:
    """What the element at a place of an array is called; an index that has no name to speak of is left out."""
    places = [i.name if isinstance(i, Var) else str(getattr(i, "value", "")) for i in index]
    shown = [p for p in places if p != "_"]
    if not shown or not all(p.isalnum() for p in shown):
        return name
    return f"{name}_{('_' if any(len(p) > 1 for p in shown) else '').join(shown)}"


def _wish(wishes: list[str]) -> str:
    """What most of the joined variables want to be called; a temporary's name only if all are temporaries."""
    named = [w for w in wishes if w != ANONYMOUS] or wishes
    return max(named, key=named.count)


class _Namer:
    """homes: the parallel loop in whose body each variable is bound; a name stands for things of one home only.

    Beside parallel loops no name is another's with a number: Numba calls the second value of `x` there `x_2`.
    """

    def __init__(self, classes: Classes, taken: frozenset[str], homes: Mapping[Var, Stmt], apart: bool) -> None:
        self.classes, self.taken, self.homes = classes, taken, homes
        self.apart = apart or bool(homes)
        self.chosen: dict[Var, str] = {}
        self.holders: dict[str, _Holder] = {}
        self.tried: dict[str, list[tuple[str, _Holder]]] = {}  # of each wish, the candidates in order

    def name(self, root: Var, wish: str) -> None:
        """The first of wish, wish_2, ... that nobody has who interferes, or is of another kind."""
        kind, edges, members = self.kind(root), self.classes.edges.get(root, 0), self.classes.sets.get(root, 0)
        tried = self.tried.setdefault(wish, [])
        fit = (
            (name, holder)
            for name, holder in chain(tried, self.more(wish, kind, tried))
            if not (edges & holder.members or holder.edges & members) and holder.kind == kind
        )
        self.chosen[root], holder = next(fit)
        holder.members |= members
        holder.edges |= edges

    def more(self, wish: str, kind: Kind, tried: list[tuple[str, _Holder]]) -> Iterator[tuple[str, _Holder]]:
        """Candidates that nobody has asked for under this wish. Each is new, so that one that nobody has comes."""
        link = "" if self.apart else "_"
        for k in count(len(tried) + 1):
            name = wish if k == 1 else f"{wish}{link}{k}"
            if name not in self.taken:
                tried.append((name, self.holders.setdefault(name, _Holder(kind))))
                yield tried[-1]
            else:
                tried.append((name, _TAKEN))

    def plain(self, wish: str) -> str:
        """apart: a wish with no underscore in front of a digit, or at its end. Then no number behind it makes it
        another name's with `_2`, and the numbers go on until one is free: only what is there already can bar one."""
        return re.sub(r"_+(?=\d|$)", "", wish) if self.apart else wish

    def home(self, root: Var) -> Stmt | None:
        homes = {self.homes.get(v) for v in self.classes.group(root)}
        return homes.pop() if len(homes) == 1 else None

    def kind(self, root: Var) -> Kind:
        """An index of a loop shares its name with other indices only."""
        return root.type, root in self.classes.alone, self.home(root) if self.homes else None


@dataclass(slots=True)
class _Holder:
    """What has a name: of what kind, which variables, and what is alive where one of them is defined."""

    kind: Kind | None
    members: int = 0
    edges: int = 0


_TAKEN = _Holder(None)


def _numbered(name: str, other: str) -> bool:
    return other.startswith(name) and re.fullmatch(r"_[0-9]+", other.removeprefix(name)) is not None


def mistakable(function: ast.stmt, names: Mapping[Var, str]) -> bool:
    """Whether a statement on arrays reads `x` and `x_2`, where x is bound more than once. Numba calls the values of x
    `x`, `x.1`, `x.2`, and writes `_` for the point in array expressions: it would refuse that two have one name."""
    ranks = {name: var.type.rank for var, name in names.items() if var.type.rank}
    nodes = list(ast.walk(function))
    bound = Counter(n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    bound.update(n.arg for n in nodes if isinstance(n, ast.arg))
    used = {n.id for n in nodes if isinstance(n, ast.Name)}
    pairs = [(x, y) for x, count in bound.items() if count > 1 for y in used if _numbered(x, y)]
    if not pairs:
        return False
    for stmt in (n for n in nodes if isinstance(n, (ast.Assign, ast.AugAssign, ast.Expr, ast.Return))):
        used = {n.id for n in ast.walk(stmt) if isinstance(n, ast.Name)}
        if any(x in used and y in used for x, y in pairs) and _on_arrays(stmt, ranks):
            return True
    return False


def _on_arrays(stmt: ast.stmt, ranks: Mapping[str, int]) -> bool:
    """Whether it uses an array otherwise than for an element or for its lengths."""
    parts = {id(n.value) for n in ast.walk(stmt) if isinstance(n, ast.Attribute) and n.attr in ("shape", "size")}
    for n in ast.walk(stmt):
        if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name):
            items = n.slice.elts if isinstance(n.slice, ast.Tuple) else [n.slice]
            if len(items) == ranks.get(n.value.id) and not any(isinstance(i, ast.Slice) for i in items):
                parts.add(id(n.value))
    return any(isinstance(n, ast.Name) and n.id in ranks and id(n) not in parts for n in ast.walk(stmt))


def _homes(fun: Fun) -> dict[Var, Stmt]:
    """The parallel loop in whose body a variable is bound."""
    out: dict[Var, Stmt] = {}
    for loop in (s for s in walk(fun.body) if isinstance(s, ir.For) and s.parallel):
        out[loop.index] = loop
        out |= {v: loop for s in walk(loop.body) for v in (*defined(s), *defined_inside(s))}
    return out
