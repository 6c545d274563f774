"""`srcgrad show`: the generated source, or another stage of the compiler."""

from __future__ import annotations

import argparse
from pathlib import Path

from srcgrad.derivatives import shown, stages
from srcgrad.derivatives.derivative import Derivative
from srcgrad.terminal import subject
from srcgrad.terminal.colours import coloured

HELP = "print the generated source of a derivative, or another stage of the compiler"
EXAMPLES = """examples:
  srcgrad show model.py:loss                                  the adjoint, for parameters as they are annotated
  srcgrad show model.py:loss --args 'np.ones(3), 2.0'         for these arguments
  srcgrad show model.py:loss --kind jacobian --mode forward   another derivative
  srcgrad show model.py:loss --stage derived                  the adjoint before it is simplified
  srcgrad show model.py:loss --html loss.html                 a page with primal and adjoint side by side"""


def add(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    subject.add_kind(parser)
    parser.add_argument(
        "--stage", choices=(*stages.NAMES, "all"), default="source", help="which stage (default: source)"
    )
    parser.add_argument(
        "--html", metavar="PATH", type=Path, help="write a page with primal and derivative side by side"
    )


def run(options: argparse.Namespace) -> int:
    about = subject.subject(options)
    made = subject.derivative(about, options)
    given = about.arguments()
    if options.html:
        options.html.write_text(shown.page(made, given.args, given.kwargs), encoding="utf-8")
        print(options.html)
        return 0
    if options.stage == "source":
        print(coloured(_source(made, about)))
        return 0
    found = stages.stages(made, given.args, dict(given.kwargs))
    if options.stage != "all":
        found = [stages.stage(made, options.stage, given.args, dict(given.kwargs))]
    for each in found:
        heading = f"# ---- {each.about}\n" if options.stage == "all" else ""
        print(f"{heading}{coloured(each.text) if each.python else each.text}\n")
    return 0


def _source(made: Derivative, about: subject.Subject) -> str:
    """The module, for the arguments that are given, else for what the function's head says."""
    if about.given is None:
        return made.source.rstrip("\n")
    return made.source_for(*about.given.args, **about.given.kwargs).rstrip("\n")
