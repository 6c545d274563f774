"""Which single-use values are written inside the expression that uses them, so that lines read as mathematics."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TypeGuard

from srcgrad.core import ir, walk
from srcgrad.core.ir import Atom, Const, Fun, Stmt, Var
from srcgrad.printer import templates
from srcgrad.printer.memory import Memory

LONGEST = 96  # characters of an expression, without its indentation and target
IF_ELSE = 10  # characters of ` if  else `
OFFSETS = 12  # how often `i + 1` is written at most


@lru_cache(maxsize=4096)
def assigned_names(text: str) -> frozenset[str]:
    """The names that a line of the user's assigns."""
    for attempt in (text.strip(), text.strip() + " pass"):
        try:
            tree = ast.parse(attempt)
        except SyntaxError:
            continue
        return frozenset(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return frozenset()


@dataclass(slots=True)
class Pending:
    """A value that may yet be folded into its one use."""

    stmt: Stmt
    at: int
    size: int
    reads: frozenset[Var]  # classes of memory
    leaves: frozenset[Var]
    left: int = 1  # uses that are still to come


class Folds:
    """The statements that are folded away, and what an expression then reads."""

    def __init__(self, fun: Fun) -> None:
        self.memory = Memory(fun)
        self.results = fun.facts.results
        self.inside: dict[Var, Stmt] = {}  # folded into the use of this variable
        self.choices: dict[ir.If, None] = {}  # printed as `a if c else b`
        self.long: set[ir.If] = set()  # found to be too long for that
        self.like: dict[Var, Var] = {}  # memory -> the array whose shape it is made with
        self.defs = {v: s for s in walk.walk(fun.body) for v in walk.defined(s)}
        self.inners = {v for s in walk.walk(fun.body) for v in walk.defined_inside(s)}
        self.indices = {s.index for s in walk.walk(fun.body) if isinstance(s, ir.For)}
        _find_likes(self, fun)
        self.uses = self._count(fun)
        self.breaks: dict[ir.If, bool] = {}  # a loop's last branch, with the condition's value for which it breaks
        for stmt in walk.walk(fun.body):
            if isinstance(stmt, (ir.For, ir.While)):
                self._find_break(stmt)
        self.groups = _Groups(fun)
        _Block(self, fun.body, fun.results, None).go()

    def operands(self, stmt: Stmt) -> Iterator[Atom]:
        """What the statement itself reads where it stands."""
        if isinstance(stmt, ir.Alloc) and stmt.target in self.like:
            yield self.like[stmt.target]
        else:
            yield from walk.used(stmt)
        if isinstance(stmt, ir.If) and stmt in self.choices:
            yield from (stmt.outs[0].then, stmt.outs[0].orelse)

    def leaves(self, atom: Atom) -> frozenset[Var]:
        """The variables that the printed expression of this atom reads."""
        if not isinstance(atom, Var):
            return frozenset()
        stmt = self.inside.get(atom)
        return frozenset((atom,)) if stmt is None else self.reads(stmt)

    def reads(self, stmt: Stmt) -> frozenset[Var]:
        return frozenset().union(*map(self.leaves, self.operands(stmt)))

    def folded(self, stmt: Stmt) -> bool:
        return any(self.inside.get(v) is stmt for v in walk.defined(stmt))

    def dead(self, stmt: Stmt) -> bool:
        """A pure statement that nothing reads."""
        pure = isinstance(stmt, (ir.Let, ir.Load, ir.View, ir.RefAt))
        return pure and not any(self.uses[v] for v in walk.defined(stmt))

    def _find_break(self, loop: ir.For | ir.While) -> None:
        """An exit that is decided by the body's last branch is a `break` on one of its sides."""
        last, leave = loop.body[-1] if loop.body else None, loop.exit
        if not isinstance(last, ir.If) or not isinstance(leave, Var):
            return
        if leave is last.cond:
            self.breaks[last] = True
            self.uses[leave] -= 1
        for out in last.outs:
            if out.target is leave and self.uses[leave] == 1 and isinstance(out.then, Const):
                if isinstance(out.orelse, Const) and bool(out.orelse.value) is not bool(out.then.value):
                    self.breaks[last] = bool(out.then.value)

    def _count(self, fun: Fun) -> Counter[Var]:
        uses: Counter[Var] = Counter()

        def count(atoms: Iterable[Atom], sign: int = 1) -> None:
            for atom in atoms:
                if isinstance(atom, Var):
                    uses[atom] += sign

        count(fun.results)
        stmts = list(walk.walk(fun.body))
        for stmt in stmts:
            count(self.operands(stmt))
            count(walk.used_inside(stmt))
        for stmt in reversed(stmts):  # what only dead statements read is dead
            if isinstance(stmt, (ir.Let, ir.Load, ir.View)) and not any(uses[v] for v in walk.defined(stmt)):
                count(self.operands(stmt), -1)
        return uses


class _Groups:
    """Variables that would like to be one: what a loop carries, what comes out of a branch."""

    def __init__(self, fun: Fun) -> None:
        self._of: dict[Var, Var] = {}
        for stmt in walk.walk(fun.body):
            match stmt:
                case ir.For() | ir.While():
                    for c in stmt.carry:
                        self._join(c.inner, c.init, c.next, c.out)
                case ir.If():
                    for o in stmt.outs:
                        self._join(o.target, o.then, o.orelse)

    def of(self, atom: Atom) -> Var | None:
        if not isinstance(atom, Var) or atom not in self._of:
            return None
        while (up := self._of[atom]) is not atom:
            self._of[atom] = atom = self._of[up]
        return atom

    def _join(self, *atoms: Atom) -> None:
        members = [a for a in atoms if isinstance(a, Var)]
        for m in members:
            self._of.setdefault(m, m)
        root = self.of(members[0])
        assert root is not None
        for m in members[1:]:
            top = self.of(m)
            assert top is not None
            self._of[top] = root


def _find_likes(folds: Folds, fun: Fun) -> None:
    """Memory that has exactly the shape and dtype of one array is made with np.zeros_like."""
    reshaped = {s.base for s in walk.walk(fun.body) if isinstance(s, ir.View) and isinstance(s.how, ir.Reshape)}
    classes = frozenset().union(*map(folds.memory.of, reshaped))
    for stmt in walk.walk(fun.body):
        if not isinstance(stmt, ir.Alloc) or not stmt.shape or stmt.init not in (ir.Init.ZEROS, ir.Init.EMPTY):
            continue
        models = {_dim_of(folds.defs.get(n), k) if isinstance(n, Var) else None for k, n in enumerate(stmt.shape)}
        model = models.pop() if len(models) == 1 else None
        # a transposed model would hand its layout on, and a reshaped view of that would be a copy
        if model is not None and model.type == stmt.target.type and not folds.memory.of(stmt.target) & classes:
            if not folds.memory.grows(model):
                folds.like[stmt.target] = model


def _dim_of(stmt: Stmt | None, axis: int) -> Var | None:
    """The memory whose length along this axis the statement reads."""
    if not isinstance(stmt, ir.Let) or not stmt.op.traits.measures or stmt.params.get("axis") != axis:
        return None
    (of,) = stmt.args
    return of if isinstance(of, Var) and of.type.ref else None


class _Block:
    """One region: goes through its statements once, keeping what may still be folded forward."""

    def __init__(
        self, folds: Folds, stmts: Sequence[Stmt], ends: Sequence[Atom], owner: Stmt | None, force: bool = False
    ) -> None:
        self.folds, self.stmts, self.ends, self.owner, self.force = folds, stmts, ends, owner, force
        self.pending: dict[Var, Pending] = {}
        self.readers: tuple[dict[Var, list[Var]], ...] = ({}, {})  # what was pending, by class of memory and by group
        self.last_read: dict[Var, int] = {}  # group -> the last statement that reads a member

    def go(self) -> None:
        for at, stmt in enumerate(self.stmts):
            if self.folds.dead(stmt):
                continue
            size, reads = self.consume(stmt, at)
            if isinstance(stmt, ir.If) and (inner := self.choice(stmt)) is not None:
                size, reads = size + inner[0], reads | inner[1]
            else:
                self.nested(stmt)
            if _is_name(stmt) and stmt.ref not in self.folds.memory.growing:
                self.folds.inside[stmt.target] = stmt
                continue
            if self.is_offset(stmt):
                self.folds.inside[walk.defined(stmt)[0]] = stmt
                continue
            leaves = self.folds.reads(stmt)
            self.note_reads(stmt, at)
            self.forget(stmt)
            if self.may_fold(stmt):
                (target,) = walk.defined(stmt)
                reads |= self.folds.memory.reads(stmt)
                self.pending[target] = Pending(stmt, at, size, reads, leaves, self.folds.uses[target])
                for readers, read in zip(self.readers, (reads, map(self.folds.groups.of, leaves)), strict=True):
                    for one in {r for r in read if r is not None}:
                        readers.setdefault(one, []).append(target)
        self.finish()

    def is_offset(self, stmt: Stmt) -> bool:
        """Whether it is `i + 1` of a loop's index, which stays what it is in all that follows in the iteration."""
        match stmt:
            case ir.Let((target,), op, (Var() as index, Const())) if op.name in ("add", "subtract"):
                return index in self.folds.indices and self.folds.uses[target] <= OFFSETS
        return False

    # ---- uses

    def consume(self, stmt: Stmt, at: int) -> tuple[int, frozenset[Var]]:
        """Fold what may be folded into the statement; the size of its expression and the memory that its parts read."""
        slots = [a for a in _slots(self.folds, stmt) if isinstance(a, Var) and a in self.pending]
        slots = [a for a in slots if not self.keeps_line(self.pending[a].stmt, stmt)]
        size = _own_size(self.folds, stmt)
        total = size + sum(self.pending[a].size for a in slots)
        while slots and total > LONGEST:
            largest = max(slots, key=lambda a: self.pending[a].size)
            slots = [a for a in slots if a is not largest]
            total = size + sum(self.pending[a].size for a in slots)
        reads: frozenset[Var] = frozenset().union(*(self.pending[a].reads for a in slots))
        for a in slots:
            self.fold(a)
        return total, reads

    def fold(self, var: Var) -> None:
        pending = self.pending[var]
        self.folds.inside[var] = pending.stmt
        pending.left -= 1
        if not pending.left:
            del self.pending[var]

    def drop(self, var: Var) -> None:
        """It keeps its line."""
        del self.pending[var]
        self.folds.inside.pop(var, None)

    def keeps_line(self, stmt: Stmt, user: Stmt | None) -> bool:
        """A name of the user's keeps its line, unless the same line uses it, or memory of that name is its home."""
        (target,) = walk.defined(stmt)
        if isinstance(user, ir.Alloc) and user.init is target and user.target.name == target.name:
            return False
        if self.force or stmt.span is None or target.name not in assigned_names(stmt.span.text):
            return False
        return user is None or user.span is None or user.span.place != stmt.span.place

    # ---- what stands in the way

    def note_reads(self, stmt: Stmt, at: int) -> None:
        read = self.folds.reads(stmt).union(*(self.folds.reads(s) for s in walk.walk((stmt,))))
        for one in walk.walk((stmt,)):
            read = read.union(*map(self.folds.leaves, walk.used_inside(one)))
        for var in read:
            group = self.folds.groups.of(var)
            if group is not None:
                self.last_read[group] = at

    def forget(self, stmt: Stmt) -> None:
        """Drop what must not move past this statement, or would need a copy if it did."""
        compound = bool(walk.blocks(stmt)) and stmt not in self.folds.choices
        if compound or isinstance(stmt, (ir.Effect, ir.Barrier, ir.Call, ir.Custom)):
            for var in list(self.pending):
                self.drop(var)
            return
        groups = map(self.folds.groups.of, walk.defined(stmt))
        for readers, changed in zip(self.readers, (self.folds.memory.writes(stmt), groups), strict=True):
            for var in [v for one in changed if one is not None for v in readers.pop(one, ())]:
                if var in self.pending:
                    self.drop(var)

    def may_fold(self, stmt: Stmt) -> bool:
        match stmt:
            case ir.Let():
                single = len(stmt.targets) == 1
            case ir.Load() | ir.View():
                single = True
            case ir.Call():
                single = len(stmt.targets) == 1 and not stmt.writes
            case ir.If():
                single = stmt in self.folds.choices
            case _:
                single = False
        return single and self.folds.uses[walk.defined(stmt)[0]] <= _repeats(stmt)

    # ---- inner regions and the end

    def nested(self, stmt: Stmt) -> None:
        match stmt:
            case ir.For():
                _Block(self.folds, stmt.body, _ends(stmt, self.folds), stmt).go()
            case ir.While():
                _Block(self.folds, stmt.test, (stmt.cond,), None).go()
                _Block(self.folds, stmt.body, _ends(stmt, self.folds), stmt).go()
            case ir.If():
                _Block(self.folds, stmt.then, [o.then for o in stmt.outs], stmt).go()
                _Block(self.folds, stmt.orelse, [o.orelse for o in stmt.outs], stmt).go()

    def finish(self) -> None:
        """Fold into what the region ends with."""
        for atom in self.ends:
            if atom not in self.pending:
                self.read_at_end(self.folds.leaves(atom))
        waiting = [a for a in self.ends if isinstance(a, Var) and a in self.pending]
        total = 0
        while ready := [a for a in waiting if self.folds_at_end(a) and total + self.pending[a].size <= LONGEST]:
            total += self.pending[ready[0]].size
            self.read_at_end(self.pending[ready[0]].leaves)
            self.fold(ready[0])
            waiting.remove(ready[0])
        for var in list(self.pending):
            self.drop(var)

    def read_at_end(self, leaves: Iterable[Var]) -> None:
        for leaf in leaves:
            if (group := self.folds.groups.of(leaf)) is not None:
                self.last_read[group] = len(self.stmts)

    def folds_at_end(self, atom: Var) -> bool:
        if self.force:
            return True
        if self.owner is None:
            return not self.keeps_line(self.pending[atom].stmt, None)
        return self.must_wait(atom)

    def must_wait(self, atom: Var) -> bool:
        """Whether the value would have to stand beside the one whose name it takes."""
        leave = getattr(self.owner, "exit", None)
        if atom is leave:
            carried = {self.folds.groups.of(c.inner) for c in getattr(self.owner, "carry", ())}
            return not any(self.folds.groups.of(leaf) in carried for leaf in self.pending[atom].leaves)
        group = self.folds.groups.of(atom)
        return group is not None and self.last_read.get(group, -1) > self.pending[atom].at

    def choice(self, stmt: ir.If) -> tuple[int, frozenset[Var]] | None:
        """Make the branch an expression if both sides fold into one: its size, and the memory that it reads."""
        if len(stmt.outs) != 1 or stmt in self.folds.breaks or stmt in self.folds.long or not _is_expression(stmt):
            return None
        if _nested(stmt):
            self.folds.long.add(stmt)
            return None
        out, before = stmt.outs[0], (dict(self.folds.inside), dict(self.folds.choices))
        size, reads = IF_ELSE, frozenset[Var]()
        for block, end in ((stmt.then, out.then), (stmt.orelse, out.orelse)):
            if not self.one_expression(block, end, stmt):
                size = LONGEST + 1
                break
            size += _size(self.folds, end)
            reads = reads.union(*map(self.folds.memory.reads, walk.walk(block)))
        if size > LONGEST:
            self.folds.inside, self.folds.choices = before
            self.folds.long.add(stmt)
            return None
        self.folds.choices[stmt] = None
        return size, reads

    def one_expression(self, block: Sequence[Stmt], end: Atom, owner: ir.If) -> bool:
        """Fold all of the region into what comes out of it, if that can be done."""
        kinds = (ir.Let, ir.Load, ir.If, ir.Remark)
        if any(not isinstance(s, kinds) or (isinstance(s, ir.If) and s in self.folds.long) for s in block):
            return False
        _Block(self.folds, block, (end,), owner, force=True).go()
        return all(isinstance(s, ir.Remark) or self.folds.folded(s) or self.folds.dead(s) for s in block)


def _nested(stmt: ir.If) -> bool:
    """Whether the words `if` and `else` alone make it too long."""
    branches = (s for s in walk.walk((stmt,)) if isinstance(s, ir.If))
    return next(islice(branches, LONGEST // IF_ELSE, None), None) is not None


def _is_name(stmt: Stmt) -> TypeGuard[ir.Load]:
    """The value of a whole array that nothing overwrites meanwhile is written as the array."""
    return isinstance(stmt, ir.Load) and not stmt.copy and bool(stmt.index) and all(i == ir.Slice() for i in stmt.index)


def _repeats(stmt: Stmt) -> int:
    """How often it may be written: an element of an array reads better twice than under a name, `i + 1` always."""
    match stmt:
        case ir.Load(target, _, index) if not target.type.rank and len(index) <= 2:
            return 2
        case ir.Let((target,), op, (Var(), Const())) if target.type == ir.I8 and op.name in ("add", "subtract"):
            return 6
    return 1


def _is_expression(stmt: ir.If) -> bool:
    """`and`, `or` and the ternary are expressions; what the user wrote as a statement stays one."""
    out = stmt.outs[0]
    if stmt.cond.type == ir.B1 == out.target.type and (is_logic(out)):
        return True
    text = stmt.span.text.strip() if stmt.span is not None else "if"
    return out.target.type.is_scalar and not text.startswith(("if", "elif", "while", "for"))


def is_logic(out: ir.Out) -> bool:
    """Whether the branch is what `and` or `or` means."""
    conjunction = isinstance(out.orelse, Const) and not out.orelse.value
    disjunction = isinstance(out.then, Const) and bool(out.then.value)
    return out.target.type == ir.B1 and (conjunction or disjunction)


def _ends(stmt: ir.For | ir.While, folds: Folds) -> list[Atom]:
    leave = [] if stmt.exit is None or (stmt.body and stmt.body[-1] in folds.breaks) else [stmt.exit]
    return [c.next for c in stmt.carry] + leave


def _slots(folds: Folds, stmt: Stmt) -> list[Atom]:
    """The operands that are printed once, so that an expression can stand in their place."""
    match stmt:
        case ir.Let() | ir.Draw():
            uses = templates.of_let(stmt).uses
            return [a for k, a in enumerate(stmt.args) if uses.get(k, 0) <= 1]
        case ir.Effect():
            read = Counter(walk.used(stmt))
            return [a for a, times in read.items() if times == 1]
        case ir.Load():
            return [stmt.ref, *walk.index_atoms(stmt.index)]
        case ir.Store() | ir.Accumulate():
            if folds.memory.grows(stmt.ref):
                return [stmt.value]
            view = [stmt.ref] if all(i == ir.Slice() for i in stmt.index) else []
            return [*view, *walk.index_atoms(stmt.index), stmt.value]
        case ir.Alloc():
            return [] if stmt.target in folds.like else list(walk.used(stmt))
        case ir.View():
            return list(walk.how_atoms(stmt.how))
        case ir.RefAt():
            return [stmt.pos]
        case ir.Call() | ir.Custom():
            return [a for a in stmt.args if not a.type.ref]
        case ir.For():
            return [stmt.start, stmt.stop, stmt.step]
        case ir.If():
            return [stmt.cond]
    return []


def _own_size(folds: Folds, stmt: Stmt) -> int:
    """About how many characters the statement's own expression has, with plain names for its operands."""
    if isinstance(stmt, (ir.Let, ir.Draw)):
        template = templates.of_let(stmt)
        return template.size + sum(_atom_size(a) - 2 for a in stmt.args if isinstance(a, (Var, Const)))
    return 2 + sum(_atom_size(a) + 2 for a in folds.operands(stmt))


def _atom_size(atom: Atom) -> int:
    return len(atom.name) if isinstance(atom, Var) else len(str(atom.value)) + 12 * (atom.type.dtype == "f4")


def _size(folds: Folds, atom: Atom) -> int:
    stmt = folds.inside.get(atom) if isinstance(atom, Var) else None
    if stmt is None:
        return _atom_size(atom)
    return _own_size(folds, stmt) + sum(_size(folds, a) - _atom_size(a) for a in folds.operands(stmt))
