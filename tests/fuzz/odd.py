"""The same program under odd names: such as meet those of generated code, of modules, of builtins or of Numba."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from tests.fuzz.programs import Fuzzed

ENDINGS = ("_", "__", "_2", "_1_2", "_1", "_bar", "_dot", "_kept", "_kept_", "_bar_2", "2", "_፩", "é", "_ß_")
WORDS = (
    "t", "t_2", "t_3", "t2", "t_", "_t", "x_bar", "x_dot", "x_kept", "a_bar", "s_bar", "value", "value_bar", "vector",
    "i", "n_2", "rows", "turns", "place", "list", "dict", "type", "id", "input", "sum_", "abs_", "len_", "min_2", "in_",
    "is_", "lambda_", "None_", "match", "case", "random", "numba", "njit", "prange", "cuda", "np_", "math_", "scipy",
    "self", "cls", "f_grad", "f_2", "forward", "reverse", "exit", "copy", "object", "I", "O", "l", "µ", "ж", "λ_1",
)  # fmt: skip


def renamed(p: Fuzzed, seed: int) -> Fuzzed:
    """The program with most of the names of `f` replaced by odd ones."""
    tree = ast.parse(p.text)
    (main,) = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "f"]
    new = Renamed(_choices(tree, main, Random(seed ^ 0x0DD))).visit(main)
    tree.body[tree.body.index(main)] = new
    return replace(p, text=ast.unparse(ast.fix_missing_locations(tree)) + "\n", name=f"{p.name}_odd")


def _choices(tree: ast.Module, main: ast.FunctionDef, random: Random) -> dict[str, str]:
    """A new name for most names that are bound in the function; none that means something else anywhere."""
    nodes = list(ast.walk(tree))
    taken = {n.id for n in nodes if isinstance(n, ast.Name)} | {n.arg for n in nodes if isinstance(n, ast.arg)}
    taken |= {n.name for n in nodes if isinstance(n, ast.FunctionDef)}
    keywords = {n.arg for n in nodes if isinstance(n, ast.keyword)}
    out: dict[str, str] = {}
    for name in dict.fromkeys(_bound(main)):
        if name in keywords or random.random() < 0.2:
            continue
        wish = random.choice(WORDS) if random.random() < 0.5 else _variation(name, random)
        if wish not in taken:
            out[name] = wish
            taken.add(wish)
    return out


def _variation(name: str, random: Random) -> str:
    return ("_" if random.random() < 0.1 else "") + name + random.choice(ENDINGS)


def _bound(main: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(main):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


class Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.new: Callable[[str], str] = lambda name: names.get(name, name)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.new(node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(self.new(node.arg), node.annotation)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.Nonlocal:
        return ast.Nonlocal([self.new(n) for n in node.names])
