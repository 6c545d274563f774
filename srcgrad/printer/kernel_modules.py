"""Kernels: functions that many generated modules have, each in a module of its own, which these import."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from srcgrad.errors import Problem

# (the function's name, the text of its module) -> the name of that module
Named = Callable[[str, str], str]


class Module(NamedTuple):
    """The text of a module, and the names of its kernels: functions that other modules may have, too.   failures: what
    its checks tell, by their messages."""

    text: str
    kernels: tuple[str, ...] = ()
    failures: Mapping[str, tuple[str, Problem]] = {}


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
