"""A cache folder of the tests' own."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.getbasetemp() / "srcgrad_cache"
    monkeypatch.setenv("SRCGRAD_CACHE_DIR", str(folder))
