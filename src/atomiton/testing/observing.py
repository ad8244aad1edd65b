"""Seeing which node acts when, whichever process it is in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

import msgspec

from atomiton.errors import AtomitonError
from atomiton.nodes.registry import Registry
from atomiton.nodes.spec import NodeType
from atomiton.ports.calls import Attempt

_WHO = "__observed__"


class Act(msgspec.Struct, frozen=True):
    """A node began to act.

    Attributes:
        life: Number of the process, from 0.
        path: Path of the node.
        attempt: Number of the attempt.
        effect: What the node's type says of its effect.
    """

    life: int
    path: str
    attempt: int
    effect: str


class World:
    """What happened outside of the processes that drive a run: it outlives them.

    Attributes:
        life: Number of the process that lives.
        acts: What was done, in order.
    """

    def __init__(self) -> None:
        self.life = 0
        self.acts: list[Act] = []

    def note(self, life: int, attempt: Attempt, effect: str) -> None:
        """A node begins to act; nothing does in a process that has died."""
        if life != self.life:
            raise AtomitonError("the process of this node has died", code="CANCELLED")
        self.acts.append(Act(life, attempt.node, attempt.attempt, effect))


class ObservedRegistry(Registry):
    """The node types, each of which tells a world when it acts.

    Attributes:
        world: Who is told.
        life: Number of the process that they are in.
    """

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.life = 0
        self._seen: dict[tuple[str, int], tuple[NodeType, NodeType]] = {}

    @classmethod
    def telling(cls, world: World) -> ObservedRegistry:
        """All built-in and installed node types, telling a world."""
        made = cls.builtin()
        assert isinstance(made, cls)
        made.world = world
        made.life = world.life
        return made

    def get(self, name: str) -> NodeType:
        """Find a node type, as it tells of itself."""
        type_ = super().get(name)
        key = (type_.name, type_.version)
        known = self._seen.get(key)
        if known is None or known[0] is not type_:
            known = self._seen[key] = (type_, self._observed(type_))
        return known[1]

    def _observed(self, type_: NodeType) -> NodeType:
        function, effect = type_.function, type_.effect
        world, life = self.world, self.life

        async def call(**given: object) -> object:
            world.note(life, cast("Attempt", given.pop(_WHO)), effect)
            return await cast("Callable[..., Awaitable[object]]", function)(**given)

        def call_plain(**given: object) -> object:
            world.note(life, cast("Attempt", given.pop(_WHO)), effect)
            return function(**given)

        return msgspec.structs.replace(
            type_,
            function=call if type_.is_async else call_plain,
            capabilities={**type_.capabilities, _WHO: "attempt"},
        )
