"""``Capabilities`` hands out the doors to the world."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from atomiton.errors import AtomitonError, NodeError, NotAllowed
from atomiton.nodes.call import NodeCall
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.guard.ambient import SecretsGuard
from atomiton.nodes.spec import node
from atomiton.ports.calls import Attempt
from atomiton.ports.capabilities import Log, Progress, Secrets


def attempt(secrets: object = None) -> tuple[Attempt, list[tuple[object, ...]]]:
    heard: list[tuple[object, ...]] = []
    made = Attempt(
        "run_1", "a.b", 2, None, time.monotonic,
        lambda fraction, message: heard.append((fraction, message)),
        lambda level, message: heard.append((level, message)),
        secrets,
    )  # fmt: skip
    return made, heard


def test_every_capability_is_made_once() -> None:
    one = Capabilities()
    who, _ = attempt()
    for name in ("http", "files", "process", "random"):
        assert one.provide(name, who) is one.provide(name, who)
    assert one.provide("attempt", who) is who
    with pytest.raises(AtomitonError, match="no capability 'moon'"):
        one.provide("moon", who)


async def test_fakes_take_their_places() -> None:
    fake = object()
    doors = Capabilities(http=fake, files=fake, process=fake, clock=fake, random=fake)
    who, _ = attempt()
    for name in ("http", "files", "process", "clock", "random"):
        assert doors.provide(name, who) is fake
    await doors.aclose()


async def test_time_and_chance() -> None:
    doors = Capabilities()
    who, _ = attempt()
    clock, random = doors.provide("clock", who), doors.provide("random", who)
    assert abs(clock.now() - time.monotonic()) < 1  # the clock of the run, whichever that is
    await clock.sleep(0)
    assert 0 <= random.random() < 1
    assert len(random.token(16)) == 16
    await doors.aclose()


def test_log_and_progress() -> None:
    who, heard = attempt()
    doors = Capabilities()
    doors.provide("log", who).log("info", "hello")
    progress = doors.provide("progress", who)
    for fraction in (0.5, 0.2, 7):
        progress.report(fraction, "on")
    assert heard == [("info", "hello"), (0.5, "on"), (0.5, "on"), (1.0, "on")]


def test_only_declared_secrets(monkeypatch) -> None:
    monkeypatch.setenv("KEY", "from the environment")
    who, _ = attempt({"KEY", "UNSET"})
    secrets = Capabilities().provide("secrets", who)
    assert secrets.get("KEY") == "from the environment"
    with pytest.raises(NotAllowed, match="does not declare the secret 'PATH'"):
        secrets.get("PATH")
    with pytest.raises(NodeError, match="is not set") as caught:
        secrets.get("UNSET")
    assert caught.value.code == "NOT_FOUND"
    given = Capabilities(secrets={"KEY": "given"})
    assert given.provide("secrets", who).get("KEY") == "given"
    assert "given" not in repr(given.provide("secrets", who))
    with pytest.raises(NotAllowed):
        given.provide("secrets", attempt()[0]).get("KEY")
    fake = SecretsGuard({"A": "b"}, {"A"})
    assert Capabilities(secrets=fake).provide("secrets", who) is fake
    known = attempt({"KEY": "resolved"})[0]
    assert Capabilities().provide("secrets", known).get("KEY") == "resolved"


def test_a_call_converts_copies_and_injects() -> None:
    @node("a.b")
    def function(
        items: list[int], any_: list, size: float, *, log: Log, step: Progress, s: Secrets
    ):
        items.append(9)
        any_.append(9)
        log.log("info", f"{size!r}")
        return (items, any_)

    who, heard = attempt({"KEY"})
    call = NodeCall(function.type, Capabilities(secrets={"KEY": "x"}))
    before: dict[str, object] = {"items": [1], "any": [1], "size": 2}
    given = call.arguments(dict(before), who)
    assert call.result(call.function(**given)) == [[1, 9], [1, 9]]
    assert before == {"items": [1], "any": [1], "size": 2}
    assert heard == [("info", "2.0")]


def test_doors_cost_nothing_to_import() -> None:
    code = (
        "import sys\nfrom atomiton.nodes.guard import Capabilities\nCapabilities()\n"
        "assert not {'aiohttp', 'asyncio', 'subprocess', 'random'} & set(sys.modules)\n"
    )
    # Measuring coverage loads modules of its own.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
