"""Machine code is made of what is called from Python or by its address, not of what is only linked in.

Numba has LLVM make machine code of each function as soon as it is compiled, also of those that have no wrapper for
Python (`np.empty`, `max`). Callers link in their bitcode, so nobody runs it. While something of ours is compiled,
libraries of code wait until somebody asks for an address, or for the object to be cached. Where another caller than
ours links one in, its machine code is made first, as Numba would have done: whoever is not ours sees no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core.codegen import CodeLibrary, JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.environment import lookup_environment
from numba.core.registry import cpu_target

ENVIRONMENT = "_ZN08NumbaEnv"  # how the names of environments begin


class WaitingLibrary(JITCodeLibrary):  # type: ignore[misc]
    """A library of code whose machine code is made when it is asked for."""

    _waits = False
    _linking_libraries: list[Any]
    _dynamic_globals: list[str]

    @property
    def codegen(self) -> Any:
        """While this waits, where an environment lies is not known: it is told when the machine code is made."""
        return _Later(self._codegen) if self._waits else self._codegen

    def finalize(self) -> None:
        linked = dict.fromkeys(self._linking_libraries)
        self._linking_libraries = [_Linked(x) if isinstance(x, WaitingLibrary) else x for x in linked]
        super().finalize()

    def _finalize_final_module(self) -> None:
        if self._object_caching_enabled and self._compiled_object is not None:  # loaded, with its machine code
            super()._finalize_final_module()
            return
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = self._waits = True

    def make_native(self) -> None:
        """Have the machine code made, if it is not there, and tell it where the environments are that it names."""
        with global_compiler_lock:
            self._ensure_finalized()
            if not self._waits:
                return
            self._waits, self._dynamic_globals = False, []  # these are found again
            super()._finalize_final_module()
            for variable in self._final_module.global_variables:
                if variable.name.startswith(ENVIRONMENT) and not variable.is_declaration:
                    environment = lookup_environment(variable.name)
                    if environment is not None:
                        self._codegen.set_env(variable.name, environment)

    def _get_module_for_linking(self) -> Any:
        """For callers that do not wait: they take it that environments are set."""
        self.make_native()
        return super()._get_module_for_linking()

    def bitcode(self) -> Any:
        """For callers that wait as this does."""
        return super()._get_module_for_linking()

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        if self._waits and any(f.name == name for f in self.get_defined_functions()):
            self.make_native()
        return super().get_pointer_to_function(name)  # type: ignore[no-any-return]

    def serialize_using_object_code(self) -> Any:
        self.make_native()
        return super().serialize_using_object_code()


class _Linked:
    """What the caller of a waiting library, itself one, links in."""

    def __init__(self, library: WaitingLibrary) -> None:
        self._library = library
        self._reload_init: set[Any] = getattr(library, "_reload_init", set())  # Numba 0.61 has none

    def _get_module_for_linking(self) -> Any:
        return self._library.bitcode()


class _Later:
    """The generator of code for a library that waits."""

    def __init__(self, codegen: Any) -> None:
        self._inner = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def set_env(self, name: str, environment: Any) -> None:
        """Nothing yet: environments are found by their names."""


@contextmanager
def waiting() -> Iterator[None]:
    """What Numba compiles in here waits for its machine code; nobody else compiles meanwhile."""
    codegen = cpu_target.target_context.codegen()
    with global_compiler_lock:
        before: type[CodeLibrary] = codegen._library_class
        codegen._library_class = WaitingLibrary
        try:
            yield
        finally:
            codegen._library_class = before
