"""A node's call whose result is kept: what was given for the same before is given again.

An attempt looks for a kept result first, and calls the node only when there is none. So a kept
result has the time bounds, the cancellation and the retries of any attempt, and the machine knows
nothing of it but that the attempt ended well; the fact says whose result it is. A cache that cannot
be read or written costs a call, and never a run: that is said in the run's log.

Secrets decide nothing and are kept nowhere: their names stand for them in what a result is kept
under, and they are blotted out of what is kept as they are out of facts.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from atomiton.blueprint.plan import PlanNode
from atomiton.drivers.answers import blot
from atomiton.drivers.calling import Parameters, called
from atomiton.drivers.masks import masked
from atomiton.drivers.program import Program, Step
from atomiton.errors import StoreError
from atomiton.machine import RunState
from atomiton.ports.cache import Cache, Kept
from atomiton.ports.calls import Attempt, Call

if TYPE_CHECKING:
    from atomiton.drivers.local import LocalDriver

_encoder = msgspec.msgpack.Encoder(order="deterministic")
#: Which item of a map, or turn of a loop: no part of the name of a node.
_NUMBER = re.compile(r"\[\d+\]")


class CachedCall:
    """How a node is called whose results are kept; see ``ports.calls.Call``.

    Args:
        driver: Knows the clock and where plain functions run.
        cache: Where results are kept.
        state: The run.
        node: The node.
        call: How it is called when there is no kept result.
    """

    is_async = True
    runtime = "inline"
    needs_attempt = True

    def __init__(
        self, driver: LocalDriver, cache: Cache, state: RunState, node: PlanNode, call: Call
    ) -> None:
        self.exact: Mapping[str, frozenset[type[object]]] = {}
        self._driver = driver
        self._cache = cache
        self._state = state
        self._node = node
        self._call = call

    @property
    def function(self) -> Callable[..., object]:
        """Makes an attempt."""
        return self._make  # not an attribute: it would keep itself alive

    def arguments(self, parameters: Parameters, attempt: Attempt | None) -> Parameters:
        """What ``_make`` is called with; ``NodeError`` if a parameter does not fit the node."""
        assert attempt is not None
        key = self._key(parameters, attempt)
        given = self._call.arguments(parameters, attempt if self._call.needs_attempt else None)
        return {"given": given, "key": key, "attempt": attempt}

    def result(self, value: object) -> object:
        """What the node gave is plain already."""
        return value

    async def _make(self, given: Parameters, key: bytes | None, attempt: Attempt) -> object:
        """Make an attempt."""
        if key is None:
            return await called(self._driver, self._call, given)
        kept = await self._find(key, attempt)
        if kept is not None:
            attempt.cached = kept.run
            return kept.output
        output = await called(self._driver, self._call, given)
        await self._keep(key, output, attempt)
        return output

    async def _find(self, key: bytes, attempt: Attempt) -> Kept | None:
        caching = self._node.caching
        assert caching is not None
        since = -math.inf if caching.seconds is None else self._driver.now() - caching.seconds
        try:
            return await self._cache.find(key, since)
        except StoreError as error:
            attempt.log("warning", f"no kept result could be looked for: {error.message}")
            return None

    async def _keep(self, key: bytes, output: object, attempt: Attempt) -> None:
        caching, kind = self._node.caching, self._node.type
        assert caching is not None
        assert kind is not None
        now = self._driver.now()
        until = math.inf if caching.seconds is None else now + caching.seconds
        kept = Kept(blot(output, self._state.secrets), attempt.run, attempt.node, now)
        try:
            await self._cache.keep(key, kind.name, kept, until)
        except StoreError as error:
            attempt.log("warning", f"the result could not be kept: {error.message}")

    def _key(self, parameters: Parameters, attempt: Attempt) -> bytes | None:
        """What the result is kept under; None when it is not to be kept."""
        caching, kind, state = self._node.caching, self._node.type, self._state
        assert caching is not None
        assert kind is not None
        under: list[object] = [kind.identity]
        if caching.key is None:
            under.append(parameters)
        else:
            frame, node = attempt.place
            scope = state.frames[frame].scope(node)
            if _told(parameters) != _told(self._node.prepare(scope)):
                return None  # the key says nothing of what somebody put in
            under += [state.plan.id, _NUMBER.sub("", attempt.node), caching.key(scope)]
        return hashlib.sha256(_encoder.encode(masked(under, state.secrets))).digest()


def _told(parameters: Parameters) -> Parameters:
    """Parameters without the functions that expressions are."""
    return {name: value for name, value in parameters.items() if not callable(value)}


def cached_steps(
    driver: LocalDriver, cache: Cache, state: RunState, program: Program
) -> list[Step]:
    """The steps of a run, with those of the nodes whose results are kept in place of their own."""
    steps = list(program.steps)
    for number in program.cached:
        node = program.plan.uses[number]
        call = CachedCall(driver, cache, state, node, steps[number].call)
        steps[number] = Step(node, call)
        steps[number].waits = True  # for the store, at least; and a task says what was kept
    return steps
