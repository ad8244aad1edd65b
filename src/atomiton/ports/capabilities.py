"""The doors through which a node reaches the world.

A node function that declares a parameter of one of these types is given one when it runs; the
parameter is not a port. A node that declares none can only compute.

Example:
    >>> async def read(path: str, *, files: Files) -> str:
    ...     return (await files.read(path)).decode()
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypedDict

import msgspec


class _Injected:
    """Stands for a capability where a node function is called by hand without one."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        raise TypeError(
            "the engine gives a node its capabilities when it runs in a blueprint; "
            f"called by hand, it must be given one that has {name!r}"
        )

    def __repr__(self) -> str:
        return "injected"


injected: Final[Any] = _Injected()
"""The default of a parameter that the engine fills, so that calls need not name it.

Example:
    >>> async def read(path: str, *, files: Files = injected) -> str:
    ...     return (await files.read(path)).decode()
"""


class HttpResponse(msgspec.Struct, frozen=True):
    """What a server answered; ``headers`` have lower-case names."""

    status: int
    url: str
    headers: dict[str, str]
    body: bytes
    elapsed_ms: float


class Http(Protocol):
    """Requests to other systems over HTTP."""

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
        """Send one request; ``NodeError`` with code CONNECTION when there is no answer.

        ``on_part`` is told each part of the answer's body as it comes; the whole of it comes back.
        """
        ...


class FileEntry(TypedDict):
    """A file or folder; `modified` is ISO 8601, UTC."""

    path: str
    name: str
    size: int
    modified: str
    is_folder: bool


class Files(Protocol):
    """Files and folders below the places the owner of the machine allows."""

    def resolve(self, path: str) -> Path:
        """The absolute place of a path; ``NotAllowed`` when it is outside the allowed roots."""
        ...

    async def read(self, path: str) -> bytes:
        """The content of a file; ``NodeError`` with code NOT_FOUND when there is none."""
        ...

    async def write(
        self, path: str, content: bytes, *, append: bool, overwrite: bool, create_folders: bool
    ) -> int:
        """Write a file so that it is whole or not there; returns its size in bytes."""
        ...

    def lines(self, path: str) -> AsyncIterator[str]:
        """The lines of a UTF-8 text file, without their ends."""
        ...

    def kind(self, path: str) -> Literal["file", "folder"] | None:
        """What is at a path, behind links; None when nothing is."""
        ...

    def entries(self, path: str, pattern: str, *, recursive: bool) -> list[FileEntry]:
        """What a folder holds, sorted by path; links are not followed into folders."""
        ...

    def copy(
        self, path: str, to: str, *, overwrite: bool, create_folders: bool
    ) -> tuple[Path, int]:
        """Copy a file, in one step; gives the place of the copy and its size in bytes."""
        ...

    def move(self, path: str, to: str, *, overwrite: bool, create_folders: bool) -> Path:
        """Move a file or a folder; gives where it is now, also when it was moved there before."""
        ...

    def delete(self, path: str, *, recursive: bool, missing_ok: bool) -> bool:
        """Delete a file or a folder; False when there was none."""
        ...


class ProcessResult(msgspec.Struct, frozen=True):
    """How a program ended; ``signal`` is its number when one killed it."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    signal: int | None
    timed_out: bool


class Process(Protocol):
    """Other programs on this machine."""

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
        """Run a program to its end; when cancelled, it and all its children are killed.

        ``stdin`` may come piece by piece, as the program is spoken with; its end is that of the
        program's input. With ``clean`` it sees the variables of ``env`` only. ``on_output`` is
        called with what it writes to standard output as it comes, which is then not kept; raising
        ends the program.
        """
        ...


SqlGiven = list[object] | dict[str, object]
"""What the placeholders of a statement stand for: by number, or by name."""


class SqlRows(msgspec.Struct, frozen=True):
    """What a statement gave: names of columns, rows with a value for each, rows it has changed."""

    columns: list[str]
    rows: list[tuple[object, ...]]
    changed: int = 0


class Sql(Protocol):
    """Databases: SQLite files below the places the owner of the machine allows, and Postgres."""

    async def query(
        self, database: str, statement: str, given: SqlGiven, *, max_rows: int
    ) -> SqlRows:
        """Ask a database without changing it; ``NodeError`` with code SQL_ERROR if it refuses."""
        ...

    async def execute(
        self, database: str, statement: str, each: Sequence[SqlGiven], *, max_rows: int
    ) -> SqlRows:
        """Change a database, for each of the parameters in turn, in one transaction."""
        ...


class Mail(Protocol):
    """Messages to people, handed to mail servers."""

    async def send(
        self, server: str, sender: str, recipients: Sequence[str], message: bytes
    ) -> dict[str, str]:
        """Hand a message over; gives the recipients that were refused, with the reasons."""
        ...


class Bucket(msgspec.Struct, frozen=True):
    """Where objects are kept, and what lets us in; without an ``endpoint`` that is Amazon's."""

    name: str
    region: str
    endpoint: str | None = None
    access_key: str | None = None
    secret_key: str | None = None

    def __repr__(self) -> str:
        """Show the place only."""
        return f"Bucket({self.name!r}, {self.endpoint!r})"


