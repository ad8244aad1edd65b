"""The ``sftp`` family: files of other machines, over SSH."""

from __future__ import annotations

from typing import TypedDict

from atomiton.errors import NodeError
from atomiton.nodes.file import encode
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import FileEntry, Files, Sftp, SftpServer, injected


class Got(TypedDict):
    """A file that was read: its bytes, or where they are when they went into a file of ours.

    Attributes:
        content: Its bytes; null when they went into a file.
        path: The file they went into; null without one.
        size: How many bytes.
    """

    content: bytes | None
    path: str | None
    size: int


class Put(TypedDict):
    """A file that was written, on the other machine.

    Attributes:
        remote: The file there.
        size: How many bytes.
    """

    remote: str
    size: int


class Listing(TypedDict):
    """What a folder of the other machine holds, sorted by name.

    Attributes:
        files: Sorted by name.
        count: How many.
    """

    files: list[FileEntry]
    count: int


@node(
    "sftp.get",
    title="Get file by SFTP",
    icon="server",
    plain=True,
    timeout="5m",
    example="""
    atomiton: 1
    id: sftp-get-example
    inputs:
      sftp: {type: string, default: "127.0.0.1:2022"}
      host_key: {type: string, default: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO"}
    secrets: [SFTP_PASSWORD]
    nodes:
      put:
        uses: sftp.put
        with:
          server: ${{ inputs.sftp }}
          username: ada
          host_key: ${{ inputs.host_key }}
          password: ${{ secrets.SFTP_PASSWORD }}
          remote: may.csv
          content: "id,total"
      get:
        uses: sftp.get
        with:
          server: ${{ inputs.sftp }}
          username: ada
          host_key: ${{ inputs.host_key }}
          password: ${{ secrets.SFTP_PASSWORD }}
          remote: ${{ put.remote }}
          path: inbox/may.csv
    output: ${{ get.size }}
    """,
)
async def get(
    server: str,
    username: str,
    host_key: str,
    remote: str,
    *,
    path: str | None = None,
    password: str | None = None,
    private_key: str | None = None,
    sftp: Sftp = injected,
    files: Files = injected,
) -> Got:
    """Read a file of another machine, of up to 256 MiB. Needs `atomiton[sftp]`.

    The settings, keys and known hosts of who runs this program are not used.

    Args:
        server: The machine: `HOST` or `HOST:PORT`; 22 by default.
        username: Who we are there.
        host_key: The public key that the server must show, such as `ssh-ed25519 AAAA...`;
            `ssh-keyscan HOST` shows it, and its owner can say whether it is the right one.
        remote: The file there.
        path: A file of ours to write it to; without one the content is bytes.
        password: Our password; give it as `${{ secrets.NAME }}`.
        private_key: Our private key, in place of a password, as PEM or OpenSSH has it; give it as
            `${{ secrets.NAME }}`.
        sftp: The door to servers of files.
        files: The door to files.
    """
    place = _server(server, username, host_key, password, private_key)
    content = await sftp.get(place, _remote(remote))
    if path is None:
        return {"content": content, "path": None, "size": len(content)}
    await files.write(path, content, append=False, overwrite=True, create_folders=True)
    return {"content": None, "path": str(files.resolve(path)), "size": len(content)}


