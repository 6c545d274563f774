"""Kernels compiled before anybody needs them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from srcgrad.backend import cpu
from srcgrad.compiler import kernels
from srcgrad.core import ir
from srcgrad.core.build import FULL
from srcgrad.core.ir import Fun, Program, Type, Var
from srcgrad.printer.kernels import template_into
from srcgrad.printer.render import module
from srcgrad.rules.language import registry
from srcgrad.schedule.pipeline import schedule

MAIN = "_of_a_sample"


def warm(rules: Collection[str] | None = None) -> list[str]:
    """Compile the kernels of these rules, of all without a list, for float64; gives the names of their modules.

    They are compiled with the fast-math flags of most derivatives, and without flags.
    """
    found: dict[str, None] = {}
    for rule in _chosen(rules):
        found.update(dict.fromkeys(_of_rule(rule)))
    return list(found)


def each_rule() -> Iterator[tuple[int, int, str]]:
    """Compile the kernels of all rules; tells which is next: its number, of how many, its name."""
    rules = _chosen(None)
    for k, rule in enumerate(rules, 1):
        yield k, len(rules), rule.name
        list(_of_rule(rule))


def _chosen(rules: Collection[str] | None) -> list[ir.Primitive]:
    return [*registry.PRIMITIVES.values()] if rules is None else [registry.PRIMITIVES[name] for name in rules]


def _of_rule(rule: ir.Primitive) -> Iterator[str]:
    done: set[object] = set()
    for args, params in _samples(rule):
        for flags in (cpu.FAST, ()):
            yield from _compiled(rule, args, params, flags, done)


def _samples(rule: ir.Primitive) -> Iterator[tuple[Sequence[Any], Mapping[str, Any]]]:
    """What float64 numbers and arrays the rule is tested on."""
    for args in rule.info.samples if rule.info else ():
        values = [getattr(a, "value", a) for a in args]
        if any(np.asarray(v).dtype == np.float64 for v in values):
            given = getattr(args, "params", None)
            yield from ((values, params) for params in (rule.info.params if given is None else [given]))


def _compiled(
    rule: ir.Primitive, args: Sequence[Any], params: Mapping[str, Any], flags: Sequence[str], done: set[object]
) -> list[str]:
    """The modules of the kernels that a call of the rule needs, which are compiled now.

    done: kernels, and what they were called with, that flags make no difference to.
    """
    types = [Type(np.asarray(a).dtype.str[1:], np.ndim(a)) for a in args]
    names: list[str] = []
    for program in _calls(rule, types, args, params):
        made = module(program, jit_options=cpu.jit_options(flags))
        text, used = kernels.shared(made)
        asked = (tuple(kernel.module for kernel in used), tuple(types), repr(params))
        if used and asked not in done and cpu.compilable(made.text) and kernels.ready(used):
            done.add(asked)
            cpu.compile_once(MAIN, text, args)
            names += [kernel.module for kernel in used]
    return names


def _calls(
    rule: ir.Primitive, types: Sequence[Type], args: Sequence[Any], params: Mapping[str, Any]
) -> Iterator[Program]:
    """Programs that call the rule: for new arrays, and into memory."""
    given = tuple(Var(f"x{k}", replace(t, ref=t.rank > 0)) for k, t in enumerate(types))
    values = tuple(Var(v.name, t) for v, t in zip(given, types, strict=True))
    loads = [ir.Load(v, ref, (FULL,) * ref.type.rank) for v, ref in zip(values, given, strict=True) if ref.type.ref]
    read = tuple(v if ref.type.ref else ref for v, ref in zip(values, given, strict=True))
    outs = tuple(Var("out", t) for t in rule.infer(types, params))
    main = Fun(MAIN, given, (*loads, ir.Let(outs, rule, read, dict(params))), outs)
    yield schedule(Program(main, {}))  # what becomes loops calls no kernel
    let = ir.Let(outs, rule, read, dict(params))
    if len(outs) > 1 or template_into(let) is None:
        return
    ref, work = _memory("out", np.asarray(rule.evaluate(*args, **params)).shape), []
    if rule.traits.scratch:
        work = [_memory("work", rule.traits.scratch([np.shape(a) for a in args]))]
    let = replace(let, args=(*read, *(s.target for s in work)))
    body = (*loads, ref, *work, let, ir.Store(ref.target, (FULL,) * ref.target.type.rank, let.target))
    yield Program(Fun(MAIN, given, body, (ref.target,), ir.FunFacts(results=frozenset({ref.target}))), {})


def _memory(name: str, shape: Sequence[Any]) -> ir.Alloc:
    lengths = tuple(n if isinstance(n, ir.Const) else ir.Const(n, ir.I8) for n in shape)
    return ir.Alloc(Var(name, Type("f8", len(lengths), ref=True)), lengths, ir.Init.EMPTY)
