"""Blueprints that people keep under an id: saving, finding and running them."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from atomiton.blueprint.compile import content_hash
from atomiton.blueprint.document import read_blueprint
from atomiton.blueprint.model import Blueprint, Node
from atomiton.conductor.library import KEPT, Ready, Source
from atomiton.conductor.looking import Looking
from atomiton.conductor.nodes import NodeInfo, node_info
from atomiton.errors import AtomitonError, BlueprintError, NotFound, Problem
from atomiton.ports.blueprints import StoredBlueprint

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
#: Deepest chain of calls that is followed.
_DEEPEST = 32


class Keeping(Looking):
    """What a conductor does with blueprints that are kept."""

    @cached_property
    def _by_id(self) -> OrderedDict[str, tuple[dict[str, StoredBlueprint], Blueprint]]:
        """Kept blueprints that were run lately, with the versions they are made of."""
        return OrderedDict()

    async def save_blueprint(
        self, source: str, *, by: str = "", expected: str | None = None
    ) -> StoredBlueprint:
        """Keep a blueprint under its id; what is running keeps the version it started with.

        Args:
            source: Its text, YAML or JSON.
            by: Who saves it.
            expected: The etag that what is kept now must have; ``""`` if there must be none.

        Raises:
            BlueprintError: It is not a blueprint. One whose references or node types are wrong
                is kept, since people save what is not finished; ``validate`` tells of it.
            Conflict: What is kept now is not what was expected.
        """
        blueprint, _ = read_blueprint(source)
        digest = content_hash(blueprint.document)
        return await self.journal.blueprints.save(
            blueprint.id, source, digest, self._now(), by=by, expected=expected
        )

    async def blueprint(self, id: str, version: int | None = None) -> StoredBlueprint:  # noqa: A002
        """Give a blueprint that is kept, by default its newest version; ``NotFound``."""
        return await self.journal.blueprints.get(id, version)

    async def blueprints(self, after: str = "", limit: int = 100) -> list[StoredBlueprint]:
        """The blueprints that are kept, by id, without their text."""
        return await self.journal.blueprints.list(after, limit)

    async def blueprint_history(
        self,
        id: str,  # noqa: A002 - the key of the format
        before: int | None = None,
        limit: int = 100,
    ) -> list[StoredBlueprint]:
        """The versions of a blueprint, newest first, without their text; ``NotFound``."""
        return await self.journal.blueprints.history(id, before, limit)

    async def delete_blueprint(self, id: str, *, expected: str | None = None) -> None:  # noqa: A002
        """Take a blueprint off the list; its history and its runs stay.

        Raises:
            NotFound: There is none.
            Conflict: What is kept now is not what was expected.
        """
        await self.journal.blueprints.delete(id, expected=expected)

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

    async def _kept(self, id_: str) -> Blueprint:
        """A blueprint that is kept, together with those that it calls."""
        texts: dict[str, StoredBlueprint] = {}
        try:
            texts[id_] = await self.journal.blueprints.get(id_)
        except NotFound as error:
            message = f"there is no blueprint '{id_}': no file of that name, and none is kept"
            raise NotFound(message) from error
        known = self._by_id.get(id_)
        if known is not None and await self._is_current(known[0]):
            self._by_id.move_to_end(id_)
            return known[1]
        blueprint, document = read_blueprint(texts[id_].source, filename=id_)
        await self._note_calls(blueprint, texts, 0)
        self.library.take(blueprint, document.positions)
        self._by_id[id_] = (texts, blueprint)
        if len(self._by_id) > KEPT:
            self._by_id.popitem(last=False)
        return blueprint

    async def _is_current(self, texts: dict[str, StoredBlueprint]) -> bool:
        """Whether a blueprint and all that it calls are still kept as they were."""
        for id_, stored in texts.items():
            try:
                if (await self.journal.blueprints.get(id_)).etag != stored.etag:
                    return False
            except NotFound:
                return False
        return True

    async def _note_calls(
        self, caller: Blueprint, texts: dict[str, StoredBlueprint], depth: int
    ) -> None:
        """Make known to a blueprint those among the kept ones that it calls."""
        if depth > _DEEPEST:
            return  # the compiler says what is wrong with a circle
        for name in sorted(set(_calls(caller))):
            id_ = name.partition("@")[0]
            if not _ID.fullmatch(id_):
                continue
            try:
                stored = texts.get(id_) or await self.journal.blueprints.get(id_)
            except NotFound:
                continue  # the compiler says where it is called
            texts[id_] = stored
            called, _ = read_blueprint(stored.source, filename=id_)
            self.library.note_child(caller, called)
            await self._note_calls(called, texts, depth + 1)


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
