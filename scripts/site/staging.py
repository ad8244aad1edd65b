"""Lays pages of the repository out as a site: where each goes, and where its links then lead."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

ROOT = Path(__file__).resolve().parents[2]

#: A block of code, a link, or a piece of code: whatever begins first.
_PART = re.compile(
    r"^ {0,3}(?P<fence>```+|~~~+).*?^ {0,3}(?P=fence)[ \t]*$"
    r"|(?P<before>!?\[[^\]]*\]\()(?P<target>[^)\s]+)(?P<after>(?:\s+\"[^\"]*\")?\))"
    r"|(?P<mark>`+)(?!`).+?(?<!`)(?P=mark)(?!`)",
    re.MULTILINE | re.DOTALL,
)
_ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:|^#", re.IGNORECASE)
_PICTURES = {".svg", ".png"}


class DeadLink(Exception):
    """A page links to what is not there."""


def place(path: PurePosixPath) -> PurePosixPath:
    """Where a file of the repository stands in the site.

    Example:
        >>> place(PurePosixPath("docs/how-to/serve.md")), place(PurePosixPath("README.md"))
        (PurePosixPath('how-to/serve.md'), PurePosixPath('index.md'))
        >>> place(PurePosixPath("src/atomiton/errors.py"))
        PurePosixPath('files/src/atomiton/errors.py')
    """
    if path.suffix not in {".md", *_PICTURES}:
        return "files" / path
    if path == PurePosixPath("docs/README.md"):
        return PurePosixPath("map.md")
    if path.parts[0] == "docs":
        path = path.relative_to("docs")
    if path.name == "README.md":
        return path.with_name("index.md")
    return path.with_name(path.name.lower()) if len(path.parts) == 1 else path


def rewritten(text: str, page: PurePosixPath, wanted: Callable[[PurePosixPath], None]) -> str:
    """A page with its links as they are in the site; what they lead to is ``wanted``.

    Raises:
        DeadLink: If one leads nowhere.

    Example:
        >>> rewritten("[a](../how-to/serve.md#x) `[b](c)`", PurePosixPath("docs/reference/cli.md"),
        ...           lambda _path: None)
        '[a](../how-to/serve.md#x) `[b](c)`'
    """

    def link(found: re.Match[str]) -> str:
        target = found["target"]
        if target is None or _ELSEWHERE.match(target):
            return found[0]
        name, mark, anchor = target.partition("#")
        path = PurePosixPath(os.path.normpath(page.parent / unquote(name)))
        if not (ROOT / path).is_file():
            raise DeadLink(f"{page}: {target}")
        wanted(path)
        led = os.path.relpath(place(path), place(page).parent)
        return f"{found['before']}{quote(led)}{mark}{anchor}{found['after']}"

    return _PART.sub(link, text)


def stage(pages: Iterable[PurePosixPath], folder: Path) -> None:
    """Copy pages, and all that they link to, into a folder, laid out as a site.

    Args:
        pages: Where to begin, from the root of the repository.
        folder: Emptied first.

    Raises:
        DeadLink: If a page links to what is not there.
    """
    shutil.rmtree(folder, ignore_errors=True)
    todo = list(pages)
    seen: set[PurePosixPath] = set()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        there = folder / place(path)
        there.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            text = (ROOT / path).read_text(encoding="utf-8")
            there.write_text(rewritten(text, path, todo.append), encoding="utf-8")
        else:
            shutil.copyfile(ROOT / path, there)
