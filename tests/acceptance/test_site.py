"""The site of the documentation is built without a warning, and asks nothing of the network."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

import pytest
from scripts.site.machine_page import watch
from scripts.site.staging import DeadLink, rewritten

from atomiton.machine.transitions import _TABLE

ROOT = Path(__file__).resolve().parents[2]
#: What a reader's program loads by itself, as against a link that a person follows.
LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


def build(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.site.build", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False
    )


@pytest.mark.slow
def test_nothing_in_the_site_is_wrong(tmp_path: Path) -> None:
    done = build("--check", tmp_path / "site")
    assert (done.returncode, done.stderr) == (0, "")
    pages = tmp_path / "site-pages"
    for made in ("explanation/machine", "reference/python", "reference/openapi", "how-to/hooks"):
        assert (pages / f"{made}.md").stat().st_size > 1000
    index = (pages / "index.md").read_text(encoding="utf-8")
    for part in ("tutorial/first-blueprint", "guarantees", "changelog", "decisions/index"):
        assert f"\n{part}\n" in index


class Loads(HTMLParser):
    """Collects what a page loads, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if (name := LOADING.get(tag)) and (address := given.get(name)):
            self.loaded.append(address)
        if tag == "a" and (address := given.get("href")):
            self.links.append(address)


@pytest.mark.campaign
def test_the_site_is_whole_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    done = build(tmp_path / "site")
    assert (done.returncode, done.stderr) == (0, "")
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 70
    for page in pages:
        found = Loads()
        found.feed(page.read_text(encoding="utf-8"))
        assert [address for address in found.loaded if "//" in address] == [], page
        for address in (*found.loaded, *found.links):
            name = address.partition("#")[0].partition("?")[0]
            if name and ":" not in name:
                assert (page.parent / name).exists(), f"{page}: {address}"
    for style in (tmp_path / "site" / "_static").rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"url\(\s*['\"]?(https?:)?//|@import", text), style


def test_a_dead_link_stops_the_site() -> None:
    page = PurePosixPath("docs/how-to/serve.md")
    with pytest.raises(DeadLink, match=r"docs/how-to/serve\.md: gone\.md#x"):
        rewritten("[a](gone.md#x)", page, lambda _path: None)


def test_links_lead_where_the_pages_of_the_site_are() -> None:
    page, wanted = PurePosixPath("docs/how-to/serve.md"), []
    text = (
        "[`errors.py`](../../src/atomiton/errors.py) [g](../../GUARANTEES.md#x) "
        "[r](../../README.md) [map](../README.md) [w](https://example.org) [here](#routes) "
        "`[no](gone.md)`\n```md\n[no](gone.md)\n```\n![p](../pictures/studio.png)"
    )
    assert rewritten(text, page, wanted.append) == (
        "[`errors.py`](../files/src/atomiton/errors.py) [g](../guarantees.md#x) [r](../index.md) "
        "[map](../map.md) [w](https://example.org) [here](#routes) `[no](gone.md)`\n"
        "```md\n[no](gone.md)\n```\n![p](../pictures/studio.png)"
    )
    assert len(wanted) == 5


def test_the_page_of_the_machine_is_drawn_from_what_the_machine_does() -> None:
    nodes, runs = watch(40)
    facts = {fact.__name__ for fact in _TABLE}
    assert {fact for _, fact, _ in (*nodes, *runs)} <= facts
    assert ("running", "AttemptFailed", "retrying") in nodes
    assert ("running", "AttemptLost", "lost") in nodes
    assert not {before for before, _, _ in nodes} & {"completed", "failed", "skipped", "cancelled"}
    assert not {before for before, _, _ in runs} & {"completed", "failed", "cancelled"}
