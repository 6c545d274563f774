"""The shape of a package's source tree: its imports, layers, and the sizes of its files and functions."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

LEVELS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("optional",),
    ("core",),
    ("numeric", "numpy", "python", "scipy"),
    ("rules",),
    ("printer", "analysis", "bounds"),
    ("frontend", "simplify", "transform"),
    ("schedule",),
    ("gpu", "backend", "pages"),
    ("compiler",),
    ("derivatives",),
    ("api", "cuda"),
    ("bridges", "optimize", "testing"),
    ("terminal",),
    ("__main__",),
)
# What lies on top of everything: the package's front.
FRONT = "__init__"
CONFINED = {"ast": {"frontend", "gpu", "printer"}, "astor": {"printer"}, "numba": {"backend"}, "llvmlite": {"backend"}}

COMPUTED = "<computed>"  # the name of a module that is not a literal

Functions = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One imported module, as written at `line` of `module`."""

    module: str
    line: int
    target: str
    inside_function: bool


@dataclass(frozen=True)
class Tree:
    """The modules of the package whose `__init__.py` lies in `root`."""

    root: Path

    @cached_property
    def modules(self) -> dict[str, Path]:
        """Dotted name below the package ('core.ir'; 'core.__init__' for a folder's front) -> file."""
        files = sorted(self.root.rglob("*.py"))
        return {".".join(f.relative_to(self.root).with_suffix("").parts): f for f in files}

    @cached_property
    def parsed(self) -> dict[str, ast.Module]:
        return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in self.modules.items()}

    @cached_property
    def imports(self) -> list[Import]:
        return [i for name, tree in self.parsed.items() for i in self._imports_of(name, tree)]

    @cached_property
    def edges(self) -> dict[str, set[str]]:
        """module -> modules of the package that it imports by name."""
        out: dict[str, set[str]] = {name: set() for name in self.modules}
        for i in self.imports:
            inner = self.own(i.target)
            if inner is not None and inner != i.module:
                out[i.module].add(inner)
        return out

    def own(self, target: str) -> str | None:
        """The package's module that `target` (dotted, absolute) names or lies in; None for another package's."""
        parts = target.split(".")
        if parts[0] != self.root.name:
            return None
        for end in range(len(parts), 0, -1):
            stem = ".".join(parts[1:end])
            for name in (stem, f"{stem}.__init__" if stem else FRONT):
                if name in self.modules:
                    return name
        raise LookupError(target)

    def _imports_of(self, module: str, tree: ast.Module) -> Iterator[Import]:
        for node, inside in _walk(tree, False):
            for target in self._targets(module, node):
                yield Import(module, node.lineno, target, inside)  # type: ignore[attr-defined]

    def _targets(self, module: str, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                path = [self.root.name, *module.split(".")]
                base = ".".join(filter(None, [*path[: -node.level], base]))
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            argument = node.args[0]
            yield argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else COMPUTED

    def functions(self) -> Iterator[tuple[str, str, int]]:
        """(module, function's name, its length in lines) of every function, inner ones too."""
        for module, tree in self.parsed.items():
            for node in ast.walk(tree):
                if isinstance(node, Functions):
                    yield module, node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def _walk(node: ast.AST, inside: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, with whether it stands inside a function.

    A module's own `__getattr__` (PEP 562) does not count: what it loads late is an import of the module all the same,
    and has to point the same way.
    """
    yield node, inside
    inner = inside or isinstance(node, Functions | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.Module) and isinstance(child, ast.FunctionDef) and child.name == "__getattr__":
            yield from ((part, False) for part in ast.walk(child))
        else:
            yield from _walk(child, inner)


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def layer(module: str) -> str:
    """The layer of a module: its folder, or its own name at the top of the package."""
    return module.split(".")[0]


def level(name: str) -> int | None:
    """The height of a layer; None if the list above does not know it."""
    if name == FRONT:
        return len(LEVELS)
    return next((i for i, names in enumerate(LEVELS) if name in names), None)


def unplaced(tree: Tree) -> list[str]:
    return sorted({layer(m) for m in tree.modules if level(layer(m)) is None})


def breaches(tree: Tree) -> list[str]:
    """Imports that go upwards, or sideways between the folders of one level."""
    return [
        f"{source} imports {target}"
        for source, targets in tree.edges.items()
        for target in sorted(targets)
        if not _allowed(layer(source), layer(target))
    ]


def _allowed(source: str, target: str) -> bool:
    above, below = level(source), level(target)
    return source == target or (above is not None and below is not None and below < above)


def confined(tree: Tree) -> list[str]:
    """Imports of a foreign package outside the folder that alone may know it."""
    return [
        f"{i.module}:{i.line} imports {i.target}"
        for i in tree.imports
        if layer(i.module) not in CONFINED.get(i.target.split(".")[0], {layer(i.module)})
    ]


def circle(edges: dict[str, set[str]]) -> list[str]:
    """Modules that import one another in a ring; empty if there is none."""
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for target in sorted(edges[module]):
            if found := visit(target, [*path, module]):
                return found
        done.add(module)
        return []

    return next(filter(None, (visit(module, []) for module in edges)), [])


def room_arrows(tree: Tree) -> dict[str, set[str]]:
    """layer -> the other layers that it imports."""
    arrows: dict[str, set[str]] = {layer(module): set() for module in tree.modules}
    for source, targets in tree.edges.items():
        arrows[layer(source)] |= {layer(target) for target in targets} - {layer(source)}
    return arrows


def floors(arrows: dict[str, set[str]]) -> int:
    """How many layers stand on one another, in the highest pile."""
    heights: dict[str, int] = {}

    def height(room: str) -> int:
        if room not in heights:
            heights[room] = 1 + max(map(height, arrows[room]), default=0)
        return heights[room]

    return max(map(height, arrows))


def room_figures(tree: Tree) -> str:
    """One line: how many layers there are, how high they stand, and how many import others."""
    arrows = room_arrows(tree)
    count = sum(map(len, arrows.values()))
    return f"{tree.root.name}: {len(arrows)} rooms on {floors(arrows)} floors, {count} arrows between them"


def length_figures(tree: Tree) -> str:
    """One line: how many functions, and how long they are."""
    lengths = [length for _, _, length in tree.functions()]
    tail = statistics.quantiles(lengths, n=20)[-1]
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in tree.modules.values())
    return (
        f"{tree.root.name}: {len(tree.modules)} files, {lines} lines, {len(lengths)} functions; "
        f"function length: median {statistics.median(lengths):g}, 95th percentile {tail:g}, longest {max(lengths)}"
    )
