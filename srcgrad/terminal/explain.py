"""`srcgrad explain`: what is active, what is kept and why, and what a derivative costs."""

from __future__ import annotations

import argparse

from srcgrad.terminal import subject

HELP = "tell what is active, what is kept for the reverse sweep and why, and what a derivative costs"
EXAMPLES = """examples:
  srcgrad explain model.py:loss --args 'np.ones(1000)'     bytes and times are those of these arguments"""


def add(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    subject.add_kind(parser)


def run(options: argparse.Namespace) -> int:
    about = subject.subject(options)
    given = about.arguments()
    print(subject.derivative(about, options).explain(*given.args, **given.kwargs))
    return 0
