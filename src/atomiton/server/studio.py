"""The files of the studio, as they were built: its page, and what that loads.

They lie in ``studio/static`` beside this package, where ``make studio`` and the build of a wheel
put them. Without them the server says how to make them; everything else works the same.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from atomiton.conductor.wire import PREFIX
from atomiton.errors import NotFound
from atomiton.server.pages import home_page
from atomiton.server.table import Call, Reply, Role, Route

FOLDER = Path(__file__).parent.parent / "studio" / "static"
#: What the page may load and reach: files of this server, and nothing else. No script or style
#: stands in the page itself, and no text can become a script.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
#: Names of assets hold a hash of what is in them: they never change.
_FOREVER = "private, max-age=31536000, immutable"


class StudioInfo(msgspec.Struct, frozen=True):
    """What the studio has to know before anything else.

    Attributes:
        version: Of Atomiton.
        role: What whoever looks may do: ``viewer``, ``operator`` or ``owner``.
        open: Id of the blueprint that it is to show first, if any.
    """

    version: str
    role: Role
    open: str | None = None


@dataclass(frozen=True)
class _File:
    kind: str
    content: bytes
    packed: bytes | None


@cache
def _files(folder: Path) -> dict[str, _File]:
    """Every file of the studio by its name; a file that is not here cannot be asked for."""
    found: dict[str, _File] = {}
    for path in (*folder.glob("index.html"), *folder.glob("assets/*")):
        kind = _KINDS.get(path.suffix)
        if kind is not None and path.is_file():
            content = path.read_bytes()
            packed = None if path.suffix == ".woff2" else gzip.compress(content, 6)
            found[path.name] = _File(kind, content, packed)
    return found


def _reply(call: Call, file: _File, headers: dict[str, str]) -> Reply:
    sent = {"content-type": file.kind, "vary": "accept-encoding", **headers}
    if file.packed is not None and "gzip" in call.headers.get("accept-encoding", ""):
        return Reply(file.packed, headers={**sent, "content-encoding": "gzip"})
    return Reply(file.content, headers=sent)


async def home(call: Call) -> Reply:
    """The page of the studio, or one that says how to build it."""
    page = _files(FOLDER).get("index.html")
    if page is None:
        return Reply(home_page(call.around.version))
    return _reply(call, page, {"content-security-policy": POLICY, "cache-control": "no-cache"})


async def asset(call: Call) -> Reply:
    """A file that the page loads."""
    name = call.params["name"]
    file = None if name == "index.html" else _files(FOLDER).get(name)
    if file is None:
        raise NotFound(f"the studio has no file '{name}'; reload the page if it was updated")
    return _reply(call, file, {"cache-control": _FOREVER})


async def info(call: Call) -> StudioInfo:
    """What the studio has to know before anything else."""
    return StudioInfo(call.around.version, call.principal.role, call.around.opened)


ROUTES = (
    Route("GET", "/", "viewer", home, "Show the studio"),
    Route("GET", "/assets/{name}", "viewer", asset, "Give a file of the studio"),
    Route("GET", PREFIX + "/studio", "viewer", info, "Tell what the studio starts with",
          answer=StudioInfo),
)  # fmt: skip
