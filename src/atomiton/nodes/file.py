"""The ``file`` family: reading, writing and arranging files and folders."""

from __future__ import annotations

from typing import Literal, TypedDict

from atomiton.errors import NodeError
from atomiton.nodes import json
from atomiton.nodes.guard.threads import in_thread
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import FileEntry, Files, injected

#: Above this size text is decoded and parsed in a thread.
_LARGE = 1 << 20


class Content(TypedDict):
    """A file that was read; `content` is text, bytes, a list of lines or the JSON value.

    Attributes:
        content: Text, bytes, a list of lines or the JSON value.
        path: The file.
        size: Its bytes.
    """

    content: object
    path: str
    size: int


class Written(TypedDict):
    """A file that was written.

    Attributes:
        path: The file.
        size: Bytes that were written.
    """

    path: str
    size: int


class Listing(TypedDict):
    """What a folder holds, sorted by path.

    Attributes:
        files: Sorted by path.
        count: How many.
    """

    files: list[FileEntry]
    count: int


class Moved(TypedDict):
    """Where a file is now."""

    path: str


class Deleted(TypedDict):
    """Whether there was something to delete.

    Attributes:
        path: What was to be deleted.
        deleted: False if there was nothing.
    """

    path: str
    deleted: bool


class Existence(TypedDict):
    """What is at a path.

    Attributes:
        exists: Whether there is a file or folder.
        is_folder: Whether it is a folder.
        path: The path that was asked for.
    """

    exists: bool
    is_folder: bool
    path: str


@node(
    "file.read",
    title="Read file",
    icon="file-text",
    plain=True,
    example="""
    atomiton: 1
    id: file-read-example
    nodes:
      write:
        uses: file.write
        with: {path: hello.txt, content: Hello}
      read:
        uses: file.read
        with:
          path: ${{ write.path }}
    output: ${{ read.content }}
    """,
)
async def read(
    path: str, *, as_: Literal["text", "json", "lines", "bytes"] = "text", files: Files = injected
) -> Content:
    """The content of a file. Text is UTF-8; a leading byte order mark is left out.

    Args:
        path: The file.
        as_: What the content becomes: text, the value of a JSON text, a list of lines, or bytes.
        files: The door to files.
    """
    data = await files.read(path)
    content: object = data
    if as_ != "bytes":
        work = (decode, data, as_, path)
        content = await in_thread(*work) if len(data) > _LARGE else decode(data, as_, path)
    return {"content": content, "path": str(files.resolve(path)), "size": len(data)}


def decode(data: bytes, form: str, path: str) -> object:
    """The bytes of a file as text, lines, or the value of a JSON text."""
    try:
        if form == "json":
            return json.decode(data)
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NodeError(
            f"{path!r} is not UTF-8 text: {error}; read it as bytes", code="INVALID_INPUT"
        ) from None
    except ValueError as error:
        raise NodeError(f"{path!r} is not JSON: {error}", code="INVALID_INPUT") from None
    if form == "text":
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


@node(
    "file.write",
    title="Write file",
    icon="save",
    plain=True,
    example="""
    atomiton: 1
    id: file-write-example
    nodes:
      write:
        uses: file.write
        with:
          path: out/order.json
          content: {id: 7, total: 120}
    output: ${{ write.path }}
    """,
)
async def write(
    path: str,
    content: object,
    *,
    append: bool = False,
    overwrite: bool = True,
    create_folders: bool = True,
    files: Files = injected,
) -> Written:
    """Write a file. It is replaced in one step: after a crash it is the old one or the new one.

    Text is written as UTF-8, bytes as they are, anything else as JSON. Appending is not repeatable:
    an attempt that was lost and is tried again may append twice.

    Args:
        path: The file.
        content: What to write.
        append: Add to the end of the file instead of replacing it.
        overwrite: Replace a file that exists; otherwise that is an error.
        create_folders: Make missing folders.
        files: The door to files.
    """
    size = await files.write(
        path, encode(content), append=append, overwrite=overwrite, create_folders=create_folders
    )
    return {"path": str(files.resolve(path)), "size": size}


def encode(content: object) -> bytes:
    """What a value looks like in a file."""
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    return json.encode(content, 2) + b"\n"


