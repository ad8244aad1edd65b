"""Blueprints as plain files in a folder that its owner edits too.

    FOLDER/order-report.yaml                     the newest text: read it, edit it, diff it
    FOLDER/.atomiton/order-report/000001.yaml    earlier texts
    FOLDER/.atomiton/order-report/index.json     when they were saved

The file itself is the truth. A text that somebody else has put there is the newest revision; it
enters the history when it is next changed here. A file that was removed was deleted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec

from atomiton.errors import BlueprintError, StoreError
from atomiton.ports.blueprints import BlueprintInfo, StoredBlueprint
from atomiton.store.blueprints.base import Blueprints, Infos, only
from atomiton.store.blueprints.files import Files
from atomiton.store.blueprints.rules import Decide, Wanted, describe, read_draft

T = TypeVar("T")

#: How many texts are remembered as read, so that a list reads only what has changed.
_REMEMBERED = 4096


class _Revision(msgspec.Struct, frozen=True):
    etag: str
    updated_at: float


class _Index(msgspec.Struct):
    created_at: float
    revisions: list[_Revision]
    deleted_at: float | None = None


class FolderBlueprints(Blueprints):
    """A ``BlueprintStore`` in a folder.

    Args:
        root: The folder; it is created if it does not exist.
        now: Gives the seconds since 1970, UTC.
    """

    def __init__(self, root: Path | str, now: Callable[[], float] = time.time) -> None:
        super().__init__(now)
        self.root = Path(root)
        self._files = Files(self.root)
        self._thread: ThreadPoolExecutor | None = None
        self._read: dict[tuple[str, str], BlueprintInfo] = {}

    async def open(self) -> None:
        """Make the store ready."""
        self._thread = ThreadPoolExecutor(1, "atomiton-blueprints")
        try:
            await self._apart(self._files.prepare)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Free everything."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()

    async def change(self, blueprint: str, decide: Decide) -> BlueprintInfo:
        """Change the newest state of a blueprint."""
        return await self._apart(partial(self._change, blueprint, decide))

    def _change(self, blueprint: str, decide: Decide) -> BlueprintInfo:
        files = self._files
        with files.locked():
            head, content, index = self._look(blueprint)
            decided = decide(head)
            if decided is None:
                assert head is not None  # a rule always makes something of nothing, or refuses
                return head
            info, text = decided
            index = index or _Index(info.created_at, [])
            if head is not None and head.revision > len(index.revisions):
                # Somebody else has written it: before it is gone it becomes part of the history.
                files.write(files.revision(blueprint, head.revision), content)
                index.revisions.append(_Revision(head.etag, head.updated_at))
            if text is not None:
                content = text.encode()
                files.write(files.revision(blueprint, info.revision), content)
                index.revisions.append(_Revision(info.etag, info.updated_at))
            index.deleted_at = info.deleted_at
            if info.deleted_at is None:
                files.write(files.current(blueprint), content)
            else:
                files.remove(files.current(blueprint))
            files.write(files.index(blueprint), msgspec.json.encode(index))
            return info

    async def head(self, blueprint: str) -> BlueprintInfo | None:
        """Give the newest state."""
        return await self._apart(lambda: self._look(blueprint)[0])

    async def find(self, blueprint: str, revision: int) -> StoredBlueprint | None:
        """Give a revision."""
        return await self._apart(partial(self._find, blueprint, revision))

    def _find(self, blueprint: str, revision: int) -> StoredBlueprint | None:
        head, content, index = self._look(blueprint)
        if head is None or not 1 <= revision <= head.revision:
            return None
        if index is not None and revision <= len(index.revisions):
            content = self._stored(blueprint, revision, index)
        info = self._info(blueprint, revision, content, index, head)
        return StoredBlueprint(info, content.decode(errors="replace"))

    async def select(self, wanted: Wanted) -> Infos:
        """Give the newest states that are wanted."""
        return await self._apart(partial(self._select, wanted))

    def _select(self, wanted: Wanted) -> Infos:
        found: Infos = []
        for blueprint in sorted(self._files.ids()):
            if blueprint <= wanted.after or len(found) == wanted.limit:
                continue
            try:
                head = self._look(blueprint)[0]
            except StoreError as error:  # one that cannot be read hides no others
                head = BlueprintInfo(
                    id=blueprint,
                    revision=0,
                    etag="",
                    hash="",
                    name=blueprint,
                    created_at=0,
                    updated_at=0,
                    problem=error.message,
                )
            found += only([] if head is None else [head], wanted)
        return found

    async def revisions(self, blueprint: str, before: int | None, limit: int) -> Infos:
        """Give revisions, newest first."""
        return await self._apart(partial(self._revisions, blueprint, before, limit))

    def _revisions(self, blueprint: str, before: int | None, limit: int) -> Infos:
        head, _, index = self._look(blueprint)
        if head is None:
            return []
        recorded = [] if index is None else index.revisions
        first = head.revision if before is None else min(head.revision, before - 1)
        found: Infos = []
        for number in range(first, max(first - limit, 0), -1):
            if number > len(recorded):
                found.append(head)
                continue
            content = self._stored(blueprint, number, index)
            found.append(self._info(blueprint, number, content, index, head))
        return found

    # -- what is in the files ------------------------------------------------------------------

    def _look(self, blueprint: str) -> tuple[BlueprintInfo | None, bytes, _Index | None]:
        """The newest state, its text, and the index."""
        files = self._files
        there = files.read(files.current(blueprint))
        stored = files.read(files.index(blueprint)) if self._has_index(blueprint) else None
        index: _Index | None = None
        if stored is not None:
            try:
                index = msgspec.json.decode(stored[0], type=_Index)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                place = files.index(blueprint)
                raise StoreError(f"store {self.root}: {place} is damaged: {error}") from error
        count = len(index.revisions) if index is not None else 0
        if there is None:
            if index is None or not count:
                return None, b"", index
            content = self._stored(blueprint, count, index)
            gone = index.revisions[-1].updated_at if index.deleted_at is None else index.deleted_at
            info = self._info(blueprint, count, content, index, None)
            return msgspec.structs.replace(info, deleted_at=gone), content, index
        content, changed = there
        number = count
        if index is None or not count or index.revisions[-1].etag != _etag(content):
            number += 1
            known = index or _Index(changed, [])
            latest = known.revisions[-1].updated_at if count else changed
            info = self._describe(blueprint, number, content, known, max(changed, latest))
            return info, content, index
        info = self._info(blueprint, number, content, index, None)
        return info, content, index

    def _has_index(self, blueprint: str) -> bool:
        return self._files.index(blueprint).parent.is_dir()

    def _stored(self, blueprint: str, number: int, index: _Index | None) -> bytes:
        """The text of a recorded revision, checked against what it was."""
        place = self._files.revision(blueprint, number)
        found = self._files.read(place)
        if index is None or found is None or _etag(found[0]) != index.revisions[number - 1].etag:
            why = "is missing" if found is None else "has changed"
            raise StoreError(
                f"store {self.root}: {place} {why}; earlier texts are not to be edited"
            )
        return found[0]

    def _info(
        self,
        blueprint: str,
        number: int,
        content: bytes,
        index: _Index | None,
        head: BlueprintInfo | None,
    ) -> BlueprintInfo:
        """Describe a revision; ``head`` says whether the blueprint is deleted now."""
        if index is None or number > len(index.revisions):
            assert head is not None
            return head
        info = self._describe(
            blueprint, number, content, index, index.revisions[number - 1].updated_at
        )
        gone = None if head is None else head.deleted_at
        return info if gone is None else msgspec.structs.replace(info, deleted_at=gone)

    def _describe(
        self, blueprint: str, number: int, content: bytes, index: _Index, updated_at: float
    ) -> BlueprintInfo:
        etag = _etag(content)
        known = self._read.get((blueprint, etag))
        if known is None:
            known = self._read[blueprint, etag] = _read(blueprint, etag, content)
            if len(self._read) > _REMEMBERED:
                del self._read[next(iter(self._read))]
        return msgspec.structs.replace(
            known, revision=number, created_at=index.created_at, updated_at=updated_at
        )

    async def _apart(self, work: Callable[[], T]) -> T:
        """Do something in the store's thread."""
        if self._thread is None:
            raise StoreError(f"store {self.root}: it is not open")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _etag(content: bytes) -> str:
    return sha256(content).hexdigest()


def _read(blueprint: str, etag: str, content: bytes) -> BlueprintInfo:
    """What a list shows of a text that anybody may have written."""
    problem = ""
    try:
        draft = read_draft(content.decode())
    except UnicodeDecodeError:
        problem = "the file is not UTF-8"
    except BlueprintError as error:
        problem = error.message
    else:
        if draft.id == blueprint:
            return msgspec.structs.replace(describe(draft, 0, 0, 0), etag=etag)
        problem = f"its text says `id: {draft.id}`; name the file {draft.id}.yaml or change the id"
    return BlueprintInfo(
        id=blueprint,
        revision=0,
        etag=etag,
        hash="",
        name=blueprint,
        created_at=0,
        updated_at=0,
        problem=problem,
    )
