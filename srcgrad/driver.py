"""One derivative for one list of argument types: found in this process, or in the cache folder, or made."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import CellType
from typing import Any

from srcgrad import cache, lazy
from srcgrad.backend import cpu, threads
from srcgrad.core.types import Type
from srcgrad.errors import ArgumentError, Problem, SrcgradError
from srcgrad.fingerprint import Fingerprint, fingerprint
from srcgrad.recipe import Recipe
from srcgrad.syntax.origins import follow, found, unchanged
from srcgrad.syntax.structure import Leaf, Spec, describe, leaf_types, parts

# Only building is under this lock, never Numba's compilation (which has its own, and may ask us for a derivative).
LOCK = threading.RLock()

NOTES = ("plan", "ordered", "checks", "changed")  # of a function's, what a call needs to know


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may choose. fastmath None: the safe flags where no branch depends on floats, none elsewhere.
    parallel None: as the function is compiled; maps are parallel."""

    target: str = "cpu"
    jit: bool = True
    cache: bool = True
    fastmath: bool | tuple[str, ...] | None = None
    parallel: bool | None = None

    def check(self) -> None:
        if self.target not in ("cpu", "cuda"):
            raise ArgumentError(f"there is no target={self.target!r}", hint='use target="cpu" or target="cuda"')
        if self.on_device and not isinstance(self.fastmath, bool | None):
            raise ArgumentError('fastmath is a bool with target="cuda"', hint="use fastmath=True, or leave it out")

    @property
    def on_device(self) -> bool:
        return self.target == "cuda"

    def versions(self) -> str:
        """What the generated code depends on, as a text."""
        return lazy.cuda.versions() if self.on_device else cpu.versions()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is found: a name in the space (globals, closure cell) of this number, then attributes and keys."""

    space: int
    name: str
    path: tuple[tuple[str, str], ...]

    def reader(self, spaces: Sequence[Any]) -> Callable[[], Any]:
        space, name, path = spaces[self.space], self.name, self.path
        if not path and isinstance(space, dict) and name in space:
            return lambda: space[name]
        if not path and isinstance(space, CellType):
            return lambda: space.cell_contents
        return lambda: follow(found(space, name), path)


@dataclass(frozen=True, slots=True)
class Seen:
    """A value that the transformation has seen; of a container only its class and keys."""

    place: Place
    container: bool


@dataclass(frozen=True, slots=True)
class Meta:
    """What is known of a generated module beside its text."""

    name: str
    types: tuple[Type, ...]
    result: Spec
    captured: tuple[Place, ...]
    seen: tuple[Seen, ...]
    overwritten: tuple[int, ...]
    notes: dict[str, Any]
    failures: dict[str, tuple[str, Problem]]
    formats: dict[str, int]


@dataclass(frozen=True, eq=False, slots=True)
class Unit:
    """A generated module, loaded. call: the function as it is called from Python."""

    meta: Meta
    path: Path
    function: Callable[..., Any]
    call: Callable[..., Any]

    @property
    def source(self) -> str:
        return self.path.read_text(encoding="utf-8")


@dataclass(frozen=True, eq=False, slots=True)
class Bound:
    """A unit, with what a particular function has captured."""

    unit: Unit
    read: tuple[Callable[[], Any], ...]
    checks: tuple[Callable[[], bool], ...]
    checked: tuple[Any, ...] = ()  # where each check looks: a dict of globals, or a closure's cell

    def current(self) -> bool:
        """Whether all that the transformation has seen is still so, and what is captured has the types that it had."""
        meta = self.unit.meta
        types = meta.types[len(meta.types) - len(self.read) :]
        return all(check() for check in self.checks) and all(
            describe(read()) == Leaf(type) for read, type in zip(self.read, types, strict=True)
        )


_UNITS: dict[str, Unit] = {}


def bound(fun: Any, recipe: Recipe, specs: Sequence[Spec], options: Options) -> Bound:
    """The derivative of a function for parameters of these structures."""
    options.check()
    options = replace(options, parallel=is_parallel(fun, recipe, options))
    print_ = fingerprint(fun, shapes=options.on_device and recipe.kind == "vmap")
    for spec in specs:
        print_.spec(spec)
    print_.text(recipe, options, cache.version(), options.versions())
    with LOCK:
        try:
            unit, spaces = _unit(fun, recipe, specs, options, print_)
        except SrcgradError as error:
            # what is wrong stands in the user's function: the way to it through this package says nothing
            raise error.with_traceback(None) from error.__cause__
    return _bind(unit, spaces)


def _unit(
    fun: Any, recipe: Recipe, specs: Sequence[Spec], options: Options, print_: Fingerprint
) -> tuple[Unit, Sequence[Any]]:
    key = print_.hexdigest()
    if key in _UNITS:
        return _UNITS[key], print_.spaces
    path = _path(fun, recipe, key, options.cache and print_.portable)
    meta = cache.recall(path) if options.cache and print_.portable else None
    spaces: Sequence[Any] = print_.spaces
    shared = print_.portable
    if meta is None:
        meta, spaces, complete = _make(fun, recipe, specs, options, print_, path)
        shared = shared and complete
        if shared and options.cache:
            cache.remember(path, meta)
    function = _load(path, recipe, meta, options)
    call = function
    if threads.runs_threads(function):
        plain = replace(options, parallel=False)
        call = threads.guarded(function, lambda: bound(fun, recipe, specs, plain).unit.function)
    unit = Unit(meta, path, function, call)
    if shared:
        _UNITS[key] = unit
    return unit, spaces


def is_parallel(fun: Any, recipe: Recipe, options: Options) -> bool:
    """Whether marked loops run in parallel: by the option, else for maps, and if the function is compiled so."""
    while options.parallel is None and recipe.kind != "vmap" and hasattr(fun, "__srcgrad_made__"):
        fun, recipe, options = fun.__srcgrad_made__
    if options.parallel is not None:
        return options.parallel
    return recipe.kind == "vmap" or threads.runs_threads(fun)


def _load(path: Path, recipe: Recipe, meta: Meta, options: Options) -> Callable[..., Any]:
    if options.on_device:
        load = lazy.launch.load if recipe.kind == "vmap" else lazy.cuda.load
        return load(path, meta.name)
    return cpu.load(path, meta.name, meta.types, options.jit)


def _path(fun: Any, recipe: Recipe, key: str, cached: bool) -> Path:
    name = re.sub(r"\W", "", getattr(fun, "__name__", "f")) or "f"
    folder = cache.folder() if cached else cache.temporary()
    return folder / f"{name}_{recipe.kind}_{key[:20]}.py"


def _make(
    fun: Any, recipe: Recipe, specs: Sequence[Spec], options: Options, print_: Fingerprint, path: Path
) -> tuple[Meta, Sequence[Any], bool]:
    """Transform, and write the module. Also gives the spaces that the meta's places count, and whether the fingerprint
    covers all that was seen (else nobody else may use the result)."""
    made, name, text, facts = _generated(fun, recipe, specs, options)
    cache.write(path, text.encode())
    spaces = list(print_.spaces)
    origins = [c.origin for c in made.captured]
    seen = [Seen(_place(s.origin, spaces), s.shape is not None) for s in made.statics]
    main = made.program.main
    overwritten = tuple(k for k, p in enumerate(main.params) if p.name in main.notes.get("overwritten", ()))
    meta = Meta(
        name, tuple(p.type for p in main.params), made.result, tuple(_place(o, spaces) for o in origins),
        tuple(seen), overwritten, {**{k: v for k, v in main.notes.items() if k in NOTES}, **facts},
        lazy.pipeline.failures(made.program), lazy.pipeline.formats(made.program),
    )  # fmt: skip
    used = [*origins, *(s.origin for s in made.statics)]
    covered = all((id(o.space), o.name) in print_.seen or (id(o.space), "") in print_.seen for o in used)
    return meta, spaces, covered


def _generated(
    fun: Any, recipe: Recipe, specs: Sequence[Spec], options: Options
) -> tuple[Any, str, str, dict[str, Any]]:
    """What was lowered, the name of the function to call, the module's text, and notes beside those of the program."""
    if options.on_device and recipe.kind == "vmap":
        kernel = lazy.mapped_kernel.derive(fun, recipe, specs)
        text = lazy.mapped_kernel.text(kernel, recipe, specs, lazy.cuda.options(options.fastmath))
        return kernel.lowered, kernel.name, text, kernel.notes
    made = lazy.pipeline.derive(fun, recipe, specs)
    if options.on_device:
        made = lazy.pipeline.on_device(made, fun)
    facts = {"long": bool(made.program.main.notes.get("long"))}
    return made, made.program.main.name, _text(made.program, options), facts


