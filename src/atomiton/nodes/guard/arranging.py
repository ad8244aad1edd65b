"""Arranging files and folders below the places the owner of the machine allows."""

from __future__ import annotations

import datetime
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from atomiton.errors import NodeError
from atomiton.nodes.guard.disk import refusal, write_whole
from atomiton.ports.capabilities import FileEntry


class Arranging:
    """What ``Files`` does with whole files and folders; whoever inherits says where paths lead."""

    def resolve(self, path: str) -> Path:
        """The absolute place of a path; ``NotAllowed`` when it is outside the allowed roots."""
        raise NotImplementedError

    def kind(self, path: str) -> Literal["file", "folder"] | None:
        """What is at a path, behind links; None when nothing is."""
        place = self.resolve(path)
        if place.is_dir():
            return "folder"
        return "file" if place.exists() else None

    def entries(self, path: str, pattern: str, *, recursive: bool) -> list[FileEntry]:
        """What a folder holds, sorted by path; links are not followed into folders.

        Raises:
            NodeError: There is no such folder (NOT_FOUND), or a name that matches is not UTF-8.
        """
        folder = self.resolve(path)
        try:
            found = [_entry(item) for item in _walk(folder, pattern, recursive=recursive)]
        except FileNotFoundError as error:
            raise NodeError(f"there is no folder {path!r}", code="NOT_FOUND") from error
        except NotADirectoryError as error:
            raise NodeError(f"{path!r} is not a folder", code="INVALID_INPUT") from error
        except OSError as error:
            raise refusal(error, path) from error
        return sorted(found, key=lambda entry: entry["path"])

    def copy(
        self, path: str, to: str, *, overwrite: bool, create_folders: bool
    ) -> tuple[Path, int]:
        """Copy a file, in one step; gives the place of the copy and its size in bytes."""
        source, target = self._places(path, to, create_folders=create_folders)
        try:
            size = write_whole(target, lambda temporary: shutil.copy2(source, temporary), overwrite)
        except OSError as error:
            raise refusal(error, _blamed(error, path, to)) from error
        return target, size

    def move(self, path: str, to: str, *, overwrite: bool, create_folders: bool) -> Path:
        """Move a file or a folder; gives where it is now, also when it was moved there before."""
        source, target = self._places(path, to, create_folders=create_folders)
        try:
            if not source.exists() and target.exists():
                return target
            if target.exists() and (target.is_dir() or not overwrite):
                raise FileExistsError
            shutil.move(source, target)
        except OSError as error:
            raise refusal(error, _blamed(error, path, to)) from error
        return target

    def delete(self, path: str, *, recursive: bool, missing_ok: bool) -> bool:
        """Delete a file or a folder; False when there was none."""
        place = self.resolve(path)
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
            return False
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise NodeError(
                    f"the folder {path!r} is not empty: with recursive: true it is deleted with "
                    "all it holds",
                    code="INVALID_INPUT",
                ) from error
            raise refusal(error, path) from error
        return True

    def _places(self, path: str, to: str, *, create_folders: bool) -> tuple[Path, Path]:
        source, target = self.resolve(path), self.resolve(to)
        try:
            if target.is_dir() or to.endswith(("/", os.sep)):
                target = self.resolve(str(target / source.name))
            if create_folders:
                target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise refusal(error, to) from error
        return source, target


def _blamed(error: OSError, path: str, to: str) -> str:
    """Which of the two paths an error is about."""
    return path if isinstance(error, FileNotFoundError | IsADirectoryError) else to


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


def _entry(item: os.DirEntry[str]) -> FileEntry:
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
