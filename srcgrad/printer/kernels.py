"""Kernels: functions that many generated modules have, each in a module of its own, which these import.

They are the helpers of templates, and what `Traits.kernel` names: calls of LAPACK and the like.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from srcgrad.core import ir
from srcgrad.errors import Problem
from srcgrad.printer import templates
from srcgrad.printer.templates import Template

# (the function's name, the text of its module) -> the name of that module
Named = Callable[[str, str], str]


class Module(NamedTuple):
    """The text of a module, and the names of its kernels: functions that other modules may have, too.   failures: what
    its checks tell, by their messages."""

    text: str
    kernels: tuple[str, ...] = ()
    failures: Mapping[str, tuple[str, Problem]] = {}


@lru_cache(maxsize=4096)
def template_of(stmt: ir.Let | ir.Draw) -> Template:
    """The template of compiled code: a call of the kernel, where the rule names one."""
    plain = templates.of_let(stmt)
    if isinstance(stmt, ir.Draw) or plain.helpers:
        return plain
    name = stmt.op.traits.kernel([a.type for a in stmt.args], stmt.params)
    return _call(name, plain, stmt.params) if name else plain


def _call(name: str, plain: Template, params: Mapping[str, Any]) -> Template:
    given: dict[str, ast.expr] = {}
    placed = [templates.name(f"_{k}") for k in range(1 + max(plain.uses))]
    body = _with_parameters(templates.fill(plain, placed, params), given)
    source = f"def {name}({', '.join(LETTERS[: len(given)])}):\n    return {ast.unparse(body)}\n"
    call = templates.parse(f"{name}({', '.join(given)})", "eval")
    return Template(call.tree, call.uses, call.size, {name: source})


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


@dataclass(frozen=True, slots=True)
class Kernel:
    """The module of a kernel: its name inside the package of generated modules, and its text."""

    module: str
    text: str


def split(text: str, names: Collection[str], package: str, named: Named) -> tuple[str, tuple[Kernel, ...]]:
    """A module with imports in place of the kernels of these names; and their modules, each behind those that it
    imports."""
    if not names:
        return text, ()
    apart = _Apart(text, frozenset(names), package, named)
    rest = [apart.source(name) for name in apart.functions if name not in names]
    return apart.module(rest), tuple(apart.made.values())


@dataclass(eq=False)
class _Apart:
    """The functions of a module, and the kernels among them that are modules by now, by their names."""

    text: str
    names: frozenset[str]
    package: str
    named: Named
    made: dict[str, Kernel] = field(default_factory=dict)
    imports: Sequence[ast.Import | ast.ImportFrom] = ()
    functions: Mapping[str, ast.FunctionDef] = field(default_factory=dict)

    def __post_init__(self) -> None:
        body = ast.parse(self.text).body
        self.imports = [n for n in body if isinstance(n, (ast.Import, ast.ImportFrom))]
        self.functions = {n.name: n for n in body if isinstance(n, ast.FunctionDef)}

    def source(self, name: str) -> str:
        """A function as it stands in the module, with its decorator."""
        node = self.functions[name]
        first = min([node.lineno, *(n.lineno for n in node.decorator_list)])
        return "\n".join(self.text.splitlines()[first - 1 : node.end_lineno])

    def module(self, functions: Sequence[str]) -> str:
        """The text of a module of these functions, with the imports that they need."""
        trees = [ast.parse(f) for f in functions]
        used = {n.id for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Name)}
        own = {n.name for tree in trees for n in tree.body if isinstance(n, ast.FunctionDef)}
        called = [name for name in self.functions if name in self.names and name in used - own]
        heads = [*self._imported(used), *(f"from {self.package}.{self._kernel(n).module} import {n}" for n in called)]
        return "\n\n\n".join(["\n".join(heads), *functions]) + "\n"

    def _imported(self, used: Collection[str]) -> Iterator[str]:
        for node in self.imports:
            kept = [alias for alias in node.names if (alias.asname or alias.name) in used]
            if kept and isinstance(node, ast.Import):
                yield ast.unparse(ast.Import(kept))
            elif kept and isinstance(node, ast.ImportFrom):
                yield ast.unparse(ast.ImportFrom(node.module, kept, node.level))

    def _kernel(self, name: str) -> Kernel:
        if name not in self.made:
            text = self.module([self.source(name)])
            self.made[name] = Kernel(self.named(name, text), text)
        return self.made[name]
