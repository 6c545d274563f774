"""Discrete Fourier transforms: np.fft and scipy.fft. NumPy runs them; compiled code needs rocket-fft.

A transform's matrix is symmetric, so by the convention for complex numbers (`complexes`) it is its own transpose. That
of real numbers gives only the first half of the frequencies. The others are conjugates of these, which all but the
first and the middle one stand for: the transposes double or halve what stands between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from srcgrad.core import ir
from srcgrad.core.build import Builder
from srcgrad.core.traits import always
from srcgrad.errors import UnsupportedError
from srcgrad.numeric import rearrangements, sequences
from srcgrad.rules.arrays.complexes import COMPLEX, REAL, conj, real
from srcgrad.rules.language import arguments, of_scipy, registry
from srcgrad.rules.language.declare import At, Rule, as_value, cast, linear, static, zero
from srcgrad.rules.language.over_elements import written_out
from srcgrad.rules.language.runtime_text import sources
from srcgrad.rules.language.values import Val, contents, value_of
from srcgrad.rules.linalg.matmul import matrix
from srcgrad.rules.shapes.broadcast import Params, Types
from srcgrad.rules.shapes.shape import length

line = np.array([0.7, -1.1, 0.4, 2.0])
waves, wave_rows = line * (1.0 + 0.3j), matrix + 0.2j * matrix[::-1]
tower = np.stack([wave_rows, 1.0 - wave_rows])
SWAPPED = {"backward": "forward", "forward": "backward", "ortho": "ortho"}
LAST: Params = {"axis": 0, "norm": "backward"}


# ---- cut off or filled up with zeros


def _resized_template(types: Types, params: Params) -> Any:
    rank, axis = types[0].rank, params["axis"]
    name = f"resized_{rank}_along_{axis}" if rank > 1 else "resized"
    return written_out(rearrangements.resized, types, name, axis=axis)


resized: Rule = linear(
    "resized",
    (),
    transpose=lambda g, x, n, axis: resized(g, length(x, axis), axis=axis),
    infer=lambda types, params: (types[0],),
    evaluate=rearrangements.resized,
    template=_resized_template,
    params=[{"axis": 0}],
    samples=[(line, 3), (line, 6), (matrix, 3), At(matrix, 2, axis=1), At(np.stack([matrix, -matrix]), 4, axis=1)],
)


def resize(x: Val, n: Any, axis: int) -> Val:
    """x with this length along an axis."""
    wanted = as_value(x.builder, n)
    here = length(x, axis)
    if static(here) is not None and static(here) == static(wanted):
        return x
    if here.atom == wanted.atom or x.builder.shapes.same_length(here.atom, wanted.atom):
        return x
    return resized(x, wanted, axis=axis)


# ---- transforms of complex numbers


def _options(rank: int, axes: Sequence[int], norm: str) -> tuple[str, str]:
    """How NumPy's function for these axes ends, and what else is said to it."""
    told = "" if norm == "backward" else f", norm={norm!r}"
    if len(axes) == 1:
        return "", told if axes[0] == rank - 1 else f", axis={axes[0]}{told}"
    if tuple(axes) == (rank - 2, rank - 1):
        return "2", told
    return "n", told if len(axes) == rank else f", axes={tuple(axes)}{told}"


def _contiguous(code: str, rank: int, axes: Sequence[int]) -> str:
    return code if tuple(axes) == (rank - 1,) else f"np.ascontiguousarray({code})"


def _dft_template(types: Types, params: Params) -> str:
    rank, axes = types[0].rank, params["axes"]
    ending, told = _options(rank, axes, params["norm"])
    return _contiguous(f"np.fft.{'i' * params['inverse']}fft{ending}(_0{told})", rank, axes)


def _kernel_name(function: str, rank: int, axes: Sequence[int], norm: str) -> str:
    whole = rank == 1 and norm == "backward"
    return "_".join([function] if whole else [function, str(rank), "along", *map(str, axes), norm])


