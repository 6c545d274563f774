"""Compiles the reverse mode of hard cases by name (all of them without names), and compares with what is not compiled.

Prints the number of functions that were compiled and the names of the cases that differ: in a second process with the
same cache folder nothing is compiled. `python -m tests.hard.later_process [start:stop:step | name ...]`
"""

from __future__ import annotations

import logging
import sys
from types import FunctionType

from srcgrad.compiler.fingerprint import fingerprint
from tests.hard.cases import RIGHT
from tests.hard.compare import Comparison
from tests.hard.public import Public
from tests.hard.table import Case


def recursive(case: Case) -> bool:
    """Whether a function that the case reaches calls itself."""
    own = (f for f in fingerprint(case.fun).functions if f.__module__.startswith("tests."))
    return any(map(_names_itself, own))


def _names_itself(fun: FunctionType) -> bool:
    if fun.__name__ in fun.__code__.co_freevars:
        return True
    return fun.__name__ in fun.__code__.co_names and fun.__globals__.get(fun.__name__) is fun


def chosen(words: list[str]) -> list[Case]:
    if len(words) == 1 and ":" in words[0]:
        return list(RIGHT[slice(*(int(part) if part else None for part in words[0].split(":")))])
    return [case for case in RIGHT if case.name in words or not words]


class Compilations(logging.Handler):
    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += record.getMessage().startswith("compiled ")


def main(words: list[str]) -> None:
    told, log = Compilations(), logging.getLogger("srcgrad")
    log.addHandler(told)
    log.setLevel(logging.INFO)
    for case in chosen(words):
        print("case", case.name, told.count, flush=True)
        if differ := Comparison(case, Public(case, jit=True)).run("first"):
            print("differs", case.name, differ, flush=True)
    print("compiled", told.count)


if __name__ == "__main__":
    main(sys.argv[1:])
