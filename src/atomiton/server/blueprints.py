"""Blueprints that are kept, and checking those that are not."""

from __future__ import annotations

import asyncio
import re

from atomiton.blueprint.document import read_blueprint
from atomiton.conductor.previewing import Previewed
from atomiton.conductor.wire import (
    PREFIX,
    BlueprintsQuery,
    Checked,
    HistoryQuery,
    PreviewExpression,
    PythonCode,
    RestoreBlueprint,
    RevisionPage,
    Validate,
    WritePython,
)
from atomiton.errors import AtomitonError, Conflict, NotFound
from atomiton.ports.blueprints import BlueprintInfo, BlueprintPage, StoredBlueprint
from atomiton.server.coding import media_type
from atomiton.server.problems import Refusal
from atomiton.server.table import Call, Reply, Route, checked
from atomiton.store.blueprints.rules import read_draft

ONE = PREFIX + "/blueprints/{id}"
_ETAG = re.compile(r'\s*"([0-9a-f]{1,64})"\s*')
_WEAK_ETAG = re.compile(r'\s*(?:W/)?"([0-9a-f]{1,64})"\s*')
#: Media types of the text of a blueprint; that of a body need not be said.
_TEXTS = frozenset(
    {"", "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain"}
)


async def listing(call: Call) -> BlueprintPage:
    """List the kept blueprints."""
    query = checked(call.query, BlueprintsQuery)
    return await call.conductor.blueprints(
        search=query.search,
        tag=query.tag,
        deleted=query.deleted,
        after=query.after,
        limit=query.limit,
    )


async def show(call: Call) -> Reply:
    """Give a kept blueprint."""
    stored = await call.conductor.blueprint(call.params["id"])
    tags = call.headers.get("if-none-match", "")
    if tags and (tags.strip() == "*" or stored.info.etag in _tags(tags, _WEAK_ETAG)):
        return Reply(None, 304, _etag(stored.info))
    return Reply(stored, headers=_etag(stored.info))


async def refuse_type(call: Call) -> None:
    """Refuse what says that it is no text of a blueprint, before a byte of it is read."""
    kind = media_type(call.headers.get("content-type", ""))
    if kind not in _TEXTS:
        message = f"the text of a blueprint is application/yaml or text/plain, not {kind}"
        raise Refusal(415, message, "NOT_SUPPORTED")


async def save(call: Call) -> Reply:
    """Keep a blueprint under its id, also one that is half written."""
    id_ = call.params["id"]
    draft = read_draft(call.text, id_)
    if draft.id != id_:
        message = f"the id of the blueprint is '{draft.id}', not '{id_}'"
        raise AtomitonError(message, code="INVALID_INPUT")
    expected = await _expected(call, id_)
    info = await call.conductor.save_blueprint(call.text, expected=expected, draft_of=id_)
    return Reply(info, 201 if info.revision == 1 else 200, _etag(info))


async def delete(call: Call) -> Reply:
    """Take a blueprint off the list."""
    id_ = call.params["id"]
    await call.conductor.delete_blueprint(id_, expected=await _expected(call, id_))
    return Reply(None, 204)


async def undelete(call: Call) -> Reply:
    """Bring back a deleted blueprint."""
    info = await call.conductor.undelete_blueprint(call.params["id"])
    return Reply(info, headers=_etag(info))


async def restore(call: Call) -> Reply:
    """Make an earlier revision the newest one."""
    id_, asked = call.params["id"], checked(call.body, RestoreBlueprint)
    expected = await _expected(call, id_)
    info = await call.conductor.restore_blueprint(id_, asked.revision, expected=expected)
    return Reply(info, headers=_etag(info))


async def history(call: Call) -> RevisionPage:
    """List the revisions of a blueprint."""
    query = checked(call.query, HistoryQuery)
    found = await call.conductor.blueprint_history(
        call.params["id"], before=query.before, limit=query.limit
    )
    return RevisionPage(found, found[-1].revision if len(found) == query.limit else None)


async def revision(call: Call) -> Reply:
    """Give one revision of a blueprint."""
    number = call.params["revision"]
    if not number.isdecimal() or len(number) > 15:
        raise NotFound(f"a revision is a number, not '{number}'")
    stored = await call.conductor.blueprint(call.params["id"], int(number))
    return Reply(stored, headers=_etag(stored.info))


async def validate(call: Call) -> Checked:
    """Check the text of a blueprint; runs nothing."""
    problems = await call.conductor.validate(checked(call.body, Validate).source)
    return Checked(not problems, list(problems))


async def python(call: Call) -> PythonCode:
    """Write the Python code that builds a blueprint; runs nothing."""
    from atomiton.blueprint.python import to_python  # few ask for it
    from atomiton.nodes.functions import function_of

    blueprint, _ = read_blueprint(checked(call.body, WritePython).source)
    return PythonCode(await asyncio.to_thread(to_python, blueprint, function_of))


async def preview(call: Call) -> Previewed:
    """What an expression would give over the data of a run; runs nothing."""
    asked = checked(call.body, PreviewExpression)
    return await call.conductor.preview(
        asked.run,
        asked.text,
        node=asked.node,
        bare=asked.bare,
        over=asked.over,
        item=asked.item,
    )


def _etag(info: BlueprintInfo) -> dict[str, str]:
    return {"etag": f'"{info.etag}"'}


def _tags(header: str, form: re.Pattern[str] = _ETAG) -> set[str]:
    return {found[1] for part in header.split(",") if (found := form.fullmatch(part))}


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
            return (await call.conductor.blueprint(id_)).info.etag
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
        answer=BlueprintInfo,
        conditional=True,
        first=refuse_type,
    ),
    Route(
        "DELETE", ONE, "owner", delete, "Take a blueprint off the list", status=204,
        conditional=True,
    ),
    Route(
        "POST",
        ONE + "/undelete",
        "owner",
        undelete,
        "Bring back a deleted blueprint",
        answer=BlueprintInfo,
    ),
    Route(
        "POST",
        ONE + "/restore",
        "owner",
        restore,
        "Make an earlier revision the newest one",
        RestoreBlueprint,
        answer=BlueprintInfo,
        conditional=True,
    ),
    Route(
        "GET",
        ONE + "/revisions",
        "viewer",
        history,
        "List the revisions of a blueprint",
        query=HistoryQuery,
        answer=RevisionPage,
    ),
    Route(
        "GET",
        ONE + "/revisions/{revision}",
        "viewer",
        revision,
        "Give one revision of a blueprint",
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
    Route(
        "POST",
        PREFIX + "/expressions/preview",
        "viewer",
        preview,
        "Tell what an expression gives over the data of a run",
        PreviewExpression,
        answer=Previewed,
    ),
    Route(
        "POST",
        PREFIX + "/python",
        "viewer",
        python,
        "Write the Python code that builds a blueprint",
        WritePython,
        answer=PythonCode,
    ),
)  # fmt: skip
