"""The cache folder: what is damaged, gone or cannot be written is made again or done without; others' is not used."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import textwrap

import pytest

import srcgrad as sg
from srcgrad.backend import cache
from srcgrad.compiler import find_or_make

SCRIPT = """
    import sys
    import srcgrad as sg
    def f(x):
        return x * x * x
    d = sg.grad(f)
    print(d(2.0), "srcgrad.compiler.program" in sys.modules, len(d.jitted(2.0).stats.cache_hits))
"""


@pytest.fixture
def script(tmp_path):
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))

    def run(umask=0o022):
        env = {**os.environ, "SRCGRAD_CACHE_DIR": str(tmp_path / "cache")}
        call = [sys.executable, "script.py"]
        done = subprocess.run(call, capture_output=True, text=True, env=env, cwd=tmp_path, umask=umask)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return run


def truncated(data):
    return data[: len(data) // 2]


def garbled(data):
    middle = len(data) // 2
    return data[:middle] + bytes(b ^ 0x55 for b in data[middle : middle + 8]) + data[middle + 8 :]


def empty(data):
    return b""


def test_damaged_files_are_made_again(script, tmp_path):
    folder = tmp_path / "cache"
    assert script() == ["12.0", "True", "0"]
    assert script() == ["12.0", "False", "1"]
    files = {path.suffix: path for path in folder.rglob("f_grad*") if path.is_file()}
    assert files.keys() == {".py", ".meta", ".from", ".nbi", ".nbc"}
    for suffix in (".py", ".nbi", ".nbc"):
        files[suffix].write_bytes(garbled(files[suffix].read_bytes()))
    assert script()[0] == "12.0"
    assert script() == ["12.0", "False", "1"]


@pytest.mark.parametrize("damage", [truncated, garbled, empty])
@pytest.mark.parametrize("suffix", [".py", ".meta"])
def test_what_is_damaged_is_not_recalled(tmp_path, damage, suffix):
    path = tmp_path / "m.py"
    cache.write(path, b"def f(x):\n    return x\n")
    cache.remember(path, {"a": [1, 2, 3]})
    assert cache.recall(path) is not None
    hurt = path.with_suffix(suffix)
    hurt.write_bytes(damage(hurt.read_bytes()))
    assert cache.recall(path) is None


def numbas_file(tmp_path):
    from srcgrad.backend.compiling import CheckedFile

    return CheckedFile(str(tmp_path), "f-1", "stamp")


@pytest.mark.parametrize("damage", [truncated, garbled, empty])
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_damaged_compiled_code_counts_as_missing(tmp_path, damage, suffix):
    file = numbas_file(tmp_path)
    file.save("key", ("machine", "code"))
    assert numbas_file(tmp_path).load("key") == ("machine", "code")
    (path,) = tmp_path.glob(f"*.{suffix}")
    path.write_bytes(damage(path.read_bytes()))
    assert file.load("key") is None
    file.save("key", ("made", "again"))
    assert file.load("key") == ("made", "again")


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("SRCGRAD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(find_or_make, "_UNITS", {})
    return tmp_path / "cache"


def test_a_full_disk_is_done_without(own, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache.tempfile, "mkstemp", full)
    d = sg.grad(lambda x: x * x * 5.5)
    assert d(2.0) == 22.0
    assert "cache=False" in d.source
    assert not list(own.rglob("*.py"))


def test_a_folder_that_is_deleted_meanwhile(own):
    d, e = sg.grad(lambda x: x * x * 6.5), sg.grad(lambda x: x * 7.5)
    assert d(2.0) == 26.0
    shutil.rmtree(own)
    assert "6.5" in d.source
    assert e(2.0) == 7.5
    assert own.stat().st_mode & 0o777 == 0o700


def test_two_processes_at_once(script, tmp_path):
    env = {**os.environ, "SRCGRAD_CACHE_DIR": str(tmp_path / "cache")}
    both = [
        subprocess.Popen([sys.executable, "script.py"], env=env, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate(timeout=300)[0].split()[0] for process in both] == ["12.0", "12.0"]
    script()
    assert script() == ["12.0", "False", "1"]


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o277])
def test_the_folder_is_the_users_alone(tmp_path, umask):
    before = os.umask(umask)
    try:
        cache.make(tmp_path / "cache")
    finally:
        os.umask(before)
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path, mode):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(mode)
    with pytest.warns(RuntimeWarning, match="other users may write to it"):
        assert cache._usable(str(tmp_path / "cache")) == cache.temporary()


def test_a_folder_of_another_owner_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(cache.os, "getuid", lambda: os.stat(tmp_path).st_uid + 1)
    with pytest.warns(RuntimeWarning, match="belongs to another user"):
        assert cache._usable(str(tmp_path)) == cache.temporary()
    (tmp_path / "m.py").write_text("1 / 0")
    assert cache.read(tmp_path / "m.py") is None
