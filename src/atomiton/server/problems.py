"""Errors as answers: RFC 9457, with the stable code of each."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from atomiton.conductor.wire import PROBLEM, ProblemDetails
from atomiton.errors import AtomitonError, BlueprintError

_log = logging.getLogger("atomiton.server")

#: HTTP status of errors that are the client's, by code; all others are ours.
STATUS: Mapping[str, int] = {
    "INVALID_BLUEPRINT": 422,
    "INVALID_INPUT": 422,
    "CIRCULAR_DEPENDENCY": 422,
    "UNKNOWN_REFERENCE": 422,
    "UNKNOWN_NODE_TYPE": 422,
    "TYPE_MISMATCH": 422,
    "EXPRESSION_ERROR": 422,
    "NOT_SUPPORTED": 422,
    "LIMIT_EXCEEDED": 422,
    "NOT_ALLOWED": 409,
    "NOT_FOUND": 404,
    "CONFLICT": 412,
    "RUN_BUSY": 409,
    "UNAUTHENTICATED": 401,
    "UNAVAILABLE": 503,
    "STORE_ERROR": 503,
    "TIMEOUT": 504,
}


class Refusal(AtomitonError):
    """A request that was refused with a status of its own.

    Attributes:
        status: HTTP status.
        headers: To be sent along.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "NOT_ALLOWED",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.headers = dict(headers or {})


def details_of(error: Exception) -> ProblemDetails:
    """Describe an error; one that nobody raised on purpose is logged, and not shown."""
    if not isinstance(error, AtomitonError):
        _log.error("a request failed", exc_info=error)
        error = AtomitonError("the server has failed; its log says more", code="INTERNAL")
    status = error.status if isinstance(error, Refusal) else STATUS.get(error.code, 0)
    if isinstance(error, BlueprintError):
        status = 422
    if not status:
        status = 500 if error.code == "INTERNAL" else 422
    return ProblemDetails(
        type="about:blank",  # the status says which kind it is, and the code more
        title=HTTPStatus(status).phrase,
        status=status,
        detail=error.message,
        code=error.code,
        kind=type(error).__name__,
        problems=list(error.problems) if isinstance(error, BlueprintError) else [],
        details=error.details,
    )


def problem_answer(error: Exception) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer that tells of an error."""
    details = details_of(error)
    headers = {"content-type": PROBLEM, "cache-control": "no-store"}
    if isinstance(error, Refusal):
        headers.update(error.headers)
    try:
        body = msgspec.json.encode(details)
    except (TypeError, ValueError):  # details that are not data
        body = msgspec.json.encode(msgspec.structs.replace(details, details=None))
    return details.status, headers, body
