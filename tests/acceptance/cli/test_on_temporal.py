"""Runs on Temporal: the command line says of them what it says of those on one machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.cli.shell import Shell
from tests.acceptance.cli.test_main_process import conversation, opened

pytestmark = pytest.mark.slow


@pytest.fixture
def shell(tmp_path: Path, temporal_address: str) -> Iterator[Shell]:
    """A folder whose store is a Temporal server, with a worker."""
    with opened(tmp_path / "cluster", main=False) as shell:
        shell.env["ATOMITON_STORE"] = temporal_address
        worker = shell.start("worker", "--temporal", temporal_address)
        try:
            assert worker.stdout is not None
            assert "working for" in str(worker.stdout.readline())
            yield shell
        finally:
            worker.terminate()
            worker.communicate(timeout=20)


def test_a_run_is_left_told_and_followed(shell: Shell) -> None:
    left = shell.run("run", "asks.yaml", "--detach", "-i", "x=5")
    assert (left.code, left.out) == (4, "")
    assert "left waiting: 's' waits for the signal 'go'" in left.err
    told = shell.run("runs", "signal", "last", "go", "1")
    assert told.code == 4
    assert "left waiting: 'ok' waits for an approval" in told.err
    done = shell.run("runs", "approve", "last", "--field", "n=7")
    assert (done.code, done.data) == (0, [5, 1, 7])
    assert "last completed" in done.err


def test_a_run_asks_before_each_step(shell: Shell) -> None:
    done = shell.run("run", "hello.yaml", "--step", input_="\n")
    assert (done.code, done.out) == (0, "Hello, world\n")
    assert "next: greet" in done.err
    assert '= "Hello, world"' in done.err


@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_the_same_is_said_of_the_same_runs(tmp_path: Path, shell: Shell) -> None:
    with opened(tmp_path / "one", main=False) as alone:
        one, other = conversation(alone), conversation(shell)
    for mine, theirs in zip(one, other, strict=True):
        assert mine == theirs
