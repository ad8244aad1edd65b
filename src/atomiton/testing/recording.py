"""Recording what nodes do to the world, and playing it back."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from os import PathLike
from pathlib import Path
from typing import IO, TypeVar, cast

from atomiton.errors import NodeError
from atomiton.nodes.guard import Capabilities
from atomiton.ports.calls import Attempt
from atomiton.testing.comparing import differences, shown
from atomiton.testing.tape import (
    HEADER,
    Data,
    Effect,
    blotted,
    pack_error,
    read_tape,
    to_line,
    unpack_error,
)
from atomiton.testing.taped import taped

__all__ = ["Recording", "Replay", "ReplayMismatch", "record", "replay"]

T = TypeVar("T")


class ReplayMismatch(NodeError):
    """A node asked for something else than was recorded."""

    code = "REPLAY_MISMATCH"


def record(path: str | PathLike[str], capabilities: Capabilities | None = None) -> Recording:
    """Capabilities that write every effect of nodes to a file.

    The file has one line of JSON for each request over HTTP, file, program, look at the clock and
    random number: node, attempt, what was asked, what was answered. The values of the run's secrets
    and headers such as ``Authorization`` are blotted out. A file that is there is replaced.

    Args:
        path: The file, such as ``orders.effects.jsonl``.
        capabilities: What is recorded; by default the real thing.

    Example:
        >>> from atomiton import Conductor
        >>> async def main() -> None:
        ...     async with Conductor("memory:", capabilities=record("orders.jsonl")) as conductor:
        ...         await conductor.run("orders.yaml")
    """
    return Recording(Path(path), capabilities or Capabilities())


def replay(path: str | PathLike[str]) -> Replay:
    """Capabilities that answer from a file which ``record`` has written, and reach no world.

    Each attempt of each node is given what it was given then, if it asks the same; otherwise it
    fails with ``ReplayMismatch``, which names the line and the difference. Nodes that open a path
    by themselves still find what is there now.

    Args:
        path: The file.

    Raises:
        AtomitonError: There is no such file, or a line of it is not an effect.
    """
    return Replay(Path(path), read_tape(Path(path)))


class Recording(Capabilities):
    """See ``record``.

    Args:
        path: The file.
        inner: What is recorded.
    """

    def __init__(self, path: Path, inner: Capabilities) -> None:
        super().__init__()
        self.path = path
        self._inner = inner
        self._lock = threading.Lock()
        self._stream: IO[str] | None = None
        self._begun = False

    def provide(self, name: str, attempt: Attempt) -> object:
        """Give a capability that writes down what it is used for."""
        deck = _Recorder(self, attempt)
        return taped(name, deck, lambda: self._inner.provide(name, attempt)) or (
            self._inner.provide(name, attempt)
        )

    def write(self, effect: Effect, secrets: object) -> None:
        """Write an effect down, without secrets."""
        effect.ask = cast("Data", blotted(effect.ask, secrets))
        effect.answer = blotted(effect.answer, secrets)
        effect.error = cast("Data | None", blotted(effect.error, secrets))
        with self._lock:  # nodes in threads, too
            if self._stream is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                mode = "a" if self._begun else "w"
                self._stream = self.path.open(mode, encoding="utf-8", newline="\n")
                if not self._begun:
                    self._stream.write(json.dumps(HEADER) + "\n")
                self._begun = True
            self._stream.write(to_line(effect))
            self._stream.flush()

    async def aclose(self) -> None:
        """Close the file, and what was recorded."""
        with self._lock:
            if self._stream is not None:
                self._stream.close()
                self._stream = None
        await self._inner.aclose()


class _Recorder:
    """A ``Deck`` that records one attempt."""

    def __init__(self, to: Recording, attempt: Attempt) -> None:
        self._to = to
        self._attempt = attempt

    def _write(self, effect: Effect) -> None:
        self._to.write(effect, self._attempt.secrets)

    def _effect(self, name: str, ask: Data) -> Effect:
        return Effect(self._attempt.node, self._attempt.attempt, name, ask)

    async def effect(
        self,
        name: str,
        ask: Data,
        real: Callable[[], Awaitable[T]],
        pack: Callable[[T], object],
        unpack: Callable[[object], T],  # noqa: ARG002 - a deck that plays back needs it
    ) -> T:
        """Have an effect and write it down."""
        effect = self._effect(name, ask)
        try:
            answer = await real()
        except NodeError as error:
            effect.error = pack_error(error)
            self._write(effect)
            raise
        except asyncio.CancelledError:
            effect.cancelled = True
            self._write(effect)
            raise
        effect.answer = pack(answer)
        self._write(effect)
        return answer

    def effect_now(
        self,
        name: str,
        ask: Data,
        real: Callable[[], T],
        pack: Callable[[T], object],
        unpack: Callable[[object], T],  # noqa: ARG002 - a deck that plays back needs it
    ) -> T:
        """Have an effect and write it down."""
        effect = self._effect(name, ask)
        try:
            answer = real()
        except NodeError as error:
            effect.error = pack_error(error)
            self._write(effect)
            raise
        effect.answer = pack(answer)
        self._write(effect)
        return answer


class Replay(Capabilities):
    """See ``replay``.

    Args:
        path: The file, for messages.
        effects: What it holds.
    """

    def __init__(self, path: Path, effects: list[Effect]) -> None:
        super().__init__()
        self.path = path
        self._effects = effects
        self._left: dict[tuple[str, int], list[Effect]] = {}
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Play from the beginning."""
        self._left.clear()
        for effect in self._effects:
            self._left.setdefault((effect.node, effect.attempt), []).append(effect)

    @property
    def left(self) -> list[str]:
        """What was recorded and nobody has asked for, with its line."""
        left = [effect for effects in self._left.values() for effect in effects]
        return [
            f"{self.path}:{effect.line}: {_words(effect.node, effect.attempt)} {_asks(effect)}"
            for effect in sorted(left, key=lambda effect: effect.line)
        ]

    def provide(self, name: str, attempt: Attempt) -> object:
        """Give a capability that answers from the file."""
        return taped(name, _Player(self, attempt), lambda: None) or super().provide(name, attempt)

    def take(self, asked: Effect) -> Effect:
        """Find what was recorded for what is asked.

        Raises:
            ReplayMismatch: It is not what was recorded.
        """
        who = _words(asked.node, asked.attempt)
        with self._lock:
            left = self._left.get((asked.node, asked.attempt), [])
            for place, effect in enumerate(left):
                # Any of those that are left: what a node asks at once may come in another order.
                if effect.effect == asked.effect and effect.ask == asked.ask:
                    return left.pop(place)
        if not left:
            raise ReplayMismatch(
                f"{self.path}: {who} asks {_asks(asked)}, but nothing more of it is recorded",
                retryable=False,
            )
        wanted = next((effect for effect in left if effect.effect == asked.effect), left[0])
        message = f"{self.path}:{wanted.line}: {who} was recorded asking {_asks(wanted)}, but asks"
        if wanted.effect != asked.effect:
            raise ReplayMismatch(f"{message} {_asks(asked)}", retryable=False)
        different = "; ".join(map(str, differences(wanted.ask, asked.ask)))
        raise ReplayMismatch(f"{message} something else: {different}", retryable=False)


