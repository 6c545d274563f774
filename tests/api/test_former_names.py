"""Pickles that version 0.1 wrote load: modules are found under the names that they had then."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

import srcgrad as sg

# pickle.dumps(sg.grad(colorsys.rgb_to_yiq, argnums=1, jit=False), protocol=2)
WRITTEN = (
    b"\x80\x02csrcgrad.derivative\n_restore\nq\x00(csrcgrad.derivative\nDerivative\nq\x01ccolorsys\nrgb_to_yiq\nq\x02"
    b"csrcgrad.recipe\nRecipe\nq\x03)\x81q\x04]q\x05(X\x04\x00\x00\x00gradq\x06K\x01\x85q\x07\x88\x89X\x07\x00\x00\x00"
    b"reverseq\x08N))\x89ebcsrcgrad.driver\nOptions\nq\t)\x81q\n]q\x0b(X\x03\x00\x00\x00cpuq\x0c\x89\x88NNebtq\rRq\x0e."
)


def test_a_derivative_of_the_version_before() -> None:
    made = pickle.loads(WRITTEN)
    assert type(made) is sg.Derivative
    assert repr(made) == "<srcgrad grad of rgb_to_yiq>"
    assert pickle.loads(pickle.dumps(made)).primal is made.primal


@pytest.mark.parametrize("name", ["custom", "adapted", "recipe", "driver", "derivative"])
def test_a_former_name_in_a_new_process(name: str) -> None:
    code = f"import srcgrad, importlib; print(importlib.import_module('srcgrad.{name}').__name__)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == f"srcgrad.{name}"
