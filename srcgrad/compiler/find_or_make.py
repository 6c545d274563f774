"""One derivative for one list of argument types: found in this process, or in the cache folder, or made."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CellType, FunctionType
from typing import Any

from srcgrad.backend import cache, compiling, cpu, shim, threads
from srcgrad.compiler import generated_modules, kernels, lazy
from srcgrad.compiler.fingerprint import Fingerprint, fingerprint, of_library
from srcgrad.compiler.request import Limit, Recipe, state, take_state
from srcgrad.core.types import Type
from srcgrad.errors import ArgumentError, Problem, SrcgradError
from srcgrad.frontend.source import hooks
from srcgrad.frontend.source.origins import follow, found, unchanged
from srcgrad.frontend.source.read import watched
from srcgrad.frontend.source.structure import Leaf, Spec, describe, leaf_types, parts
from srcgrad.frontend.source.versions import Version, current, versions
from srcgrad.printer.kernel_modules import Kernel, Module

# Only building is under this lock, never Numba's compilation (which has its own, and may ask us for a derivative).
LOCK = threading.RLock()

UNJITTED = {"loops": False}  # whether code that is not compiled is in loops, too: tests run the schedule in CPython so


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may choose. fastmath None: the safe flags where no decision by floats is made twice, else none.
    parallel None: as the function is compiled; maps are parallel.   checkpoint: as that of the recipe.
    loops: whether code that is not compiled is in loops over elements, as compiled code is; no choice of users.
    debug_nans: whether a call from Python that gives a NaN or an infinity says where it was made."""

    target: str = "cpu"
    jit: bool = True
    cache: bool = True
    fastmath: bool | tuple[str, ...] | None = None
    parallel: bool | None = None
    checkpoint: Limit | None = None
    loops: bool = field(default_factory=lambda: UNJITTED["loops"])
    debug_nans: bool = False

    __getstate__, __setstate__ = state, take_state

    def check(self) -> None:
        if self.target not in ("cpu", "cuda"):
            raise ArgumentError(f"there is no target={self.target!r}", hint='use target="cpu" or target="cuda"')
        if self.on_device and not isinstance(self.fastmath, bool | None):
            raise ArgumentError('fastmath is a bool with target="cuda"', hint="use fastmath=True, or leave it out")
        if self.on_device and self.checkpoint is not None:
            raise ArgumentError('there are no checkpoints with target="cuda"', hint="leave checkpoint out")
        if self.on_device and self.debug_nans:
            raise ArgumentError('there is no debug_nans with target="cuda"', hint="look for the NaN on the CPU")

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
        if self.at_hand(spaces):
            return (lambda: space[name]) if isinstance(space, dict) else lambda: space.cell_contents
        return lambda: follow(found(space, name), path)

    def at_hand(self, spaces: Sequence[Any]) -> bool:
        """Whether it is an item of a dict or the contents of a cell."""
        space = spaces[self.space]
        here = isinstance(space, CellType) or (isinstance(space, dict) and self.name in space)
        return here and not self.path


@dataclass(frozen=True, slots=True)
class Seen:
    """A value that the transformation has seen; of a container only its class and keys."""

    place: Place
    container: bool


