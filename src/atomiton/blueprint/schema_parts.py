"""Parts of the JSON Schema of the format."""

from __future__ import annotations

from typing import Final, cast

from atomiton.blueprint.nodes import KINDS, RESERVED
from atomiton.blueprint.properties import FORMATS, TYPES

Schema = dict[str, object]

_NAME: Final = "^[a-z][a-z0-9_]{0,63}$"
HAS_EXPRESSION: Final = {"type": "string", "pattern": r"\$\{\{"}


def ref(name: str, description: str = "") -> Schema:
    """A reference to a definition."""
    reference: Schema = {"$ref": f"#/$defs/{name}"}
    return {**reference, "description": description} if description else reference


def closed(properties: Schema, *required: str) -> Schema:
    """An object with these keys only."""
    schema: Schema = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    return {**schema, "required": list(required)} if required else schema


def text(description: str) -> Schema:
    """Text."""
    return {"type": "string", "description": description}


def words(description: str, *words: str) -> Schema:
    """One of some words."""
    return {"enum": list(words), "description": description}


def whole(description: str, least: int) -> Schema:
    """A whole number."""
    return {"type": "integer", "minimum": least, "description": description}


def named(part: Schema, description: str) -> Schema:
    """A mapping from names that expressions can use."""
    return {
        "type": "object",
        "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,63}$"},
        "additionalProperties": part,
        "description": description,
    }


def duration_schema(least: Schema) -> Schema:
    """The schema of a duration, with the bound of a number."""
    number = r"[0-9]{1,15}(\.[0-9]{1,15})?"
    short = f"({number}d)?({number}h)?({number}m(?!s))?({number}s)?({number}ms)?"
    iso = f"P({number}W)?({number}D)?(T({number}H)?({number}M)?({number}S)?)?"
    return {
        "description": "A duration: 250ms, 30s, 1m30s, 2h, 1d, PT30S, or a number of seconds.",
        "type": ["string", "number"],
        **least,
        "pattern": f"^(?=.*[0-9])({number}|{short}|{iso})$",
    }


def property_schema() -> Schema:
    """The schema of the declaration of an input."""
    count = {"type": "integer", "minimum": 0}
    number: Schema = {"type": "number"}
    one = ref("property")
    names: Schema = {"enum": [*TYPES, *FORMATS]}
    several: Schema = {
        "type": "array",
        "items": {"enum": [*(name for name in TYPES if name != "any"), None]},
        "minItems": 1,
    }
    keys: Schema = {
        "type": {"anyOf": [names, several], "description": "Name of a type."},
        "title": text("Name for people."),
        "description": text("What it is."),
        "default": {"description": "Value when none is given; makes it optional."},
        "examples": {"type": "array"},
        "deprecated": {"type": "boolean"},
        "format": text("Kind of text, such as date-time."),
        "enum": {"type": "array", "minItems": 1, "description": "The only values."},
        "const": {},
        "anyOf": {"type": "array", "items": one, "minItems": 1},
        "minimum": number,
        "maximum": number,
        "exclusiveMinimum": number,
        "exclusiveMaximum": number,
        "multipleOf": {"type": "number", "exclusiveMinimum": 0},
        "minLength": count,
        "maxLength": count,
        "pattern": text("Regular expression."),
        "items": one,
        "minItems": count,
        "maxItems": count,
        "uniqueItems": {"type": "boolean"},
        "properties": {"type": "object", "additionalProperties": one},
        "required": {"type": "array", "items": {"type": "string"}},
        "additionalProperties": {"anyOf": [{"type": "boolean"}, one]},
    }
    return {
        "description": "The name of a type, or a property of JSON Schema.",
        "anyOf": [names, closed(keys)],
    }


def runtime_schema() -> Schema:
    """The schema of where code runs."""
    return {
        "anyOf": [
            {"enum": ["inline", "thread", "process"]},
            closed({"queue": text("Task queue of the workers that run it.")}, "queue"),
        ],
        "description": "Where the code runs.",
    }


