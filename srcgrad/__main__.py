"""`python -m srcgrad cache`: what lies in the folder of generated modules."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from srcgrad.backend import cache
from srcgrad.compiler.warm import each_rule


def main(given: Sequence[str] | None = None) -> int:
    """Run the command of these arguments, of the process's own without; gives the exit status."""
    parser = argparse.ArgumentParser(prog="srcgrad", description="Derivatives of Python functions as source code.")
    commands = parser.add_subparsers(dest="command", required=True)
    about = "the folder of generated modules: where it is and what lies there"
    folder = commands.add_parser("cache", help=about, description=f"Shows {about}.")
    folder.add_argument("--clear", action="store_true", help="delete what lies there")
    folder.add_argument(
        "--warm", action="store_true", help="compile the functions that generated code calls, for float64, beforehand"
    )
    args = parser.parse_args(given)
    if args.clear:
        print(f"{cache.clear()} files deleted")
    if args.warm:
        _warm()
    print(cache.summary())
    return 0


def _warm() -> None:
    """Compile all kernels, saying what is being done."""
    for number, count, name in each_rule():
        print(f"\r[{number}/{count}] {name:40}", end="", flush=True)
    print()


if __name__ == "__main__":
    sys.exit(main())
