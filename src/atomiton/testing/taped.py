"""Capabilities whose effects go through a deck, which records them or plays them back."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

import msgspec

from atomiton.ports.capabilities import (
    Clock,
    FileEntry,
    Files,
    Http,
    HttpResponse,
    Process,
    ProcessResult,
    Random,
    Sql,
    SqlGiven,
    SqlRows,
)
from atomiton.testing.declared.values import from_plain, to_plain
from atomiton.testing.tape import (
    Data,
    Deck,
    Real,
    Taped,
    pack_bytes,
    pack_headers,
    pack_path,
    unpack_bytes,
)
from atomiton.testing.taped_far import TapedFtp, TapedMail, TapedObjects, TapedQueues, TapedSftp


def taped(name: str, deck: Deck, real: Real) -> object:
    """A capability by its name, through a deck; None if its effects are not taped."""
    kind = _KINDS.get(name)
    return None if kind is None else kind(deck, real)


class TapedHttp(Taped):
    """``Http`` through a deck."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        follow_redirects: bool = True,
        on_part: Callable[[bytes], None] | None = None,
    ) -> HttpResponse:
        """See ``Http.request``; what is played back comes in no parts."""
        ask: Data = {"method": method, "url": url}
        if headers:
            ask["headers"] = pack_headers(headers)
        if body is not None:
            ask["body"] = pack_bytes(body)
        if not follow_redirects:
            ask["follow_redirects"] = False
        more = {} if on_part is None else {"on_part": on_part}
        return await self.deck.effect(
            "http.request",
            ask,
            lambda: cast("Http", self.real()).request(
                method,
                url,
                headers=headers,
                body=body,
                follow_redirects=follow_redirects,
                **more,
            ),
            _pack_response,
            _unpack_response,
        )


def _pack_response(answer: HttpResponse) -> Data:
    return {
        "status": answer.status,
        "url": answer.url,
        "headers": pack_headers(answer.headers),
        "body": pack_bytes(answer.body),
        "elapsed_ms": answer.elapsed_ms,
    }


def _unpack_response(packed: object) -> HttpResponse:
    data = cast("Data", packed)
    return HttpResponse(
        cast("int", data["status"]),
        cast("str", data["url"]),
        dict(cast("Mapping[str, str]", data["headers"])),
        unpack_bytes(data["body"]),
        cast("float", data["elapsed_ms"]),
    )


class TapedFiles(Taped):
    """``Files`` through a deck."""

    def resolve(self, path: str) -> Path:
        """See ``Files.resolve``."""
        return self.deck.effect_now(
            "files.resolve",
            {"path": path},
            lambda: self._files.resolve(path),
            pack_path,
            _unpack_path,
        )

    async def read(self, path: str) -> bytes:
        """See ``Files.read``."""
        return await self.deck.effect(
            "files.read", {"path": path}, lambda: self._files.read(path), pack_bytes, unpack_bytes
        )

    async def write(
        self, path: str, content: bytes, *, append: bool, overwrite: bool, create_folders: bool
    ) -> int:
        """See ``Files.write``."""
        how = {"append": append, "overwrite": overwrite, "create_folders": create_folders}
        return await self.deck.effect(
            "files.write",
            {"path": path, "content": pack_bytes(content), **how},
            lambda: self._files.write(path, content, **how),
            lambda size: size,
            lambda packed: cast("int", packed),
        )

    async def lines(self, path: str) -> AsyncIterator[str]:
        """See ``Files.lines``; all of them are read before the first is given."""

        async def real() -> list[str]:
            return [line async for line in self._files.lines(path)]

        lines = await self.deck.effect(
            "files.lines", {"path": path}, real, list, lambda packed: cast("list[str]", packed)
        )
        for line in lines:
            yield line

    def kind(self, path: str) -> Literal["file", "folder"] | None:
        """See ``Files.kind``."""
        return self.deck.effect_now(
            "files.kind",
            {"path": path},
            lambda: self._files.kind(path),
            lambda kind: kind,
            lambda packed: cast('Literal["file", "folder"] | None', packed),
        )

    def entries(self, path: str, pattern: str, *, recursive: bool) -> list[FileEntry]:
        """See ``Files.entries``."""
        return self.deck.effect_now(
            "files.entries",
            {"path": path, "pattern": pattern, "recursive": recursive},
            lambda: self._files.entries(path, pattern, recursive=recursive),
            lambda found: [{**entry, "path": pack_path(Path(entry["path"]))} for entry in found],
            _unpack_entries,
        )

    def copy(
        self, path: str, to: str, *, overwrite: bool, create_folders: bool
    ) -> tuple[Path, int]:
        """See ``Files.copy``."""
        how = {"overwrite": overwrite, "create_folders": create_folders}
        return self.deck.effect_now(
            "files.copy",
            {"path": path, "to": to, **how},
            lambda: self._files.copy(path, to, **how),
            lambda copied: [pack_path(copied[0]), copied[1]],
            _unpack_copied,
        )

    def move(self, path: str, to: str, *, overwrite: bool, create_folders: bool) -> Path:
        """See ``Files.move``."""
        how = {"overwrite": overwrite, "create_folders": create_folders}
        return self.deck.effect_now(
            "files.move",
            {"path": path, "to": to, **how},
            lambda: self._files.move(path, to, **how),
            pack_path,
            _unpack_path,
        )

    def delete(self, path: str, *, recursive: bool, missing_ok: bool) -> bool:
        """See ``Files.delete``."""
        how = {"recursive": recursive, "missing_ok": missing_ok}
        return self.deck.effect_now(
            "files.delete",
            {"path": path, **how},
            lambda: self._files.delete(path, **how),
            lambda deleted: deleted,
            bool,
        )

    @property
    def _files(self) -> Files:
        return cast("Files", self.real())