def _dft_kernel(types: Types, params: Params) -> str:
    return _kernel_name("ifft" if params["inverse"] else "fft", types[0].rank, params["axes"], params["norm"])


def _dft(x: Any, axes: tuple[int, ...], inverse: bool, norm: Any) -> Any:
    got = (np.fft.ifftn if inverse else np.fft.fftn)(x, axes=axes, norm=norm)
    return np.ascontiguousarray(got, COMPLEX[x.dtype.str[1:]])


def _dft_back(g: Val, x: Val, **params: Any) -> Val:
    got = dft(g, **params)
    return got if x.type.is_complex else real(got)


def _as_complex(types: Types, params: Params) -> tuple[ir.Type, ...]:
    return (ir.Type(COMPLEX[types[0].dtype], types[0].rank),)


dft: Rule = linear(
    "dft", (), may_raise=always, transpose=_dft_back, infer=_as_complex, evaluate=_dft, template=_dft_template,
    kernel=_dft_kernel,
    dims=lambda dims, params: dims[0], params=[{"axes": (0,), "inverse": False, "norm": "backward"}], samples=[
        (waves,), (line,), At(wave_rows, axes=(0,), inverse=True, norm="ortho"),
        At(wave_rows, axes=(0, 1), inverse=True, norm="forward"),
        At(tower, axes=(1, 2), inverse=False, norm="forward"), At(tower, axes=(0, 2), inverse=True, norm="backward"),
        At(matrix, axes=(0, 1), inverse=False, norm="backward"),
    ],
)  # fmt: skip


# ---- of real numbers, and back to them


def _between_template(types: Types, params: Params) -> Any:
    rank, axis, half = types[0].rank, params["axis"], params["factor"] == 0.5
    name = f"{'halved' if half else 'doubled'}_inside{f'_{rank}_along_{axis}' if rank > 1 else ''}"
    return written_out(rearrangements.scaled_inside, types, name, axis=axis, half=half)


between: Rule = linear(
    "scaled_inside",
    (),
    transpose=lambda g, x, n, **params: between(g, n, **params),
    evaluate=lambda x, n, axis, factor: rearrangements.scaled_inside(x, n, axis, factor == 0.5),
    infer=lambda types, params: (types[0],),
    template=_between_template,
    dims=lambda dims, params: dims[0],
    params=[{"axis": 0, "factor": 2.0}],
    samples=[
        (line, 6),
        At(line, 7, axis=0, factor=0.5),
        At(matrix, 4, axis=1, factor=0.5),
        (np.stack([matrix, -matrix]), 3),
    ],
)


def _rdft_template(types: Types, params: Params) -> str:
    rank, axis = types[0].rank, params["axis"]
    return _contiguous(f"np.fft.rfft(_0{_options(rank, [axis], params['norm'])[1]})", rank, [axis])


def _rdft_back(g: Val, x: Val, axis: int, norm: str) -> Val:
    n = length(x, axis)
    return irdft(between(conj(g), n, axis=axis, factor=0.5), n, axis=axis, norm=SWAPPED[norm])


rdft: Rule = linear(
    "rdft",
    (),
    may_raise=always,
    transpose=_rdft_back,
    infer=_as_complex,
    template=_rdft_template,
    kernel=lambda types, params: _kernel_name("rfft", types[0].rank, [params["axis"]], params["norm"]),
    takes_complex=False,
    params=[LAST],
    evaluate=lambda x, axis, norm: np.ascontiguousarray(np.fft.rfft(x, axis=axis, norm=norm), COMPLEX[x.dtype.str[1:]]),
    samples=[(line,), (line[:3].copy(),), At(matrix, axis=1, norm="ortho"), At(matrix, axis=0, norm="forward")],
)


def _irdft_template(types: Types, params: Params) -> str:
    rank, axis = types[0].rank, params["axis"]
    return _contiguous(f"np.fft.irfft(_0, _1{_options(rank, [axis], params['norm'])[1]})", rank, [axis])


def _irdft_back(g: Val, x: Val, n: Val, axis: int, norm: str) -> Val:
    return conj(between(rdft(g, axis=axis, norm=SWAPPED[norm]), n, axis=axis, factor=2.0))


