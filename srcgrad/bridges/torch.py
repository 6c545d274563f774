"""`as_torch_function`: a function of NumPy arrays as one of PyTorch's tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad import optional
from srcgrad.api import compiled, reverse
from srcgrad.bridges.trees import changed, leaves
from srcgrad.errors import ArgumentError
from srcgrad.frontend.source.error_places import speaking_of


def as_torch_function(fun: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """A function of floats and arrays, as one of PyTorch's tensors: value and derivatives are compiled by srcgrad.

    Parameters
    ----------
    fun : callable
        A function that srcgrad differentiates, of floats, arrays and structures of them. It returns a number, an array,
        or a structure of these.
    **options
        As of `grad`: ``jit``, ``cache``, ``fastmath``, ``parallel``, ``checkpoint``.

    Returns
    -------
    callable
        It takes tensors in the place of arrays and numbers (of no axes for numbers), beside other arguments, and gives
        tensors. ``backward`` reaches the tensors that require a gradient, to any order (``create_graph=True``). Tensors
        of the CPU are read where they lie, without copies, if they are contiguous. Dtypes are kept.

    Raises
    ------
    ArgumentError
        If PyTorch is not installed, or a tensor lies on a GPU.

    Examples
    --------
    >>> import srcgrad as sg
    >>> def energy(x, k):
    ...     return 0.5 * k * x @ x
    >>> f = sg.as_torch_function(energy)  # doctest: +SKIP
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)  # doctest: +SKIP
    >>> f(x, 3.0).backward()  # doctest: +SKIP
    >>> x.grad  # doctest: +SKIP
    tensor([3., 6.])
    """
    if optional.package("torch") is None:
        raise ArgumentError("PyTorch is not installed", hint="pip install torch")
    made = TorchFunction(fun, options)
    return functools.wraps(fun)(made)


class TorchFunction:
    """A function of tensors."""

    def __init__(self, fun: Callable[..., Any], options: dict[str, Any]) -> None:
        self._fun, self._options = fun, options
        self._value = compiled(fun, **options)
        self._adjoints: dict[tuple[int, ...], TorchFunction] = {}

    def __repr__(self) -> str:
        return f"<{getattr(self._fun, '__qualname__', self._fun)} as a function of PyTorch>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with speaking_of(self._fun):
            values = self._value._bound(args, kwargs)
        torch = optional.package("torch")
        tensors = [leaf for value in values for leaf in leaves(value) if isinstance(leaf, torch.Tensor)]
        shape: list[Any] = []
        out = _function().apply(self, values, shape, *tensors)
        given = iter(out if isinstance(out, tuple) else (out,))
        return changed(shape[0], lambda leaf: next(given) if _is_numeric(leaf) else leaf)

    def value(self, values: Sequence[Any]) -> Any:
        """The result for these arguments, tensors among them, as NumPy has it."""
        with speaking_of(self._fun):
            return self._value(*[changed(value, _as_numpy) for value in values])

    def adjoint(self, places: tuple[int, ...]) -> TorchFunction:
        """Of the arguments and a cotangent: the value, and the adjoints of the arguments at these places."""
        if places not in self._adjoints:
            self._adjoints[places] = TorchFunction(reverse(self._fun, places, **self._options), self._options)
        return self._adjoints[places]

    def pulled(self, values: Sequence[Any], cotangent: Any, wanted: Sequence[bool]) -> list[Any]:
        """One adjoint for each tensor among the arguments: None for those that are not wanted."""
        torch = optional.package("torch")
        asked = iter(wanted)
        masks = [[isinstance(leaf, torch.Tensor) and next(asked) for leaf in leaves(value)] for value in values]
        places = tuple(k for k, mask in enumerate(masks) if any(mask))
        _, bars = self.adjoint(places)(*values, cotangent)
        found = dict(zip(places, bars, strict=True))
        out = []
        for k, value in enumerate(values):
            given = list(leaves(found[k])) if k in found else masks[k]
            pairs = zip(leaves(value), given, masks[k], strict=True)
            out += [bar if mask else None for leaf, bar, mask in pairs if isinstance(leaf, torch.Tensor)]
        return out


@functools.cache
def _function() -> Any:
    """The class that PyTorch calls, made when PyTorch is there."""
    torch = optional.package("torch")

    class Srcgrad(torch.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(ctx: Any, owner: TorchFunction, values: Sequence[Any], shape: list[Any], *tensors: Any) -> Any:
            result = owner.value(values)
            shape.append(result)
            ctx.owner, ctx.values, ctx.result = owner, values, result
            ctx.save_for_backward(*tensors)
            out = tuple(_as_tensor(leaf) for leaf in leaves(result) if _is_numeric(leaf))
            ctx.mark_non_differentiable(*(t for t in out if not (t.is_floating_point() or t.is_complex())))
            return out

        @staticmethod
        def backward(ctx: Any, *bars: Any) -> Any:
            tensors = iter(ctx.saved_tensors)
            values = [
                changed(v, lambda leaf: next(tensors) if isinstance(leaf, torch.Tensor) else leaf) for v in ctx.values
            ]
            given = iter(bars)
            cotangent = changed(ctx.result, lambda leaf: _cotangent(leaf, next(given)) if _is_numeric(leaf) else leaf)
            return None, None, None, *ctx.owner.pulled(values, cotangent, ctx.needs_input_grad[3:])

    return Srcgrad


def _is_numeric(leaf: Any) -> bool:
    return isinstance(leaf, (bool, int, float, complex, np.ndarray, np.generic))


def _as_numpy(leaf: Any) -> Any:
    """A tensor as an array of the same memory; as a number, if it has no axes."""
    torch = optional.package("torch")
    if not isinstance(leaf, torch.Tensor):
        return leaf
    if leaf.device.type != "cpu":
        raise ArgumentError(f"a tensor lies on {leaf.device}", hint="move it: x.cpu()")
    array = leaf.detach().resolve_conj().resolve_neg().numpy()
    if array.ndim:
        return array
    return array[()] if array.dtype in (np.float32, np.complex64) else array.item()


def _as_tensor(leaf: Any) -> Any:
    """An array as a tensor of the same memory; a number as a tensor without axes, in the precision that it has."""
    torch = optional.package("torch")
    if isinstance(leaf, np.ndarray):
        return torch.from_numpy(leaf)
    return torch.tensor(leaf, dtype={float: torch.float64, complex: torch.complex128}.get(type(leaf)))


def _cotangent(leaf: Any, bar: Any) -> Any:
    """The cotangent of one result, as the adjoint takes it: zeros where PyTorch has none, nothing for integers."""
    if np.asarray(leaf).dtype.kind not in "fc":
        return None
    if bar is not None:
        return bar.contiguous()
    return np.zeros_like(leaf) if isinstance(leaf, np.ndarray) else type(leaf)(0)
