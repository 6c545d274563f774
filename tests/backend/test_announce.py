"""A compilation that takes long says so to whoever looks on."""

from __future__ import annotations

import io
import threading
from types import SimpleNamespace

import pytest

from srcgrad.backend import announce


class Terminal(io.StringIO):
    """A terminal, which tells when a line has come."""

    def __init__(self) -> None:
        super().__init__()
        self.told = threading.Event()

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        self.told.set()


Notebook = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})


@pytest.fixture
def terminal(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(announce, "sys", SimpleNamespace(stderr=stream))
    monkeypatch.setattr(announce, "SECONDS", 0.01)
    monkeypatch.delenv(announce.QUIET, raising=False)
    return stream


def test_one_line_is_said_while_a_long_compilation_goes_on(terminal):
    with announce.announced("f_grad"):
        with announce.announced("a_kernel"):
            assert terminal.told.wait(10)
    assert terminal.getvalue().count("\n") == 1
    assert terminal.getvalue().startswith("srcgrad: compiling f_grad, once for these types")


def test_nothing_is_said_of_a_short_one(terminal, monkeypatch):
    monkeypatch.setattr(announce, "SECONDS", 60.0)
    with announce.announced("f_grad"):
        pass
    assert terminal.getvalue() == "" and not [
        t for t in threading.enumerate() if isinstance(t, threading.Timer) and not t.finished.is_set()
    ]


def test_the_next_is_announced_after_one_that_failed(terminal):
    with pytest.raises(ValueError), announce.announced("f_grad"):
        raise ValueError
    with announce.announced("g_grad"):
        assert terminal.told.wait(10)
    assert "compiling g_grad" in terminal.getvalue()


def test_who_looks_on(terminal, monkeypatch):
    assert announce.watched(terminal) and announce.watched(Notebook())
    assert not announce.watched(io.StringIO()) and not announce.watched(None)
    monkeypatch.setenv(announce.QUIET, "1")
    assert not announce.watched(terminal)