irdft: Rule = linear(
    "irdft",
    (),
    may_raise=always,
    transpose=_irdft_back,
    template=_irdft_template,
    kernel=lambda types, params: _kernel_name("irfft", types[0].rank, [params["axis"]], params["norm"]),
    params=[LAST],
    infer=lambda types, params: (ir.Type(REAL[types[0].dtype], types[0].rank),),
    evaluate=lambda x, n, axis, norm: np.ascontiguousarray(np.fft.irfft(x, int(n), axis, norm), REAL[x.dtype.str[1:]]),
    samples=[
        (waves, 6),
        (waves, 7),
        At(wave_rows, 5, axis=1, norm="ortho"),
        At(wave_rows, 2, axis=0, norm="forward"),
        At(tower, 3, axis=1, norm="backward"),
    ],
)


# ---- np.fft


def _norm(given: Any) -> str:
    norm = "backward" if given is None else given
    if norm not in SWAPPED:
        raise UnsupportedError(f"norm is 'backward', 'ortho' or 'forward', not {given!r}")
    return norm


def _floats(builder: Builder, x: Any, name: str) -> Val:
    value = arguments.array_value(builder, x, name)
    return value if value.type.is_float else cast(value, "f8")


def _reals(builder: Builder, x: Any, name: str) -> Val:
    value = _floats(builder, x, name)
    if value.type.is_complex:
        raise UnsupportedError(f"{name} takes real numbers; take .real first, or use np.fft.fft")
    return value


def _half(n: Val) -> Val:
    return value_of(np.floor_divide, n.builder, n, Val(n.builder, ir.Const(2, ir.I8)))


def _over(value: Val, s: Any, axes: Any) -> tuple[list[int], list[Any]]:
    """The axes, in their order, and the lengths that are asked for there (None: as they are)."""
    rank = value.type.rank
    sizes = None if s is None else list(s) if isinstance(s, (tuple, list)) else [s]
    if axes is None:
        axes = range(rank) if sizes is None else range(rank - len(sizes), rank)
    over = [arguments.one_axis(k, rank) for k in (axes if isinstance(axes, (tuple, list, range)) else [axes])]
    if len(set(over)) != len(over) or not over or (sizes is not None and len(sizes) != len(over)):
        raise UnsupportedError("transforms take each axis once, and a length for each of them")
    return over, [None] * len(over) if sizes is None else sizes


def _to_size(value: Val, over: Sequence[int], sizes: Sequence[Any]) -> Val:
    for axis, n in zip(over, sizes, strict=True):
        value = value if n is None else resize(value, n, axis)
    return value


def _along(value: Val, over: Sequence[int], sizes: Sequence[Any], inverse: bool, norm: str) -> Val:
    """The transform along these axes."""
    value = _to_size(value, over, sizes)
    return dft(value, axes=tuple(sorted(over)), inverse=inverse, norm=norm) if over else value


def _from_real(value: Val, over: Sequence[int], sizes: Sequence[Any], norm: str) -> Val:
    (*others, last), (*lengths, size) = over, sizes
    first = rdft(_to_size(value, [last], [size]), axis=last, norm=norm)
    return _along(first, others, lengths, False, norm)


def _to_real(value: Val, over: Sequence[int], sizes: Sequence[Any], norm: str) -> Val:
    (*others, last), (*lengths, size) = over, sizes
    value = value if value.type.is_complex else cast(value, COMPLEX[value.type.dtype])
    n = (length(value, last) - 1) * 2 if size is None else as_value(value.builder, size)
    value = _along(value, others, lengths, True, norm)
    value = value if size is None else resize(value, _half(n) + 1, last)
    return irdft(value, n, axis=last, norm=norm)


def _named(name: str) -> list[Any]:
    """The functions of this name in NumPy and SciPy."""
    return [getattr(space, name) for space in (np.fft, of_scipy.fft) if hasattr(space, name)]


