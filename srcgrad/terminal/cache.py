"""`srcgrad cache`: what lies in the folder of generated modules."""

from __future__ import annotations

import argparse

from srcgrad.backend import cache
from srcgrad.compiler.warm import each_rule

HELP = "the folder of generated modules: where it is and what lies there"
EXAMPLES = """examples:
  srcgrad cache             where it is, how many modules, how many bytes
  srcgrad cache --clear     delete what was generated, and nothing else
  srcgrad cache --warm      compile beforehand what generated code calls"""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clear", action="store_true", help="delete what lies there")
    parser.add_argument(
        "--warm", action="store_true", help="compile the functions that generated code calls, for float64, beforehand"
    )


def run(options: argparse.Namespace) -> int:
    if options.clear:
        print(f"{cache.clear()} files deleted")
    if options.warm:
        _warm()
    print(cache.summary())
    return 0


def _warm() -> None:
    """Compile all kernels, saying what is being done."""
    for number, count, name in each_rule():
        print(f"\r[{number}/{count}] {name:40}", end="", flush=True)
    print()
