"""Objects of ours that compiled code can call. Their type in Numba resolves each call when it is compiled, by the types
of its arguments. All that we touch of Numba's typing is in this file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.imputils import lower_constant
from numba.extending import NativeValue, models, overload, register_model, typeof_impl, unbox

from srcgrad.core.stop_gradient import stop_gradient
from srcgrad.core.types import B1, I8, Type
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source.functions import is_jitted
from srcgrad.frontend.source.structure import Leaf, Node, Spec, Static

# (object, types of the positional arguments, of the keywords, whether a kernel calls) -> the Numba dispatcher that
# stands for the call
Resolver = Callable[[Any, Sequence[Any], dict[str, Any], bool], Any]
_RESOLVERS: dict[type, Resolver] = {}


class CallableType(types.Callable, types.Opaque):  # type: ignore[misc]
    """The type of one callable object of ours."""

    def __init__(self, instance: Any) -> None:
        self.instance = instance
        self.chosen: dict[Any, Any] = {}
        super().__init__(f"{type(instance).__name__}({getattr(instance, '__name__', '')} at {id(instance):#x})")

    @property
    def key(self) -> int:
        return id(self.instance)

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        args = tuple(map(types.unliteral, args))
        kws = {name: types.unliteral(kind) for name, kind in dict(kws).items()}
        in_kernel = type(context).__name__ == "CUDATypingContext"
        dispatcher = _RESOLVERS[type(self.instance)](self.instance, args, kws, in_kernel)
        template, pysig, args, kws = dispatcher.get_call_template(args, kws)
        signature = template(context).apply(args, kws)
        self.chosen[signature.args] = dispatcher
        return signature.replace(pysig=pysig)

    def get_call_signatures(self) -> Any:
        return (), True

    def get_impl_key(self, signature: Any) -> Any:
        return self.chosen[signature.args].get_overload(signature.args)


register_model(CallableType)(models.OpaqueModel)


@lower_constant(CallableType)  # type: ignore[untyped-decorator]
def _constant(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.get_dummy_value()


@unbox(CallableType)  # type: ignore[untyped-decorator]
def _unbox(kind: Any, value: Any, c: Any) -> Any:
    return NativeValue(c.context.get_dummy_value())


def allow_in_kernels(constant: Callable[..., Any], model: Callable[..., Any]) -> None:
    """Let kernels refer to objects of ours, by the CUDA target's own `lower_constant` and `register_model`."""
    constant(CallableType)(_constant)
    model(CallableType)(models.OpaqueModel)


@overload(stop_gradient, strict=False)  # type: ignore[untyped-decorator]
def _stop_gradient(x: Any) -> Any:
    return lambda x: x


def register(kind: type, resolve: Resolver) -> None:
    """Let compiled code call objects of this class."""
    _RESOLVERS[kind] = resolve
    typeof_impl.register(kind)(lambda instance, context: CallableType(instance))


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _extent(a: Any) -> tuple[int, int]:
    """The first byte of an array's memory and the one after its last."""
    low = a.ctypes.data
    high = low
    for k in range(a.ndim):
        reach = (a.shape[k] - 1) * a.strides[k]
        if reach > 0:
            high += reach
        else:
            low += reach
    return low, high + a.itemsize


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def overlap(a: Any, b: Any) -> bool:
    """Whether the memory that two arrays span overlaps; interleaved ones count, too."""
    if a.size == 0 or b.size == 0:
        return False
    (first, end), (other_first, other_end) = _extent(a), _extent(b)
    return bool(first < other_end and other_first < end)


def jitted(function: Callable[..., Any]) -> Any:
    """A Python function as a dispatcher; a dispatcher as it is."""
    return function if is_jitted(function) else numba.njit(nogil=True)(function)


def compiled(name: str, source: str, namespace: dict[str, Any], jit: Callable[..., Any] = jitted) -> Any:
    """The dispatcher of a function given as text."""
    exec(compile(source, f"<srcgrad {name}>", "exec"), namespace)
    return jit(namespace[name])


def spec_of(kind: Any, name: str) -> Spec:
    """The description of an argument of this Numba type; a Python value (a default) is taken as static."""
    if isinstance(kind, types.Omitted):
        kind = numba.typeof(kind.value)
    if isinstance(kind, types.Float):
        return Leaf(Type(f"f{kind.bitwidth // 8}"))
    if isinstance(kind, types.Boolean):
        return Leaf(B1)
    if isinstance(kind, types.Integer):
        return Leaf(I8)
    if isinstance(kind, types.Array):
        dtype = numba.np.numpy_support.as_dtype(kind.dtype)
        return Leaf(Type(np.dtype(dtype).str[1:], kind.ndim, ref=True))
    if isinstance(kind, types.BaseNamedTuple):
        return Node(kind.instance_class, tuple(kind.fields), tuple(spec_of(t, name) for t in kind.types))
    if isinstance(kind, types.BaseTuple):
        return Node(tuple, tuple(map(str, range(len(kind)))), tuple(spec_of(t, name) for t in kind))
    if isinstance(kind, types.NoneType):
        return Static(None)
    if isinstance(kind, types.Dispatcher):
        return Static(kind.dispatcher)
    if isinstance(kind, CallableType):
        return Static(kind.instance)
    message = f"`{name}` is {kind}, which a derivative called from compiled code does not take"
    raise ArgumentError(message, hint="give numbers, arrays, tuples and NamedTuples of them")
