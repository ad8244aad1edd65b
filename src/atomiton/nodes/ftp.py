"""The ``ftp`` family: files of other machines, by FTP; better take ``sftp`` where there is both."""

from __future__ import annotations

from atomiton.errors import NodeError
from atomiton.nodes.file import encode
from atomiton.nodes.sftp import Got, Listing, Put
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Files, Ftp, injected


@node(
    "ftp.get",
    title="Get file by FTP",
    icon="server",
    plain=True,
    timeout="5m",
    example="""
    atomiton: 1
    id: ftp-get-example
    inputs:
      ftp: {type: string, default: "ftp+insecure://ada:geheim@127.0.0.1:2121"}
    nodes:
      put:
        uses: ftp.put
        with: {server: "${{ inputs.ftp }}", remote: may.csv, content: "id,total"}
      get:
        uses: ftp.get
        with: {server: "${{ inputs.ftp }}", remote: "${{ put.remote }}", path: inbox/may.csv}
    output: ${{ get.size }}
    """,
)
async def get(
    server: str,
    remote: str,
    *,
    path: str | None = None,
    ftp: Ftp = injected,
    files: Files = injected,
) -> Got:
    """Read a file of another machine, of up to 256 MiB.

    Args:
        server: `ftps://USER:PASSWORD@HOST:21`, with TLS; without it `ftp+insecure://`, where all on
            the way may read the password and the files. Give it as `${{ secrets.NAME }}`.
        remote: The file there.
        path: A file of ours to write it to; without one the content is bytes.
        ftp: The door to servers of files.
        files: The door to files.
    """
    content = await ftp.get(server, _remote(remote))
    if path is None:
        return {"content": content, "path": None, "size": len(content)}
    await files.write(path, content, append=False, overwrite=True, create_folders=True)
    return {"content": None, "path": str(files.resolve(path)), "size": len(content)}


@node(
    "ftp.put",
    title="Put file by FTP",
    icon="server",
    plain=True,
    timeout="5m",
    example="""
    atomiton: 1
    id: ftp-put-example
    inputs:
      ftp: {type: string, default: "ftp+insecure://ada:geheim@127.0.0.1:2121"}
    nodes:
      put:
        uses: ftp.put
        with: {server: "${{ inputs.ftp }}", remote: may.csv, content: "id,total"}
    output: ${{ put.size }}
    """,
)
async def put(
    server: str,
    remote: str,
    content: object = None,
    *,
    path: str | None = None,
    overwrite: bool = True,
    ftp: Ftp = injected,
    files: Files = injected,
) -> Put:
    """Write a file on another machine: under another name first, so that it is there when whole.

    Text is written as UTF-8, bytes as they are, anything else as JSON. Written again, it is the
    same file, so the node may be repeated.

    Args:
        server: `ftps://USER:PASSWORD@HOST:21`, with TLS; without it `ftp+insecure://`, where all on
            the way may read the password and the files. Give it as `${{ secrets.NAME }}`.
        remote: The file there, in a folder that exists.
        content: What to write.
        path: A file of ours to write instead.
        overwrite: Replace a file that exists; otherwise that is an error.
        ftp: The door to servers of files.
        files: The door to files.
    """
    if (content is None) is (path is None):
        raise NodeError("give one of content and path", code="INVALID_INPUT")
    name = _remote(remote)
    data = encode(content) if path is None else await files.read(path)
    await ftp.put(server, name, data, overwrite=overwrite)
    return {"remote": name, "size": len(data)}


@node(
    "ftp.list",
    title="List files by FTP",
    icon="server",
    plain=True,
    timeout="5m",
    example="""
    atomiton: 1
    id: ftp-list-example
    inputs:
      ftp: {type: string, default: "ftp+insecure://ada:geheim@127.0.0.1:2121"}
    nodes:
      found:
        uses: ftp.list
        with: {server: "${{ inputs.ftp }}"}
    output: ${{ found.count }}
    """,
)
async def list_(server: str, remote: str = ".", *, ftp: Ftp = injected) -> Listing:
    """What a folder of another machine holds, sorted by name; the server must speak MLSD.

    Args:
        server: `ftps://USER:PASSWORD@HOST:21`, with TLS; without it `ftp+insecure://`, where all on
            the way may read the password and the files. Give it as `${{ secrets.NAME }}`.
        remote: The folder there.
        ftp: The door to servers of files.
    """
    found = await ftp.entries(server, _remote(remote))
    return {"files": found, "count": len(found)}


def _remote(path: str) -> str:
    if not path or any(sign in path for sign in "\0\r\n"):
        message = "remote is not the path of a file"
        raise NodeError(message, code="INVALID_INPUT", details={"parameter": "remote"})
    return path
