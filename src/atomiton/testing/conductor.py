"""A conductor in virtual time, with nodes replaced: everything else is the real thing."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from atomiton.blueprint.compile import Positions
from atomiton.blueprint.model import Blueprint
from atomiton.blueprint.positions import Places
from atomiton.conductor.conductor import Conductor
from atomiton.conductor.library import Built, Library
from atomiton.drivers.execution import Execution
from atomiton.drivers.program import Program
from atomiton.errors import AtomitonError
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.registry import Registry
from atomiton.ports.journal import Journal
from atomiton.ports.runtime import Runtime
from atomiton.testing.held import HeldRuntime, held
from atomiton.testing.replacing import Replacements
from atomiton.testing.virtual_time import VirtualLoop

__all__ = ["VirtualConductor"]


class ReplacingLibrary(Library):
    """A library whose blueprints have some nodes replaced.

    Args:
        registry: The node types.
        capabilities: What nodes reach the world with.
        nodes: Node functions, or files of them, to add.
        replace: See ``Replacements``.
    """

    def __init__(
        self,
        registry: Registry,
        capabilities: Capabilities,
        nodes: Sequence[object],
        replace: Mapping[str, object],
    ) -> None:
        super().__init__(registry, capabilities, nodes)
        self.replacements = Replacements(replace, registry)

    def check(self, blueprint: Blueprint, positions: Places) -> Blueprint:
        """Compile a blueprint that is at hand; ``BlueprintError`` names places in its text."""
        adapted = self.adapt(blueprint)
        self._remember(adapted, self._compile(adapted, positions))
        return adapted

    def adapt(self, blueprint: Blueprint, *, called: bool = False) -> Blueprint:
        """Give the blueprint with its nodes replaced."""
        return self.replacements.apply(blueprint, called=called)

    def _load_built(self, source: Built) -> Blueprint:
        self._take_in(source)
        blueprint = self.adapt(source.blueprint)
        if (id(blueprint), blueprint.durability) not in self._by_object:
            self._remember(blueprint, self._compile(blueprint, source.positions))
        return blueprint

    def _find_known(self, caller: Blueprint, id_: str) -> Blueprint | None:
        found = super()._find_known(self.replacements.original(caller), id_)
        return None if found is None else self.adapt(found, called=True)

    def _compile(self, blueprint: Blueprint, positions: Positions | None) -> Program:
        program = super()._compile(blueprint, positions)
        self.replacements.check_used()
        return program


class VirtualConductor(Conductor):
    """A ``Conductor`` in virtual time; use it inside of ``virtual_run``.

    Args:
        store: As for ``Conductor``; by default in memory.
        nodes: Node functions, or files of them, beside the library's.
        replace: Stand-ins by node id, path or node type: a value, a function of the node's inputs,
            an error, or several ``in_turn``.
        capabilities: What nodes reach the world with; by default the real thing. The clock follows
            virtual time unless it is replaced.
        secrets: Values by name.
        resume: Whether runs that were left unfinished in the store go on by themselves.
        seed: Seeds the random choices of runs (the jitter of retries), the same each time.
        registry: The node types to begin with; by default the built-in and installed ones.

    Example:
        >>> from atomiton.blueprint.document import read_document
        >>> from atomiton.testing import virtual_run
        >>> nap = read_document(
        ...     {"atomiton": 1, "id": "nap", "nodes": {"nap": {"wait": {"for": "30d"}}}}
        ... )
        >>> async def main() -> float:
        ...     async with VirtualConductor() as conductor:
        ...         result = await conductor.run(nap)
        ...         return result.duration_ms / 1000 / 3600 / 24
        >>> virtual_run(main())
        30.0
    """

    def __init__(
        self,
        store: str | Journal = "memory:",
        *,
        nodes: Sequence[object] = (),
        replace: Mapping[str, object] | None = None,
        capabilities: Capabilities | None = None,
        secrets: Mapping[str, str] | None = None,
        resume: bool = True,
        seed: int = 0,
        registry: Registry | None = None,
    ) -> None:
        super().__init__(store, capabilities=capabilities, secrets=secrets, resume=resume)
        self.replacing = ReplacingLibrary(
            registry or Registry.builtin(), self.capabilities, nodes, replace or {}
        )
        self.library = self.replacing
        self._seed = lambda: seed

    async def __aenter__(self) -> Self:
        """Open the store, on a loop of virtual time."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualLoop):
            raise AtomitonError(
                "a VirtualConductor needs virtual time: call virtual_run(main())",
                code="NOT_ALLOWED",
            )
        self._now = loop.time
        self.journal = held(self.journal, loop)
        await super().__aenter__()
        if self._tasks:
            # Whoever asks for a run that is not driven yet would look for it again and again.
            await asyncio.wait(self._tasks)
        return self

    @property
    def calls(self) -> Mapping[str, list[dict[str, object]]]:
        """What each replaced node was called with, by path, in order."""
        return self.replacing.replacements.calls.by_path

    async def _keep_up(self) -> None:
        """Wake what an earlier process parked, once: looking often would take for ever.

        No other process knows the store, so no messages come from outside.
        """
        if self._resume:
            for run in await self.journal.due(math.inf):
                await self._go_on(run)

    def _rested(self, execution: Execution) -> None:
        """A run that waits stays in memory, where its timers tell when time may jump."""

    def _runtimes(self) -> dict[str, Callable[[], Runtime]]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        made = super()._runtimes()
        return {name: _held(make, loop) for name, make in made.items()}


def _held(make: Callable[[], Runtime], loop: VirtualLoop) -> Callable[[], Runtime]:
    return lambda: HeldRuntime(make(), loop)
