"""Links that log a browser in, from the command line."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.acceptance.cli.shell import Shell

pytestmark = pytest.mark.slow


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    with tempfile.TemporaryDirectory(prefix="at-", dir="/tmp") as runtime:
        made.env["XDG_RUNTIME_DIR"] = runtime
        yield made


@contextmanager
def serving(shell: Shell, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A server on the store of a shell; what it prints at its start has been printed."""
    process = shell.start("serve", *options)
    try:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("token in"):
            assert process.poll() is None, process.communicate()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def test_a_link_logs_a_browser_in_once(shell: Shell) -> None:
    with serving(shell, "--port", "0"):
        done = shell.run("tokens", "login")
        assert done.code == 0, done.err
        link = done.out.strip()
        assert link.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(link) as page:
            assert "atomiton_session=" in page.headers["set-cookie"]
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(link)
        assert refused.value.code == 401
        refused.value.close()


def test_without_a_server_or_its_port_there_is_no_link(shell: Shell) -> None:
    done = shell.run("tokens", "login")
    assert (done.code, done.out) == (2, "")
    assert "no server serves this store here: atomiton serve starts one" in done.err
    with serving(shell, "--no-port"):
        done = shell.run("tokens", "login")
    assert (done.code, done.out) == (2, "")
    assert "--no-port" in done.err
