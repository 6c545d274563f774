"""Each example runs by itself, prints the right numbers and draws what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name: str, folder: Path, picture: bool = False) -> str:
    """What the example prints; it runs in `folder`."""
    script = EXAMPLES / f"{name}.py"
    done = subprocess.run([sys.executable, str(script)], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    drawn = [path.name for path in folder.glob("*.png")]
    assert drawn == ([f"{name}.png"] if picture else [])
    assert all((folder / p).read_bytes().startswith(b"\x89PNG") for p in drawn)
    return done.stdout


def numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"(?<![\w.])-?\d+\.?\d*(?:e[-+]?\d+)?", text)]


def test_every_example_is_tested() -> None:
    tested = set(re.findall(r'run\("(\w+)"', Path(__file__).read_text(encoding="utf-8")))
    assert {path.stem for path in EXAMPLES.glob("*.py")} == tested


def test_newton(tmp_path: Path) -> None:
    out = run("newton", tmp_path, picture=True)
    assert "x = 0.7390851332151607 after 5 steps" in out
    assert "def f_grad(x):" in out


def test_gradient_descent(tmp_path: Path) -> None:
    lines = run("gradient_descent", tmp_path, picture=True).splitlines()
    target = np.arange(1.0, 6)
    for line, lr in zip(lines, (0.01, 0.1), strict=True):
        left = (1 - 2 * lr / 5) ** 1000  # what is left of the distance in each coordinate
        rate, steps, *x, distance = numbers(line)
        assert (rate, steps) == (lr, 1000)
        np.testing.assert_allclose(x, target * (1 - left), atol=1e-5)
        assert distance == pytest.approx(11 * left**2, rel=1e-5) or (lr == 0.1 and distance < 1e-28)


def test_rosenbrock(tmp_path: Path) -> None:
    lines = run("rosenbrock", tmp_path, picture=True).splitlines()
    assert [int(line.split(":")[0]) for line in lines[:-1]] == list(range(100, 1001, 100))
    assert numbers(lines[0]) == [100, 0.3502925, -0.6676852, -0.5771311]
    assert lines[9].startswith(" 1000: ") and f"{numbers(lines[9])[1]:.6g}" == "6.96269e-05"
    assert lines[-1] == "end: (0.9918, 0.9830)"


def test_quadratic(tmp_path: Path) -> None:
    assert run("quadratic", tmp_path) == "value -3.4, gradient (0.8, 0.8)\n"


def test_linear_regression(tmp_path: Path) -> None:
    descent, squares = run("linear_regression", tmp_path, picture=True).splitlines()
    found, exact = numbers(descent), numbers(squares)
    assert found[:2] == pytest.approx(exact, abs=2e-6)
    assert found[:2] == pytest.approx([1, 1], abs=0.15)
    assert found[2] == pytest.approx(0.25**2, rel=0.3)


def test_one_step(tmp_path: Path) -> None:
    assert run("one_step", tmp_path) == "E = 1, gradient -4, theta = 1.4\n"


def test_tiny_network(tmp_path: Path) -> None:
    assert run("tiny_network", tmp_path) == "dL/dw1 = -8\ndL/dw2 = -1\ndL/dw3 = -2\n"


def test_cuda_kepler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_ENABLE_CUDASIM", "1")
    out = run("cuda_kepler", tmp_path)
    assert "@cuda.jit(device=True)\ndef anomaly_grad(mean, eccentricity):" in out
    lines = out.splitlines()[:6]
    for line, (m, e) in zip(lines, zip(np.linspace(0.5, 3.0, 6), np.linspace(0.1, 0.6, 6), strict=True), strict=True):
        x, slope = numbers(line)[2:]
        assert x - e * np.sin(x) == pytest.approx(m, abs=1e-11)
        assert slope == pytest.approx(np.sin(x) / (1 - e * np.cos(x)), abs=1e-11)