@node(
    "sftp.put",
    title="Put file by SFTP",
    icon="server",
    plain=True,
    timeout="5m",
    example="""
    atomiton: 1
    id: sftp-put-example
    inputs:
      sftp: {type: string, default: "127.0.0.1:2022"}
      host_key: {type: string, default: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO"}
    secrets: [SFTP_PASSWORD]
    nodes:
      put:
        uses: sftp.put
        with:
          server: ${{ inputs.sftp }}
          username: ada
          host_key: ${{ inputs.host_key }}
          password: ${{ secrets.SFTP_PASSWORD }}
          remote: may.csv
          content: "id,total"
    output: ${{ put.size }}
    """,
)
async def put(
    server: str,
    username: str,
    host_key: str,
    remote: str,
    content: object = None,
    *,
    path: str | None = None,
    overwrite: bool = True,
    password: str | None = None,
    private_key: str | None = None,
    sftp: Sftp = injected,
    files: Files = injected,
) -> Put:
    """Write a file on another machine; it appears there in one step. Needs `atomiton[sftp]`.

    Text is written as UTF-8, bytes as they are, anything else as JSON. Written again, it is the
    same file, so the node may be repeated.

    Args:
        server: The machine: `HOST` or `HOST:PORT`; 22 by default.
        username: Who we are there.
        host_key: The public key that the server must show, such as `ssh-ed25519 AAAA...`;
            `ssh-keyscan HOST` shows it, and its owner can say whether it is the right one.
        remote: The file there, in a folder that exists.
        content: What to write.
        path: A file of ours to write instead.
        overwrite: Replace a file that exists; otherwise that is an error.
        password: Our password; give it as `${{ secrets.NAME }}`.
        private_key: Our private key, in place of a password, as PEM or OpenSSH has it; give it as
            `${{ secrets.NAME }}`.
        sftp: The door to servers of files.
        files: The door to files.
    """
    if (content is None) is (path is None):
        raise NodeError("give one of content and path", code="INVALID_INPUT")
    place = _server(server, username, host_key, password, private_key)
    name = _remote(remote)
    data = encode(content) if path is None else await files.read(path)
    await sftp.put(place, name, data, overwrite=overwrite)
    return {"remote": name, "size": len(data)}


@node(
    "sftp.list",
    title="List files by SFTP",
    icon="server",
    plain=True,
    timeout="5m",
    example="""
    atomiton: 1
    id: sftp-list-example
    inputs:
      sftp: {type: string, default: "127.0.0.1:2022"}
      host_key: {type: string, default: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO"}
    secrets: [SFTP_PASSWORD]
    nodes:
      found:
        uses: sftp.list
        with:
          server: ${{ inputs.sftp }}
          username: ada
          host_key: ${{ inputs.host_key }}
          password: ${{ secrets.SFTP_PASSWORD }}
    output: ${{ found.count }}
    """,
)
async def list_(
    server: str,
    username: str,
    host_key: str,
    remote: str = ".",
    *,
    password: str | None = None,
    private_key: str | None = None,
    sftp: Sftp = injected,
) -> Listing:
    """What a folder of another machine holds, sorted by name. Needs `atomiton[sftp]`.

    Args:
        server: The machine: `HOST` or `HOST:PORT`; 22 by default.
        username: Who we are there.
        host_key: The public key that the server must show, such as `ssh-ed25519 AAAA...`;
            `ssh-keyscan HOST` shows it, and its owner can say whether it is the right one.
        remote: The folder there.
        password: Our password; give it as `${{ secrets.NAME }}`.
        private_key: Our private key, in place of a password, as PEM or OpenSSH has it; give it as
            `${{ secrets.NAME }}`.
        sftp: The door to servers of files.
    """
    place = _server(server, username, host_key, password, private_key)
    found = await sftp.entries(place, _remote(remote))
    return {"files": found, "count": len(found)}


def _server(
    server: str, username: str, host_key: str, password: str | None, private_key: str | None
) -> SftpServer:
    host, colon, number = server.rpartition(":")
    if not colon:
        host, number = server, "22"
    if not host or not number.isdecimal() or not 0 < int(number) < 65536 or "/" in server:
        message = f"{server[:100]!r} is not a machine: HOST or HOST:PORT"
        raise NodeError(message, code="INVALID_INPUT", details={"parameter": "server"})
    if not password and not private_key:
        raise NodeError("give password or private_key", code="INVALID_INPUT")
    own = private_key or None
    return SftpServer(host.strip("[]"), int(number), username, host_key, password or None, own)


def _remote(path: str) -> str:
    if not path or "\0" in path:
        message = "remote is not the path of a file"
        raise NodeError(message, code="INVALID_INPUT", details={"parameter": "remote"})
    return path
