"""Node types of one's own: typed functions. Load them with ``--nodes examples/crawl/nodes.py``.

Parameters are the input ports, the fields of the result the output ports. Nodes that only compute
say ``effect="pure"``: what they give need not be on disk before the next one starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from atomiton import node


@dataclass
class Answer:
    """What the crawl asked for, and what came."""

    url: str
    status: int
    body: str
    elapsed_ms: float


@dataclass
class Page:
    """A page that was understood."""

    path: str
    status: int
    title: str
    links: list[str]
    elapsed_ms: float


@dataclass
class Report:
    """What the site looks like."""

    pages: int
    titles: dict[str, str]
    linked_from: dict[str, int]
    not_visited: list[str]
    waited_ms: float


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.title = ""
        self.links: list[str] = []
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where a link leads."""
        self._in_title = tag == "title"
        target = dict(attrs).get("href")
        if tag == "a" and target:
            self.links.append(urlsplit(urljoin(self.url, target)).path)

    def handle_endtag(self, tag: str) -> None:
        """Note the end of the title."""
        self._in_title = self._in_title and tag != "title"

    def handle_data(self, data: str) -> None:
        """Note the title."""
        if self._in_title:
            self.title += data


@node("crawl.read", effect="pure")
def read(answers: list[Answer]) -> list[Page]:
    """Titles and links of the pages that came. A plain function: it runs in a thread."""
    pages = []
    for answer in answers:
        reader = _Reader(answer.url)
        if answer.status < 400:
            reader.feed(answer.body)
        path = urlsplit(answer.url).path
        pages.append(Page(path, answer.status, reader.title, reader.links, answer.elapsed_ms))
    return pages


@node("crawl.report", effect="pure")
async def report(pages: list[Page]) -> Report:
    """How the pages hang together."""
    linked: dict[str, int] = {}
    for page in pages:
        for link in page.links:
            linked[link] = linked.get(link, 0) + 1
    visited = {page.path for page in pages}
    return Report(
        pages=sum(page.status < 400 for page in pages),
        titles={page.path: page.title for page in pages},
        linked_from=dict(sorted(linked.items(), key=lambda pair: (-pair[1], pair[0]))),
        not_visited=sorted(linked.keys() - visited),
        waited_ms=round(sum(page.elapsed_ms for page in pages), 1),
    )
