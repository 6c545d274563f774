"""Every kernel of every derivative compiles to PTX: needs Numba's CUDA compiler, no GPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import srcgrad.cuda
from srcgrad.backend import kernels as loading
from srcgrad.compiler.kernel_program import Made
from srcgrad.compiler.lazy import cuda as native
from srcgrad.core.ir import Type
from tests.cuda.kernels import CASES, Case
from tests.cuda.test_ptx import MISSING

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)
# in double precision by the kernel's own shared memory, or by the slow path of CUDA's sine and cosine
OWN = set("stencil_1d stencil_2d tree_sum block_product polynomial tiled_matmul".split())
SLOW = set("elementwise maxima gather iterated powers relax".split())


def parameters(made: Made, own: list[Type]) -> dict[str, list[Type]]:
    """The types of the parameters of each kernel."""
    extremes = [own[k] for k in made.extremes]
    wons = [replace(t, dtype="i8") for t in extremes]
    works = [Type(w.dtype, len(w.shape) + 1, ref=True) for w in made.works]
    extra = [t for t in own if t.ref and t.is_float]
    found = {
        made.left: own,
        made.ties: [*own, *extremes, *extremes],
        made.rows: [*own, *extremes, *extremes, *wons, Type("i8", 1, ref=True)],
        made.main: [*own, *extra, *extremes, *extremes, *wons, *works],
    }
    return {launch.name: types for launch, types in found.items() if launch is not None}


def compiled(case: Case, mode: str, dtype: str, folder: Path) -> dict[str, str]:
    """The PTX of each kernel, by name."""
    derivative: Any = getattr(srcgrad.cuda, mode)(case.kernel)
    made = derivative.made_for(*case.args(dtype))
    path = folder / f"{case.name}_{mode}_{dtype}.py"
    path.write_text(made.source)
    types = parameters(made, [spec.type for spec in derivative.specs(case.args(dtype)).values()])
    kernels = loading.load(path, list(types))
    return {name: native.ptx(kernels[name], types[name], kernel=True) for name in types}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_compiles(case: Case, tmp_path: Path) -> None:
    for mode, dtype in (("adjoint", "f8"), ("adjoint", "f4"), ("tangent", "f4")):
        made = compiled(case, mode, dtype, tmp_path)
        assert all(".entry" in text for text in made.values())
        if dtype == "f4" and case.name not in OWN | SLOW:
            assert not any(".f64" in text for text in made.values())
