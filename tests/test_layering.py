"""Imports point one way, and files and functions stay short."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import layout

PACKAGE = layout.Tree(Path(__file__).parent.parent / "srcgrad")
LONGEST_FILE, LONGEST_FUNCTION = 500, 60


def test_every_module_has_a_layer() -> None:
    assert layout.unplaced(PACKAGE) == []


def test_imports_point_one_way() -> None:
    assert layout.breaches(PACKAGE) == []


def test_no_circle() -> None:
    assert layout.circle(PACKAGE.edges) == []


def test_no_circle_of_rooms() -> None:
    print(layout.room_figures(PACKAGE))
    assert layout.circle(layout.room_arrows(PACKAGE)) == []


def test_few_files_lie_loose() -> None:
    loose = [name for name in PACKAGE.modules if "." not in name and name != layout.FRONT]
    assert len(loose) <= 4, loose


def test_no_import_inside_a_function() -> None:
    inner = [i for i in PACKAGE.imports if i.inside_function and not users_own(i) and not of_others(i)]
    assert [f"{i.module}:{i.line} {i.target}" for i in inner] == []


def users_own(i: layout.Import) -> bool:
    """An import statement of the user's function, carried out when it is lowered; a module that a command names."""
    return layout.layer(i.module) in ("frontend", "terminal") and i.target == layout.COMPUTED


def of_others(i: layout.Import) -> bool:
    """A module of SciPy or Numba that is imported where it is used, as its import takes long."""
    return i.module in ("rules.language.of_scipy", "backend.blas_later") and i.target == layout.COMPUTED


def test_foreign_packages_have_one_home() -> None:
    assert layout.confined(PACKAGE) == []


def test_files_are_short() -> None:
    sizes = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in PACKAGE.modules.items()}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    print(layout.length_figures(PACKAGE))
    assert [(m, name, size) for m, name, size in PACKAGE.functions() if size > LONGEST_FUNCTION] == []


def make(tmp_path: Path, files: dict[str, str]) -> layout.Tree:
    root = tmp_path / "pkg"
    for name, text in {"__init__.py": "", "core/__init__.py": "", "rules/__init__.py": "", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return layout.Tree(root)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"core/a.py": "from pkg.rules import b", "rules/b.py": ""}, ["core.a imports rules.b"]),
        ({"core/a.py": "from ..rules.b import thing", "rules/b.py": ""}, ["core.a imports rules.b"]),
        ({"core/a.py": "import pkg.rules"}, ["core.a imports rules.__init__"]),
        ({"printer/a.py": "from pkg.analysis import b", "analysis/b.py": ""}, ["printer.a imports analysis.b"]),
        ({"core/a.py": "from pkg import api", "api.py": ""}, ["core.a imports api"]),
        ({"core/a.py": "import pkg"}, ["core.a imports __init__"]),
        ({"rules/a.py": "from pkg.core import b", "core/b.py": "from . import c", "core/c.py": ""}, []),
    ],
)
def test_the_check_sees_breaches(tmp_path: Path, files: dict[str, str], found: list[str]) -> None:
    assert layout.breaches(make(tmp_path, files)) == found


def test_the_check_sees_circles(tmp_path: Path) -> None:
    tree = make(tmp_path, {"core/a.py": "from . import b", "core/b.py": "from pkg.core.a import x"})
    assert layout.circle(tree.edges) == ["core.a", "core.b", "core.a"]


def test_the_check_sees_inner_and_dynamic_imports(tmp_path: Path) -> None:
    text = "import importlib\ndef f():\n    import numba\n    g = lambda: importlib.import_module('pkg.api')\n"
    tree = make(tmp_path, {"core/a.py": text, "api.py": ""})
    assert [(i.line, i.target) for i in tree.imports if i.inside_function] == [(3, "numba"), (4, "pkg.api")]
    assert layout.confined(tree) == ["core.a:3 imports numba"]
    assert layout.breaches(tree) == ["core.a imports api"]


def test_what_a_module_loads_late_must_point_down_too(tmp_path: Path) -> None:
    text = "import importlib\ndef __getattr__(name):\n    return importlib.import_module('pkg.api')\n"
    tree = make(tmp_path, {"core/a.py": text, "api.py": ""})
    assert [i for i in tree.imports if i.inside_function] == []
    assert layout.breaches(tree) == ["core.a imports api"]


def test_the_check_sees_new_layers(tmp_path: Path) -> None:
    assert layout.unplaced(make(tmp_path, {"novel/a.py": ""})) == ["novel"]
