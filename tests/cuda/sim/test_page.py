"""The programs of docs/cuda.md run, and the benchmark at tiny sizes."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np

from tests.benchmarks.cuda import TINY, measured

ROOT = Path(__file__).parents[3]


def test_the_page(tmp_path):
    text = (ROOT / "docs" / "cuda.md").read_text(encoding="utf-8")
    program = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)).replace("1_000_000", "4")
    path = tmp_path / "cuda_page.py"
    path.write_text("import numpy as np\nx0 = a = np.array([0.5, 1.0])\n" + program + "\nslopes = slopes(x0, 1.3)\n")
    spec = importlib.util.spec_from_file_location("cuda_page", path)
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    values, slopes = np.empty(2), np.empty(2)
    page.kernel[1, 2](page.x0, 1.3, values, slopes)
    np.testing.assert_allclose(values, np.exp(-1.3 * page.x0) / (1.0 + page.x0**2), rtol=1e-14)
    np.testing.assert_array_equal(slopes, page.slopes)
    np.testing.assert_allclose(page.result.x, 1.3 * np.cos(page.result.x), rtol=1e-12)


def test_the_benchmark():
    text = measured(TINY)
    assert text.startswith("# CUDA benchmarks: Numba's simulator\n")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    names = [row.split(" | ")[0] for row in rows]
    assert names[2:4] == ["| x = a cos x", "| 3 equations"] and names[6:] == ["| 2-D stencil", "| n-body force"]
