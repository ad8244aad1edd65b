"""Builds the site of the documentation: ``make docs``. Any warning of Sphinx is a failure.

    python -m scripts.site.build [--check] [FOLDER]

FOLDER is build/site unless it is given. ``--check`` finds what is wrong and writes no page of HTML.

The pages of ``docs`` are taken as they are; beside them stand pages that are written here from the
code: its commands, schema, routes, Python interface, and the machine as its own facts move it.
"""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath

from scripts.site.machine_page import machine_page
from scripts.site.reference_pages import (
    client_page,
    commands_page,
    format_page,
    http_page,
    python_page,
    testing_page,
)
from scripts.site.staging import ROOT, DeadLink, stage

_STARTS = ("README.md", "docs/README.md", "GUARANTEES.md", "SECURITY.md", "CONTRIBUTING.md")

#: Pages that are made, with what makes each.
MADE = {
    "reference/commands.md": commands_page,
    "reference/schema.md": format_page,
    "reference/openapi.md": http_page,
    "reference/python.md": python_page,
    "reference/python-testing.md": testing_page,
    "reference/python-client.md": client_page,
}

#: Parts of the navigation: title, and the folder whose pages it lists, or the pages.
_PARTS = (
    ("Tutorial", "tutorial"),
    ("How to", "how-to"),
    ("Reference", "reference"),
    ("Explanation", "explanation"),
    ("Decisions", ("decisions/index",)),
    ("Examples", ("examples/index",)),
    ("Project", ("map", "guarantees", "security", "contributing", "changelog")),
)
#: Tutorials have an order; of the rest the names have.
_FIRST = ("tutorial/first-blueprint",)


def main(arguments: list[str]) -> int:
    """Build the site; the exit status is that of Sphinx."""
    from sphinx.cmd.build import main as sphinx

    builder = "dummy" if "--check" in arguments else "html"
    given = [argument for argument in arguments if argument != "--check"]
    out = Path(given[0]) if given else ROOT / "build" / "site"
    pages = out.with_name(f"{out.name}-pages")
    try:
        write_pages(pages)
    except DeadLink as dead:
        print(f"a dead link: {dead}", file=sys.stderr)
        return 1
    trees = out.with_name(f"{out.name}-doctrees")
    options = ["-W", "--keep-going", "-q", "-E", "-b", builder, "-c", str(Path(__file__).parent)]
    return sphinx([*options, "-d", str(trees), str(pages), str(out)])


def write_pages(pages: Path) -> None:
    """Lay all pages out, those of the repository and those that are made."""
    found = [path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md")]
    starts = [PurePosixPath(name) for name in _STARTS]
    stage([*starts, *(PurePosixPath(path) for path in found)], pages)
    for name, make in MADE.items():
        (pages / name).write_text(make(), encoding="utf-8")
    page, drawings = machine_page()
    (pages / "explanation" / "machine.md").write_text(page, encoding="utf-8")
    for name, drawing in drawings.items():
        (pages / "explanation" / name).write_text(drawing, encoding="utf-8")
    _navigate(pages)


def _navigate(pages: Path) -> None:
    """Put every page into the navigation."""
    index = pages / "index.md"
    parts = [_tree(title, _listed(pages, of)) for title, of in _PARTS]
    index.write_text(index.read_text(encoding="utf-8") + "".join(parts), encoding="utf-8")
    for folder in ("decisions", "examples"):
        inner = pages / folder / "index.md"
        rest = sorted(
            str(page.relative_to(inner.parent).with_suffix(""))
            for page in inner.parent.rglob("*.md")
            if page != inner
        )
        text = inner.read_text(encoding="utf-8") + _tree("", rest)
        inner.write_text(text, encoding="utf-8")


def _listed(pages: Path, part: str | tuple[str, ...]) -> list[str]:
    if isinstance(part, tuple):
        return list(part)
    names = [str(page.relative_to(pages).with_suffix("")) for page in (pages / part).rglob("*.md")]
    return sorted(names, key=lambda name: (name not in _FIRST, name))


def _tree(title: str, names: list[str]) -> str:
    caption = f":caption: {title}\n" if title else ""
    listed = "\n".join(names)
    return f"\n```{{toctree}}\n:hidden:\n:titlesonly:\n{caption}\n{listed}\n```\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