class ObjectEntry(TypedDict):
    """An object of a bucket; `modified` is ISO 8601, UTC."""

    key: str
    size: int
    modified: str


class Objects(Protocol):
    """Stores of objects, such as S3."""

    async def get(self, bucket: Bucket, key: str) -> bytes:
        """The content of an object; ``NodeError`` with code NOT_FOUND when there is none."""
        ...

    async def put(self, bucket: Bucket, key: str, content: bytes, *, overwrite: bool) -> str:
        """Put an object in its place, whole; gives its tag."""
        ...

    async def entries(self, bucket: Bucket, prefix: str, most: int) -> list[ObjectEntry]:
        """The objects below a prefix, sorted by key; at most so many, and one more if there is."""
        ...


class SftpServer(msgspec.Struct, frozen=True):
    """A server of files, the key it must show, and what lets us in."""

    host: str
    port: int
    username: str
    host_key: str
    password: str | None = None
    private_key: str | None = None

    def __repr__(self) -> str:
        """Show the place only."""
        return f"SftpServer({self.host!r}, {self.port})"


class Sftp(Protocol):
    """Files of other machines, over SSH."""

    async def get(self, server: SftpServer, path: str) -> bytes:
        """The content of a file; ``NodeError`` with code NOT_FOUND when there is none."""
        ...

    async def put(self, server: SftpServer, path: str, content: bytes, *, overwrite: bool) -> None:
        """Write a file so that it is whole or not there."""
        ...

    async def entries(self, server: SftpServer, path: str) -> list[FileEntry]:
        """What a folder holds, sorted by name."""
        ...


class Ftp(Protocol):
    """Files of other machines, by FTP; ``server`` is the address, with what lets us in."""

    async def get(self, server: str, path: str) -> bytes:
        """The content of a file; ``NodeError`` with code NOT_FOUND when there is none."""
        ...

    async def put(self, server: str, path: str, content: bytes, *, overwrite: bool) -> None:
        """Write a file so that it is whole or not there."""
        ...

    async def entries(self, server: str, path: str) -> list[FileEntry]:
        """What a folder holds, sorted by name."""
        ...


class QueueMessage(TypedDict):
    """A message of a queue: what names it there, and its content, text if it is UTF-8."""

    id: str
    content: str | bytes


class Queues(Protocol):
    """Queues of messages on other machines, by the address of their server."""

    async def publish(self, server: str, queue: str, content: bytes, key: str) -> tuple[str, bool]:
        """Put a message into a queue; gives its id, and whether it was there under that key."""
        ...

    async def take(
        self, server: str, queue: str, group: str, *, most: int, wait: float, again: float, key: str
    ) -> list[QueueMessage]:
        """Take messages out for a group; those that nobody acknowledges come again.

        ``wait`` is how many seconds to wait for the first, ``again`` after how many a message is
        given to somebody else, ``key`` who takes.
        """
        ...

    async def acknowledge(self, server: str, queue: str, group: str, ids: Sequence[str]) -> None:
        """Say of messages that they are done with."""
        ...


class Clock(Protocol):
    """Time, real or virtual."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Random(Protocol):
    """Randomness, recordable."""

    def random(self) -> float:
        """A number from 0 up to, not including, 1."""
        ...

    def token(self, size: int) -> bytes:
        """Random bytes fit for secrets."""
        ...


class Secrets(Protocol):
    """The secrets the blueprint declared."""

    def get(self, name: str) -> str:
        """The value; ``NotAllowed`` unless the blueprint declares the name."""
        ...


class Log(Protocol):
    """Lines for the reader of a run."""

    def log(self, level: str, message: str) -> None:
        """Announce a line; level is debug, info, warning or error."""
        ...


class Progress(Protocol):
    """How far the attempt is."""

    def report(self, fraction: float, message: str = "") -> None:
        """Say how much is done, from 0 to 1; never goes back."""
        ...


class Attempt(Protocol):
    """The attempt itself: who it is, how long it has, whether it should stop."""

    run: str
    node: str
    attempt: int
    key: str
    """The same for every repetition of this attempt: hand it on as an idempotency key."""

    def remaining(self) -> float | None:
        """Seconds left before the nearest deadline; None when there is none."""
        ...

    @property
    def cancelled(self) -> bool:
        """Whether the attempt should stop; for functions that run in a thread."""
        ...

    @property
    def reason(self) -> str:
        """Why it should stop; empty until then."""
        ...

    def spend(self, amount: float) -> None:
        """Say what more the attempt has cost, in the unit of ``limits.cost``.

        It counts at once, whatever becomes of the attempt. Raises ``ValueError`` if it is below 0.
        """
        ...

    def on_cancel(self, clean_up: Callable[[], object]) -> None:
        """Call a function, latest first, as soon as the attempt is asked to stop.

        Called on the engine's own thread: let it be short, such as closing a connection.
        """
        ...
