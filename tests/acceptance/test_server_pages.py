"""What the pages about the server show is what happens."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.acceptance.cli.shell import Shell, eventually
from tests.acceptance.test_pages import ROOT, blocks
from tests.temporal_server import free_port

from atomiton.server.table import routes


def test_every_route_is_on_its_page() -> None:
    page = (ROOT / "docs" / "reference" / "http.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z]+ /\S*)` \| (\w+) \| (.+) \|$", page, re.MULTILINE)
    assert rows == [
        (f"{route.method} {route.path}", route.role or "nobody", route.summary)
        for route in routes()
    ]


def by_curl(text: str, shell: Shell, port: int) -> str:
    """What the command of the page prints, with a token that may start runs."""
    command = text.partition("\n")[0].removeprefix("$ ").replace("8750", str(port))
    token = shell.run("tokens", "add", "ci", "--role", "operator").out.split()[-1]
    env = {**os.environ, **shell.env, "TOKEN": token}
    done = subprocess.run(command, shell=True, env=env, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_client_of_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    shown = [(lang, text) for lang, _, text in blocks(ROOT / "docs" / "how-to" / "serve.md")]
    program = next(text for lang, text in shown if lang == "python")
    said, curl = (text for lang, text in shown if lang == "console")
    shell = Shell(tmp_path)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="at-", dir="/tmp") as runtime:
        shell.env["XDG_RUNTIME_DIR"] = runtime
        server = shell.start("serve", "--port", str(port))
        try:
            eventually(lambda: list(Path(runtime).glob("atomiton/*.sock")))
            done = subprocess.run(
                [sys.executable, "-c", program],
                env={**os.environ, **shell.env},
                capture_output=True,
                text=True,
                timeout=30,
            )
            asked = by_curl(curl, shell, port)
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=20)
    assert re.fullmatch(r'\{"run":"run_[0-9a-f]{26}"\}', asked), asked
    assert done.stderr == ""
    assert [line.rstrip() for line in done.stdout.splitlines()] == said.splitlines()[1:]
