"""The ``archive`` family: ZIP files, packed and unpacked within bounds."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TypedDict

from atomiton.errors import NodeError
from atomiton.nodes.guard.threads import in_thread
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Files, injected

#: Most bytes, packed or unpacked, that a node holds unless it is told otherwise.
_BYTES = 256 * 1024 * 1024
_FILES = 10_000
#: Bytes that are unpacked at a time.
_PORTION = 1 << 20
#: When files of an archive were changed: the same files give the same bytes.
_CHANGED = (1980, 1, 1, 0, 0, 0)


class Packed(TypedDict):
    """An archive that was written; `size` is its own, in bytes.

    Attributes:
        path: The archive.
        count: How many files are in it.
        size: Its own bytes.
    """

    path: str
    count: int
    size: int


class Unpacked(TypedDict):
    """Files that were unpacked, in the order of the archive; `size` is theirs, in bytes.

    Attributes:
        files: Paths of the files, in the order of the archive.
        folder: Where they are.
        count: How many.
        size: Their bytes, together.
    """

    files: list[str]
    folder: str
    count: int
    size: int


@node(
    "archive.zip",
    title="Pack ZIP",
    icon="archive",
    plain=True,
    example="""
    atomiton: 1
    id: archive-zip-example
    nodes:
      write:
        uses: file.write
        with: {path: reports/may.csv, content: "a,b"}
      pack:
        uses: archive.zip
        needs: [write]
        with:
          path: reports.zip
          files: [reports]
    output: ${{ pack.count }}
    """,
)
async def zip_(
    path: str,
    files: list[str],
    *,
    overwrite: bool = True,
    create_folders: bool = True,
    max_bytes: int = _BYTES,
    disk: Files = injected,
) -> Packed:
    """Pack files into a ZIP file, which appears in one step. The same files give the same bytes.

    A file is packed under its own name, a folder under its name with all it holds but the archive
    itself.

    Args:
        path: The ZIP file to write.
        files: Files and folders to pack.
        overwrite: Replace a file that exists; otherwise that is an error.
        create_folders: Make missing folders.
        max_bytes: With more bytes to pack than this the node fails.
        disk: The door to files.
    """
    stream = io.BytesIO()
    wanted = dict(_wanted(files, str(disk.resolve(path)), disk))
    if len(wanted) > _FILES:
        raise NodeError(f"there are more than {_FILES} files to pack", code="LIMIT_EXCEEDED")
    left = max_bytes
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, place in wanted.items():
            content = await disk.read(place)
            left -= len(content)
            if left < 0:
                message = f"the files have more than {max_bytes} bytes; see max_bytes"
                raise NodeError(message, code="LIMIT_EXCEEDED")
            entry = zipfile.ZipInfo(name, _CHANGED)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            await in_thread(archive.writestr, entry, content)
    data = stream.getvalue()
    how = {"overwrite": overwrite, "create_folders": create_folders}
    size = await disk.write(path, data, append=False, **how)
    return {"path": str(disk.resolve(path)), "count": len(wanted), "size": size}


def _wanted(files: list[str], target: str, disk: Files) -> Iterator[tuple[str, str]]:
    """Each name in the archive, once, and the file that goes there."""
    seen: set[str] = set()
    for given in files:
        place = disk.resolve(given)
        found = [(place.name, str(place))]
        if disk.kind(given) == "folder":
            inner = disk.entries(given, "*", recursive=True)
            found = [
                (f"{place.name}/{Path(entry['path']).relative_to(place).as_posix()}", entry["path"])
                for entry in inner
                if not entry["is_folder"] and entry["path"] != target
            ]
        for name, source in found:
            if name in seen:
                message = f"two files would have the name {name!r} in the archive: pack folders"
                raise NodeError(message, code="INVALID_INPUT")
            seen.add(name)
            yield name, source


@node(
    "archive.unzip",
    title="Unpack ZIP",
    icon="archive-restore",
    plain=True,
    example="""
    atomiton: 1
    id: archive-unzip-example
    nodes:
      write:
        uses: file.write
        with: {path: may.csv, content: "a,b"}
      pack:
        uses: archive.zip
        with:
          path: reports.zip
          files: ["${{ write.path }}"]
      unpack:
        uses: archive.unzip
        with:
          path: ${{ pack.path }}
          to: inbox
    output: ${{ unpack.files }}
    """,
)
async def unzip(
    path: str,
    to: str,
    *,
    overwrite: bool = True,
    max_bytes: int = _BYTES,
    max_files: int = _FILES,
    disk: Files = injected,
) -> Unpacked:
    """Unpack a ZIP file into a folder.

    Nothing is written outside of the folder: an archive with a name that leads out of it, a link,
    or a name that it has twice is refused before anything is written, as is one that says it is
    too large; one that lies about it fails where it becomes so. Encrypted files are refused.

    Args:
        path: The ZIP file.
        to: The folder; made if it is not there.
        overwrite: Replace files that exist; otherwise that is an error.
        max_bytes: With more bytes unpacked than this the node fails.
        max_files: With more files than this the node fails.
        disk: The door to files.
    """
    data = await disk.read(path)
    folder = disk.resolve(to)
    written: list[str] = []
    size = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = _entries(archive, path, max_bytes, max_files)
            for name, entry in entries:
                content = await in_thread(_unpacked, archive, entry, max_bytes - size)
                size += len(content)
                place = str(folder / name)
                await disk.write(
                    place, content, append=False, overwrite=overwrite, create_folders=True
                )
                written.append(place)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        message = f"{path!r} is not a ZIP file that can be read: {error}"
        raise NodeError(message, code="INVALID_INPUT") from None
    return {"files": written, "folder": str(folder), "count": len(written), "size": size}


def _entries(
    archive: zipfile.ZipFile, path: str, max_bytes: int, max_files: int
) -> list[tuple[str, zipfile.ZipInfo]]:
    """The files of an archive by their names below the folder; all of them are looked at first."""
    found: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for entry in archive.infolist():
        name = _safe_name(entry, path)
        if entry.is_dir():
            continue
        if name in found:
            raise NodeError(f"{path!r} holds {name!r} twice", code="INVALID_INPUT")
        found[name] = entry
        total += entry.file_size
    if len(found) > max_files:
        message = f"{path!r} holds more than {max_files} files; see max_files"
        raise NodeError(message, code="LIMIT_EXCEEDED")
    if total > max_bytes:
        message = f"{path!r} unpacks to {total} bytes, more than {max_bytes}; see max_bytes"
        raise NodeError(message, code="LIMIT_EXCEEDED")
    return list(found.items())


def _safe_name(entry: zipfile.ZipInfo, path: str) -> str:
    # ``filename`` is cut at a NUL; what the archive says is looked at as it is.
    name = entry.orig_filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    leads_out = name.startswith("/") or ".." in parts or ":" in name or "\0" in name
    if leads_out or not parts:
        message = f"{path!r} holds {name[:200]!r}, which leads out of the folder"
        raise NodeError(message, code="NOT_ALLOWED")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise NodeError(f"{path!r} holds {name[:200]!r}, which is a link", code="NOT_ALLOWED")
    if entry.flag_bits & 1:
        message = f"{path!r} holds {name[:200]!r}, which is encrypted"
        raise NodeError(message, code="NOT_SUPPORTED")
    return "/".join(parts)


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """The content of a file, counted as it comes: what the archive says of it may be a lie."""
    parts: list[bytes] = []
    size = 0
    with archive.open(entry) as stream:
        while portion := stream.read(_PORTION):
            size += len(portion)
            if size > most:
                message = f"{entry.filename!r} unpacks to more than is allowed; see max_bytes"
                raise NodeError(message, code="LIMIT_EXCEEDED")
            parts.append(portion)
    return b"".join(parts)
