"""Loops. What goes round is found by a fixed point: the body is lowered with the types that the names have at first,
and again while a name comes back with a wider one. What was found is kept by loop and call path, so that nests of
loops are not lowered over and over."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from srcgrad.core import ir
from srcgrad.core.ir import Atom, Const, Stmt, Var
from srcgrad.core.walk import substitute
from srcgrad.frontend.lowering import generators, joining, values
from srcgrad.frontend.lowering.expressions import has_effects
from srcgrad.frontend.lowering.first_turns import Facts, FirstUnlike, Turn, TurnsWanted, starts_wider
from srcgrad.frontend.lowering.growing_lists import ONE, ZERO
from srcgrad.frontend.lowering.loop_domains import Domain, domain, of_rows
from srcgrad.frontend.lowering.objects_in_loops import Objects, changed, counted_heads
from srcgrad.frontend.lowering.paths import Lowering, held_in
from srcgrad.frontend.lowering.state import REPORTED, Unresolved
from srcgrad.frontend.lowering.statements import assign
from srcgrad.frontend.lowering.unrolled_loops import UNROLL_LIMIT, first_apart, unless_left, unrolled
from srcgrad.frontend.lowering.values import (
    CONDITIONS,
    FALSE,
    LATER,
    NOWHERE,
    RESULT,
    TRUE,
    Env,
    Flags,
    Known,
    Maybe,
    Poison,
    Struct,
    Value,
)
from srcgrad.frontend.lowering.wider_starts import any_turn
from srcgrad.frontend.source.liveness import assigned, outside_scopes
from srcgrad.rules.language.arguments import NotKnown


def for_(low: Lowering, node: ast.For) -> None:
    made, count = _generated(low, node.iter)
    if made is not None:
        return generators.loop(low, node, made, count)
    over = domain(low, node.iter)
    if isinstance(over, Struct) and len(over.items) > UNROLL_LIMIT:
        over = of_rows(low, values.struct(over.items, list))
    if isinstance(over, Struct) or over.apart:
        return unrolled(low, node, over)
    loop(low, node, over)


def _generated(low: Lowering, node: ast.expr) -> tuple[Struct | None, Value | None]:
    """What a function that yields gives, if the loop goes over that, and where `enumerate` of it begins to count."""
    made = generators.generated(low, node)
    if made is not None or not isinstance(node, ast.Call) or not node.args:
        return made, None
    function = low.ex(node.func) if isinstance(node.func, ast.Name) else None
    if not isinstance(function, Known) or function.value is not enumerate:
        return None, None
    made = generators.generated(low, node.args[0])
    if made is None:
        return None, None
    first = node.args[1] if len(node.args) > 1 else node.keywords[0].value if node.keywords else None
    return made, ZERO if first is None else low.integer(low.ex(first))


def while_(low: Lowering, node: ast.While) -> None:
    if isinstance(node.test, ast.Constant) and not node.test.value:
        return low.block(node.orelse)
    loop(low, node, None)


# ---- loops


def _carried_names(low: Lowering, node: ast.For | ast.While) -> list[str]:
    heads: list[ast.AST] = [node.target] if isinstance(node, ast.For) else [node.test]
    live = low.frame.live.leaving(node)
    names = [name for name in assigned([*heads, *node.body]) if name in live]
    returns = any(isinstance(n, ast.Return) for n in outside_scopes(node.body))
    return names + ([RESULT] if returns else [])


def loop(low: Lowering, node: ast.For | ast.While, over: Domain | None) -> None:
    frame = low.frame
    names = _carried_names(low, node)
    facts: Facts = low.retry.loops.setdefault((frame.path, id(node)), Facts())
    before: Env = dict(frame.env)  # what goes round, as it is before the loop: names, the result, what objects hold
    if frame.flags.result is not None:
        before[RESULT] = frame.flags.result
    objects = Objects(values.now())

    def again(turn: Turn) -> bool:
        if over is not None and over.numbers and any(isinstance(e, NotKnown) for e in low.retry.refusals[refused:]):
            raise TurnsWanted
        found = changed(low, over, turn.held, turn.heads, turn.exit == FALSE, objects)
        names.extend(name for name in found if name not in names)
        for name, struct in objects.boxes.items():
            before[name] = held_in(struct, struct.content) or Poison("it has no value yet")
        for name in found:
            facts.models.pop(name, None)
        if found:
            return True
        if not facts.models and starts_wider(low, node, over, objects.carried(names), before, turn, facts):
            return True
        if _wider(low, objects.carried(names), before, turn, facts):
            return True
        facts.unbound.update(turn.later)  # no path binds them: those that read them are looked at, too
        return bool(turn.later)

    refused = len(low.retry.refusals)
    frame.loops.append(frame.live.leaving(node))
    try:
        turn = low.retry.until_stable(
            lambda: _first_trial(low, node, over, objects.carried(names), before, facts, objects),
            again,
            lambda turn: any(turn.after.get(name) is REPORTED for name in names),
        )
    except TurnsWanted:
        del low.retry.refusals[refused:]
        turn, unlike = None, {}
    except FirstUnlike as found:
        del low.retry.refusals[refused:]
        turn, unlike = None, found.names
    finally:
        frame.loops.pop()
    if turn is None and not unlike:
        assert isinstance(node, ast.For) and over is not None
        return unrolled(low, node, values.struct(over.numbers))
    if turn is None:
        return first_apart(low, node, over, unlike, loop)
    _finish(low, node, over, names, turn, before, facts, objects)
    if node.orelse:
        unless_left(low, lambda: low.block(node.orelse), low.live_after(node))


def _model(low: Lowering, name: str, init: Value | None, facts: Facts) -> Value | None:
    """What is assumed of a name at the head of an iteration."""
    if name in facts.models:
        return facts.models[name]
    if isinstance(init, Const) and init.type == ir.F8 and low.setting.single:
        return Var(name, ir.F4)  # a literal gives way to single precision, if the body does not say otherwise
    return init


def _first_trial(
    low: Lowering,
    node: ast.For | ast.While,
    over: Domain | None,
    names: list[str],
    before: Env,
    facts: Facts,
    objects: Objects,
) -> Turn:
    """The body; where it reads what only the turn before has bound, that path tells nothing yet."""
    known = before.keys() | facts.models.keys() | facts.unbound
    later = [name for name in names if name not in known and name.isidentifier()]
    if later:
        with suppress(Unresolved):
            return _trial(low, node, over, names, before, facts, objects, later)
    return _trial(low, node, over, names, before, facts, objects)


def _trial(
    low: Lowering,
    node: ast.For | ast.While,
    over: Domain | None,
    names: list[str],
    before: Env,
    facts: Facts,
    objects: Objects,
    later: Sequence[str] = (),
) -> Turn:
    """The body, with fresh variables for what goes round. What it changes of older objects is undone."""
    with low.attempt() as tried:
        turn = _body(low, node, over, names, before, facts, objects, later)
        turn.alike = {name for name in names if not _reshaped(low, turn.inner.get(name), turn.after.get(name))}
        turn.later = later
    turn.body, turn.held = tried.out, tried.held
    for name, struct in objects.boxes.items():
        if struct not in objects.counted:
            turn.after[name] = held_in(struct, tried.held.get(struct, struct.content))
    return turn


def _body(
    low: Lowering,
    node: ast.For | ast.While,
    over: Domain | None,
    names: list[str],
    before: Env,
    facts: Facts,
    objects: Objects,
    later: Sequence[str],
) -> Turn:
    env = {k: v for k, v in before.items() if k != RESULT and k not in objects.boxes}
    inner: dict[str, Value] = {}
    for name in names:
        model = _model(low, name, before.get(name), facts)
        env.pop(name, None)
        if model is not None:
            inner[name] = _fresh(low, name, model, before.get(name), facts)
            if name != RESULT and name not in objects.boxes:
                env[name] = inner[name]
    for name, struct in objects.boxes.items():
        if struct not in objects.counted:
            low.hold(struct, inner.get(name))
    low.frame.env = {**env, **dict.fromkeys(later, LATER)}
    result = inner.get(RESULT)
    memory = result is not None and any(atom.type.ref for atom in values.leaves(result))
    # what a number was does not matter: an iteration that returns is the last
    low.frame.flags = Flags(result=result if memory else None)
    index = Var(_index_name(node), ir.I8) if over is not None else None
    test: tuple[Stmt, ...] = ()
    cond: Atom = TRUE
    heads: dict[Struct, values.Rows] = {}
    if over is not None and index is not None:
        if over.start == ZERO and over.step == ONE:
            low.lists.within[index] = over.stop
        heads = counted_heads(low, over, index, objects)
    if over is not None and isinstance(node, ast.For) and index is not None:
        assign(low, node.target, over.item(index))
        low.block(node.body)
    elif isinstance(node, ast.While):
        head = _test(low, node)
        if head is None:
            _tested_inside(low, node)
        else:
            test, cond = head
            low.block(node.body)
    flags = low.frame.flags
    after: dict[str, Value | None] = {name: v for name, v in low.frame.env.items() if v is not LATER}
    if flags.result is not None:
        after[RESULT] = flags.result
    if flags.raised:
        after |= inner
    exit = low.either(low.either(flags.broken, flags.ended), flags.returned)
    return Turn(inner, index, test, cond, after, exit, flags, heads)


def _index_name(node: ast.For | ast.While) -> str:
    target = node.target if isinstance(node, ast.For) else None
    if isinstance(target, ast.Tuple) and target.elts:
        target = target.elts[0]
    return target.id if isinstance(target, ast.Name) else "i"


def _fresh(low: Lowering, name: str, model: Value, init: Value | None, facts: Facts) -> Value:
    def fresh(atom: Atom, spelled: str) -> Var:
        return Var(atom.name if isinstance(atom, Var) and atom.type.ref else spelled, atom.type)

    value = values.refill(model, map(fresh, list(values.leaves(model)), values.spellings(model, name)))
    if name not in facts.reshaped and init is not None and values.same_shape(value, init):
        for new, old in zip(values.leaves(value), values.leaves(init), strict=True):
            if isinstance(old, Var) and isinstance(new, Var) and old.type.ref:
                low.b.copy_dims(new, old)
    return value


def _test(low: Lowering, node: ast.While) -> tuple[tuple[Stmt, ...], Atom] | None:
    """The test of a while as a region of its own; None if it binds names or has effects."""
    if isinstance(node.test, ast.Constant):
        return (), TRUE
    if any(isinstance(n, ast.NamedExpr) for n in ast.walk(node.test)):
        return None
    with low.attempt() as tried:
        cond = low.truth(low.ex(node.test))
    plain = not tried.touched and not has_effects(tried.out)
    return (tuple(tried.out), cond) if plain else None


def _tested_inside(low: Lowering, node: ast.While) -> None:
    """while True: if test: body; else: leave."""
    names = low.frame.kept | low.frame.live.always | assigned_names(node.test)
    cond = low.truth(low.ex(node.test))
    low.branch(cond, lambda: low.block(node.body), lambda: low.set_flags(ended=TRUE), names)


def assigned_names(node: ast.AST) -> frozenset[str]:
    return frozenset(assigned([node]))


def _wider(low: Lowering, names: list[str], before: Env, turn: Turn, facts: Facts) -> bool:
    """Note what came back with another type than was assumed; whether there is any."""
    changed = False
    for name in names:
        assumed, next_ = turn.inner.get(name), turn.after.get(name)
        init = before.get(name) if name != RESULT else None
        model = _widened(low, name, assumed, init, next_)
        if not _same_model(model, assumed):
            changed = True
            if model is not None:
                facts.models[name] = model
        elif name not in {*facts.reshaped, *turn.alike} and _reshaped(low, assumed, next_):
            facts.reshaped.add(name)
            changed = True
    return changed


def _widened(low: Lowering, name: str, assumed: Value | None, init: Value | None, next_: Value | None) -> Value | None:
    if name == RESULT:
        if next_ is None or assumed is None:
            return next_ if assumed is None else assumed
    elif assumed is None and next_ is None:
        return None
    if isinstance(assumed, Poison) or next_ is REPORTED:
        return assumed  # what was refused is said where it stands
    pair = joining.align(assumed, next_, name)
    if isinstance(pair, Poison):
        if name == RESULT:
            low.refuse_result(pair)
        return pair
    left, right = pair
    if values.same_shape(left, right) and not list(values.leaves(left)):
        return left
    types = [joining.join_atoms(x, y) for x, y in zip(values.leaves(left), values.leaves(right), strict=True)]
    named = zip(values.spellings(left, name), types, strict=True)
    return values.refill(left, iter([Var(spelled, t) for spelled, t in named]))


def _same_model(a: Value | None, b: Value | None) -> bool:
    if a is None or b is None:
        return a is b
    if isinstance(a, Poison) or isinstance(b, Poison):
        return isinstance(a, Poison) and isinstance(b, Poison)
    if not values.same_shape(a, b):
        return False
    return [x.type for x in values.leaves(a)] == [x.type for x in values.leaves(b)]


def _reshaped(low: Lowering, inner: Value | None, next_: Value | None) -> bool:
    if inner is None or next_ is None or not values.same_shape(inner, next_):
        return False
    pairs = zip(values.leaves(inner), values.leaves(next_), strict=True)
    return any(isinstance(x, Var) and x.type.ref and not low.b.same_shape(x, y) for x, y in pairs)


def _finish(
    low: Lowering,
    node: ast.For | ast.While,
    over: Domain | None,
    names: list[str],
    turn: Turn,
    before: Env,
    facts: Facts,
    objects: Objects,
) -> None:
    """Emit the loop, and bind what comes out of it."""
    env = low.frame.env
    after: dict[str, Value | None] = {}
    for name in names:
        struct = objects.boxes.get(name)
        if struct is not None and struct in objects.counted:
            continue
        out = after[name] = _carry(low, name, turn, before, over, facts)
        if name == RESULT:
            low.set_flags(result=out)
        elif struct is None:
            env.pop(name, None)
            if out is not None:
                env[name] = _if_any_turn(low, out, over, facts.started.get(name))
    _carry_flags(low, node, turn, over)
    body = substitute(turn.body, turn.unchanged)
    test = substitute(turn.test, turn.unchanged)

    def put(atom: Atom) -> Atom:
        return turn.unchanged.get(atom, atom) if isinstance(atom, Var) else atom

    carry = tuple(ir.Carry(c.inner, put(c.init), put(c.next), c.out) for c in turn.carry)
    exit = None if turn.exit == FALSE else put(turn.exit)
    span = low.b.span
    if over is not None and turn.index is not None:
        low.b.put(ir.For(turn.index, over.start, over.stop, over.step, carry, body, exit, over.parallel, span=span))
    else:
        low.b.put(ir.While(test, put(turn.cond), carry, body, exit, span=span))
    for name, struct in objects.boxes.items():
        if struct not in objects.counted:
            low.hold(struct, after[name])
    for struct in objects.counted:
        assert isinstance(struct.rows, values.Rows)
        low.put_content(struct, ((), (), replace(struct.rows, count=objects.totals[struct], exact=True)))


def _if_any_turn(low: Lowering, out: Value, over: Domain | None, missing: values.Missing | None) -> Value:
    """What a name is after a loop that started wider."""
    if missing is None or over is None or over.surely or isinstance(out, (Maybe, Poison)):
        return out
    return Maybe(out, any_turn(low, over), missing)


def _turns_surely(turn: Turn, over: Domain | None) -> bool:
    """Whether a loop makes at least one turn."""
    return over.surely if over is not None else turn.cond == TRUE


def _carry(low: Lowering, name: str, turn: Turn, before: Env, over: Domain | None, facts: Facts) -> Value | None:
    """The carries of one name; what it is after the loop."""
    init = before.get(name)
    inner, next_ = turn.inner.get(name), turn.after.get(name)
    if inner is None or isinstance(inner, Poison):
        return inner
    if name == RESULT:
        init = low.filled(init, inner, low.b.out)
        next_ = inner if next_ is None else next_
    if isinstance(inner, Maybe):
        init, next_ = joining.maybe(init, inner), joining.maybe(next_, inner)
    pair = joining.align(init, next_, name)
    if isinstance(pair, Poison):
        return pair
    surely = not isinstance(turn.after.get(name), Maybe) and _turns_surely(turn, over)
    outs: list[Atom] = []
    for head, first, last in zip(values.leaves(inner), values.leaves(pair[0]), values.leaves(pair[1]), strict=True):
        assert isinstance(head, Var)
        made = low.made(first, last, before, head.name)
        outs.append(_carry_atom(low, head, made, last, turn))
        if head.type.ref and isinstance(outs[-1], Var):
            if isinstance(made, Var) and made is not first and low.b.same_shape(made, last):
                low.b.copy_dims(outs[-1], made)
            elif name not in facts.reshaped:
                low.b.copy_dims(outs[-1], head)
    value = values.refill(inner, iter(outs))
    return value.value if surely and isinstance(value, Maybe) else value


def _carry_atom(low: Lowering, head: Var, first: Atom, last: Atom, turn: Turn) -> Atom:
    first = low.converted(first, head.type)
    if last is head:
        turn.unchanged[head] = first
        return first
    with low.into(turn.body):
        last = low.converted(last, head.type)
    out = Var(head.name, head.type)
    turn.carry.append(ir.Carry(head, first, last, out))
    return out


def _carry_flags(low: Lowering, node: ast.For | ast.While, turn: Turn, over: Domain | None) -> None:
    """Whether the loop was returned from, and, for its else, broken; False at each head, so only the last matters."""
    flags, endless = turn.flags, over is None and turn.cond == TRUE and turn.flags.ended == FALSE
    first = endless or _turns_surely(turn, over)
    wanted = ["returned", "caught"] + (["broken"] if node.orelse else [])
    low.set_flags(returned=FALSE, broken=FALSE, caught=FALSE)
    if endless and flags.broken == FALSE:
        # what returns is the only way out
        low.set_flags(returned=TRUE, raised=flags.raised or flags.returned == FALSE)
        wanted = ["caught"]
    for name in wanted:
        flag = flags.get(name)
        if flag == FALSE or (flag == TRUE and first):
            low.set_flags(**{name: flag})
            continue
        inner, out = (Var(CONDITIONS[name], ir.B1) for _ in range(2))
        turn.carry.append(ir.Carry(inner, FALSE, flag, out))
        low.set_flags(**{name: out})
    if flags.which != NOWHERE:
        low.set_flags(which=flags.which)
        if not isinstance(flags.which, Const):
            out = Var("which", ir.I8)
            turn.carry.append(ir.Carry(Var("which", ir.I8), NOWHERE, flags.which, out))
            low.set_flags(which=out)
