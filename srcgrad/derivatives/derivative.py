"""`Derivative`: what the transformers give. Called like the function, it finds or makes the code for the arguments."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from srcgrad.backend import callable as native
from srcgrad.backend.compiling import interruption
from srcgrad.backend.cpu import Mismatch
from srcgrad.compiler import find_or_make, generated_modules, lazy
from srcgrad.compiler.find_or_make import Options
from srcgrad.compiler.fingerprint import fingerprint
from srcgrad.compiler.request import VALUE, Long, Positional, Recipe
from srcgrad.derivatives import (
    arguments,
    compiled_call,
    declared_types,
    guessed_types,
    into_arrays,
    kernel_call,
    other_arrays,
    pickled,
    straight_call,
)
from srcgrad.derivatives import lazy as late
from srcgrad.derivatives.arguments import Parameters
from srcgrad.derivatives.bound_arguments import Adapted, adapted, written
from srcgrad.derivatives.one_call import Call, Owner
from srcgrad.derivatives.relatives import Family
from srcgrad.derivatives.straight_call import Straight, Take
from srcgrad.derivatives.text import Text
from srcgrad.derivatives.written_calls import OTHER
from srcgrad.errors import ArgumentError, CallError, SrcgradError
from srcgrad.frontend.source import carried_texts, wording
from srcgrad.frontend.source.error_places import speaking_of
from srcgrad.frontend.source.structure import Spec, leaf_types, leaves
from srcgrad.frontend.source.versions import Version, current, versions
from srcgrad.printer import saved_module


class Derivative:
    """A derivative of a function, generated for each list of argument types when it is first called with them.

    Attributes
    ----------
    primal : the function it was made from
    source : the generated module, for the types of the last new call (before the first: of the annotations)

    Examples
    --------
    >>> from srcgrad import Derivative, grad
    >>> slope = grad(lambda x: x * x, jit=False)
    >>> isinstance(slope, Derivative), slope(3.0)
    (True, 6.0)
    """

    _by_shape = False  # whether the code for a call depends on the shapes of its arguments

    def __init__(self, fun: Callable[..., Any], recipe: Recipe, options: Options, argnums: Any = None) -> None:
        options.check()
        if options.checkpoint is not None:
            recipe = replace(recipe, checkpoint=options.checkpoint)
        self._family: Family | None = None
        self._things: Sequence[Any] = ()  # of the function, in the order in which its family counts them
        if options.on_device:
            lazy.cuda.allow_in_kernels()
        self.primal = fun
        self._watch(fun._made_of if isinstance(fun, Derivative) else versions(written(fun)))
        self._options = options
        self._argnums = argnums
        self._of: dict[int, tuple[Any, Derivative]] = {}  # for objects, by id, that it was found on as a method
        self._primal_parameters = arguments.parameters_of(self.primal)
        if argnums is not None:
            places, single = self._places(argnums)
            recipe = replace(recipe, argnums=places, single=single)
        self._recipe = recipe
        functools.update_wrapper(self, fun, updated=())
        name = getattr(fun, "__name__", "f")
        self.__name__ = f"{name if name.isidentifier() else 'lambda_'}_{recipe.kind}"
        self.__signature__ = arguments.with_extras(self._primal_parameters.signature, recipe)
        self._parameters = Parameters(self.__signature__)
        names, own = tuple(self._parameters.names), len(self._primal_parameters.names)
        known = recipe.kind in into_arrays.KINDS and not options.on_device
        self._out_place = into_arrays.place(recipe)
        self._takes_out = known and "out" not in self._primal_parameters.names  # its gradient may be written into these
        look = late.nonfinite.check if options.debug_nans else None
        self._owner = Owner(fun, recipe, names, own, functools.partial(entries, fun, options), look)
        self._forget()

    def _places(self, argnums: Any) -> tuple[tuple[int | Positional, ...], bool]:
        with speaking_of(self.primal):
            return self._primal_parameters.places(argnums)

    def _forget(self) -> None:
        self._calls: dict[Any, Call] = {}
        self._last: Call | None = None
        self._shapes: dict[Call, list[Any]] = {}
        self._taken: dict[tuple[tuple[Spec, ...], bool], None] = {}  # calls that went straight by what is the family's
        self._begin_straight()

    def _begin_straight(self) -> None:
        self._straight: dict[Any, list[Straight]] = {}  # by the classes of the arguments
        self._hot: Straight = straight_call.none

    def _renew(self) -> None:
        """Begin anew after a function was given other code: its parameters may be others, too."""
        fun = self.primal
        if isinstance(fun, Derivative):
            fun._keep_up()
        fun = adapted(fun.original) if isinstance(fun, Adapted) else fun
        self.__init__(fun, self._recipe, self._options, self._argnums)  # type: ignore[misc]

    def _watch(self, made_of: Iterable[Version]) -> None:
        """Look at each call whether these functions have the code that they had."""
        self._made_of = tuple({id(v.function): v for v in made_of}.values())

    def _keep_up(self) -> None:
        if not current(self._made_of):
            self._renew()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            out = self._hot(args, kwargs)
            return self._otherwise(args, kwargs) if out is OTHER else out
        except SystemError as error:
            raise interruption(error) from None

    def _written(self, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result, in arrays that are given, if they are."""
        result = self(*args, **kwargs)
        if out is None:
            return result
        made = into_arrays.at_once(result, out, self._out_place)
        if made is not None:
            return made
        with speaking_of(self.primal):
            return into_arrays.written(result, out, self._recipe)

    def _otherwise(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call where the one before was of another kind."""
        if "out" in kwargs and self._takes_out:
            return self._written(kwargs.pop("out"), args, kwargs)
        classes = straight_call.classes(args, kwargs)
        if classes not in self._straight and self._family is not None:
            self._straight[classes] = [call.of(self._things) for call in self._family.calls.get(classes, ())]
        for straight in self._straight.get(classes, ()):
            out = straight(args, kwargs)
            if out is not OTHER:
                self._hot = straight
                if self._family is not None:
                    self._taken[straight_call.key(straight)] = None
                return out
        return self._call(args, kwargs)

    def __repr__(self) -> str:
        return f"<srcgrad {self._recipe.kind} of {getattr(self.primal, '__qualname__', self.primal)}>"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method: the derivative of the bound method, whose parameters are those after `self`."""
        if instance is None:
            return self
        kept = self._of.get(id(instance))
        if kept is None or kept[0] is not instance:
            bound = self.primal.__get__ if isinstance(self.primal, Derivative) else None
            inner = types.MethodType(self.primal, instance) if bound is None else bound(instance, owner)
            argnums = self._recipe.argnums if self._argnums is None else self._argnums
            made = type(self)(adapted(inner), self._recipe, self._options, argnums)
            kept = self._of[id(instance)] = instance, made
        return kept[1]

    # ---- pickling: what was generated is found again in the cache

    def __reduce__(self) -> str | tuple[Any, ...]:
        fun = inspect.unwrap(self.primal, stop=lambda f: isinstance(f, Derivative))
        module, name = str(getattr(fun, "__module__", "")), str(getattr(fun, "__qualname__", ""))
        if pickled.named(module, name) is not self:
            return pickled.restored, (type(self), self.primal, self._recipe, self._options, self._texts())
        # It took the function's own name (`@grad`): pickle finds it by that; cloudpickle sends the function along.
        by_value = sys.modules.get("cloudpickle")
        if by_value is None:
            return name
        digest, primal = fingerprint(self).hexdigest(), by_value.dumps(self.primal)
        return pickled.restored_by_name, (
            module,
            name,
            digest,
            primal,
            type(self),
            self._recipe,
            self._options,
            self._texts(),
        )

    def _texts(self) -> carried_texts.Texts:
        """The source of all functions that this is made of: where the pickle is read, nobody else may have it."""
        return carried_texts.of_functions(fingerprint(self).functions)

    # ---- calls

    def _call(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        if self._options.on_device:
            return kernel_call.simulated(self, args, kwargs)
        values = self._bind(args, kwargs)
        call, out = self._run(values)
        self._shapes[call] = call.alike(values)
        if self._options.jit:
            self._remember(call, values, args, kwargs)
        return out

    def at(self, values: Sequence[Any]) -> Any:
        """The call with one value a parameter, keyword-only ones too."""
        self._keep_up()
        try:
            return self._run(values)[1]
        except SystemError as error:
            raise interruption(error) from None

    def _bound(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
        """One value a parameter. What the derivative takes beside the primal's arguments is the last that is given by
        place, unless it is named, so that the primal's defaults and keywords stay."""
        own, extras = self._primal_parameters, self._parameters.names[len(self._primal_parameters.names) :]
        unnamed = [name for name in extras if name not in kwargs]
        if len(args) < len(unnamed):
            hint = arguments.takes(self._parameters.names)
            raise CallError(f"missing a required argument: `{unnamed[len(args)]}`", hint=hint)
        first = len(args) - len(unnamed)
        more = {**dict(zip(unnamed, args[first:], strict=True)), **{n: kwargs[n] for n in extras if n in kwargs}}
        values = own.bind(args[:first], {k: v for k, v in kwargs.items() if k not in extras}, self._parameters.names)
        return [*values, *(more[name] for name in extras)]

    __srcgrad_arguments__ = _bound

    def _bind(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
        self._keep_up()
        with speaking_of(self.primal):
            return self._bound(args, kwargs)

    def _lookup(self, values: Sequence[Any]) -> Call:
        """The call for these arguments: where no axis has length 1, it may be one that is made for just that."""
        specs = self._specs(values)
        call = self._lookup_specs(specs, self._to_long)
        if call.long and call.repeats(values):
            call = self._lookup_specs(specs, call.units_for(values, self._calls))
        if call.long and call.repeats(values):
            call = self._lookup_specs(specs)
        self._last = call
        return call

    def _run(self, values: Sequence[Any]) -> tuple[Call, Any]:
        """The call, and its result. Code for arrays that are not repeated may find on its way that some are."""
        call = self._lookup(values)
        try:
            return call, call.run(values)
        except Mismatch:
            if not call.meta.facts.may_be_left:
                raise
        call = self._general(values)
        return call, call.run(values)

    def _general(self, values: Sequence[Any]) -> Call:
        """The call that repeats what must be repeated."""
        self._last = self._lookup_specs(self._specs(values))
        return self._last

    def _specs(self, values: Sequence[Any]) -> tuple[Spec, ...]:
        with speaking_of(self.primal):
            specs = [arguments.spec_of(v, n) for v, n in zip(values, self._parameters.names, strict=True)]
            for value, name in zip(values, self._parameters.names, strict=True):
                other_arrays.check(value, name, lambda: fingerprint(self).functions)
        return self._differentiable(specs)

    def _differentiable(self, specs: list[Spec]) -> tuple[Spec, ...]:
        count = len(self._primal_parameters.names)
        with speaking_of(self.primal):
            own = self._recipe.changed(specs[:count], arguments.as_float)
            return (*own, *map(arguments.direction, specs[count:], self._recipe.models(own, len(specs) - count)))

    def _remember(self, call: Call, values: Sequence[Any], args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        """Next time, arguments of this kind go straight to the compiled code."""
        classes = straight_call.classes(args, kwargs)
        known = self._straight.setdefault(classes, [])
        if len(known) >= MOST:
            return
        straight = self.straight(
            call, straight_call.by_call(self._bound, values, call.specs, args, kwargs, self._by_shape)
        )
        if straight is not None:
            known.append(straight)
            self._hot = straight
            if self._family is not None:
                self._family.add(classes, straight, self._things)

    def straight(self, call: Call, take: Take, **more: Any) -> Straight | None:
        """What goes straight to the compiled code of this call, from arguments that are taken apart so."""
        long = not self._by_shape and call is not self._calls.get((call.specs, self._to_long))
        made_of = {id(v.function): v for v in (*self._made_of, *call.bound.made_of)}.values()
        return straight_call.written(call, made_of, take, long=long, **more)

    # ---- looking at it

    def for_shapes(self, values: Sequence[Any]) -> Derivative:
        """What is called for arguments of these shapes: this one, but where shapes decide the mode."""
        return self

    @property
    def source(self) -> str:
        """The generated module."""
        return Text(self.last_call()[0].bound.unit.source)

    def last_call(self) -> tuple[Call, list[Any] | None]:
        """The code of the last new call, with arguments of the shapes that it had; before the first, of the types that
        annotations tell."""
        self._keep_up()
        self._catch_up()
        call = self._last or self._guessed()
        return call, self._shapes.get(call)

    def _repr_html_(self) -> str | None:
        """The derivative beside its function, for a notebook; nothing where types are not known yet."""
        try:
            return None if self._options.on_device else late.shown.fragment(self)
        except SrcgradError:  # looking at it is no call: the first one tells what is wrong
            return None

    def source_for(self, *args: Any, **kwargs: Any) -> str:
        """The generated module for the types of these arguments. If none of them has an axis of length 1, it may be for
        such arrays alone, which it says at its head: it repeats nothing.

        Returns
        -------
        str
            The text of a Python module.
        """
        return Text(self._lookup(self._bind(args, kwargs)).bound.unit.source)

    def save(self, path: str | Path, *args: Any, **kwargs: Any) -> None:
        """Write an importable module for the types of these arguments, of whatever shapes; without arguments, for those
        of the calls so far, if all were of the same types.

        Raises
        ------
        ArgumentError
            Without arguments, if it was called with several types.
        """
        call = self._lookup(self._bind(args, kwargs)) if args or kwargs else self._only()
        unit = call.bound.unit
        general = self._lookup_specs(call.specs).bound.unit.source if call.long else None
        text = saved_module.saved(unit.source, general, unit.meta.name, self._told(call.specs))
        Path(path).write_text(text, encoding="utf-8")

    def _only(self) -> Call:
        """The call for the only types that it was called with; before a call, for those that are declared."""
        self._catch_up()
        known = dict.fromkeys(specs for specs, _ in self._calls)
        if len(known) < 2:
            return self._lookup_specs(next(iter(known)), self._to_long) if known else self._guessed()
        with speaking_of(self.primal):
            message = f"`{self.__name__}` was called with arguments of {len(known)} different types"
            raise ArgumentError(message, hint="give arguments of those that are meant: save(path, x)")

    def _catch_up(self) -> None:
        """Look up what was called by way of the family alone."""
        for key in [key for key in self._taken if key not in self._calls]:
            self._last = self._lookup_specs(*key)

    def _guessed(self) -> Call:
        """The call for the types that annotations and defaults tell, else floats."""
        params = list(self._parameters.signature.parameters.values())
        specs, unknown = self._annotated(), guessed_types.undeclared(params)
        try:
            return self._lookup_specs(specs, self._to_long)
        except SrcgradError as error:
            either = (error, self.primal, self._recipe, params, self._differentiable)
            if not unknown or guessed_types.wrong_with_arrays(*either):
                raise
            with speaking_of(self.primal):
                message, hint = arguments.unknown_types(unknown)
                raise ArgumentError(message, hint=hint, about=unknown[0]) from error

    def _told(self, specs: Sequence[Spec]) -> str:
        """What the module computes, and for what types."""
        types = (f"`{n}` ({wording.of_spec(s)})" for n, s in zip(self._parameters.names, specs, strict=True))
        return f"{self._recipe.kind} of {getattr(self.primal, '__name__', 'f')}, for {', '.join(types)}."

    def jitted(self, *args: Any, **kwargs: Any) -> Any:
        """The Numba dispatcher for the types of these arguments (for arrays of lengths as in `source_for`).

        Returns
        -------
        dispatcher
            It is called with the leaves of the arguments, one after another (with `jit=False` a plain function).
        """
        values = self._bind(args, kwargs)
        call = self._lookup(values)
        return (self._general(values) if call.meta.facts.may_be_left else call).bound.unit.function

    def explain(self, *args: Any, **kwargs: Any) -> str:
        """What is active, what is kept and why, bytes a call, and the cost beside the primal's, for these arguments.

        Returns
        -------
        str
            A page of text; the costs are measured with these arguments.
        """
        values = self._bind(args, kwargs)
        call, names = self._run(values)[0], self._parameters.names
        own, captured = len(self._primal_parameters.names), [c.name for c in call.meta.captured]
        leaves, options, recipe = call.leaves(values), self._options, replace(self._recipe, long=call.long)
        subject = late.explain.Subject(
            self.primal, recipe, options, names, own, call.specs, captured, call.function, leaves
        )
        return Text(late.explain.explain(subject))

    @property
    def _to_long(self) -> bool:
        """Whether calls go to code for arrays of which no axis has length 1, where they are such."""
        return not self._options.on_device

    def _lookup_specs(self, specs: tuple[Spec, ...], long: Long = False) -> Call:
        call = self._calls.get((specs, long))
        if call is None or not call.bound.current():
            recipe = replace(self._recipe, long=long if any(t.ref for s in specs for t in leaf_types(s)) else False)
            if call is not None:
                self._begin_straight()
            call = Call(self._owner, specs, find_or_make.bound(self.primal, recipe, specs, self._options))
            self._calls[specs, long] = call
            self._watch((*call.bound.made_of, *self._made_of))
        return call

    def _annotated(self) -> tuple[Spec, ...]:
        """The parameters' structures by their annotations and defaults; else float64 scalars."""
        params = self._parameters.signature.parameters.values()
        return self._differentiable([declared_types.of_parameter(p) for p in params])

    # ---- inside other code

    def __srcgrad_core__(self, specs: Sequence[Spec]) -> Any:
        """The program of this derivative, for lowering a function that calls it."""
        made = lazy.program.derive(self.primal, self._recipe, specs)
        return lazy.program.guarded(made, arguments.alike(self._primal_parameters, self._recipe, specs))

    def _resolve(self, args: Sequence[Any], kws: dict[str, Any], in_kernel: bool) -> Any:
        """The dispatcher for a call from compiled code (or a kernel) with arguments of these Numba types."""
        self._keep_up()
        signature = self._parameters.signature
        out = kws.get("out") if self._takes_out and not in_kernel else None
        kws = kws if out is None else {name: kind for name, kind in kws.items() if name != "out"}
        given = [
            arguments.spec_of(p.default, p.name) if spec is None else spec
            for p, spec in zip(
                signature.parameters.values(), compiled_call.bind_types(signature, args, kws), strict=True
            )
        ]
        call = self._last = self._lookup_specs(self._differentiable(list(given)))
        arrays = [(a, b) for a, b in call.lengths if call.meta.types[a].ref]
        jit, apart = kernel_call.chosen(self.__name__, self._options, in_kernel, call.apart)
        home = "srcgrad_kernels" if in_kernel else generated_modules.home(self)
        into = None if out is None else compiled_call.into(out, self._recipe, call.meta.result)
        return compiled_call.dispatcher(
            self.__name__, home, signature, given, call.specs, call.bound, apart, arrays, jit, into
        )

    def __srcgrad_made__(self) -> tuple[Any, Recipe, Options]:
        """What decides whether a derivative of it is parallel."""
        return self.primal, self._recipe, self._options

    def __srcgrad_behind__(self) -> tuple[int, ...]:
        """The places of what it takes beside the function's arguments, which a call gives by place."""
        own, every = len(self._primal_parameters.names), len(self._parameters.names)
        return *self._primal_parameters.behind, *range(own, every)

    def __srcgrad_parts__(self) -> tuple[Any, ...]:
        """What its fingerprint is made of."""
        recipe = self._recipe
        return repr(recipe), self.primal


native.register(Derivative, Derivative._resolve)


# what pickles of version 0.1 call
_restore, _restore_named = pickled.restored, pickled.restored_by_name

MOST = 8  # straight calls that are kept for arguments of the same classes


def entries(fun: Callable[..., Any], options: Options, values: Sequence[Any]) -> int:
    """How many numbers a function gives for these arguments."""
    made = Derivative(fun, VALUE, options)
    return int(sum(np.size(item) for item in leaves(made.at(values), made._lookup(values).meta.result)))
