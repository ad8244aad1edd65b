"""The nodes of the conformance suite as functions, for the event loop, threads and processes."""

from __future__ import annotations

import asyncio
import os

from atomiton import NodeError, node
from atomiton.ports.capabilities import Attempt, Log, Progress


@node("async.echo")
async def async_echo(value: object) -> object:
    return value


@node("async.add")
async def async_add(first: int, second: int = 1) -> int:
    return first + second


@node("async.fail")
async def async_fail() -> None:
    raise NodeError("try later", code="BUSY", retryable=False, details={"after": 3})


@node("async.spin")
async def async_spin() -> None:
    while True:
        await asyncio.sleep(0.01)


@node("async.report")
async def async_report(attempt: Attempt, progress: Progress, log: Log) -> str:
    return _report(attempt, progress, log)


@node("plain.echo")
def echo(value: object) -> object:
    return value


@node("plain.add")
def add(first: int, second: int = 1) -> int:
    return first + second


@node("plain.fail")
def fail() -> None:
    raise NodeError("try later", code="BUSY", retryable=False, details={"after": 3})


@node("plain.spin")
def spin() -> None:
    while True:
        sum(range(100))


@node("plain.crash")
def crash() -> None:
    os._exit(9)


@node("plain.report")
def report(attempt: Attempt, progress: Progress, log: Log) -> str:
    return _report(attempt, progress, log)


def _report(attempt: Attempt, progress: Progress, log: Log) -> str:
    progress.report(0.25, "begun")
    log.log("warning", "at work")
    progress.report(0.75)
    return attempt.key
