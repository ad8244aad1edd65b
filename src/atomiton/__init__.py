"""Atomiton: workflows as blueprints.

The house, in fourteen lines (a folder imports only what stands above it, and ``errors``):

    blueprint/   what a workflow is      model, YAML, expressions, compiling to a plan
    machine/     how a run moves         facts in, commands out; pure
    ports/       protocols               journal, runtime, calls, capabilities
    store/       what is remembered      runs and blueprints: memory, files, SQLite, Postgres
    events/      what is announced       the bus
    nodes/       what a step can do      the library, and the doors to the world
    runtimes/    where code runs         threads, processes
    drivers/     who makes it happen     local (asyncio), simulation
    conductor/   the one API             run, start, watch, cancel, pause, resume; triggers, queue
    builder/     written in Python       @blueprint, each, branch, ...
    server/      over HTTP and a socket  /api/v1, the gate, webhooks, metrics, the studio
    client/      and from afar           connect(address) gives the same conductor
    cli/         on the command line     run, validate, runs, serve, studio, ...
    testing/     in users' tests         virtual time, faults, recorded effects
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atomiton.blueprint.model import Blueprint as Blueprint
    from atomiton.blueprint.model import Limits as Limits
    from atomiton.blueprint.model import Retry as Retry
    from atomiton.builder.calls import call as call
    from atomiton.builder.calls import use as use
    from atomiton.builder.decorator import blueprint as blueprint
    from atomiton.builder.groups import group as group
    from atomiton.builder.groups import race as race
    from atomiton.builder.repeats import each as each
    from atomiton.builder.repeats import repeat as repeat
    from atomiton.builder.routes import branch as branch
    from atomiton.builder.routes import switch as switch
    from atomiton.builder.waits import approval as approval
    from atomiton.builder.waits import wait_for as wait_for
    from atomiton.conductor import Conductor as Conductor
    from atomiton.conductor import Run as Run
    from atomiton.conductor.hooks import Hooks as Hooks
    from atomiton.conductor.result import RunResult as RunResult
    from atomiton.conductor.synchronous import run as run
    from atomiton.errors import AtomitonError as AtomitonError
    from atomiton.errors import BlueprintError as BlueprintError
    from atomiton.errors import Conflict as Conflict
    from atomiton.errors import ErrorInfo as ErrorInfo
    from atomiton.errors import InputError as InputError
    from atomiton.errors import NodeError as NodeError
    from atomiton.errors import RunFailed as RunFailed
    from atomiton.nodes.spec import node as node
    from atomiton.ports.blueprints import BlueprintStore as BlueprintStore
    from atomiton.ports.hooks import CompensationEvent as CompensationEvent
    from atomiton.ports.hooks import NodeEvent as NodeEvent
    from atomiton.ports.hooks import RunHookEvent as RunHookEvent
    from atomiton.store.blueprints import create_storage as create_storage

__all__ = [
    "AtomitonError",
    "Blueprint",
    "BlueprintError",
    "BlueprintStore",
    "CompensationEvent",
    "Conductor",
    "Conflict",
    "ErrorInfo",
    "Hooks",
    "InputError",
    "Limits",
    "NodeError",
    "NodeEvent",
    "Retry",
    "Run",
    "RunFailed",
    "RunHookEvent",
    "RunResult",
    "approval",
    "blueprint",
    "branch",
    "call",
    "create_storage",
    "each",
    "group",
    "node",
    "race",
    "repeat",
    "run",
    "switch",
    "use",
    "wait_for",
]

#: Where each public name lives. They are loaded when they are first used, so that importing the
#: package costs nothing that a program does not need.
_HOMES = {
    "AtomitonError": "atomiton.errors",
    "Blueprint": "atomiton.blueprint.model",
    "BlueprintError": "atomiton.errors",
    "BlueprintStore": "atomiton.ports.blueprints",
    "CompensationEvent": "atomiton.ports.hooks",
    "Conductor": "atomiton.conductor",
    "Conflict": "atomiton.errors",
    "ErrorInfo": "atomiton.errors",
    "Hooks": "atomiton.conductor.hooks",
    "InputError": "atomiton.errors",
    "Limits": "atomiton.blueprint.model",
    "NodeError": "atomiton.errors",
    "NodeEvent": "atomiton.ports.hooks",
    "Retry": "atomiton.blueprint.model",
    "Run": "atomiton.conductor",
    "RunFailed": "atomiton.errors",
    "RunHookEvent": "atomiton.ports.hooks",
    "RunResult": "atomiton.conductor.result",
    "approval": "atomiton.builder",
    "branch": "atomiton.builder",
    "call": "atomiton.builder",
    "create_storage": "atomiton.store.blueprints",
    "each": "atomiton.builder",
    "group": "atomiton.builder",
    "node": "atomiton.nodes.spec",
    "race": "atomiton.builder",
    "repeat": "atomiton.builder",
    "run": "atomiton.conductor.synchronous",
    "switch": "atomiton.builder",
    "use": "atomiton.builder",
    "wait_for": "atomiton.builder",
}


if not TYPE_CHECKING:
    # The decorator and the folder ``blueprint`` have one name, and importing anything of the folder
    # binds that name to it. So the folder itself is made to be the decorator, before anyone can
    # import it; see docs/decisions/0013.
    import atomiton.blueprint  # noqa: F401

    class _Decorator(ModuleType):
        """The folder ``blueprint``, which is the decorator ``@blueprint`` when it is called."""

        def __call__(self, *args: object, **kwargs: object) -> object:
            from atomiton.builder.decorator import blueprint

            return blueprint(*args, **kwargs)

    sys.modules["atomiton.blueprint"].__class__ = _Decorator


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