@node(
    "file.list",
    title="List files",
    icon="folder-open",
    plain=True,
    example="""
    atomiton: 1
    id: file-list-example
    nodes:
      write:
        uses: file.write
        with: {path: inbox/a.csv, content: "a,b"}
      found:
        uses: file.list
        needs: [write]
        with:
          path: inbox
          pattern: "*.csv"
    output: ${{ found.files }}
    """,
)
def list_(
    path: str = ".", pattern: str = "*", *, recursive: bool = False, files: Files = injected
) -> Listing:
    """What a folder holds, sorted by path. Links are listed, but not followed into folders.

    A name that matches and is not UTF-8 fails the node, which says the name: no value can hold it.

    Args:
        path: The folder.
        pattern: Names to list, such as `*.csv`; `*` and `?` stand for any characters.
        recursive: Also list what the inner folders hold.
        files: The door to files.
    """
    found = files.entries(path, pattern, recursive=recursive)
    return {"files": found, "count": len(found)}


@node(
    "file.copy",
    title="Copy file",
    icon="copy",
    plain=True,
    example="""
    atomiton: 1
    id: file-copy-example
    nodes:
      write:
        uses: file.write
        with: {path: a.txt, content: Hello}
      copy:
        uses: file.copy
        with:
          path: ${{ write.path }}
          to: b.txt
    output: ${{ copy.path }}
    """,
)
def copy(
    path: str,
    to: str,
    *,
    overwrite: bool = True,
    create_folders: bool = True,
    files: Files = injected,
) -> Written:
    """Copy a file. The copy appears in one step, whole.

    Args:
        path: The file.
        to: The new file, or a folder to put it in.
        overwrite: Replace a file that exists; otherwise that is an error.
        create_folders: Make missing folders.
        files: The door to files.
    """
    how = {"overwrite": overwrite, "create_folders": create_folders}
    target, size = files.copy(path, to, **how)
    return {"path": str(target), "size": size}


@node(
    "file.move",
    title="Move file",
    icon="file-output",
    plain=True,
    example="""
    atomiton: 1
    id: file-move-example
    nodes:
      write:
        uses: file.write
        with: {path: inbox/a.txt, content: Hello}
      move:
        uses: file.move
        with:
          path: ${{ write.path }}
          to: done/a.txt
    output: ${{ move.path }}
    """,
)
def move(
    path: str,
    to: str,
    *,
    overwrite: bool = True,
    create_folders: bool = True,
    files: Files = injected,
) -> Moved:
    """Move or rename a file or a folder.

    A repeated attempt finds the file moved already and succeeds.

    Args:
        path: The file or folder.
        to: The new place, or a folder to put it in.
        overwrite: Replace a file that exists; otherwise that is an error.
        create_folders: Make missing folders.
        files: The door to files.
    """
    how = {"overwrite": overwrite, "create_folders": create_folders}
    return {"path": str(files.move(path, to, **how))}


@node(
    "file.delete",
    title="Delete file",
    icon="trash",
    plain=True,
    example="""
    atomiton: 1
    id: file-delete-example
    nodes:
      write:
        uses: file.write
        with: {path: old.txt, content: Hello}
      delete:
        uses: file.delete
        with:
          path: ${{ write.path }}
    output: ${{ delete.deleted }}
    """,
)
def delete(
    path: str, *, recursive: bool = False, missing_ok: bool = True, files: Files = injected
) -> Deleted:
    """Delete a file or a folder.

    Args:
        path: The file or folder.
        recursive: Delete a folder with all it holds; otherwise only an empty one.
        missing_ok: Whether it is well when there is nothing to delete.
        files: The door to files.
    """
    place = files.resolve(path)
    deleted = files.delete(path, recursive=recursive, missing_ok=missing_ok)
    return {"path": str(place), "deleted": deleted}


@node(
    "file.exists",
    title="File exists",
    icon="file-question",
    plain=True,
    example="""
    atomiton: 1
    id: file-exists-example
    nodes:
      check:
        uses: file.exists
        with:
          path: report.csv
    output: ${{ check.exists }}
    """,
)
async def exists(path: str, *, files: Files = injected) -> Existence:
    """Whether there is a file or folder at a path.

    Args:
        path: The file or folder.
        files: The door to files.
    """
    place, kind = files.resolve(path), files.kind(path)
    return {"exists": kind is not None, "is_folder": kind == "folder", "path": str(place)}