def retry_schema() -> Schema:
    """The schema of a retry rule."""
    keys: Schema = {
        "attempts": whole("Number of all tries.", 1),
        "delay": ref("delay", "Wait before the second try (1s)."),
        "factor": {
            "type": "number",
            "minimum": 1,
            "maximum": 1000,
            "description": "What each further wait is multiplied by (2).",
        },
        "max_delay": ref("delay", "Longest wait (1m)."),
        "jitter": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "Share of the wait that is drawn at random (0.1).",
        },
        "on": ref("codes", "Errors to try again, even those that normally are not."),
        "not_on": ref("codes", "Errors never to try again."),
    }
    return {"description": "When a failed attempt is tried again.", **closed(keys)}


def body_schema() -> Schema:
    """The schema of the nodes of one body."""
    return {
        "description": "Nodes, by id.",
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": _NAME, "not": {"enum": sorted(RESERVED)}},
        "additionalProperties": ref("node"),
    }


def wait_schema() -> Schema:
    """The schema of what a node waits for."""
    approval: Schema = {
        "title": text("What is to be approved."),
        "description": text("What to know for it."),
        "fields": {"type": "object", "additionalProperties": ref("property")},
    }
    keys: Schema = {
        "for": {"anyOf": [ref("delay"), HAS_EXPRESSION], "description": "Sleep this long."},
        "until": text("Sleep until a moment: a timestamp, or an expression that gives one."),
        "signal": text("Name of a signal."),
        "match": ref("condition", "Which signals count: an expression on `payload`."),
        "approval": {**closed(approval), "description": "Ask a person."},
        "timeout": ref("duration", "Fail after this long."),
    }
    kinds = ("for", "until", "signal", "approval")
    return {
        "description": "What the node waits for.",
        **closed(keys),
        "oneOf": [{"required": [key]} for key in kinds],
        "dependentSchemas": {
            "match": {"required": ["signal"]},
            "timeout": {"anyOf": [{"required": ["signal"]}, {"required": ["approval"]}]},
        },
    }


def trigger_schema() -> Schema:
    """The schema of a trigger."""
    webhook: Schema = {
        "path": text("Path of the address."),
        "method": words("Method of the request.", "GET", "POST", "PUT", "PATCH", "DELETE"),
        "respond": words("With the run's id at once, or its output.", "accepted", "result"),
        "secret": text("Name of the secret that signs requests; `none` for no signature."),
        "rate": {
            **text("Most messages in a time, such as 100/1m."),
            "pattern": "^[0-9]{1,12}/.+$",
        },
    }
    schedule: Schema = {
        "cron": text("Minute, hour, day, month, weekday."),
        "timezone": text("Name of a time zone."),
        "overlap": words("When the last run has not ended.", "skip", "queue", "allow"),
        "catch_up": whole("How many missed runs are made up for.", 0),
    }
    keys: Schema = {
        "webhook": {**closed(webhook, "path"), "description": "A request starts a run."},
        "schedule": {**closed(schedule, "cron"), "description": "The clock starts a run."},
        "event": closed(
            {
                "type": text("Type of the event; run.failed and its kin are the ends of runs."),
                "blueprint": text("Only ends of runs of this blueprint."),
            },
            "type",
        ),
        "watch": closed({"path": text("Folder."), "pattern": text("Names of files.")}, "path"),
    }
    return {**closed(keys), "minProperties": 1, "maxProperties": 1}


def node_schema() -> Schema:
    """The schema of a node."""
    return _any_node("One step, with exactly one of uses, nodes, call, branch or wait.")


def compensation_schema() -> Schema:
    """The schema of a node that undoes another."""
    schema = _any_node("The node that undoes this one, if the run fails later.")
    keys = cast("Schema", schema["properties"])
    del keys["compensate"]
    keys["when_failed"] = {
        "type": "boolean",
        "description": "Compensate the node also when it failed itself.",
    }
    return schema


