"""`srcgrad save`: the generated source as a module that needs srcgrad no more."""

from __future__ import annotations

import argparse
from pathlib import Path

from srcgrad.terminal import subject

HELP = "write the generated source as a module that needs NumPy and Numba alone"
EXAMPLES = """examples:
  srcgrad save model.py:loss                                       writes loss_grad.py
  srcgrad save model.py:loss --args 'np.ones(3)' --out adjoint.py  for arrays, into another file"""


def add(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    subject.add_kind(parser)
    parser.add_argument("path", type=Path, nargs="?", metavar="PATH", help="the file (default: FUNCTION_KIND.py)")
    parser.add_argument("--out", type=Path, metavar="PATH", help="the same, by name")


def run(options: argparse.Namespace) -> int:
    about = subject.subject(options)
    made = subject.derivative(about, options)
    path = options.out or options.path or Path(f"{made.__name__}.py")
    given = about.given or subject.Given(())
    made.save(path, *given.args, **given.kwargs)
    print(f"{path}: {len(path.read_text(encoding='utf-8').splitlines())} lines")
    return 0
