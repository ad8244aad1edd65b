"""The ``flow`` family: saying something, and giving up on purpose."""

from __future__ import annotations

from typing import Literal, TypedDict

from atomiton.errors import NodeError
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Log, injected


class Logged(TypedDict):
    """What was said."""

    message: str


@node(
    "flow.fail",
    effect="pure",
    title="Fail",
    icon="octagon-x",
    plain=True,
    example="""
    atomiton: 1
    id: fail-example
    inputs:
      total: {type: integer, default: 5}
    nodes:
      check:
        uses: flow.fail
        if: inputs.total < 0
        with:
          message: The total is negative.
          code: NEGATIVE_TOTAL
    output: ${{ nodes.check.status }}
    """,
)
async def fail(message: str, code: str = "NODE_FAILED") -> None:
    """Fail with a message, for example under a condition.

    Args:
        message: What went wrong, for people.
        code: A code in capitals that retry rules and programs can compare.
    """
    if not code.isascii() or not code.replace("_", "").isalnum() or code != code.upper():
        raise NodeError(f"{code!r} is not a code such as OUT_OF_STOCK", code="INVALID_INPUT")
    raise NodeError(message, code=code)


@node(
    "flow.log",
    title="Log",
    icon="message-square-text",
    plain=True,
    example="""
    atomiton: 1
    id: log-example
    nodes:
      hello:
        uses: flow.log
        with:
          message: Good morning
    output: ${{ hello.message }}
    """,
)
async def log(
    message: object,
    level: Literal["debug", "info", "warning", "error"] = "info",
    *,
    log: Log = injected,
) -> Logged:
    """Say something to the readers of the run.

    Args:
        message: What to say; anything but text is shown as JSON.
        level: How much it matters.
        log: The door to the readers.
    """
    from atomiton.nodes.json import encode

    text = message if isinstance(message, str) else encode(message).decode()
    log.log(level, text)
    return {"message": text}
