"""A small slow website to crawl, on a free port of this machine.

python examples/crawl/website.py      # prints its address; Ctrl-C ends it
"""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

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


class Handler(BaseHTTPRequestHandler):
    """Serves the pages, slowly."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Give a page."""
        time.sleep(SLOWNESS)
        known = self.path in PAGES
        body = (page(self.path) if known else "not here\n").encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8" if known else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Keep quiet."""


class Website:
    """The site while a ``with`` block lasts; ``url`` is where."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def main() -> None:
    with Website() as site:
        print(site.url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
