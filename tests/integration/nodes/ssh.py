"""A real SSH server with one folder, for one user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import asyncssh


class Here(NamedTuple):
    """Where the server is, the key it shows, a key that lets ada in, and the passwords it heard."""

    server: str
    key: str
    private: str
    passwords: list[str]


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Here]:
    """Serve a folder to ada, whose password is ``geheim``."""
    host, own = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    heard: list[str] = []

    class Server(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            heard.append(password)
            return (username, password) == ("ada", "geheim")

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            return key.public_data == own.public_data

    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Server,
        server_host_keys=[host],
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder)),
    )
    yield Here(
        f"127.0.0.1:{server.get_port()}",
        host.export_public_key().decode(),
        own.export_private_key().decode(),
        heard,
    )
    server.close()
    await server.wait_closed()
