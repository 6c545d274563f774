"""The straight way from a call in Python to compiled code: a Python function that is written when arguments of some
structure come first. It makes every check that the general way makes, and returns `OTHER` where one fails."""

from __future__ import annotations

import functools
import linecache
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from srcgrad.backend.cpu import Mismatch
from srcgrad.compiler.runtime_errors import told_of
from srcgrad.core.types import F4, Type
from srcgrad.derivatives import arguments, straight_captured
from srcgrad.derivatives.one_call import DENSE, Call
from srcgrad.derivatives.written_calls import OTHER, Unwritten, Writer
from srcgrad.frontend.source.structure import Leaf, Node, Spec, leaf_types
from srcgrad.frontend.source.versions import Version

Straight = Callable[[tuple[Any, ...], dict[str, Any]], Any]
FOLDER = Path(__file__).parent


class Given:
    """Stands for an argument while a call is sorted out. name: of the local that holds it."""

    def __init__(self, name: str) -> None:
        self.name = name


# sorts the arguments of a call out to parameters
Bind = Callable[[Sequence[Any], dict[str, Any]], Sequence[Any]]
Take = Callable[[Writer], list[str]]  # writes how arguments are taken apart; gives the names of their leaves
Finish = Callable[
    [Writer, Sequence[str], str], str
]  # from the leaves and the expression of the result: what is returned


def written(
    call: Call,
    made_of: Iterable[Version],
    take: Take,
    *,
    long: bool = False,
    finish: Finish | None = None,
    fixed: Sequence[Any] = (),
    head: str = "args, kwargs",
    sized: bool = False,
) -> Straight | None:
    """What takes such arguments the next time; None where each call has to go the general way. long: whether it is only
    for arrays of which an axis has length 1; fixed: functions, dicts of globals and cells that never change; head: its
    parameters; sized: whether captured arrays may hold twice as much as they do, at most."""
    if call.look is not None:
        return None  # its results are looked at
    ids = {id(item) for item in fixed}
    versions = [v for v in made_of if id(v.function) not in ids]
    try:
        return _function(*_written(call, versions, take, long, finish, ids, head, sized))
    except Unwritten:
        return None


def _written(
    call: Call,
    made_of: Sequence[Version],
    take: Take,
    long: bool,
    finish: Finish | None,
    fixed: Container[int],
    head: str,
    sized: bool,
) -> tuple[str, dict[str, Any]]:
    out = Writer()
    _versions(out, made_of)
    leaves = take(out)
    _checked(out, call)
    leaves += straight_captured.read(out, call, fixed, sized)
    _related(out, call, leaves, long)
    result = _result(out, call, leaves)
    if finish is not None:
        result = finish(out, leaves, result)
    lines = [
        f"def call({head}):",
        "    try:",
        *(f"        {line}" for line in out.lines or ["pass"]),
        "    except (ValueError, LookupError, AttributeError):",
        "        return _other",
        *_called(out, call, leaves, [*out.after, f"return {result}"]),
    ]
    told = out.after or call.meta.failures or call.meta.formats
    alone = made_of[0] if len(made_of) == len(out.lines) == 1 and not told else None
    notes = {"_beside": out.beside, "_key": (call.specs, call.long), "_alone": alone, "_run": call.bound.unit.call}
    return "\n".join([*lines, ""]), out.space | notes


def key(straight: Straight) -> tuple[tuple[Spec, ...], bool]:
    """The structures that it was written for, and whether it may be for arrays of which no axis has length 1."""
    found: tuple[tuple[Spec, ...], bool] = straight.__globals__["_key"]
    return found


def _function(text: str, space: dict[str, Any]) -> Straight:
    exec(_code(text), space)
    return space.pop("call")  # type: ignore[no-any-return]


@functools.lru_cache(maxsize=512)
def _code(text: str) -> CodeType:
    """Its frames count as this package's; debuggers find its lines."""
    file = str(FOLDER / f"<call {_code.cache_info().misses}>")
    linecache.cache[file] = len(text), None, text.splitlines(True), file
    return compile(text, file, "exec")


def _versions(out: Writer, made_of: Iterable[Version]) -> None:
    """The functions that the derivative was made of have the code that they had, and the defaults, if they had some;
    what is a builtin in it still is one."""
    builtins: dict[tuple[str, str], None] = {}
    for fun, code, defaults, named, items, names in made_of:
        name = out.hold(fun, "fun")
        out.unless(f"{name}.__code__ is {out.hold(code, 'code')}")
        if defaults or named:
            out.unless(f"{name}.__defaults__ is {out.hold(defaults, 'defaults')}")
            out.unless(f"{name}.__kwdefaults__ is {out.hold(named, 'defaults')}")
        for key, value in items:
            out.unless(f"{name}.__kwdefaults__[{key!r}] is {out.hold(value, 'default')}")
        space = out.hold(fun.__globals__, "globals") if names else ""
        builtins.update(((builtin, space), None) for builtin in names)
    if builtins:
        out.unless(*(f"{builtin!r} not in {space}" for builtin, space in builtins))


def by_call(
    bind: Bind, values: Sequence[Any], specs: Sequence[Spec], args: Sequence[Any], kwargs: dict[str, Any], shaped: bool
) -> Take:
    """How the arguments of a call are taken apart. values: one a parameter; shaped: whether only such of these shapes
    are taken."""

    def take(out: Writer) -> list[str]:
        leaves = by_place(out, bind, values, specs, len(args), kwargs)
        if shaped:
            given = zip(leaves, arguments.flat(values, specs), strict=True)
            out.unless(*[f"{name}.shape == {np.shape(item)}" for name, item in given if np.ndim(item)] or ["True"])
        return leaves

    return take


