"""A package of node types as `atomiton new node-pack` makes it: installed, tested, found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".tools" / "bin"))


def do(folder: Path, *command: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=env, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.mark.slow
@pytest.mark.skipif(UV is None, reason="there is no uv to install it with")
def test_a_new_package_installs_passes_its_tests_and_is_found(tmp_path: Path) -> None:
    made = do(tmp_path, sys.executable, "-m", "atomiton", "new", "node-pack", "my-bills")
    assert "my-bills/src/my_bills/__init__.py" in made.stdout.split()
    pack, python = tmp_path / "my-bills", tmp_path / "venv" / "bin" / "python"
    do(tmp_path, UV, "venv", "--offline", "--python", sys.executable, "venv")
    # What is installed here, Atomiton too, is seen from there: only the package itself is new.
    site = next((tmp_path / "venv" / "lib").glob("python*")) / "site-packages"
    here = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "here.pth").write_text(f"{here}\n{ROOT / 'src'}\n")
    do(tmp_path, UV, "pip", "install", "--python", python, "--no-deps", pack)
    assert "3 passed" in do(pack, python, "-m", "pytest", "-p", "no:cacheprovider").stdout
    listed = do(tmp_path, python, "-m", "atomiton", "nodes", "list", "my_bills").stdout
    assert listed.startswith("my_bills.split  Share an amount equally, to the cent;")
    assert len(listed.splitlines()) == 1
    shown = do(tmp_path, python, "-m", "atomiton", "nodes", "show", "my_bills.split", "--json")
    assert json.loads(shown.stdout)["version"] == 1


@pytest.mark.parametrize("name", ["My-Bills", "2nd", "class", "atomiton", "a--b", "../up"])
def test_a_name_that_no_package_can_have_is_refused(name: str, tmp_path: Path) -> None:
    refused = do(
        tmp_path, sys.executable, "-m", "atomiton", "new", "node-pack", name, code=2
    ).stderr
    assert "cannot be the name of a package" in refused
    assert list(tmp_path.iterdir()) == []


def test_a_deprecated_node_type_says_what_to_use(tmp_path: Path) -> None:
    (tmp_path / "nodes.py").write_text(
        "from atomiton import node\n\n"
        "@node('my.add', deprecated='use my.add@2')\ndef old(x: int) -> int:\n    return x\n\n"
        "@node('my.add', version=2)\ndef new(x: int, y: int = 1) -> int:\n    return x + y\n"
    )
    uses = "  {name}: {{uses: {type}, with: {{x: 1}}}}\n"
    nodes = uses.format(name="a", type="my.add@1") + uses.format(name="b", type="my.add")
    (tmp_path / "both.yaml").write_text(f"atomiton: 1\nid: both\nnodes:\n{nodes}")
    here = (sys.executable, "-m", "atomiton")
    validated = do(tmp_path, *here, "validate", "both.yaml", "--nodes", "nodes.py").stdout
    assert validated == (
        "both.yaml: valid\nboth.yaml: note: node 'a': 'my.add@1' is deprecated: use my.add@2\n"
    )
    told = do(tmp_path, *here, "validate", "both.yaml", "--nodes", "nodes.py", "--json").stdout
    assert json.loads(told)["warnings"] == ["node 'a': 'my.add@1' is deprecated: use my.add@2"]
    run = ("run", "both.yaml", "--nodes", "nodes.py", "--store", "memory:", "--durability", "none")
    assert json.loads(do(tmp_path, *here, *run).stdout) == {"a": 1, "b": 2}