def _words(node: str, attempt: int) -> str:
    return f"node {node!r} (attempt {attempt})"


def _asks(effect: Effect) -> str:
    return f"{effect.effect} {shown(effect.ask)}"


class _Player:
    """A ``Deck`` that plays back one attempt."""

    def __init__(self, of: Replay, attempt: Attempt) -> None:
        self._of = of
        self._attempt = attempt

    def _take(self, name: str, ask: Data) -> Effect:
        asked = Effect(self._attempt.node, self._attempt.attempt, name, ask)
        # Through JSON and without secrets, as what was recorded.
        asked.ask = cast("Data", blotted(json.loads(json.dumps(ask)), self._attempt.secrets))
        return self._of.take(asked)

    async def effect(
        self,
        name: str,
        ask: Data,
        real: Callable[[], Awaitable[T]],  # noqa: ARG002 - a deck that records needs it
        pack: Callable[[T], object],  # noqa: ARG002 - the same
        unpack: Callable[[object], T],
    ) -> T:
        """Give what was recorded."""
        found = self._take(name, ask)
        await asyncio.sleep(0)
        if found.cancelled:
            await asyncio.get_running_loop().create_future()  # it was stopped here, and is again
        if found.error is not None:
            raise unpack_error(found.error)
        return unpack(found.answer)

    def effect_now(
        self,
        name: str,
        ask: Data,
        real: Callable[[], T],  # noqa: ARG002 - a deck that records needs it
        pack: Callable[[T], object],  # noqa: ARG002 - the same
        unpack: Callable[[object], T],
    ) -> T:
        """Give what was recorded."""
        found = self._take(name, ask)
        if found.error is not None:
            raise unpack_error(found.error)
        return unpack(found.answer)
