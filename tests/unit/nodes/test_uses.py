"""A node function, called by hand or recorded, and its policies of one use."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping

import pytest

from atomiton import Retry
from atomiton.nodes import file
from atomiton.nodes.recording import RECORDER
from atomiton.nodes.spec import AsyncNodeFunction, NodeFunction, PlainNodeFunction, node
from atomiton.ports.capabilities import Files


@node
async def shout(text: str) -> str:
    return text.upper()


@node("text.whisper", effect="pure")
def whisper(text: str) -> str:
    return text.lower()


class Recorded:
    """Notes calls; gives their number."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def call(self, node: NodeFunction[..., object], args: object, kwargs: Mapping[str, object]):
        self.calls.append((node.type.name, args, dict(kwargs)))
        return len(self.calls)


def test_called_by_hand_a_node_is_its_function() -> None:
    assert whisper("Hey") == "hey"
    assert isinstance(whisper, PlainNodeFunction)
    assert isinstance(shout, AsyncNodeFunction)
    assert asyncio.run(shout.function("hey")) == "HEY"
    assert asyncio.run(shout("hey")) == "HEY"


def test_a_recorder_is_told_of_calls_and_the_function_is_not_run() -> None:
    recorder = Recorded()
    token = RECORDER.set(recorder)
    try:
        assert (shout("a"), whisper(text="b")) == (1, 2)
    finally:
        RECORDER.reset(token)
    assert recorder.calls == [
        ("test_uses.shout", ("a",), {}),
        ("text.whisper", (), {"text": "b"}),
    ]


def test_policies_make_a_new_function_and_later_ones_win() -> None:
    slow = shout.with_(timeout="5s", retry=Retry(attempts=3))
    slower = slow.with_(timeout="9s", id="loud", enabled=False)
    assert (shout.policies.timeout, slow.policies.timeout) == (None, "5s")
    assert slower.policies.timeout == "9s"
    assert slower.policies.retry == Retry(attempts=3)
    assert (slower.policies.id, slower.policies.enabled) == ("loud", False)
    assert type(slower) is AsyncNodeFunction
    assert slower.type is shout.type
    assert asyncio.run(slower.function("hey")) == "HEY"


def test_capabilities_have_a_default_that_says_what_is_missing() -> None:
    parameters = inspect.signature(file.read.function).parameters
    assert parameters["files"].default is not inspect.Parameter.empty
    with pytest.raises(TypeError, match="called by hand, it must be given one that has 'read'"):
        asyncio.run(file.read.function("a.txt"))


def test_a_capability_can_be_given_by_hand() -> None:
    class Fake:
        async def read(self, path: str) -> bytes:
            return b"hello"

        def resolve(self, path: str) -> str:
            return path

    files: Files = Fake()  # type: ignore[assignment]
    assert asyncio.run(file.read.function("a.txt", files=files))["content"] == "hello"