def by_place(
    out: Writer,
    bind: Bind,
    values: Sequence[Any],
    specs: Sequence[Spec],
    count: int,
    named: Iterable[str] = (),
    source: str = "args",
) -> list[str]:
    """Take apart so many arguments that are given by place, and named ones. source: the name of the former."""
    names = {name: out.name(name) for name in named}
    places = [out.name() for _ in range(count)]
    out.lines.append("if kwargs: return _other" if not names else f"if len(kwargs) != {len(names)}: return _other")
    several = "".join(f"{name}, " for name in places)
    out.lines.append(f"{several}= {source}" if places else f"if {source}: return _other")
    out.lines += [f"{local} = kwargs[{name!r}]" for name, local in names.items()]
    given, by_name = [Given(name) for name in places], {name: Given(local) for name, local in names.items()}
    leaves: list[str] = []
    for item, value, spec in zip(bind(given, by_name), values, specs, strict=True):
        if isinstance(item, Given):
            name = item.name
        else:
            name = out.name("rest")
            out.lines.append(f"{name} = {_default(out, item)}")
        leaves += out.take(name, value, spec)
    return leaves


def by_item(names: Sequence[str], items: Sequence[Any], types: Sequence[Type], out: Writer) -> list[str]:
    """Take numbers and arrays that are given one after another."""
    for name, item, type in zip(names, items, types, strict=True):
        out.leaf(name, item, type)
    return list(names)


def _default(out: Writer, item: Any) -> str:
    """What stands for a parameter that takes no single argument: a default, or what a star collects."""
    if isinstance(item, dict) and any(isinstance(inner, Given) for inner in item.values()):
        order = out.hold(tuple(item), "order")
        out.unless(f"tuple([name for name in kwargs if name in {order}]) == {order}")
        return f"{{{', '.join(f'{key!r}: {inner.name}' for key, inner in item.items())}}}"
    if isinstance(item, tuple) and any(isinstance(inner, Given) for inner in item):
        return f"({''.join(f'{inner.name}, ' for inner in item)})"
    return out.hold(item, "default")


def _checked(out: Writer, call: Call) -> None:
    """What is to be so of the objects that were given, beside what they hold."""
    if call.meta.facts.changed and len(out.containers) > 1:
        each = ", ".join(f"id({name})" for name in out.containers)
        out.unless(f"len({{{each}}}) == {len(out.containers)}")
    if call.ordered and any("converted" in line for line in out.lines):
        raise Unwritten


def _related(out: Writer, call: Call, leaves: Sequence[str], long: bool) -> None:
    """What must be so of the leaves together."""
    types = call.meta.types
    arrays = [name for name, type in zip(leaves, types, strict=True) if type.ref]
    if long and arrays:
        out.unless(" or ".join(f"1 in {name}.shape" for name in arrays))
    for few in call.kept.few(leaves, [type.ref for type in types]):
        out.unless(f"{few} or {out.hold(call.kept.little, 'little')}({', '.join(leaves)})")
    for k, model in call.lengths:
        if types[k].ref:
            out.unless(f"{leaves[k]}.shape == {leaves[model]}.shape")
    for (k, axis), (other, other_axis) in zip(call.mapped, call.mapped[1:], strict=False):
        out.unless(f"{leaves[k]}.shape[{axis}] == {leaves[other]}.shape[{other_axis}]")
    for k, other in call.apart:
        share = out.hold(np.may_share_memory, "may_share_memory")
        out.lines.append(f"if {share}({leaves[k]}, {leaves[other]}): return _other")


def _called(out: Writer, call: Call, leaves: Sequence[str], after: Sequence[str]) -> list[str]:
    """The call of the compiled code, and what is done with its result; what it raises is told as on the general way."""
    told = functools.partial(told_of, known=call.meta.failures, formats=call.meta.formats)
    plain = call.kind in DENSE or not (call.meta.failures or call.meta.formats)
    function = out.hold(call.function if call.kind in DENSE else call.bound.unit.call, "compiled")
    mismatch = out.hold(Mismatch, "mismatch")
    lines = [
        "    try:",
        f"        out = {function}({', '.join(leaves)})",
        f"    except {mismatch}:",
        "        return _other",
    ]
    if plain:
        return [*lines, *(f"    {line}" for line in after)]
    return [
        *lines,
        "    except Exception as error:",
        f"        told = {out.hold(told, 'told')}(error)",
        "        if told is None:",
        "            raise",
        "    else:",
        *(f"        {line}" for line in after),
        f"    if type(told) is {mismatch}:",
        "        return _other",
        "    raise told",
    ]


def _result(out: Writer, call: Call, leaves: Sequence[str]) -> str:
    """The expression of what the user sees."""
    spec = call.meta.result
    kinds = list(leaf_types(spec))
    for place, seed in call.seeds:
        got = f"out[{place}]" if len(kinds) > 1 else "out"
        out.after.append(f"if {leaves[seed]}.shape != {got}.shape: return _other")
    flat = isinstance(spec, Node) and spec.kind is tuple and all(isinstance(c, Leaf) for c in spec.children)
    if flat and len(kinds) > 1 and F4 not in kinds:
        return "out"
    names: Iterator[str] = iter(["out"] if len(kinds) == 1 else [f"out[{k}]" for k in range(len(kinds))])
    return out.build(spec, names, out.after)


def none(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The straight call before there is one."""
    return OTHER


def classes(args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The classes of the arguments, which are all that a straight call looks at before it begins."""
    return (*map(type, args), *kwargs, *map(type, kwargs.values()))
