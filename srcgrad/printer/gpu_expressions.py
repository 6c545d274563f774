"""The Python expression that a scalar primitive is printed as on the GPU, where NumPy's functions do not exist."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from srcgrad.core import ir
from srcgrad.core.ir import Type
from srcgrad.printer import templates
from srcgrad.printer.gpu_helpers import HELPERS, SINGLE

# NumPy's name -> that in `math`, where it is another one
SPELLED = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "deg2rad": "radians",
    "rad2deg": "degrees",
}
SAME = frozenset(
    "exp expm1 log log2 log10 log1p sqrt sin cos tan sinh cosh tanh hypot copysign isnan isinf isfinite fabs fmod"
    " degrees radians pi e".split()
)
IN_MATH = frozenset({"exp2", "cbrt", "gcd", "lcm"})  # functions of `math` that CUDA's lacks
KEPT = frozenset("float32 float64 int64 int32 bool_ complex64 complex128 inf nan".split())


class NotOnDevice(Exception):
    """A template needs something that has no form on the GPU."""


@lru_cache(maxsize=4096)
def translated(text: str, single: bool) -> tuple[str, tuple[str, ...]]:
    """An expression without NumPy's functions, and the names of the helpers that it calls. single: whether it gives
    single precision, so that helpers must compute in it."""
    writer = _Writer(single, literals=single)
    return ast.unparse(writer.visit(ast.parse(text, mode="eval"))), tuple(writer.called)


def template(op: ir.Primitive) -> Any:
    """The primitive's template for scalars on the GPU."""

    def on_device(types: tuple[Type, ...], params: dict[str, Any]) -> Any:
        text, helpers = templates.expanded(op, types, params)
        single = bool(types) and all(t.dtype in ("f4", "i8", "b1") for t in types) and any(t.is_float for t in types)
        made = with_helpers(text, helpers, single)
        code, sources = made if isinstance(made, tuple) else (made, {})
        if any(t.is_complex for t in types) and any("math." in piece for piece in (code, *sources.values())):
            raise NotOnDevice("form of it for complex numbers")  # CUDA's `math` is of real ones
        return made

    return on_device


def with_helpers(text: str, helpers: Mapping[str, str], single: bool) -> Any:
    """The expression, with the sources of all helpers that it needs."""
    code, called = translated(text, single)
    sources = {name: _helper(source) for name, source in helpers.items() if name not in HELPERS}
    for name in [*called, *(n for _, names in sources.values() for n in names)]:
        _include(name, sources)
    used = {name: source for name, (source, _) in sources.items()}
    return (code, used) if used else code


def _include(name: str, sources: dict[str, tuple[str, tuple[str, ...]]]) -> None:
    if name not in sources:
        plain = name.removesuffix("_single")
        single = name != plain
        sources[name] = made = _helper(SINGLE.get(plain, HELPERS[plain]) if single else HELPERS[plain], single)
        for inner in made[1]:
            _include(inner, sources)


@lru_cache(maxsize=1024)
def _helper(source: str, single: bool = False) -> tuple[str, tuple[str, ...]]:
    """A helper's source for the GPU, and the device helpers that it calls. single: in single precision."""
    writer = _Writer(single, literals=single)
    tree = ast.parse(source.strip())
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    before = ast.unparse(tree)
    if single:
        function.name += "_single"
    function.body = [writer.visit(stmt) for stmt in function.body]
    text = ast.unparse(tree)
    return source.strip() if text == before else text, tuple(writer.called)  # a text that stays keeps its comments


class _Writer(ast.NodeTransformer):
    """Writes what CUDA has in the place of NumPy's functions."""

    def __init__(self, single: bool, literals: bool = False) -> None:
        self.single, self.literals = single, literals
        self.called: dict[str, None] = {}

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if not self.literals or type(node.value) is not float:
            return node
        return ast.Call(ast.Attribute(ast.Name("np", ast.Load()), "float32", ast.Load()), [node], [])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = _member(node.func, "np")
        if name in KEPT and isinstance(node.args[0], ast.Constant):
            return node
        if self.single and _member(node.func, "math") is not None:
            node = ast.Call(node.func, [_unwidened(a) for a in node.args], node.keywords)
        args = [self.visit(a) for a in node.args]
        if node.keywords:
            raise NotOnDevice(ast.unparse(node.func))
        if name == "where":
            return ast.IfExp(*args)
        if name == "conj":
            return ast.Call(ast.Attribute(args[0], "conjugate", ast.Load()), [], [])
        if name in ("abs", "absolute"):
            return ast.Call(ast.Name("abs", ast.Load()), args, [])
        if name in ("power", "float_power"):
            return ast.BinOp(args[0], ast.Pow(), args[1])
        return ast.Call(self.function(node.func), args, [])

    def function(self, node: ast.expr) -> ast.expr:
        """What is called."""
        name = _member(node, "np")
        if name in HELPERS or _member(node, "math") in IN_MATH:
            return self.helper(name or _member(node, "math") or "")
        if isinstance(node, ast.Name) and node.id in HELPERS:
            return self.helper(node.id)
        return self.visit(node)  # type: ignore[no-any-return]

    def helper(self, name: str) -> ast.expr:
        name += "_single" if self.single else ""
        self.called[name] = None
        return ast.Name(name, ast.Load())

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        name = _member(node, "np")
        if name is None or name in KEPT:
            return node if name else ast.Attribute(self.visit(node.value), node.attr, node.ctx)
        if name in SAME or name in SPELLED:
            return ast.Attribute(ast.Name("math", ast.Load()), SPELLED.get(name, name), ast.Load())
        raise NotOnDevice(f"np.{name}")


def _unwidened(node: ast.expr) -> ast.expr:
    """`x` of `np.float64(x)`: CUDA's functions of single precision give single precision."""
    return node.args[0] if isinstance(node, ast.Call) and _member(node.func, "np") == "float64" else node


def _member(node: ast.AST, module: str) -> str | None:
    """The name in `module.name`."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == module:
        return node.attr
    return None