@dataclass(frozen=True, slots=True)
class LaunchFacts:
    """What the launch of a kernel of `vmap` needs to know.

    outs: the shape of each result of an item.   raised: what threads may meet, by codes from 1.   captured: the shapes
    of what the function takes from around it.   works: dtype and rank of each array in which threads keep what they
    have no memory for.   count: the name of the kernel that counts their lengths.
    """

    outs: tuple[tuple[int, ...], ...]
    raised: tuple[Any, ...]
    captured: tuple[tuple[int, ...], ...]
    works: tuple[tuple[str, int], ...]
    count: str | None


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What a call needs to know of a function: see `ir.FunFacts`. no_unit_axes: whether it is for such arrays alone.
    least: of parameters, by place, how long their axes are at least.   longer: of two axes, by the places of the
    parameters, how many times the second the first is longer than: (place, axis, times, place, axis).   kept: see
    `kept_bytes.text_of`.   may_be_left: it may find on its way that it is not for these arrays.
    unit_axes: of parameters, by place, the axes that have length 1."""

    ordered: bool
    changed: bool
    checks: tuple[int, int, int]
    no_unit_axes: bool = False
    least: tuple[tuple[int, tuple[int, ...]], ...] = ()
    longer: tuple[tuple[int, int, int, int, int, int], ...] = ()
    launch: LaunchFacts | None = None
    kept: str = ""
    may_be_left: bool = False
    unit_axes: tuple[tuple[int, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Meta:
    """What is known of a generated module beside its text.

    functions: those that it was made of, by their numbers among those of the fingerprint.   source: the module with
    its kernels, which the file imports.
    """

    name: str
    types: tuple[Type, ...]
    result: Spec
    captured: tuple[Place, ...]
    seen: tuple[Seen, ...]
    overwritten: tuple[int, ...]
    facts: UnitFacts
    failures: dict[str, tuple[str, Problem]]
    formats: dict[str, int]
    functions: tuple[int, ...]
    source: str
    kernels: tuple[Kernel, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Unit:
    """A generated module, loaded. call: the function as it is called from Python."""

    meta: Meta
    path: Path
    source: str
    function: Callable[..., Any]
    call: Callable[..., Any]


@dataclass(frozen=True, eq=False, slots=True)
class Bound:
    """A unit, with what a particular function has captured."""

    unit: Unit
    read: tuple[Callable[[], Any], ...]
    checks: tuple[Callable[[], bool], ...]
    checked: tuple[Any, ...] = ()  # where each check looks: a dict of globals, or a closure's cell
    made_of: tuple[Version, ...] = ()
    spaces: tuple[Any, ...] = ()  # those that the places of the unit's `captured` and `seen` count

    def current(self) -> bool:
        """Whether all that the transformation has seen is still so, and what is captured has the types that it had."""
        meta = self.unit.meta
        types = meta.types[len(meta.types) - len(self.read) :]
        try:
            seen = current(self.made_of) and all(check() for check in self.checks)
            return seen and all(describe(read()) == Leaf(type) for read, type in zip(self.read, types, strict=True))
        except (LookupError, ValueError, AttributeError):  # a name is gone: who makes it again says so if it is missed
            return False


_UNITS: dict[str, Unit] = {}
_NUMBERS = itertools.count()


def bound(fun: Any, recipe: Recipe, specs: Sequence[Spec], options: Options) -> Bound:
    """The derivative of a function for parameters of these structures."""
    options.check()
    options = replace(options, parallel=is_parallel(fun, recipe, options), debug_nans=False)
    print_ = fingerprint(fun, shapes=options.on_device and recipe.kind == "vmap")
    for spec in specs:
        print_.spec(spec)
    print_.text(recipe, options, cache.version(), options.versions())
    with LOCK:
        try:
            unit, spaces, functions = _unit(fun, recipe, specs, options, print_)
        except SrcgradError as error:
            # what is wrong stands in the user's function: the way to it through this package says nothing
            raise error.with_traceback(None) from error.__cause__
    return _bind(unit, spaces, functions)


def _unit(
    fun: Any, recipe: Recipe, specs: Sequence[Spec], options: Options, print_: Fingerprint
) -> tuple[Unit, Sequence[Any], Sequence[FunctionType]]:
    key = print_.hexdigest()
    if key in _UNITS:
        return _UNITS[key], print_.spaces, _made_of(_UNITS[key].meta, print_)
    path = _path(fun, recipe, key, options.cache and print_.portable)
    known = cache.recall(path) if options.cache and print_.portable else None
    spaces: Sequence[Any] = print_.spaces
    shared = print_.portable
    if known is None:
        with compiling.interruptible():
            meta, text, spaces, functions = _make(fun, recipe, specs, options, print_)
        shared = shared and _covered(meta, spaces, functions, print_)
        path, text = _written(path if shared else _apart(path), text, meta)
        if shared and options.cache:
            cache.remember(path, meta)
    else:
        meta, text = known
        functions = _made_of(meta, print_)
    if shared and options.cache:
        generated_modules.record(path.stem, fun)  # a lambda's file may have changed otherwise since it was made
    text = text if kernels.ready(meta.kernels) else _uncached(meta)
    function = _load(path, text, recipe, meta, options)
    call = function
    if threads.runs_threads(function):
        plain = replace(options, parallel=False)
        call = threads.guarded(function, lambda: bound(fun, recipe, specs, plain).unit.function)
    unit = Unit(meta, path, text if text == _uncached(meta) else meta.source, function, call)
    if shared:
        _UNITS[key] = unit
    return unit, spaces, functions


def _made_of(meta: Meta, print_: Fingerprint) -> Sequence[FunctionType]:
    return [print_.functions[k] for k in meta.functions]


def _covered(meta: Meta, spaces: Sequence[Any], functions: Sequence[FunctionType], print_: Fingerprint) -> bool:
    """Whether the fingerprint takes in all that was seen: else nobody else may use what was made."""
    places = [*meta.captured, *(seen.place for seen in meta.seen)]
    found = ((id(spaces[p.space]), p.name) for p in places if not _whole(spaces[p.space], print_))
    return len(meta.functions) == len(functions) and print_.seen.issuperset(found)


def _whole(space: Any, print_: Fingerprint) -> bool:
    """Whether the fingerprint takes in all that a space holds."""
    return (id(space), "") in print_.seen


def is_parallel(fun: Any, recipe: Recipe, options: Options) -> bool:
    """Whether marked loops run in parallel: by the option, else for maps, and if the function is compiled so."""
    while options.parallel is None and recipe.kind != "vmap" and hooks.is_made(fun):
        fun, recipe, options = fun.__srcgrad_made__()
    if options.parallel is not None:
        return options.parallel
    return recipe.kind == "vmap" or threads.runs_threads(fun)


def _load(path: Path, text: str, recipe: Recipe, meta: Meta, options: Options) -> Callable[..., Any]:
    if options.on_device:
        load = lazy.launch.load if recipe.kind == "vmap" else lazy.cuda.load
        return load(path, meta.name, text)
    if options.jit:
        cpu.expect_fft(meta.source)
    function = cpu.load(path, meta.name, meta.types, options.jit, text)
    return function if options.jit else shim.precise(function, [t.dtype for t in leaf_types(meta.result)])


def _path(fun: Any, recipe: Recipe, key: str, cached: bool) -> Path:
    name = re.sub(r"\W", "", getattr(fun, "__name__", "f")) or "f"
    folder = cache.folder() if cached else cache.temporary()
    return folder / f"{name}_{recipe.kind}_{key[:20]}.py"


def _apart(path: Path) -> Path:
    """A place of its own for a module that its key does not tell from others."""
    return cache.temporary() / f"{path.stem}_{next(_NUMBERS)}.py"


def _written(path: Path, text: str, meta: Meta) -> tuple[Path, str]:
    """Where the module lies now; where nothing can be written, it is compiled whole and without a cache."""
    kept = cache.keep(path, text)
    return (path, _uncached(meta)) if kept is None else (kept, text)


def _uncached(meta: Meta) -> str:
    return meta.source.replace("cache=True", "cache=False")


def _make(
    fun: Any, recipe: Recipe, specs: Sequence[Spec], options: Options, print_: Fingerprint
) -> tuple[Meta, str, Sequence[Any], Sequence[FunctionType]]:
    """Transform. Gives the module's text, too, the spaces that the meta's places count, and the functions that were
    read."""
    with watched() as functions, compiling.uncollected():
        made, name, module, facts = generated(fun, recipe, specs, options)
    text, used = kernels.shared(module) if options.cache else (module.text, ())
    functions = [f for f in {id(f): f for f in functions}.values() if not of_library(f)]
    numbers = {id(f): k for k, f in enumerate(print_.functions)}
    spaces = list(print_.spaces)
    origins = [c.origin for c in made.captured]
    seen = [Seen(_place(s.origin, spaces), s.shape is not None) for s in made.statics]
    main = made.program.main
    overwritten = tuple(k for k, p in enumerate(main.params) if p.name in main.facts.overwritten)
    meta = Meta(
        name,
        tuple(p.type for p in main.params),
        made.result,
        tuple(_place(o, spaces) for o in origins),
        tuple(seen),
        overwritten,
        facts,
        {**lazy.to_source.failures(made.program), **module.failures},
        lazy.to_source.formats(made.program),
        tuple(numbers[id(f)] for f in functions if id(f) in numbers),
        module.text,
        used,
    )
    return meta, text, spaces, functions


def generated(fun: Any, recipe: Recipe, specs: Sequence[Spec], options: Options) -> tuple[Any, str, Module, UnitFacts]:
    """What was lowered, the name of the function to call, the module, and what a call needs to know."""
    if options.on_device and recipe.kind == "vmap":
        kernel = lazy.mapped_kernel_program.derive(fun, recipe, specs)
        text = lazy.mapped_kernel_program.text(kernel, recipe, specs, lazy.cuda.options(options.fastmath))
        return kernel.lowered, kernel.name, Module(text), _facts(kernel.lowered, launch=LaunchFacts(*kernel.launch))
    made = _derived(fun, recipe, specs, options)
    facts = _facts(made, no_unit_axes=bool(made.program.main.facts.no_unit_axes))
    if not options.on_device:
        facts = replace(facts, kept=lazy.kept_bytes.text_of(made.program))
    return made, made.program.main.name, _module(made.program, options), facts


def _derived(fun: Any, recipe: Recipe, specs: Sequence[Spec], options: Options) -> Any:
    """The program of the derivative; of one for a thread of a GPU, which would have to make the arrays, with as little
    kept as can be."""
    if not options.on_device:
        with lazy.program.calling_helpers(not options.parallel and recipe.checkpoint is None):
            return lazy.program.derive(fun, replace(recipe, last=True), specs)
    with lazy.program.keep_values("none"):
        return lazy.to_source.on_device(lazy.program.derive(fun, recipe, specs), fun)


def _facts(made: Any, no_unit_axes: bool = False, launch: LaunchFacts | None = None) -> UnitFacts:
    known = made.program.main.facts
    params = made.program.main.params
    least = tuple((k, known.least[p]) for k, p in enumerate(params) if p in known.least) if no_unit_axes else ()
    pairs = known.longer if no_unit_axes else ()
    longer = tuple((params.index(a), i, n, params.index(b), k, by) for a, i, n, b, k, by in pairs)
    about = no_unit_axes, least, longer, launch
    units = tuple((k, known.unit_axes[p]) for k, p in enumerate(params) if p in known.unit_axes)
    more = {"may_be_left": known.may_be_left, "unit_axes": units}
    return UnitFacts(bool(known.ordered), known.changed, known.checks, *about, **more)


def _module(program: Any, options: Options) -> Module:
    if options.on_device:
        return Module(lazy.to_source.device_text(program, lazy.cuda.options(options.fastmath)))
    program = lazy.to_source.in_pairs(program)
    strict = lazy.to_source.decides_anew(program)
    fast = (() if strict else cpu.FAST) if options.fastmath is None else options.fastmath
    jit = cpu.jit_options(fast, options.cache) if options.jit else None
    made: Module = lazy.to_source.module(program, jit, bool(options.parallel), options.loops)
    return made


def _place(origin: Any, spaces: list[Any]) -> Place:
    for k, space in enumerate(spaces):
        if space is origin.space:
            return Place(k, origin.name, origin.path)
    spaces.append(origin.space)
    return Place(len(spaces) - 1, origin.name, origin.path)


def _bind(unit: Unit, spaces: Sequence[Any], functions: Sequence[FunctionType]) -> Bound:
    read = tuple(place.reader(spaces) for place in unit.meta.captured)
    checks = tuple(_check(seen, spaces) for seen in unit.meta.seen)
    where = tuple(spaces[seen.place.space] for seen in unit.meta.seen)
    return Bound(unit, read, checks, where, versions(functions), tuple(spaces))


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
