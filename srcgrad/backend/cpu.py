"""Generated modules on the CPU: loaded from their files, compiled by Numba or run as they are."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import linecache
import logging
import random
import re
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numba
import numpy as np

from srcgrad.backend import shim
from srcgrad.backend.compiling import heal, logged
from srcgrad.core.types import Type
from srcgrad.errors import ArgumentError, Problem, SrcgradError

LOG = logging.getLogger("srcgrad")
FAST = ("arcp", "contract", "nsz", "reassoc")


NO_FFT = "compiled Fourier transforms need rocket-fft; pip install 'srcgrad[fft]', or pass jit=False"


class Mismatch(ArgumentError):
    """Compiled code was called with arguments of other types than it was made for."""


def jit_options(fastmath: bool | Sequence[str], cache: bool = True) -> str:
    """The keywords of `@njit` in a generated module."""
    flags = "True" if fastmath is True else "{" + ", ".join(f"'{f}'" for f in sorted(fastmath or ())) + "}"
    words = ["nogil=True", f"cache={cache}", "error_model='numpy'"]
    words += [f"fastmath={flags}"] if fastmath else []
    return ", ".join(words)


@functools.lru_cache(maxsize=1)
def versions() -> str:
    fft = importlib.metadata.version("rocket-fft") if has_fft() else ""
    return f"{numba.__version__} {np.__version__} {fft}".rstrip()


def has_fft() -> bool:
    """Whether Numba finds np.fft: rocket-fft tells it of itself where it is installed."""
    return importlib.util.find_spec("rocket_fft") is not None


def expect_fft(text: str) -> None:
    """Refuse a module that Numba cannot compile here for its Fourier transforms."""
    if not compilable(text):
        raise SrcgradError(NO_FFT)


def compilable(text: str) -> bool:
    """Whether Numba can compile a module here: there may be nothing that tells it of Fourier transforms."""
    return "np.fft." not in text or has_fft()


def entry(dispatcher: Any, *kinds: type) -> Callable[..., Any]:
    """The compiled code for numbers of these classes, and no others, which does not look at what it is given."""
    overload = dispatcher.overloads[tuple(numba.typeof(kind()) for kind in kinds)]
    return overload.entry_point  # type: ignore[no-any-return]


def compile_once(name: str, text: str, args: Sequence[Any]) -> None:
    """Compile the function of this name in a module, and what it calls, for arguments of these types: what it calls
    and imports is kept, the module itself is not."""
    namespace: dict[str, Any] = {"__name__": "srcgrad_compiled_once"}
    exec(compile(text.replace("cache=True", "cache=False"), "<compiled once>", "exec"), namespace)
    namespace[name].compile(tuple(map(numba.typeof, args)))


def load_module(path: Path, text: str | None = None) -> dict[str, Any]:
    """The namespace of a generated module; of its text, where it is known. What Python would keep of its own beside the
    file is not read: it is not checked."""
    text = path.read_text(encoding="utf-8") if text is None else text
    name = f"srcgrad_generated.{path.stem}"
    linecache.cache[str(path)] = len(text), None, text.splitlines(True), str(path)
    try:
        return _executed(name, path, text)
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        LOG.info("%s is compiled without a cache: %s", path, error)
        return _executed(name, path, text.replace("cache=True", "cache=False"))


def _executed(name: str, path: Path, text: str) -> dict[str, Any]:
    module = types.ModuleType(name)
    sys.modules[name] = module
    fill(module, path, text)
    return vars(module)


def fill(module: types.ModuleType, path: Path, text: str) -> None:
    """Run the text of a generated module, which lies there, as this module."""
    module.__file__ = str(path)
    exec(compile(text, str(path), "exec", dont_inherit=True), vars(module))
    heal(vars(module), path.parent)


def load(path: Path, name: str, types: Sequence[Type], jit: bool, text: str | None = None) -> Callable[..., Any]:
    """The function of a generated module (of this text) that takes arguments of these types."""
    namespace = load_module(path, text)
    if not jit:
        namespace["math"] = shim.math_shim()
        namespace.update(max=shim.chooser(max), min=shim.chooser(min))
        if "np.random." in (path.read_text(encoding="utf-8") if text is None else text):
            namespace["np"] = shim.NumPyShim()
        if "random" in namespace:
            namespace["random"] = shim.drawing_shim(random)
        return shim.interpreted(namespace[name])
    dispatcher = namespace[name]
    guard(dispatcher, types, path)
    return dispatcher  # type: ignore[no-any-return]


def guard(dispatcher: Any, types: Sequence[Type], path: Path) -> None:
    """Let the dispatcher compile, when called from Python, for exactly these types, all arrays being contiguous and
    writable: then a caller can hand over what it was given without looking at it, and try again after `Mismatch`."""
    compile_for_args = dispatcher._compile_for_args
    checks = [_check(type) for type in types]

    def guarded(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != len(checks) or not all(check(a) for check, a in zip(checks, args, strict=True)):
            raise Mismatch(f"{dispatcher.__name__} was made for other types than those of its arguments")
        try:
            return logged(dispatcher, compile_for_args, args)
        except (numba.core.errors.NumbaError, NotImplementedError) as error:  # some of its lowering says the latter
            raise uncompiled(error, path) from error

    dispatcher._compile_for_args = guarded


def uncompiled(error: Exception, path: Path) -> SrcgradError:
    """What is told where Numba refuses generated code: its line, and the user's, which stands above it as a comment."""
    text, lines = str(error), "".join(linecache.getlines(str(path))).splitlines()
    found = re.search(rf"{re.escape(path.name)}\", line (\d+)|{re.escape(path.name)} \((\d+)\)", text)
    number = int(found[1] or found[2]) if found else 1
    above = (line.strip() for line in reversed(lines[:number]) if line.strip().startswith("# "))
    users = next((f"`{line[2:]}`" for line in above if line != "# reverse"), "the function")
    said = (line.strip() for line in text.splitlines())
    noise = ("Failed in", "During", "File", "No implementation", "There are")
    reason = next((line for line in said if line and not line.startswith(noise)), type(error).__name__)
    reason = reason.replace(">>> ", "no implementation of ")
    message = f"Numba does not compile what was generated for {users} (pass: compile): {reason}"
    hint = "use jit=False, and please report it with the generated module"
    source = lines[number - 1] if 0 < number <= len(lines) else ""
    return SrcgradError(message, problems=[Problem(message, hint, str(path), number, None, source)])


def _check(type: Type) -> Callable[[Any], bool]:
    if type.ref:
        dtype = np.dtype(type.dtype)
        return lambda a: isinstance(a, np.ndarray) and a.dtype == dtype and a.ndim == type.rank and a.flags.carray
    kinds: dict[str, tuple[Any, ...]] = {
        "f8": (float, np.float64),
        "f4": (np.float32,),
        "i8": (int, np.int64),
        "b1": (bool, np.bool_),
        "c16": (complex, np.complex128),
        "c8": (np.complex64,),
    }
    allowed = kinds[type.dtype]
    return lambda a: builtin_type(a) in allowed


builtin_type: Callable[[Any], type] = type
