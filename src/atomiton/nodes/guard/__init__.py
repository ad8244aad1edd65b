"""The real capabilities: the only doors from a node to the world.

``Capabilities`` hands them out, one attempt at a time; each can be replaced by a fake.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from atomiton.errors import AtomitonError
from atomiton.ports.calls import Attempt
from atomiton.ports.capabilities import (
    Clock,
    Files,
    Ftp,
    Http,
    Mail,
    Objects,
    Process,
    Queues,
    Random,
    Secrets,
    Sftp,
    Sql,
)

if TYPE_CHECKING:
    from atomiton.nodes.guard.reach import Reach

__all__ = ["Capabilities"]


class LogGuard:
    """``Log`` of one attempt."""

    def __init__(self, attempt: Attempt) -> None:
        self._write = attempt.log

    def log(self, level: str, message: str) -> None:
        """Announce a line; level is debug, info, warning or error."""
        self._write(level, message)


class ProgressGuard:
    """``Progress`` of one attempt."""

    def __init__(self, attempt: Attempt) -> None:
        self._write = attempt.progress
        self._fraction = 0.0

    def report(self, fraction: float, message: str = "") -> None:
        """Say how much is done, from 0 to 1; never goes back."""
        self._fraction = max(self._fraction, min(1.0, fraction))
        self._write(self._fraction, message)


class Capabilities:
    """Hands out what nodes reach the world with.

    Args:
        http: Instead of requests by aiohttp.
        files: Instead of the files of this machine.
        process: Instead of the programs of this machine.
        programs: Instead of the programs that node types were declared to be; by default as
            ``process``.
        sql: Instead of the databases that can be reached.
        mail: Instead of the mail servers that can be reached.
        objects: Instead of the stores of objects that can be reached.
        sftp: Instead of the servers of files that can be reached.
        ftp: Instead of the servers of files that can be reached by FTP.
        queues: Instead of the queues that can be reached.
        clock: Instead of the time of this machine.
        random: Instead of the randomness of this machine.
        secrets: Instead of the variables of the environment: a mapping, or a whole ``Secrets``.
        roots: Folders that nodes may reach; None for anywhere.
        base: What relative paths are relative to; the current folder by default.
        reach: Which addresses nodes may speak to; None for all.
    """

    def __init__(
        self,
        *,
        http: Http | None = None,
        files: Files | None = None,
        process: Process | None = None,
        programs: Process | None = None,
        sql: Sql | None = None,
        mail: Mail | None = None,
        objects: Objects | None = None,
        sftp: Sftp | None = None,
        ftp: Ftp | None = None,
        queues: Queues | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
        secrets: Secrets | Mapping[str, str] | None = None,
        roots: tuple[Path, ...] | None = None,
        base: Path | None = None,
        reach: Reach | None = None,
    ) -> None:
        given: dict[str, object] = {
            "http": http,
            "files": files,
            "process": process,
            "programs": programs or process,
            "sql": sql,
            "mail": mail,
            "objects": objects,
            "sftp": sftp,
            "ftp": ftp,
            "queues": queues,
            "clock": clock,
            "random": random,
        }
        self._shared = {name: it for name, it in given.items() if it is not None}
        #: Gives the headers by which requests of an attempt name their place in a trace.
        self.context_of: Callable[[Attempt], Mapping[str, str]] | None = None
        self._secrets = secrets
        self._roots = roots
        self._base = base
        self._reach = reach

    def provide(self, name: str, attempt: Attempt) -> object:
        """Give one capability to one attempt.

        Args:
            name: Name of the capability, as in ``NodeType.capabilities``.
            attempt: Who asks.

        Returns:
            An object with the capability's protocol.
        """
        if name == "attempt":
            return attempt
        if name == "log":
            return LogGuard(attempt)
        if name == "progress":
            return ProgressGuard(attempt)
        if name == "secrets":
            return self._secrets_for(attempt)
        found = self._shared.get(name)
        if found is None and name == "clock":
            from atomiton.nodes.guard.ambient import SystemClock

            return SystemClock(attempt.now)  # a node reads the clock that its run goes by
        if found is None:
            found = self._shared[name] = self._make(name)
        if name == "http" and self.context_of is not None:
            from atomiton.nodes.guard.traced import TracedHttp

            return TracedHttp(cast("Http", found), self.context_of(attempt))
        return found

    def reset(self) -> None:
        """Let what was given instead of the real thing begin anew, if it can."""
        for given in self._shared.values():
            again = getattr(given, "reset", None)
            if again is not None:
                again()

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        for name in ("http", "sql"):
            close = getattr(self._shared.get(name), "aclose", None)
            if close is not None:
                await close()

    def _secrets_for(self, attempt: Attempt) -> Secrets:
        if self._secrets is not None and not isinstance(self._secrets, Mapping):
            return self._secrets
        from atomiton.nodes.guard.ambient import SecretsGuard

        values = os.environ if self._secrets is None else self._secrets
        # What the driver knows of secrets: the declared names, or the names with their values.
        known = attempt.secrets
        if isinstance(known, Mapping):
            values = cast("Mapping[str, str]", known)
        elif hasattr(known, "get"):
            return cast("Secrets", known)
        return SecretsGuard(values, frozenset(cast("Collection[str]", known or ())))

    def _make(self, name: str) -> object:
        # Imported here: a run that needs no door pays for none.
        if name == "http":
            from atomiton.nodes.guard.http import HttpGuard

            return HttpGuard(reach=self._reach)
        if name == "files":
            from atomiton.nodes.guard.files import FilesGuard

            return FilesGuard(self._roots, self._base)
        if name in ("process", "programs"):
            from atomiton.nodes.guard.process import ProcessGuard

            return ProcessGuard()
        if name == "sql":
            from atomiton.nodes.guard.files import FilesGuard
            from atomiton.nodes.guard.sql import SqlGuard

            return SqlGuard(FilesGuard(self._roots, self._base), self._reach)
        if name == "mail":
            from atomiton.nodes.guard.mail import MailGuard

            return MailGuard(self._reach)
        if name == "objects":
            from atomiton.nodes.guard.objects import ObjectsGuard

            return ObjectsGuard(self._reach)
        if name == "sftp":
            from atomiton.nodes.guard.sftp import SftpGuard

            return SftpGuard(self._reach)
        if name == "ftp":
            from atomiton.nodes.guard.ftp import FtpGuard

            return FtpGuard(self._reach)
        if name == "queues":
            from atomiton.nodes.guard.queues import QueuesGuard

            return QueuesGuard(self._reach)
        if name == "random":
            from atomiton.nodes.guard.ambient import SystemRandom

            return SystemRandom()
        raise AtomitonError(f"there is no capability {name!r}")
