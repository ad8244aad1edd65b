"""Who may come in: tokens in private files, login links that work once, sessions of browsers."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec

from atomiton.errors import AtomitonError, NotFound, StoreError
from atomiton.server.table import ROLES, Principal, Role

#: Name of the token that is made at the first start.
OWNER = "owner"
#: Seconds for which a login link works, and a session lasts.
LINK_SECONDS = 15 * 60.0
SESSION_SECONDS = 12 * 3600.0
_MOST_SESSIONS = 1000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_PREFIX = "atk_"


class Token(msgspec.Struct, frozen=True):
    """A token as it is kept: nobody can tell the token from it.

    Attributes:
        name: Unique.
        role: What it lets do.
        digest: SHA-256 of the token, in hexadecimal.
        created_at: Seconds since 1970, UTC.
    """

    name: str
    role: Role
    digest: str
    created_at: float


def digest_of(secret: str) -> str:
    """What is kept of a secret."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


class Tokens:
    """The tokens of a server, in a folder that only its user can read.

    Args:
        folder: ``token`` in it is that of the owner, for clients of the same user;
            ``tokens.json`` has what is kept of all.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "tokens.json"
        self._stamp: tuple[int, int, int] | None = None
        self._tokens: list[Token] = []

    def prepare(self) -> None:
        """Make the owner's token if there is none yet.

        Raises:
            StoreError: The folder cannot be used, or others could read it.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for place in (self.folder, self.folder / "token", self._file):
                _check_private(place)
            if not (self.folder / "token").exists():
                self._replace([of for of in self.all() if of.name != OWNER])
                secret = self.add(OWNER, "owner")
                _write(self.folder / "token", (secret + "\n").encode())
        except OSError as error:
            message = f"the tokens in {self.folder} cannot be used: {error.strerror}"
            raise StoreError(message) from error

    def owner(self) -> str:
        """The owner's token; ``NotFound`` before the first start of a server."""
        try:
            return (self.folder / "token").read_text(encoding="ascii").strip()
        except OSError as error:
            raise NotFound(f"there is no token in {self.folder}: no server was started") from error

    def all(self) -> list[Token]:
        """The tokens, as they are on disk now."""
        try:
            stat = self._file.stat()
        except FileNotFoundError:
            self._stamp, self._tokens = None, []
            return []
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if stamp != self._stamp:
            try:
                self._tokens = msgspec.json.decode(self._file.read_bytes(), type=list[Token])
            except (msgspec.MsgspecError, ValueError) as error:
                raise StoreError(f"{self._file} is damaged: {error}") from error
            self._stamp = stamp
        return list(self._tokens)

    def add(self, name: str, role: Role) -> str:
        """Make a token; it is given here and never again.

        Raises:
            AtomitonError: The name is taken or not allowed, or there is no such role.
        """
        if not _NAME.fullmatch(name):
            message = f"a token's name is letters, digits, '.', '_' and '-', not {name!r}"
            raise AtomitonError(message, code="INVALID_INPUT")
        if role not in ROLES:
            message = f"there is no role {role!r}; it is one of {', '.join(ROLES)}"
            raise AtomitonError(message, code="INVALID_INPUT")
        tokens = self.all()
        if any(of.name == name for of in tokens):
            raise AtomitonError(f"there is a token '{name}' already", code="CONFLICT")
        secret = _PREFIX + secrets.token_urlsafe(32)
        self._replace([*tokens, Token(name, role, digest_of(secret), time.time())])
        return secret

    def remove(self, name: str) -> None:
        """Let a token open nothing any more; ``NotFound`` if there is none."""
        tokens = self.all()
        if not any(of.name == name for of in tokens):
            raise NotFound(f"there is no token '{name}'")
        self._replace([of for of in tokens if of.name != name])
        if name == OWNER:  # a new one is made at the next start
            (self.folder / "token").unlink(missing_ok=True)

    def find(self, secret: str) -> Principal | None:
        """Whose token this is; every token is compared, and in constant time."""
        given = digest_of(secret)
        found: Principal | None = None
        for token in self.all():
            if hmac.compare_digest(token.digest, given):
                found = Principal(token.name, token.role)
        return found

    def _replace(self, tokens: list[Token]) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(self._file, msgspec.json.format(msgspec.json.encode(tokens)))
        self._stamp = None


def _check_private(place: Path) -> None:
    try:
        stat = place.stat()
    except FileNotFoundError:
        return
    if os.name == "posix" and (stat.st_uid != os.geteuid() or stat.st_mode & 0o077):
        raise StoreError(f"{place} can be read by others; make it yours alone (chmod go-rwx)")


def _write(place: Path, content: bytes) -> None:
    """Replace a file in one step; only this user can read it."""
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    stream = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(stream, content)
        os.fsync(stream)
    finally:
        os.close(stream)
    beside.replace(place)


class Sessions:
    """Login links and the sessions that they open; all end with the process.

    Args:
        now: A clock in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._links: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._sessions: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def new_link(self, name: str) -> str:
        """A code that opens one session, once and soon.

        Args:
            name: Name of the token whose rights it has.
        """
        code = secrets.token_urlsafe(24)
        self._links[digest_of(code)] = (name, self._now() + LINK_SECONDS)
        while len(self._links) > _MOST_SESSIONS:
            self._links.popitem(last=False)
        return code

    def open(self, code: str) -> str | None:
        """Exchange a code for the secret of a session; None if it is none, or not any more."""
        name, end = self._links.pop(digest_of(code), ("", 0.0))
        if end < self._now():
            return None
        secret = secrets.token_urlsafe(32)
        self._sessions[digest_of(secret)] = (name, self._now() + SESSION_SECONDS)
        while len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return secret

    def find(self, secret: str, tokens: Tokens) -> Principal | None:
        """Whose session this is; one whose token was removed is over."""
        given = digest_of(secret)
        name, end = self._sessions.get(given, ("", 0.0))
        if not name:
            return None
        if end < self._now():
            del self._sessions[given]
            return None
        for token in tokens.all():
            if token.name == name:
                return Principal(token.name, token.role)
        return None
