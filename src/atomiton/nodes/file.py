"""The ``file`` family: reading, writing and arranging files and folders."""

from __future__ import annotations

import datetime
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypedDict

from atomiton.errors import NodeError
from atomiton.nodes import json
from atomiton.nodes.guard.files import refusal, write_whole
from atomiton.nodes.guard.threads import in_thread
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Files, injected

#: Above this size text is decoded and parsed in a thread.
_LARGE = 1 << 20


class Content(TypedDict):
    """A file that was read; `content` is text, bytes, a list of lines or the JSON value."""

    content: object
    path: str
    size: int


class Written(TypedDict):
    """A file that was written."""

    path: str
    size: int


class Entry(TypedDict):
    """A file or folder; `modified` is ISO 8601, UTC."""

    path: str
    name: str
    size: int
    modified: str
    is_folder: bool


class Listing(TypedDict):
    """What a folder holds, sorted by path."""

    files: list[Entry]
    count: int


class Moved(TypedDict):
    """Where a file is now."""

    path: str


class Deleted(TypedDict):
    """Whether there was something to delete."""

    path: str
    deleted: bool


class Existence(TypedDict):
    """What is at a path."""

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
    folder = files.resolve(path)
    try:
        found = [_entry(item) for item in _walk(folder, pattern, recursive=recursive)]
    except OSError as error:
        raise refusal(error, path) from error
    found.sort(key=lambda entry: entry["path"])
    return {"files": found, "count": len(found)}


def _walk(folder: Path, pattern: str, *, recursive: bool) -> Iterator[os.DirEntry[str]]:
    from fnmatch import fnmatchcase

    with os.scandir(folder) as items:
        for item in items:
            if fnmatchcase(item.name, pattern):
                _refuse_unreadable(item.path)
                yield item
            if recursive and item.is_dir(follow_symlinks=False):
                yield from _walk(Path(item.path), pattern, recursive=True)


def _refuse_unreadable(path: str) -> None:
    if not path.isascii() and any("\udc80" <= sign <= "\udcff" for sign in path):
        raw = repr(os.fsencode(path))[1:]
        raise NodeError(
            f"the name of {raw} is not UTF-8, and no value can hold it: rename it, or give a "
            "pattern that leaves it out",
            code="INVALID_INPUT",
        )


def _entry(item: os.DirEntry[str]) -> Entry:
    state = item.stat(follow_symlinks=False)
    modified = datetime.datetime.fromtimestamp(state.st_mtime, datetime.UTC)
    is_folder = item.is_dir(follow_symlinks=False)
    return {
        "path": item.path,
        "name": item.name,
        "size": 0 if is_folder else state.st_size,
        "modified": modified.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "is_folder": is_folder,
    }


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
    source, target = _places(path, to, files, create_folders=create_folders)
    try:
        size = write_whole(target, lambda temporary: shutil.copy2(source, temporary), overwrite)
    except OSError as error:
        raise refusal(error, _blamed(error, path, to)) from error
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
    source, target = _places(path, to, files, create_folders=create_folders)
    try:
        if not source.exists() and target.exists():
            return {"path": str(target)}
        if target.exists() and (target.is_dir() or not overwrite):
            raise FileExistsError
        shutil.move(source, target)
    except OSError as error:
        raise refusal(error, _blamed(error, path, to)) from error
    return {"path": str(target)}


def _places(path: str, to: str, files: Files, *, create_folders: bool) -> tuple[Path, Path]:
    source, target = files.resolve(path), files.resolve(to)
    try:
        if target.is_dir() or to.endswith(("/", os.sep)):
            target = files.resolve(str(target / source.name))
        if create_folders:
            target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refusal(error, to) from error
    return source, target


def _blamed(error: OSError, path: str, to: str) -> str:
    """Which of the two paths an error is about."""
    return path if isinstance(error, FileNotFoundError | IsADirectoryError) else to


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
    try:
        if place.is_dir() and not place.is_symlink():
            if recursive:
                shutil.rmtree(place)
            else:
                place.rmdir()
        else:
            place.unlink()
    except FileNotFoundError as error:
        if not missing_ok:
            raise refusal(error, path) from error
        return {"path": str(place), "deleted": False}
    except OSError as error:
        raise refusal(error, path) from error
    return {"path": str(place), "deleted": True}


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
    place = files.resolve(path)
    is_folder = place.is_dir()
    return {"exists": is_folder or place.exists(), "is_folder": is_folder, "path": str(place)}
