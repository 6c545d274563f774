"""Generated modules by name, for Numba's cache of compiled code that calls derivatives and solvers.

Such code names the modules that it was compiled of, and Numba imports them when it loads it, in any later process. The
import succeeds if the functions that a module was generated from are here and have not changed; else it raises
`Stale`, upon which Numba compiles again.
"""

from __future__ import annotations

import inspect
import json
import sys
import types
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from srcgrad.backend import cache, cpu
from srcgrad.compiler.fingerprint import fingerprint

PACKAGE = "srcgrad_generated"
SUFFIX = ".from"


class Stale(OSError):
    """What a module was generated from has changed, or is not here: an OSError, for which Numba compiles again."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A function of the user's that code was generated from, with the hash of what it is; of one that is not found by
    its name, its file and the hash of that."""

    module: str
    name: str
    hash: str
    file: str = ""

    def holds(self, exact: bool) -> bool:
        if self.file:
            return _hash_of_file(self.file) == self.hash
        return any(fingerprint(f, exact=exact).hexdigest() == self.hash for f in _functions(self.module, self.name))


def witnesses(fun: Any, exact: bool) -> list[Witness] | None:
    """All functions that code was generated from; None if a later process can never find one of them.

    exact: numbers and arrays that they take from around them count by value.
    """
    found: list[Witness] = []
    for function in fingerprint(fun).functions:
        module, name, file = str(function.__module__), function.__qualname__, function.__code__.co_filename
        if any(f is function for f in _functions(module, name)):
            found.append(Witness(module, name, fingerprint(function, exact=exact).hexdigest()))
        elif (hash := _hash_of_file(file)) is not None:
            found.append(Witness(module, name, hash, file))
        else:
            return None
    return found


def record(name: str, fun: Any, exact: bool = False) -> None:
    """Keep what a generated module of this name is made from."""
    found = witnesses(fun, exact)
    if found is None:
        return
    text = json.dumps({"exact": exact, "from": [asdict(w) for w in found]})
    cache.keep_beside(cache.folder() / f"{name}{SUFFIX}", text.encode())


def home(fun: Any) -> str:
    """The module of a function that calls generated code with what is captured frozen: its name stands for the values,
    too."""
    found = witnesses(fun, exact=True)
    known = repr((found if found is not None else id(fun), fingerprint(fun).hexdigest(), cache.version()))
    name = f"call_{cache.digest(known.encode()).hex()[:20]}"
    record(name, fun, exact=True)
    return f"{PACKAGE}.{name}"


def current(name: str) -> bool:
    """Whether all that the module of this name was generated from is here, as it was then."""
    data = cache.read(cache.folder() / f"{name}{SUFFIX}")
    try:
        known = json.loads(data or b"null")
        return all(Witness(**entry).holds(known["exact"]) for entry in known["from"])
    except (ValueError, TypeError, KeyError):
        return False


def _path(name: str) -> Path:
    return cache.folder() / f"{name}.py"


def _kernel(name: str) -> bytes | None:
    """The text of a kernel's module, which does not change: its name stands for it."""
    return cache.read(_path(name))


def _functions(module: str, name: str) -> Iterator[types.FunctionType]:
    """What is found under this name now, and the functions that it was made from."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    seen: list[Any] = []
    while found is not None and not any(found is s for s in seen):
        seen.append(found)
        inner = getattr(found, "py_func", found)
        if isinstance(inner, types.FunctionType):
            yield inner
        found = inspect.getattr_static(found, "__wrapped__", None)


def _hash_of_file(path: str) -> str | None:
    try:
        return cache.digest(Path(path).read_bytes()).hex()
    except OSError:
        return None


class Finder(MetaPathFinder, Loader):
    """Finds the package of generated modules, where it is not installed, and what is in it."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if name == PACKAGE:
            return ModuleSpec(name, self, is_package=True)
        package, _, module = name.rpartition(".")
        if package != PACKAGE:
            return None
        if not (_kernel(module) if cache.KERNEL in module else current(module)):
            raise Stale(f"{name}: what it was generated from has changed, or is not here; compile again what calls it")
        return ModuleSpec(name, self)

    def exec_module(self, module: types.ModuleType) -> None:
        """Of a kernel all that is in it. Of others nothing: compiled code takes no more of them than that they are
        there."""
        _, _, name = module.__name__.rpartition(".")
        text = _kernel(name) if cache.KERNEL in name else None
        if text is not None:
            cpu.fill(module, _path(name), text.decode())


def install() -> None:
    """Let Python find generated modules."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.append(Finder())


install()
