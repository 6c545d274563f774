"""From the core language to the Python that an expert would have written by hand."""

from __future__ import annotations

import ast
import functools
import re
import symtable
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from srcgrad.core import ir, walk
from srcgrad.core.inline import inlined
from srcgrad.core.ir import Fun, Program
from srcgrad.core.shapes import FULL
from srcgrad.errors import Problem, UnsupportedError
from srcgrad.printer import kernels, templates
from srcgrad.printer.coalesce import Classes
from srcgrad.printer.evaluation_order import lay_out
from srcgrad.printer.expressions import TemplateOf
from srcgrad.printer.folding import Folds
from srcgrad.printer.kernel_modules import Module
from srcgrad.printer.names import mistakable, name_variables
from srcgrad.printer.overloads import Overloads
from srcgrad.printer.statements import Statements
from srcgrad.printer.templates import Template

with warnings.catch_warnings():
    # astor looks up node classes that Python deprecates, at import
    warnings.simplefilter("ignore", DeprecationWarning)
    import astor

# Only loops over prange: of array expressions Numba's automatic parallel loops race where slices overlap, sum in the
# order of threads, and take seconds to compile.
KINDS = ("comprehension", "fusion", "inplace_binop", "reduction", "setitem", "stencil")
PARALLEL = f"parallel={dict.fromkeys(KINDS, False)}"
FASTMATH = r", fastmath=(\{.*?\}|True)"
INLINED = "# inlined"


@dataclass(frozen=True, slots=True)
class _Written:
    """The texts of functions by their names, as they are found to be needed.

    into: whether what computes into memory is printed so.   helpers: of templates and of the printer.   calls: the
    names of those that call one function of NumPy's.   outlined: parts of the program.
    """

    functions: frozenset[str]
    template: TemplateOf
    into: bool = False
    helpers: dict[str, str] = field(default_factory=dict)
    calls: set[str] = field(default_factory=set)
    outlined: dict[str, str] = field(default_factory=dict)

    def printed(self, stmt: ir.Let | ir.Draw) -> Template:
        """What a primitive is printed as; no function that it needs is named as one of the program's."""
        return kernels.without(self.functions, self.template(stmt))

    def stored(self, stmt: ir.Store, folds: Folds) -> Template | None:
        """What a store of a whole result is printed as, where that is computed into the memory itself."""
        let = folds.inside.get(stmt.value) if isinstance(stmt.value, ir.Var) else None
        if not self.into or stmt.ref not in folds.results or not isinstance(let, ir.Let):
            return None
        read = set().union(*(folds.memory.of(v) for a in let.args for v in (a, *folds.leaves(a))))
        whole = all(item == FULL for item in stmt.index) and stmt.ref.type == replace(let.target.type, ref=True)
        made = kernels.template_into(let) if whole and read.isdisjoint(folds.memory.of(stmt.ref)) else None
        return None if made is None else kernels.without(self.functions, made)

    def need(self, fun: Fun, folds: Folds) -> None:
        """Take in what the templates of a function need."""
        stored = {s.value: self.stored(s, folds) for s in walk.walk(fun.body) if isinstance(s, ir.Store)}
        for stmt in walk.walk(fun.body):
            if isinstance(stmt, (ir.Let, ir.Draw)):
                into = stored.get(stmt.targets[0]) if isinstance(stmt, ir.Let) else None
                made = (into or self.printed(stmt)).helpers
                self.helpers.update(made)
                self.calls.update(made if not templates.of_let(stmt).helpers else ())

    def helper(self, name: str, source: str) -> str:
        """Take in one of the printer's; gives its name here."""
        own = kernels.free(name, self.functions)
        self.helpers[own] = kernels.renamed(source, {name: own})
        return own


def render(program: Program, *, jit_options: str | None = None, decorator: str = "njit") -> str:
    """The text of a module: the program's function, those that it calls, and the helpers and imports that they need.

    With jit_options, every function is decorated with `@njit(jit_options)`, or with `@cuda.jit(...)`.
    """
    return module(program, jit_options=jit_options, decorator=decorator).text


def module(program: Program, *, jit_options: str | None = None, decorator: str = "njit") -> Module:
    """The module, its text being that of `render`."""
    funs = [*program.callees.values(), program.main]
    if decorator == "cuda.jit":
        _expect_plain_prints(funs)
    compiled = jit_options is not None
    by_numba = compiled and decorator == "njit"
    written = _Written(frozenset(f.name for f in funs), kernels.template_of if by_numba else templates.of_let, by_numba)
    overloads = Overloads(program) if by_numba and program.callees else None
    bodies = {fun.name: _function(fun, written, compiled, overloads) for fun in funs}
    # what the reader has come for first: functions that are called are found when it is called
    texts = [*reversed(bodies.values()), *written.outlined.values(), *written.helpers.values()]
    raised = (s for f in funs for s in walk.walk(f.body) if isinstance(s, ir.Raise))
    homes = {(s.module, s.name) for s in raised if not s.builtin}
    head = None if jit_options is None else f"{decorator}({jit_options})"
    parallel = {fun.name for fun in funs if any(isinstance(s, ir.For) and s.parallel for s in walk.walk(fun.body))}
    heads = {
        text: f"{decorator}({jit_options}, {PARALLEL})" for name, text in bodies.items() if name in parallel and head
    }
    calls = {written.helpers[name] for name in written.calls}
    decorated = (_decorated(text, heads.get(text, head), text in calls) for text in texts)
    parts = [_imports(texts, head, homes), *decorated]
    return Module("\n\n\n".join(part for part in parts if part) + "\n", tuple(written.helpers) if by_numba else ())


