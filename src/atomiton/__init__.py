"""Atomiton: workflows as blueprints.

The house, in ten lines (a folder imports only what stands above it, and ``errors``):

    blueprint/   what a workflow is      model, YAML, expressions, compiling to a plan
    machine/     how a run moves         facts in, commands out; pure
    ports/       protocols               journal, runtime, calls, capabilities
    store/       what is remembered      memory, SQLite
    events/      what is announced       the bus
    nodes/       what a step can do      the library, and the doors to the world
    runtimes/    where code runs         threads, processes
    drivers/     who makes it happen     local (asyncio), simulation
    conductor/   the one API             run, start, watch, cancel, pause, step, resume
    cli/ testing/                        outside: the command line, the kit for users' tests
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atomiton.blueprint.model import Blueprint as Blueprint
    from atomiton.blueprint.model import Retry as Retry
    from atomiton.conductor import Conductor as Conductor
    from atomiton.conductor import Run as Run
    from atomiton.conductor.hooks import Hooks as Hooks
    from atomiton.conductor.result import RunResult as RunResult
    from atomiton.conductor.synchronous import run as run
    from atomiton.errors import AtomitonError as AtomitonError
    from atomiton.errors import BlueprintError as BlueprintError
    from atomiton.errors import ErrorInfo as ErrorInfo
    from atomiton.errors import InputError as InputError
    from atomiton.errors import NodeError as NodeError
    from atomiton.errors import RunFailed as RunFailed
    from atomiton.nodes.spec import node as node
    from atomiton.ports.hooks import CompensationEvent as CompensationEvent
    from atomiton.ports.hooks import NodeEvent as NodeEvent
    from atomiton.ports.hooks import RunHookEvent as RunHookEvent

__all__ = [
    "AtomitonError",
    "Blueprint",
    "BlueprintError",
    "CompensationEvent",
    "Conductor",
    "ErrorInfo",
    "Hooks",
    "InputError",
    "NodeError",
    "NodeEvent",
    "Retry",
    "Run",
    "RunFailed",
    "RunHookEvent",
    "RunResult",
    "node",
    "run",
]

#: Where each public name lives. They are loaded when they are first used, so that importing the
#: package costs nothing that a program does not need.
_HOMES = {
    "AtomitonError": "atomiton.errors",
    "Blueprint": "atomiton.blueprint.model",
    "BlueprintError": "atomiton.errors",
    "CompensationEvent": "atomiton.ports.hooks",
    "Conductor": "atomiton.conductor",
    "ErrorInfo": "atomiton.errors",
    "Hooks": "atomiton.conductor.hooks",
    "InputError": "atomiton.errors",
    "NodeError": "atomiton.errors",
    "NodeEvent": "atomiton.ports.hooks",
    "Retry": "atomiton.blueprint.model",
    "Run": "atomiton.conductor",
    "RunFailed": "atomiton.errors",
    "RunHookEvent": "atomiton.ports.hooks",
    "RunResult": "atomiton.conductor.result",
    "node": "atomiton.nodes.spec",
    "run": "atomiton.conductor.synchronous",
}


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'atomiton' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
