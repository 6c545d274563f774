"""Generated modules as they are saved: two versions of a function behind one name, and what a module needs."""

from __future__ import annotations

import ast
import re

from srcgrad.errors import REPEATED

# of NumPy, for which Numba calls SciPy's BLAS and LAPACK
LINEAR_ALGEBRA = ("linalg", "dot", "vdot", "cov", "corrcoef", "roots")


def saved(text: str, general: str | None, name: str, what: str) -> str:
    """The module to be saved. text: of the function of this name; general: of the one to which arrays with axes of
    length 1 go, where that is another; what: a sentence on the types."""
    whole = text if general is None else both(text, general, name)
    return f'"""{what}\n\n{needs(whole)}\n"""\n{whole}'


def needs(text: str) -> str:
    """What a module imports, in a sentence."""
    tree = ast.parse(text)
    imports = [n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom))]
    homes = [n.module if isinstance(n, ast.ImportFrom) else n.names[0].name for n in imports]
    names = {"math": "", "random": "", "sys": "", "time": "", "numpy": "NumPy", "numba": "Numba"}
    found = [told for home in homes if (told := names.get(str(home), f"the module {home}"))]
    sentence = f"It needs {' and '.join(found) or 'Python alone'}."
    if "Numba" in found and any(_is_linear_algebra(node) for node in ast.walk(tree)):
        sentence += " Numba needs SciPy for its linear algebra."
    return sentence


def _is_linear_algebra(node: ast.AST) -> bool:
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        return isinstance(node.op, ast.MatMult)
    return isinstance(node, ast.Attribute) and node.attr in LINEAR_ALGEBRA


def both(text: str, general: str, name: str) -> str:
    """One module of two: the function that repeats no axis sends arrays with axes of length 1 to the general one."""
    ours, theirs = _functions(text), _functions(general)
    new = {n: _unused(f"{n}_repeating", {*ours, *theirs}) for n in _different(ours, theirs)}
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, new))})\b")
    others = [pattern.sub(lambda m: new[m[0]], body) for n, body in theirs.items() if n in new or n not in ours]
    call = f"return {new[name]}({', '.join(_parameters(ours[name]))})"
    guarded = ours[name].replace(f"raise ValueError({REPEATED!r})", call)
    helpers = [body for n, body in ours.items() if n != name]
    return "\n\n\n".join([_imports(text, general), guarded, *others, *helpers]) + "\n"


def _functions(text: str) -> dict[str, str]:
    """The text of each function of a module."""
    lines = text.splitlines()
    found = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    first = {node.name: min([node.lineno, *(d.lineno for d in node.decorator_list)]) for node in found}
    return {node.name: "\n".join(lines[first[node.name] - 1 : node.end_lineno]) for node in found}


def _different(ours: dict[str, str], theirs: dict[str, str]) -> list[str]:
    """The functions that both have, and that are not the same in both, or call one that is not."""
    out = [n for n in ours if n in theirs and ours[n] != theirs[n]]
    while more := [n for n in ours if n in theirs and n not in out and _calls(ours[n], out)]:
        out += more
    return out


def _calls(text: str, names: list[str]) -> bool:
    return any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(ast.parse(text)))


def _unused(name: str, taken: set[str]) -> str:
    return name if name not in taken else _unused(f"{name}_", taken)


def _parameters(function: str) -> list[str]:
    (node,) = ast.parse(function).body
    assert isinstance(node, ast.FunctionDef)
    return [arg.arg for arg in node.args.args]


def _imports(*texts: str) -> str:
    """The imports of these modules, each once."""
    plain: dict[str, None] = {}
    names: dict[str, set[str]] = {}
    for node in (n for text in texts for n in ast.parse(text).body):
        if isinstance(node, ast.Import):
            plain[ast.unparse(node)] = None
        elif isinstance(node, ast.ImportFrom):
            names.setdefault(str(node.module), set()).update(alias.name for alias in node.names)
    return "\n".join([*sorted(plain), *(f"from {m} import {', '.join(sorted(n))}" for m, n in names.items())])
