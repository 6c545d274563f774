"""Generated modules of a test run go into a folder of its own; the summary says how long functions are.

`pytest --update-golden` writes the generated code and messages that tests compare with anew.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from tests import layout

collect_ignore_glob = ["golden/*", "benchmarks/*"]
ROOT = Path(__file__).parents[1]
FOLDER = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew from what is generated")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # xdist's workers take the folder over from the process that started them
        config.stash[FOLDER] = tempfile.TemporaryDirectory(prefix="srcgrad-tests-", ignore_cleanup_errors=True)
        os.environ["SRCGRAD_CACHE_DIR"] = config.stash[FOLDER].name
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)  # child processes import what the tests import
        # Where Ctrl-C was switched off for this process (behind `&` in a script), tests that send it would not end.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.setdefault("MPLBACKEND", "Agg")


def pytest_unconfigure(config: pytest.Config) -> None:
    if FOLDER in config.stash:
        config.stash[FOLDER].cleanup()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.stats.get("passed", [])
    for what, shown in (("hard case", "hard cases"), ("hard case, on a GPU", "hard cases on a GPU")):
        kinds = Counter(kind for r in reports for key, kind in r.user_properties if key == what)
        if kinds:
            terminalreporter.write_line(f"{shown}: {kinds['right']} right, {kinds['refused']} refused")
    package = layout.Tree(ROOT / "srcgrad")
    terminalreporter.write_line(layout.room_figures(package))
    terminalreporter.write_line(layout.length_figures(package))
