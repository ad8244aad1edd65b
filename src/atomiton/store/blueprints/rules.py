"""What saving, deleting and restoring do: the same in every store, and without any I/O."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256

import msgspec

from atomiton.blueprint.compile import content_hash
from atomiton.blueprint.document import ID
from atomiton.errors import AtomitonError, BlueprintError, Conflict, NotFound, Problem
from atomiton.ports.blueprints import NEW, BlueprintInfo

#: Most characters of a name, a version or a tag, and of a description, that a list shows.
_SHORT = 200
_LONG = 2000

#: Most tags that a blueprint is found by.
_TAGS = 50

#: Most items on a page.
LIMIT = 1000

#: Most bytes of a text, as of any blueprint.
MAX_BYTES = 1024 * 1024

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")

Change = tuple[BlueprintInfo, str | None]
"""A new newest state of a blueprint, and its text if that is a new one."""

Decide = Callable[[BlueprintInfo | None], Change | None]
"""From the newest state, None if there is none, to the next; None if nothing changes."""


class Draft(msgspec.Struct, frozen=True):
    """What a text says of itself.

    Attributes:
        id: The blueprint's id.
        text: The text.
        etag: Names the exact text.
        hash: Content hash.
        name: The author's name for it.
        version: The author's version.
        description: The author's description.
        tags: Words that it can be found by.
        problem: Why the text is no blueprint yet; None if it is one.
    """

    id: str
    text: str
    etag: str
    hash: str
    name: str
    version: str
    description: str
    tags: tuple[str, ...]
    problem: str | None = None


UNREADABLE = "its text cannot be read yet: open it to see why"
"""What is wrong with a draft, where a store does not know it in more detail."""


def etag_of(text: str) -> str:
    """Name an exact text.

    Example:
        >>> etag_of("id: a")[:8]
        'fef138e8'
    """
    return sha256(text.encode()).hexdigest()


def read_draft(text: str, blueprint: str | None = None) -> Draft:
    """Read what a list needs to know of a text.

    Args:
        text: The text.
        blueprint: The id to take it for if it names none: half of what somebody writes is kept,
            too.

    Raises:
        BlueprintError: The text is not YAML of a mapping, or holds no valid id, and none is
            given; or it is larger than any blueprint may be, or holds what no text does.
    """
    try:
        return _read(text)
    except BlueprintError as error:
        if blueprint is None or len(text.encode()) > MAX_BYTES or "\0" in text:
            raise
        check_id(blueprint)
        why = error.problems[0].message
        return Draft(blueprint, text, etag_of(text), "", blueprint, "", "", (), why)


def _read(text: str) -> Draft:
    # Here, because those who keep no blueprints should not wait for its import.
    from atomiton.blueprint.yaml import load

    document = load(text)
    data = document.data
    found = data.get("id")
    if not isinstance(found, str) or not ID.fullmatch(found):
        line, column = document.positions.get(("id",), (1, 1))
        message = "a blueprint is kept under its id, and this one has no valid 'id'"
        hint = "write `id: order-report`: small letters, digits and -, at most 64"
        raise BlueprintError(
            [Problem("INVALID_BLUEPRINT", message, "id", line=line, column=column, hint=hint)]
        )
    metadata = data.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    words = [_line(tag, _SHORT) for tag in tags[:_TAGS]] if isinstance(tags, list) else []
    return Draft(
        found,
        text,
        etag_of(text),
        content_hash(data),
        _line(data.get("name"), _SHORT) or found,
        _line(data.get("version"), _SHORT),
        _line(data.get("description"), _LONG),
        tuple(word for word in dict.fromkeys(words) if word),
    )


def _line(value: object, limit: int) -> str:
    """A value as one line for a list; empty for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return _CONTROL.sub(" ", str(value)).strip()[:limit]


def describe(draft: Draft, revision: int, created_at: float, updated_at: float) -> BlueprintInfo:
    """Describe a text as a revision."""
    return BlueprintInfo(
        id=draft.id,
        revision=revision,
        etag=draft.etag,
        hash=draft.hash,
        name=draft.name,
        version=draft.version,
        description=draft.description,
        tags=draft.tags,
        created_at=created_at,
        updated_at=updated_at,
        problem=draft.problem,
    )


