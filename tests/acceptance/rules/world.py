"""A conductor whose nodes write down what they do, so that a test sees what ran, and in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

from atomiton import Conductor, NodeError, node
from atomiton.blueprint.document import read_blueprint
from atomiton.blueprint.model import Blueprint
from atomiton.builder.built import BuiltBlueprint
from atomiton.conductor import Run
from atomiton.conductor.result import RunResult
from atomiton.errors import BlueprintError, Problem
from atomiton.machine.events import AttemptCompleted, AttemptFailed
from atomiton.machine.finishing import undone
from atomiton.ports.capabilities import Attempt, Secrets

HEAD = "atomiton: 1\nid: test\n"


class World:
    """Runs blueprints, and remembers what their nodes did.

    Attributes:
        acts: Path of each node when it acts: ``a`` when it gave something, ``a!`` when it failed,
            ``a?`` when it began to wait for ``release``, ``a~`` when it was stopped while waiting.
        keys: Idempotency key of every act, in the same order.
        outputs: What nodes of the type t.do gave last, by path.
    """

    def __init__(self, folder: Path) -> None:
        self.acts: list[str] = []
        self.keys: list[str] = []
        self.outputs: dict[str, Any] = {}
        self.most = 0
        self._busy = 0
        self._tries: dict[str, int] = {}
        self._gates: dict[str, asyncio.Event] = {}
        self._folder = folder
        self._ahead = 0.0
        self.conductor = Conductor(
            store="memory:",
            nodes=self._nodes(),
            secrets={"TOKEN": "s3cret"},
            grace=0.2,
            now=lambda: time.time() + self._ahead,
        )

    # -- running ---------------------------------------------------------------------------------

    def blueprint(self, text: str, called: Mapping[str, str] | None = None) -> Blueprint:
        """Read and compile a blueprint; its first two lines may be left out."""
        library = self.conductor.library
        for name, called_text in (called or {}).items():
            library.add(read_blueprint(whole(called_text, name))[0])
        blueprint, document = read_blueprint(whole(text))
        return library.load(BuiltBlueprint(blueprint, document.positions))

    async def run(
        self,
        text: str,
        inputs: Mapping[str, object] | None = None,
        *,
        called: Mapping[str, str] | None = None,
    ) -> RunResult:
        """Run a blueprint to its end."""
        return await self.conductor.run(self.blueprint(text, called), inputs)

    async def start(
        self,
        text: str,
        inputs: Mapping[str, object] | None = None,
        *,
        called: Mapping[str, str] | None = None,
    ) -> Run:
        """Start a run."""
        return await self.conductor.start(self.blueprint(text, called), inputs)

    def problems(self, text: str, called: Mapping[str, str] | None = None) -> list[Problem]:
        """Everything for which a blueprint is refused; none if it is not."""
        try:
            self.blueprint(text, called)
        except BlueprintError as error:
            return list(error.problems)
        return []

    def problem(self, text: str, called: Mapping[str, str] | None = None) -> Problem:
        """The one thing for which a blueprint is refused."""
        (problem,) = self.problems(text, called)
        return problem

    async def facts(self, run: str, path: str) -> list[Any]:
        """How the attempts of a node ended."""
        ends = AttemptCompleted | AttemptFailed
        return [
            event.fact
            async for event in self.conductor.events(run)
            if event.node == path and isinstance(event.fact, ends)
        ]

    def pass_time(self, seconds: float) -> None:
        """Put the clock ahead."""
        self._ahead += seconds

    # -- steering --------------------------------------------------------------------------------

    async def signal(self, run: Run, name: str, payload: object = None) -> None:
        """Send a signal to a run."""
        await self.conductor.signal(run.id, name, payload)

    async def approve(
        self, run: Run, path: str, *, approved: bool = True, **fields: object
    ) -> None:
        """Answer the approval that a node waits for."""
        await self.conductor.approve(
            run.id, path, approved=approved, by="ada", comment="fine", fields=fields
        )

    def release(self, *paths: str) -> None:
        """Let nodes of the type t.hold go on."""
        for path in paths:
            self._gate(path).set()

    async def until(self, *acts: str) -> None:
        """Wait until all these acts have happened."""
        async with asyncio.timeout(10):
            while not set(acts) <= set(self.acts):
                await asyncio.sleep(0.001)

    async def status(self, run: Run, path: str, wanted: str) -> None:
        """Wait until a node has a status."""
        async with asyncio.timeout(10):
            while True:
                nodes = (await self.conductor.show(run.id)).nodes
                if path in nodes and nodes[path].status == wanted:
                    return
                await asyncio.sleep(0.001)

    # -- the nodes -------------------------------------------------------------------------------

    def _gate(self, path: str) -> asyncio.Event:
        return self._gates.setdefault(path, asyncio.Event())

    def _act(self, attempt: Attempt, mark: str = "") -> None:
        self.acts.append(attempt.node + mark)
        self.keys.append(attempt.key)

    def _nodes(self) -> list[object]:
        @node("t.do")
        async def do(attempt: Attempt, value: Any = None) -> Any:
            self._act(attempt)
            self.outputs[attempt.node] = value
            return value

        @node("t.fail")
        async def fail(
            attempt: Attempt, times: int = 1_000_000, code: str = "NODE_FAILED", value: Any = None
        ) -> Any:
            """Fail so many times, over all attempts under one key."""
            tried = self._tries[attempt.key] = self._tries.get(attempt.key, 0) + 1
            if tried <= times:
                self._act(attempt, "!")
                raise NodeError("no luck", code=code, details={"try": tried})
            self._act(attempt)
            return value

        @node("t.hold")
        async def hold(attempt: Attempt, value: Any = None) -> Any:
            self._act(attempt, "?")
            self._busy += 1
            self.most = max(self.most, self._busy)
            try:
                await self._gate(attempt.node).wait()
            except asyncio.CancelledError:
                self._act(attempt, "~")
                raise
            finally:
                self._busy -= 1
            self._act(attempt)
            return value

        @node("t.left")
        async def left(attempt: Attempt) -> float | None:
            return attempt.remaining()

        @node("t.add")
        async def add(x: float, y: float = 1) -> float:
            return x + y

        @node("t.text")
        async def text(value: str) -> str:
            return value

        @node("t.secret")
        async def secret(secrets: Secrets, given: str = "") -> bool:
            return given in ("", secrets.get("TOKEN"))

        @node("t.spend")
        async def spend(attempt: Attempt, amount: float) -> None:
            attempt.spend(amount)

        return [do, fail, hold, left, add, text, secret, spend]


def whole(text: str, id_: str = "test") -> str:
    """The text of a blueprint with the lines that all of them begin with."""
    text = dedent(text).lstrip("\n")
    return text if text.startswith("atomiton") else HEAD.replace("test", id_) + text


def statuses(result: RunResult) -> dict[str, str]:
    """How each node ended, by path."""
    return {path: node.status for path, node in result.nodes.items()}


def compensation(result: RunResult) -> tuple[list[str], list[str]]:
    """The nodes whose compensation has completed, and those whose has failed."""
    return undone(result._state)


def code(result: RunResult) -> str | None:
    """Code of the error that ended a run."""
    return result.error.code if result.error is not None else None
