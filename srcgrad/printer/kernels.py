"""Kernels in generated code: the helpers of templates, and what `Traits.kernel` names, calls of LAPACK and the like."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from srcgrad.core import ir
from srcgrad.printer import templates
from srcgrad.printer.templates import Template


@lru_cache(maxsize=4096)
def template_of(stmt: ir.Let | ir.Draw) -> Template:
    """The template of compiled code: a call of the kernel, where the rule names one."""
    plain = templates.of_let(stmt)
    if isinstance(stmt, ir.Draw) or plain.helpers:
        return plain
    name = stmt.op.traits.kernel([a.type for a in stmt.args], stmt.params)
    return _call(name, stmt.op.traits.kernel_texts, plain, stmt.params) if name else plain


@lru_cache(maxsize=4096)
def template_into(stmt: ir.Let) -> Template | None:
    """The template of a call that writes the result into memory, which is the last that it is filled with; None if
    there is no such function. The memory must be none of the operands'."""
    traits, kind, types = stmt.op.traits, stmt.targets[0].type, [a.type for a in stmt.args]
    found = traits.into(types, stmt.params) if len(stmt.targets) == 1 else None
    call = template_of(stmt).tree
    if found is None or not kind.is_float or any(t.dtype != kind.dtype for t in types):
        return None
    assert isinstance(call, ast.Call)
    first = len(types) - (traits.scratch is not None and types[-1].ref)
    places = range(first, len(types) + 1)
    tree = ast.Call(templates.name(found[0]), [*call.args, *(templates.name(f"_{k}") for k in places)], [])
    uses = {**template_of(stmt).uses, **dict.fromkeys(places, 1)}
    texts = {name: templates.source(name, helper) for name, helper in found[1].items()}
    return Template(tree, uses, len(ast.unparse(tree)), _needed(found[0], texts))


def _needed(name: str, texts: Mapping[str, str]) -> dict[str, str]:
    """The text of a function, and of those that it calls."""
    found = {name: texts[name]}
    for other in texts:
        if other != name and re.search(rf"(?<![.\w]){other}\(", texts[name]):
            found.update(_needed(other, texts))
    return found


def _call(name: str, texts: Mapping[str, str], plain: Template, params: Mapping[str, Any]) -> Template:
    given: dict[str, ast.expr] = {}
    placed = [templates.name(f"_{k}") for k in range(1 + max(plain.uses))]
    body = _with_parameters(templates.fill(plain, placed, params), given)
    source = f"def {name}({', '.join(LETTERS[: len(given)])}):\n    return {ast.unparse(body)}\n"
    call = templates.parse(f"{name}({', '.join(given)})", "eval")
    return Template(call.tree, call.uses, call.size, _needed(name, texts) if name in texts else {name: source})


LETTERS = "abcdefgh"


def _with_parameters(node: Any, given: dict[str, ast.expr]) -> Any:
    """An expression with a letter in place of each operand, transposed or not, and of each float; `given` takes these,
    by their texts."""
    if isinstance(node, list):
        return [_with_parameters(child, given) for child in node]
    if not isinstance(node, ast.AST):
        return node
    operand = node.value if isinstance(node, ast.Attribute) and node.attr == "T" else node
    taken = isinstance(operand, ast.Name) and templates.position(operand.id) is not None
    if isinstance(node, ast.expr) and (taken or (isinstance(node, ast.Constant) and isinstance(node.value, float))):
        text = ast.unparse(node)
        given.setdefault(text, node)
        return templates.name(LETTERS[[*given].index(text)])
    return type(node)(*[_with_parameters(getattr(node, f), given) for f in node._fields])


def without(names: Collection[str], template: Template) -> Template:
    """The template, with other names for those of its functions that bear one of these."""
    new = {name: free(name, {*names, *template.helpers}) for name in template.helpers if name in names}
    if not new:
        return template
    tree = ast.parse(renamed(ast.unparse(template.tree), new), mode="eval").body
    helpers = {new.get(name, name): renamed(text, new) for name, text in template.helpers.items()}
    return Template(tree, template.uses, template.size, helpers)


def free(name: str, taken: Collection[str]) -> str:
    return name if name not in taken else free(f"{name}_", taken)


def renamed(text: str, new: Mapping[str, str]) -> str:
    """Python text in which these functions, where they are called and where they are defined, have other names."""
    return re.sub(rf"(?<![.\w])({'|'.join(map(re.escape, new))})(?=\()", lambda m: new[m[0]], text)
