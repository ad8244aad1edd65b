"""The thin synchronous face."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from atomiton.conductor import Conductor
from atomiton.conductor.library import Source
from atomiton.conductor.result import RunResult
from atomiton.errors import AtomitonError


def run(
    blueprint: Source,
    inputs: Mapping[str, object] | None = None,
    *,
    store: str = "memory:",
    nodes: Sequence[object] = (),
) -> RunResult:
    """Run a blueprint to its end, from code that is not asynchronous.

    Args:
        blueprint: A ``Blueprint``, or the path of a file.
        inputs: By name, as the blueprint declares them.
        store: Where the run is kept; by default in memory only.
        nodes: Node functions, or files of them, beside the library's.

    Returns:
        How it fared; a failure is a result, not an exception.

    Raises:
        BlueprintError: If the blueprint cannot be run.
        InputError: If the inputs do not fit.
        AtomitonError: If an event loop runs already; use a ``Conductor`` there.

    Example:
        >>> from atomiton import run
        >>> run("hello.yaml").output  # doctest: +SKIP
        'Hello, world'
    """
    if _is_running():
        message = "there is an event loop already: use 'await conductor.run(...)' in it, or arun"
        raise AtomitonError(message, code="NOT_ALLOWED")

    async def main() -> RunResult:
        async with Conductor(store, nodes=nodes, resume=False) as conductor:
            return await conductor.run(blueprint, inputs)

    return asyncio.run(main())


def _is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
