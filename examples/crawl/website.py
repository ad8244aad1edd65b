"""A small slow website to crawl, on a free port of this machine.

python -m examples.crawl.website      # prints its address; Ctrl-C ends it
"""

from __future__ import annotations

import time

from examples import serving

#: Seconds that every page takes.
SLOWNESS = 0.25
#: Path to title and the places it links to; one of them does not exist.
PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "/": ("Lamps & Sons", ("/lamps", "/chairs", "/about", "/journal", "/help", "/contact")),
    "/lamps": ("Lamps", ("/", "/help", "/journal/light")),
    "/chairs": ("Chairs", ("/", "/help", "/chairs/sale")),
    "/about": ("About us", ("/", "/contact", "/journal")),
    "/journal": ("Journal", ("/", "/journal/light", "/lamps")),
    "/journal/light": ("What good light does", ("/journal", "/lamps")),
    "/help": ("Help", ("/", "/contact")),
    "/contact": ("Contact", ("/",)),
}


def page(path: str) -> str:
    """The HTML of a page."""
    title, links = PAGES[path]
    items = "\n".join(f'    <li><a href="{link}">{link}</a></li>' for link in links)
    safe = title.replace("&", "&amp;")
    return (
        f"<!doctype html>\n<html>\n  <head><title>{safe}</title></head>\n"
        f"  <body>\n  <h1>{safe}</h1>\n  <ul>\n{items}\n  </ul>\n  </body>\n</html>\n"
    )


class Handler(serving.Handler):
    """Serves the pages, slowly."""

    def do_GET(self) -> None:  # noqa: N802 - its name there
        """Give a page."""
        time.sleep(SLOWNESS)
        if self.path in PAGES:
            self.answer(200, "text/html; charset=utf-8", page(self.path).encode())
        else:
            self.answer(404, "text/plain", b"not here\n")


class Website(serving.Server):
    """The site while a ``with`` block lasts; ``url`` is where."""

    def __init__(self) -> None:
        super().__init__(Handler)


if __name__ == "__main__":
    serving.serve(Website())
