"""Functions of NumPy arrays as functions of PyTorch's tensors."""

from __future__ import annotations

import numpy as np
import pytest

import srcgrad as sg
from tests.bridges.functions import energy, nested, oscillator, overwrites, scalar

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


def tensor(*values: float):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def number(value: float):
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize(
    ("fun", "args"),
    [
        (energy, (tensor(1.0, 2.0), number(3.0))),
        (scalar, (number(0.7),)),
        (lambda p: oscillator(p, 7), (tensor(2.0, 0.3),)),
        (overwrites, (tensor(1.5, -2.0),)),
    ],
    ids=["energy", "scalar", "oscillator", "overwrites"],
)
def test_first_and_second_derivatives(fun, args):
    f = sg.as_torch_function(fun, jit=False)
    assert torch.autograd.gradcheck(f, args)
    assert torch.autograd.gradgradcheck(f, args)


def test_structures_go_in_and_out():
    f = sg.as_torch_function(nested, jit=False)
    given = {"w": tensor(0.1, 0.2, 0.3), "b": number(2.0)}
    s, rest = f(given, 3)
    assert s.shape == (3,) and rest["n"].item() == 3 and not rest["n"].requires_grad
    rest["total"].backward()
    expected = sg.grad(lambda p: nested(p, 3)[1]["total"], jit=False)({"w": np.array([0.1, 0.2, 0.3]), "b": 2.0})
    assert given["w"].grad.numpy() == pytest.approx(expected["w"])
    assert given["b"].grad.item() == pytest.approx(expected["b"])


def test_what_requires_no_gradient_gets_none():
    f = sg.as_torch_function(energy, jit=False)
    x, k = tensor(1.0, 2.0), torch.tensor(3.0, dtype=torch.float64)
    f(x, k).backward()
    assert k.grad is None and x.grad.tolist() == [3.0, 6.0]
    with torch.no_grad():
        assert not f(x, k).requires_grad


def test_single_precision_stays():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    out = sg.as_torch_function(lambda x: x * x, jit=False)(x)
    out.sum().backward()
    assert out.dtype == torch.float32 and x.grad.dtype == torch.float32


def test_the_callers_tensor_is_left_as_it_was():
    x = tensor(1.5, -2.0)
    sg.as_torch_function(overwrites, jit=False)(x)
    assert x.tolist() == [1.5, -2.0]


def test_in_a_module_with_an_optimiser():
    f = sg.as_torch_function(oscillator, jit=False)
    p = torch.nn.Parameter(torch.tensor([2.0, 0.3], dtype=torch.float64))
    optimiser = torch.optim.SGD([p], lr=0.01)
    losses = []
    for _ in range(5):
        optimiser.zero_grad()
        loss = f(p, 10)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_refusals_are_ours():
    def opens(x):
        with open("log"):
            return x

    with pytest.raises(sg.UnsupportedError, match="is understood of"):
        sg.as_torch_function(opens, jit=False)(number(1.0))
