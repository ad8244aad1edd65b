"""Blueprints that are kept elsewhere."""

from __future__ import annotations

from atomiton.client.calls import Calls, part
from atomiton.conductor.wire import (
    BlueprintsQuery,
    HistoryQuery,
    RestoreBlueprint,
    RevisionPage,
)
from atomiton.ports.blueprints import BlueprintInfo, BlueprintPage, StoredBlueprint


class Keeping:
    """What a remote conductor does with blueprints that are kept.

    Attributes:
        calls: Sends the requests.
    """

    calls: Calls

    async def save_blueprint(
        self, source: str, *, expected: str | None = None, draft_of: str | None = None
    ) -> BlueprintInfo:
        """Keep a blueprint under its id; arguments are those of ``Conductor.save_blueprint``."""
        from atomiton.store.blueprints.rules import read_draft  # few calls need YAML

        place = f"/blueprints/{part(read_draft(source, draft_of).id)}"
        return await self.calls.put(place, source, BlueprintInfo, _condition(expected))

    async def blueprint(self, id: str, revision: int | None = None) -> StoredBlueprint:  # noqa: A002
        """Give a blueprint that is kept, by default its newest revision; ``NotFound``."""
        which = "" if revision is None else f"/revisions/{revision}"
        return await self.calls.get(f"/blueprints/{part(id)}{which}", StoredBlueprint)

    async def blueprints(
        self,
        *,
        search: str | None = None,
        tag: str | None = None,
        deleted: bool = False,
        after: str | None = None,
        limit: int = 100,
    ) -> BlueprintPage:
        """List the blueprints that are kept, by id."""
        query = BlueprintsQuery(
            search=search, tag=tag, deleted=deleted, after=after, limit=min(limit, 1000)
        )
        return await self.calls.get("/blueprints", BlueprintPage, query)

    async def blueprint_history(
        self,
        id: str,  # noqa: A002 - the key of the format
        *,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[BlueprintInfo, ...]:
        """The revisions of a blueprint, newest first; ``NotFound``."""
        query = HistoryQuery(before=before, limit=min(limit, 1000))
        place = f"/blueprints/{part(id)}/revisions"
        return (await self.calls.get(place, RevisionPage, query)).items

    async def restore_blueprint(
        self,
        id: str,  # noqa: A002 - the key of the format
        revision: int,
        *,
        expected: str | None = None,
    ) -> BlueprintInfo:
        """Make an earlier revision the newest one."""
        place, asked = f"/blueprints/{part(id)}/restore", RestoreBlueprint(revision=revision)
        return await self.calls.post(place, asked, BlueprintInfo, _condition(expected))

    async def delete_blueprint(self, id: str, *, expected: str | None = None) -> None:  # noqa: A002
        """Take a blueprint off the list; its history and its runs stay."""
        await self.calls.delete(f"/blueprints/{part(id)}", _condition(expected))

    async def undelete_blueprint(self, id: str) -> BlueprintInfo:  # noqa: A002
        """Bring back a deleted blueprint as it was; ``NotFound``."""
        return await self.calls.post(f"/blueprints/{part(id)}/undelete", None, BlueprintInfo)


def _condition(expected: str | None) -> dict[str, str]:
    """The headers that say what must be kept now."""
    if expected is None:
        return {}
    return {"if-match": f'"{expected}"'} if expected else {"if-none-match": "*"}
