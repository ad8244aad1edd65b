"""The examples of programs as nodes, by the real command line; Rust where it can be built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "programs"


def run(name: str, nodes: Path, tmp_path: Path, *inputs: str) -> dict[str, object]:
    given = [part for text in inputs for part in ("--input", text)]
    arguments = ["run", EXAMPLE / name, "--nodes", nodes, "--json", *given]
    done = subprocess.run(
        [sys.executable, "-m", "atomiton", *arguments],
        cwd=tmp_path,
        env={**os.environ, "ATOMITON_STORE": str(tmp_path / "runs.db")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return json.loads(done.stdout)


def test_a_script_of_the_shell_is_a_node(tmp_path: Path) -> None:
    ended = run("words.yaml", EXAMPLE / "nodes.yaml", tmp_path, "text=to be, or not to be to")
    assert ended["output"] == {"words": 7, "most": "to"}
    ended = run("words.yaml", EXAMPLE / "nodes.yaml", tmp_path, "text=")
    assert ended["error"]["code"] == "INVALID_INPUT"  # type: ignore[index]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cargo") is None, reason="there is no cargo to build it")
def test_a_program_in_rust_is_a_node(tmp_path: Path) -> None:
    folder = tmp_path / "programs"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("target"))
    build = ["cargo", "build", "--release", "--offline", "--quiet"]
    subprocess.run(build, cwd=folder, check=True, timeout=300)
    ended = run("primes.yaml", folder / "nodes.yaml", tmp_path, "below=1000000")
    assert ended["output"] == {"count": 78498, "largest": 999983}
    ended = run("primes.yaml", folder / "nodes.yaml", tmp_path, "below=2")
    assert ended["output"] == {"count": 0, "largest": None}
    ended = run("primes.yaml", folder / "nodes.yaml", tmp_path, "below=9999999999")
    assert ended["error"]["code"] == "LIMIT_EXCEEDED"  # type: ignore[index]
