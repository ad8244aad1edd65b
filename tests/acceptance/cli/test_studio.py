"""``atomiton studio``, as a process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

TEXT = "# mine\natomiton: 1\nid: orders\nnodes:\n  a: {uses: data.value, with: {value: 1}}\n"

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sockets lie in a folder of our own; a socket's path must be short."""
    with tempfile.TemporaryDirectory(prefix="at-", dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "atomiton", "studio", "--store", str(folder / "runs.db")]
    return subprocess.Popen(
        [*command, *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_link(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.match(r"log in at (http://127\.0\.0\.1:\d+)/login\?code=\S+", line):
            return found[1]
    raise AssertionError(process.communicate()[1])


def test_a_file_is_opened_and_its_folder_holds_the_blueprints(tmp_path: Path) -> None:
    place = tmp_path / "mine" / "orders.yaml"
    place.parent.mkdir()
    place.write_text(TEXT)
    process = start(tmp_path, str(place), "--no-browser")
    try:
        address = read_link(process)
        token = (tmp_path / "runs.db.server" / "token").read_text().strip()

        def ask(path: str) -> dict[str, object]:
            asked = urllib.request.Request(
                address + path, headers={"authorization": f"Bearer {token}"}
            )
            with urllib.request.urlopen(asked) as answer:
                told: dict[str, object] = json.load(answer)
                return told

        assert ask("/api/v1/studio")["open"] == "orders"
        assert ask("/api/v1/blueprints/orders")["text"] == TEXT
    finally:
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 0, told
    assert place.read_text() == TEXT


def test_a_browser_is_opened_with_the_link(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{seen}.new" && mv "{seen}.new" "{seen}"\n')
    browser.chmod(0o755)
    command = [sys.executable, "-m", "atomiton", "studio", "--store", str(tmp_path / "runs.db")]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "BROWSER": f"{browser} %s"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = read_link(process)
        for _ in range(200):
            if seen.exists():
                break
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
        assert seen.read_text().startswith(f"{address}/login?code=")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("orders.txt", "x", "name ends in .yaml"),
        ("other.yaml", TEXT, "call the file orders.yaml"),
    ],
)
def test_a_file_that_cannot_be_kept_is_refused(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    process = start(tmp_path, name, "--no-browser")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 2
    assert message in told
