"""A breakpoint in a generated line: pdb stops there, in an iteration of the reverse sweep."""

import inspect
import io
import pdb

import numpy as np

import srcgrad as sg


def product(x):
    s = 1.0
    for i in range(len(x)):
        s = s * np.sin(x[i])
    return s


def test_pdb_stops_in_a_line_of_the_reverse_sweep():
    x = np.array([1.0, 2.0])
    df = sg.grad(product, jit=False)
    generated = inspect.unwrap(df.jitted(x))
    lines, first = inspect.getsourcelines(generated)
    place = first + next(k for k, line in enumerate(lines) if "cos(x[i])" in line)
    stop = f"break {inspect.getsourcefile(generated)}:{place}"
    commands = [stop, "continue", "p ('stopped', i, float(s_bar))", "clear 1", "continue", ""]
    said = io.StringIO()
    debugger = pdb.Pdb(stdin=io.StringIO("\n".join(commands)), stdout=said, nosigint=True, readrc=False)
    got = debugger.runcall(df, x)
    assert "('stopped', 1, 1.0)" in said.getvalue()
    assert f"-> {lines[place - first].strip()}" in said.getvalue()
    assert np.array_equal(got, df(x))