def render_kernels(funs: Sequence[Fun]) -> str:
    """The text of a module of kernels, with the device functions that they call."""
    _expect_plain_prints(funs)
    written = _Written(frozenset(f.name for f in funs), templates.of_let)
    bodies = [_function(fun, written) for fun in funs]
    helpers = [*written.helpers.values(), *written.outlined.values()]
    parts = [_imports([*helpers, *bodies], "cuda.jit", ())]
    parts += [_decorated(text, "cuda.jit(device=True)") for text in helpers]
    return "\n\n\n".join([*parts, *(_decorated(text, "cuda.jit") for text in bodies)]) + "\n"


def _expect_plain_prints(funs: Iterable[Fun]) -> None:
    """Refuse prints that a GPU's thread cannot make."""
    for stmt in (s for fun in funs for s in walk.walk(fun.body)):
        if isinstance(stmt, ir.Print) and stmt.in_python:
            message, hint, span = "a GPU prints numbers and literal texts alone", "print without formats", stmt.span
            where = (span.file, span.line, span.column, " " * span.column + span.text) if span is not None else ()
            raise UnsupportedError(message, problems=[Problem(message, hint, *where)])


def _decorated(text: str, head: str | None, exact: bool = False) -> str:
    """A function that may be compiled. A helper that is said to give a float computes it in the order that is written:
    its accuracy rests on that. One that is said to be inlined becomes part of loops, which are vector code only so."""
    if head is None:
        return text.strip()
    if "with objmode(" in text:
        head = head.replace("nogil=True, ", "")
    first = text.split("\n", 1)[0]
    if first.endswith(INLINED):
        head = re.sub(FASTMATH, ", fastmath={'contract'}", head)[:-1] + ", forceinline=True)"
    elif exact or first.endswith(("-> float:", "-> tuple[float, float]:")):
        head = re.sub(FASTMATH, "", head)
    return f"@{head}\n{text.strip()}"


def _function(fun: Fun, written: _Written, compiled: bool = True, overloads: Overloads | None = None) -> str:
    fun = inlined(fun)
    folds = Folds(fun)
    nodes = lay_out(fun.body, folds)
    classes = Classes(fun, nodes, folds)
    written.need(fun, folds)
    taken = written.functions | written.helpers.keys() | written.outlined.keys()
    if any(isinstance(s, ir.Print) and s.tells for s in walk.walk(fun.body)):
        taken |= {"sys"}
    for apart in (False, True):
        names = name_variables(fun, classes, folds.defs, taken, apart)
        called = None if overloads is None else functools.partial(overloads.written, fun)
        printer = Statements(folds, names, written.helper, compiled, called, written.printed, written.stored)
        tree = printer.function(fun, nodes)
        if not mistakable(tree, names):
            break
    written.outlined.update((made.name, to_source(made)) for made in printer.outlined)
    return to_source(tree)


def to_source(tree: ast.stmt) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        text: str = astor.to_source(tree, pretty_source="".join)
    return text


IMPORTED = frozenset({"math", "random", "sys", "time", "np", "cuda", "objmode", "prange"})


def _imported(scope: symtable.SymbolTable) -> Iterator[str]:
    """Those of the modules and names that a scope, or one inside it, takes from around the function."""
    for name in IMPORTED.intersection(scope.get_identifiers()):
        if scope.lookup(name).is_global():
            yield name
    for inner in scope.get_children():
        yield from _imported(inner)


def _imports(texts: Iterable[str], head: str | None, homes: Iterable[tuple[str, str]]) -> str:
    used = {name for text in texts for name in _imported(symtable.symtable(text, "<generated>", "exec"))}
    lines = [[f"import {name}"] for name in ("math", "random", "sys", "time") if name in used]
    lines += [["import numpy as np"]] if "np" in used else []
    decorator = {re.split(r"\W", head)[0]} if head else set()
    numba = ", ".join(sorted(decorator | used & {"cuda", "objmode", "prange"}))
    blocks = [*(line[0] for line in lines if line), *([f"from numba import {numba}"] if numba else [])]
    blocks += [f"from {module} import {name}" for module, name in sorted(homes)]
    return "\n".join(blocks)
