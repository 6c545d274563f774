"""What NumPy gives as a view, what as a copy: each is written through, and its base is, and both are looked at after.

The value is NumPy's, the gradient a difference quotient of it. What would be a copy with us and a view in NumPy, or the
reverse, must be refused.
"""

import importlib.util

import numpy as np
import pytest

import srcgrad as sg

RNG = np.random.default_rng(3)
BASES = {"v": RNG.normal(size=6), "m": RNG.normal(size=(3, 4)), "c": RNG.normal(size=6) + 1j * RNG.normal(size=6)}
RIGHT = {
    "v": """x.real | np.real(x) | x.conj() | x.conjugate() | np.conj(x) | np.asarray(x) | np.array(x) | np.copy(x)
        np.asarray(x, copy=True) | np.array(x, copy=None) | np.array(x, copy=False) | x.astype(np.float64)
        x.astype(np.float64, copy=False) | np.float64(x) | np.ascontiguousarray(x) | x.ravel() | np.ravel(x[1:4])
        x[::2].reshape(-1) | x.reshape(2, 3) | x.reshape(6, 1).squeeze(1) | np.atleast_1d(x) | np.atleast_2d(x)
        np.expand_dims(x, 0) | np.split(x, 2)[1] | np.array_split(x, 4)[0] | np.diag(x) | x.T | np.transpose(x)
        np.nan_to_num(x) | np.meshgrid(x, x)[0] | np.meshgrid(x, x, sparse=True)[1] | np.meshgrid(x)[0] | np.flip(x)
        np.roll(x, 0) | np.tile(x, 1) | np.tile(x, ()) | np.repeat(x, 1) | np.diff(x, 0) | np.concatenate((x,)) | +x
        np.sort(x) | x.flatten() | x[...] | x[0:6] | x[np.arange(6)] | x[x > -9.0] | np.where(x > -9.0, x, x)
        np.insert(x, 0, 1.0)
        np.sin(x, out=x) | np.add(x, 1.0, x) | np.cumsum(x, out=x) | np.clip(x, 0.0, 1.0, out=x)
        np.max(x, axis=()) | np.sum(x, axis=()) | x.clip(-9.0, 9.0) | np.array([x])[0] | np.stack((x, x))[0]""",
    "m": """x.real | x.T | x.ravel() | x.reshape(-1) | x[1:].ravel() | np.vsplit(x, 3)[1] | np.hsplit(x, 2)[1]
        np.rot90(x) | np.rot90(x, 4) | np.fliplr(x) | np.moveaxis(x, 0, 1) | x.swapaxes(0, 1) | np.matrix_transpose(x)
        x.T.flatten() | x.T.copy().reshape(-1) | x[:, 0].conj() | np.tril(x) | (x.T + 0.0).reshape(-1)
        np.linalg.matrix_power(x[:, :3], 1)
        np.sin(x.T).ravel() | np.zeros_like(x.T).ravel() | np.stack((x.T, x.T)).ravel()""",
    "c": "np.conj(x) | x.conj() | abs(x) | x.real.copy() | x.real + 0.0 | np.copy(x.imag) | np.atleast_2d(x)",
}
REFUSED = {
    "v": """x.imag | np.imag(x) | np.ravel(x[::2]) | np.ascontiguousarray(x[::2]) | x[::2].reshape(3, 1)
        np.broadcast_to(x, (2, 6)) | np.broadcast_arrays(x, 1.0)[0] | np.meshgrid(x, x, copy=False)[0]
        np.meshgrid(x, copy=False)[0] | np.median(x, overwrite_input=True, keepdims=True) | np.nan_to_num(x, copy=False)
        np.trim_zeros(x) | np.nanmedian(x, overwrite_input=True, keepdims=True)""",
    "m": """x.T.reshape(-1) | x.T.ravel() | x[:, ::2].reshape(-1) | np.diagonal(x) | x.diagonal(1) | np.diag(x)
        np.linalg.diagonal(x) | np.ascontiguousarray(x.T) | np.einsum('ij->ji', x) | np.einsum('ij', x)
        np.einsum('ii->i', x[:, :3]) | np.copy(x.T).reshape(-1) | np.broadcast_to(x[0], (2, 4))""",
    "c": """x.real | x.imag | np.real(x) | np.imag(x) | x[1:].real | x.real[1:] | x.reshape(2, 3).imag
        np.asarray(x.real) | np.atleast_2d(x.imag) | x.real.reshape(3, 2)""",
}


