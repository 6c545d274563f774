"""SciPy's functions by their names."""

from __future__ import annotations

import json
import subprocess
import sys

import scipy.special

from srcgrad.rules.language import registry
from srcgrad.rules.language.of_scipy import Functions, Library, Named, special

LATER = """
import sys, numpy as np, srcgrad as sg
def f(x):
    return np.sum(np.exp(x))
sg.grad(f, jit=False)(np.ones(3))
before = "scipy.special" in sys.modules
from scipy.special import gammaln, ndtr
g = sg.grad(lambda x: gammaln(x) + ndtr(x), jit=False)(2.0)
import json
print(json.dumps([before, g]))
"""


def test_a_name_is_equal_to_its_function() -> None:
    assert special.erf == scipy.special.erf and scipy.special.erf in (special.erf,)
    assert special.erf != scipy.special.erfc and special.erf != Named("scipy.linalg", "erf")
    assert special.erf(0.0) == 0.0 and special.erf.__name__ == "erf"


def test_a_table_has_both() -> None:
    table = Functions()
    absent = Library("a_module_that_nobody_imports")
    table[special.erf] = table[absent.f] = table[special.what_no_version_has] = table[len] = abs
    assert set(table) == {len, scipy.special.erf}
    assert table[scipy.special.erf] is table[special.erf] is abs and absent.f in table
    del table[len]
    assert len(table) == 1 and len not in table


def test_each_named_function_is_there() -> None:
    names = [f for rule in registry.PRIMITIVES.values() if rule.info for f in rule.info.functions]
    assert all(f.found() is not None for f in names if isinstance(f, Named))


def test_rules_are_found_after_a_derivative_without_scipy() -> None:
    done = subprocess.run([sys.executable, "-c", LATER], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    before, g = json.loads(done.stdout)
    assert not before
    assert abs(g - (scipy.special.digamma(2.0) + 0.053990966513188063)) < 1e-15