def _any_node(description: str) -> Schema:
    keys: Schema = {**_kinds(), **_repeats(), **_common()}
    return {
        "description": description,
        "type": "object",
        "properties": keys,
        "additionalProperties": False,
        "oneOf": [{"required": [key]} for key in KINDS],
        "not": {"required": ["map", "loop"]},
        "dependentRequired": {
            "output": ["nodes"],
            "race": ["nodes"],
            "mode": ["branch"],
            "as": ["map"],
            "concurrency": ["map"],
            "on_item_error": ["map"],
        },
        "dependentSchemas": {
            kind: {"not": {"anyOf": [{"required": ["map"]}, {"required": ["loop"]}]}}
            for kind in ("branch", "wait")
        },
    }


def _kinds() -> Schema:
    return {
        "uses": {
            "type": "string",
            "pattern": r"^[^\s@]+(@[1-9][0-9]*)?$",
            "description": "Name of a node type.",
        },
        "nodes": ref("body", "A group: nodes with a scope of their own."),
        "output": {"description": "What the group gives."},
        "race": {"type": "boolean", "description": "The first sink to complete wins."},
        "call": {
            "type": "string",
            "pattern": r"^([a-z0-9][a-z0-9-]{0,63}(@[^\s@]{1,64})?|\.{0,2}/.+)$",
            "description": "Another blueprint: its id, id@version, or ./file.yaml.",
        },
        "branch": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_]{0,63}$", "not": {"const": "error"}},
            "additionalProperties": ref("condition"),
            "description": "Routes with their conditions; `else` when none is true.",
        },
        "mode": words("The first true route, or all of them.", "first", "all"),
        "wait": ref("wait"),
    }


def _repeats() -> Schema:
    loop: Schema = {
        "while": ref("condition", "Tested before each turn."),
        "until": ref("condition", "Tested after each turn."),
        "times": {"type": ["integer", "string"], "minimum": 0, "description": "Number of turns."},
        "start": {"description": "First value of acc."},
        "max": whole("Most turns (1000).", 1),
        "delay": ref("delay", "Wait between turns."),
    }
    return {
        "map": {
            "anyOf": [{"type": ["array", "object"]}, HAS_EXPRESSION],
            "description": "Run once for each item of a list.",
        },
        "as": {"type": "string", "pattern": _NAME, "description": "Name of the item (item)."},
        "concurrency": whole("Most items at once.", 1),
        "on_item_error": words(
            "Fail, keep the error in the item's place, or leave it out.", "fail", "collect", "skip"
        ),
        "loop": {
            **closed(loop),
            "oneOf": [{"required": [key]} for key in ("while", "until", "times")],
            "description": "Run again and again.",
        },
    }


def _common() -> Schema:
    need = {"type": "string", "pattern": r"^[a-z][a-z0-9_]{0,63}(\.[A-Za-z][A-Za-z0-9_]{0,63})?$"}
    on_value = closed({"value": {}}, "value")
    cache = closed({"ttl": ref("duration"), "key": {"type": "string"}})
    return {
        "name": text("Name for people."),
        "description": text("What it is for."),
        "with": {"type": "object", "description": "Parameters; may hold ${{ expressions }}."},
        "needs": {
            "anyOf": [{"type": "array", "items": need}, need],
            "description": "Nodes, routes (route.high) and errors (charge.error) that come first.",
        },
        "if": ref("condition", "When false, the node is skipped."),
        "join": {
            "anyOf": [
                {"enum": ["all", "any", "first", "settled"]},
                closed({"at_least": {"type": "integer", "minimum": 1}}, "at_least"),
            ],
            "description": "How many of its dependencies must have completed.",
        },
        "enabled": {"type": "boolean", "description": "When false, the node is skipped."},
        "retry": ref("retry"),
        "timeout": ref("duration", "Longest time of one attempt."),
        "deadline": ref("duration", "Longest time of all attempts together."),
        "on_error": {
            "anyOf": [{"const": "continue"}, on_value],
            "description": "Go on after a failure, with null or with a value.",
        },
        "compensate": ref("compensation"),
        "runtime": ref("runtime"),
        "cache": {
            "anyOf": [{"type": "boolean"}, ref("duration"), cache],
            "description": "Whether, and how long, results are kept for the same parameters.",
        },
        "weight": {"type": "number", "minimum": 0, "description": "Share of the progress."},
    }
