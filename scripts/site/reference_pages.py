"""Pages of reference that are written from the code when the site is built."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from scripts.commands import Verb, verbs

from atomiton.blueprint.schema import format_schema
from atomiton.conductor.api import ConductorApi
from atomiton.nodes.reference import type_name
from atomiton.server.openapi import describe_api
from atomiton.server.table import routes

Json = Mapping[str, object]

_FORMAT = """\
Every key of a blueprint, from the JSON Schema that `atomiton schema --plain` prints.
[The blueprint format](format.md) tells what they mean together.
"""
_HTTP = """\
Every operation, from the OpenAPI description that a server gives at `GET /openapi.json`.
[The HTTP API](http.md) tells of roles, streams and errors.
"""

# -- commands ------------------------------------------------------------------------------------


def commands_page() -> str:
    """Every command with its options, as its help has them."""
    head = (
        "# Commands and options\n\n"
        "Every command, as `--help` describes it. [The command line](cli.md) tells what they print "
        "and how they end.\n"
    )
    return "\n".join([head, *map(_verb, verbs())])


def _verb(verb: Verb) -> str:
    lines = [f"## {verb.name}\n", f"```text\n{verb.name} {verb.usage}\n```\n"]
    lines += [f"{_words(part)}\n" for part in verb.text]
    if verb.options:
        lines += ["| option | does |", "|---|---|"]
        lines += [f"| `{_cell(name)}` | {_words(_cell(text))} |" for name, text in verb.options]
        lines.append("")
    return "\n".join(lines)


def _words(text: str) -> str:
    """Words of a help text, which are no Markdown."""
    return re.sub(r"([*_<>#$\[\]{}])", r"\\\1", text)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


# -- format --------------------------------------------------------------------------------------


def format_page() -> str:
    """The JSON Schema of blueprints, key by key."""
    schema = format_schema([])
    parts = [
        "# The schema of blueprints\n",
        _FORMAT,
        "## The document\n",
        _keys(schema),
    ]
    for name, of in cast("Mapping[str, Json]", schema["$defs"]).items():
        parts += [f"## {name}\n", f"{of.get('description', '')}\n"]
        parts.append(_keys(of) if "properties" in of else f"```json\n{_json(_brief(of))}\n```\n")
    return "\n".join(parts)


def _keys(schema: Json) -> str:
    required = cast("list[str]", schema.get("required", []))
    rows = ["| key | takes | meaning |", "|---|---|---|"]
    for name, of in cast("Mapping[str, Json]", schema["properties"]).items():
        must = " (required)" if name in required else ""
        rows.append(f"| `{name}`{must} | {_takes(of)} | {_cell(str(of.get('description', '')))} |")
    return "\n".join([*rows, ""])


def _takes(of: Json) -> str:
    """What a key takes, in words, with links to what is described by itself."""
    if "$ref" in of:
        name = str(of["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in of:
        return f"`{of['const']}`"
    inner = of.get("items") or of.get("additionalProperties")
    if isinstance(inner, Mapping) and inner:
        kind = "list of" if "items" in of else "by name,"
        return f"{kind} {_takes(cast('Json', inner))}"
    for choice in ("anyOf", "oneOf"):
        if choice in of:
            return " or ".join(dict.fromkeys(map(_takes, cast("list[Json]", of[choice]))))
    return _cell(type_name(dict(of)))


def _brief(of: Json) -> Json:
    return {key: value for key, value in of.items() if key != "description"}


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


# -- HTTP ----------------------------------------------------------------------------------------


def http_page() -> str:
    """Every operation of the server, from the description it gives of itself."""
    api = describe_api(routes(), "")
    parts = [
        "# Operations of the HTTP API\n",
        _HTTP,
    ]
    for path, methods in cast("Mapping[str, Mapping[str, Json]]", api["paths"]).items():
        for method, operation in methods.items():
            parts.append(_operation(f"{method.upper()} {path}", operation))
    parts.append("## Types\n")
    components = cast("Mapping[str, Mapping[str, Json]]", api["components"])
    for name, schema in sorted(components["schemas"].items()):
        parts.append(f"### {name}\n")
        if description := str(schema.get("description", "")):
            parts.append(f"{_words(description.partition(chr(10) * 2)[0])}\n")
        parts.append(_keys(schema) if schema.get("properties") else f"{_takes(schema)}\n")
    return "\n".join(parts)


def _operation(name: str, operation: Json) -> str:
    role = str(operation.get("description", "Needs no token."))
    lines = [f"## {name}\n", f"{operation['summary']}. {role}\n"]
    parameters = cast("list[Json]", operation["parameters"])
    if parameters:
        lines += ["| parameter | in | takes |", "|---|---|---|"]
        lines += [
            f"| `{of['name']}` | {of['in']} | {_takes(cast('Json', of['schema']))} |"
            for of in parameters
        ]
        lines.append("")
    if "requestBody" in operation:
        lines.append(f"Takes {_content(cast('Json', operation['requestBody']))}.\n")
    for status, answer in cast("Mapping[str, Json]", operation["responses"]).items():
        if status != "default" and "content" in answer:
            lines.append(f"Gives {status}: {_content(answer)}.\n")
    return "\n".join(lines)


def _content(of: Json) -> str:
    kinds = cast("Mapping[str, Mapping[str, Json]]", of["content"])
    return ", or ".join(f"{_takes(kind['schema'])} as `{name}`" for name, kind in kinds.items())


# -- Python --------------------------------------------------------------------------------------


def python_page() -> str:
    """What ``import atomiton`` gives."""
    first = ["Conductor", "Run", "RunResult", "run", "node", "blueprint"]
    return _module(
        "Python",
        "atomiton",
        "What `import atomiton` gives. [Build blueprints in Python](../how-to/python-builder.md) "
        "and [make node types of your own](../how-to/node-types.md) show it in use.",
        first,
    )


def testing_page() -> str:
    """What ``import atomiton.testing`` gives."""
    about = "The kit for tests. [Test a blueprint](../how-to/test-a-blueprint.md) shows it in use."
    return _module("Python: testing", "atomiton.testing", about, ["run", "Trial"])


def client_page() -> str:
    """What ``import atomiton.client`` and the conductor it gives offer."""
    about = (
        "A conductor that speaks to a server. [Serve, and connect](../how-to/serve.md) shows it in "
        "use. It gives the same as a conductor in the process:"
    )
    rows = ["| | does |", "|---|---|", *_methods(ConductorApi), ""]
    return _module(
        "Python: client", "atomiton.client", about + "\n\n" + "\n".join(rows), ["connect"]
    )


def _methods(protocol: type) -> Iterator[str]:
    for name, value in inspect.getmembers(protocol):
        if not name.startswith("_") and callable(value):
            line = (inspect.getdoc(value) or "").partition("\n")[0]
            yield f"| `{name}` | {_cell(line.replace('``', '`'))} |"


def _module(title: str, module: str, about: str, first: Iterable[str]) -> str:
    names = importlib.import_module(module).__all__
    order = [*first, *(name for name in names if name not in set(first))]
    members = "\n".join(_member(module, name) for name in order)
    return f"# {title}\n\n{about}\n\n```{{eval-rst}}\n.. module:: {module}\n\n{members}\n```\n"


def _member(module: str, name: str) -> str:
    """What autodoc is asked for."""
    value = getattr(importlib.import_module(module), name)
    if inspect.isclass(value):
        return f".. autoclass:: {module}.{name}\n   :members:\n   :inherited-members: Exception\n"
    kind = "function" if callable(value) else "data"
    return f".. auto{kind}:: {module}.{name}\n"
