"""From what a node raised to what the machine is told, and from a run to what lists show."""

from __future__ import annotations

import asyncio

import msgspec

from atomiton.errors import NOT_RETRIED, AtomitonError, ErrorInfo, NodeError
from atomiton.machine import RunState
from atomiton.ports.journal import StatusChange


def stopped(message: str = "stopped because it was asked to") -> ErrorInfo:
    """The end of an attempt that was asked to stop."""
    return ErrorInfo("CANCELLED", message)


def error_info(error: BaseException) -> ErrorInfo:
    """What a node raised, as the machine keeps it: its message unchanged, if that can be stored."""
    info = _info(error)
    try:
        msgspec.json.encode(info)
    except (TypeError, ValueError, OverflowError, RecursionError):
        # Text that is not Unicode (names of files, output of programs), or objects in the details.
        details = None if info.details is None else {"text": _unicode(repr(info.details)[:4000])}
        return msgspec.structs.replace(info, message=_unicode(info.message), details=details)
    return info


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
        message = str(error) or "it took too long"
        return ErrorInfo("TIMEOUT", message, retryable=True, details=_details(error))
    message = str(error) or type(error).__name__
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
