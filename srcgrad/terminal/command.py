"""The command line: which command, its options, and what is told when it cannot be done."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from srcgrad import optional
from srcgrad.errors import SrcgradError
from srcgrad.terminal import bench, cache, check, explain, rules, save, show
from srcgrad.terminal.subject import UsageError

COMMANDS = {
    "show": show,
    "check": check,
    "save": save,
    "explain": explain,
    "bench": bench,
    "rules": rules,
    "cache": cache,
}
EPILOG = """The exit status is 0 if all went well; 1 if srcgrad refuses the function or a check fails, with the line and
the reason; 2 if the command does not say what to do. srcgrad COMMAND --help shows examples."""


def main(given: Sequence[str] | None = None) -> int:
    """Run the command of these arguments, of the process's own without; gives the exit status."""
    parser = _parser()
    argcomplete = optional.package("argcomplete")
    if argcomplete is not None:
        argcomplete.autocomplete(parser)
    options = parser.parse_args(given)
    try:
        status: int = COMMANDS[options.command].run(options)
        return status
    except UsageError as error:
        print(f"srcgrad {options.command}: {error}", file=sys.stderr)
        return 2
    except SrcgradError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # what reads the output has seen enough, as `head` has
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    about = "Derivatives of Python functions as source code."
    parser = argparse.ArgumentParser(prog="srcgrad", description=about, epilog=EPILOG)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        described = f"{module.HELP[0].upper()}{module.HELP[1:]}."
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=described,
            epilog=module.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add(command)
    return parser
