"""Blueprints that people keep under an id: saving, finding and running them."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from atomiton.blueprint.document import read_blueprint
from atomiton.blueprint.model import Blueprint, Node
from atomiton.conductor.library import KEPT, Ready, Source
from atomiton.conductor.looking import Looking
from atomiton.conductor.nodes import NodeInfo, node_info
from atomiton.errors import AtomitonError, BlueprintError, NotFound, Problem
from atomiton.ports.blueprints import (
    BlueprintInfo,
    BlueprintPage,
    BlueprintStore,
    StoredBlueprint,
)

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
#: Deepest chain of calls that is followed.
_DEEPEST = 32
#: Seconds for which what was seen in the store is taken to be there still, where triggers fire: who
#: saves in another process waits so long at most. What is saved here holds at once.
FRESH = 2.0


class _Known:
    """A kept blueprint that was run lately: what it is made of, and when that was last seen."""

    __slots__ = ("blueprint", "seen_at", "texts")

    def __init__(
        self, texts: dict[str, StoredBlueprint], blueprint: Blueprint, seen_at: float
    ) -> None:
        self.texts = texts
        self.blueprint = blueprint
        self.seen_at = seen_at


class Keeping(Looking):
    """What a conductor does with blueprints that are kept."""

    @cached_property
    def _by_id(self) -> OrderedDict[str, _Known]:
        """Kept blueprints that were run lately."""
        return OrderedDict()

    async def save_blueprint(
        self, source: str, *, expected: str | None = None, draft_of: str | None = None
    ) -> BlueprintInfo:
        """Keep a blueprint under its id; what is running keeps the revision it started with.

        Args:
            source: Its text, YAML or JSON.
            expected: The etag that what is kept now must have; ``""`` if there must be none.
            draft_of: The id to keep it under if it is no YAML yet, or names no valid id.

        Raises:
            BlueprintError: It is no YAML, or has no valid id, and ``draft_of`` is not given. One
                whose nodes or references are wrong is kept, since people save what is not
                finished; ``validate`` tells of it, and running it is refused.
            Conflict: What is kept now is not what was expected.
        """
        store = await self._shelf.open()
        try:
            return await store.save(source, expected=expected, draft_of=draft_of)
        finally:
            self._look_again_at_all()

    async def blueprint(self, id: str, revision: int | None = None) -> StoredBlueprint:  # noqa: A002
        """Give a blueprint that is kept, by default its newest revision; ``NotFound``."""
        return await (await self._shelf.open()).get(id, revision)

    async def blueprints(
        self,
        *,
        search: str | None = None,
        tag: str | None = None,
        deleted: bool = False,
        after: str | None = None,
        limit: int = 100,
    ) -> BlueprintPage:
        """List the blueprints that are kept, by id.

        Args:
            search: Only those whose id, name or description holds this, whatever the case.
            tag: Only those with this tag.
            deleted: Those that were deleted, instead of those that were not.
            after: ``next`` of the page before.
            limit: Most on a page, 1 to 1000.
        """
        store = await self._shelf.open()
        return await store.list(search=search, tag=tag, deleted=deleted, after=after, limit=limit)

    async def blueprint_history(
        self,
        id: str,  # noqa: A002 - the key of the format
        *,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[BlueprintInfo, ...]:
        """The revisions of a blueprint, also of a deleted one, newest first; ``NotFound``."""
        return await (await self._shelf.open()).history(id, before=before, limit=limit)

    async def restore_blueprint(
        self,
        id: str,  # noqa: A002 - the key of the format
        revision: int,
        *,
        expected: str | None = None,
    ) -> BlueprintInfo:
        """Make an earlier revision the newest one; errors are those of ``save_blueprint``."""
        try:
            return await (await self._shelf.open()).restore(id, revision, expected=expected)
        finally:
            self._look_again_at_all()

    async def delete_blueprint(self, id: str, *, expected: str | None = None) -> None:  # noqa: A002
        """Take a blueprint off the list; its history and its runs stay.

        Raises:
            NotFound: There is none.
            Conflict: What is kept now is not what was expected.
        """
        try:
            await (await self._shelf.open()).delete(id, expected=expected)
        finally:
            self._look_again_at_all()

    async def undelete_blueprint(self, id: str) -> BlueprintInfo:  # noqa: A002
        """Bring back a deleted blueprint as it was; ``NotFound``."""
        try:
            return await (await self._shelf.open()).undelete(id)
        finally:
            self._look_again_at_all()

    async def validate(self, source: str) -> Sequence[Problem]:
        """Check the text of a blueprint; gives every problem, and runs nothing."""
        try:
            blueprint, document = read_blueprint(source)
            await self._note_calls(blueprint, {}, 0)
            self.library.examine(blueprint, document.positions)
        except BlueprintError as error:
            return error.problems
        except AtomitonError as error:
            return (Problem(error.code, error.message),)
        return ()

    async def read(self, source: str) -> Blueprint:
        """Read the text of a blueprint that is to be run, without keeping it.

        Raises:
            BlueprintError: It cannot be run; with the place of every problem.
        """
        blueprint, document = read_blueprint(source)
        await self._note_calls(blueprint, {}, 0)
        self.library.take(blueprint, document.positions)
        return blueprint

    async def nodes(self) -> list[NodeInfo]:
        """The node types that blueprints can use, by name."""
        return [node_info(type_) for type_ in self.library.registry.types()]

    async def _ready(self, source: Source) -> Ready:
        """What is to be run, made ready; one that is kept is named by its id."""
        if isinstance(source, str) and self._is_kept(source):
            source = await self._kept(source)
        elif self.library.confined and isinstance(source, Blueprint):
            await self._note_calls(source, {}, 0)
        return self.library.ready(source)

    def _is_kept(self, name: str) -> bool:
        """Whether a name is the id of a blueprint, and not the path of a file."""
        if _ID.fullmatch(name) is None:
            return False
        return self.library.confined or not Path(name).exists()

    async def _kept(self, id_: str, *, fresh: float = 0.0) -> Blueprint:
        """A blueprint that is kept, together with those that it calls.

        Args:
            id_: Its id.
            fresh: Seconds for which one that was seen is not looked for again.
        """
        known, now = self._by_id.get(id_), self.driver.loop.time()
        if known is not None and now - known.seen_at < fresh:
            self._by_id.move_to_end(id_)
            return known.blueprint
        store = await self._shelf.open()
        try:
            stored = await store.get(id_)
        except NotFound as error:
            message = f"there is no blueprint '{id_}': no file of that name, and none is kept"
            raise NotFound(message) from error
        if known is None or not await _is_current(known.texts, stored, store):
            blueprint, document = read_blueprint(stored.text, filename=id_)
            texts = {id_: stored}
            await self._note_calls(blueprint, texts, 0)
            self.library.take(blueprint, document.positions)
            known = _Known(texts, blueprint, now)
        known.seen_at = now
        self._by_id[id_] = known
        self._by_id.move_to_end(id_)
        if len(self._by_id) > KEPT:
            self._by_id.popitem(last=False)
        return known.blueprint

    def _look_again_at_all(self) -> None:
        """Something was saved here: whatever is run next is looked for in the store."""
        for known in self._by_id.values():
            known.seen_at = -FRESH

    def _note_seen(self, etags: Mapping[str, str], at: float) -> None:
        """Note what the store holds, by id, as a list of all of it has told."""
        for known in self._by_id.values():
            same = all(etags.get(of) == stored.info.etag for of, stored in known.texts.items())
            known.seen_at = max(known.seen_at, at) if same else -FRESH

    async def _note_calls(
        self, caller: Blueprint, texts: dict[str, StoredBlueprint], depth: int
    ) -> None:
        """Make known to a blueprint those among the kept ones that it calls."""
        if depth > _DEEPEST:
            return  # the compiler says what is wrong with a circle
        names = sorted(set(_calls(caller)))
        if not names:
            return
        store = await self._shelf.open()
        for name in names:
            id_ = name.partition("@")[0]
            if not _ID.fullmatch(id_):
                continue
            try:
                stored = texts.get(id_) or await store.get(id_)
            except NotFound:
                continue  # the compiler says where it is called
            texts[id_] = stored
            called, _ = read_blueprint(stored.text, filename=id_)
            self.library.note_child(caller, called)
            await self._note_calls(called, texts, depth + 1)


async def _is_current(
    texts: Mapping[str, StoredBlueprint], stored: StoredBlueprint, store: BlueprintStore
) -> bool:
    """Whether a blueprint, as it is kept now, and all that it calls are still what they were."""
    for id_, before in texts.items():
        try:
            now = stored if id_ == stored.info.id else await store.get(id_)
        except NotFound:
            return False
        if now.info.etag != before.info.etag:
            return False
    return True


def _calls(blueprint: Blueprint) -> Iterator[str]:
    """What a blueprint calls, by the names it uses."""
    for nodes in (blueprint.nodes, blueprint.on):
        yield from _calls_of(nodes.values())


def _calls_of(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if node.call is not None:
            yield node.call
        if node.nodes is not None:
            yield from _calls_of(node.nodes.values())
        if node.compensate is not None:
            yield from _calls_of([node.compensate.node])
