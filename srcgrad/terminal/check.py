"""`srcgrad check`: derivatives of a function against numerical ones."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from srcgrad.terminal import subject
from srcgrad.terminal.samples import sampled
from srcgrad.testing import check_grads

HELP = "compare a function's derivatives, forward and reverse, with numerical ones"
EXAMPLES = """examples:
  srcgrad check model.py:loss                               at five points that are drawn
  srcgrad check model.py:loss --args 'np.ones(3), 2.0'      at this point
  srcgrad check model.py:loss --order 2 --seed 7            second derivatives, too, at other points

The exit status is 0 if all derivatives agree, 1 if one does not, 2 if there is nothing to check."""


def add(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    parser.add_argument("--points", type=int, default=5, help="how many points are drawn (default: 5)")
    parser.add_argument("--seed", type=int, default=0, help="of the generator that draws them (default: 0)")
    parser.add_argument("--order", type=int, default=1, help="check derivatives up to this order (default: 1)")
    parser.add_argument("--argnums", help="the parameters to differentiate by (default: those that hold a float)")
    parser.add_argument("--jit", action="store_true", help="compile the derivatives: slower for a single point")


def run(options: argparse.Namespace) -> int:
    about = subject.subject(options)
    argnums = None if options.argnums is None else subject.argnums(options.argnums)
    count = 0
    for args in _points(about, options):
        try:
            check_grads(about.primal, args, order=options.order, argnums=argnums, jit=options.jit)
        except AssertionError as error:
            print(f"{about.name}({subject.names_of(args)}):\n{error}")
            return 1
        except (ArithmeticError, ValueError, IndexError) as error:
            hint = "" if about.given else "; give a point where it has a value: --args"
            raise subject.UsageError(
                f"{about.name}({subject.names_of(args)}) raises {type(error).__name__}: {error}{hint}"
            ) from None
        count += 1
    print(f"{about.name}: derivatives agree with numerical ones at {count} point{'s' if count != 1 else ''}")
    return 0


def _points(about: subject.Subject, options: argparse.Namespace) -> Iterator[tuple[object, ...]]:
    """The point that is given, else some that are drawn."""
    if about.given is not None:
        yield subject.in_order(about.primal, about.given)
        return
    rng = np.random.default_rng(options.seed)
    for _ in range(options.points):
        yield sampled(about.primal, rng)
