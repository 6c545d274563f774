"""What the sweep back needs of the sweep forth: from the tape, or computed again of the arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from srcgrad.core import ir
from srcgrad.core.aliases import Aliases
from srcgrad.core.free import free_of
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.walk import defined, used, walk
from srcgrad.rules.scalar.arithmetic import add, multiply, negative, subtract
from srcgrad.transform.sweeps.joint import Joint, NotPairedError

CHEAP = (add, subtract, multiply, negative)
STEPS = 3  # operations on floats that are done again rather than kept


@dataclass(eq=False)
class Crossing:
    """Found for the statements of a sweep forth.

    given: the variables that both sweeps have.   slots: the scalars that are kept, each in its place of its dtype's
    tape.   again: what is made again, in order.
    """

    forth: Sequence[Stmt]
    given: set[Var]
    slots: dict[Var, int] = field(default_factory=dict)
    _again: set[Stmt] = field(default_factory=set)
    _effort: dict[Var, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._made: dict[Var, Stmt] = {v: s for s in self.forth for v in defined(s)}

    @property
    def again(self) -> list[Stmt]:
        return [s for s in self.forth if s in self._again]

    def need(self, atom: Atom) -> None:
        if isinstance(atom, Const) or atom in self.given or atom in self.slots:
            return
        made = self._made[atom]
        if made in self._again:
            return
        if self.is_free(atom):
            self._again.add(made)
            for arg in used(made):
                self.need(arg)
        elif isinstance(made, ir.View) or (isinstance(made, ir.Load) and atom.type.rank):
            self._again.add(made)
            for part in used(made):
                self.need(part)
        elif atom.type.is_scalar:
            self.slots[atom] = sum(1 for other in self.slots if other.type.dtype == atom.type.dtype)
        else:
            raise NotPairedError

    def is_free(self, atom: Atom) -> bool:
        """Whether it costs little to make it again, of what both sweeps have."""
        return self.effort(atom) <= STEPS

    def effort(self, atom: Atom) -> int:
        if isinstance(atom, Const) or atom in self.given:
            return 0
        if atom not in self._effort:
            self._effort[atom] = STEPS + 1
            self._effort[atom] = self._cost(self._made[atom]) if atom in self._made else STEPS + 1
        return self._effort[atom]

    def _cost(self, made: Stmt) -> int:
        match made:
            case ir.Let(targets=(target,)) if target.type in (ir.I8, ir.B1) and not _of_floats(made):
                return max(map(self.effort, made.args), default=0)
            case ir.Let(targets=(target,)) if made.op in CHEAP and target.type.is_scalar:
                return 1 + sum(map(self.effort, made.args))
            case ir.Load(target=target) if target.type.is_scalar and made.ref in self.given:
                return 1 + sum(map(self.effort, used(made)))
        return STEPS + 1


def _of_floats(let: ir.Let) -> bool:
    return any(a.type.is_float and not a.type.ref for a in let.args) or bool(
        let.op.traits.may_raise([a.type for a in let.args], let.params)
    )


def crossing_arrays(joint: Joint) -> tuple[list[ir.Alloc], list[Var]]:
    """Memory made in the sweep forth that the sweep back reads: that which can lie on the tape from the start, and
    that whose contents are copied to it."""
    made = {v: s for s in joint.forth for v in defined(s)}
    aliases = Aliases((*joint.forth, *joint.back))
    written = {aliases.of(s.ref) for s in walk(joint.back) if isinstance(s, (ir.Store, ir.Accumulate))}
    returned = {aliases.of(v) for v in joint.values if isinstance(v, Var) and v.type.ref}
    allocs: dict[ir.Alloc, None] = {}
    others: dict[Var, None] = {}
    for var in free_of(joint.back, joint.bars):
        if var not in made or var.type.is_scalar:
            continue
        if var.type.many:
            raise NotPairedError
        value = made[var] if not var.type.ref else None
        if value is not None and not _loaded_of(value, joint.params, made):
            others[var] = None
            continue
        root = _root(value.ref if isinstance(value, ir.Load) else var, made)
        if root not in made:
            continue
        if aliases.of(root) in written or not aliases.simple(root):
            raise NotPairedError
        stmt = made[root]
        if isinstance(stmt, ir.Alloc) and None not in stmt.shape and aliases.of(root) not in returned:
            allocs[stmt] = None
        elif root is var:
            others[var] = None
        else:
            raise NotPairedError
    return list(allocs), list(others)


def _root(ref: Var, made: Mapping[Var, Stmt]) -> Var:
    while isinstance(view := made.get(ref), ir.View):
        ref = view.base
    return ref


def _loaded_of(stmt: Stmt, params: Sequence[Var], made: Mapping[Var, Stmt]) -> bool:
    """Whether it loads of an argument, whose memory stays as it is."""
    if not isinstance(stmt, ir.Load) or any(not isinstance(i, ir.Slice) and i.type.rank for i in stmt.index):
        return False
    return _root(stmt.ref, made) in params
