"""What an assistant can do with blueprints and runs: the tools of ``atomiton mcp``.

Each tool is a method; its parameters and its docstring are what the assistant is told. Blueprints
that are kept are tools of their own besides, one each.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

import msgspec

from atomiton.blueprint.problems import nearest
from atomiton.blueprint.types import check_value
from atomiton.cli.output import result_object
from atomiton.conductor import Conductor
from atomiton.conductor.nodes import node_info
from atomiton.conductor.result import RunResult
from atomiton.conductor.run import Run
from atomiton.errors import AtomitonError, InputError, NotFound, Problem
from atomiton.nodes.schema import first_paragraph
from atomiton.nodes.signature import Parameter, read_signature

#: What the name of a tool that runs a blueprint begins with.
PREFIX = "run_"
#: Most facts of a run that are told at once.
_FACTS = 200

Function = Callable[..., Awaitable[object]]


class Tool(msgspec.Struct, frozen=True):
    """A tool as an assistant sees it.

    Attributes:
        name: Its name.
        description: What it does.
        schema: JSON Schema of its arguments.
        changes: Whether it changes something; the others only look.
    """

    name: str
    description: str
    schema: dict[str, object]
    changes: bool = False


class Tools:
    """The tools of one conductor.

    Args:
        conductor: What they work with.
        patience: Seconds that a tool waits for a run; then it tells the id of the run.
    """

    def __init__(self, conductor: Conductor, patience: float = 30.0) -> None:
        self._conductor = conductor
        self._patience = patience
        looking: tuple[Function, ...] = (
            self.list_blueprints, self.get_blueprint, self.list_node_types, self.describe_node_type,
            self.validate_blueprint, self.list_runs, self.show_run, self.run_events,
            self.node_inputs, self.evaluate, self.import_workflow,
        )  # fmt: skip
        changing: tuple[Function, ...] = (
            self.save_blueprint, self.run_blueprint, self.wait_for_run, self.cancel_run,
            self.retry_run,
        )  # fmt: skip
        self._functions: dict[str, Function] = {
            function.__name__: function for function in (*looking, *changing)
        }
        self._changing = {function.__name__ for function in changing}
        self._parameters = {
            name: read_signature(function, name).parameters
            for name, function in self._functions.items()
        }

    async def all(self) -> list[Tool]:
        """Every tool there is now: those for all blueprints, and one for each that is kept."""
        tools = [
            Tool(
                name,
                first_paragraph(inspect.getdoc(function) or ""),
                _schema(self._parameters[name]),
                name in self._changing,
            )
            for name, function in self._functions.items()
        ]
        after: str | None = None
        while True:
            page = await self._conductor.blueprints(after=after)
            good = [info for info in page.items if info.problem is None]
            tools += [await self._tool_of(one.id, one.description or one.name) for one in good]
            if page.next is None:
                return tools
            after = page.next

    async def call(self, name: str, given: Mapping[str, object]) -> object:
        """Call a tool.

        Raises:
            AtomitonError: There is no such tool, an argument does not fit, or it failed.
        """
        function = self._functions.get(name)
        if function is None:
            return await self._wait(await self.begin(name, given))
        self._check(name, given)
        return await function(**given)

    def begins_run(self, name: str) -> bool:
        """Whether a tool of this name would begin a run of a blueprint."""
        own = name.startswith(PREFIX) and name not in self._functions
        return own or name == self.run_blueprint.__name__

    async def begin(self, name: str, given: Mapping[str, object]) -> Run:
        """Call a tool that begins a run, and do not wait for the run.

        Raises:
            AtomitonError: There is no such blueprint, or an argument does not fit.
        """
        if not self.begins_run(name):
            raise NotFound(f"there is no tool {name!r}")
        if name in self._functions:
            self._check(name, given)
            inputs = cast("dict[str, object]", given.get("inputs", {}))
            return await self._start(cast("str", given["id"]), inputs)
        return await self._start(name.removeprefix(PREFIX).replace("_", "-"), dict(given))

    async def end_of(self, run: str) -> RunResult:
        """Wait for a run to end, however long that takes."""
        return await Run(self._conductor, run).result()

    def _check(self, name: str, given: Mapping[str, object]) -> None:
        """Refuse arguments that do not fit a tool."""
        known = {parameter.name: parameter for parameter in self._parameters[name]}
        problems = [
            Problem("INVALID_INPUT", f"there is no argument '{key}'", hint=nearest(key, known))
            for key in given
            if key not in known
        ]
        problems += [
            Problem("INVALID_INPUT", f"the argument '{key}' is missing")
            for key, parameter in known.items()
            if parameter.required and key not in given
        ]
        problems += [
            Problem("INVALID_INPUT", f"{place}: {message}")
            for key, value in given.items()
            if key in known
            for place, message in check_value(value, known[key].schema, key)
        ]
        if problems:
            raise InputError(problems)

    async def list_blueprints(self, search: str = "") -> object:
        """The blueprints that are kept: id, name, description, revision.

        Args:
            search: Part of an id, a name or a description.
        """
        page = await self._conductor.blueprints(search=search or None)
        return {"blueprints": [msgspec.to_builtins(info) for info in page.items]}

    async def get_blueprint(self, id: str) -> object:  # noqa: A002 - the key of the format
        """The text of a blueprint that is kept, in YAML, with its etag for saving it again.

        Args:
            id: Its id.
        """
        stored = await self._conductor.blueprint(id)
        return {"text": stored.text, "etag": stored.info.etag, "revision": stored.info.revision}

    async def list_node_types(self, prefix: str = "") -> object:
        """The node types that a blueprint can use, each with what it does.

        Args:
            prefix: Beginning of their names, such as `file.`.
        """
        infos = [info for info in await self._conductor.nodes() if info.name.startswith(prefix)]
        return {"types": [{"name": info.name, "about": info.description} for info in infos]}

    async def describe_node_type(self, name: str) -> object:
        """The inputs, the output and an example of a node type; read it before you use the type.

        Args:
            name: Its name, such as `http.request`.
        """
        return msgspec.to_builtins(node_info(self._conductor.library.registry.get(name)))

    async def validate_blueprint(self, text: str) -> object:
        """Check the text of a blueprint and give every problem with line and hint; runs nothing.

        Args:
            text: The blueprint, in YAML.
        """
        problems = await self._conductor.validate(text)
        return {"valid": not problems, "problems": msgspec.to_builtins(problems)}

    async def import_workflow(self, text: str, format: str = "") -> object:  # noqa: A002 - its name
        """Make a blueprint of a workflow of n8n, Node-RED, Serverless Workflow or Step Functions.

        Gives its text, and of each part whether it is mapped; nothing is kept or run.

        Args:
            text: The workflow, JSON or YAML.
            format: n8n, node-red, serverless or asl; found out by default.
        """
        from atomiton.interop import FORMATS, import_workflow

        if format and format not in FORMATS:
            raise InputError([Problem("INVALID_INPUT", f"'format' is one of {', '.join(FORMATS)}")])
        imported = await asyncio.to_thread(import_workflow, text, format or None)
        return {**imported.report.as_object(), "text": imported.text}

    async def save_blueprint(self, text: str, expected: str = "") -> object:
        """Keep a blueprint under its id; one with problems is refused with all of them.

        Args:
            text: The blueprint, in YAML.
            expected: The etag of the revision it was made of, so that nobody's change is lost.
        """
        problems = await self._conductor.validate(text)
        if problems:
            raise InputError(list(problems))
        info = await self._conductor.save_blueprint(text, expected=expected or None)
        return msgspec.to_builtins(info)

    async def run_blueprint(self, id: str, inputs: dict[str, object] = {}) -> object:  # noqa: A002, B006
        """Run a blueprint that is kept; gives its output, or the id of the run if it takes long.

        Args:
            id: Its id.
            inputs: Its inputs by name.
        """
        return await self._wait(await self._start(id, inputs))

    async def wait_for_run(self, run: str) -> object:
        """Wait for a run to end, for a while; gives its result, or how it stands.

        Args:
            run: Its id.
        """
        return await self._wait(Run(self._conductor, run))

    async def list_runs(self, blueprint: str = "", status: str = "", limit: int = 20) -> object:
        """The latest runs, newest first.

        Args:
            blueprint: Only those of this blueprint.
            status: Only those that are so: running, waiting, completed, failed, ...
            limit: How many, at most 100.
        """
        headers = await self._conductor.list(
            blueprint=blueprint or None, status=status or None, limit=max(1, min(limit, 100))
        )
        return {"runs": [msgspec.to_builtins(header, enc_hook=str) for header in headers]}

    async def show_run(self, run: str) -> object:
        """A run as it is now: status, output, error, every node, and what it waits for.

        Args:
            run: Its id.
        """
        result = await self._conductor.show(run)
        waits = await self._conductor.waits(run)
        return {**result_object(result), "waits": msgspec.to_builtins(waits, enc_hook=str)}

    async def run_events(self, run: str, after: int = 0) -> object:
        """What has happened in a run so far, fact by fact.

        Args:
            run: Its id.
            after: Number of the last fact that is known.
        """
        facts: list[object] = []
        async for event in self._conductor.events(run, after):
            facts.append(
                {
                    "number": event.number,
                    "kind": event.kind,
                    "node": event.node,
                    "fact": msgspec.to_builtins(event.fact, enc_hook=str),
                }
            )
            if len(facts) == _FACTS:
                break
        return {"facts": facts}

    async def node_inputs(self, run: str, node: str) -> object:
        """What a node of a run was called on, to find out why it gave what it gave.

        Args:
            run: Id of the run.
            node: Path of the node, such as `each[3].read`.
        """
        found = await self._conductor.node_inputs(run, node)
        return msgspec.to_builtins(found, enc_hook=str)

    async def evaluate(self, run: str, expressions: list[str]) -> object:
        """Work out expressions over what the nodes of a run gave, such as `read.rows.size()`.

        Args:
            run: Id of the run.
            expressions: Expressions, without the braces.
        """
        watched = await self._conductor.watch(run, expressions)
        return {"values": msgspec.to_builtins(watched, enc_hook=str)}

    async def cancel_run(self, run: str, reason: str = "") -> object:
        """Ask a run to stop; what it has done is compensated as its blueprint says.

        Args:
            run: Its id.
            reason: Why.
        """
        await self._conductor.cancel(run, reason, by="assistant")
        return await self._wait(Run(self._conductor, run))

    async def retry_run(self, run: str) -> object:
        """Do again what a failed or cancelled run did not do, as a new run.

        Args:
            run: Its id.
        """
        return await self._wait(await self._conductor.retry(run))

    async def _start(self, id_: str, inputs: dict[str, object]) -> Run:
        await self._conductor.blueprint(id_)  # an id alone is meant, never a file
        return await self._conductor.start(id_, inputs)

    async def _wait(self, run: Run) -> object:
        """The result of a run, or how it stands when it takes longer than the patience."""
        ended = asyncio.ensure_future(run.result())
        done, _ = await asyncio.wait([ended], timeout=self._patience)
        if not done:
            ended.cancel()
            return await self.show_run(run.id)
        return result_object(ended.result())

    async def _tool_of(self, id_: str, about: str) -> Tool:
        stored = await self._conductor.blueprint(id_)
        try:
            blueprint = await self._conductor.read(stored.text)
        except AtomitonError:  # it can be read no more, and running it says why
            inputs: Mapping[str, Mapping[str, object]] = {}
        else:
            inputs = cast("Mapping[str, Mapping[str, object]]", blueprint.inputs)
        schema: dict[str, object] = {
            "type": "object",
            "properties": dict(inputs),
            "required": [name for name, port in inputs.items() if "default" not in port],
            "additionalProperties": False,
        }
        return Tool(PREFIX + id_.replace("-", "_"), about, schema, changes=True)


def _schema(parameters: tuple[Parameter, ...]) -> dict[str, object]:
    """The JSON Schema of a tool's arguments."""
    properties: dict[str, object] = {}
    for parameter in parameters:
        described = {"description": parameter.description} if parameter.description else {}
        properties[parameter.name] = {**parameter.schema, **described}
    return {
        "type": "object",
        "properties": properties,
        "required": [parameter.name for parameter in parameters if parameter.required],
        "additionalProperties": False,
    }