def listed(table):
    return [(kind, e.strip()) for kind in table for e in table[kind].replace("\n", "|").split("|") if e.strip()]


def program(kind, expression, through):
    """A function that makes the result and writes, through it or into the base."""
    shape = np.asarray(eval(expression, {"np": np, "x": BASES[kind].copy()})).shape
    first, last = ("0, " * len(shape), "-1, " * BASES[kind].ndim)
    number = f"x[{last}].real * 2.0" if kind == "c" else f"x[{last}] * 2.0"
    target = f"r[{first}]" if through else f"x[{'0, ' * BASES[kind].ndim}]"
    weights = "np.arange(1.0, x.size + 1.0).reshape(x.shape)"
    return "\n".join(
        (
            "def f(x):",
            f"    r = {expression}",
            f"    {target} = {number}",
            f"    rest = np.sum(np.sin(x.real) * {weights}) + np.sum(x.imag * x.imag)",
            "    return rest + np.sum(1.3 * np.cos(r.real) * r.real)",
        )
    )


def made(folder, text):
    path = folder / "f.py"
    path.write_text(f"import numpy as np\n\n\n{text}\n")
    spec = importlib.util.spec_from_file_location("f", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.f


def slopes(f, x, step=1e-6):
    """df/dx - i df/dy of each entry."""
    out = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        for unit in (1.0, 1j) if np.iscomplexobj(x) else (1.0,):
            ends = []
            for sign in (1, -1):
                moved = x.copy()
                moved[place] += sign * step * unit
                ends.append(f(moved))
            out[place] += (ends[0] - ends[1]) / (2 * step) * np.conj(unit)
    return out


def results(folder, kind, expression):
    for through in (True, False):
        f, x = made(folder, program(kind, expression, through)), BASES[kind].copy()
        want = f(x.copy()), slopes(f, x)
        yield want, lambda f=f, x=x: sg.value_and_grad(f, jit=False)(x), x, BASES[kind]


@pytest.mark.parametrize(("kind", "expression"), listed(RIGHT))
def test_value_and_gradient_are_those_of_numpy(kind, expression, tmp_path):
    for (value, gradient), call, x, before in results(tmp_path, kind, expression):
        got = call()
        assert np.array_equal(x, before)
        np.testing.assert_allclose(got[0], value, rtol=1e-12)
        np.testing.assert_allclose(got[1], gradient, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("kind", "expression"), listed(REFUSED))
def test_what_may_differ_is_refused(kind, expression, tmp_path):
    """Of the two writes one at least is seen in the wrong place, or not seen: that one is refused."""
    refused = 0
    for (value, gradient), call, x, before in numpy_permitting(tmp_path, kind, expression):
        try:
            got = call()
        except sg.UnsupportedError as error:
            assert error.problems[0].hint, error
            refused += 1
            continue
        assert np.array_equal(x, before)
        np.testing.assert_allclose(got[0], value, rtol=1e-12)
        np.testing.assert_allclose(got[1], gradient, rtol=1e-6, atol=1e-7)
    assert refused


def numpy_permitting(folder, kind, expression):
    """The same; where NumPy itself raises (of read-only memory) there is nothing to compare with."""
    for through in (True, False):
        f, x = made(folder, program(kind, expression, through)), BASES[kind].copy()
        try:
            want = f(x.copy()), slopes(f, x)
        except (ValueError, DeprecationWarning):
            want = None, None
        yield want, lambda f=f, x=x: sg.value_and_grad(f, jit=False)(x), x, BASES[kind]


def read_while_written(x):
    np.place(x, x > -0.5, x[1:4])
    return np.sum(x * x)


def read_elsewhere(x):
    y = x * 2.0
    np.place(x, x > -0.5, y[1:4])
    return np.sum(x * y)


def test_places_filled_from_the_same_memory():
    x = BASES["v"].copy()
    with pytest.raises(sg.UnsupportedError, match="while it is read through another name"):
        sg.grad(read_while_written, jit=False)(x)
    expected = slopes(lambda a: read_elsewhere(a.copy()), x)
    np.testing.assert_allclose(sg.grad(read_elsewhere, jit=False)(x), expected, rtol=1e-6)
