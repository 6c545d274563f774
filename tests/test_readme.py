"""What the README shows is what happens, and what it tells to run is what continuous integration runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAIRS = re.findall(r"```python\n(.*?)```\n\nprints\n\n```\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = re.findall(r"^    (\S.*)$", README, flags=re.MULTILINE)[:2]


def test_commands() -> None:
    main_job, tests = COMMANDS
    assert (ROOT / main_job.split("python ")[1]).is_file()
    assert tests in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("program", "printed"), PAIRS, ids=["newton", "scipy", "numba"])
def test_programs(program: str, printed: str, tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(program)
    done = subprocess.run([sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip() == printed.rstrip()


def test_refusal(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```\n(example.py.*?)```", README, flags=re.DOTALL)
    lines = [
        "def f(x):",
        "    y = x * x",
        "    with open('log') as log:",
        "        log.write('squared')",
        "    return y",
    ]
    (tmp_path / "example.py").write_text("\n".join(lines) + "\n")
    lines = ["import srcgrad, example", "try:", "    srcgrad.grad(example.f)(1.0)"]
    program = "\n".join([*lines, "except srcgrad.UnsupportedError as error:", "    print(error)"])
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.stdout.replace(f"{tmp_path}/", "") == shown, done.stderr
