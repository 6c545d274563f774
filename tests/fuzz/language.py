"""Constructs of ordinary Python beside numbers and arrays: generators, dicts by computed keys, sets, lists that change
in their middle, texts."""

from __future__ import annotations

from tests.fuzz.control import deeper
from tests.fuzz.statements import Lines, statement, tame
from tests.fuzz.writer import FLOAT, Kind, Writer, indented


@statement("loop over a generator")
def over_generator(w: Writer) -> Lines:
    deeper(w)
    count = w.pick((0, 1, 3, 4))
    w.helpers.add("orbit")
    made = f"orbit({w.scalar(1)} * 1.0, {w.scalar(0)} * 1.0, {count})"
    value, place, counted = w.fresh("v"), w.fresh("i"), w.chance(0.4)
    head = f"for {place}, {value} in enumerate({made}):" if counted else f"for {value} in {made}:"
    with w.inner(loop=True):
        w.bind(value, FLOAT)
        w.frozen.add(value)
        if counted:
            w.bind(place, Kind("int", (0, max(count - 1, 0))))
        body = w.block(3, jumps=True)
        w.frozen.discard(value)
    return [head, *body]


@statement("generator left early")
def left_early(w: Writer) -> Lines:
    w.helpers.add("endless")
    total, value = w.fresh("s"), w.fresh("v")
    made = f"endless({w.scalar(1)} * 1.0)"
    lines = [f"{total} = 0.0", f"for {value} in {made}:", f"    {total} = {total} * 0.5 + {value} * {w.scalar(0)}"]
    end = f"    if not {value} < {w.pick(('2.0', '5.0', '40.0'))}:"  # where it is NaN, too
    return [*lines, end, "        break", f"{w.bind(w.target(FLOAT), FLOAT)} = {tame(w, total)} * 1.0"]


@statement("generator taken whole")
def taken_whole(w: Writer) -> Lines:
    w.helpers.add("orbit")
    made = f"orbit({w.scalar(1)} * 1.0, {w.scalar(0)} * 1.0, {w.pick((2, 3))})"
    kept = w.fresh("p")
    how = w.pick((f"sum({kept})", f"{kept}[0] * {kept}[-1]", f"max({kept})", f"sum([e * e for e in {kept}])"))
    return [f"{kept} = list({made})", f"{w.bind(w.target(FLOAT), FLOAT)} = {how} * 1.0"]


def _keys(w: Writer, count: str, place: str) -> str:
    """A computed key of each turn."""
    return str(w.pick((place, f"{place} % 2", f"({place} * 2) % 3", f"{place} // 2", f"{place} - 1")))


@statement("dict by computed keys")
def by_computed_keys(w: Writer) -> Lines:
    table, i, key = w.fresh("d"), w.fresh("i"), w.fresh("k")
    name = w.pick(w.vectors())
    inside = f"{name}[{i}]"
    item = w.pick((inside, f"{inside} * {w.scalar(0)}", f"{w.scalar(1)} + {i}"))
    lines = [f"{table} = {{}}", f"for {i} in range(len({name})):", f"    {key} = {_keys(w, name, i)}"]
    lines += w.pick(
        (
            [f"    {table}[{key}] = {table}.get({key}, 0.0) + {item}"],
            [f"    if {key} not in {table}:", f"        {table}[{key}] = 0.0", f"    {table}[{key}] += {item}"],
            [f"    {table}[{key}] = {item} * 1.0", f"    if len({table}) > 2:", f"        del {table}[{key}]"],
            [f"    {table}.setdefault({key}, {w.scalar(0)} * 1.0)", f"    {table}[{key}] *= {item}"],
        )
    )
    total = w.fresh("s")
    over = w.pick((f"for {key}, {total}_ in {table}.items():", f"for {total}_ in {table}.values():"))
    step = f"{key} + {total} * 0.5" if over.endswith("items():") else f"{total} * 0.5"
    lines += [f"{total} = 0.0", over, f"    {total} = {step} + {total}_"]
    return [*lines, f"{w.bind(w.target(FLOAT), FLOAT)} = {tame(w, total)} * 1.0"]


@statement("set of what was seen")
def of_seen(w: Writer) -> Lines:
    seen, i, total = w.fresh("seen"), w.fresh("i"), w.fresh("s")
    name = w.pick(w.vectors())
    key = _keys(w, name, i)
    lines = [f"{seen} = set()", f"{total} = 0.0", f"for {i} in range(len({name})):"]
    lines += [f"    if {key} in {seen}:", f"        {total} = {total} * {w.scalar(0)}", "        continue"]
    lines += [f"    {seen}.add({key})", f"    {total} += {name}[{i}] * {w.scalar(0)}"]
    return [*lines, f"{w.bind(w.target(FLOAT), FLOAT)} = {total} * len({seen})"]


@statement("list changed in its middle")
def changed_middle(w: Writer) -> Lines:
    items, i = w.fresh("q"), w.fresh("i")
    name = w.pick(w.vectors())
    changes = (
        [f"    if len({items}) > 2:", f"        {items}.pop({w.pick((0, 1))})"],
        [f"    {items}.insert({w.pick((0, 1, i, -1))}, {name}[{i}] * 0.5)"],
        [f"    if len({items}) > 3:", f"        del {items}[1:{w.pick((2, 3))}]"],
        [f"    {items}.reverse()"],
        [f"    {items}[0:1] = [{w.scalar(0)} * 1.0, {items}[0]]"],
        [f"    {items}.extend([{w.scalar(0)} * 1.0])", f"    {items}[{items}.index({items}[0])] = {name}[{i}] * 2.0"],
    )
    lines = [f"{items} = [{w.scalar(0)} * 1.0]", f"for {i} in range(len({name})):", f"    {items}.append({name}[{i}])"]
    for _ in range(w.pick((1, 2))):
        lines += w.pick(changes)
    total = w.pick((f"sum({items})", f"{items}[0] * {items}[-1]", f"{items}[0] + len({items})"))
    return [*lines, f"{w.bind(w.target(FLOAT), FLOAT)} = {total} * 1.0"]


@statement("text kept")
def text_kept(w: Writer) -> Lines:
    label, names = w.fresh("label"), w.fresh("texts")
    lines = [label + ' = f"{' + w.scalar(0) + "} of {len('abc')}\"", f"{names} = [{label}]"]
    loop = [f"for {w.fresh('i')} in range(2):", *indented([f'{names}.append({label} + " and " + str({w.scalar(0)}))'])]
    return [*lines, *loop, f"{w.bind(w.target(FLOAT), FLOAT)} = len({names}) * {w.scalar(0)} * 1.0"]
