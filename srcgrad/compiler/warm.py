"""Kernels compiled before anybody needs them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from srcgrad.backend import cpu
from srcgrad.compiler import kernels
from srcgrad.core import ir
from srcgrad.core.ir import Fun, Program, Type, Var
from srcgrad.printer.render import module
from srcgrad.rules.language import registry

MAIN = "_of_a_sample"


def warm(rules: Collection[str] | None = None) -> list[str]:
    """Compile the kernels of these rules, of all without a list, for float64; gives the names of their modules.

    They are compiled with the fast-math flags of most derivatives, and without flags.
    """
    chosen = registry.PRIMITIVES.values() if rules is None else [registry.PRIMITIVES[name] for name in rules]
    found: dict[str, None] = {}
    for rule in chosen:
        for args, params in _samples(rule):
            for flags in (cpu.FAST, ()):
                found.update(dict.fromkeys(_compiled(rule, args, params, flags)))
    return list(found)


def _samples(rule: ir.Primitive) -> Iterator[tuple[Sequence[Any], Mapping[str, Any]]]:
    """What float64 numbers and arrays the rule is tested on."""
    for args in rule.info.samples if rule.info else ():
        values = [getattr(a, "value", a) for a in args]
        if any(np.asarray(v).dtype == np.float64 for v in values):
            given = getattr(args, "params", None)
            yield from ((values, params) for params in (rule.info.params if given is None else [given]))


def _compiled(rule: ir.Primitive, args: Sequence[Any], params: Mapping[str, Any], flags: Sequence[str]) -> list[str]:
    """The modules of the kernels that a call of the rule needs, which are compiled now."""
    types = [Type(np.asarray(a).dtype.str[1:], np.ndim(a)) for a in args]
    given = tuple(Var(f"x{k}", t) for k, t in enumerate(types))
    outs = tuple(Var("out", t) for t in rule.infer(types, params))
    main = Fun(MAIN, given, (ir.Let(outs, rule, given, dict(params)),), outs)
    made = module(Program(main, {}), jit_options=cpu.jit_options(flags))
    text, used = kernels.shared(made)
    if not used or not cpu.compilable(made.text) or not kernels.ready(used):
        return []
    cpu.compile_once(MAIN, text, args)
    return [kernel.module for kernel in used]
