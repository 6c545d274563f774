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


def test_every_example_is_in_the_gallery() -> None:
    page = (EXAMPLES.parent / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(re.findall(r'--8<-- "examples/(\w+\.py)"', page))


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
    slopes, step = run("one_step", tmp_path).splitlines()
    assert slopes == "slope: reverse -4, forward -4, pulled back -4, by hand -4"
    assert step == "E = 1, gradient -4, theta = 1.4"


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


def test_two_paths(tmp_path: Path) -> None:
    by_a, by_b, *source = run("two_paths", tmp_path).splitlines()
    assert len(set(numbers(by_a))) == 1 and len(set(numbers(by_b))) == 1
    assert "def f_grad(a, b):" in source


def test_ode_fit(tmp_path: Path) -> None:
    rates, misfit = run("ode_fit", tmp_path).splitlines()
    found = numbers(rates)
    assert found[:4] == pytest.approx(found[4:], rel=0.03)
    assert numbers(misfit)[0] == pytest.approx(0.05**2, rel=0.1)


def test_kalman_filter(tmp_path: Path) -> None:
    for line in run("kalman_filter", tmp_path).splitlines():
        found, true, log_value, error = numbers(line)
        assert abs(log_value - np.log(true)) < 2 * error and found == pytest.approx(np.exp(log_value), rel=1e-3)


def test_gaussian_process(tmp_path: Path) -> None:
    scales, error = run("gaussian_process", tmp_path).splitlines()
    assert numbers(scales)[2] == pytest.approx(0.1, rel=0.1) and numbers(error)[0] < 0.1


def test_hidden_markov(tmp_path: Path) -> None:
    stays, loaded = run("hidden_markov", tmp_path).splitlines()
    assert numbers(stays)[:2] == pytest.approx([0.95, 0.9], abs=0.02)
    assert numbers(loaded) == pytest.approx([0.1] * 5 + [0.5], abs=0.05)


def test_lstm(tmp_path: Path) -> None:
    before, after = run("lstm", tmp_path).splitlines()
    found, guess = numbers(after)
    assert found < 0.05 * guess < numbers(before)[0]


def test_heat_inversion(tmp_path: Path) -> None:
    seen, found = numbers(run("heat_inversion", tmp_path).splitlines()[0])
    assert found < 0.25 * seen


def test_bundle_adjustment(tmp_path: Path) -> None:
    lines = run("bundle_adjustment", tmp_path).splitlines()
    assert [numbers(line)[0] for line in lines] == list(range(6))
    assert numbers(lines[-1])[1] < 1e-8 and "3840 of 74880 entries" in lines[0]


def test_black_scholes(tmp_path: Path) -> None:
    greeks, implied = run("black_scholes", tmp_path).splitlines()
    assert numbers(greeks) == pytest.approx([4.178300, 0.433204, 0.027813, 27.8131, -6.73689, 19.5711], rel=1e-5)
    assert numbers(implied)[0] == pytest.approx(0.2, abs=1e-12)


def test_n_body(tmp_path: Path) -> None:
    energy, aim = run("n_body", tmp_path).splitlines()
    before, after = numbers(energy)
    assert before == pytest.approx(after, rel=1e-5) and numbers(aim)[0] < 1e-8


def test_image_registration(tmp_path: Path) -> None:
    found = numbers(run("image_registration", tmp_path).splitlines()[0])
    assert found[:3] == pytest.approx(found[3:], abs=1e-4)


def test_control(tmp_path: Path) -> None:
    place, speed, cosine, turning = numbers(run("control", tmp_path).splitlines()[0])
    assert max(abs(place), abs(speed), abs(turning)) < 0.01 and cosine > 0.95
