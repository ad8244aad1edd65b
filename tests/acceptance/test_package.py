"""The package as users get it: a wheel of the source archive, in an environment of its own."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from atomiton.cli.templates import templates

ROOT = Path(__file__).resolve().parents[2]
UV = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".tools" / "bin"))
#: What a package is made of; the studio is one page here, for to build it takes Node.js.
PARTS = (
    "pyproject.toml", "hatch_build.py", "README.md", "CHANGELOG.md", "LICENSE", "src", "docs",
    "packaging",
)  # fmt: skip
#: What lies beside the package in an environment, for ``man`` and the shells.
SHARED = (
    "share/man/man1/atomiton.1",
    "share/bash-completion/completions/atomiton",
    "share/zsh/site-functions/_atomiton",
    "share/fish/vendor_completions.d/atomiton.fish",
)
PAGE = "<!doctype html><title>The studio</title>"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(UV is None, reason="there is no uv to build it with"),
]


def do(folder: Path, *command: object) -> str:
    outside = ("VIRTUAL_ENV", "PYTHONPATH", "ATOMITON_STORE")
    env = {name: value for name, value in os.environ.items() if name not in outside}
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True, timeout=240,
        env={**env, "ATOMITON_SKIP_STUDIO": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive and the wheel that was made of it."""
    source = tmp_path_factory.mktemp("source")
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, source / name)
    static = source / "src" / "atomiton" / "studio" / "static"
    shutil.rmtree(static, ignore_errors=True)
    static.mkdir(parents=True)
    (static / "index.html").write_text(PAGE)
    do(source, UV, "build", "--quiet", "--out-dir", "dist")
    return source / "dist"


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment that holds the wheel; what it needs is seen from here."""
    folder = tmp_path_factory.mktemp("installed")
    do(folder, UV, "venv", "--quiet", "--offline", "--python", sys.executable, "venv")
    site = next((folder / "venv" / "lib").glob("python*")) / "site-packages"
    here = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "here.pth").write_text(f"{here}\n")  # after its own; editable installs are not seen
    wheel = next(built.glob("*.whl"))
    python = folder / "venv" / "bin" / "python"
    do(folder, UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel)
    return folder / "venv" / "bin" / "atomiton"


def test_the_archives_hold_what_is_needed_and_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    assert {"atomiton/py.typed", "atomiton/studio/static/index.html"} <= names
    for template in templates():
        assert {f"atomiton/templates/{template.name}/{file}" for file in template.files} <= names
    tops = {name.partition("/")[0] for name in names}
    ends = (".dist-info", ".data")
    assert {top for top in tops if not top.endswith(ends)} == {"atomiton"}
    shared = {name.partition(".data/data/")[2] for name in names if ".data/" in name}
    assert shared == set(SHARED)
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "src/atomiton/cli/app.py"} <= held


@pytest.mark.campaign
def test_pipx_installs_the_command_and_its_manual(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all that it needs, from where packages come from: this takes the network."""
    for name in ("HOME", "BIN_DIR", "MAN_DIR"):
        monkeypatch.setenv(f"PIPX_{name}", str(tmp_path / name))
    monkeypatch.setenv("PATH", f"{Path(UV or '').parent}:{os.environ['PATH']}")
    pipx = [sys.executable, "-m", "pipx", "install", "--python", sys.executable, "--backend", "uv"]
    do(tmp_path, *pipx, next(built.glob("*.whl")))
    assert do(tmp_path, tmp_path / "BIN_DIR" / "atomiton", "--version").startswith("atomiton 0.")
    assert (tmp_path / "MAN_DIR" / "man1" / "atomiton.1").is_file()
    assert do(tmp_path, sys.executable, "-m", "pipx", "uninstall", "atomiton")
    assert not (tmp_path / "BIN_DIR" / "atomiton").exists()


def test_what_is_installed_is_not_the_source_tree(installed: Path, tmp_path: Path) -> None:
    python = installed.parent / "python"
    place = do(tmp_path, python, "-c", "import atomiton; print(atomiton.__file__)").strip()
    assert place.startswith(str(installed.parent.parent))


def test_a_template_runs_on_record(installed: Path, tmp_path: Path) -> None:
    do(tmp_path, installed, "new", "--from", "data-transform", "here")
    ran = do(
        tmp_path / "here", installed, "run", "data-transform.yaml", "--json", "--store", "r.db"
    )
    assert json.loads(ran)["output"]["total"] == 300
    assert "data-transform" in do(tmp_path / "here", installed, "runs", "list", "--store", "r.db")
    assert "python.run" in do(tmp_path, installed, "nodes", "list", "python")


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sockets lie in a folder of our own; a socket's path must be short."""
    with tempfile.TemporaryDirectory(prefix="at-", dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield


@pytest.mark.usefixtures("sockets")
def test_the_server_starts_and_gives_the_studio(installed: Path, tmp_path: Path) -> None:
    command = [installed, "serve", "--port", "0", "--store", "r.db"]
    server = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        link = None
        for line in server.stdout:
            if found := re.match(r"log in at +(\S+)", line):
                link = found[1]
                break
        assert link is not None
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        browser = urllib.request.build_opener(jar)
        browser.open(link, timeout=20).close()
        with browser.open(link.partition("/login")[0] + "/", timeout=20) as answer:
            assert answer.read().decode() == PAGE
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)
    assert server.returncode == 0


@pytest.mark.parametrize("name", SHARED)
def test_manual_and_completion_lie_where_they_are_looked_for(name: str, installed: Path) -> None:
    assert (installed.parent.parent / name).stat().st_size > 500


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_had(shell: str, installed: Path, tmp_path: Path) -> None:
    script = do(tmp_path, "env", f"_ATOMITON_COMPLETE={shell}_source", installed)
    (file,) = (name for name in SHARED if shell in name and "man" not in name)
    shared = (installed.parent.parent / file).read_text()
    assert script.strip() == shared.strip()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_what_is_typed(installed: Path, tmp_path: Path) -> None:
    """A real shell at a terminal, which somebody types at."""
    home = installed.parent.parent
    (tmp_path / "order.yaml").touch()
    (tmp_path / "rc").write_text(
        f"PATH={home}/bin:$PATH\nPS1='> '\nbind 'set enable-bracketed-paste off'\n"
        f"bind 'set bell-style none'\n. {home}/share/bash-completion/completions/atomiton\n"
    )
    assert typed("atomiton vali", "date", tmp_path)
    assert typed("atomiton runs can", "cel", tmp_path)
    assert typed("atomiton run --dura", "bility", tmp_path)
    assert typed("atomiton run ord", "er.yaml", tmp_path)


def typed(text: str, rest: str, folder: Path) -> bool:
    """Whether a terminal with bash shows the rest of a text once the tab key was pressed."""
    master, slave = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--norc", "-i"], cwd=folder, stdin=slave, stdout=slave,
        stderr=slave, env={**os.environ, "TERM": "dumb", "COLUMNS": "200"}, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    try:
        os.write(master, b". ./rc; echo re''ady\n")
        seen = read_until(master, "ready\r\n")
        os.write(master, f"{text}\t".encode())
        seen = read_until(master, text + rest)
        return text + rest in seen
    finally:
        shell.kill()
        shell.wait()
        os.close(master)


def read_until(terminal: int, wanted: str) -> str:
    """What a terminal shows until the wanted text, or for twenty seconds."""
    seen, end = "", time.monotonic() + 20
    while wanted not in seen and (left := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            seen += os.read(terminal, 4096).decode(errors="replace")
    return seen
