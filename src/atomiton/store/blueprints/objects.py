"""Blueprints in a store of objects, such as a bucket of S3, Google Cloud or Azure.

    PREFIX/heads/order-report.json           the newest state and all revisions
    PREFIX/texts/order-report/ETAG.yaml      texts, never changed

A head is replaced only if it is still the one that was read: the service compares, so that two who
change the same blueprint at once cannot overwrite each other. Nothing is ever locked.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec
import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import from_url

from atomiton.errors import StoreError
from atomiton.ports.blueprints import BlueprintInfo, StoredBlueprint
from atomiton.store.blueprints.base import Blueprints, Infos, only
from atomiton.store.blueprints.rules import Decide, Wanted, etag_of

if TYPE_CHECKING:
    from obstore import ObjectMeta, UpdateVersion
    from obstore.store import ObjectStore

T = TypeVar("T")

# The library's own type covers a form of its answer whose type is not there.
_list = cast(
    "Callable[[ObjectStore, str], Iterable[Sequence[ObjectMeta]]]",
    obstore.list,  # pyright: ignore[reportUnknownMemberType]
)

#: How often a change is tried again when somebody else was quicker.
_TRIES = 50

#: How many heads are read at once for a list.
_AT_ONCE = 16


class _Head(msgspec.Struct):
    revisions: list[BlueprintInfo]
    deleted_at: float | None = None

    def newest(self) -> BlueprintInfo:
        return self.as_of_now(self.revisions[-1])

    def as_of_now(self, info: BlueprintInfo) -> BlueprintInfo:
        return msgspec.structs.replace(info, deleted_at=self.deleted_at)


class ObjectBlueprints(Blueprints):
    """A ``BlueprintStore`` in a store of objects.

    Args:
        url: ``s3://BUCKET/PREFIX``, ``gs://``, ``az://`` or ``memory:///``.
        options: What the library takes beside the address, such as ``region``; credentials and the
            rest come from the environment, as for the service's own tools.
        now: Gives the seconds since 1970, UTC.
    """

    def __init__(
        self,
        url: str,
        options: Mapping[str, object] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(now)
        self.url = url
        self._options = dict(options or {})
        self._objects: ObjectStore | None = None
        self._kept: ObjectStore | None = None
        self._threads: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Make the store ready; says so if the bucket cannot be read."""
        if self._kept is None:
            with self._explained():
                try:
                    make = cast("Callable[..., ObjectStore]", from_url)
                    self._kept = make(self.url, **self._options)
                except ValueError as error:
                    raise StoreError(f"store {self.url}: {error}") from error
        self._objects = self._kept
        self._threads = ThreadPoolExecutor(_AT_ONCE, "atomiton-objects")
        try:
            await self._ids(most=1)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Free everything."""
        threads, self._objects, self._threads = self._threads, None, None
        if threads is not None:
            threads.shutdown()

    async def change(self, blueprint: str, decide: Decide) -> BlueprintInfo:
        """Change the newest state of a blueprint."""
        path = _head_path(blueprint)
        for attempt in range(_TRIES):
            head, tag = await self._load(blueprint)
            newest = None if head is None else head.newest()
            decided = decide(newest)
            if decided is None:
                assert newest is not None  # a rule always makes something of nothing, or refuses
                return newest
            info, text = decided
            head = head or _Head([])
            if text is not None:
                await self._put(_text_path(blueprint, info.etag), text.encode(), None)
                head.revisions.append(info)
            head.deleted_at = info.deleted_at
            try:
                await self._put(path, msgspec.json.encode(head), tag or "")
            except (AlreadyExistsError, PreconditionError):
                await asyncio.sleep(0.01 * min(attempt, 10))
                continue
            return info
        raise StoreError(f"store {self.url}: '{blueprint}' is changed by others without end")

    async def head(self, blueprint: str) -> BlueprintInfo | None:
        """Give the newest state."""
        head, _ = await self._load(blueprint)
        return None if head is None else head.newest()

    async def find(self, blueprint: str, revision: int) -> StoredBlueprint | None:
        """Give a revision."""
        head, _ = await self._load(blueprint)
        if head is None or not 1 <= revision <= len(head.revisions):
            return None
        info = head.as_of_now(head.revisions[revision - 1])
        path = _text_path(blueprint, info.etag)
        found = await self._get(path)
        if found is None:
            raise StoreError(f"store {self.url}: {path} is missing")
        text = found[0].decode(errors="replace")
        if etag_of(text) != info.etag:
            raise StoreError(f"store {self.url}: {path} has changed; texts are not to be edited")
        return StoredBlueprint(info, text)

    async def select(self, wanted: Wanted) -> Infos:
        """Give the newest states that are wanted."""
        ids = [one for one in await self._ids() if one > wanted.after]
        found: Infos = []
        for first in range(0, len(ids), _AT_ONCE):
            heads = await asyncio.gather(*(self.head(one) for one in ids[first : first + _AT_ONCE]))
            found += only([head for head in heads if head is not None], wanted)
            if len(found) >= wanted.limit:
                break
        return found[: wanted.limit]

    async def revisions(self, blueprint: str, before: int | None, limit: int) -> Infos:
        """Give revisions, newest first."""
        head, _ = await self._load(blueprint)
        known = [] if head is None else head.revisions
        found = [info for info in reversed(known) if before is None or info.revision < before]
        return [] if head is None else [head.as_of_now(info) for info in found[:limit]]

    async def _load(self, blueprint: str) -> tuple[_Head | None, str | None]:
        path = _head_path(blueprint)
        found = await self._get(path)
        if found is None:
            return None, None
        try:
            return msgspec.json.decode(found[0], type=_Head), found[1]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(f"store {self.url}: {path} is damaged: {error}") from error

    async def _get(self, path: str) -> tuple[bytes, str | None] | None:
        def get(objects: ObjectStore) -> tuple[bytes, str | None]:
            result = obstore.get(objects, path)
            return bytes(result.bytes()), result.meta["e_tag"]

        try:
            return await self._ask(get)
        except FileNotFoundError:
            return None

    async def _put(self, path: str, content: bytes, tag: str | None) -> None:
        """Put an object in its place: always, if it is that of a tag, or (empty) if none is."""
        if tag is None:
            await self._ask(lambda objects: obstore.put(objects, path, content))
        elif tag:
            mode: UpdateVersion = {"e_tag": tag}
            await self._ask(lambda objects: obstore.put(objects, path, content, mode=mode))
        else:
            await self._ask(lambda objects: obstore.put(objects, path, content, mode="create"))

    async def _ids(self, most: int | None = None) -> list[str]:
        def ask(objects: ObjectStore) -> list[str]:
            found: list[str] = []
            for chunk in _list(objects, "heads"):
                names = (one["path"].rpartition("/")[2] for one in chunk)
                found += [name.removesuffix(".json") for name in names if name.endswith(".json")]
                if most is not None:
                    break
            return sorted(found)

        return await self._ask(ask)

    async def _ask(self, work: Callable[[ObjectStore], T]) -> T:
        """Ask the service in a thread.

        Not by the library's own coroutines: a thread of theirs that is a moment late when the
        program ends takes it down with a signal.
        """
        objects, threads = self._objects, self._threads
        if objects is None or threads is None:
            raise StoreError(f"store {self.url}: it is not open")
        with self._explained():
            return await asyncio.get_running_loop().run_in_executor(threads, work, objects)

    @contextlib.contextmanager
    def _explained(self) -> Generator[None]:
        """Say which store a failure is of; what callers decide on goes through."""
        try:
            yield
        except (FileNotFoundError, AlreadyExistsError, PreconditionError):
            raise
        except (BaseError, OSError) as error:
            first = str(error).strip().splitlines()[:1]
            raise StoreError(f"store {self.url}: {first[0] if first else error!r}") from error


def _head_path(blueprint: str) -> str:
    return f"heads/{blueprint}.json"


def _text_path(blueprint: str, etag: str) -> str:
    return f"texts/{blueprint}/{etag}.yaml"