def _plain(options: dict[str, Any], name: str) -> None:
    arguments.no_options({k: v for k, v in options.items() if k not in ("overwrite_x", "workers")}, name)


def _of_one_axis(name: str, start: Callable[..., Val], how: Callable[..., Val]) -> None:
    def call(builder: Builder, a: Any, n: Any = None, axis: Any = -1, norm: Any = None, **options: Any) -> Val:
        _plain(options, f"np.fft.{name}")
        value = start(builder, a, f"np.fft.{name}")
        return how(value, *_over(value, None if n is None else [n], [axis]), _norm(norm))

    registry.adaptor(*_named(name))(call)


def _of_axes(name: str, start: Callable[..., Val], how: Callable[..., Val], default: tuple[int, ...] | None) -> None:
    def call(builder: Builder, a: Any, s: Any = None, axes: Any = default, norm: Any = None, **options: Any) -> Val:
        _plain(options, f"np.fft.{name}")
        value = start(builder, a, f"np.fft.{name}")
        return how(value, *_over(value, s, axes), _norm(norm))

    registry.adaptor(*_named(name))(call)


def _forward(value: Val, over: Sequence[int], sizes: Sequence[Any], norm: str) -> Val:
    return _along(value, over, sizes, False, norm)


def _inverse(value: Val, over: Sequence[int], sizes: Sequence[Any], norm: str) -> Val:
    return _along(value, over, sizes, True, norm)


def _hermitian(value: Val, over: Sequence[int], sizes: Sequence[Any], norm: str) -> Val:
    return _to_real(conj(value) if value.type.is_complex else value, over, sizes, SWAPPED[norm])


def _to_hermitian(value: Val, over: Sequence[int], sizes: Sequence[Any], norm: str) -> Val:
    return conj(_from_real(value, over, sizes, SWAPPED[norm]))


for _name, _start, _how in (
    ("fft", _floats, _forward),
    ("ifft", _floats, _inverse),
    ("rfft", _reals, _from_real),
    ("irfft", _floats, _to_real),
    ("hfft", _floats, _hermitian),
    ("ihfft", _reals, _to_hermitian),
):
    _of_one_axis(_name, _start, _how)
    if "h" not in _name:
        _of_axes(f"{_name}2", _start, _how, (-2, -1))
        _of_axes(f"{_name}n", _start, _how, None)


# ---- orders of frequencies


def _shift(name: str, sign: int) -> None:
    def call(builder: Builder, x: Any, axes: Any = None) -> Val:
        value = contents(arguments.array_value(builder, x, f"np.fft.{name}"))
        over = arguments.all_axes(axes, value.type.rank)
        by = tuple(_half(length(value, k)) * sign for k in over)
        return value_of(np.roll, builder, value, by, over)

    registry.adaptor(*_named(name))(call)


_shift("fftshift", 1)
_shift("ifftshift", -1)


def _places(n: int) -> Any:
    return np.fft.ifftshift(np.arange(-(int(n) // 2), (int(n) + 1) // 2))


def _places_template(types: Types, params: Params) -> Any:
    return "fft_places(_0)", sources(sequences.fft_places)


places = zero(
    "fft_places",
    (),
    may_raise=always,
    infer=lambda types, params: (ir.Type("i8", 1),),
    evaluate=_places,
    template=_places_template,
    samples=[(6,), (7,)],
    elementwise=False,
)


def _spaced(numbers: Val, n: Val, d: Any) -> Val:
    return cast(numbers, "f8") / (contents(as_value(n.builder, d)) * cast(n, "f8"))


@registry.adaptor(*_named("fftfreq"))
def _fftfreq(builder: Builder, n: Any, d: Any = 1.0) -> Val:
    (count,) = arguments.lengths(builder, n)
    return _spaced(places(count), count, d)


@registry.adaptor(*_named("rfftfreq"))
def _rfftfreq(builder: Builder, n: Any, d: Any = 1.0) -> Val:
    (count,) = arguments.lengths(builder, n)
    return _spaced(contents(registry.FUNCTIONS[np.arange](builder, _half(count) + 1)), count, d)
