"""Blueprints that are kept, and checking those that are not."""

from __future__ import annotations

import re

from atomiton.blueprint.document import read_blueprint
from atomiton.conductor.wire import (
    PREFIX,
    BlueprintPage,
    BlueprintsQuery,
    Checked,
    HistoryQuery,
    Validate,
    VersionPage,
)
from atomiton.errors import AtomitonError, Conflict, NotFound
from atomiton.ports.blueprints import StoredBlueprint
from atomiton.server.problems import Refusal
from atomiton.server.table import Call, Reply, Route, checked

ONE = PREFIX + "/blueprints/{id}"
_ETAG = re.compile(r'\s*"([0-9a-f]{1,64})"\s*')


async def listing(call: Call) -> BlueprintPage:
    """List the kept blueprints."""
    query = checked(call.query, BlueprintsQuery)
    found = await call.conductor.blueprints(query.after, query.limit)
    return BlueprintPage(found, found[-1].id if len(found) == query.limit else None)


async def show(call: Call) -> Reply:
    """Give a kept blueprint."""
    stored = await call.conductor.blueprint(call.params["id"])
    tags = call.headers.get("if-none-match", "")
    if tags and (tags.strip() == "*" or stored.etag in _tags(tags)):
        return Reply(None, 304, {"etag": f'"{stored.etag}"'})
    return _of(stored)


async def save(call: Call) -> Reply:
    """Keep a blueprint under its id."""
    id_ = call.params["id"]
    blueprint, _ = read_blueprint(call.text)
    if blueprint.id != id_:
        message = f"the id of the blueprint is '{blueprint.id}', not '{id_}'"
        raise AtomitonError(message, code="INVALID_INPUT")
    expected = await _expected(call, id_)
    stored = await call.conductor.save_blueprint(
        call.text, by=call.principal.name, expected=expected
    )
    return _of(stored, 201 if stored.version == 1 else 200)


async def delete(call: Call) -> Reply:
    """Take a blueprint off the list."""
    id_ = call.params["id"]
    await call.conductor.delete_blueprint(id_, expected=await _expected(call, id_))
    return Reply(None, 204)


async def history(call: Call) -> VersionPage:
    """List the versions of a blueprint."""
    query = checked(call.query, HistoryQuery)
    found = await call.conductor.blueprint_history(call.params["id"], query.before, query.limit)
    return VersionPage(found, found[-1].version if len(found) == query.limit else None)


async def version(call: Call) -> Reply:
    """Give one version of a blueprint."""
    number = call.params["version"]
    if not number.isdecimal() or len(number) > 15:
        raise NotFound(f"a version is a number, not '{number}'")
    return _of(await call.conductor.blueprint(call.params["id"], int(number)))


async def validate(call: Call) -> Checked:
    """Check the text of a blueprint; runs nothing."""
    problems = await call.conductor.validate(checked(call.body, Validate).source)
    return Checked(not problems, list(problems))


def _of(stored: StoredBlueprint, status: int = 200) -> Reply:
    return Reply(stored, status, {"etag": f'"{stored.etag}"'})


def _tags(header: str) -> set[str]:
    return {found[1] for part in header.split(",") if (found := _ETAG.fullmatch(part))}


async def _expected(call: Call, id_: str) -> str | None:
    """The etag that is asked for; empty for a blueprint that must not be there."""
    match, none = call.headers.get("if-match"), call.headers.get("if-none-match")
    if none is not None:
        if none.strip() != "*" or match is not None:
            raise Refusal(400, "If-None-Match is * here, and goes without If-Match")
        return ""
    if match is None:
        return None
    if match.strip() == "*":
        try:
            return (await call.conductor.blueprint(id_)).etag
        except NotFound as error:
            raise Conflict(error.message) from error
    tags = _tags(match)
    if len(tags) != 1:
        raise Refusal(400, "If-Match is one etag in quotes, or *")
    return tags.pop()


ROUTES = (
    Route(
        "GET",
        PREFIX + "/blueprints",
        "viewer",
        listing,
        "List the kept blueprints",
        query=BlueprintsQuery,
        answer=BlueprintPage,
    ),
    Route(
        "GET",
        ONE,
        "viewer",
        show,
        "Give a kept blueprint",
        answer=StoredBlueprint,
        conditional=True,
    ),
    Route(
        "PUT",
        ONE,
        "owner",
        save,
        "Keep a blueprint",
        str,
        answer=StoredBlueprint,
        conditional=True,
    ),
    Route(
        "DELETE", ONE, "owner", delete, "Take a blueprint off the list", status=204,
        conditional=True,
    ),
    Route(
        "GET",
        f"{ONE}/versions",
        "viewer",
        history,
        "List the versions of a blueprint",
        query=HistoryQuery,
        answer=VersionPage,
    ),
    Route(
        "GET",
        ONE + "/versions/{version}",
        "viewer",
        version,
        "Give one version of a blueprint",
        answer=StoredBlueprint,
    ),
    Route(
        "POST",
        PREFIX + "/validate",
        "viewer",
        validate,
        "Check the text of a blueprint",
        Validate,
        answer=Checked,
    ),
)  # fmt: skip