def problem_of(hash_: str) -> str | None:
    """What a store says of a text whose hash it knows: drafts that cannot be read have none."""
    return None if hash_ else UNREADABLE


def saving(draft: Draft, expected: str | None, now: float) -> Decide:
    """Decide what saving a text does."""

    def decide(head: BlueprintInfo | None) -> Change | None:
        check_expected(draft.id, head, expected)
        if head is None:
            return describe(draft, 1, now, now), draft.text
        if head.etag == draft.etag and head.deleted_at is None:
            return None
        # Time must not run backwards in a history, whatever the clock does.
        later = max(now, head.updated_at)
        return describe(draft, head.revision + 1, head.created_at, later), draft.text

    return decide


def deleting(blueprint: str, expected: str | None, now: float) -> Decide:
    """Decide what deleting does."""

    def decide(head: BlueprintInfo | None) -> Change | None:
        if head is None or head.deleted_at is not None:
            raise not_found(blueprint, deleted=head is not None)
        check_expected(blueprint, head, expected)
        return msgspec.structs.replace(head, deleted_at=max(now, head.updated_at)), None

    return decide


def undeleting(blueprint: str) -> Decide:
    """Decide what bringing back does."""

    def decide(head: BlueprintInfo | None) -> Change | None:
        if head is None:
            raise not_found(blueprint)
        if head.deleted_at is None:
            return None
        return msgspec.structs.replace(head, deleted_at=None), None

    return decide


def check_expected(blueprint: str, head: BlueprintInfo | None, expected: str | None) -> None:
    """Refuse a change that is based on another text than the newest one.

    Raises:
        Conflict: The newest text is another, or there is one where there should be none.
    """
    if expected is None:
        return
    there = None if head is None or head.deleted_at is not None else head
    found = NEW if there is None else there.etag
    if found == expected:
        return
    if there is None:
        message = f"blueprint '{blueprint}' is not there any more"
    elif expected == NEW:
        message = (
            f"there is a blueprint '{blueprint}' already; choose another id or change that one"
        )
    else:
        message = (
            f"blueprint '{blueprint}' was changed meanwhile (revision {there.revision}); "
            "load it again and repeat your change"
        )
    details = {"etag": found, "revision": 0 if there is None else there.revision}
    raise Conflict(message, details=details)


def check_id(blueprint: object) -> str:
    """Refuse what cannot be an id: no store ever makes a name of it.

    Raises:
        AtomitonError: Code ``INVALID_INPUT``.
    """
    if isinstance(blueprint, str) and ID.fullmatch(blueprint):
        return blueprint
    shown = repr(blueprint)
    shown = shown if len(shown) <= _SHORT else f"{shown[:_SHORT]}..."
    raise AtomitonError(
        f"{shown} cannot be the id of a blueprint: small letters, digits and -, at most 64",
        code="INVALID_INPUT",
    )


def check_limit(limit: object) -> int:
    """Refuse a size of a page that is none; larger ones are cut to ``LIMIT``."""
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise AtomitonError(f"a limit is a number from 1, got {limit!r}", code="INVALID_INPUT")
    return min(limit, LIMIT)


def not_found(blueprint: str, *, deleted: bool = False) -> NotFound:
    """Make the error for a blueprint that is not there."""
    if deleted:
        return NotFound(f"blueprint '{blueprint}' was deleted; undelete brings it back")
    return NotFound(f"there is no blueprint '{blueprint}'")


def search_text(info: BlueprintInfo) -> str:
    """What a search looks in: folded, so that the case does not matter."""
    return f"{info.id}\n{info.name}\n{info.description}".casefold()


class Wanted(msgspec.Struct, frozen=True):
    """What a list is to hold.

    Attributes:
        search: Folded text that must occur; empty for any.
        tag: A tag that must be there; None for any.
        deleted: Deleted ones instead of the others.
        after: Only greater ids.
        limit: Most to give.
    """

    search: str
    tag: str | None
    deleted: bool
    after: str
    limit: int

    def fits(self, info: BlueprintInfo) -> bool:
        """Tell whether a blueprint is wanted."""
        return (
            info.id > self.after
            and (info.deleted_at is not None) == self.deleted
            and (self.tag is None or self.tag in info.tags)
            and self.search in search_text(info)
        )
