"""The few pages that people see in a browser: errors, and where they are."""

from __future__ import annotations

from html import escape
from http import HTTPStatus

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem;"
    "color:#1c1e21;background:#fff}h1{font-size:1.4rem}code{background:#eee;padding:.1em .3em;"
    "border-radius:3px}@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#16181c}"
    "code{background:#2a2d33}}"
)
#: What such a page may load: nothing but its own style.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


def wants_page(accept: str) -> bool:
    """Whether somebody looks with a browser.

    Example:
        >>> wants_page("text/html,application/xhtml+xml"), wants_page("*/*")
        (True, False)
    """
    return "text/html" in accept


def page(title: str, *lines: str) -> str:
    """A page of a title and some lines of text."""
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<meta name=viewport content='width=device-width'><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{text}</html>"
    )


def error_page(status: int, detail: str) -> bytes:
    """A page that says what went wrong, and what to do where that is known."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    lines = [detail]
    if status == 401:
        lines.append(
            "Open the login link that `atomiton serve` has printed, or get a new one with "
            "`atomiton tokens login`."
        )
    return page(f"{status} {title}", *lines).encode()


def home_page(version: str) -> str:
    """What is at the top: this server has no studio yet."""
    return page(
        "Atomiton",
        f"This is the server of Atomiton {version}, and you are logged in.",
        "Its API begins at /api/v1, and /openapi.json describes it.",
    )