def _text(program: Any, options: Options) -> str:
    if options.on_device:
        return lazy.pipeline.device_text(program, lazy.cuda.options(options.fastmath))
    strict = lazy.pipeline.decides_by_floats(program)
    fast = (() if strict else cpu.FAST) if options.fastmath is None else options.fastmath
    jit = cpu.jit_options(fast, options.cache) if options.jit else None
    return lazy.pipeline.text(program, jit, bool(options.parallel))


def _place(origin: Any, spaces: list[Any]) -> Place:
    for k, space in enumerate(spaces):
        if space is origin.space:
            return Place(k, origin.name, origin.path)
    spaces.append(origin.space)
    return Place(len(spaces) - 1, origin.name, origin.path)


def _bind(unit: Unit, spaces: Sequence[Any]) -> Bound:
    read = tuple(place.reader(spaces) for place in unit.meta.captured)
    checks = tuple(_check(seen, spaces) for seen in unit.meta.seen)
    return Bound(unit, read, checks, tuple(spaces[seen.place.space] for seen in unit.meta.seen))


def _check(seen: Seen, spaces: Sequence[Any]) -> Callable[[], bool]:
    """Whether a value that was seen is still what it is now."""
    read = seen.place.reader(spaces)
    value = read()
    if seen.container:
        shape = parts(value)[:2]
        return lambda: parts(read())[:2] == shape
    return lambda: unchanged(read(), value)


def leaf_count(specs: Iterable[Spec]) -> int:
    return sum(1 for spec in specs for _ in leaf_types(spec))
