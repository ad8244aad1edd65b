"""From what a node raised to what the machine is told, and from a run to what lists show."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import cast

import msgspec

from atomiton.drivers.trimming import CUT, trimmed
from atomiton.errors import NOT_RETRIED, AtomitonError, ErrorInfo, NodeError
from atomiton.machine import RunState
from atomiton.machine.commands import CancelAttempt
from atomiton.ports.journal import StatusChange


def stopped(message: str = "stopped because it was asked to") -> ErrorInfo:
    """The end of an attempt that was asked to stop."""
    return ErrorInfo("CANCELLED", message)


#: Shorter secrets are not looked for: they would blot out words that have nothing to do with them.
SHORTEST_SECRET = 4
#: What stands where a secret was.
BLOT = "***"


def without_secrets(text: str, secrets: object) -> str:
    """A text with the values of secrets blotted out.

    Example:
        >>> without_secrets("no program 's3cr3t'", {"TOKEN": "s3cr3t"})
        "no program '***'"
    """
    if not isinstance(secrets, dict):
        return text
    values = {
        value for value in cast("dict[str, object]", secrets).values() if isinstance(value, str)
    }
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= SHORTEST_SECRET:
            text = text.replace(value, BLOT)
    cut = CUT.search(text)
    return text if cut is None else _whole_words(text[: cut.start()], values) + cut[0]


def _whole_words(text: str, secrets: Collection[str]) -> str:
    """A text that was cut, without the beginning of a secret at its end."""
    longest = max(
        (
            length
            for value in secrets
            if len(value) >= SHORTEST_SECRET
            for length in range(1, len(value))
            if text.endswith(value[:length])
        ),
        default=0,
    )
    return text[: len(text) - longest] + BLOT if longest else text


def blotted(info: ErrorInfo, secrets: object) -> ErrorInfo:
    """An error as it may be stored and shown: without the values of secrets."""
    details = info.details and cast("dict[str, object]", blot(info.details, secrets))
    message = without_secrets(info.message, secrets)
    return msgspec.structs.replace(info, message=message, details=details)


def blot(value: object, secrets: object) -> object:
    """A plain value as it may be stored and shown: without the values of secrets.

    Example:
        >>> blot({"a": ["Bearer s3cr3t", b"s3cr3t", 1]}, {"TOKEN": "s3cr3t"})
        {'a': ['Bearer ***', b'***', 1]}
    """
    if isinstance(value, str):
        return without_secrets(value, secrets)
    if isinstance(value, bytes):
        return _blotted_bytes(value, secrets)
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return {blot(key, secrets): blot(item, secrets) for key, item in items}
    if isinstance(value, list | tuple):
        return [blot(item, secrets) for item in cast("list[object]", value)]
    return value


def _blotted_bytes(value: bytes, secrets: object) -> bytes:
    try:
        return without_secrets(value.decode(), secrets).encode()
    except UnicodeDecodeError:  # not a text: every byte as a letter of its own
        if isinstance(secrets, dict):
            given = cast("dict[str, object]", secrets).items()
            letters = {name: str(of).encode().decode("latin-1") for name, of in given}
            return without_secrets(value.decode("latin-1"), letters).encode("latin-1")
        return value


def error_info(error: BaseException) -> ErrorInfo:
    """What a node raised, as the machine keeps it: its message unchanged, if that can be stored.

    Of a message of more than 64 KiB, and of details of more than 256 KiB, the beginning is kept.
    """
    return trimmed(_storable(_info(error)))


def _storable(info: ErrorInfo) -> ErrorInfo:
    if type(info.message) is not str:
        info = msgspec.structs.replace(info, message=_text(info.message))
    if type(info.code) is not str:
        info = msgspec.structs.replace(info, code=_text(info.code))
    try:
        msgspec.json.encode(info)
        msgspec.msgpack.encode(info)  # it alone refuses integers of more than 64 bits
    except (TypeError, ValueError, OverflowError, RecursionError):
        # Text that is not Unicode (names of files, output of programs), or objects in the details.
        details = None if info.details is None else {"text": _unicode(repr(info.details)[:4000])}
        return msgspec.structs.replace(info, message=_unicode(info.message), details=details)
    return info


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # an error that cannot even say what it is
        return ""


def _unicode(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _info(error: BaseException) -> ErrorInfo:
    if isinstance(error, NodeError):
        return ErrorInfo(
            error.code, error.message, retryable=error.retryable, details=error.details
        )
    if isinstance(error, AtomitonError):
        retryable = error.code not in NOT_RETRIED
        return ErrorInfo(error.code, error.message, retryable=retryable, details=error.details)
    if isinstance(error, asyncio.CancelledError):
        return stopped(str(error) or "stopped because it was asked to")
    if isinstance(error, TimeoutError):
        message = _text(error) or "it took too long"
        return ErrorInfo("TIMEOUT", message, retryable=True, details=_details(error))
    message = _text(error) or type(error).__name__
    return ErrorInfo("NODE_FAILED", message, retryable=True, details=_details(error))


def _details(error: BaseException) -> dict[str, object]:
    """The type of an error and where it was raised: what a developer looks for first."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    details: dict[str, object] = {"type": type(error).__name__}
    if place is not None:
        details["file"] = place.tb_frame.f_code.co_filename
        details["line"] = place.tb_lineno
    return details


def status_change(state: RunState) -> StatusChange:
    """What the list of runs is to show of a run."""
    error = state.failure if state.ended else None
    return StatusChange(
        state.public_status(),
        state.ended_at if state.ended else None,
        state.reason(),
        error.code if error else None,
        error.message if error else None,
    )


def why_stopped(state: RunState, of: CancelAttempt) -> str:
    """Why an attempt is asked to stop, in words."""
    why = state.frames[of.frame].verdicts.get(of.node) or state.failure
    return why.message if why is not None else "its result is not needed any more"
