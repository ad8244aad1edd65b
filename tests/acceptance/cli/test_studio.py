"""``atomiton studio``, as a process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

TEXT = "# mine\natomiton: 1\nid: orders\nnodes:\n  a: {uses: data.value, with: {value: 1}}\n"

pytestmark = pytest.mark.slow
#: In the numbers of a server: its page was given, which only whoever is logged in gets.
SHOWN = r'^\S*requests\S*\{[^}]*"GET /"[^}]*"200"[^}]*\} [1-9]'


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


def window_of(folder: Path, script: str) -> subprocess.Popen[str]:
    """A studio that finds no browser but one made of a script."""
    programs = folder / "programs"
    programs.mkdir()
    (programs / "chromium").write_text(f"#!/bin/sh\n{script}")
    (programs / "chromium").chmod(0o755)
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "atomiton",
            "studio",
            "--store",
            str(folder / "runs.db"),
            "--window",
        ],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{programs}:/usr/bin:/bin",
            "XDG_RUNTIME_DIR": tempfile.mkdtemp(prefix="at-", dir="/tmp"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_window_is_opened_and_closing_it_ends_the_studio(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    process = window_of(tmp_path, f'echo "$@" > "{seen}"; sleep 0.3\n')
    out, told = process.communicate(timeout=30)
    assert process.returncode == 0, told
    assert "stopped" in told
    address = re.search(r"studio at (\S+)", out)
    assert address is not None
    words = seen.read_text().split()
    assert words[0].startswith(f"--app={address[1]}/login?code=")
    profile = next(word for word in words if word.startswith("--user-data-dir="))
    assert not Path(profile.partition("=")[2]).exists()


def test_the_window_is_closed_with_the_studio(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    process = window_of(tmp_path, f'echo $$ > "{pid}.new"; mv "{pid}.new" "{pid}"; exec sleep 60\n')
    read_link(process)
    while not pid.exists():
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 0, told
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="there is no Chromium")
def test_a_real_window_logs_in_by_itself(tmp_path: Path) -> None:
    process = window_of(tmp_path, 'exec /usr/bin/chromium --headless=new --disable-gpu "$@"\n')
    try:
        address = read_link(process)
        token = (tmp_path / "runs.db.server" / "token").read_text().strip()
        shown = ""
        for _ in range(300):
            asked = urllib.request.Request(
                f"{address}/metrics", headers={"authorization": f"Bearer {token}"}
            )
            with urllib.request.urlopen(asked) as answer:
                told = answer.read().decode()
            found = re.search(SHOWN, told, re.MULTILINE)
            if found:
                shown = found[0]
                break
            time.sleep(0.1)
        assert shown, told
    finally:
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 0, told


def test_a_web_view_shows_it_where_there_is_one_and_ends_it(tmp_path: Path) -> None:
    # Real ones need a screen; this one has what they have: a page is got, and the window closed.
    package = tmp_path / "webview"
    package.mkdir()
    (package / "guilib.py").write_text("def initialize(): pass\n")
    (package / "__init__.py").write_text(
        "import urllib.request\n"
        "class Window:\n    def destroy(self): pass\n"
        "def create_window(title, url, width, height):\n    global link\n    link = url\n"
        "    return Window()\n"
        "def start():\n"
        "    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())\n"
        "    with opener.open(link) as page:\n        print('shown', page.status, flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "atomiton", "studio", "--store", str(tmp_path / "r.db"), "--window"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            "XDG_RUNTIME_DIR": tempfile.mkdtemp(prefix="at-", dir="/tmp"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "shown 200" in done.stdout
