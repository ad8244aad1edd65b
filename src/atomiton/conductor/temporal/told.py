"""What a Temporal server says of a run, as the errors of a conductor."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from temporalio.client import (
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from atomiton.drivers.temporal.wire import BUSY
from atomiton.errors import AtomitonError, NotFound, Unavailable

#: What is said when a worker should have answered, and none did.
_SILENT = (
    RPCStatusCode.CANCELLED,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.FAILED_PRECONDITION,
)


@asynccontextmanager
async def told(run: str) -> AsyncGenerator[None]:
    """Turn what the server says of a run into the errors of a conductor."""
    try:
        yield
    except RPCError as error:
        raise _error_of(error, run) from error
    except WorkflowUpdateFailedError as error:
        raise _said(error.cause) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise _nobody(run) from error
    except WorkflowQueryFailedError as error:
        raise Unavailable(f"run {run} cannot be asked: {error.message}") from error
    except WorkflowQueryRejectedError as error:
        raise Unavailable(f"run {run} cannot be asked: {error}") from error


def _error_of(error: RPCError, run: str) -> AtomitonError:
    if error.status is RPCStatusCode.NOT_FOUND:
        if "already completed" in error.message:
            return AtomitonError(f"run {run} has ended", code="NOT_ALLOWED")
        return NotFound(f"there is no run {run}")
    if error.status is RPCStatusCode.INVALID_ARGUMENT and run:
        return NotFound(f"there is no run {run}: {error.message}")
    if error.status in _SILENT:
        return _nobody(run)
    return Unavailable(f"the Temporal server: {error.message}")


def is_busy(error: WorkflowUpdateFailedError) -> bool:
    """Whether a run could not take a message because pure nodes are at work."""
    return isinstance(error.cause, ApplicationError) and error.cause.type == BUSY


def _nobody(run: str) -> Unavailable:
    return Unavailable(f"no worker answers for run {run}: atomiton worker starts one")


def _said(cause: BaseException | None) -> AtomitonError:
    if isinstance(cause, ApplicationError):
        return AtomitonError(cause.message, code=cause.type or "INTERNAL")
    return AtomitonError(str(cause), code="INTERNAL")