def _unpack_path(packed: object) -> Path:
    return Path.cwd() / str(packed)


def _unpack_copied(packed: object) -> tuple[Path, int]:
    path, size = cast("tuple[str, int]", packed)
    return _unpack_path(path), size


def _unpack_entries(packed: object) -> list[FileEntry]:
    found = cast("list[FileEntry]", packed)
    return [{**entry, "path": str(_unpack_path(entry["path"]))} for entry in found]


class TapedProcess(Taped):
    """``Process`` through a deck."""

    async def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes | AsyncIterable[bytes] | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        clean: bool = False,
        on_output: Callable[[bytes], None] | None = None,
    ) -> ProcessResult:
        """See ``Process.run``; on the tape stands what was written in all."""
        ask: Data = {"command": list(command)}
        if isinstance(stdin, bytes):  # what comes piece by piece answers what the program said
            ask["stdin"] = pack_bytes(stdin)
        if cwd is not None:
            ask["cwd"] = cwd
        if env:
            ask["env"] = dict(env)
        if clean:
            ask["clean"] = True

        async def real() -> ProcessResult:
            process = cast("Process", self.real())
            if on_output is None:
                return await process.run(command, stdin=stdin, cwd=cwd, env=env, clean=clean)
            written, hand_on = bytearray(), on_output

            def take(data: bytes) -> None:
                written.extend(data)
                hand_on(data)

            ended = await process.run(
                command, stdin=stdin, cwd=cwd, env=env, clean=clean, on_output=take
            )
            told.append(len(written))
            return msgspec.structs.replace(ended, stdout=bytes(written))

        told: list[int] = []
        ended = await self.deck.effect("process.run", ask, real, _pack_ended, _unpack_ended)
        if on_output is not None and not told:  # it was played: nobody was told yet
            on_output(ended.stdout)
        return ended


def _pack_ended(ended: ProcessResult) -> Data:
    return {
        "exit_code": ended.exit_code,
        "stdout": pack_bytes(ended.stdout),
        "stderr": pack_bytes(ended.stderr),
        "signal": ended.signal,
        "timed_out": ended.timed_out,
    }


def _unpack_ended(packed: object) -> ProcessResult:
    data = cast("Data", packed)
    return ProcessResult(
        cast("int", data["exit_code"]),
        unpack_bytes(data["stdout"]),
        unpack_bytes(data["stderr"]),
        cast("int | None", data["signal"]),
        bool(data["timed_out"]),
    )


class TapedSql(Taped):
    """``Sql`` through a deck."""

    async def query(
        self, database: str, statement: str, given: SqlGiven, *, max_rows: int
    ) -> SqlRows:
        """See ``Sql.query``."""
        return await self.deck.effect(
            "sql.query",
            {"database": database, "statement": statement, "given": to_plain(given)},
            lambda: self._sql.query(database, statement, given, max_rows=max_rows),
            _pack_rows,
            _unpack_rows,
        )

    async def execute(
        self, database: str, statement: str, each: Sequence[SqlGiven], *, max_rows: int
    ) -> SqlRows:
        """See ``Sql.execute``."""
        return await self.deck.effect(
            "sql.execute",
            {"database": database, "statement": statement, "each": to_plain(list(each))},
            lambda: self._sql.execute(database, statement, each, max_rows=max_rows),
            _pack_rows,
            _unpack_rows,
        )

    @property
    def _sql(self) -> Sql:
        return cast("Sql", self.real())


def _pack_rows(found: SqlRows) -> Data:
    rows = [[to_plain(value) for value in row] for row in found.rows]
    return {"columns": found.columns, "rows": rows, "changed": found.changed}


def _unpack_rows(packed: object) -> SqlRows:
    data = cast("Data", packed)
    rows = cast("list[list[object]]", data["rows"])
    return SqlRows(
        cast("list[str]", data["columns"]),
        [tuple(from_plain(value) for value in row) for row in rows],
        cast("int", data["changed"]),
    )


class TapedClock(Taped):
    """``Clock`` through a deck; played back, nobody sleeps."""

    def now(self) -> float:
        """See ``Clock.now``."""
        return self.deck.effect_now(
            "clock.now",
            {},
            lambda: cast("Clock", self.real()).now(),
            lambda moment: moment,
            lambda packed: cast("float", packed),
        )

    async def sleep(self, seconds: float) -> None:
        """See ``Clock.sleep``."""
        await self.deck.effect(
            "clock.sleep",
            {"seconds": seconds},
            lambda: cast("Clock", self.real()).sleep(seconds),
            lambda _: None,
            lambda _: None,
        )


class TapedRandom(Taped):
    """``Random`` through a deck."""

    def random(self) -> float:
        """See ``Random.random``."""
        return self.deck.effect_now(
            "random.random",
            {},
            lambda: cast("Random", self.real()).random(),
            lambda drawn: drawn,
            lambda packed: cast("float", packed),
        )

    def token(self, size: int) -> bytes:
        """See ``Random.token``; what was drawn is a secret of that run, and written down."""
        return self.deck.effect_now(
            "random.token",
            {"size": size},
            lambda: cast("Random", self.real()).token(size),
            lambda drawn: base64.b64encode(drawn).decode(),
            lambda packed: base64.b64decode(str(packed)),
        )


_KINDS: Mapping[str, type[Taped]] = {
    "http": TapedHttp,
    "files": TapedFiles,
    "process": TapedProcess,
    "programs": TapedProcess,
    "sql": TapedSql,
    "mail": TapedMail,
    "objects": TapedObjects,
    "sftp": TapedSftp,
    "ftp": TapedFtp,
    "queues": TapedQueues,
    "clock": TapedClock,
    "random": TapedRandom,
}
