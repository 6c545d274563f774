"""Every public name says what it takes, gives and raises, with an example that runs."""

from __future__ import annotations

import inspect
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest

import srcgrad
import srcgrad.bridges.jax
import srcgrad.bridges.torch
import srcgrad.cuda
import srcgrad.optimize
import srcgrad.testing

MODULES: tuple[ModuleType, ...] = (srcgrad, srcgrad.cuda, srcgrad.optimize, srcgrad.testing)
PUBLIC = {f"{m.__name__}.{name}": getattr(m, name) for m in MODULES for name in m.__all__}
PUBLIC |= {
    "srcgrad.as_jax_function": srcgrad.bridges.jax.as_jax_function,
    "srcgrad.as_torch_function": srcgrad.bridges.torch.as_torch_function,
}
FUNCTIONS = {name: thing for name, thing in PUBLIC.items() if inspect.isfunction(thing)}
CLASSES = {name: thing for name, thing in PUBLIC.items() if inspect.isclass(thing)}
WITHOUT_RESULT = {"srcgrad.testing.check_grads"}
NEVER_RAISES = {"srcgrad.stop_gradient"}
METHODS = ("source_for", "jitted", "explain")


def sections(thing: Any) -> set[str]:
    lines = (inspect.getdoc(thing) or "").splitlines()
    return {a for a, b in pairwise(lines) if b and set(b) == {"-"} and len(a) == len(b)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_all_sections(name):
    wanted = {"Parameters", "Returns", "Raises", "Examples"}
    wanted -= {"Returns"} if name in WITHOUT_RESULT else set()
    wanted -= {"Raises"} if name in NEVER_RAISES else set()
    assert wanted <= sections(FUNCTIONS[name])
    assert ">>> " in FUNCTIONS[name].__doc__


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_those_of_the_function(name):
    doc = inspect.getdoc(FUNCTIONS[name]) or ""
    listed = doc.split("Parameters\n----------\n")[1].split("\n\n")[0]
    heads = [line.split(" :")[0] for line in listed.splitlines() if line[0] != " "]
    told = [part.strip(" *") for head in heads for part in head.split(",")]
    unknown = set(inspect.signature(FUNCTIONS[name]).parameters) - set(told)
    assert not unknown


@pytest.mark.parametrize("name", CLASSES)
def test_classes_say_what_they_are(name):
    assert len(inspect.getdoc(CLASSES[name]) or "") > 20


@pytest.mark.parametrize("name", METHODS)
def test_methods_of_derivatives_say_what_they_give(name):
    assert "Returns" in sections(getattr(srcgrad.Derivative, name))
